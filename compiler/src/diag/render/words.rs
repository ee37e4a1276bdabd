//! What formats without excerpts say beside the message.

use crate::diag::{Diagnostic, Label};
use crate::source::{ColumnUnit, Position, Sources, Span};

/// Why, facts and what to do, a line each; the places of other labels are not named.
pub(super) fn explanation(diagnostic: &Diagnostic) -> Vec<String> {
    let label = Some(&diagnostic.primary.text).filter(|text| !text.is_empty()).cloned();
    let notes = diagnostic.notes.iter().map(|note| format!("note: {note}"));
    let help = diagnostic.help.as_ref().or(diagnostic.fix.as_ref().map(|fix| &fix.message));
    let help = help.map(|help| format!("help: {help}"));
    label.into_iter().chain(notes).chain(help).collect()
}

/// The other labels that have places, with them, a line each.
pub(super) fn other_places(diagnostic: &Diagnostic, sources: &Sources) -> Vec<String> {
    let line = |label: &Label| {
        let Position { line, column } = sources.position(label.span);
        format!("{}:{line}:{column}: {}", sources.file(label.span.file).name, label.text)
    };
    let others = diagnostic.others.iter();
    others.filter(|label| sources.file(label.span.file).has_places()).map(line).collect()
}

/// The message and everything that can be said beside it.
pub(super) fn whole_story(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut lines = vec![diagnostic.message.clone()];
    lines.extend(explanation(diagnostic));
    lines.extend(other_places(diagnostic, sources));
    lines.join("\n")
}

/// Where a span begins and where it ends, with columns in code points.
pub(super) fn ends(span: Span, sources: &Sources) -> (Position, Position) {
    let file = sources.file(span.file);
    let at = |offset| file.lines.position(&file.text, offset, ColumnUnit::CodePoint);
    (at(span.range.start), at(span.range.end))
}
