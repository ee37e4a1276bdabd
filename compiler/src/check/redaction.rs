//! Redaction: values that must not be published as they are.

use serde_json::Value;
use tidegate_stdlib::bundle::UUID_POINTER;
use tidegate_stdlib::shape::{Inspection, InspectionKind, Path, Reduce, Shape, Types};
use tidegate_stdlib::value::Pointer;

use super::keys::type_words;
use super::locations::{declaration_place, keyword_place, type_place};
use super::schemas::location_name;
use crate::catalog::BundledSchema;
use crate::diag::{Diagnostic, Sink, rules};
use crate::source::Span;

/// Definitions that other tools write into a schema anew, and what a reference to them begins with.
const MANAGED: &str = "flow://";

/// Checks the annotations of both schemas; those of keys are refused with the keys.
pub(super) fn check(write: &BundledSchema, read: Option<&BundledSchema>, sink: &mut Sink) {
    let redacts = |schema: &BundledSchema| schema.keywords.has_any(&["redact"]);
    if redacts(write) {
        check_written(write, sink);
        check_managed(write, sink);
    }
    if let Some(read) = read.filter(|read| redacts(read)) {
        check_read(write, read, sink);
        check_managed(read, sink);
    }
}

fn check_written(write: &BundledSchema, sink: &mut Sink) {
    let uuid = Pointer::parse(UUID_POINTER).expect("a valid pointer");
    let of_uuid = keyword_place(write, &uuid, "redact")
        .filter(|_| write.shape.locate(&uuid).0.redact != Reduce::Unset);
    if let Some(place) = of_uuid {
        sink.report(redact_of_uuid(place));
    }
    for Inspection { path, types, kind } in write.shape.inspect() {
        let Some(place) = keyword_place(write, &path, "redact") else { continue };
        if of_uuid == Some(place) {
            continue;
        }
        match kind {
            InspectionKind::BlockRedactionMustExist => {
                sink.report(redact_required(&path, place, write));
            }
            InspectionKind::Sha256RedactionNotString => {
                sink.report(redact_not_string(&path, types, place, write));
            }
            InspectionKind::ImpossibleMustExist
            | InspectionKind::ChildWithoutParentReduction
            | InspectionKind::SumNotNumber
            | InspectionKind::MergeNotObjectOrArray
            | InspectionKind::SetNotObject
            | InspectionKind::SetInvalidProperty
            | InspectionKind::InvalidDefaultValue => {}
        }
    }
}

/// Values are redacted when they are written, so an annotation of the read schema alone does nothing.
fn check_read(write: &BundledSchema, read: &BundledSchema, sink: &mut Sink) {
    let written = write.shape.parts();
    for (path, shape) in read.shape.parts() {
        let is_redacted =
            |known: &Path, shape: &Shape| *known == path && shape.redact != Reduce::Unset;
        let is_written = path.pointer().map_or_else(
            || written.iter().any(|(known, shape)| is_redacted(known, shape)),
            |pointer| write.shape.locate(&pointer).0.redact != Reduce::Unset,
        );
        if shape.redact == Reduce::Unset || is_written {
            continue;
        }
        if let Some(place) = keyword_place(read, &path, "redact") {
            let written = declaration_place(write, &path).or_else(|| write.place(""));
            sink.report(redact_only_read(&path, place, written));
        }
    }
}

/// What stands in a definition that other tools write anew is gone when they do.
fn check_managed(schema: &BundledSchema, sink: &mut Sink) {
    let Some(Value::Object(definitions)) = schema.value.get("$defs") else { return };
    for (name, definition) in definitions.iter().filter(|(name, _)| name.starts_with(MANAGED)) {
        let mut pointers = Vec::new();
        let place = format!("/$defs/{}", name.replace('~', "~0").replace('/', "~1"));
        note_redactions(definition, &place, &mut pointers);
        for pointer in pointers {
            if let Some(place) = schema.value_place(&pointer) {
                sink.report(redact_in_managed_definition(name, place));
            }
        }
    }
}

/// The pointers of all `redact` of a schema and the schemas in it.
fn note_redactions(schema: &Value, place: &str, found: &mut Vec<String>) {
    let below = |name: &str| format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
    match schema {
        Value::Object(keywords) => {
            for (name, value) in keywords {
                match name.as_str() {
                    "redact" => found.push(below(name)),
                    "properties" | "patternProperties" | "$defs" | "dependentSchemas" => {
                        for (property, schema) in value.as_object().into_iter().flatten() {
                            let property = property.replace('~', "~0").replace('/', "~1");
                            note_redactions(schema, &format!("{}/{property}", below(name)), found);
                        }
                    }
                    "const" | "enum" | "default" | "examples" => {}
                    _ => note_redactions(value, &below(name), found),
                }
            }
        }
        Value::Array(schemas) => {
            for (index, schema) in schemas.iter().enumerate() {
                note_redactions(schema, &format!("{place}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn redact_in_managed_definition(name: &str, span: Span) -> Diagnostic {
    let message = format!("a redaction stands in `{name}`, which other tools write anew");
    Diagnostic::new(&rules::REDACT_IN_MANAGED_DEFINITION, span, message)
        .label("it would be lost, and the values published as they are")
        .help("redact the location beside the reference, in `properties` of the write schema")
}

fn redact_of_uuid(span: Span) -> Diagnostic {
    let message = format!("`{UUID_POINTER}` cannot be redacted");
    Diagnostic::new(&rules::REDACT_OF_UUID, span, message)
        .label("documents are told apart and ordered by it")
        .help("remove the `redact` of this location")
}

fn redact_required(path: &Path, span: Span, schema: &BundledSchema) -> Diagnostic {
    let around = path.around();
    let message = if path.is_root() {
        "every document would be removed".to_owned()
    } else {
        format!("{} is removed, but every document must have it", location_name(path))
    };
    Diagnostic::new(&rules::REDACT_REQUIRED, span, message)
        .label("`block` removes the value before the document is published")
        .also(keyword_place(schema, &around, "required"), "it is required here")
        .help("do not require the location, or redact it by `sha256`")
}

fn redact_not_string(path: &Path, types: Types, span: Span, schema: &BundledSchema) -> Diagnostic {
    let admitted = type_words(types);
    let message = format!("{} is replaced by a string, but cannot be one", location_name(path));
    Diagnostic::new(&rules::REDACT_NOT_STRING, span, message)
        .label("`sha256` replaces the value by a text of its digest")
        .also(type_place(schema, path), format!("the schema admits {admitted} here"))
        .help("admit a string here, or redact by `block`")
}

fn redact_only_read(path: &Path, span: Span, written: Option<Span>) -> Diagnostic {
    let message = format!("{} is redacted only by the read schema", location_name(path));
    Diagnostic::new(&rules::REDACT_ONLY_READ, span, message)
        .label("values are redacted when they are written, so this does nothing")
        .also(written, "the write schema does not redact it")
        .help("redact the location in the write schema")
}
