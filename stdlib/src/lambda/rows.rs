//! What lambdas publish, each row a document.

use crate::document::{Documents, Node, Parser};

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

    /// Adds a document by its JSON text.
    ///
    /// # Errors
    /// In plain words why the text is no JSON.
    pub fn add_text(&mut self, text: &[u8]) -> Result<(), String> {
        let Self { documents, parser } = self;
        documents.add(|builder| parser.parse(text, builder).map_err(|failure| failure.message))
    }

    /// Adds a copy of a document.
    pub fn push(&mut self, document: Node<'_>) {
        self.documents.push(document);
    }

    /// Forgets the documents and keeps the allocations.
    pub fn clear(&mut self) {
        self.documents.clear();
    }
}
