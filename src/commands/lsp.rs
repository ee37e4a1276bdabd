//! `lsp`: the language server.

use crate::exit::{Exit, Stop};
use crate::lsp;

/// Serves the editor at the other end of the standard input and output.
pub(crate) fn run() -> Result<Exit, Stop> {
    Ok(lsp::run())
}
