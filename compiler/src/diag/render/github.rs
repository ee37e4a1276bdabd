//! Workflow commands of GitHub Actions, which shows them beside the lines of a pull request.
//!
//! Columns are given only where a place begins and ends on one line, since GitHub shows nothing otherwise. The message
//! is followed by everything that is said of it.

use std::fmt::Write as _;

use super::{Report, words};
use crate::source::{Sources, Span};

/// All findings, a command each.
pub fn report(report: &Report<'_>) -> String {
    let mut commands = String::new();
    for (diagnostic, sources) in report.findings() {
        let severity = diagnostic.severity.word();
        let slug = property(diagnostic.rule.slug);
        let place = place(diagnostic.primary.span, sources);
        let story = data(&words::whole_story(diagnostic, sources));
        writeln!(commands, "::{severity} {place}title={slug}::{story}")
            .expect("a string takes text");
    }
    commands
}

/// The properties that say where; none where no file has the place.
fn place(span: Span, sources: &Sources) -> String {
    let file = sources.file(span.file);
    if !file.has_places() {
        return String::new();
    }
    let (start, end) = words::ends(span, sources);
    let name = property(&file.name);
    let lines = format!("file={name},line={},endLine={},", start.line, end.line);
    if start.line != end.line {
        return lines;
    }
    format!("{lines}col={},endColumn={},", start.column, end.column)
}

/// Text after the last `::` of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
