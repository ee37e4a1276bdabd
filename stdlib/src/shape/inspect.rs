//! Static mistakes of a schema that show on its shape.

use serde_json::Value;

use super::{Exists, Inspection, InspectionKind, Path, Reduce, Shape, Step, Types};
use crate::value::Token;

pub(super) fn inspect(root: &Shape) -> Vec<Inspection> {
    let mut visitor = Visitor { ways: Vec::new(), found: Vec::new() };
    visitor.visit(root, Exists::Must);
    visitor.found
}

/// Every part of a shape and how it is reached, outer ones before inner ones.
pub(super) fn parts(root: &Shape) -> Vec<(Path, &Shape)> {
    fn add<'s>(shape: &'s Shape, path: &Path, parts: &mut Vec<(Path, &'s Shape)>) {
        parts.push((path.clone(), shape));
        for child in children(shape, Exists::May) {
            let mut path = path.clone();
            path.steps.push(child.way.to_step());
            add(child.shape, &path, parts);
        }
    }
    let mut found = Vec::new();
    add(root, &Path::default(), &mut found);
    found
}

struct Visitor<'s> {
    /// The way to the shape that is visited.
    ways: Vec<Way<'s>>,
    found: Vec<Inspection>,
}

impl<'s> Visitor<'s> {
    fn visit(&mut self, shape: &'s Shape, exists: Exists) {
        if exists == Exists::Must && shape.types.is_none() {
            self.report(InspectionKind::ImpossibleMustExist, shape);
        }
        if shape.default_fault.is_some() {
            self.report(InspectionKind::InvalidDefaultValue, shape);
        }
        if let Some(kind) = strategy_fault(shape) {
            self.report(kind, shape);
        }
        if let Some(kind) = redaction_fault(shape, exists) {
            self.report(kind, shape);
        }
        let in_set = strategy(shape) == Some("set");
        for Child { way, shape: inner, exists } in children(shape, exists) {
            self.ways.push(way);
            if inner.reduce != Reduce::Unset && shape.reduce == Reduce::Unset {
                self.report(InspectionKind::ChildWithoutParentReduction, inner);
            }
            if in_set && way.is_no_term() {
                self.report(InspectionKind::SetInvalidProperty, inner);
            }
            self.visit(inner, exists);
            self.ways.pop();
        }
    }

    fn report(&mut self, kind: InspectionKind, shape: &Shape) {
        let steps = self.ways.iter().map(|way| way.to_step()).collect();
        self.found.push(Inspection { path: Path { steps }, types: shape.types, kind });
    }
}

/// A step whose names are those of the shape: most steps are taken without a word.
#[derive(Debug, Clone, Copy)]
enum Way<'s> {
    Property(&'s str),
    Index(usize),
    Pattern(&'s str),
    Items,
    Others,
}

impl Way<'_> {
    fn to_step(self) -> Step {
        match self {
            Self::Property(name) => Step::Token(Token::Property(name.to_owned())),
            Self::Index(index) => Step::Token(Token::Index(index)),
            Self::Pattern(pattern) => Step::Pattern(pattern.to_owned()),
            Self::Items => Step::Items,
            Self::Others => Step::Others,
        }
    }

    /// Whether it is a property, by name or pattern, that a set does not have.
    fn is_no_term(self) -> bool {
        match self {
            Self::Property(name) => !matches!(name, "add" | "intersect" | "remove"),
            Self::Pattern(_) => true,
            Self::Index(_) | Self::Items | Self::Others => false,
        }
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
    way: Way<'s>,
    shape: &'s Shape,
    exists: Exists,
}

fn children(shape: &Shape, exists: Exists) -> Vec<Child<'_>> {
    let mut children = Vec::new();
    let may = exists.min(Exists::May);
    let if_it = |must: bool| if must { exists } else { may };
    for (index, item) in shape.array.tuple.iter().enumerate() {
        let must = shape.types == Types::ARRAY && (index as u64) < shape.array.min_items;
        let way = Way::Index(index);
        children.push(Child { way, shape: item, exists: if_it(must) });
    }
    for property in &shape.object.properties {
        let must = shape.types == Types::OBJECT && property.required;
        let way = Way::Property(&property.name);
        children.push(Child { way, shape: &property.shape, exists: if_it(must) });
    }
    for pattern in &shape.object.patterns {
        let way = Way::Pattern(&pattern.pattern);
        children.push(Child { way, shape: &pattern.shape, exists: may });
    }
    let (items, properties) = (&shape.array.additional, &shape.object.additional);
    let must =
        shape.types == Types::ARRAY && shape.array.min_items > shape.array.tuple.len() as u64;
    for (other, way, exists) in [(items, Way::Items, if_it(must)), (properties, Way::Others, may)] {
        let Some(other) = other else { continue };
        children.push(Child { way, shape: other, exists });
    }
    children
}
