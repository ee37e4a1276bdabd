//! How a catalog test ended as diagnostics, at the documents that it expects.

use serde_json::Value;
use tidegate_stdlib::bundle::{Difference, DifferenceKind, Origin, StepFailure, TestOutcome};

use super::accept::{accept, node_of};
use super::{add_virtual, document_excerpt, explain_failure, find};
use crate::diag::{Diagnostic, rules};
use crate::source::{Sources, Span};

/// How many characters of a value a message shows.
const VALUE_CHARACTERS_SHOWN: usize = 24;

/// What is to be told of a test: nothing when it passed. The first diagnostic of a step has the fix that accepts its documents.
pub fn explain_outcome(outcome: &TestOutcome, sources: &mut Sources) -> Vec<Diagnostic> {
    let name = &outcome.name;
    let mut diagnostics = Vec::new();
    if let Some(failure) = &outcome.error {
        let note = format!("the test `{name}` could not finish");
        diagnostics.push(explain_failure(failure, sources).note(note));
    }
    for failure in &outcome.failures {
        let fix = accept(failure, sources);
        let mut step = explain_step(name, failure, sources);
        if let Some(first) = step.first_mut() {
            first.fix = fix;
        }
        diagnostics.extend(step);
    }
    diagnostics
}

/// One diagnostic a document that differs.
fn explain_step(test: &str, failure: &StepFailure, sources: &mut Sources) -> Vec<Diagnostic> {
    let is_same = |left: &Difference, right: &Difference| {
        (left.document, &left.key) == (right.document, &right.key)
    };
    let documents = failure.differences.chunk_by(is_same);
    let mut diagnostics: Vec<Diagnostic> = documents
        .filter_map(|differences| explain_document(failure, differences, sources))
        .collect();
    if diagnostics.is_empty() {
        let span = place(&failure.origin, "", sources);
        diagnostics.push(Diagnostic::new(&rules::TEST_FAILED, span, failure.message.clone()));
    }
    let step = failure.step + 1;
    let noted = diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.note(format!("step {step} of the test `{test}`")));
    noted.map(|diagnostic| diagnostic.help(HELP)).collect()
}

const HELP: &str = "repair the data flow, or accept its documents: `tidegate test --accept`";

fn explain_document(
    failure: &StepFailure,
    differences: &[Difference],
    sources: &mut Sources,
) -> Option<Diagnostic> {
    let (first, others) = differences.split_first()?;
    let collection = &failure.collection;
    let origin = first.origin.as_ref().unwrap_or(&failure.origin);
    let span = place(origin, &first.pointer, sources);
    let diagnostic = Diagnostic::new(&rules::TEST_FAILED, span, message(first, collection));
    let diagnostic = match first.kind {
        DifferenceKind::Missing => diagnostic.label("no document has this key"),
        DifferenceKind::Extra => {
            let document = first.actual.as_ref().map(document_excerpt).unwrap_or_default();
            diagnostic.label("not among these").note(format!("document: {document}"))
        }
        DifferenceKind::Changed => {
            let pairs = failure.key.iter().zip(&first.key);
            let key: Vec<String> =
                pairs.map(|(pointer, value)| format!("`{pointer}` {}", shown(value))).collect();
            diagnostic
                .label("expected here")
                .note(format!("the document of `{collection}` with {}", key.join(", ")))
        }
    };
    Some(others.iter().fold(diagnostic, |diagnostic, other| {
        let span = place(origin, &other.pointer, sources);
        diagnostic.also(span, label(other))
    }))
}

fn message(difference: &Difference, collection: &str) -> String {
    let pointer = match difference.pointer.as_str() {
        "" => "the document".to_owned(),
        pointer => format!("`{pointer}`"),
    };
    match (difference.kind, &difference.expected, &difference.actual) {
        (DifferenceKind::Changed, Some(expected), Some(actual)) => {
            format!("{pointer} is {}, not {}", shown(actual), shown(expected))
        }
        (DifferenceKind::Changed, _, _) => format!("{pointer} is missing"),
        (DifferenceKind::Missing, _, _) => format!("`{collection}` has no such document"),
        (DifferenceKind::Extra, _, _) => {
            format!("`{collection}` has a document that the test does not expect")
        }
    }
}

fn label(difference: &Difference) -> String {
    let actual = difference.actual.as_ref();
    actual.map_or_else(|| "is missing".to_owned(), |actual| format!("is {}", shown(actual)))
}

/// A value in a message.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARACTERS_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The place of a location in an expected document, or of as much of it as there is.
fn place(origin: &Origin, pointer: &str, sources: &mut Sources) -> Span {
    let Some(span) = find(origin, sources) else { return add_virtual(origin, sources) };
    let tree = sources.file(span.file).tree.as_ref();
    let inner = tree.and_then(|tree| {
        let document = node_of(tree, span.range)?;
        Some(tree.node(tree.at(document, pointer)?).range)
    });
    inner.map_or(span, |range| range.in_file(span.file))
}
