//! Compiled lambdas: one invocation binds a document, runs every statement and hands out the rows as documents.

use rusqlite::Connection;
use serde_json::Value;

use super::{Guard, Parameters, SqlFailure};

/// A lambda whose statements have been prepared once against a database with its migrations.
#[derive(Debug)]
pub struct Lambda {}

/// What a lambda is called with.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'d> {
    /// The source document, with its UUID at `/_meta/uuid` when it has been published.
    pub document: &'d Value,
}

impl Lambda {
    /// Prepares the statements of `text`.
    ///
    /// # Errors
    /// Every statement that cannot be prepared or has an unknown parameter, in order.
    pub fn compile(
        connection: &Connection,
        guard: &Guard,
        text: &str,
        parameters: &Parameters,
    ) -> Result<Self, Vec<SqlFailure>> {
        let _ = (connection, guard, text, parameters);
        todo!("H2")
    }

    /// Whether every statement only reads.
    pub fn is_read_only(&self) -> bool {
        todo!("H2")
    }

    /// The names of the result columns of each statement as documents have them; empty for a statement without rows, or
    /// one whose single column is the document.
    pub fn columns(&self) -> Vec<Vec<String>> {
        todo!("H2")
    }

    /// The fields that the lambda reads, sorted.
    pub fn fields(&self) -> Vec<String> {
        todo!("H2")
    }

    /// Runs every statement with the document's values and hands each row to `publish`.
    ///
    /// # Errors
    /// The failing statement; nothing is rolled back here.
    pub fn invoke(
        &self,
        connection: &Connection,
        guard: &Guard,
        invocation: Invocation<'_>,
        publish: &mut dyn FnMut(Value),
    ) -> Result<(), SqlFailure> {
        let _ = (connection, guard, invocation, publish);
        todo!("H2")
    }
}
