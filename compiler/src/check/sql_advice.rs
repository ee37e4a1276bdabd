//! What SQL of lambdas and migrations does that its author may not expect.
//!
//! All of it are warnings or hints about texts that SQLite has prepared. They are told by tokens and by the names of result columns;
//! proofs about values are not made here.

use std::collections::BTreeSet;
use std::ops::Range;

use tidegate_stdlib::lambda::sqlite::{
    Call, Lambda, calls, column_place, mentions, split, texts_in_calls,
};
use tidegate_stdlib::shape::{Exists, Shape, Types};
use tidegate_stdlib::value::{Pointer, Token};

use super::locations::{declaration_place, type_place};
use super::selectors::ReadCollection;
use crate::catalog::{BundledSchema, ScriptSource};
use crate::diag::{Diagnostic, Severity, Sink, rules};
use crate::source::Span;

/// Functions of the optional maths extension of SQLite, sorted.
const MATHS_FUNCTIONS: &[&str] = &[
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh",
    "degrees", "exp", "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power",
    "radians", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
];

/// Functions whose result is another at each call, or depends on what ran before.
const UNREPEATABLE_FUNCTIONS: &[&str] = &["random", "randomblob"];
/// Functions that tell of the statement before: in a first statement, of one of another document.
const FUNCTIONS_OF_PAST: &[&str] = &["changes", "last_insert_rowid", "total_changes"];
/// Functions that tell the present time when they have no argument.
const TIME_FUNCTIONS: &[&str] = &["date", "datetime", "julianday", "time", "unixepoch"];
/// Functions that take `now` for the present time.
const FUNCTIONS_OF_TIME: &[&str] =
    &["date", "datetime", "julianday", "strftime", "time", "timediff", "unixepoch"];
const WORDS_OF_TIME: &[&str] = &["current_date", "current_time", "current_timestamp"];

/// Functions that other tools may lack; a text is reported once, at the first of them.
pub(super) fn check_portability(script: &ScriptSource, noun: &str, sink: &mut Sink) {
    let text = &script.script.text;
    let name_of = |call: &Call| text.get(call.name.clone()).unwrap_or_default();
    let mut calls = calls(text);
    calls.retain(|call| is_one_of(name_of(call), MATHS_FUNCTIONS));
    let names: BTreeSet<String> = calls.iter().map(|call| name_of(call).to_lowercase()).collect();
    if let Some(first) = calls.first() {
        let place = script.span(first.name.clone());
        sink.report(not_portable_function(name_of(first), place, noun, &names));
    }
}

/// A lambda, what it reads and what it makes.
#[derive(Clone, Copy)]
pub(super) struct LambdaSubject<'l> {
    pub(super) script: &'l ScriptSource,
    pub(super) lambda: &'l Lambda,
    pub(super) read: ReadCollection<'l>,
    /// The collection that is derived.
    pub(super) derived: ReadCollection<'l>,
}

/// A task that is restarted runs a lambda again; it should then make the same of a document.
pub(super) fn check_repeatability(script: &ScriptSource, sink: &mut Sink) {
    let text = &script.script.text;
    let first_end = split(text).ok().and_then(|ranges| ranges.first().map(|first| first.end));
    for call in calls(text) {
        let name = text.get(call.name.clone()).unwrap_or_default();
        let is_first = first_end.is_none_or(|end| call.name.start < end);
        let label = if is_one_of(name, UNREPEATABLE_FUNCTIONS) {
            "this has another value at each call"
        } else if call.is_empty && is_one_of(name, TIME_FUNCTIONS) {
            "without arguments this is the present time"
        } else if call.is_empty && is_first && is_one_of(name, FUNCTIONS_OF_PAST) {
            "here this tells of the lambda that ran before"
        } else {
            continue;
        };
        sink.report(lambda_not_repeatable(name, script.span(call.name), label));
    }
    // `now` is a time only where a function of time takes it, the others only as words.
    let words = mentions(text, WORDS_OF_TIME).into_iter();
    let words =
        words.filter(|range| !text.get(range.clone()).is_some_and(|it| it.starts_with('\'')));
    let texts = texts_in_calls(text, FUNCTIONS_OF_TIME).into_iter();
    let texts = texts.filter(|range| is_now(text.get(range.clone()).unwrap_or_default()));
    for range in words.chain(texts) {
        let word = text.get(range.clone()).unwrap_or_default();
        let span = script.span(range);
        sink.report(lambda_not_repeatable(word, span, "this is the present time"));
    }
}

/// Whether a text of SQL is `now`.
fn is_now(quoted: &str) -> bool {
    quoted.trim_matches('\'').eq_ignore_ascii_case("now")
}

/// The columns of the rows that become documents. Of the one at `refused` it has been seen that the derived collection refuses it.
pub(super) fn check_columns(
    subject: LambdaSubject<'_>,
    refused: Option<&Pointer>,
    sink: &mut Sink,
) {
    let LambdaSubject { script, lambda, derived, .. } = subject;
    if derived.known.validators.is_none() {
        return;
    }
    let text = &script.script.text;
    let schema = &derived.known.checked.write_schema;
    let Ok(statements) = split(text) else { return };
    for (range, columns) in statements.iter().zip(lambda.columns()) {
        let statement = text.get(range.clone()).unwrap_or_default();
        for column in columns {
            let pointer = Pointer::default().child(Token::Property(column.clone()));
            let (shape, exists) = schema.shape.locate(&pointer);
            if !matches!(exists, Exists::Must | Exists::May) {
                continue;
            }
            let column = Column { name: &column, pointer: &pointer, shape: &shape, schema };
            if shape.types.without(Types::NULL) == Types::BOOLEAN {
                let place = place_of(statement, range, column.name, script);
                let mut diagnostic = boolean_from_sql(&column, place);
                if refused == Some(column.pointer) {
                    diagnostic.severity = Severity::Error;
                }
                sink.report(diagnostic);
            }
        }
    }
}

/// A column of the result, and the property that it becomes.
struct Column<'c> {
    name: &'c str,
    pointer: &'c Pointer,
    shape: &'c Shape,
    schema: &'c BundledSchema,
}

/// Where a column gets its name, or else the whole statement.
pub(super) fn place_of(
    statement: &str,
    range: &Range<usize>,
    column: &str,
    script: &ScriptSource,
) -> Span {
    let parameter = format!("${}", column.replace('/', "$"));
    let found = column_place(statement, column).or_else(|| column_place(statement, &parameter));
    script.span(found.map_or_else(|| range.clone(), |found| within(range, &found)))
}

/// Bytes of a statement as bytes of the whole text.
fn within(statement: &Range<usize>, found: &Range<usize>) -> Range<usize> {
    statement.start + found.start..statement.start + found.end
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|each| each.eq_ignore_ascii_case(name))
}

fn not_portable_function(
    name: &str,
    span: Span,
    noun: &str,
    names: &BTreeSet<String>,
) -> Diagnostic {
    let message = format!("`{name}` is not in every build of SQLite");
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    Diagnostic::new(&rules::NOT_PORTABLE_FUNCTION, span, message)
        .label(format!("other tools refuse a {noun} with this function"))
        .note(format!("functions of mathematics are built in here; this text uses {names}"))
        .help("compute it otherwise where the catalog has to run elsewhere too")
}

fn lambda_not_repeatable(name: &str, span: Span, label: &str) -> Diagnostic {
    let message = format!("`{name}` is another value when the lambda runs again");
    Diagnostic::new(&rules::LAMBDA_NOT_REPEATABLE, span, message)
        .label(label.to_owned())
        .note("a transaction that failed is repeated, and so is a task that reads anew")
        .help("derive the value from the document, as from `$flow_published_at`")
}

fn boolean_from_sql(column: &Column<'_>, span: Span) -> Diagnostic {
    let Column { name, pointer, shape, schema } = column;
    let message = format!("column `{name}` is never a boolean");
    let admitted = super::keys::type_words(shape.types);
    Diagnostic::new(&rules::BOOLEAN_FROM_SQL, span, message)
        .label("SQLite has no booleans: this gives 0, 1 or NULL")
        .also(
            type_place(schema, *pointer).or_else(|| declaration_place(schema, *pointer)),
            format!("the schema admits {admitted} here"),
        )
        .help(
            "publish one JSON document: `SELECT JSON_OBJECT(…, JSON(IIF(…, 'true', 'false')))`"
                .to_owned(),
        )
}
