//! Failures at run time as diagnostics: the rule, the words and the places.
//!
//! A failure is plain data with the runtime's facts; which rule explains it, what its label says and how its document is
//! shown is decided here, so that a failure looks like every other diagnostic. Sources need not be at hand.

mod accept;
mod test;
mod types;

use std::sync::Arc;

use serde_json::Value;
use tidegate_stdlib::bundle::{Failure, FailureKind, Origin, TaskKind, TaskName};
use tidegate_stdlib::value::{Pointer, Token};
use url::Url;

use crate::diag::{Diagnostic, Rule, rules};
use crate::limits::SOURCE_SIZE_BYTES_MAX;
use crate::source::{FileId, LineIndex, Range, Role, SourceFile, Sources, Span};

pub use test::explain_outcome;
pub use types::{TypeError, TypedModule, explain_type_error, typed_modules};

/// How many bytes of a document a note shows.
const DOCUMENT_BYTES_SHOWN: usize = 200;

/// The diagnostic of a failure. A source that the failure names but that is not at hand is added to `sources` without text, so that
/// the place still shows.
pub fn explain_failure(failure: &Failure, sources: &mut Sources) -> Diagnostic {
    let span = place(failure, sources);
    let mut diagnostic = Diagnostic::new(rule(failure.kind), span, failure.message.clone());
    if failure.origin.is_some() {
        diagnostic = diagnostic.label(label(failure));
    }
    if let Some(document) = &failure.document {
        diagnostic = diagnostic.note(document_note(failure, document));
    }
    for note in &failure.notes {
        diagnostic = diagnostic.note(note);
    }
    if let Some(TaskName { kind, name }) = &failure.task {
        diagnostic = diagnostic.note(format!("the {} `{name}` stopped", kind.word()));
    }
    diagnostic.help.clone_from(&failure.help);
    diagnostic
}

/// What the file of a place is called, after files were renamed for people.
pub fn named<'s>(origin: &'s Origin, sources: &'s Sources) -> &'s str {
    let file = sources.files().find(|(_, file)| is_named(file, &origin.path));
    file.map_or(&origin.path, |(_, file)| &file.name)
}

/// The rule that explains a kind of failure.
fn rule(kind: FailureKind) -> &'static Rule {
    match kind {
        FailureKind::DocumentViolatesSchema => &rules::DOCUMENT_VIOLATES_SCHEMA,
        FailureKind::ReductionFailed => &rules::REDUCTION_FAILED,
        FailureKind::RedactionFailed => &rules::REDACTION_FAILED,
        FailureKind::LambdaFailed => &rules::LAMBDA_FAILED,
        FailureKind::ProcessFailed => &rules::PROCESS_FAILED,
        FailureKind::MigrationChanged => &rules::MIGRATION_CHANGED,
        FailureKind::MigrationFailed => &rules::MIGRATION_FAILED,
        FailureKind::SourceUnreadable => &rules::SOURCE_UNREADABLE,
        FailureKind::PartitionValueTooLong => &rules::PARTITION_VALUE_TOO_LONG,
        FailureKind::CheckpointOfOtherData => &rules::CHECKPOINT_OF_OTHER_DATA,
        FailureKind::FencedOff => &rules::FENCED_OFF,
        FailureKind::EndpointFailed => &rules::ENDPOINT_FAILED,
        FailureKind::CollectionChanged => &rules::COLLECTION_CHANGED,
        FailureKind::ResetAlreadyDone => &rules::RESET_ALREADY_DONE,
        FailureKind::DataDirectoryLocked => &rules::DATA_DIRECTORY_LOCKED,
        FailureKind::CannotAccess => &rules::CANNOT_ACCESS,
        FailureKind::Damaged => &rules::DAMAGED,
        FailureKind::ConnectorUnavailable => &rules::CONNECTOR_UNAVAILABLE,
        FailureKind::LimitExceeded => &rules::LIMIT_EXCEEDED,
    }
}

/// Why the failure shows at its place.
fn label(failure: &Failure) -> String {
    match failure.kind {
        FailureKind::DocumentViolatesSchema => match &failure.keyword {
            Some(keyword) => format!("`{keyword}` refuses the document"),
            None => "the schema refuses the document".to_owned(),
        },
        FailureKind::ReductionFailed => "reduced as this says".to_owned(),
        FailureKind::RedactionFailed => "redacted as this says".to_owned(),
        FailureKind::LambdaFailed | FailureKind::ProcessFailed | FailureKind::MigrationFailed => {
            "failed here".to_owned()
        }
        FailureKind::MigrationChanged => "differs from the text that was applied".to_owned(),
        FailureKind::SourceUnreadable => "read by this endpoint".to_owned(),
        FailureKind::EndpointFailed | FailureKind::FencedOff => "at this endpoint".to_owned(),
        FailureKind::PartitionValueTooLong => {
            "directories are named after its partitions".to_owned()
        }
        FailureKind::CollectionChanged => "differs from the data on disk".to_owned(),
        FailureKind::ResetAlreadyDone => "an earlier run has reset it".to_owned(),
        FailureKind::ConnectorUnavailable => "nothing here can run it".to_owned(),
        FailureKind::CheckpointOfOtherData
        | FailureKind::DataDirectoryLocked
        | FailureKind::CannotAccess
        | FailureKind::Damaged
        | FailureKind::LimitExceeded => String::new(),
    }
}

fn place(failure: &Failure, sources: &mut Sources) -> Span {
    if let Some(origin) = &failure.origin {
        return find(origin, sources).unwrap_or_else(|| add_virtual(origin, sources));
    }
    if let Some(span) = failure.task.as_ref().and_then(|task| declaration(task, sources)) {
        return span;
    }
    arguments(sources)
}

/// The place in a source that is at hand and has not changed since the place was noted.
fn find(origin: &Origin, sources: &Sources) -> Option<Span> {
    let range = Range::new(origin.start, origin.end);
    let candidates = sources.files().filter(|(_, file)| {
        file.is_present && is_named(file, &origin.path) && file.text.get(range.as_usize()).is_some()
    });
    candidates.map(|(file, _)| range.in_file(file)).find(|span| {
        let position = sources.position(*span);
        position.line == origin.line && position.column == origin.column
    })
}

/// Whether a file is the one that a bundle calls `path`; it may have been renamed for people since.
fn is_named(file: &SourceFile, path: &str) -> bool {
    let url_path = file.url.path().strip_suffix(path);
    file.name == path || url_path.is_some_and(|directory| directory.ends_with('/'))
}

/// What stands for the text of a source that is not at hand.
const UNKNOWN_TEXT: &str = "…";

/// A source that is not at hand: blank up to the place, so that line and column are right.
fn add_virtual(origin: &Origin, sources: &mut Sources) -> Span {
    let lines = origin.line.saturating_sub(1) as usize;
    let columns = origin.column.saturating_sub(1) as usize;
    let mut text = String::new();
    if lines.saturating_add(columns) <= SOURCE_SIZE_BYTES_MAX {
        text.push_str(&"\n".repeat(lines));
        text.push_str(&" ".repeat(columns));
    }
    let start = u32::try_from(text.len()).expect("the limit of sources fits");
    let end = start + u32::try_from(UNKNOWN_TEXT.len()).expect("it is short");
    text.push_str(UNKNOWN_TEXT);
    Range::new(start, end).in_file(add(&origin.path, Role::Config, text, sources))
}

/// Where a task is declared, when the catalog is at hand.
fn declaration(task: &TaskName, sources: &Sources) -> Option<Span> {
    sources.files().find_map(|(file, source)| {
        let specs = source.specs.as_deref()?;
        let range = match task.kind {
            TaskKind::Capture => {
                specs.captures.iter().map(|spec| &spec.name).find(|name| name.value == task.name)
            }
            TaskKind::Derivation => {
                specs.collections.iter().map(|spec| &spec.name).find(|name| name.value == task.name)
            }
            TaskKind::Materialization => specs
                .materializations
                .iter()
                .map(|spec| &spec.name)
                .find(|name| name.value == task.name),
            TaskKind::Ingest => None,
        }?
        .range;
        Some(range.in_file(file))
    })
}

/// The command line, where nothing else can be pointed at.
fn arguments(sources: &mut Sources) -> Span {
    let known = sources.files().find(|(_, file)| file.role == Role::Arguments).map(|(id, _)| id);
    let file = match known {
        Some(file) => file,
        None => add("<arguments>", Role::Arguments, String::new(), sources),
    };
    Range::default().in_file(file)
}

/// Adds a source that was made up.
fn add(name: &str, role: Role, text: String, sources: &mut Sources) -> FileId {
    let base = Url::parse("tidegate:/").expect("this is a URL");
    let url = base.join(name).unwrap_or(base);
    let lines = Arc::new(LineIndex::new(&text));
    sources.add(SourceFile {
        url,
        name: name.to_owned(),
        role,
        text: text.into(),
        lines,
        tree: None,
        specs: None,
        is_present: false,
    })
}

fn document_note(failure: &Failure, document: &Value) -> String {
    let pointer = failure.pointer.as_deref().unwrap_or_default();
    let mut note = String::from("document");
    if let Some(collection) = &failure.collection {
        note.push_str(&format!(" of `{collection}`"));
    }
    if !pointer.is_empty() {
        note.push_str(&format!(", at `{pointer}`"));
    }
    let pointer = Pointer::parse(pointer).unwrap_or_default();
    note.push_str(": ");
    note.push_str(&excerpt(document, &pointer));
    note
}

/// The beginning of the compact text of a document.
fn document_excerpt(document: &Value) -> String {
    excerpt(document, &Pointer::default())
}

/// The compact text of a document, cut to what surrounds a location.
fn excerpt(document: &Value, pointer: &Pointer) -> String {
    let mut text = String::new();
    let focus = write_located(document, pointer.tokens(), &mut text);
    if text.len() <= DOCUMENT_BYTES_SHOWN {
        return text;
    }
    let around = DOCUMENT_BYTES_SHOWN.saturating_sub(focus.len()) / 2;
    let start = focus.start.saturating_sub(around);
    let end = start.saturating_add(DOCUMENT_BYTES_SHOWN).min(text.len());
    let start = text.ceil_char_boundary(start.min(end.saturating_sub(DOCUMENT_BYTES_SHOWN)));
    let end = text.floor_char_boundary(end);
    let shown = text.get(start..end).unwrap_or_default();
    let before = if start > 0 { "…" } else { "" };
    let after = if end < text.len() { "…" } else { "" };
    format!("{before}{shown}{after}")
}

/// Writes the compact text of `value` to the end of `out`. Gives the bytes of the value at `tokens`, or of the innermost one
/// that exists on the way there.
fn write_located(value: &Value, tokens: &[Token], out: &mut String) -> std::ops::Range<usize> {
    let start = out.len();
    let mut focus = None;
    match (value, tokens.split_first()) {
        (Value::Object(properties), Some((token, rest))) => {
            let wanted = match token {
                Token::Index(index) => index.to_string(),
                Token::NextIndex => "-".to_owned(),
                Token::Property(name) => name.clone(),
            };
            for (number, (name, value)) in properties.iter().enumerate() {
                out.push(if number == 0 { '{' } else { ',' });
                out.push_str(&format!("{}:", Value::from(name.as_str())));
                if *name == wanted {
                    focus = Some(write_located(value, rest, out));
                } else {
                    out.push_str(&value.to_string());
                }
            }
            out.push_str(if properties.is_empty() { "{}" } else { "}" });
        }
        (Value::Array(items), Some((Token::Index(wanted), rest))) => {
            for (number, item) in items.iter().enumerate() {
                out.push(if number == 0 { '[' } else { ',' });
                if number == *wanted {
                    focus = Some(write_located(item, rest, out));
                } else {
                    out.push_str(&item.to_string());
                }
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        _ => out.push_str(&value.to_string()),
    }
    focus.unwrap_or(start..out.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    const KINDS: [FailureKind; 19] = [
        FailureKind::DocumentViolatesSchema,
        FailureKind::ReductionFailed,
        FailureKind::RedactionFailed,
        FailureKind::LambdaFailed,
        FailureKind::ProcessFailed,
        FailureKind::MigrationChanged,
        FailureKind::MigrationFailed,
        FailureKind::SourceUnreadable,
        FailureKind::PartitionValueTooLong,
        FailureKind::CheckpointOfOtherData,
        FailureKind::FencedOff,
        FailureKind::EndpointFailed,
        FailureKind::CollectionChanged,
        FailureKind::ResetAlreadyDone,
        FailureKind::DataDirectoryLocked,
        FailureKind::CannotAccess,
        FailureKind::Damaged,
        FailureKind::ConnectorUnavailable,
        FailureKind::LimitExceeded,
    ];

    fn origin(path: &str, line: u32, column: u32, start: u32, end: u32) -> Origin {
        Origin { path: path.to_owned(), line, column, start, end }
    }

    fn sources() -> Sources {
        let mut sources = Sources::default();
        let file = add("flow.yaml", Role::Catalog, "a:\n  type: x\n".into(), &mut sources);
        sources.file_mut(file).is_present = true;
        sources
    }

    #[test]
    fn every_kind_has_the_rule_of_its_name() {
        for kind in KINDS {
            assert_eq!(rule(kind).slug, kind.slug());
            assert_eq!(rule(kind).pass, "run");
        }
    }

    #[test]
    fn a_place_at_hand_is_shown_in_its_source() {
        let mut sources = sources();
        let failure = Failure::new(FailureKind::DocumentViolatesSchema, "`x` is no number")
            .at(Some(origin("flow.yaml", 2, 3, 5, 9)));
        let diagnostic = explain_failure(&failure, &mut sources);
        assert_eq!(sources.text(diagnostic.primary.span), "type");
        assert_eq!(diagnostic.message, "`x` is no number");
    }

    #[test]
    fn a_place_in_a_source_that_is_missing_or_changed_keeps_line_and_column() {
        let mut sources = sources();
        for place in [origin("gone.yaml", 7, 5, 90, 95), origin("flow.yaml", 9, 1, 5, 9)] {
            let failure = Failure::new(FailureKind::LambdaFailed, "no").at(Some(place.clone()));
            let span = explain_failure(&failure, &mut sources).primary.span;
            let position = sources.position(span);
            assert_eq!((position.line, position.column), (place.line, place.column));
            assert_eq!(sources.file(span.file).name, place.path);
        }
    }

    #[test]
    fn a_place_beyond_every_limit_is_no_reason_to_run_out_of_memory() {
        let mut sources = sources();
        let place = origin("://", u32::MAX, u32::MAX, u32::MAX, 0);
        let failure = Failure::new(FailureKind::LambdaFailed, "no").at(Some(place));
        let diagnostic = explain_failure(&failure, &mut sources);
        assert_eq!(sources.text(diagnostic.primary.span), UNKNOWN_TEXT);
    }

    #[test]
    fn what_has_no_place_is_shown_at_the_arguments() {
        let mut sources = Sources::default();
        let failure = Failure::new(FailureKind::DataDirectoryLocked, "locked by process 7");
        for _ in 0..2 {
            let span = explain_failure(&failure, &mut sources).primary.span;
            assert_eq!(sources.file(span.file).name, "<arguments>");
        }
        assert_eq!(sources.files().count(), 1);
    }

    #[test]
    fn the_document_is_shown_around_the_location() {
        let short = json!({"a": {"b": [1, "x"]}});
        let pointer = Pointer::parse("/a/b/1").unwrap();
        assert_eq!(excerpt(&short, &pointer), r#"{"a":{"b":[1,"x"]}}"#);
        let long = json!({"a": "é".repeat(300), "b": {"c": 17}, "d": "é".repeat(300)});
        let shown = excerpt(&long, &Pointer::parse("/b/c").unwrap());
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(shown.contains(r#""b":{"c":17}"#), "{shown}");
        assert!(shown.len() <= DOCUMENT_BYTES_SHOWN + 2 * '…'.len_utf8());
        let missing = excerpt(&long, &Pointer::parse("/b/x").unwrap());
        assert!(missing.contains(r#"{"c":17}"#), "the object that lacks it shows: {missing}");
    }
}
