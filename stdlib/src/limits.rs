//! Every limit of this crate in one place. Limits are counted, never timed.

/// Greatest nesting of arrays and objects in a JSON document; serde_json reads no deeper one.
pub const DOCUMENT_DEPTH_MAX: usize = 127;

/// Greatest size of one JSON document.
pub const DOCUMENT_SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Virtual machine steps that one invocation of a SQLite lambda may take.
pub const LAMBDA_STEPS_MAX: u64 = 200_000_000;

/// Steps that one call of a TypeScript lambda may take, in thousands of branches and calls.
pub const SCRIPT_TICKS_MAX: u64 = 1_000_000;

/// Memory of one TypeScript derivation, its state included.
pub const SCRIPT_MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Stack of TypeScript lambdas.
pub const SCRIPT_STACK_BYTES_MAX: usize = 512 * 1024;

/// Lines that a TypeScript lambda may log before they are handed on.
pub const SCRIPT_LOG_LINES_MAX: usize = 1_000;

/// Bytes of one such line.
pub const SCRIPT_LOG_LINE_BYTES_MAX: usize = 4 * 1024;

/// Rows that one invocation of a lambda may publish.
pub const LAMBDA_ROWS_MAX: usize = 1_000_000;

/// Bytes of texts and blobs in the rows that one invocation of a lambda may publish.
pub const LAMBDA_ROWS_SIZE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Greatest size of one file of a bundle.
pub const BUNDLE_FILE_SIZE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Files that one bundle may have.
pub const BUNDLE_FILES_MAX: usize = 1_000_000;

/// Statements that one connection keeps prepared.
pub const STATEMENTS_CACHED_MAX: usize = 4096;

/// Memory that SQLite may take in this process, so that no statement fills the machine with rows that it gathers.
pub const SQL_MEMORY_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;

/// Greatest text or blob in SQLite, so that SQL cannot allocate without bound.
pub const SQL_VALUE_SIZE_BYTES_MAX: i32 = 64 * 1024 * 1024;

/// Items that writing to a location may give an array that has fewer.
pub const POINTER_ITEMS_MAX: usize = 10_000;

/// Variants of schemas that dynamic references may make in one bundle.
pub const SCHEMA_COPIES_MAX: usize = 1_000;

/// Schemas within those variants, before no further variant is begun.
pub const SCHEMA_COPIED_SITES_MAX: usize = 100_000;

/// Schemas that the inference of one shape may visit, references followed; what lies beyond is
/// "anything".
pub const SHAPE_VISITS_MAX: usize = 50_000;

/// Shapes that the intersections and unions of one inference may make.
pub const SHAPE_SIZE_MAX: usize = 100_000;

/// Names that one inference tries against patterns.
pub const SHAPE_MATCHES_MAX: usize = 2_000_000;

/// Nesting, references followed, that the inference of one shape goes into.
pub const SHAPE_DEPTH_MAX: usize = 64;

/// Digits of a decimal number in a string that is added.
pub const DECIMAL_DIGITS_MAX: usize = 4_096;

/// Locations of a schema that is merged from others, when it does not say.
pub const MERGED_SCHEMA_LOCATIONS_MAX: usize = 1_000;

/// Nesting of a schema that is merged from others.
pub const MERGED_SCHEMA_DEPTH_MAX: usize = 12;

/// Checks of schemas that the validation of a document may take, whatever its size.
pub const EVALUATION_STEPS_MAX: u64 = 10_000_000;

/// Checks of schemas that it may take beyond that for each value of the document.
pub const EVALUATION_STEPS_PER_VALUE_MAX: u64 = 1_000;

/// Nesting of schemas, that of the document included, that the validation of a document goes into.
pub const EVALUATION_DEPTH_MAX: u32 = 1_000;

/// Schemas that all schemas of a program together take over from others by `$ref` and `allOf`.
pub const PROGRAM_SIZE_MAX: usize = 4_000_000;

/// Sets of schemas that may speak of one value, as far as reductions lay them out beforehand.
pub const REDUCTION_SITES_MAX: usize = 4_096;

/// Conditions in a row that reductions lay out beforehand, which makes up to two to the power of
/// them.
pub const REDUCTION_DECISIONS_MAX: usize = 6;

/// Paths through `$ref` and other in-place keywords, and nesting of schemas, up to which the faults
/// of documents are told with their places.
pub const EXPLAINED_PATHS_MAX: u64 = 10_000;

/// Nesting of schemas, references followed, up to which the faults of documents are told with their
/// places.
pub const EXPLAINED_DEPTH_MAX: usize = 1_000;

/// Values in a document up to which the most telling fault is looked for; beyond, the first is told.
pub const EXPLAINED_SIZE_MAX: usize = 100_000;

/// Schemas that are looked at to see whether they admit every value of a shape.
pub const COVERED_STEPS_MAX: usize = 20_000;

/// Values of a shape that are tried one by one.
pub const COVERED_VALUES_MAX: usize = 256;
