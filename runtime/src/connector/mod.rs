//! Local connectors: sources and destinations that run inside this process.
//!
//! One file per connector; [`open_source`] and [`open_destination`] choose by the endpoint's image.

mod materialize_sqlite;
mod source_file;
mod source_sim;

use std::path::Path;

use serde_json::Value;
use tidegate_stdlib::bundle::{Capture, Collection, Failure, Materialization};

/// One pull of documents from a source.
#[derive(Debug)]
pub enum Pull {
    /// Documents with the index of their binding, and the state after them: a value per binding that changed, by state key. The documents
    /// since the last batch and this state are committed together.
    Batch {
        /// Documents in order.
        documents: Vec<(usize, Value)>,
        /// `(state key, state)`; the source is opened with these again.
        states: Vec<(String, Value)>,
        /// An estimate of the bytes read for it.
        bytes: usize,
    },
    /// Nothing now; there may be more later (a watched directory, a rate).
    Waiting,
    /// Nothing more.
    Drained,
}

/// A source of documents.
pub trait Source: Send {
    /// The next documents, at most about `documents_max`.
    ///
    /// # Errors
    /// What cannot be read, with its place in the source; what was handed out before stays valid.
    fn pull(&mut self, documents_max: usize) -> Result<Pull, Failure>;
}

/// What a source or destination is opened with.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'o> {
    /// Where relative paths start.
    pub root: &'o Path,
    /// The data directory, which endpoints must not lie in.
    pub data: &'o Path,
    /// Collections by binding.
    pub collections: &'o [&'o Collection],
}

/// The key under which the state of a capture's binding is kept: its encoded resource path and backfill counter.
pub fn state_key(resource_path: &[String], backfill: u32) -> String {
    let _ = (resource_path, backfill);
    todo!("H6")
}

/// Opens the source of a capture at its recorded states.
///
/// # Errors
/// When the connector is not built in, its config is wrong or its files cannot be opened.
pub fn open_source(
    capture: &Capture,
    opening: Opening<'_>,
    state: &dyn Fn(&str) -> Result<Option<Value>, Failure>,
) -> Result<Box<dyn Source>, Failure> {
    let _ = (capture, opening, state);
    todo!("H6")
}

/// A document to store: its row in the order of the table's columns.
#[derive(Debug, Clone, Copy)]
pub struct Store<'s> {
    /// Index of the binding.
    pub binding: usize,
    /// The reduced document.
    pub document: &'s Value,
    /// Whether a row of its key was loaded.
    pub exists: bool,
    /// Whether the row is to be removed.
    pub delete: bool,
}

/// A destination of documents. A transaction is `begin`, `load`, `store`, `commit`; it is abandoned by `rollback`.
pub trait Destination: Send {
    /// The checkpoint that the endpoint holds for this task and its range, if the endpoint is its authority; takes the fence,
    /// so that an older process can no longer commit. Creates missing tables.
    ///
    /// # Errors
    /// When the endpoint refuses, or a table is not what the binding needs.
    fn open(&mut self) -> Result<Option<Value>, Failure>;

    /// Begins the endpoint's transaction.
    ///
    /// # Errors
    /// When the endpoint refuses, or somebody holds its lock for too long (the message says who, when that is known).
    fn begin(&mut self) -> Result<(), Failure>;

    /// Loads the stored documents of `keys` (values in the order of the key columns) and hands each with its index.
    ///
    /// # Errors
    /// When the endpoint refuses.
    fn load(
        &mut self,
        binding: usize,
        keys: &[Vec<Value>],
        found: &mut dyn FnMut(usize, Value),
    ) -> Result<(), Failure>;

    /// Stores a document.
    ///
    /// # Errors
    /// When the endpoint refuses; the failure carries the document.
    fn store(&mut self, store: Store<'_>) -> Result<(), Failure>;

    /// Commits rows, checkpoint and fence together.
    ///
    /// # Errors
    /// `fenced-off` when another process took over; `endpoint-failed` else. Nothing was committed then, or the next
    /// `open` tells.
    fn commit(&mut self, checkpoint: &Value) -> Result<(), Failure>;

    /// Abandons the open transaction, if any.
    fn rollback(&mut self);

    /// Empties the task's tables and forgets its checkpoint.
    ///
    /// # Errors
    /// When the endpoint refuses.
    fn restart(&mut self) -> Result<(), Failure>;
}

/// Opens the destination of a materialization (without touching its tables yet).
///
/// # Errors
/// When the connector is not built in, its config is wrong, or the endpoint cannot be reached.
pub fn open_destination(
    materialization: &Materialization,
    opening: Opening<'_>,
) -> Result<Box<dyn Destination>, Failure> {
    let _ = (materialization, opening);
    todo!("H6")
}
