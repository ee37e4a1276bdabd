//! One line a diagnostic: `file:line:column: severity[rule] message`.

use crate::diag::Diagnostic;
use crate::source::Sources;

/// All diagnostics, a line each.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let _ = (diagnostics, sources);
    todo!("H3")
}
