//! State that documents of several shards would share.
//!
//! Documents of one shuffle key meet in one shard, and each shard has tables of its own. A statement that changes a row which is found by
//! other values than the shuffle key, such as a count by product where documents are shuffled by customer, counts in each shard
//! anew. With one shard all is well, so that no test shows it.
//!
//! Only what can be told from a statement by itself is told: one row that is inserted, or changed when it is there, and rows that are changed
//! or removed by equality with parameters. Nothing is said where the values have the key of the source, which mostly tells the rest of a
//! document. That one value always goes with one shuffle key is beyond schemas; so it is a hint.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the trees of SQL have hundreds of kinds of nodes; of what is not named here nothing is said"
)]

use std::collections::BTreeMap;

use rusqlite::Connection;
use sqlparser::ast::{
    BinaryOperator, ConflictTarget, Expr, FromTable, Insert, OnConflict, OnConflictAction,
    OnInsert, SetExpr, SqliteOnConflict, Statement as Tree, TableFactor, TableObject,
    TableWithJoins, Value,
};
use tidegate_stdlib::bundle::Shuffle;
use tidegate_stdlib::lambda::sqlite::LambdaStatement;
use tidegate_stdlib::value::Pointer;

use super::lambdas::{Database, Prepared};
use super::proof::{parse, table_of_name};
use super::sql_advice::LambdaSubject;
use crate::diag::{Diagnostic, Sink, rules};
use crate::source::Span;

/// Rows that a statement changes.
struct Addressed {
    table: String,
    /// The locations of the values that they are found by.
    locations: Vec<Pointer>,
}

/// Looks at the statements of a lambda whose documents are shuffled by a key; the first one that stands out is told.
pub(super) fn check(
    database: &Database,
    prepared: &Prepared<'_>,
    shuffle: &Shuffle,
    shuffle_place: Span,
    sink: &mut Sink,
) {
    let Shuffle::Key(key) = shuffle else { return };
    let subject = prepared.subject();
    let key = key.iter().filter_map(|pointer| Pointer::parse(pointer).ok());
    let shape = &subject.read.known.checked.effective_read_schema().shape;
    // What is the same in all documents splits them in no way.
    let is_constant = |pointer: &Pointer| {
        let (located, _) = shape.locate(pointer);
        located.enumeration.is_some_and(|values| values.len() <= 1)
    };
    let key: Vec<Pointer> = key.filter(|pointer| !is_constant(pointer)).collect();
    if key.is_empty() {
        return;
    }
    for statement in subject.lambda.statements() {
        let Some(addressed) = addressed(statement, database.connection()) else { continue };
        if !is_told_by(&addressed.locations, &key) && !has_source_key(&addressed, subject) {
            let place = subject.script.span(statement.range());
            sink.report(state_keyed_otherwise(&addressed, &key, place, shuffle_place));
            return;
        }
    }
}

/// Whether each location is one of some others, or inside of one.
fn is_told_by(others: &[Pointer], locations: &[Pointer]) -> bool {
    locations
        .iter()
        .all(|location| others.iter().any(|other| location.tokens().starts_with(other.tokens())))
}

/// Whether the rows are found by what names a document, or a whole one.
fn has_source_key(addressed: &Addressed, subject: LambdaSubject<'_>) -> bool {
    let key = &subject.read.known.checked.key_pointers;
    let key: Vec<Pointer> = key.iter().filter_map(|it| Pointer::parse(it).ok()).collect();
    let is_of_runtime = |it: &Pointer| it.to_string().starts_with("/_meta");
    is_told_by(&addressed.locations, &key) || addressed.locations.iter().any(is_of_runtime)
}

/// What a statement changes by values of the document alone.
fn addressed(statement: LambdaStatement<'_>, connection: &Connection) -> Option<Addressed> {
    let parameters: BTreeMap<usize, Pointer> =
        statement.bindings().map(|(number, it)| (number, it.pointer.clone())).collect();
    let (table, values) = match parse(&statement.numbered_text())? {
        Tree::Insert(insert) => inserted(&insert, connection)?,
        Tree::Update(update) => {
            let table = single(&update.table)?;
            let values = equalities(update.selection.as_ref()?)?;
            (update.from.is_none().then_some(table)?, values)
        }
        Tree::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            let [table] = from.as_slice() else { return None };
            (single(table)?, equalities(delete.selection.as_ref()?)?)
        }
        _ => return None,
    };
    let mut locations = Vec::new();
    for value in &values {
        locations.extend(parameter(value, &parameters)?);
    }
    Some(Addressed { table, locations })
}

/// The table and the key of one row that is inserted, or changed when it is there.
fn inserted(insert: &Insert, connection: &Connection) -> Option<(String, Vec<Expr>)> {
    let TableObject::TableName(name) = &insert.table else { return None };
    let table = table_of_name(name)?;
    let given = match &*insert.source.as_ref()?.body {
        SetExpr::Values(values) => match values.rows.as_slice() {
            [row] => row.content.clone(),
            _ => return None,
        },
        _ => return None,
    };
    let target = match &insert.on {
        Some(OnInsert::OnConflict(OnConflict {
            conflict_target,
            action: OnConflictAction::DoUpdate(_),
        })) => match conflict_target {
            Some(ConflictTarget::Columns(columns)) => {
                Some(columns.iter().map(|column| column.value.clone()).collect())
            }
            Some(ConflictTarget::OnConstraint(_)) => return None,
            None => None,
        },
        None if insert.replace_into || insert.or == Some(SqliteOnConflict::Replace) => None,
        // A row that stays as it is may well be in several shards.
        Some(_) | None => return None,
    };
    let columns = columns(connection, &table)?;
    let key: Vec<String> = target.unwrap_or_else(|| {
        let keys = columns.iter().filter(|(_, is_key)| *is_key);
        keys.map(|(name, _)| name.clone()).collect()
    });
    let names: Vec<String> = match insert.columns.as_slice() {
        [] => columns.into_iter().map(|(name, _)| name).collect(),
        written => written.iter().map(table_of_name).collect::<Option<_>>()?,
    };
    if key.is_empty() || names.len() != given.len() {
        return None;
    }
    let values = key.iter().map(|column| {
        let mut pairs = names.iter().zip(&given);
        let pair = pairs.find(|(name, _)| name.eq_ignore_ascii_case(column));
        pair.map(|(_, value)| value.clone())
    });
    Some((table, values.collect::<Option<_>>()?))
}

/// The columns of a table, and whether each is part of its primary key.
fn columns(connection: &Connection, table: &str) -> Option<Vec<(String, bool)>> {
    const COLUMNS: &str = "SELECT name, pk > 0 FROM pragma_table_info(?1)";
    let mut statement = connection.prepare(COLUMNS).ok()?;
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).ok()?;
    rows.collect::<Result<_, _>>().ok()
}

/// The name of the only table.
fn single(table: &TableWithJoins) -> Option<String> {
    match &table.relation {
        TableFactor::Table { name, args: None, .. } if table.joins.is_empty() => {
            table_of_name(name)
        }
        _ => None,
    }
}

/// The values that columns are compared with by a condition that has nothing else, apart from what asks nothing of the document.
fn equalities(condition: &Expr) -> Option<Vec<Expr>> {
    match condition {
        Expr::Nested(inner) => equalities(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut all = equalities(left)?;
            all.extend(equalities(right)?);
            Some(all)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => match (&**left, &**right) {
            (Expr::Identifier(_), value @ Expr::Value(_)) => Some(vec![value.clone()]),
            (value @ Expr::Value(_), Expr::Identifier(_)) => Some(vec![value.clone()]),
            _ => None,
        },
        _ => None,
    }
}

/// The location of a parameter, none for another value; nothing for what is neither.
fn parameter(value: &Expr, parameters: &BTreeMap<usize, Pointer>) -> Option<Option<Pointer>> {
    let Expr::Value(value) = value else { return None };
    match &value.value {
        Value::Placeholder(name) => {
            let number = name.strip_prefix('?')?.parse().ok()?;
            parameters.get(&number).cloned().map(Some)
        }
        _ => Some(None),
    }
}

fn state_keyed_otherwise(
    addressed: &Addressed,
    key: &[Pointer],
    place: Span,
    shuffle_place: Span,
) -> Diagnostic {
    let words = |pointers: &[Pointer]| {
        let words: Vec<String> = pointers.iter().map(|it| format!("`{it}`")).collect();
        words.join(", ")
    };
    let table = &addressed.table;
    let (label, help) = if addressed.locations.is_empty() {
        let label = "all documents change the same row, and each shard has one of its own";
        (
            label.to_owned(),
            format!("keep rows of `{table}` by the shuffle key, or shuffle by `any`"),
        )
    } else {
        let by = words(&addressed.locations);
        let label =
            format!("documents of one {by} may be in several shards, each with its own row");
        (label, format!("shuffle by {by}, or make the shuffle key part of the key of `{table}`"))
    };
    let message = format!("the rows of `{table}` are found by other values than the shuffle key");
    Diagnostic::new(&rules::STATE_KEYED_OTHERWISE, place, message)
        .label(label)
        .also(shuffle_place, format!("shards are chosen by {}", words(key)))
        .help(help)
}
