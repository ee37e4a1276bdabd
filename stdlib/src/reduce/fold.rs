//! Folding documents by key, in memory.

use std::hash::Hasher;
use std::hint::black_box;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;
use hashbrown::HashTable;

use super::{Held, Lone, Mode, Outcome, ReduceFailure, Reducer, Scratch};
use crate::document::{Document, Node};

/// One group of documents of equal key, as a fold hands it out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group<'f> {
    /// The packed key.
    pub packed: &'f [u8],
    /// The documents that remain, in order: one in full mode; in associative mode up to two, and
    /// more when documents do not reduce without a base.
    pub documents: &'f [Document],
    /// Whether a base document was given for the key.
    pub has_base: bool,
    /// Whether the last reduction deleted the document (full mode).
    pub deleted: bool,
    /// Whether any reduction took place, so that the result must be validated.
    pub folded: bool,
}

impl<'f> Group<'f> {
    /// What leaves of one key.
    pub fn new(packed: &'f [u8], outcome: &'f Outcome) -> Self {
        let Outcome { documents, has_base, deleted, folded } = outcome;
        Self { packed, documents, has_base: *has_base, deleted: *deleted, folded: *folded }
    }
}

/// Documents of one binding, folded by packed key.
///
/// The left-most document of a key is held back and those after it are folded from left to right;
/// in full mode the two are reduced at [`Fold::drain`].
pub struct Fold {
    mode: Mode,
    lone: Lone,
    seed: SharedSeed,
    /// Indices of entries by the hash of their key.
    table: HashTable<u32>,
    entries: Vec<Entry>,
    /// The keys one after the other.
    keys: Vec<u8>,
    /// Memory of the documents.
    documents_bytes: usize,
    scratch: Scratch,
    /// Keys that are fetched: first their hashes, then the indices of their entries.
    fetched: Vec<u64>,
}

/// How many keys are best fetched at once: what is held of them stays in the processor's cache until
/// it is wanted.
pub const FETCHED_KEYS: usize = 128;

/// What the table has for each key, half of it being empty at worst.
const PLACE_BYTES: usize = 10;

#[derive(Debug)]
struct Entry {
    hash: u64,
    key_start: usize,
    key_length: usize,
    held: Held,
}

impl Fold {
    /// An empty fold. Keys are user data, so that the seed of their hashes must be a number that
    /// those who send documents do not know; nothing that comes out depends on it.
    pub fn new(mode: Mode, lone: Lone, seed: u64) -> Self {
        Self {
            mode,
            lone,
            seed: SharedSeed::from_u64(seed),
            table: HashTable::new(),
            entries: Vec::new(),
            keys: Vec::new(),
            documents_bytes: 0,
            scratch: Scratch::default(),
            fetched: Vec::new(),
        }
    }

    /// Looks at what is held of keys that documents are added to next, and changes nothing. What a
    /// fold holds is mostly not in the processor's cache, so that each look takes as long as a
    /// hundred steps; looks that do not depend on each other are taken at the same time.
    pub fn fetch<'k>(&mut self, keys: impl Iterator<Item = &'k [u8]>) {
        let Self { seed, table, entries, keys: held, fetched, .. } = self;
        fetched.clear();
        fetched.extend(keys.map(|packed| hash(seed, packed)));
        for key in fetched.iter_mut() {
            // The wrong entry now and then does no harm.
            *key = table.iter_hash(*key).next().map_or(u64::MAX, |index| u64::from(*index));
        }
        let seen = fetched.iter().map(|index| {
            let entry = usize::try_from(*index).ok().and_then(|index| entries.get(index));
            entry
                .map_or(0, |entry| entry.held.look_at_last().wrapping_add(look_at_key(entry, held)))
        });
        black_box(seen.fold(0, usize::wrapping_add));
    }

    /// Adds a document to its key, and gives the index of the key: how many came before it.
    ///
    /// # Errors
    /// As [`Reducer::reduce`]; the key then has what it had before.
    pub fn add(
        &mut self,
        reducer: &Reducer,
        packed: &[u8],
        document: Node<'_>,
    ) -> Result<usize, ReduceFailure> {
        let Self { entries, scratch, .. } = self;
        let index = index_of(&self.seed, &mut self.table, entries, &mut self.keys, packed);
        let Some(entry) = entries.get_mut(index) else { return Ok(index) };
        let grown = entry.held.add(reducer, document, scratch)?;
        self.documents_bytes = self.documents_bytes.saturating_add_signed(grown);
        Ok(index)
    }

    /// Gives a key its base: the document stored before.
    pub fn set_base(&mut self, packed: &[u8], base: Node<'_>) {
        let entries = &mut self.entries;
        let index = index_of(&self.seed, &mut self.table, entries, &mut self.keys, packed);
        self.set_base_at(index, base);
    }

    /// The same for the key of an index that [`Fold::add`] gave.
    pub fn set_base_at(&mut self, index: usize, base: Node<'_>) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        let grown = entry.held.set_base(base.to_document());
        self.documents_bytes = self.documents_bytes.saturating_add_signed(grown);
    }

    /// The canonical text of the left-most document of the key of an index, while it has no base.
    pub fn first_text(&self, index: usize) -> Option<&[u8]> {
        self.entries.get(index)?.held.first_text()
    }

    /// The indices of the keys in ascending order of the packed keys.
    pub fn order(&self) -> Vec<usize> {
        self.sorted().into_iter().map(|index| index as usize).collect()
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes of memory are held.
    pub fn size_bytes(&self) -> usize {
        self.documents_bytes
            + self.entries.len() * (size_of::<Entry>() + PLACE_BYTES)
            + self.keys.len()
    }

    /// Hands out every group in ascending order of its packed key and empties the fold. What
    /// cannot be reduced is handed out as the failure that it is.
    ///
    /// # Errors
    /// The first error of `each`; what was not handed out by then is dropped.
    pub fn drain<E>(
        &mut self,
        reducer: &Reducer,
        mut each: impl FnMut(Result<Group<'_>, ReduceFailure>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.drain_indexed(reducer, |_, group| each(group))
    }

    /// The same, each with the index of its key.
    ///
    /// # Errors
    /// As [`Fold::drain`].
    pub fn drain_indexed<E>(
        &mut self,
        reducer: &Reducer,
        mut each: impl FnMut(usize, Result<Group<'_>, ReduceFailure>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mode, lone) = (self.mode, self.lone);
        let mut scratch = std::mem::take(&mut self.scratch);
        let drained = self.take_indexed(|index, packed, held| {
            match held.leave(reducer, mode, lone, &mut scratch) {
                Ok(outcome) => each(index, Ok(Group::new(packed, &outcome))),
                Err(failure) => each(index, Err(failure)),
            }
        });
        self.scratch = scratch;
        drained
    }

    /// Hands out what is held of every key, in ascending order of the packed keys, and empties the
    /// fold.
    ///
    /// # Errors
    /// The first error of `each`; what was not handed out by then is dropped.
    pub fn take<E>(&mut self, mut each: impl FnMut(&[u8], Held) -> Result<(), E>) -> Result<(), E> {
        self.take_indexed(|_, packed, held| each(packed, held))
    }

    fn take_indexed<E>(
        &mut self,
        mut each: impl FnMut(usize, &[u8], Held) -> Result<(), E>,
    ) -> Result<(), E> {
        let order = self.sorted();
        let mut keys = std::mem::take(&mut self.keys);
        let mut entries = std::mem::take(&mut self.entries);
        let taken = order.chunks(FETCHED_KEYS).try_for_each(|chunk| {
            // The order of the keys is none of the memory, as in `fetch`.
            let seen = chunk.iter().filter_map(|index| entries.get(*index as usize));
            let seen = seen.map(|entry| entry.held.look().wrapping_add(look_at_key(entry, &keys)));
            black_box(seen.fold(0, usize::wrapping_add));
            chunk.iter().try_for_each(|index| match entries.get_mut(*index as usize) {
                Some(entry) => {
                    each(*index as usize, entry.key(&keys), std::mem::take(&mut entry.held))
                }
                None => Ok(()),
            })
        });
        self.documents_bytes = 0;
        // The next documents mostly take as much room; what was made for many more is given back.
        if entries.len() < entries.capacity() / 4 {
            (keys, entries, self.table) = (Vec::new(), Vec::new(), HashTable::new());
        }
        keys.clear();
        entries.clear();
        self.table.clear();
        (self.keys, self.entries) = (keys, entries);
        taken
    }

    /// The indices of the entries in the order of their keys.
    fn sorted(&self) -> Vec<u32> {
        let key = |index: u32| {
            self.entries.get(index as usize).map_or(&[][..], |entry| entry.key(&self.keys))
        };
        // Most keys differ in the first bytes behind those that all share, and need not be looked up then.
        let shared = self.shared_prefix();
        let first_bytes =
            |entry: &Entry| prefix(entry.key(&self.keys).get(shared..).unwrap_or_default());
        let mut order: Vec<(u64, u32)> =
            (0..).zip(&self.entries).map(|(index, entry)| (first_bytes(entry), index)).collect();
        order.sort_unstable_by(|left, right| {
            left.0.cmp(&right.0).then_with(|| key(left.1).cmp(key(right.1)))
        });
        order.into_iter().map(|(_, index)| index).collect()
    }

    /// With how many equal bytes all keys begin.
    fn shared_prefix(&self) -> usize {
        let mut keys = self.entries.iter().map(|entry| entry.key(&self.keys));
        let mut shared = keys.next().unwrap_or_default();
        for key in keys {
            let is_same = |(left, right): &(&u8, &u8)| left == right;
            let length = shared.iter().zip(key).take_while(is_same).count();
            shared = shared.get(..length).unwrap_or_default();
        }
        shared.len()
    }
}

impl std::fmt::Debug for Fold {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fold").field("keys", &self.len()).finish_non_exhaustive()
    }
}

impl Entry {
    fn key<'k>(&self, keys: &'k [u8]) -> &'k [u8] {
        keys.get(self.key_start..self.key_start + self.key_length).unwrap_or_default()
    }
}

#[inline]
fn look_at_key(entry: &Entry, keys: &[u8]) -> usize {
    keys.get(entry.key_start).copied().map_or(0, usize::from)
}

#[inline]
fn hash(seed: &SharedSeed, packed: &[u8]) -> u64 {
    let mut hasher = FoldHasher::with_seed(0, seed);
    hasher.write(packed);
    hasher.finish()
}

/// The index of the entry of a key, which is made when it is new.
fn index_of(
    seed: &SharedSeed,
    table: &mut HashTable<u32>,
    entries: &mut Vec<Entry>,
    keys: &mut Vec<u8>,
    packed: &[u8],
) -> usize {
    let hash = hash(seed, packed);
    let is_equal = |index: &u32| {
        let entry = entries.get(*index as usize);
        entry.is_some_and(|entry| entry.hash == hash && entry.key(keys) == packed)
    };
    if let Some(index) = table.find(hash, is_equal) {
        return *index as usize;
    }
    let index = entries.len();
    let rehash = |index: &u32| entries.get(*index as usize).map_or(0, |entry| entry.hash);
    let number = u32::try_from(index).expect("memory is full long before there are so many keys");
    table.insert_unique(hash, number, rehash);
    let (key_start, key_length) = (keys.len(), packed.len());
    keys.extend_from_slice(packed);
    entries.push(Entry { hash, key_start, key_length, held: Held::default() });
    index
}

/// The first bytes of a key as a number of the same order.
fn prefix(packed: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(packed) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}
