//! What is to be said about a place: the rule of a diagnostic, or what stands there.

use std::fmt::Write as _;

use tidegate_stdlib::shape::{Exists, Reduce, Shape};
use tidegate_stdlib::value::Pointer;

use super::subject::{Subject, SubjectKind, is_at, subject};
use crate::catalog::CollectionId;
use crate::model::Field;
use crate::session::Snapshot;
use crate::source::{FileId, Range};

/// Properties of a document that are listed.
const PROPERTIES_MAX: usize = 40;

/// A text about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub range: Range,
    /// The text, in Markdown.
    pub markdown: String,
}

/// What is to be said about a byte of a file. Of what is wrong there, the pages of the rules come after what stands there.
pub fn hover(snapshot: &Snapshot, file: FileId, offset: u32) -> Option<Hover> {
    let subject = subject(snapshot, file, offset);
    let mut parts: Vec<(Range, String)> = Vec::new();
    if let Some(Subject { kind, range }) = &subject {
        parts.extend(describe(snapshot, kind).map(|text| (*range, text)));
    }
    let diagnostics = snapshot.compilation.diagnostics.iter();
    let here = diagnostics
        .filter(|found| found.primary.span.file == file && is_at(found.primary.span.range, offset));
    let mut rules = Vec::new();
    for found in here {
        if !rules.contains(&found.rule.slug) {
            rules.push(found.rule.slug);
            let text = format!(
                "### {}: {}\n\n{}",
                found.rule.slug,
                found.rule.title,
                page(found.rule.page)
            );
            parts.push((found.primary.span.range, text));
        }
    }
    let range = parts.first()?.0;
    let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    Some(Hover { range, markdown: texts.join("\n\n---\n\n") })
}

/// The words of a page, without its examples: the mistake is on the screen already.
fn page(page: &str) -> String {
    let words = page.split("\n```").next().unwrap_or_default();
    let words = words.rsplit_once("\n\n").filter(|(_, last)| last.trim_end().ends_with(':'));
    words
        .map_or_else(|| page.split("\n```").next().unwrap_or_default(), |(kept, _)| kept)
        .trim()
        .to_owned()
}

fn describe(snapshot: &Snapshot, kind: &SubjectKind) -> Option<String> {
    match kind {
        SubjectKind::Collection(id) => Some(of_collection(snapshot, *id)),
        SubjectKind::Location { collection, pointer } => {
            of_location(snapshot, *collection, pointer)
        }
        SubjectKind::File(file, _) => {
            Some(format!("`{}`", snapshot.compilation.sources.file(*file).name))
        }
        SubjectKind::Place(..) => None,
        SubjectKind::Field(field) => Some(of_field(field)),
    }
}

fn of_field(field: &Field) -> String {
    let need = if field.required { "required" } else { "optional" };
    let expectation = field.kind.expectation();
    format!("**{}** ({need}): {}\n\n{}", field.name, expectation, field.docs)
}

fn of_collection(snapshot: &Snapshot, id: CollectionId) -> String {
    let checked = &snapshot.compilation.checked;
    let collection = checked.collection(id);
    let kind = if collection.derivation.is_some() { "derivation" } else { "collection" };
    let mut text = format!("**{kind}** `{}`\n", checked.name(id));
    if !collection.key_pointers.is_empty() {
        let key: Vec<String> =
            collection.key_pointers.iter().map(|pointer| format!("`{pointer}`")).collect();
        let _ = write!(text, "\nkey: {}\n", key.join(", "));
    }
    let schema = collection.effective_read_schema();
    let what = if collection.read_schema.is_some() { "when read by tasks" } else { "documents" };
    let _ = write!(text, "\n{what}:\n\n```\n{}```", properties(&schema.shape));
    text
}

/// One line for each property of an object.
fn properties(shape: &Shape) -> String {
    let mut text = String::new();
    for property in shape.object.properties.iter().take(PROPERTIES_MAX) {
        let mark = if property.required { "" } else { "?" };
        let _ = writeln!(text, "{}{mark}: {}", property.name, words(&property.shape));
    }
    let more = shape.object.properties.len().saturating_sub(PROPERTIES_MAX);
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    if text.is_empty() {
        let _ = writeln!(text, "{}", words(shape));
    }
    text
}

fn of_location(snapshot: &Snapshot, id: CollectionId, pointer: &Pointer) -> Option<String> {
    let checked = &snapshot.compilation.checked;
    let collection = checked.collection(id);
    let (shape, exists) = collection.effective_read_schema().shape.locate(pointer);
    let name = if pointer.is_root() { "the document".to_owned() } else { format!("`{pointer}`") };
    let existence = match exists {
        Exists::Must => "always there",
        Exists::May => "may be missing",
        Exists::Implicit => "not described by the schema",
        Exists::Cannot => "can never exist",
    };
    let mut text = format!("{name} of `{}`: {}, {existence}", checked.name(id), words(&shape));
    if let Some(write) = collection.read_schema.as_ref().map(|_| &collection.write_schema) {
        let written = write.shape.locate(pointer).0;
        let (read, written) = (words(&shape), words(&written));
        if read != written {
            let _ = write!(text, "\n\nwhen written by captures: {written}");
        }
    }
    if let Reduce::Strategy(strategy) = &shape.reduce
        && let Some(name) = strategy.get("strategy").and_then(serde_json::Value::as_str)
    {
        let _ = write!(text, "\n\nreduced by `{name}`");
    }
    if let Some(default) = &shape.default {
        let _ = write!(text, "\n\ndefault: `{default}`");
    }
    for words in [&shape.title, &shape.description].into_iter().flatten() {
        let _ = write!(text, "\n\n{words}");
    }
    Some(text)
}

/// The types of a shape and what narrows them, on one line.
pub(super) fn words(shape: &Shape) -> String {
    if let Some(values) = &shape.enumeration {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        return values.join(" or ");
    }
    let names = shape.types.names();
    let mut text = match names.len() {
        0 => "nothing".to_owned(),
        7.. => "anything".to_owned(),
        1..7 => names.join(" or "),
    };
    if let Some(format) = &shape.string.format {
        let _ = write!(text, " ({format})");
    }
    let numeric = &shape.numeric;
    match (&numeric.minimum, &numeric.maximum) {
        (Some(least), Some(most)) => {
            let _ = write!(text, " from {least} to {most}");
        }
        (Some(least), None) => {
            let _ = write!(text, " from {least}");
        }
        (None, Some(most)) => {
            let _ = write!(text, " up to {most}");
        }
        (None, None) => {}
    }
    text
}
