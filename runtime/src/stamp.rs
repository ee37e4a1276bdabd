//! The UUID of a document at the edges of the engine, where documents are trees.

use serde_json::Value;
use tidegate_stdlib::document::{Builder, Document, Node, copy_stamped, copy_unstamped};

use crate::uuid::Uuid;

/// A document with its UUID in it, as it is shown and as it is stored.
pub(crate) fn stamped(document: Node<'_>, uuid: Uuid) -> Document {
    let mut builder = Builder::default();
    copy_stamped(document, uuid.text().as_str(), &mut builder);
    builder.finish()
}

/// The same as a tree.
pub(crate) fn stamped_value(document: Node<'_>, uuid: Uuid) -> Value {
    stamped(document, uuid).root().to_value()
}

/// A document without its UUID, and whether `/_meta` held nothing else.
pub(crate) fn unstamped(document: Node<'_>) -> (Document, bool) {
    let mut builder = Builder::default();
    let stamp = copy_unstamped(document, &mut builder);
    (builder.finish(), stamp.emptied)
}
