//! Lambdas that make the shuffle key of a document: one statement that only reads, one row a document, a column for each
//! component of the key.
//!
//! The key is what decides which shard gets a document, so it cannot depend on the tables of a shard: a key lambda is
//! prepared in a database of its own, which is empty.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use super::super::Invocation;
use super::invoke::Compiled;
use super::locate::Statement;
use super::{Guard, GuardMode, Parameters, SqlFailure, SqlFailureKind, split};
use crate::shape::Types;

/// A key lambda whose statement has been prepared once.
#[derive(Debug)]
pub struct KeyLambda {
    compiled: Compiled,
    types: Vec<Types>,
}

impl KeyLambda {
    /// Prepares the statement of `text`, whose columns are the components of a key of these types.
    ///
    /// # Errors
    /// Why it cannot be prepared, or that it is not one statement that only reads and has a column for each component
    /// ([`SqlFailureKind::NoKey`]).
    pub fn compile(
        connection: &Connection,
        guard: &Guard,
        text: &str,
        parameters: &Parameters,
        types: Vec<Types>,
    ) -> Result<Self, Vec<SqlFailure>> {
        let ranges = split(text).map_err(|failure| vec![failure])?;
        let no_key = |range, message: String| {
            vec![SqlFailure { range, kind: SqlFailureKind::NoKey, message }]
        };
        let range = match ranges.as_slice() {
            [range] => range,
            [] => return Err(no_key(0..text.len(), "there is no statement".to_owned())),
            [_, second, ..] => {
                let message = "a shuffle key is made by one statement".to_owned();
                return Err(no_key(second.clone(), message));
            }
        };
        let compiled = Compiled::new(connection, guard, Statement::new(text, range), parameters)?;
        if !compiled.is_read_only {
            let message = "a shuffle key is made by a statement that only reads".to_owned();
            return Err(no_key(range.clone(), message));
        }
        let columns = compiled.columns;
        if columns != types.len() {
            let message = format!(
                "the statement gives {columns} columns, the shuffle key has {}",
                types.len()
            );
            return Err(no_key(range.clone(), message));
        }
        Ok(Self { compiled, types })
    }

    /// The key of a document, a value for each component. The connection is the one it was compiled for.
    ///
    /// # Errors
    /// A statement that fails, and one that does not give exactly one row with values of the key's types
    /// ([`SqlFailureKind::NoKey`]).
    pub fn key(
        &self,
        connection: &Connection,
        guard: &Guard,
        invocation: Invocation<'_>,
    ) -> Result<Vec<Value>, SqlFailure> {
        let statement = self.compiled.statement();
        let no_key = |message: &str| statement.failure(None, SqlFailureKind::NoKey, message);
        guard.reset_steps();
        let mut prepared = guard
            .within(GuardMode::Lambda, || connection.prepare_cached(&self.compiled.text))
            .map_err(|error| statement.prepare_failure(guard, &error))?;
        self.compiled.bind(&mut prepared, invocation)?;
        let mut rows = prepared.raw_query();
        let cursor = &mut rows;
        let first = guard
            .within(GuardMode::Lambda, move || cursor.next())
            .map_err(|error| statement.step_failure(guard, &error))?;
        let row = first.ok_or_else(|| no_key("the shuffle gives no row for this document"))?;
        let mut key = Vec::with_capacity(self.types.len());
        for (column, types) in self.types.iter().enumerate() {
            let value = row.get_ref(column).unwrap_or(ValueRef::Null);
            key.push(component(value, *types).ok_or_else(|| {
                let wanted = types.names().join(" or ");
                let message = format!(
                    "column {} of the shuffle key is {}, where the key has {wanted}",
                    column + 1,
                    class(value)
                );
                no_key(&message)
            })?);
        }
        let cursor = &mut rows;
        let second = guard
            .within(GuardMode::Lambda, move || cursor.next())
            .map_err(|error| statement.step_failure(guard, &error))?;
        match second {
            None => Ok(key),
            Some(_) => Err(no_key("the shuffle gives several rows for this document")),
        }
    }
}

/// The component of a key that a column holds; `None` when it is not of the types. Null is a component of every key.
fn component(value: ValueRef<'_>, types: Types) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(integer) if types.overlaps(Types::INTEGER) => Some(Value::from(integer)),
        // SQLite has no booleans of its own.
        ValueRef::Integer(integer @ (0 | 1)) if types.overlaps(Types::BOOLEAN) => {
            Some(Value::Bool(integer == 1))
        }
        ValueRef::Real(real) if types.overlaps(Types::FRACTIONAL) => Some(Value::from(real)),
        ValueRef::Text(text) if types.overlaps(Types::STRING) => {
            std::str::from_utf8(text).ok().map(Value::from)
        }
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    }
}

fn class(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(integer) => format!("the integer {integer}"),
        ValueRef::Real(real) => format!("the number {real}"),
        ValueRef::Text(_) => "a text".to_owned(),
        ValueRef::Blob(_) => "a blob".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::super::open_in_memory;
    use super::*;
    use crate::bundle::Projection;
    use crate::document::Document;
    use crate::shape::Shape;

    /// The key that `text` makes of a document, or why there is none.
    fn key(text: &str, types: &[Types], document: &Value) -> Result<Vec<Value>, String> {
        let (connection, guard) = open_in_memory().unwrap();
        let projections: Vec<Projection> = vec![
            serde_json::from_value(json!({"field": "id", "pointer": "/id", "types": ["integer"]}))
                .unwrap(),
            serde_json::from_value(
                json!({"field": "tags", "pointer": "/tags", "types": ["array"]}),
            )
            .unwrap(),
        ];
        let parameters = Parameters::new(&projections, Shape::any());
        let said = |failure: &SqlFailure| {
            format!("{:?}: {}: {}", failure.kind, &text[failure.range.clone()], failure.message)
        };
        let lambda = KeyLambda::compile(&connection, &guard, text, &parameters, types.to_vec())
            .map_err(|failures| said(failures.first().unwrap()))?;
        let document = Document::from_value(document);
        let invocation = Invocation { document: document.root(), uuid: None };
        // The statement is prepared once and used again.
        lambda.key(&connection, &guard, invocation).ok();
        lambda.key(&connection, &guard, invocation).map_err(|failure| said(&failure))
    }

    #[test]
    fn a_row_is_a_key() {
        let types = [Types::INTEGER, Types::STRING, Types::BOOLEAN];
        let text = "SELECT $id % 10, 'a' || $id, $id > 7;";
        assert_eq!(
            key(text, &types, &json!({"id": 12})),
            Ok(vec![json!(2), json!("a12"), json!(true)])
        );
        assert_eq!(key(text, &types, &json!({})), Ok(vec![Value::Null; 3]));
    }

    #[test]
    fn one_row_is_needed() {
        let none = key("SELECT $id WHERE $id > 7;", &[Types::INTEGER], &json!({"id": 1}));
        let message = "NoKey: SELECT $id WHERE $id > 7: the shuffle gives no row for this document";
        assert_eq!(none.unwrap_err(), message);
        let several = "SELECT value FROM json_each($tags);";
        assert_eq!(key(several, &[Types::STRING], &json!({"tags": ["a"]})), Ok(vec![json!("a")]));
        let failure = key(several, &[Types::STRING], &json!({"tags": ["a", "b"]})).unwrap_err();
        assert!(failure.ends_with("the shuffle gives several rows for this document"), "{failure}");
    }

    #[test]
    fn values_are_of_the_types() {
        let said = |text, types| key(text, &[types], &json!({"id": 2})).unwrap_err();
        let wrong = said("SELECT $id;", Types::STRING);
        assert!(
            wrong.ends_with(
                "column 1 of the shuffle key is the integer 2, where the key has string"
            ),
            "{wrong}"
        );
        assert!(said("SELECT $id;", Types::BOOLEAN).contains("where the key has boolean"));
        assert!(said("SELECT $id / 4.0;", Types::INTEGER).contains("is the number 0.5"));
        assert!(said("SELECT 'a';", Types::INTEGER).contains("is a text"));
        assert!(said("SELECT x'00';", Types::STRING).contains("is a blob"));
    }

    #[test]
    fn it_is_one_statement_that_reads() {
        let said = |text| key(text, &[Types::INTEGER], &json!({"id": 2})).unwrap_err();
        assert_eq!(said(" -- none\n"), "NoKey:  -- none\n: there is no statement");
        assert_eq!(
            said("SELECT 1; SELECT 2;"),
            "NoKey: SELECT 2: a shuffle key is made by one statement"
        );
        assert!(
            said("SELECT 1, 2;").ends_with("the statement gives 2 columns, the shuffle key has 1")
        );
        assert!(said("SELECT n FROM totals;").starts_with("Unknown(\"totals\"): totals"));
        assert!(said("CREATE TABLE t (a);").starts_with("Denied: CREATE"));
        assert!(said("SELECT $other;").starts_with("UnknownParameter"));
    }
}
