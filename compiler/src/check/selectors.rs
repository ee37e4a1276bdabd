//! Which part of a collection is read: partitions and times.

use jiff::Timestamp;
use serde_json::Value;
use tidegate_stdlib::bundle::{Projection, Selector};
use tidegate_stdlib::shape::Types;

use super::checked::{CheckedCollection, CheckedSource};
use super::collections::KnownCollection;
use super::keys::type_words;
use crate::catalog::{Collection, CollectionId};
use crate::diag::{Diagnostic, Fix, Sink, nearest, rules};
use crate::model::{SelectorSpec, SourceSpec, Spanned};
use crate::source::{FileId, Span};

/// A collection that is read: what is declared and what is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadCollection<'c> {
    pub(super) id: CollectionId,
    pub(super) declared: &'c Collection,
    pub(super) known: &'c KnownCollection,
}

/// Checks what is read of a collection.
pub(super) fn check_source(
    spec: &SourceSpec,
    file: FileId,
    read: ReadCollection<'_>,
    sink: &mut Sink,
) -> CheckedSource {
    check_times(spec, file, sink);
    let text = |time: &Option<Spanned<String>>| time.as_ref().map(|time| time.value.clone());
    CheckedSource {
        collection: read.id,
        partitions: check_selector(spec.partitions.as_ref(), file, read, sink),
        not_before: text(&spec.not_before),
        not_after: text(&spec.not_after),
    }
}

/// Checks a selector; its fields are partitions and its values of their types.
pub(super) fn check_selector(
    spec: Option<&SelectorSpec>,
    file: FileId,
    read: ReadCollection<'_>,
    sink: &mut Sink,
) -> Option<Selector> {
    let SelectorSpec { include, exclude } = spec?;
    let mut selector = Selector::default();
    for (side, target) in [(include, &mut selector.include), (exclude, &mut selector.exclude)] {
        for (field, values) in side {
            if read.known.validators.is_some() {
                check_field(field, values, file, read, sink);
            }
            let values = values.iter().map(|value| value.value.clone());
            target.entry(field.value.clone()).or_default().extend(values);
        }
    }
    Some(selector)
}

fn check_field(
    field: &Spanned<String>,
    values: &[Spanned<Value>],
    file: FileId,
    read: ReadCollection<'_>,
    sink: &mut Sink,
) {
    let span = field.range.in_file(file);
    let Some(projection) = read.known.checked.projection(&field.value) else {
        sink.report(selector_unknown_field(&field.value, span, read));
        return;
    };
    if !projection.partition {
        sink.report(selector_not_partitioned(projection, span, read));
        return;
    }
    let types = Types::from_names(projection.types.iter().map(String::as_str));
    for value in values {
        let span = value.range.in_file(file);
        if types.is_some_and(|types| !types.overlaps(Types::of(&value.value))) {
            sink.report(selector_wrong_type(projection, &value.value, span, read));
        } else if value.value.as_str() == Some("") {
            sink.report(selector_empty_string(projection, span));
        }
    }
}

/// The times of a source; a text that is no time has been reported when it was bound.
fn check_times(spec: &SourceSpec, file: FileId, sink: &mut Sink) {
    let (Some(before), Some(after)) = (&spec.not_before, &spec.not_after) else { return };
    let (Ok(begin), Ok(end)) = (before.value.parse::<Timestamp>(), after.value.parse()) else {
        return;
    };
    if begin > end {
        sink.report(not_before_after_order(before.range.in_file(file), after.range.in_file(file)));
    }
}

/// The declaration of a projection, or of the collection when it is not declared.
pub(super) fn projection_place(declared: &Collection, field: &str) -> Span {
    let specs = &declared.spec().projections;
    specs
        .iter()
        .find(|spec| spec.field.value == field)
        .map_or_else(|| declared.name_span(), |spec| declared.span(spec.field.range))
}

fn partition_names(checked: &CheckedCollection) -> Vec<&str> {
    checked
        .projections
        .iter()
        .filter(|projection| projection.partition)
        .map(|projection| projection.field.as_str())
        .collect()
}

fn selector_unknown_field(field: &str, span: Span, read: ReadCollection<'_>) -> Diagnostic {
    let partitions = partition_names(&read.known.checked);
    let name = read.declared.name();
    let diagnostic = Diagnostic::new(
        &rules::SELECTOR_UNKNOWN_FIELD,
        span,
        format!("collection `{name}` has no field `{field}`"),
    )
    .label("a selector names partitions");
    match nearest(field, partitions.iter().copied()) {
        Some(near) => diagnostic
            .also(projection_place(read.declared, near), "a partition of a similar name is here")
            .fix(Fix::replace(span, near, format!("name `{near}`"))),
        None => with_partitions(diagnostic, &partitions, read),
    }
}

fn with_partitions(
    diagnostic: Diagnostic,
    partitions: &[&str],
    read: ReadCollection<'_>,
) -> Diagnostic {
    if partitions.is_empty() {
        return diagnostic
            .also(read.declared.name_span(), "this collection has no partitions")
            .help("give the collection a projection with `partition: true`");
    }
    let names: Vec<String> = partitions.iter().map(|name| format!("`{name}`")).collect();
    diagnostic
        .also(read.declared.name_span(), format!("its partitions are {}", names.join(", ")))
        .help("name one of its partitions")
}

fn selector_not_partitioned(
    projection: &Projection,
    span: Span,
    read: ReadCollection<'_>,
) -> Diagnostic {
    let (field, name) = (&projection.field, read.declared.name());
    let diagnostic = Diagnostic::new(
        &rules::SELECTOR_NOT_PARTITIONED,
        span,
        format!("`{name}` is not partitioned by `{field}`"),
    )
    .label("a selector names partitions");
    if projection.explicit {
        return diagnostic
            .also(projection_place(read.declared, field), "the field is declared here")
            .help("declare the field with `partition: true`, or select in the lambda");
    }
    with_partitions(diagnostic, &partition_names(&read.known.checked), read)
}

fn selector_wrong_type(
    projection: &Projection,
    value: &Value,
    span: Span,
    read: ReadCollection<'_>,
) -> Diagnostic {
    let wanted = Types::from_names(projection.types.iter().map(String::as_str));
    let wanted = type_words(wanted.unwrap_or(Types::ANY));
    let found = type_words(Types::of(value));
    Diagnostic::new(
        &rules::SELECTOR_WRONG_TYPE,
        span,
        format!("partition `{}` is never {found}", projection.field),
    )
    .label(format!("this is {found}, and no document is in such a partition"))
    .also(projection_place(read.declared, &projection.field), format!("the partition is {wanted}"))
    .help(format!("select a value that is {wanted}"))
}

fn selector_empty_string(projection: &Projection, span: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::SELECTOR_EMPTY_STRING,
        span,
        format!("the empty string of `{}` cannot be selected", projection.field),
    )
    .label("a partition of this value has no name")
    .help("select another value, or select in the lambda")
}

fn not_before_after_order(before: Span, after: Span) -> Diagnostic {
    Diagnostic::new(
        &rules::NOT_BEFORE_AFTER_ORDER,
        before,
        "`notBefore` is later than `notAfter`".to_owned(),
    )
    .label("documents published before this are skipped")
    .also(after, "and those published after this, so none is left")
    .help("exchange the two times")
}
