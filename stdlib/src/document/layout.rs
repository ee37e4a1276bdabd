//! What objects looked like, so that the names of the next one are known before they are read.
//!
//! Most documents of one source have the same properties in the same order. The parser remembers
//! them by the place of their object in the document: a name that comes as expected is compared
//! with the text at once instead of being searched for its end, and the order of the names is
//! known. What is remembered is a guess and never changes what is read.

use super::scan::word_at;

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
}

/// What is expected at each place.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    all: Vec<Layout>,
}

#[derive(Debug, Default)]
struct Layout {
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
struct Member {
    /// The first bytes of its name with the quotes and the colon, and which of their bits count.
    words: [u64; 2],
    masks: [u64; 2],
    /// What comes after sixteen bytes.
    rest: Box<[u8]>,
    /// Bytes of all that.
    length: u32,
    value: Place,
}

impl Layouts {
    /// Looks whether one of the next names that are expected of an object comes first in `rest`, with
    /// its quotes and colon: how many bytes they take, and the place of the value. `next` counts
    /// along.
    #[inline(always)]
    pub(super) fn meet(
        &self,
        object: Place,
        next: &mut usize,
        rest: &[u8],
    ) -> Option<(u32, Place)> {
        let members = &self.all.get(object.0 as usize)?.members;
        let member = members.get(*next)?;
        if member.begins(rest) {
            *next += 1;
            return Some((member.length, member.value));
        }
        meet_later(members, next, rest)
    }

    /// How many names are expected of an object, and their order; it is empty when it is the one of
    /// the text.
    #[inline]
    pub(super) fn order(&self, object: Place) -> Option<(usize, &[u32])> {
        let layout = self.all.get(object.0 as usize)?;
        Some((layout.members.len(), &layout.order))
    }

    /// The place of the items of an array.
    #[inline]
    pub(super) fn items(&mut self, array: Place) -> Place {
        match self.all.get(array.0 as usize) {
            Some(Layout { items: Some(items), .. }) => *items,
            _ => self.learn_items(array),
        }
    }

    #[cold]
    fn learn_items(&mut self, array: Place) -> Place {
        if self.layout(array).is_none() {
            return Place::UNKNOWN;
        }
        let items = self.new_place();
        if let Some(layout) = self.layout(array) {
            layout.items = Some(items);
        }
        items
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
            Member::new(raw, value)
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

/// Looks for one of the names behind the next one.
#[cold]
fn meet_later(members: &[Member], next: &mut usize, rest: &[u8]) -> Option<(u32, Place)> {
    let later = members.iter().enumerate().skip(*next + 1).take(SKIPPED_MAX);
    let (at, member) = later.into_iter().find(|(_, member)| member.begins(rest))?;
    *next = at + 1;
    Some((member.length, member.value))
}

impl Member {
    /// A property whose name is written so; `None` when the name is longer than any text may be.
    fn new(raw: &[u8], value: Place) -> Option<Self> {
        let mut padded = [0; 16];
        let mut mask = [0; 16];
        for ((to, mask), from) in padded.iter_mut().zip(&mut mask).zip(raw) {
            (*to, *mask) = (*from, 0xff);
        }
        let words = |bytes: &[u8; 16]| {
            let word = |at| word_at(bytes, at).unwrap_or(0);
            [word(0), word(8)]
        };
        Some(Self {
            words: words(&padded),
            masks: words(&mask),
            rest: raw.get(16..).unwrap_or_default().into(),
            length: u32::try_from(raw.len()).ok()?,
            value,
        })
    }

    /// Whether it comes first in `rest`.
    #[inline(always)]
    fn begins(&self, rest: &[u8]) -> bool {
        let ([first, second], [first_mask, second_mask]) = (self.words, self.masks);
        let is =
            |found: &[u8; 8], word: u64, mask: u64| (u64::from_le_bytes(*found) ^ word) & mask == 0;
        let Some((found, rest)) = rest.split_first_chunk() else { return false };
        if !is(found, first, first_mask) {
            return false;
        }
        if self.length <= 8 {
            return true;
        }
        let Some((found, rest)) = rest.split_first_chunk() else { return false };
        is(found, second, second_mask) && (self.length <= 16 || rest.starts_with(&self.rest))
    }
}
