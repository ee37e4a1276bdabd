//! Bringing the properties of objects into their order after a text was read.
//!
//! The scanner adds values in the order of their text. When some object turns out to be out of order,
//! the cells of the whole document are written once more, so that a value is moved once however deep
//! it is. Where the order of the names is remembered, no name is looked at for that.

use super::Cell;
use super::build::compare_names;
use super::layout::{Layouts, Place};

/// What is known of the order of an object's properties, or of those in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order(u32);

impl Order {
    /// They are sorted: so it is in every document that is whole.
    pub(super) const SORTED: Self = Self(0);
    /// They are still to be sorted by their names.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);

    /// They come as remembered of a place.
    pub(super) fn of(place: Place) -> Self {
        Self(place.index().saturating_add(1))
    }

    fn place(self) -> Place {
        Place::at(self.0.wrapping_sub(1))
    }
}

/// Writes a document once more.
pub(super) struct Arranger<'a> {
    pub(super) layouts: &'a Layouts,
    pub(super) text: &'a str,
    /// Where the properties of the objects around the value begin, kept for its allocation.
    pub(super) starts: &'a mut Vec<u32>,
}

impl Arranger<'_> {
    /// Writes a value to `out`, which has as many cells; gives nothing when an object in it has two
    /// properties of one name.
    pub(super) fn value(&mut self, value: &[Cell], out: &mut [Cell]) -> Option<()> {
        match (value, out) {
            ([Cell::Object { properties, cells, order }, members @ ..], [to, out @ ..]) => {
                let (properties, cells) = (*properties, *cells);
                *to = Cell::Object { properties, cells, order: Order::SORTED };
                match *order {
                    Order::SORTED => self.sorted(members, out),
                    order => self.unsorted(members, order, out),
                }
            }
            ([Cell::Array { items, cells, order: Order::UNKNOWN }, inner @ ..], [to, out @ ..]) => {
                *to = Cell::Array { items: *items, cells: *cells, order: Order::SORTED };
                self.items(inner, out)
            }
            (cells, out) => {
                out.get_mut(..cells.len())?.copy_from_slice(cells);
                Some(())
            }
        }
    }

    fn items(&mut self, mut items: &[Cell], mut out: &mut [Cell]) -> Option<()> {
        while let Some(first) = items.first() {
            let extent = first.extent();
            self.value(items.split_off(..extent)?, out.split_off_mut(..extent)?)?;
        }
        Some(())
    }

    fn sorted(&mut self, mut members: &[Cell], mut out: &mut [Cell]) -> Option<()> {
        while let [_, value, ..] = members {
            let extent = value.extent();
            self.property(members.split_off(..=extent)?, out.split_off_mut(..=extent)?)?;
        }
        Some(())
    }

    fn unsorted(&mut self, members: &[Cell], order: Order, mut out: &mut [Cell]) -> Option<()> {
        let known = match order {
            Order::UNKNOWN => &[],
            order => self.layouts.get(order.place())?.order(),
        };
        if members.len() == 2 * known.len() {
            // Each value takes one cell.
            let (pairs, mut out) =
                (members.as_chunks::<2>().0, out.as_chunks_mut::<2>().0.iter_mut());
            for at in known {
                *out.next()? = *pairs.get(*at as usize)?;
            }
            return Some(());
        }
        let base = self.starts.len();
        let mut at = 0;
        while let Some(value) = members.get(at as usize + 1) {
            self.starts.push(at);
            // No document has more cells than this type counts.
            at += 1 + value.extent() as u32;
        }
        if order == Order::UNKNOWN {
            self.sort(base, members)?;
        }
        for at in 0..self.starts.len() - base {
            let at = known.get(at).map_or(at, |at| *at as usize);
            let start = *self.starts.get(base + at)?;
            let property = members.get(start as usize..)?;
            let extent = property.get(1)?.extent();
            self.property(property.get(..=extent)?, out.split_off_mut(..=extent)?)?;
        }
        self.starts.truncate(base);
        Some(())
    }

    /// Writes a name and its value.
    #[inline]
    fn property(&mut self, property: &[Cell], out: &mut [Cell]) -> Option<()> {
        let ([name, value @ ..], [to, out @ ..]) = (property, out) else { return None };
        *to = *name;
        if let ([value], [to]) = (value, &mut *out) {
            *to = *value;
            return Some(());
        }
        self.value(value, out)
    }

    /// Sorts the properties from `base` on by their names; gives nothing when there is one twice.
    fn sort(&mut self, base: usize, members: &[Cell]) -> Option<()> {
        let starts = self.starts.get_mut(base..)?;
        let order = |left: &u32, right: &u32| {
            compare_names(members, self.text, *left as usize, *right as usize)
        };
        starts.sort_unstable_by(order);
        starts.is_sorted_by(|left, right| order(left, right).is_lt()).then_some(())
    }
}
