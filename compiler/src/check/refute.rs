//! Lambdas tried on documents: one that their source admits, whose result the derived collection refuses, is shown.
//!
//! Every lambda runs on candidates at the edges of what its source admits, in the engine that the runtime uses, with empty tables and
//! once more with what the first run left in them. So what is told has been seen, and is never a false alarm; that nothing was seen
//! proves nothing. Left out are texts that are parsed as JSON and numbers near the edge of doubles: the first have a hint of their own.
//! Statements that fail are not told either: they stop the task, but publish nothing wrong.

use serde_json::Value;
use tidegate_stdlib::bundle::FLOW_DOCUMENT;
use tidegate_stdlib::document::{
    Builder, Document, Node, Number, View, copy_unstamped, copy_with_empty_meta, equal, is_stamped,
};
use tidegate_stdlib::lambda::sqlite::split;
use tidegate_stdlib::schema::{Schema, Violation};
use tidegate_stdlib::shape::{PropertyShape, Shape, Types};
use tidegate_stdlib::value::{Pointer, Token};

use super::lambdas::{Database, Trial};
use super::sql_advice::{LambdaSubject, place_of};
use super::witness;
use crate::catalog::BundledSchema;
use crate::diag::{Diagnostic, Sink, rules};
use crate::limits::{LAMBDA_TRIAL_ROWS_MAX, LAMBDA_TRIALS_MAX};
use crate::source::Span;

/// Doubles beyond this are not tried: with them, sums and products may leave the range of doubles.
const NUMBER_TRIED_MAX: f64 = 1e15;
/// How many bytes of a document a note shows.
const DOCUMENT_BYTES_SHOWN: usize = 200;

/// What was seen.
pub(super) struct Refutation {
    /// A document that the source admits.
    pub(super) document: Value,
    /// What the lambda made of it.
    pub(super) row: Value,
    /// Why the derived collection refuses that.
    pub(super) violation: Violation,
}

impl Refutation {
    /// The diagnostic at what makes the row of the collection `derived`, whose schema refuses it; its help is for who knows the lambda.
    pub(super) fn diagnostic(
        &self,
        span: Span,
        derived: &str,
        schema: &BundledSchema,
    ) -> Diagnostic {
        let Self { document, row, violation } = self;
        let message = format!("the lambda gives documents that `{derived}` refuses");
        Diagnostic::new(&rules::LAMBDA_OUTPUT_MISMATCH, span, message)
            .label(violation.message.clone())
            .also(
                schema.value_place(&violation.schema_pointer),
                format!("`{}` refuses it", violation.keyword),
            )
            .note(format!("from {}", shown(document)))
            .note(format!("it makes {}", shown(row)))
    }
}

/// What was seen of a lambda.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sighting {
    /// No document whose result is refused.
    Nothing,
    /// One whose result is refused, which is told.
    Told,
    /// One whose result has no boolean in the column of this location, which is left to the advice about such columns.
    NoBoolean(Pointer),
}

/// Looks for a document whose result does not fit the derived collection.
pub(super) fn check(database: &Database, subject: LambdaSubject<'_>, sink: &mut Sink) -> Sighting {
    let Some(refutation) = refute(database, subject) else { return Sighting::Nothing };
    let schema = &subject.derived.known.checked.write_schema.shape;
    let pointer = Pointer::parse(&refutation.violation.instance_pointer).unwrap_or_default();
    if is_boolean_column(&pointer, subject) {
        return Sighting::NoBoolean(pointer);
    }
    // A schema that contradicts itself refuses whatever there is.
    if schema.inspect().is_empty() {
        sink.report(lambda_output_mismatch(subject, &refutation));
    }
    Sighting::Told
}

/// Whether the schema wants a boolean at a location that is a column, not a part of a JSON document.
pub(super) fn is_boolean_column(pointer: &Pointer, subject: LambdaSubject<'_>) -> bool {
    let [token] = pointer.tokens() else { return false };
    let (shape, _) = subject.derived.known.checked.write_schema.shape.locate(pointer);
    let mut columns = subject.lambda.columns().into_iter();
    shape.types.without(Types::NULL) == Types::BOOLEAN
        && columns.any(|columns| columns.contains(&token.property()))
}

fn refute(database: &Database, subject: LambdaSubject<'_>) -> Option<Refutation> {
    let LambdaSubject { lambda, read, derived, .. } = subject;
    let shape = &read.known.checked.effective_read_schema().shape;
    let read_locations = read_locations(subject);
    if !is_suspect(database, subject, &read_locations) {
        return None;
    }
    let admitting = read.known.validators.as_ref()?;
    let admitting = admitting.read.as_ref().unwrap_or(&admitting.write).schema();
    let refusing = derived.known.validators.as_ref()?.write.schema();
    let is_read = |location: &Pointer| {
        read_locations.iter().any(|read| location.tokens().starts_with(read.tokens()))
    };
    let candidates = witness::candidates_at(shape, &is_read).into_iter();
    let tried = candidates
        .filter(is_tame)
        .map(Trial::new)
        .filter(|trial| admitting.is_valid_node(trial.root()))
        .take(LAMBDA_TRIALS_MAX);
    database.try_out(lambda, tried, &|trial, rows| {
        let rows = rows.iter().take(LAMBDA_TRIAL_ROWS_MAX);
        let row = rows.into_iter().find_map(|row| refused(row, refusing))?;
        let violation = *refusing.validate(&row).err()?;
        Some(Refutation { document: trial.value().clone(), row, violation })
    })
}

/// What a schema refuses of a row: the row as it is published, without the UUID that was given with its source.
pub(super) fn refused(row: Node<'_>, refusing: &Schema) -> Option<Value> {
    if refusing.is_valid_node(row) {
        return None;
    }
    if !is_stamped(row) {
        return Some(row.to_value());
    }
    let mut builder = Builder::default();
    let stamp = copy_unstamped(row, &mut builder);
    let published = builder.finish();
    let mut with_meta = Builder::default();
    copy_with_empty_meta(published.root(), &mut with_meta);
    let is_valid = refusing.is_valid_node(published.root())
        || stamp.emptied && refusing.is_valid_node(with_meta.root());
    (!is_valid).then(|| published.root().to_value())
}

/// The locations that the lambda reads.
fn read_locations(subject: LambdaSubject<'_>) -> Vec<Pointer> {
    let checked = &subject.read.known.checked;
    let location = |field: String| {
        if field == FLOW_DOCUMENT {
            return Some(Pointer::default());
        }
        let projection = checked.projection(&field);
        let pointer = projection.map_or_else(|| format!("/{field}"), |it| it.pointer.clone());
        Pointer::parse(&pointer).ok()
    };
    subject.lambda.fields().into_iter().filter_map(location).collect()
}

/// Whether there may be something to find. Most lambdas are settled by this: it tries documents that have only what the lambda
/// reads, and looks at them and at their rows by the shapes of the collections, so that no schema has to be compiled.
fn is_suspect(database: &Database, subject: LambdaSubject<'_>, read: &[Pointer]) -> bool {
    let schema = &subject.derived.known.checked.write_schema;
    if schema.keywords.has_any(BEYOND_SHAPES) {
        return true;
    }
    let shape = &subject.read.known.checked.effective_read_schema().shape;
    let tokens: Vec<&[Token]> = read.iter().map(Pointer::tokens).collect();
    let part = part_of(shape, &tokens);
    let candidates = witness::candidates_at(&part, &|_| true).into_iter();
    let tried = candidates
        .filter(is_tame)
        .map(Trial::new)
        .filter(|trial| admits(&part, trial.root(), Undecided::Admitted))
        .take(LAMBDA_TRIALS_MAX);
    let found = database.try_out(subject.lambda, tried, &|_, rows| {
        let mut rows = rows.iter().take(LAMBDA_TRIAL_ROWS_MAX);
        rows.any(|row| !admits(&schema.shape, row, Undecided::Refused)).then_some(())
    });
    found.is_some()
}

/// Keywords that a shape does not know of, or not all of.
const BEYOND_SHAPES: &[&str] = &[
    "anyOf",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if",
    "maxProperties",
    "minProperties",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "x-str-maximum",
    "x-str-minimum",
];

/// A shape with nothing but some locations and what lies on the way to them.
fn part_of(shape: &Shape, locations: &[&[Token]]) -> Shape {
    if locations.iter().any(|tokens| tokens.is_empty()) {
        return shape.clone();
    }
    let mut part = Shape::of_types(shape.types);
    part.enumeration.clone_from(&shape.enumeration);
    let names = |name: &str| {
        let rest = locations.iter().filter_map(|tokens| {
            let (first, rest) = tokens.split_first()?;
            (first.property() == name).then_some(rest)
        });
        rest.collect::<Vec<&[Token]>>()
    };
    for property in &shape.object.properties {
        let below = names(&property.name);
        if !below.is_empty() {
            let shape = part_of(&property.shape, &below);
            part.object.properties.push(PropertyShape { shape, ..property.clone() });
        }
    }
    if locations.iter().any(|tokens| matches!(tokens.first(), Some(Token::Index(_)))) {
        part.array = shape.array.clone();
    }
    part
}

/// What becomes of a value that its shape does not decide about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undecided {
    Admitted,
    Refused,
}

/// Whether a value satisfies the schema of a shape: with [`Undecided::Admitted`], one that is refused is surely refused by the
/// schema; with [`Undecided::Refused`], one that is admitted is surely admitted, unless the schema has a keyword beyond shapes.
fn admits(shape: &Shape, node: Node<'_>, undecided: Undecided) -> bool {
    if let Some(values) = &shape.enumeration {
        let mut values = values.iter().map(Document::from_value);
        return values.any(|value| equal(value.root(), node));
    }
    let has = |types| shape.types.overlaps(types);
    match node.view() {
        View::Null => has(Types::NULL),
        View::Boolean(_) => has(Types::BOOLEAN),
        View::Number(number) => {
            let types = if number.is_whole() { Types::INTEGER } else { Types::FRACTIONAL };
            let bound = |bound: &Option<serde_json::Number>| bound.as_ref().map(Number::from);
            has(types)
                && bound(&shape.numeric.minimum).is_none_or(|least| number.compare(least).is_ge())
                && bound(&shape.numeric.maximum).is_none_or(|most| number.compare(most).is_le())
        }
        View::String(text) => {
            let length = text.chars().count() as u64;
            has(Types::STRING)
                && (shape.string.format.is_none() || undecided == Undecided::Admitted)
                && shape.string.min_length <= length
                && shape.string.max_length.is_none_or(|most| length <= most)
        }
        View::Array(items) => {
            let length = items.len() as u64;
            let item = |(index, node)| {
                let item = shape.array.tuple.get(index).or(shape.array.additional.as_deref());
                item.is_none_or(|item| admits(item, node, undecided))
            };
            has(Types::ARRAY)
                && shape.array.min_items <= length
                && shape.array.max_items.is_none_or(|most| length <= most)
                && items.enumerate().all(item)
        }
        View::Object(mut properties) => {
            let object = &shape.object;
            let named = |name: &str| object.properties.iter().find(|it| it.name == name);
            let others = object.additional.as_deref().filter(|_| object.patterns.is_empty());
            let required = object.properties.iter().filter(|property| property.required);
            has(Types::OBJECT)
                && required.into_iter().all(|property| properties.get(&property.name).is_some())
                && properties.all(|(name, node)| {
                    let property = named(name).map(|property| &property.shape).or(others);
                    property.is_none_or(|property| admits(property, node, undecided))
                })
        }
    }
}

/// Whether nothing in a document is at an edge that is not tried.
pub(super) fn is_tame(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => {
            number.as_f64().is_some_and(|number| number.abs() <= NUMBER_TRIED_MAX)
        }
        Value::String(text) => !text.starts_with(['[', '{']),
        Value::Array(items) => items.iter().all(is_tame),
        Value::Object(properties) => properties.values().all(is_tame),
    }
}

fn lambda_output_mismatch(subject: LambdaSubject<'_>, refutation: &Refutation) -> Diagnostic {
    let Refutation { row, violation, .. } = refutation;
    let derived = subject.derived.declared.name();
    let schema = &subject.derived.known.checked.write_schema;
    let offending = row.pointer(&violation.instance_pointer);
    let help = match offending {
        Some(Value::Null) => {
            "give a value with COALESCE, require the field in the source, or admit null"
        }
        _ => "change the lambda, or what the schema admits",
    };
    refutation.diagnostic(place(subject, violation), derived, schema).help(help)
}

/// The column that is refused, else the first statement.
fn place(subject: LambdaSubject<'_>, violation: &Violation) -> Span {
    let text = &subject.script.script.text;
    let statements = split(text).unwrap_or_default();
    let pointer = Pointer::parse(&violation.instance_pointer).unwrap_or_default();
    let column = pointer.tokens().first().map(|token| token.property());
    let mut columns = statements.iter().zip(subject.lambda.columns());
    let found = columns.find_map(|(range, columns)| {
        let column = column.as_ref().filter(|column| columns.contains(column))?;
        let statement = text.get(range.clone())?;
        Some(place_of(statement, range, column, subject.script))
    });
    let first = || statements.first().cloned().unwrap_or(0..text.len());
    found.unwrap_or_else(|| subject.script.span(first()))
}

/// The text of a document, or its beginning.
pub(super) fn shown(document: &Value) -> String {
    let text = document.to_string();
    if text.len() <= DOCUMENT_BYTES_SHOWN {
        return text;
    }
    let end = text.floor_char_boundary(DOCUMENT_BYTES_SHOWN);
    format!("{}…", text.get(..end).unwrap_or_default())
}
