//! Static mistakes of a schema that show on its shape.

use std::borrow::Cow;

use serde_json::Value;

use super::{Exists, Inspection, InspectionKind, Reduce, Shape, Types};
use crate::value::escape;

pub(super) fn inspect(root: &Shape) -> Vec<Inspection> {
    let mut found = Vec::new();
    visit(root, &mut String::new(), Exists::Must, &mut found);
    found
}

fn visit(shape: &Shape, pointer: &mut String, exists: Exists, found: &mut Vec<Inspection>) {
    let mut report = |kind| found.push(Inspection { pointer: pointer.clone(), kind });
    if exists == Exists::Must && shape.types.is_none() {
        report(InspectionKind::ImpossibleMustExist);
    }
    if shape.default_fault.is_some() {
        report(InspectionKind::InvalidDefaultValue);
    }
    if let Some(kind) = strategy_fault(shape) {
        report(kind);
    }
    if let Some(kind) = redaction_fault(shape, exists) {
        report(kind);
    }
    let in_set = strategy(shape) == Some("set");
    let length = pointer.len();
    for child in children(shape, exists) {
        pointer.push('/');
        pointer.push_str(&child.step);
        let mut report = |kind| found.push(Inspection { pointer: pointer.clone(), kind });
        if child.shape.reduce != Reduce::Unset && shape.reduce == Reduce::Unset {
            report(InspectionKind::ChildWithoutParentReduction);
        }
        let is_term = matches!(&*child.step, "add" | "intersect" | "remove");
        if in_set && child.is_property && !is_term {
            report(InspectionKind::SetInvalidProperty);
        }
        visit(child.shape, pointer, child.exists, found);
        pointer.truncate(length);
    }
}

/// What a strategy dislikes about the types of its own location.
fn strategy_fault(shape: &Shape) -> Option<InspectionKind> {
    match strategy(shape)? {
        "sum" => {
            let format = shape.string.format.as_deref();
            let numeric_text = matches!(format, Some("integer" | "number"));
            let allowed =
                if numeric_text { Types::NUMBER.or(Types::STRING) } else { Types::NUMBER };
            (!shape.types.within(allowed)).then_some(InspectionKind::SumNotNumber)
        }
        "merge" => (!shape.types.within(Types::OBJECT.or(Types::ARRAY)))
            .then_some(InspectionKind::MergeNotObjectOrArray),
        "set" => (shape.types != Types::OBJECT).then_some(InspectionKind::SetNotObject),
        _ => None,
    }
}

/// What a redaction cannot do to its own location.
fn redaction_fault(shape: &Shape, exists: Exists) -> Option<InspectionKind> {
    match named(&shape.redact)? {
        "block" => (exists == Exists::Must).then_some(InspectionKind::BlockRedactionMustExist),
        "sha256" => (!shape.types.overlaps(Types::STRING))
            .then_some(InspectionKind::Sha256RedactionNotString),
        _ => None,
    }
}

fn strategy(shape: &Shape) -> Option<&str> {
    named(&shape.reduce)
}

/// The strategy of an annotation, when there is a single one.
fn named(annotation: &Reduce) -> Option<&str> {
    match annotation {
        Reduce::Strategy(annotation) => annotation.get("strategy").and_then(Value::as_str),
        Reduce::Unset | Reduce::Multiple => None,
    }
}

struct Child<'s> {
    step: Cow<'s, str>,
    shape: &'s Shape,
    exists: Exists,
    /// Whether it is a named property or a pattern.
    is_property: bool,
}

fn children(shape: &Shape, exists: Exists) -> Vec<Child<'_>> {
    let mut children = Vec::new();
    for (index, item) in shape.array.tuple.iter().enumerate() {
        let must = shape.types == Types::ARRAY && (index as u64) < shape.array.min_items;
        let exists = if must { exists } else { exists.min(Exists::May) };
        children.push(Child {
            step: index.to_string().into(),
            shape: item,
            exists,
            is_property: false,
        });
    }
    for property in &shape.object.properties {
        let must = shape.types == Types::OBJECT && property.required;
        children.push(Child {
            step: escape(&property.name),
            shape: &property.shape,
            exists: if must { exists } else { exists.min(Exists::May) },
            is_property: true,
        });
    }
    for pattern in &shape.object.patterns {
        children.push(Child {
            step: escape(&pattern.pattern),
            shape: &pattern.shape,
            exists: exists.min(Exists::May),
            is_property: true,
        });
    }
    let (items, properties) = (&shape.array.additional, &shape.object.additional);
    let must =
        shape.types == Types::ARRAY && shape.array.min_items > shape.array.tuple.len() as u64;
    let of_items = if must { exists } else { exists.min(Exists::May) };
    for (other, exists) in [(items, of_items), (properties, exists.min(Exists::May))] {
        let Some(other) = other else { continue };
        children.push(Child { step: "*".into(), shape: other, exists, is_property: false });
    }
    children
}
