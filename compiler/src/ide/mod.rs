//! What an editor asks of a catalog: plain data in, plain data out.
//!
//! Every function looks at one [`Snapshot`](crate::session::Snapshot) and knows nothing of protocols, positions by line, or open
//! buffers. A question about a place where nothing stands has the answer nothing.

mod completion;
mod cursor;
mod definition;
mod hover;
mod lambda;
mod subject;
mod symbols;
#[cfg(test)]
mod tests;

pub use completion::{Completion, CompletionKind, completions};
pub use definition::{definition, references, rename};
pub use hover::{Hover, hover};
pub use symbols::{Symbol, SymbolKind, symbols};
