//! Engines of lambdas: parameters in, documents out. In memory only: whoever needs a file opens it and hands the
//! connection in.

mod rows;
pub mod sqlite;
pub mod typescript;

pub use rows::Rows;

use crate::document::Node;

/// What a lambda is called with.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'d> {
    /// The source document.
    pub document: Node<'d>,
    /// Its UUID, when the document does not hold it itself at `/_meta/uuid`.
    pub uuid: Option<&'d str>,
}
