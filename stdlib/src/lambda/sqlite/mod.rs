//! SQLite lambdas: parameters, statements, the authorizer, and rows as documents.
//!
//! The rules are those of language reference section 6.4 and of "Lambdas share the connection, not our tables". The compiler runs
//! migrations and prepares lambdas against an in-memory database; the runtime does the same against the shard's.

mod guard;
mod invoke;
mod parameters;
mod statements;

use std::ops::Range;

pub use guard::{Guard, GuardMode};
pub use invoke::{Invocation, Lambda};
pub use parameters::{Binding, Encoding, Parameters, Unresolved};
pub use statements::split;

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
    /// A parameter is no field of the source collection: its text and the nearest parameter, if one is near.
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
}

/// Opens an in-memory database as lambdas need it.
///
/// # Errors
/// When SQLite was built without what lambdas need (its mathematical functions); the message says what is missing.
pub fn open_in_memory() -> Result<(rusqlite::Connection, Guard), SqlFailure> {
    todo!("H2")
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
    let _ = (connection, guard, text);
    todo!("H2")
}
