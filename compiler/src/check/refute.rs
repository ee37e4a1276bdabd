//! Lambdas tried on documents: one that their source admits, whose result the derived collection refuses, is shown.
//!
//! Every lambda runs on candidates at the edges of what its source admits, in the engine that the runtime uses, with empty tables and
//! once more with what the first run left in them. So what is told has been seen, and is never a false alarm; that nothing was seen
//! proves nothing. Left out are texts that are parsed as JSON and numbers near the edge of doubles: the first have a hint of their own.
//! Statements that fail are not told either: they stop the task, but publish nothing wrong.

use serde_json::Value;
use tidegate_stdlib::bundle::FLOW_DOCUMENT;
use tidegate_stdlib::lambda::sqlite::split;
use tidegate_stdlib::schema::Violation;
use tidegate_stdlib::shape::Types;
use tidegate_stdlib::value::Pointer;

use super::lambdas::Database;
use super::sql_advice::{LambdaSubject, place_of};
use super::witness;
use crate::diag::{Diagnostic, Sink, rules};
use crate::limits::{LAMBDA_TRIAL_ROWS_MAX, LAMBDA_TRIALS_MAX};
use crate::source::Span;

/// Doubles beyond this are not tried: with them, sums and products may leave the range of doubles.
const NUMBER_TRIED_MAX: f64 = 1e15;
/// How many bytes of a document a note shows.
const DOCUMENT_BYTES_SHOWN: usize = 200;

/// What was seen.
struct Refutation {
    document: Value,
    row: Value,
    violation: Violation,
}

/// Looks for a document whose result does not fit the derived collection. Of collections that are not sound nothing is said: a parameter
/// may then stand for another location than was meant.
pub(super) fn check(database: &Database, subject: LambdaSubject<'_>, sink: &mut Sink) {
    if !subject.read.known.is_sound || !subject.derived.known.is_sound {
        return;
    }
    let Some(refutation) = refute(database, subject) else { return };
    let schema = &subject.derived.known.checked.write_schema.shape;
    let pointer = Pointer::parse(&refutation.violation.instance_pointer).unwrap_or_default();
    let (shape, _) = schema.locate(&pointer);
    // A boolean has been told already, and a schema that contradicts itself refuses whatever there is.
    let is_told =
        shape.types.without(Types::NULL) == Types::BOOLEAN || !schema.inspect().is_empty();
    if !is_told {
        sink.report(lambda_output_mismatch(subject, &refutation));
    }
}

fn refute(database: &Database, subject: LambdaSubject<'_>) -> Option<Refutation> {
    let LambdaSubject { lambda, read, derived, .. } = subject;
    let admitting = read.known.validators.as_ref()?;
    let admitting = admitting.read.as_ref().unwrap_or(&admitting.write).schema();
    let refusing = derived.known.validators.as_ref()?.write.schema();
    let shape = &read.known.checked.effective_read_schema().shape;
    let fields = lambda.fields();
    let pointers: Vec<Pointer> = fields
        .iter()
        .filter_map(|field| {
            let projection = read.known.checked.projection(field);
            let pointer = projection.map_or_else(|| format!("/{field}"), |it| it.pointer.clone());
            Pointer::parse(&pointer).ok()
        })
        .collect();
    let reads_all = fields.iter().any(|field| field == FLOW_DOCUMENT);
    let is_read = |location: &Pointer| {
        reads_all || pointers.iter().any(|read| location.tokens().starts_with(read.tokens()))
    };
    let candidates = witness::candidates_at(shape, &is_read).into_iter();
    let tried = candidates
        .filter(|document| is_tame(document) && admitting.is_valid(document))
        .take(LAMBDA_TRIALS_MAX);
    database.try_out(lambda, tried, &|document, rows| {
        let rows = rows.iter().take(LAMBDA_TRIAL_ROWS_MAX);
        let mut refused = rows.filter(|row| !refusing.is_valid_node(*row));
        let row = refused.next()?.to_value();
        let violation = *refusing.validate(&row).err()?;
        Some(Refutation { document: document.clone(), row, violation })
    })
}

/// Whether nothing in a document is at an edge that is not tried.
fn is_tame(value: &Value) -> bool {
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
    let Refutation { document, row, violation } = refutation;
    let derived = subject.derived.declared.name();
    let schema = &subject.derived.known.checked.write_schema;
    let offending = row.pointer(&violation.instance_pointer);
    let help = match offending {
        Some(Value::Null) => {
            "give a value with COALESCE, require the field in the source, or admit null"
        }
        _ => "change the lambda, or what the schema admits",
    };
    let message = format!("the lambda gives documents that `{derived}` refuses");
    Diagnostic::new(&rules::LAMBDA_OUTPUT_MISMATCH, place(subject, violation), message)
        .label(violation.message.clone())
        .also(
            schema.value_place(&violation.schema_pointer),
            format!("`{}` refuses it", violation.keyword),
        )
        .note(format!("from {}", shown(document)))
        .note(format!("it makes {}", shown(row)))
        .help(help)
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

fn shown(document: &Value) -> String {
    let text = document.to_string();
    if text.len() <= DOCUMENT_BYTES_SHOWN {
        return text;
    }
    let end = text.floor_char_boundary(DOCUMENT_BYTES_SHOWN);
    format!("{}…", text.get(..end).unwrap_or_default())
}
