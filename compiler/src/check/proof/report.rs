//! What is said of proofs.

use std::collections::BTreeSet;

use tidegate_stdlib::bundle::Script;
use tidegate_stdlib::lambda::sqlite::RowForm;
use tidegate_stdlib::shape::Gap;
use tidegate_stdlib::value::Pointer;

use super::tables::Tables;
use super::{Doubt, Parsed, doubts};
use crate::check::checked::Proof;
use crate::check::lambdas::{Database, Prepared};
use crate::check::locations::type_place;
use crate::check::refute::{self, Sighting};
use crate::check::sql_advice::{self, LambdaSubject, place_of};
use crate::diag::{Diagnostic, Sink, rules};
use crate::source::Span;

/// Proves or refutes that the rows of each lambda fit. Of collections that are not sound nothing is said: a parameter may then stand for
/// another location than was meant.
pub(in crate::check) fn check(
    database: &Database,
    migrations: &[Script],
    lambdas: &[Option<Prepared<'_>>],
    sink: &mut Sink,
) -> Vec<Option<Proof>> {
    let parsed: Vec<Vec<Parsed>> = lambdas.iter().map(parsed).collect();
    let migrations: Vec<&str> = migrations.iter().map(|it| it.text.as_str()).collect();
    let all: Vec<Parsed> = parsed.iter().flatten().cloned().collect();
    let tables = Tables::of(database.connection(), &migrations, &all);
    let mut verdict = |prepared: &Prepared<'_>, parsed: &[Parsed]| {
        let subject = prepared.subject();
        let is_sound = subject.read.known.is_sound && subject.derived.known.is_sound;
        let (proof, refused) = if is_sound {
            judge(database, subject, parsed, &tables, sink)
        } else {
            (Proof::NotProved, None)
        };
        sql_advice::check_columns(subject, refused.as_ref(), sink);
        proof
    };
    let pairs = lambdas.iter().zip(&parsed);
    pairs.map(|(prepared, parsed)| prepared.as_ref().map(|it| verdict(it, parsed))).collect()
}

/// The statements of a lambda.
fn parsed(prepared: &Option<Prepared<'_>>) -> Vec<Parsed> {
    let Some(prepared) = prepared else { return Vec::new() };
    let subject = prepared.subject();
    let read = &subject.read.known.checked.effective_read_schema().shape;
    subject.lambda.statements().map(|statement| Parsed::of_lambda(statement, read)).collect()
}

/// The verdict, and the column of which it was seen that it has no boolean where the schema wants one.
fn judge(
    database: &Database,
    subject: LambdaSubject<'_>,
    parsed: &[Parsed],
    tables: &Tables,
    sink: &mut Sink,
) -> (Proof, Option<Pointer>) {
    if subject.derived.known.validators.is_none() {
        return (Proof::NotProved, None);
    }
    let names = column_names(subject);
    let schema = subject.derived.known.checked.write_schema.about(names.as_ref());
    let mut found = Vec::new();
    for (index, (statement, parsed)) in subject.lambda.statements().zip(parsed).enumerate() {
        let doubts = doubts(statement, parsed, tables, &schema);
        found.extend(doubts.into_iter().map(|doubt| (index, doubt)));
    }
    if found.is_empty() {
        return (Proof::Proved, None);
    }
    let sighting = refute::check(database, subject, sink);
    let is_refuted = sighting != Sighting::Nothing;
    for (statement, doubt) in &found {
        match doubt {
            Doubt::MayBeJson(gap) => sink.report(text_parsed_as_json(subject, *statement, gap)),
            _ if is_refuted => {}
            Doubt::MayNotFit(gap) if refute::is_boolean_column(&gap.pointer, subject) => {}
            Doubt::MayNotFit(gap) => sink.report(may_not_fit(subject, *statement, gap)),
            Doubt::MayBeInfinite(gap) => sink.report(may_be_infinite(subject, *statement, gap)),
            Doubt::NotUnderstood(what) => sink.report(not_understood(subject, *statement, what)),
        }
    }
    match sighting {
        Sighting::Nothing => (Proof::NotProved, None),
        Sighting::Told => (Proof::Refuted, None),
        Sighting::NoBoolean(pointer) => (Proof::Refuted, Some(pointer)),
    }
}

/// The properties that the documents of a lambda may have; nothing when it makes documents of its own.
fn column_names(subject: LambdaSubject<'_>) -> Option<BTreeSet<&str>> {
    let mut all = BTreeSet::new();
    for statement in subject.lambda.statements() {
        match statement.row_form() {
            RowForm::Document => return None,
            RowForm::Properties(names) => all.extend(names.iter().map(String::as_str)),
        }
    }
    Some(all)
}

/// Where a column gets its name, or else its statement.
fn place(subject: LambdaSubject<'_>, statement: usize, pointer: Option<&Pointer>) -> Span {
    let statement = subject.lambda.statements().nth(statement);
    let range = statement.map_or(0..0, |statement| statement.range());
    let column = pointer.and_then(|pointer| pointer.tokens().first());
    let is_document = statement.is_none_or(|it| it.row_form() == RowForm::Document);
    let text = subject.script.script.text.get(range.clone()).unwrap_or_default();
    match column {
        Some(column) if !is_document => place_of(text, &range, &column.property(), subject.script),
        _ => subject.script.span(range),
    }
}

/// How a location is called.
fn name(pointer: &Pointer) -> String {
    if pointer.is_root() { "the document".to_owned() } else { format!("`{}`", pointer.field()) }
}

fn may_not_fit(subject: LambdaSubject<'_>, statement: usize, gap: &Gap) -> Diagnostic {
    let schema = &subject.derived.known.checked.write_schema;
    let name = name(&gap.pointer);
    let help = match gap.value.as_str() {
        value if value == "null" || value.ends_with(" or null") || value.contains("null or") => {
            "give a value with COALESCE, require the field in the source, or admit null"
        }
        _ => "narrow the value in the lambda or in the source, or widen the schema",
    };
    not_proved(subject, statement, Some(&gap.pointer))
        .label(format!("{name} may be {} here", gap.value))
        .also(schema.value_place(&gap.schema_pointer), format!("`{}` may refuse it", gap.keyword))
        .help(help)
}

fn may_be_infinite(subject: LambdaSubject<'_>, statement: usize, gap: &Gap) -> Diagnostic {
    let schema = &subject.derived.known.checked.write_schema;
    let name = name(&gap.pointer);
    not_proved(subject, statement, Some(&gap.pointer))
        .label(format!("{name} may be an infinite number here, which is published as a text"))
        .also(schema.value_place(&gap.schema_pointer), format!("`{}` refuses that", gap.keyword))
        .help("keep it in a STRICT table as INTEGER, or bound what it is made of in the source")
}

fn not_understood(subject: LambdaSubject<'_>, statement: usize, what: &str) -> Diagnostic {
    not_proved(subject, statement, None)
        .label(format!("the proof does not understand {what}"))
        .help("write it in a simpler way, or leave it to the tests of the catalog")
}

fn not_proved(subject: LambdaSubject<'_>, statement: usize, at: Option<&Pointer>) -> Diagnostic {
    let derived = subject.derived.declared.name();
    let message = format!("it is not proved that `{derived}` admits all that the lambda gives");
    Diagnostic::new(&rules::LAMBDA_NOT_PROVED, place(subject, statement, at), message)
        .note("no document was found whose result is refused")
}

fn text_parsed_as_json(subject: LambdaSubject<'_>, statement: usize, gap: &Gap) -> Diagnostic {
    let schema = &subject.derived.known.checked.write_schema;
    let name = name(&gap.pointer);
    let message = format!("a text in {name} may become an array or object");
    let span = place(subject, statement, Some(&gap.pointer));
    Diagnostic::new(&rules::TEXT_PARSED_AS_JSON, span, message)
        .label("a text such as `[1]` is parsed as JSON when it is published")
        .also(type_place(schema, &gap.pointer), "the schema does not admit arrays and objects here")
        .help(
            "give the text a `pattern` in the source, such as `^[^\\[{]`, or publish one JSON \
             document: `SELECT JSON_OBJECT(…)`",
        )
}
