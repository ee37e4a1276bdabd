//! Proofs that the rows of a lambda fit the collection that it derives.
//!
//! Every result column gets a [`Domain`]: a parameter that of its location in the read schema of the source, and an expression
//! what its operator or function makes of its operands. The rows are mapped as the runtime maps them, and the shape that comes of
//! it must be covered by the write schema of the derived collection. What is not understood may be
//! anything, so that it is never proved wrongly.
//!
//! A lambda is looked at in three ways: what is proved needs no trial; of the rest, a document whose result is refused is looked for, and
//! told as an error; what is left is not proved, which is a hint.
//!
//! Left out are numbers beyond 1e100 and times before the year 10 in documents, and what an earlier version of the catalog may have left
//! in tables.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the trees of SQL have hundreds of kinds of nodes, of other engines, too; what is not named here may be anything"
)]

mod aggregates;
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
mod report;
#[cfg(test)]
mod suite_tests;
mod tables;
#[cfg(test)]
mod tests;
mod texts;
mod times;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::{ObjectName, Statement as SqlStatement};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;
use tidegate_stdlib::lambda::sqlite::{LambdaStatement, RowForm};
use tidegate_stdlib::schema::NormalForm;
use tidegate_stdlib::shape::{Gap, Shape, Types};

use domain::Domain;
use environment::Environment;
use json::Published;
use query::{NotUnderstood, Understood, table_name};
use tables::Tables;

pub(super) use report::check;

/// Why it is not seen that the rows of a statement fit.
#[derive(Debug, Clone, PartialEq)]
enum Doubt {
    /// Something in the statement is not understood; a noun phrase.
    NotUnderstood(String),
    /// A value that the schema may refuse.
    MayNotFit(Gap),
    /// A text that fits as it is, but may be taken for an array or object.
    MayBeJson(Gap),
    /// A number that fits, unless it is infinite.
    MayBeInfinite(Gap),
}

/// A statement and what is known of its parameters.
#[derive(Debug, Clone)]
struct Parsed {
    /// The text, with numbers in place of parameters.
    text: String,
    /// The tree; absent when the text is not understood.
    tree: Option<SqlStatement>,
    parameters: BTreeMap<usize, Domain>,
}

impl Parsed {
    fn new(text: String, parameters: BTreeMap<usize, Domain>) -> Self {
        let tree = parse(&text);
        Self { text, tree, parameters }
    }

    /// A statement of a lambda over documents of a shape.
    fn of_lambda(statement: LambdaStatement<'_>, read: &Shape) -> Self {
        let domain = |(number, binding)| (number, parameters::domain(binding, read));
        Self::new(statement.numbered_text(), statement.bindings().map(domain).collect())
    }
}

/// The tree of one statement.
pub(super) fn parse(text: &str) -> Option<SqlStatement> {
    let mut parsed = Parser::parse_sql(&SQLiteDialect {}, text).ok()?;
    let tree = parsed.pop()?;
    parsed.is_empty().then_some(tree)
}

/// The name of a table of the derivation.
pub(super) fn table_of_name(name: &ObjectName) -> Option<String> {
    table_name(name).ok()
}

/// What stands in the way of a proof that the rows of a statement fit a schema; nothing when they do.
fn doubts(
    statement: LambdaStatement<'_>,
    parsed: &Parsed,
    tables: &Tables,
    schema: &NormalForm,
) -> Vec<Doubt> {
    let rows = match Rows::of(statement, parsed, tables) {
        Ok(rows) => rows,
        Err(NotUnderstood(what)) => return vec![Doubt::NotUnderstood(what)],
    };
    let mut doubts = Vec::new();
    // Columns of which something was said.
    let mut told = BTreeSet::new();
    while let Err(gap) = rows.shape(&told, None).covered_by(schema) {
        let column = rows.column(&gap).filter(|column| !told.contains(column));
        let fits = |how: Published| {
            column.is_some_and(|column| {
                let other = rows.shape(&told, Some((column, how))).covered_by(schema).err();
                other.is_none_or(|other| rows.column(&other) != Some(column))
            })
        };
        doubts.push(if fits(Published::TextKept) {
            Doubt::MayBeJson(*gap)
        } else if fits(Published::Finite) {
            Doubt::MayBeInfinite(*gap)
        } else {
            Doubt::MayNotFit(*gap)
        });
        match column {
            Some(column) => told.insert(column),
            None => break,
        };
    }
    doubts
}

/// What the rows of a statement may be.
#[derive(Debug)]
struct Rows<'l> {
    form: RowForm<'l>,
    columns: Vec<Domain>,
}

impl<'l> Rows<'l> {
    fn of(statement: LambdaStatement<'l>, parsed: &Parsed, tables: &Tables) -> Understood<Self> {
        let form = statement.row_form();
        // A statement without rows publishes nothing.
        if form == RowForm::Properties(&[]) {
            return Ok(Self { form, columns: Vec::new() });
        }
        let columns = columns(parsed, tables)?;
        let length = match form {
            RowForm::Document => 1,
            RowForm::Properties(names) => names.len(),
        };
        if columns.len() != length {
            return Err(NotUnderstood("its columns".to_owned()));
        }
        Ok(Self { form, columns })
    }

    /// The shape of the documents. Columns that were `told` fit anywhere; one may be taken to be published otherwise than it is.
    fn shape(&self, told: &BTreeSet<usize>, otherwise: Option<(usize, Published)>) -> Shape {
        let published = |(index, column): (usize, &Domain)| {
            let how = otherwise.filter(|(other, _)| *other == index);
            if told.contains(&index) {
                Shape::impossible()
            } else {
                json::published(column, how.map_or(Published::AsIs, |(_, how)| how))
            }
        };
        let mut columns = self.columns.iter().enumerate().map(published);
        let names = match self.form {
            RowForm::Document => return columns.next().unwrap_or_else(Shape::impossible),
            RowForm::Properties([]) => return Shape::impossible(),
            RowForm::Properties(names) => names,
        };
        // Of columns of one name the last stays.
        let mut properties: Vec<(String, Shape)> = Vec::with_capacity(names.len());
        for (name, column) in names.iter().zip(columns) {
            properties.retain(|(known, _)| known != name);
            properties.push((name.clone(), column));
        }
        let mut shape = Shape::of_types(Types::OBJECT);
        shape.object = json::closed(properties);
        shape
    }

    /// The column that a gap is about.
    fn column(&self, gap: &Gap) -> Option<usize> {
        let RowForm::Properties(names) = self.form else { return Some(0) };
        let property = gap.pointer.tokens().first()?.property();
        names.iter().rposition(|name| *name == property)
    }
}

fn columns(parsed: &Parsed, tables: &Tables) -> Understood<Vec<Domain>> {
    let Some(tree) = &parsed.tree else {
        return Err(NotUnderstood("the statement".to_owned()));
    };
    let statement = parsed.statement(tables);
    let columns = writes::columns(tree, &Environment::new(&statement))?;
    Ok(columns.into_iter().map(|column| column.domain).collect())
}
