//! The tables of a shard's database, under the reserved prefix `tidegate_`.
//!
//! Numbers of 64 bits without sign are stored as the signed ones of equal bits, which SQLite has.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use tidegate_stdlib::bundle::{Failure, FailureKind, TaskKind};
use tidegate_stdlib::lambda::sqlite::{Guard, GuardMode};

use super::{Durability, ShardName, files};

/// How long to wait for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Version of the tables; any other is refused.
const FORMAT_VERSION: &str = "1";

/// Where lambdas keep rows, pages are small and many are kept.
const PRAGMAS_OF_ROWS: &str = "
    PRAGMA cache_size = -16384;
    PRAGMA wal_autocheckpoint = 4000;
";

/// Where there is hardly anything but blobs, which pass through once, pages are large and few are kept.
const PRAGMAS_OF_BLOBS: &str = "
    PRAGMA cache_size = -2048;
    PRAGMA wal_autocheckpoint = 500;
";

/// For pages that are not there yet; others keep their size.
const PAGES_OF_BLOBS: &str = "PRAGMA page_size = 32768";

const PRAGMAS: &str = "
    PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = 67108864;
";

/// `tidegate_tail.first_append` and `tidegate_journal.clock` are clocks as documents are stamped with.
const TABLES: &str = "
    CREATE TABLE tidegate_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE tidegate_checkpoint (
        journal TEXT NOT NULL,
        suffix TEXT NOT NULL,
        incarnation INTEGER NOT NULL,
        read_through INTEGER NOT NULL,
        PRIMARY KEY (journal, suffix)
    ) WITHOUT ROWID;
    CREATE TABLE tidegate_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE tidegate_journal (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        collection TEXT NOT NULL,
        incarnation INTEGER NOT NULL,
        head INTEGER NOT NULL,
        clock INTEGER NOT NULL
    );
    CREATE TABLE tidegate_tail (
        journal INTEGER NOT NULL,
        begin INTEGER NOT NULL,
        end INTEGER NOT NULL,
        codec TEXT NOT NULL,
        first_append INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        UNIQUE (journal, begin)
    );
    CREATE TABLE tidegate_fragment (
        journal INTEGER NOT NULL,
        begin INTEGER NOT NULL,
        end INTEGER NOT NULL,
        sha1 TEXT NOT NULL,
        path TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('writing', 'done')),
        PRIMARY KEY (journal, begin)
    ) WITHOUT ROWID;
    CREATE TABLE tidegate_migration (position INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE tidegate_stats (
        counter TEXT PRIMARY KEY,
        documents INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// Opens a shard's database for its task, with its tables and its authorizer.
pub(super) fn open(
    path: &Path,
    name: &ShardName,
    durability: Durability,
) -> Result<(Connection, Guard), Failure> {
    let failed = |error: rusqlite::Error| failure(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    let has_rows = name.task.kind == TaskKind::Derivation;
    if !has_rows {
        connection.execute_batch(PAGES_OF_BLOBS).map_err(failed)?;
    }
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let message = format!("`{}` lies where no write-ahead log can be kept", path.display());
        return Err(Failure::new(FailureKind::CannotAccess, message)
            .help("keep the data directory on a local file system"));
    }
    connection
        .pragma_update(None, "synchronous", synchronous(durability))
        .and_then(|()| connection.execute_batch(PRAGMAS))
        .and_then(|()| {
            connection.execute_batch(if has_rows { PRAGMAS_OF_ROWS } else { PRAGMAS_OF_BLOBS })
        })
        .map_err(failed)?;
    let guard = Guard::install(&mut connection)
        .map_err(|failure| Failure::new(FailureKind::ConnectorUnavailable, failure.message))?;
    guard.within(GuardMode::Internal, || create_tables(&connection, path, name))?;
    Ok((connection, guard))
}

/// Opens a shard's database for reading beside its task; `None` when there is none.
pub(super) fn open_for_reading(path: &Path) -> Result<Option<Connection>, Failure> {
    // A database that cannot be looked at is not one that is gone: without its tail, documents would be missing.
    if !path.try_exists().map_err(|error| files::inaccessible("read", path, &error))? {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            let has_tables = connection.table_exists(None, "tidegate_journal")?;
            Ok(has_tables.then_some(connection))
        })
        .map_err(|error| failure(path, &error))?;
    Ok(connection)
}

/// A failure of a database of ours, in plain words.
pub(super) fn failure(path: &Path, error: &rusqlite::Error) -> Failure {
    let path = path.display();
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (FailureKind::Damaged, format!("`{path}` is damaged"))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (FailureKind::CannotAccess, format!("`{path}` is locked by another process"))
        }
        Some(ErrorCode::DiskFull) => {
            (FailureKind::CannotAccess, format!("cannot write `{path}`: the disk is full"))
        }
        Some(ErrorCode::ReadOnly) => {
            (FailureKind::CannotAccess, format!("cannot write `{path}`: it is read-only"))
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            (FailureKind::CannotAccess, format!("cannot open `{path}`"))
        }
        Some(ErrorCode::SystemIoFailure) => {
            (FailureKind::CannotAccess, format!("the disk fails at `{path}`"))
        }
        _ => (FailureKind::Damaged, format!("`{path}` does not hold what it should")),
    };
    Failure::new(kind, message).note(format!("SQLite says: {error}"))
}

fn synchronous(durability: Durability) -> &'static str {
    match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
        Durability::Off => "OFF",
    }
}

fn create_tables(connection: &Connection, path: &Path, name: &ShardName) -> Result<(), Failure> {
    let failed = |error: rusqlite::Error| failure(path, &error);
    if connection.table_exists(None, "tidegate_meta").map_err(failed)? {
        return check_version(connection, path);
    }
    connection
        .execute_batch(&format!("BEGIN IMMEDIATE; {TABLES}"))
        .and_then(|()| {
            let insert = "INSERT INTO tidegate_meta (name, value) VALUES (?, ?)";
            connection.execute(insert, ("format_version", FORMAT_VERSION))?;
            connection.execute(insert, ("task", name.task.to_string()))?;
            connection.execute(insert, ("key_begin", format!("{:08x}", name.key_begin)))?;
            connection.execute_batch("COMMIT")
        })
        .map_err(failed)
}

fn check_version(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let query = "SELECT value FROM tidegate_meta WHERE name = 'format_version'";
    let version: Option<String> = connection
        .query_row(query, (), |row| row.get(0))
        .optional()
        .map_err(|error| failure(path, &error))?;
    if version.as_deref() == Some(FORMAT_VERSION) {
        return Ok(());
    }
    let version = version.unwrap_or_default();
    let message =
        format!("`{}` has tables of format `{version}`, not {FORMAT_VERSION}", path.display());
    Err(Failure::new(FailureKind::Damaged, message)
        .help("use the version of tidegate that wrote it"))
}
