//! From what SQLite says to a failure at the token at fault.

use std::ops::Range;

use rusqlite::{Error, ErrorCode};

use super::guard::{Denial, Guard, GuardMode, refuse_reserved};
use super::statements::{find_name, first_token, silent_names, token_at, transaction_end};
use super::tokens::Token;
use super::{SqlFailure, SqlFailureKind};
use crate::limits::{LAMBDA_STEPS_MAX, SQL_MEMORY_BYTES_MAX};

/// One statement of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement<'t> {
    pub(super) text: &'t str,
    /// Where it begins in the block.
    pub(super) start: usize,
}

impl<'t> Statement<'t> {
    /// The statement at a range of a block, as [`super::split`] gives it.
    pub(super) fn new(block: &'t str, range: &Range<usize>) -> Self {
        Self { text: block.get(range.clone()).unwrap_or_default(), start: range.start }
    }

    /// A failure at a token, or of the whole statement.
    pub(super) fn failure(
        &self,
        token: Option<Token>,
        kind: SqlFailureKind,
        message: impl Into<String>,
    ) -> SqlFailure {
        let range = token.map_or(0..self.text.len(), |token| token.range);
        self.failure_at(range, kind, message)
    }

    fn failure_at(
        &self,
        range: Range<usize>,
        kind: SqlFailureKind,
        message: impl Into<String>,
    ) -> SqlFailure {
        let range = self.start + range.start..self.start + range.end;
        SqlFailure { range, kind, message: message.into() }
    }

    /// Refuses what SQLite would not ask the authorizer about.
    pub(super) fn check_tokens(&self, mode: GuardMode) -> Result<(), SqlFailure> {
        if let Some(token) = transaction_end(self.text) {
            let word = token.text(self.text).to_ascii_uppercase();
            let message = format!("`{word}` would end the transaction of the runtime");
            return Err(self.failure(Some(token), SqlFailureKind::EndsTransaction, message));
        }
        let first = first_token(self.text);
        let begins_with = |words: &[&str]| {
            let is_word =
                |token: &Token| words.iter().any(|word| token.is_keyword(self.text, word));
            first.as_ref().is_some_and(is_word)
        };
        if begins_with(&["VACUUM"]) {
            let message = "`VACUUM` is not available here";
            return Err(self.failure(first, SqlFailureKind::Denied, message));
        }
        if mode == GuardMode::Lambda && begins_with(&["ALTER", "CREATE", "DROP", "REINDEX"]) {
            let message = "tables, indices, views and triggers belong in migrations";
            return Err(self.failure(first, SqlFailureKind::Denied, message));
        }
        for token in silent_names(self.text) {
            let name = token.name(self.text).unwrap_or_default().into_owned();
            if let Err(denial) = refuse_reserved(&name) {
                return Err(self.failure(Some(token), SqlFailureKind::Denied, denial.message));
            }
        }
        Ok(())
    }

    /// What SQLite said when it prepared the statement.
    pub(super) fn prepare_failure(&self, guard: &Guard, error: &Error) -> SqlFailure {
        if let Some(denial) = guard.take_denial() {
            return self.denied(&denial);
        }
        let (message, offset) = if let Error::SqlInputError { msg, offset, .. } = error {
            (msg.as_str(), usize::try_from(*offset).ok())
        } else if let Error::SqliteFailure(_, Some(message)) = error {
            (message.as_str(), None)
        } else {
            let message = refused(&error.to_string());
            return self.failure(None, SqlFailureKind::Syntax, message);
        };
        self.explain(message, offset.and_then(|offset| token_at(self.text, offset)))
    }

    /// What SQLite said when it ran the statement.
    pub(super) fn step_failure(&self, guard: &Guard, error: &Error) -> SqlFailure {
        if let Some(denial) = guard.take_denial() {
            return self.denied(&denial);
        }
        if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
            let message = format!("takes more than {LAMBDA_STEPS_MAX} steps of SQLite");
            return self.failure(None, SqlFailureKind::Limit, message);
        }
        if error.sqlite_error_code() == Some(ErrorCode::OutOfMemory) {
            let message = format!("takes more than {} MiB of memory", SQL_MEMORY_BYTES_MAX >> 20);
            return self.failure(None, SqlFailureKind::Limit, message);
        }
        let message = if let Error::SqliteFailure(_, Some(message)) = error {
            explain_constraint(message)
        } else {
            refused(&error.to_string())
        };
        self.failure(None, SqlFailureKind::Execution, message)
    }

    fn denied(&self, denial: &Denial) -> SqlFailure {
        let named = denial.name.as_deref().and_then(|name| find_name(self.text, name));
        let token = named.or_else(|| first_token(self.text));
        self.failure(token, SqlFailureKind::Denied, denial.message.clone())
    }

    fn explain(&self, message: &str, token: Option<Token>) -> SqlFailure {
        if message == "incomplete input" {
            let last = token_at(self.text, self.text.len());
            let message = "the statement is not complete";
            return self.failure(last, SqlFailureKind::Incomplete, message);
        }
        if let Some(unknown) = Unknown::parse(message) {
            let range = self.place(unknown.name, token);
            let kind = SqlFailureKind::Unknown(unknown.name.to_owned());
            return self.failure_at(range, kind, unknown.message());
        }
        let (name, message) = match quoted_name(message) {
            Some(name) if message.ends_with(": syntax error") => {
                (Some(name), format!("SQL cannot have `{name}` here"))
            }
            name => (name, refused(message)),
        };
        let token = token.or_else(|| find_name(self.text, name?));
        self.failure(token, SqlFailureKind::Syntax, message)
    }

    /// The bytes of a name, `a.b` included, from the token that SQLite points at.
    fn place(&self, name: &str, token: Option<Token>) -> Range<usize> {
        let last = name.rsplit('.').next().unwrap_or(name);
        let Some(token) = token.or_else(|| find_name(self.text, last)) else {
            return 0..self.text.len();
        };
        let is_whole = self.text.get(token.range.start..).is_some_and(|rest| {
            rest.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        });
        if is_whole { token.range.start..token.range.start + name.len() } else { token.range }
    }
}

/// A name that does not exist.
struct Unknown<'m> {
    kind: &'m str,
    name: &'m str,
}

impl<'m> Unknown<'m> {
    /// Reads `no such table: t` and `table t has no column named x`.
    fn parse(message: &'m str) -> Option<Self> {
        if let Some(rest) = message.strip_prefix("no such ") {
            let (kind, name) = rest.split_once(": ")?;
            return Some(Self { kind, name });
        }
        let (_, name) = message.strip_prefix("table ")?.split_once(" has no column named ")?;
        Some(Self { kind: "column", name })
    }

    fn message(&self) -> String {
        format!("{} `{}` does not exist", self.kind, self.name)
    }
}

/// The name that a message is about: the text in quotes, or the word before `()`, `already` or at
/// the end.
fn quoted_name(message: &str) -> Option<&str> {
    if let Some((_, rest)) = message.split_once('"') {
        return rest.split('"').next();
    }
    if let Some((before, _)) = message.split_once("()") {
        return before.rsplit(' ').next();
    }
    if let Some((before, _)) = message.split_once(" already exists") {
        return before.rsplit(' ').next();
    }
    message.rsplit(": ").next()
}

/// The violation of a constraint in words; anything else as SQLite says it.
fn explain_constraint(message: &str) -> String {
    match message.split_once(" constraint failed: ") {
        Some(("NOT NULL", column)) => format!("`{column}` is NULL, which NOT NULL refuses"),
        Some(("CHECK", constraint)) => format!("the CHECK constraint `{constraint}` does not hold"),
        Some(("UNIQUE", columns)) => format!("the row is not unique by `{columns}`"),
        _ if message == "FOREIGN KEY constraint failed" => {
            "the row refers to a row that does not exist".to_owned()
        }
        _ => refused(message),
    }
}

fn refused(message: &str) -> String {
    format!("SQLite refuses the statement: {message}")
}
