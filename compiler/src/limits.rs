//! Every limit of this crate in one place; each has a rule that is reported when it is exceeded.

/// Greatest size of one source file.
pub const SOURCE_SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Greatest nesting of YAML or JSON.
pub const NESTING_DEPTH_MAX: usize = 128;
/// Greatest number of files in one catalog.
pub const SOURCES_MAX: usize = 10_000;
/// Greatest number of nodes that aliases of one file expand to.
pub const ALIAS_NODES_MAX: usize = 250_000;
/// Greatest number of mistakes of syntax after which one file is still read on.
pub const SYNTAX_RECOVERIES_MAX: usize = 16;
/// Diagnostics that are kept per file.
pub const DIAGNOSTICS_PER_FILE_MAX: usize = 100;
/// Bytes of a name, each slash counted as the three that it takes in a file name; with what is added to it, a file system
/// can hold it.
pub const NAME_SIZE_BYTES_MAX: usize = 200;
/// Documents that are tried to show that one schema refuses what another admits.
pub const WITNESS_CANDIDATES_MAX: usize = 500;
/// Depth of such a document.
pub const WITNESS_DEPTH_MAX: usize = 16;
/// Documents that a lambda is tried on.
pub const LAMBDA_TRIALS_MAX: usize = 64;
/// Steps of SQLite that such a trial may take; a lambda that needs more is not tried further.
pub const LAMBDA_TRIAL_STEPS_MAX: u64 = 200_000;
/// Thousands of steps of a module that such a trial may take; a module that needs more is not tried further.
pub const LAMBDA_TRIAL_TICKS_MAX: u64 = 500;
/// Drawn documents that a module is tried on, beside those at the edges.
pub const LAMBDA_DRAWS_MAX: usize = 32;
/// Rows of a trial that are looked at.
pub const LAMBDA_TRIAL_ROWS_MAX: usize = 64;
/// Expressions of a statement that are looked at to prove that its rows fit.
pub const PROOF_STEPS_MAX: usize = 20_000;
