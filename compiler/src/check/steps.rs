//! Tests: the documents that are ingested and expected.

use std::cmp::Ordering;

use serde_json::Value;
use tidegate_stdlib::bundle::TestAction;
use tidegate_stdlib::schema::Violation;
use tidegate_stdlib::value::compare;

use super::Scope;
use super::checked::{CheckedStep, CheckedTest};
use super::schemas::Validator;
use super::selectors::{ReadCollection, check_selector};
use crate::catalog::{BundledSchema, SourceValue, Test};
use crate::diag::{Diagnostic, Sink, rules};
use crate::model::StepSpec;
use crate::source::{FileId, Role, Span};

/// Checks a test.
pub(super) fn check(test: &Test, scope: Scope<'_>, sink: &mut Sink) -> CheckedTest {
    let steps = test.spec().steps.iter().zip(&test.collections);
    let steps = steps.filter_map(|(spec, reference)| {
        let step = Step { test, spec, span: test.span(spec.key) };
        match reference.target {
            Some(target) => step.check(scope.read(target), scope, sink),
            None => None,
        }
    });
    CheckedTest { steps: steps.collect() }
}

struct Step<'t> {
    test: &'t Test,
    spec: &'t StepSpec,
    span: Span,
}

impl Step<'_> {
    fn check(
        &self,
        read: ReadCollection<'_>,
        scope: Scope<'_>,
        sink: &mut Sink,
    ) -> Option<CheckedStep> {
        let Self { test, spec, span } = self;
        let file = test.file();
        let collection = spec.collection.as_ref()?;
        let partitions = collection.partitions.as_ref();
        let partitions = check_selector(partitions, file, read, sink);
        for time in [&collection.not_before, &collection.not_after].into_iter().flatten() {
            sink.report(verify_with_times(time.range.in_file(file)));
        }
        let documents = self.documents(file, scope, sink);
        let action = if spec.is_verify {
            check_order(&documents, read, sink);
            TestAction::Verify
        } else {
            check_documents(&documents, read, sink);
            TestAction::Ingest
        };
        Some(CheckedStep {
            action,
            collection: read.id,
            partitions,
            description: spec.description.clone(),
            documents: documents.into_iter().map(|found| (found.value, found.span)).collect(),
            span: *span,
        })
    }

    /// The documents of a step; what is no list of objects is reported.
    fn documents(&self, file: FileId, scope: Scope<'_>, sink: &mut Sink) -> Vec<Document> {
        let source = self.spec.documents.as_ref();
        let source =
            source.and_then(|source| SourceValue::new(scope.sources, file, source, Role::Fixture));
        let Some(source) = source else { return Vec::new() };
        // What is no list was reported when it was bound or loaded.
        let Value::Array(items) = &source.value else { return Vec::new() };
        let mut documents = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("/{index}");
            let span = source.value_place(&pointer);
            if !item.is_object() {
                sink.report(document_not_object(span));
                continue;
            }
            documents.push(Document { value: item.clone(), span, source: source.clone(), pointer });
        }
        documents
    }
}

/// A document and where it stands.
struct Document {
    value: Value,
    span: Span,
    source: SourceValue,
    pointer: String,
}

/// Documents that are ingested satisfy both schemas.
fn check_documents(documents: &[Document], read: ReadCollection<'_>, sink: &mut Sink) {
    let Some(validators) = &read.known.validators else { return };
    let checked = &read.known.checked;
    let schemas = std::iter::once((&validators.write, &*checked.write_schema))
        .chain(validators.read.as_ref().zip(checked.read_schema.as_deref()));
    for document in documents {
        let violation = schemas.clone().find_map(|(validator, bundled): (&Validator, _)| {
            validator.schema().validate(&document.value).err().map(|violation| (violation, bundled))
        });
        if let Some((violation, bundled)) = violation {
            sink.report(ingest_document_violates(document, &violation, bundled, read));
        }
    }
}

/// Expected documents stand in the order of their keys.
fn check_order(documents: &[Document], read: ReadCollection<'_>, sink: &mut Sink) {
    if read.known.key_types.is_none() {
        return;
    }
    let key = &read.known.checked.key;
    for pair in documents.windows(2) {
        let [earlier, later] = pair else { continue };
        let (left, right) = (key.values(&earlier.value), key.values(&later.value));
        let order = left
            .iter()
            .zip(&right)
            .map(|(left, right)| compare(left, right))
            .find(|order| order.is_ne());
        if order == Some(Ordering::Greater) {
            sink.report(verify_order(earlier.span, later.span, read));
        }
        let has_key = |document: &Document| {
            let pointers = &read.known.checked.key_pointers;
            !pointers.is_empty()
                && pointers.iter().all(|pointer| document.value.pointer(pointer).is_some())
        };
        if order.is_none() && has_key(earlier) && has_key(later) {
            sink.report(verify_repeats_key(earlier.span, later.span, read));
        }
    }
}

fn document_not_object(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::DOCUMENT_NOT_OBJECT, span, "a document is an object")
        .label("this is another value")
        .help("write the document as an object")
}

fn ingest_document_violates(
    document: &Document,
    violation: &Violation,
    schema: &BundledSchema,
    read: ReadCollection<'_>,
) -> Diagnostic {
    let pointer = format!("{}{}", document.pointer, violation.instance_pointer);
    let name = read.declared.name();
    Diagnostic::new(
        &rules::INGEST_DOCUMENT_VIOLATES,
        document.source.value_place(&pointer),
        format!("the document does not satisfy the schema of `{name}`"),
    )
    .label(violation.message.clone())
    .also(
        schema.place(&violation.schema_pointer),
        format!("because of this `{}`", violation.keyword),
    )
    .help("correct the document, or the schema")
}

fn verify_order(earlier: Span, later: Span, read: ReadCollection<'_>) -> Diagnostic {
    Diagnostic::new(&rules::VERIFY_ORDER, earlier, "expected documents are not in order")
        .label("the key of this document is greater than that of the next")
        .also(later, "which is here")
        .also(read.known.key_span, "the key is declared here")
        .help("list the documents in the order of their keys")
}

fn verify_repeats_key(earlier: Span, later: Span, read: ReadCollection<'_>) -> Diagnostic {
    Diagnostic::new(&rules::VERIFY_REPEATS_KEY, later, "two expected documents have one key")
        .label("this can never be there beside the document before it")
        .also(earlier, "the document of the same key")
        .also(read.known.key_span, "the key is declared here")
        .help("expect one document: those of one key are reduced into one")
}

fn verify_with_times(span: Span) -> Diagnostic {
    Diagnostic::new(&rules::VERIFY_WITH_TIMES, span, "a step of a test has no times")
        .label("all that was written since the test began is compared")
        .help("remove the bound")
}
