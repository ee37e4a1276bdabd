//! The data directory: shards, journals and fragments.
//!
//! A task shard is one SQLite database in WAL mode; it holds the checkpoint, connector state, lambda tables and the tail of
//! the journals it writes. One commit makes all of them durable together. Fragments are immutable files of committed
//! documents. See [`DataDirectory`] for writers and [`JournalReader`] for readers.

mod blob;
mod cut;
mod directory;
mod executed;
pub mod failpoint;
mod files;
mod fragment;
mod journal;
mod meta;
mod partition;
mod reader;
mod resets;
mod shard;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod validated;

pub(crate) use directory::journal_heads;
pub use directory::{DataDirectory, Durability};
pub use executed::read_executed;
pub(crate) use executed::write_executed;
pub(crate) use files::inaccessible;
pub use journal::{JournalName, JournalPosition};
pub use partition::{Partitions, decode_partition_value, encode_partition_value};
pub use reader::{Batch, BatchDocument, JournalReader, list_journals};
pub(crate) use resets::Asked;
pub use shard::{CheckpointEntry, CommittedAppend, Keep, Shard, ShardName};
pub use validated::SchemaDigest;
