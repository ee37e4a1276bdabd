//! What lambdas publish, each row a document.

use crate::document::{Documents, Parser};

/// The documents of invocations.
#[derive(Debug, Default)]
pub struct Rows {
    pub(super) documents: Documents,
    /// Of texts that hold JSON.
    pub(super) parser: Parser,
}

impl Rows {
    /// The documents in order.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Forgets the documents and keeps the allocations.
    pub fn clear(&mut self) {
        self.documents.clear();
    }
}
