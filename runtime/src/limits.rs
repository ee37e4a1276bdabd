//! Every limit of this crate in one place.

/// Input of one transaction.
pub const TRANSACTION_BYTES_MAX: usize = 64 << 20;
/// Documents of one transaction.
pub const TRANSACTION_DOCUMENTS_MAX: usize = 1_000_000;
/// Input of one transaction of a materialization, which holds no more than a document of each key: the more documents
/// of a key it takes in, the fewer rows it writes.
pub const STORE_BYTES_MAX: usize = 1 << 30;
/// Documents of one transaction of a materialization.
pub const STORE_DOCUMENTS_MAX: usize = 10_000_000;
/// Raw size at which a blob of a journal is closed.
pub const BLOB_BYTES: usize = 1 << 20;
/// Journals of one collection and task.
pub const JOURNALS_MAX: usize = 10_000;
/// Bytes of a directory name of a partition.
pub const PARTITION_DIRECTORY_BYTES_MAX: usize = 255;
/// Bytes of one batch that a reader gets.
pub const BATCH_BYTES: usize = 4 << 20;
/// Documents of one batch that a task takes in at once; few enough that they stay in the processor's cache.
pub const BATCH_DOCUMENTS: usize = 256;
/// Bytes of a line of an ingested file.
pub const LINE_BYTES_MAX: usize = 32 << 20;
/// Reads of derivations in one catalog test.
pub const TEST_READS_MAX: usize = 100_000;
/// Documents that are written in one catalog test.
pub const TEST_DOCUMENTS_MAX: usize = 1_000_000;
/// Bytes of the documents that one reading of a collection holds in order to reduce them; more lie in temporary files.
pub const READ_HELD_BYTES: usize = 256 << 20;
/// Bytes of the batches that one reading of a collection holds in order to merge its journals.
pub const READ_BATCHES_BYTES: usize = 64 << 20;
/// Bytes of `META.json`, which names the collections of a data directory and who writes them.
pub const META_BYTES_MAX: usize = 64 << 20;
/// Bytes of the bundle that is kept beside the data, of a fixture, and of what is ingested from the standard input.
pub const INPUT_BYTES_MAX: usize = 1 << 30;
/// Bytes of a block of what combiners write out, before it is compressed.
pub const RUN_BLOCK_BYTES: usize = 256 << 10;
/// Sorted runs that are merged at once; each takes a block of memory meanwhile.
pub const RUNS_MAX: usize = 64;
/// Seconds that a program may take for one call of a module; it cannot be stopped after a number of steps.
pub const SCRIPT_SECONDS_MAX: u64 = 60;
