//! `tidegate/materialize-sqlite`: collections as tables of a SQLite database.
//!
//! The database is the authority of the task's checkpoint: rows, checkpoint and fence are committed in one transaction, so
//! whatever happens between two commits, reopening goes on exactly behind the last one. Standard bindings keep one row per key, delta
//! bindings append. A new database gets WAL mode, an existing one stays as it is. The connector never changes a table
//! that exists: one that differs from what the binding needs is a failure.

mod fence;
mod holder;
mod location;
mod row;
mod tables;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, ErrorCode};
use serde::Deserialize;
use serde_json::Value;
use tidegate_stdlib::bundle::{Failure, FailureKind, Materialization};
use tidegate_stdlib::document::{Builder, Node, Parser, Stamp};

use self::fence::Fence;
use self::row::ColumnEncoder;
use self::tables::{Statements, Target};
use super::{Begun, Destination, Opening, Store, decode};

/// How long a lock of somebody else is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// The endpoint's config.
#[derive(Debug, Deserialize)]
struct Config {
    path: PathBuf,
}

/// Opens the database, creating it and its directory when they are missing.
pub(super) fn open(
    config: &Value,
    materialization: &Materialization,
    opening: Opening<'_>,
) -> Result<Box<dyn Destination>, Failure> {
    let Config { path } = decode("config of the endpoint", config)?;
    let destination = open_with(&path, materialization, opening, LOCK_WAIT)?;
    Ok(Box::new(destination))
}

fn open_with(
    path: &Path,
    materialization: &Materialization,
    opening: Opening<'_>,
    lock_wait: Duration,
) -> Result<SqliteDestination, Failure> {
    let shown = path.display().to_string();
    let path = location::resolve(path, opening)?;
    let targets = materialization
        .bindings
        .iter()
        .map(Target::new)
        .collect::<Result<Vec<Target>, Failure>>()?;
    let is_new = std::fs::metadata(&path).map_or(true, |metadata| metadata.len() == 0);
    let failed = |error: &rusqlite::Error| endpoint_failed((&shown, &path), lock_wait, error);
    let connection = Connection::open(&path).map_err(|error| failed(&error))?;
    connection.busy_timeout(lock_wait).map_err(|error| failed(&error))?;
    if is_new {
        connection.pragma_update(None, "journal_mode", "WAL").map_err(|error| failed(&error))?;
    }
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -4096")
        .map_err(|error| failed(&error))?;
    connection.set_prepared_statement_cache_capacity(8 + 4 * targets.len());
    let fence = Fence::new(&materialization.name);
    let were_empty = vec![None; targets.len()];
    Ok(SqliteDestination { connection, path, shown, fence, targets, were_empty, lock_wait })
}

struct SqliteDestination {
    connection: Connection,
    path: PathBuf,
    /// The database as the config names it.
    shown: String,
    fence: Fence,
    targets: Vec<Target>,
    /// Whether the tables are known to have been empty when the transaction began, by target.
    were_empty: Vec<Option<bool>>,
    lock_wait: Duration,
}

impl Destination for SqliteDestination {
    fn open(&mut self) -> Result<Option<Value>, Failure> {
        self.begin_now()?;
        let opened = self.prepare_tables().and_then(|()| {
            let taken = self.fence.take(&self.connection);
            taken.map_err(|error| self.failed(&error))
        });
        let checkpoint = self.finish(opened)?;
        checkpoint.map(|text| parse_checkpoint(&self.shown, &text)).transpose()
    }

    fn begin(&mut self) -> Result<Begun, Failure> {
        self.were_empty.fill(None);
        match self.connection.execute_batch("BEGIN IMMEDIATE") {
            Ok(()) => Ok(Begun::Open),
            Err(error) if is_locked(&error) => Ok(Begun::Locked(Box::new(self.failed(&error)))),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn load(
        &mut self,
        binding: usize,
        keys: &[Node<'_>],
        found: &mut dyn FnMut(usize, Node<'_>),
    ) -> Result<(), Failure> {
        if self.was_empty(binding)? {
            return Ok(());
        }
        let Some(target) = self.targets.get(binding) else { return Ok(()) };
        let Some(select) = target.statements.load.as_ref() else { return Ok(()) };
        let mut statement =
            self.connection.prepare_cached(select).map_err(|error| self.failed(&error))?;
        let (mut parser, mut stamp) = (Parser::default(), Stamp::default());
        let mut builder = Builder::default();
        for (index, key) in keys.iter().enumerate() {
            let values = target.keys().zip(key.as_array().into_iter().flatten());
            for (at, (column, value)) in values.enumerate() {
                let value = target.key_value(column, value)?;
                let bound = statement.raw_bind_parameter(at + 1, value);
                bound.map_err(|error| self.failed(&error))?;
            }
            let mut rows = statement.raw_query();
            let Some(row) = rows.next().map_err(|error| self.failed(&error))? else { continue };
            let text = row
                .get_ref(0)
                .and_then(|value| Ok(value.as_str_or_null()?))
                .map_err(|error| self.failed(&error))?;
            let Some(text) = text else { continue };
            builder.clear();
            parser
                .parse_unstamped(text.as_bytes(), &mut builder, &mut stamp)
                .map_err(|failure| target.unreadable_document(&failure))?;
            found(index, builder.root());
        }
        Ok(())
    }

    fn store(&mut self, store: Store<'_>) -> Result<(), Failure> {
        let Some(target) = self.targets.get(store.binding) else { return Ok(()) };
        let failed = |error: rusqlite::Error| self.failed(&error);
        let Statements { update, delete, .. } = &target.statements;
        let stored = match (delete, update) {
            (Some(_), _) if store.delete && !store.exists => Ok(()),
            (Some(delete), _) if store.delete => self
                .execute(target, delete, target.keys(), &store)
                .and_then(|deleted| deleted.map_err(failed)),
            (_, Some(update)) if store.exists => self
                .execute(target, update, target.for_update(), &store)
                .and_then(|updated| updated.map_err(failed)),
            _ => self.insert(target, &store),
        };
        stored.map_err(|failure| failure.document(&store.shown(), None))
    }

    fn commit(&mut self, checkpoint: &Value) -> Result<(), Failure> {
        let set = self.fence.set_checkpoint(&self.connection, &checkpoint.to_string());
        let result = match set {
            Ok(true) => Ok(()),
            Ok(false) => Err(fence::fenced_off(&self.shown)),
            Err(error) => Err(self.failed(&error)),
        };
        self.finish(result)
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            // A connection that cannot even roll back is closed with the task, which has the same effect.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn empty(&mut self, binding: usize) -> Result<(), Failure> {
        let Some(target) = self.targets.get(binding) else { return Ok(()) };
        target.empty(&self.connection).map_err(|error| self.failed(&error))
    }

    fn restart(&mut self) -> Result<(), Failure> {
        self.begin_now()?;
        let emptied = self
            .targets
            .iter()
            .try_for_each(|target| target.empty(&self.connection))
            .and_then(|()| self.fence.forget_checkpoint(&self.connection))
            .map_err(|error| self.failed(&error));
        self.finish(emptied)
    }
}

impl SqliteDestination {
    /// Begins a transaction while the task is being opened, which is no time for patience.
    fn begin_now(&mut self) -> Result<(), Failure> {
        match self.begin()? {
            Begun::Open => Ok(()),
            Begun::Locked(failure) => Err(*failure),
        }
    }

    /// Creates the tables that are missing and compares those that exist.
    fn prepare_tables(&self) -> Result<(), Failure> {
        for target in &self.targets {
            self.connection
                .execute_batch(&target.create)
                .map_err(|error| self.failed(&error).note(target.note()))?;
            target.compare(&self.connection).map_err(|error| self.failed(&error))??;
        }
        Ok(())
    }

    /// Commits when the work before was done, else rolls back.
    fn finish<T>(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        let result = result.and_then(|value| {
            let committed = self.connection.execute_batch("COMMIT");
            committed.map(|()| value).map_err(|error| self.failed(&error))
        });
        if result.is_err() {
            self.rollback();
        }
        result
    }

    /// Whether a table was empty when its first keys of the transaction were to be loaded: then there is nothing to load.
    fn was_empty(&mut self, binding: usize) -> Result<bool, Failure> {
        let known = self.were_empty.get(binding).copied().flatten();
        let target = self.targets.get(binding);
        let Some(query) = target.and_then(|target| target.statements.is_empty.as_ref()) else {
            return Ok(false);
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let is_empty = self
            .connection
            .query_row(query, (), |row| row.get(0))
            .map_err(|error| self.failed(&error))?;
        if let Some(known) = self.were_empty.get_mut(binding) {
            *known = Some(is_empty);
        }
        Ok(is_empty)
    }

    /// Adds a row. One of the same key that was not loaded, because it has no document, is replaced.
    fn insert(&self, target: &Target, store: &Store<'_>) -> Result<(), Failure> {
        let failed = |error: rusqlite::Error| self.failed(&error);
        let Statements { insert, upsert, .. } = &target.statements;
        match (self.execute(target, insert, target.all(), store)?, upsert) {
            (Ok(()), _) => Ok(()),
            (Err(error), Some(upsert)) if is_conflict(&error) => {
                self.execute(target, upsert, target.all(), store)?.map_err(failed)
            }
            (Err(error), _) => Err(failed(error)),
        }
    }

    /// Executes a statement with the values of a document in these columns.
    fn execute<'s>(
        &self,
        target: &Target,
        sql: &str,
        columns: impl Iterator<Item = &'s ColumnEncoder>,
        store: &Store<'s>,
    ) -> Result<Result<(), rusqlite::Error>, Failure> {
        let failed = |error: rusqlite::Error| self.failed(&error);
        let mut statement: CachedStatement<'_> =
            self.connection.prepare_cached(sql).map_err(failed)?;
        for (at, column) in columns.enumerate() {
            let value = target.value(column, store)?;
            statement.raw_bind_parameter(at + 1, value).map_err(failed)?;
        }
        Ok(statement.raw_execute().map(drop))
    }

    fn failed(&self, error: &rusqlite::Error) -> Failure {
        endpoint_failed((&self.shown, &self.path), self.lock_wait, error)
    }
}

/// Whether a row of the same key is there.
fn is_conflict(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn endpoint_failed(
    (database, path): (&str, &Path),
    lock_wait: Duration,
    error: &rusqlite::Error,
) -> Failure {
    if is_locked(error) {
        let message = format!("the database `{database}` is locked by another process");
        let failure = Failure::new(FailureKind::EndpointFailed, message)
            .note(format!("its lock was waited for {} s", lock_wait.as_secs()))
            .help("end the process that writes to it, and run again");
        return match holder::holder(path) {
            Some(holder) => failure.note(format!("{holder} holds it")),
            None => failure,
        };
    }
    let message = if let rusqlite::Error::SqliteFailure(_, Some(message)) = error {
        message.clone()
    } else {
        error.to_string()
    };
    Failure::new(
        FailureKind::EndpointFailed,
        format!("the database `{database}` failed: {message}"),
    )
}

fn parse_checkpoint(database: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the checkpoint in the database `{database}` is damaged: {error}");
        Failure::new(FailureKind::EndpointFailed, message)
    })
}

#[cfg(test)]
mod tests;
