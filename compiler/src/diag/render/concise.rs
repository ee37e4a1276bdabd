//! One line a diagnostic: `file:line:column: severity[rule] message`, without a place where there is none.

use std::fmt::Write as _;

use super::Report;
use crate::diag::Diagnostic;
use crate::source::Sources;

/// All findings, a line each.
pub fn report(report: &Report<'_>) -> String {
    report.catalogs.iter().map(|each| render(each.diagnostics, each.sources)).collect()
}

/// All diagnostics, a line each.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let span = diagnostic.primary.span;
        let file = sources.file(span.file);
        if file.has_places() {
            let position = sources.position(span);
            write!(lines, "{}:{}:{}: ", file.name, position.line, position.column)
                .expect("a string takes text");
        }
        writeln!(
            lines,
            "{}[{}] {}",
            diagnostic.severity.word(),
            diagnostic.rule.slug,
            on_one_line(&diagnostic.message),
        )
        .expect("a string takes text");
    }
    lines
}

/// Text of the user inside a message may hold line breaks.
fn on_one_line(message: &str) -> String {
    message.replace("\r\n", " ").replace(['\n', '\r'], " ")
}
