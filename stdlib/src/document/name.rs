//! Names of properties, which are compared by words of eight bytes before they are looked at as a whole.

use std::cmp::Ordering;

use super::build;
use super::scan::word_at;
use super::slice;

/// A string of a document, such as the name of a property.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name<'d> {
    text: &'d str,
    start: u32,
    length: u32,
    head: u64,
}

impl<'d> Name<'d> {
    /// The name at a range of the texts of a document.
    #[inline]
    pub(crate) fn new(text: &'d str, start: u32, length: u32) -> Self {
        let head = build::head(text.as_bytes(), start as usize, length as usize);
        Self { text, start, length, head }
    }

    pub(crate) fn as_str(self) -> &'d str {
        slice(self.text, self.start, self.length)
    }

    /// Whether it is another name, whose head is known.
    #[inline]
    pub(crate) fn is(self, other: &str, head: u64) -> bool {
        self.head == head
            && self.length as usize == other.len()
            && (self.length <= 8 || self.as_str() == other)
    }

    /// The order of two names.
    #[inline]
    pub(crate) fn compare(self, other: Self) -> Ordering {
        self.head.cmp(&other.head).then_with(|| {
            // Short names of one head differ at most in the zero bytes at their ends.
            if self.length <= 8 && other.length <= 8 {
                self.length.cmp(&other.length)
            } else {
                self.as_str().cmp(other.as_str())
            }
        })
    }

    /// Whether it comes before another name, whose head is known.
    #[inline]
    pub(crate) fn is_before(self, other: &str, head: u64) -> bool {
        #[cold]
        fn is_before_at_length(name: Name<'_>, other: &str) -> bool {
            name.as_str() < other
        }
        self.head < head || (self.head == head && is_before_at_length(self, other))
    }
}

/// The first eight bytes of a text as [`Name::is`] wants them.
pub(crate) fn head(text: &str) -> u64 {
    build::head(text.as_bytes(), 0, text.len())
}

/// Bytes that are expected at some place of a text, prepared to be compared with what is there.
#[derive(Debug)]
pub(crate) struct KnownName {
    /// The first sixteen bytes, and which of their bits count.
    words: [u64; 2],
    masks: [u64; 2],
    /// What comes after them.
    rest: Box<[u8]>,
    length: u32,
}

impl KnownName {
    /// A name as it is written; `None` when it is longer than any text may be.
    pub(crate) fn new(name: &[u8]) -> Option<Self> {
        let mut padded = [0; 16];
        let mut mask = [0; 16];
        for ((to, mask), from) in padded.iter_mut().zip(&mut mask).zip(name) {
            (*to, *mask) = (*from, 0xff);
        }
        Some(Self {
            words: words(&padded),
            masks: words(&mask),
            rest: name.get(16..).unwrap_or_default().into(),
            length: u32::try_from(name.len()).ok()?,
        })
    }

    /// How many bytes it has.
    #[inline(always)]
    pub(crate) fn length(&self) -> u32 {
        self.length
    }

    /// Whether it comes first in `rest`.
    #[inline(always)]
    pub(crate) fn begins(&self, rest: &[u8]) -> bool {
        let ([first, second], [first_mask, second_mask]) = (self.words, self.masks);
        let is =
            |found: &[u8; 8], word: u64, mask: u64| (u64::from_le_bytes(*found) ^ word) & mask == 0;
        let Some((found, behind)) = rest.split_first_chunk() else {
            return self.begins_near_end(rest);
        };
        if !is(found, first, first_mask) {
            return false;
        }
        if self.length <= 8 {
            return true;
        }
        let Some((found, behind)) = behind.split_first_chunk() else {
            return self.begins_near_end(rest);
        };
        is(found, second, second_mask) && (self.length <= 16 || behind.starts_with(&self.rest))
    }

    /// The same where the text ends within the words.
    #[cold]
    #[inline(never)]
    fn begins_near_end(&self, rest: &[u8]) -> bool {
        let mut padded = [0; 16];
        for (to, from) in padded.iter_mut().zip(rest) {
            *to = *from;
        }
        let ([first, second], [first_mask, second_mask]) = (words(&padded), self.masks);
        let is_other =
            ((first ^ self.words[0]) & first_mask) | ((second ^ self.words[1]) & second_mask);
        self.length as usize <= rest.len() && is_other == 0
    }
}

/// Sixteen bytes as two words.
fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let word = |at| word_at(bytes, at).unwrap_or(0);
    [word(0), word(8)]
}
