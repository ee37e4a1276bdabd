//! What lambdas publish, and for which documents.

use std::ops::Range;

use tidegate_stdlib::bundle::Failure;
use tidegate_stdlib::document::{Document, Documents, Node};
use tidegate_stdlib::lambda::Rows;
use tidegate_stdlib::reduce::FETCHED_KEYS;

use crate::shuffle::ReadDocument;
use crate::stamp;
use crate::uuid::Uuid;

/// How much of what was published is handed on at once.
const PUBLISHED_BYTES: usize = 64 << 10;

/// Where what is published goes: some of the documents, in order. Gives the index of the first that is refused, and why.
pub(crate) type Take<'t> = dyn FnMut(&Documents, Range<usize>) -> Result<(), (usize, Failure)> + 't;

/// A document that a lambda is invoked with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'d> {
    /// Index of the transform.
    pub(crate) read: usize,
    /// The document.
    pub(crate) document: Node<'d>,
    /// Its UUID, when the document does not hold it itself.
    pub(crate) uuid: Option<Uuid>,
}

impl Given<'_> {
    /// The document as failures show it.
    pub(super) fn shown(&self) -> Document {
        match self.uuid {
            Some(uuid) => stamp::stamped(self.document, uuid),
            None => self.document.to_document(),
        }
    }
}

impl<'d> From<ReadDocument<'d>> for Given<'d> {
    fn from(ReadDocument { read, document, uuid }: ReadDocument<'d>) -> Self {
        Self { read, document, uuid: Some(uuid) }
    }
}

/// What was published by some invocations and is not handed on. Documents that are handed on together are added faster, and what is
/// wrong is told as if each were by itself.
#[derive(Debug)]
pub(super) struct Published<S> {
    /// What each invocation was for, and how many documents there were after it.
    invocations: Vec<(S, usize)>,
}

impl<S> Default for Published<S> {
    fn default() -> Self {
        Self { invocations: Vec::new() }
    }
}

impl<S> Published<S> {
    /// Takes it that one more invocation has added to `rows` what it publishes.
    pub(super) fn close(&mut self, source: S, rows: &Rows) {
        self.invocations.push((source, rows.documents().len()));
    }

    /// Whether enough was published to be handed on.
    pub(super) fn is_enough(rows: &Rows) -> bool {
        rows.documents().len() >= FETCHED_KEYS || rows.documents().size_bytes() >= PUBLISHED_BYTES
    }

    /// Hands on what whole invocations have published, and forgets the rest.
    ///
    /// # Errors
    /// What is refused, with what it was published for.
    pub(super) fn hand_on(
        &mut self,
        rows: &mut Rows,
        take: &mut Take<'_>,
    ) -> Result<(), (S, Failure)> {
        let count = self.invocations.last().map_or(0, |(_, count)| *count);
        hand_on(rows.documents(), count, take).map_err(|(index, failure)| {
            let at = self.invocations.partition_point(|(_, count)| *count <= index);
            (self.invocations.swap_remove(at).0, failure)
        })?;
        self.invocations.clear();
        rows.clear();
        Ok(())
    }
}

/// Hands on the first of some documents.
///
/// # Errors
/// What is refused, with its index.
pub(super) fn hand_on(
    documents: &Documents,
    count: usize,
    take: &mut Take<'_>,
) -> Result<(), (usize, Failure)> {
    (0..count).step_by(FETCHED_KEYS).try_for_each(|start| {
        let range = start..count.min(start + FETCHED_KEYS);
        take(documents, range).map_err(|(index, failure)| (start + index, failure))
    })
}
