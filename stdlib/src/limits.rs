//! Every limit of this crate in one place. Limits are counted, never timed.

/// Greatest nesting of a JSON document.
pub const DOCUMENT_DEPTH_MAX: usize = 128;

/// Greatest size of one JSON document.
pub const DOCUMENT_SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Virtual machine steps that one invocation of a SQLite lambda may take.
pub const LAMBDA_STEPS_MAX: u64 = 200_000_000;

/// Rows that one invocation of a SQLite lambda may publish.
pub const LAMBDA_ROWS_MAX: usize = 1_000_000;

/// Greatest size of one file of a bundle.
pub const BUNDLE_FILE_SIZE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Files that one bundle may have.
pub const BUNDLE_FILES_MAX: usize = 1_000_000;

/// Statements that one connection keeps prepared.
pub const STATEMENTS_CACHED_MAX: usize = 4096;

/// Greatest text or blob in SQLite, so that SQL cannot allocate without bound.
pub const SQL_VALUE_SIZE_BYTES_MAX: i32 = 64 * 1024 * 1024;
