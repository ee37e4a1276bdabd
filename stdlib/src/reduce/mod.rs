//! Reductions: how two documents of one key become one.
//!
//! One file per strategy. [`Reducer`] is made from a bundled schema and walks the right-hand document with the
//! annotations of the branches that are active for it; [`Fold`] keeps documents by packed key in memory.

use std::cmp::Ordering;

use serde_json::Value;

/// Whether the left side is the true beginning of the key's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The left side is the base document: deletions and clean-up happen.
    Full,
    /// The left side may later be reduced into something further left: terms of the reduction are kept.
    Associative,
}

/// The outcome of one reduction.
#[derive(Debug, Clone, PartialEq)]
pub enum Reduced {
    /// The reduced document.
    Document(Value),
    /// The document is deleted (full mode only); the value is the last form, for endpoints that need it.
    Deleted(Value),
    /// The two cannot be reduced without a base: both are kept, in order.
    NotAssociative(Value, Value),
}

/// Why two values could not be reduced.
#[derive(Debug, Clone, PartialEq)]
pub struct ReduceFailure {
    /// JSON pointer of the location in the right-hand document.
    pub pointer: String,
    /// What is wrong, in lower case and without a full stop; names the strategy and both values.
    pub message: String,
    /// JSON pointers, in the bundled schema, of the annotations that take part (two when they conflict).
    pub annotations: Vec<String>,
}

/// The reduction of one schema.
#[derive(Debug)]
pub struct Reducer {}

impl Reducer {
    /// Compiles the `reduce` annotations of a bundled schema.
    ///
    /// # Errors
    /// A malformed annotation: its JSON pointer in the schema and what is wrong.
    pub fn new(schema: &Value) -> Result<Self, crate::schema::SchemaFailure> {
        let _ = schema;
        todo!("H1")
    }

    /// Reduces `right` into `left`. Without `left` (a lone document), terms of the right side are applied to nothing.
    ///
    /// # Errors
    /// Values that the active strategy cannot reduce, or strategies that conflict.
    pub fn reduce(
        &self,
        left: Option<Value>,
        right: Value,
        mode: Mode,
    ) -> Result<Reduced, ReduceFailure> {
        let _ = (left, right, mode);
        todo!("H1")
    }
}

/// One group of documents of equal key, as a fold hands it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The packed key.
    pub packed: Vec<u8>,
    /// The documents that remain, in order: one in full mode; in associative mode up to two, and more when
    /// documents do not reduce without a base.
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
/// The left-most document of a key is held back and those after it are folded from left to right; in full mode the
/// two are reduced at [`Fold::drain`].
#[derive(Debug)]
pub struct Fold {}

impl Fold {
    /// An empty fold. With `reduce_lone`, a single document of a key is reduced like any other at drain (full mode).
    pub fn new(mode: Mode, reduce_lone: bool) -> Self {
        let _ = (mode, reduce_lone);
        todo!("H1")
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
        let _ = (reducer, packed, document);
        todo!("H1")
    }

    /// Gives a key its base: the document stored before.
    pub fn set_base(&mut self, packed: &[u8], base: Value) {
        let _ = (packed, base);
        todo!("H1")
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        todo!("H1")
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An estimate of the memory held.
    pub fn size_bytes(&self) -> usize {
        todo!("H1")
    }

    /// The packed keys held, in ascending order.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        todo!("H1")
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
        let _ = (reducer, each);
        todo!("H1")
    }
}

/// The order of two values by the key pointers of a `minimize`, `maximize`, `merge` or `set` annotation.
pub(crate) fn compare_by(key: &[crate::value::Pointer], left: &Value, right: &Value) -> Ordering {
    let _ = (key, left, right);
    todo!("H1")
}
