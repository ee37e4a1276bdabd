//! SQLite lambdas: parameters, statements, the authorizer, and rows as documents.
//!
//! The rules are those of language reference section 6.4 and of "Lambdas share the connection, not
//! our tables". The compiler runs migrations and prepares lambdas against an in-memory database;
//! the runtime does the same against the shard's.

mod bind;
mod functions;
mod guard;
mod invoke;
mod key;
mod locate;
mod parameters;
mod rows;
mod statements;
mod tokens;

use std::ops::Range;

pub use functions::{Function, FunctionKind, Nullability, ResultClass, functions};
pub use guard::{Guard, GuardMode};
pub use invoke::{Lambda, LambdaStatement, PreparedLambda, RowForm};
pub use key::KeyLambda;
pub use parameters::{Binding, Encoding, Parameters, Unresolved};
pub use statements::{
    Call, calls, column_place, mentions, missing_semicolon, names_any, split, texts_in_calls,
};

use locate::Statement;
use statements::find_text;

/// Why SQL text is refused, or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFailure {
    /// Bytes of the text at fault: the token where that is known, else the statement.
    pub range: Range<usize>,
    /// What is wrong.
    pub kind: SqlFailureKind,
    /// What is wrong in plain words, in lower case and without a full stop.
    pub message: String,
}

/// The kinds of SQL failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlFailureKind {
    /// SQLite cannot prepare the statement.
    Syntax,
    /// The statement names a table, column or function that does not exist; the name.
    Unknown(String),
    /// A parameter is no field of the source collection: its text and the nearest parameter, if one
    /// is near.
    UnknownParameter {
        /// The parameter as written.
        parameter: String,
        /// The canonical parameter of the nearest field.
        nearest: Option<String>,
    },
    /// The statement would end the transaction of the runtime.
    EndsTransaction,
    /// The statement touches what lambdas or migrations may not touch.
    Denied,
    /// The text after the last complete statement is not a statement.
    Incomplete,
    /// A parameter in a migration, which has none.
    ParameterInMigration,
    /// The statement failed when it ran.
    Execution,
    /// A value cannot be bound.
    Bind,
    /// Too many steps or rows.
    Limit,
    /// What should give the shuffle key of a document does not.
    NoKey,
}

/// Opens an in-memory database as lambdas need it.
///
/// # Errors
/// When SQLite was built without what lambdas need (its mathematical functions); the message says
/// what is missing.
pub fn open_in_memory() -> Result<(rusqlite::Connection, Guard), SqlFailure> {
    let mut connection = rusqlite::Connection::open_in_memory().map_err(|error| SqlFailure {
        range: 0..0,
        kind: SqlFailureKind::Execution,
        message: format!("SQLite cannot open a database in memory: {error}"),
    })?;
    let guard = Guard::install(&mut connection)?;
    Ok((connection, guard))
}

/// Runs the statements of one migration inside the open transaction (or none).
///
/// # Errors
/// The first statement that is refused or fails.
pub fn migrate(
    connection: &rusqlite::Connection,
    guard: &Guard,
    text: &str,
) -> Result<(), SqlFailure> {
    guard.reset_steps();
    for range in split(text)? {
        migrate_statement(connection, guard, Statement::new(text, &range))?;
    }
    Ok(())
}

fn migrate_statement(
    connection: &rusqlite::Connection,
    guard: &Guard,
    statement: Statement<'_>,
) -> Result<(), SqlFailure> {
    statement.check_tokens(GuardMode::Migration)?;
    let mut prepared = guard
        .within(GuardMode::Migration, || connection.prepare(statement.text))
        .map_err(|error| statement.prepare_failure(guard, &error))?;
    if prepared.parameter_count() > 0 {
        let parameter = (1..=prepared.parameter_count()).find_map(|index| {
            find_text(statement.text, prepared.parameter_name(index).unwrap_or("?"))
        });
        let message = "a migration has no document to take a parameter from";
        return Err(statement.failure(parameter, SqlFailureKind::ParameterInMigration, message));
    }
    let mut rows = prepared.raw_query();
    loop {
        let cursor = &mut rows;
        let row = guard
            .within(GuardMode::Migration, move || cursor.next())
            .map_err(|error| statement.step_failure(guard, &error))?;
        if row.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
