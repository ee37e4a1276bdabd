//! Redaction: values that must not be published as they are.

use serde_json::Value;
use tidegate_stdlib::bundle::UUID_POINTER;
use tidegate_stdlib::shape::{Exists, Reduce, Shape, Types};
use tidegate_stdlib::value::Pointer;

use super::keys::type_words;
use super::locations::{declaration_place, keyword_place, type_place};
use crate::catalog::BundledSchema;
use crate::diag::{Diagnostic, Sink, rules};
use crate::source::Span;

/// Checks the annotations of both schemas; those of keys are refused with the keys.
pub(super) fn check(write: &BundledSchema, read: Option<&BundledSchema>, sink: &mut Sink) {
    let redacts = |schema: &BundledSchema| schema.keywords.has_any(&["redact"]);
    if redacts(write) {
        check_written(write, sink);
    }
    if let Some(read) = read.filter(|read| redacts(read)) {
        check_read(write, read, sink);
    }
}

fn check_written(write: &BundledSchema, sink: &mut Sink) {
    for (pointer, shape, exists) in write.shape.locations() {
        let Reduce::Strategy(annotation) = &shape.redact else { continue };
        let Some(place) = keyword_place(write, &pointer, "redact") else { continue };
        let strategy = annotation.get("strategy").and_then(Value::as_str).unwrap_or_default();
        let diagnostic = if pointer.to_string() == UUID_POINTER {
            redact_of_uuid(place)
        } else if strategy == "block" && exists == Exists::Must {
            redact_required(&pointer, place, write)
        } else if strategy == "sha256" && !shape.types.overlaps(Types::STRING) {
            redact_not_string(&pointer, shape, place, write)
        } else {
            continue;
        };
        sink.report(diagnostic);
    }
}

/// Values are redacted when they are written, so an annotation of the read schema alone does nothing.
fn check_read(write: &BundledSchema, read: &BundledSchema, sink: &mut Sink) {
    for (pointer, shape, _) in read.shape.locations() {
        let is_written = write.shape.locate(&pointer).0.redact != Reduce::Unset;
        if shape.redact == Reduce::Unset || is_written {
            continue;
        }
        if let Some(place) = keyword_place(read, &pointer, "redact") {
            let written = declaration_place(write, &pointer).or_else(|| write.place(""));
            sink.report(redact_only_read(&pointer, place, written));
        }
    }
}

fn redact_of_uuid(span: Span) -> Diagnostic {
    let message = format!("`{UUID_POINTER}` cannot be redacted");
    Diagnostic::new(&rules::REDACT_OF_UUID, span, message)
        .label("documents are told apart and ordered by it")
        .help("remove the `redact` of this location")
}

fn redact_required(pointer: &Pointer, span: Span, schema: &BundledSchema) -> Diagnostic {
    let around = super::keys::around(pointer);
    let message = format!("`{pointer}` is removed, but every document must have it");
    Diagnostic::new(&rules::REDACT_REQUIRED, span, message)
        .label("`block` removes the value before the document is published")
        .also(keyword_place(schema, &around, "required"), "it is required here")
        .help("do not require the location, or redact it by `sha256`")
}

fn redact_not_string(
    pointer: &Pointer,
    shape: &Shape,
    span: Span,
    schema: &BundledSchema,
) -> Diagnostic {
    let admitted = type_words(shape.types);
    let message = format!("`{pointer}` is replaced by a string, but cannot be one");
    Diagnostic::new(&rules::REDACT_NOT_STRING, span, message)
        .label("`sha256` replaces the value by a text of its digest")
        .also(type_place(schema, pointer), format!("the schema admits {admitted} here"))
        .help("admit a string here, or redact by `block`")
}

fn redact_only_read(pointer: &Pointer, span: Span, written: Option<Span>) -> Diagnostic {
    let message = format!("`{pointer}` is redacted only by the read schema");
    Diagnostic::new(&rules::REDACT_ONLY_READ, span, message)
        .label("values are redacted when they are written, so this does nothing")
        .also(written, "the write schema does not redact it")
        .help("redact the location in the write schema")
}
