//! What objects looked like, so that the names of the next one are known before they are read.
//!
//! Most documents of one source have the same properties in the same order. The parser remembers
//! them by the place of their object in the document: a name that comes as expected is compared
//! with the text at once instead of being searched for its end, and the order of the names is
//! known. What is remembered is a guess and never changes what is read.

use super::name::KnownName;

/// Layouts of one parser.
const LAYOUTS_MAX: usize = 512;
/// Properties of one layout.
const MEMBERS_MAX: usize = 256;
/// Names that may be missing between two that come as expected.
const SKIPPED_MAX: usize = 4;
/// Up to so many objects of one place that are not as expected change what is expected; beyond, only
/// few do, so that objects with ever other names cost nothing.
const LEARNED_MAX: u32 = 16;

/// Where the values of a document are, as far as their objects look alike: an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Place {
    /// The whole document.
    pub(super) const ROOT: Self = Self(0);
    /// One of which nothing is remembered.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);

    /// The number of the place, which is small, but for the unknown one.
    pub(super) fn index(self) -> u32 {
        self.0
    }

    /// The place of a number.
    pub(super) fn at(index: u32) -> Self {
        Self(index)
    }
}

/// What is expected at each place.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    all: Vec<Layout>,
}

/// What is expected at one place.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// In the order of the text.
    members: Vec<Member>,
    /// The indices of the members in the order of their names; empty when that is the order of the text.
    order: Vec<u32>,
    items: Option<Place>,
    /// How often an object was not as expected.
    surprises: u32,
}

/// A property that is expected.
#[derive(Debug)]
pub(super) struct Member {
    /// Its name with the quotes and the colon.
    pub(super) name: KnownName,
    /// The place of its value.
    pub(super) value: Place,
}

impl Layout {
    /// The properties of an object in the order of its text.
    #[inline]
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The indices of the properties in the order of their names; empty when that is the order of the
    /// text.
    #[inline]
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The place of the items of an array.
    #[inline]
    pub(super) fn items(&self) -> Option<Place> {
        self.items
    }
}

/// Looks for the name that comes first in `rest`, with its quotes and colon, among the next ones
/// that are expected; gives also those behind it.
#[inline(always)]
pub(super) fn meet<'l>(expected: &'l [Member], rest: &[u8]) -> Option<(&'l Member, &'l [Member])> {
    match expected {
        [member, others @ ..] if member.name.begins(rest) => Some((member, others)),
        _ => meet_later(expected, rest),
    }
}

#[inline(never)]
fn meet_later<'l>(expected: &'l [Member], rest: &[u8]) -> Option<(&'l Member, &'l [Member])> {
    let at = expected.iter().take(1 + SKIPPED_MAX).position(|it| it.name.begins(rest))?;
    expected.get(at..)?.split_first()
}

impl Layouts {
    /// What is expected at a place.
    #[inline]
    pub(super) fn get(&self, place: Place) -> Option<&Layout> {
        self.all.get(place.0 as usize)
    }

    /// Gives the items of an array a place, unless they have one.
    #[cold]
    pub(super) fn learn_items(&mut self, array: Place) {
        if self.layout(array).is_none_or(|layout| layout.items.is_some()) {
            return;
        }
        let items = self.new_place();
        if let Some(layout) = self.layout(array) {
            layout.items = Some(items);
        }
    }

    /// Expects from now on the names of an object that was not as expected, in the order of their
    /// text. `name` gives the next one, and the same with its quotes and colon.
    #[cold]
    pub(super) fn learn<'n>(
        &mut self,
        object: Place,
        names: impl Iterator<Item = (&'n str, &'n [u8])>,
    ) {
        let Some(layout) = self.layout(object) else { return };
        layout.surprises = layout.surprises.saturating_add(1);
        if layout.surprises > LEARNED_MAX && !layout.surprises.is_power_of_two() {
            return;
        }
        let names: Vec<(&str, &[u8])> = names.take(MEMBERS_MAX).collect();
        let mut sorted: Vec<(&str, u32)> = names.iter().map(|(name, _)| *name).zip(0..).collect();
        sorted.sort_unstable();
        if sorted.array_windows().any(|[(left, _), (right, _)]| left == right) {
            // What is expected must be there once, so that nobody has to look whether it is.
            return;
        }
        let before = std::mem::take(&mut layout.members);
        // What is in a value is mostly the same, whatever its name.
        let mut places = before.into_iter().map(|member| member.value);
        let members = names.iter().map_while(|(_, raw)| {
            let value = places.next().unwrap_or_else(|| self.new_place());
            Some(Member { name: KnownName::new(raw)?, value })
        });
        let members: Vec<Member> = members.collect();
        if let Some(layout) = self.layout(object) {
            layout.members = members;
            let is_sorted = sorted.is_sorted_by_key(|(_, at)| *at);
            layout.order = sorted.into_iter().map(|(_, at)| at).filter(|_| !is_sorted).collect();
        }
    }

    /// The layout of a place; the one of the root is made when it is first wanted.
    fn layout(&mut self, place: Place) -> Option<&mut Layout> {
        if self.all.is_empty() {
            self.all.push(Layout::default());
        }
        self.all.get_mut(place.0 as usize)
    }

    fn new_place(&mut self) -> Place {
        if self.all.len() >= LAYOUTS_MAX {
            return Place::UNKNOWN;
        }
        self.all.push(Layout::default());
        u32::try_from(self.all.len() - 1).map_or(Place::UNKNOWN, Place)
    }
}
