//! For people: source excerpts, labels, notes, help and fixes as patches.

use super::Style;
use crate::diag::Diagnostic;
use crate::source::Sources;

/// All diagnostics, each followed by a blank line; the last diagnostic of each rule says where to read more.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let _ = (diagnostics, sources, style);
    todo!("H3")
}
