//! Proofs that the rows of a lambda fit the collection that it derives.
//!
//! Every result column gets a [`Domain`]: a parameter that of its location in the read schema of the source, and an expression
//! what its operator or function makes of its operands. The rows are mapped as the runtime maps them, and the shape that comes of
//! it must be covered by the write schema of the derived collection. What is proved needs no trial. What is not understood may be
//! anything, so that it is never proved wrongly.
//!
//! Left out are numbers beyond 1e100 in documents and what an earlier version of the catalog may have left in tables.

mod calls;
mod domain;
mod environment;
mod expression;
mod json;
mod json_calls;
mod narrow;
mod operators;
mod parameters;
mod precedence;
mod query;
mod tables;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use sqlparser::ast::Statement as SqlStatement;
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;
use tidegate_stdlib::lambda::sqlite::{LambdaStatement, RowForm};
use tidegate_stdlib::shape::{Gap, Shape, Types};

use domain::Domain;
use environment::{Environment, Statement};
use query::{NotUnderstood, Understood};
use tables::Tables;

use super::sql_advice::LambdaSubject;
use crate::limits::PROOF_STEPS_MAX;

/// What is known of a lambda.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Every row of it fits.
    Proved,
    /// It is not seen that they do.
    NotProved(Vec<Doubt>),
}

/// Why it is not seen that the rows of a statement fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Doubt {
    /// The statement by its place among those of the lambda.
    pub(super) statement: usize,
    pub(super) reason: Reason,
}

/// What stands in the way of a proof.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reason {
    /// Something in the statement, as a noun phrase.
    NotUnderstood(String),
    /// A value that the schema may refuse.
    MayNotFit(Gap),
}

/// Tries to prove that all rows of a lambda fit.
pub(super) fn prove(subject: LambdaSubject<'_>) -> Verdict {
    let Some(validators) = &subject.derived.known.validators else {
        return Verdict::NotProved(Vec::new());
    };
    let schema = validators.write.schema().normal_form();
    let read = &subject.read.known.checked.effective_read_schema().shape;
    let tables = Tables::default();
    let mut doubts = Vec::new();
    for (index, statement) in subject.lambda.statements().enumerate() {
        let reason = match rows(statement, read, &tables) {
            Ok(shape) => shape.covered_by(schema).err().map(|gap| Reason::MayNotFit(*gap)),
            Err(NotUnderstood(what)) => Some(Reason::NotUnderstood(what)),
        };
        doubts.extend(reason.map(|reason| Doubt { statement: index, reason }));
    }
    if doubts.is_empty() { Verdict::Proved } else { Verdict::NotProved(doubts) }
}

/// The shape of the documents that a statement publishes.
fn rows(statement: LambdaStatement<'_>, read: &Shape, tables: &Tables) -> Understood<Shape> {
    let names = match statement.row_form() {
        // A statement without rows publishes nothing.
        RowForm::Properties([]) => return Ok(Shape::impossible()),
        form => form,
    };
    let columns = columns(statement, read, tables)?;
    match (names, columns.as_slice()) {
        (RowForm::Document, [column]) => Ok(json::published(column)),
        (RowForm::Properties(names), columns) if names.len() == columns.len() => {
            Ok(of_properties(names, columns))
        }
        _ => Err(NotUnderstood("its columns".to_owned())),
    }
}

/// An object with a property for each column; of columns of one name the last stays.
fn of_properties(names: &[String], columns: &[Domain]) -> Shape {
    let mut shape = Shape::of_types(Types::OBJECT);
    let pairs = names.iter().zip(columns).enumerate();
    let last = |index: usize, name: &String| !names.iter().skip(index + 1).any(|it| it == name);
    let properties = pairs.filter(|(index, (name, _))| last(*index, name));
    shape.object = json::closed(
        properties.map(|(_, (name, column))| (name.clone(), json::published(column))).collect(),
    );
    shape
}

fn columns(
    statement: LambdaStatement<'_>,
    read: &Shape,
    tables: &Tables,
) -> Understood<Vec<Domain>> {
    let text = statement.numbered_text();
    let mut parsed = Parser::parse_sql(&SQLiteDialect {}, &text)
        .map_err(|_| NotUnderstood("its syntax".to_owned()))?;
    let (Some(parsed), true) = (parsed.pop(), parsed.is_empty()) else {
        return Err(NotUnderstood("its syntax".to_owned()));
    };
    let bindings = statement.bindings();
    let statement = Statement {
        parameters: bindings
            .map(|(number, binding)| (number, parameters::domain(binding, read)))
            .collect(),
        tables,
        steps_left: Cell::new(PROOF_STEPS_MAX),
    };
    let environment = Environment::new(&statement);
    let columns = match &parsed {
        SqlStatement::Query(query) => query::columns(query, &environment)?,
        _ => return Err(NotUnderstood("what it returns".to_owned())),
    };
    Ok(columns.into_iter().map(|column| column.domain).collect())
}
