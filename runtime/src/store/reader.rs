//! Reading journals: fragments and tails, whole transactions only, also beside a running writer.

use std::path::Path;
use std::sync::Arc;

use tidegate_stdlib::bundle::Failure;

use super::{JournalName, JournalPosition};

/// Committed bytes of a journal.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Where the bytes begin.
    pub begin: JournalPosition,
    /// Where they end: the place to go on from.
    pub end: JournalPosition,
    /// Whole lines; empty when the reader has everything.
    pub bytes: Arc<[u8]>,
}

/// One document of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchDocument<'b> {
    /// The canonical text, without its line feed.
    pub text: &'b [u8],
    /// Offset in the journal after its line feed.
    pub end: u64,
}

impl Batch {
    /// The documents in order.
    pub fn documents(&self) -> impl Iterator<Item = BatchDocument<'_>> {
        std::iter::empty()
    }
}

/// Reads one journal through a read-only connection that is held for one batch only.
#[derive(Debug)]
pub struct JournalReader {}

impl JournalReader {
    /// A reader of a journal in a data directory.
    ///
    /// # Errors
    /// When the journal's database cannot be opened.
    pub fn open(root: &Path, journal: &JournalName) -> Result<Self, Failure> {
        let _ = (root, journal);
        todo!("H5")
    }

    /// Committed bytes from `from` on (from the beginning when `None`), at most about `bytes_max`.
    ///
    /// # Errors
    /// `checkpoint-of-other-data` when the incarnation of `from` is not the journal's or its offset lies beyond the head.
    pub fn read(
        &mut self,
        from: Option<JournalPosition>,
        bytes_max: usize,
    ) -> Result<Batch, Failure> {
        let _ = (from, bytes_max);
        todo!("H5")
    }
}

/// All journals of a collection in a data directory, sorted by name, also those whose writer is gone.
///
/// # Errors
/// When the directory cannot be read.
pub fn list_journals(root: &Path, collection: &str) -> Result<Vec<JournalName>, Failure> {
    let _ = (root, collection);
    todo!("H5")
}
