//! For machines: the JSON objects of the command line's contract.
//!
//! Lines and columns count from 1, columns in code points, offsets in bytes from 0. The pointer is that of the innermost node of
//! the file at the primary place; it is `null` where a file has no tree. What concerns the command line has no `file` and no `range`.

use serde_json::{Value, json};

use super::Report;
use crate::diag::{Applicability, Diagnostic, Edit, Fix, Label};
use crate::source::{ColumnUnit, Sources, Span};

/// Version of the JSON objects that commands print.
pub const SCHEMA_VERSION: u32 = 1;
/// JSON Schema of [`report`], as text.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// All findings and the summary as one object on one line.
pub fn report(report: &Report<'_>) -> String {
    let diagnostics: Vec<Value> =
        report.findings().map(|(each, sources)| diagnostic(each, sources)).collect();
    let object = json!({
        "schema_version": SCHEMA_VERSION,
        "diagnostics": diagnostics,
        "summary": report.summary,
    });
    format!("{object}\n")
}

/// One diagnostic as a JSON object (`rule`, `severity`, `message`, `file`, `pointer`, `range`, `labels`, `notes`, `help`, `fix`).
pub fn diagnostic(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let primary = diagnostic.primary.span;
    let has_places = sources.file(primary.file).has_places();
    let own = (!diagnostic.primary.text.is_empty()).then_some(&diagnostic.primary);
    let labels: Vec<Value> =
        own.into_iter().chain(&diagnostic.others).map(|each| label(each, sources)).collect();
    json!({
        "rule": diagnostic.rule.slug,
        "severity": diagnostic.severity.word(),
        "message": diagnostic.message,
        "file": has_places.then(|| sources.file(primary.file).name.as_str()),
        "pointer": pointer(primary, sources),
        "range": has_places.then(|| range(primary, sources)),
        "labels": labels,
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "fix": diagnostic.fix.as_ref().map(|each| fix(each, sources)),
    })
}

fn label(label: &Label, sources: &Sources) -> Value {
    let file = &sources.file(label.span.file).name;
    json!({"file": file, "range": range(label.span, sources), "text": label.text})
}

fn fix(fix: &Fix, sources: &Sources) -> Value {
    let applicability = match fix.applicability {
        Applicability::Safe => "safe",
        Applicability::Unsafe => "unsafe",
    };
    let edits: Vec<Value> = fix.edits.iter().map(|each| edit(each, sources)).collect();
    json!({"message": fix.message, "applicability": applicability, "edits": edits})
}

fn edit(edit: &Edit, sources: &Sources) -> Value {
    let file = &sources.file(edit.span.file).name;
    json!({"file": file, "range": range(edit.span, sources), "text": edit.text})
}

fn range(span: Span, sources: &Sources) -> Value {
    json!({
        "start": place(span, span.range.start, sources),
        "end": place(span, span.range.end, sources),
    })
}

fn place(span: Span, offset: u32, sources: &Sources) -> Value {
    let file = sources.file(span.file);
    let position = file.lines.position(&file.text, offset, ColumnUnit::CodePoint);
    json!({"line": position.line, "column": position.column, "offset": offset})
}

/// The JSON pointer of the innermost node at the beginning of a span; nothing where a file has no tree.
pub(super) fn pointer(span: Span, sources: &Sources) -> Option<String> {
    let tree = sources.file(span.file).tree.as_ref()?;
    Some(tree.pointer(tree.at_offset(span.range.start)))
}
