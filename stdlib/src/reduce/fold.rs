//! Folding documents by key, in memory.

use std::collections::HashMap;

use serde_json::Value;

use super::{Mode, ReduceFailure, Reduced, Reducer};

/// One group of documents of equal key, as a fold hands it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The packed key.
    pub packed: Vec<u8>,
    /// The documents that remain, in order: one in full mode; in associative mode up to two, and
    /// more when documents do not reduce without a base.
    pub documents: Vec<Value>,
    /// Whether a base document was given for the key.
    pub has_base: bool,
    /// Whether the last reduction deleted the document (full mode).
    pub deleted: bool,
    /// Whether any reduction took place, so that the result must be validated.
    pub folded: bool,
}

/// Documents of one binding, folded by packed key.
///
/// The left-most document of a key is held back and those after it are folded from left to right;
/// in full mode the two are reduced at [`Fold::drain`].
#[derive(Debug)]
pub struct Fold {
    mode: Mode,
    reduce_lone: bool,
    entries: HashMap<Vec<u8>, Entry>,
    size_bytes: usize,
}

#[derive(Debug, Default)]
struct Entry {
    base: Option<Value>,
    /// The left-most document, then the others, folded as far as they can be without a base.
    documents: Vec<Value>,
    folded: bool,
    /// The estimated size of the last document.
    last_size_bytes: usize,
}

impl Fold {
    /// An empty fold. With `reduce_lone`, a single document of a key is reduced like any other at
    /// drain (full mode).
    pub fn new(mode: Mode, reduce_lone: bool) -> Self {
        Self { mode, reduce_lone, entries: HashMap::new(), size_bytes: 0 }
    }

    /// Adds a document to its key.
    ///
    /// # Errors
    /// As [`Reducer::reduce`].
    pub fn add(
        &mut self,
        reducer: &Reducer,
        packed: &[u8],
        document: Value,
    ) -> Result<(), ReduceFailure> {
        let Some(entry) = self.entries.get_mut(packed) else {
            let mut entry = Entry::default();
            self.size_bytes += ENTRY_SIZE_BYTES + packed.len() + entry.push(document);
            self.entries.insert(packed.to_vec(), entry);
            return Ok(());
        };
        let held_back = usize::from(entry.base.is_none());
        let before = match entry.documents.pop() {
            Some(before) if entry.documents.len() >= held_back => before,
            before => {
                entry.documents.extend(before);
                self.size_bytes += entry.push(document);
                return Ok(());
            }
        };
        self.size_bytes -= entry.last_size_bytes;
        match reducer.reduce(Some(before), document, Mode::Associative)? {
            Reduced::Document(document) | Reduced::Deleted(document) => {
                entry.folded = true;
                self.size_bytes += entry.push(document);
            }
            Reduced::NotAssociative(before, document) => {
                self.size_bytes += entry.push(before);
                self.size_bytes += entry.push(document);
            }
        }
        Ok(())
    }

    /// Gives a key its base: the document stored before.
    pub fn set_base(&mut self, packed: &[u8], base: Value) {
        self.size_bytes += size_bytes(&base);
        if let Some(entry) = self.entries.get_mut(packed) {
            entry.base = Some(base);
        } else {
            self.size_bytes += ENTRY_SIZE_BYTES + packed.len();
            let entry = Entry { base: Some(base), ..Entry::default() };
            self.entries.insert(packed.to_vec(), entry);
        }
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An estimate of the memory held.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The packed keys held, in ascending order.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> = self.entries.keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// Hands out every group in ascending order of its packed key and empties the fold.
    ///
    /// # Errors
    /// As [`Reducer::reduce`].
    pub fn drain(
        &mut self,
        reducer: &Reducer,
        each: &mut dyn FnMut(Group) -> Result<(), ReduceFailure>,
    ) -> Result<(), ReduceFailure> {
        let mut entries: Vec<_> = self.entries.drain().collect();
        self.size_bytes = 0;
        entries.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        for (packed, entry) in entries {
            let group = match self.mode {
                Mode::Full => entry.full(reducer, packed, self.reduce_lone)?,
                Mode::Associative => entry.associative(reducer, packed)?,
            };
            each(group)?;
        }
        Ok(())
    }
}

/// What an entry takes beside its key and documents.
const ENTRY_SIZE_BYTES: usize = 128;

impl Entry {
    /// Adds a document behind the others, and tells its size.
    fn push(&mut self, document: Value) -> usize {
        self.last_size_bytes = size_bytes(&document);
        self.documents.push(document);
        self.last_size_bytes
    }

    /// The documents with all folded that a base allows, when the base came after the first of
    /// them.
    fn settle(&mut self, reducer: &Reducer) -> Result<(), ReduceFailure> {
        if self.base.is_none() || self.documents.len() < 2 {
            return Ok(());
        }
        let mut documents = std::mem::take(&mut self.documents).into_iter();
        let (Some(first), Some(second)) = (documents.next(), documents.next()) else {
            return Ok(());
        };
        match reducer.reduce(Some(first), second, Mode::Associative)? {
            Reduced::Document(document) | Reduced::Deleted(document) => {
                self.folded = true;
                self.documents.push(document);
            }
            Reduced::NotAssociative(first, second) => self.documents.extend([first, second]),
        }
        self.documents.extend(documents);
        Ok(())
    }

    fn associative(mut self, reducer: &Reducer, packed: Vec<u8>) -> Result<Group, ReduceFailure> {
        self.settle(reducer)?;
        let has_base = self.base.is_some();
        let documents = self.base.into_iter().chain(self.documents).collect();
        Ok(Group { packed, documents, has_base, deleted: false, folded: self.folded })
    }

    fn full(
        mut self,
        reducer: &Reducer,
        packed: Vec<u8>,
        reduce_lone: bool,
    ) -> Result<Group, ReduceFailure> {
        self.settle(reducer)?;
        let has_base = self.base.is_some();
        let mut folded = self.folded;
        let mut documents = self.documents.into_iter();
        let mut left = self.base;
        let mut deleted = None;
        if left.is_none() && !reduce_lone {
            left = documents.next();
        }
        for document in documents {
            folded |= left.is_some();
            match reducer.reduce(left.take(), document, Mode::Full)? {
                Reduced::Document(document) => (left, deleted) = (Some(document), None),
                Reduced::Deleted(document) => (left, deleted) = (None, Some(document)),
                // Nothing is left open in full mode.
                Reduced::NotAssociative(_, document) => left = Some(document),
            }
        }
        Ok(Group {
            packed,
            deleted: deleted.is_some(),
            documents: left.into_iter().chain(deleted).collect(),
            has_base,
            folded,
        })
    }
}

/// An estimate of the memory that a value takes.
fn size_bytes(value: &Value) -> usize {
    const NODE: usize = std::mem::size_of::<Value>();
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => NODE,
        Value::String(text) => NODE + text.len(),
        Value::Array(items) => NODE + items.iter().map(size_bytes).sum::<usize>(),
        Value::Object(properties) => {
            let property =
                |(name, value): (&String, &Value)| 2 * NODE + name.len() + size_bytes(value);
            NODE + properties.iter().map(property).sum::<usize>()
        }
    }
}
