//! One task shard: its database and its transactions.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;
use tidegate_stdlib::bundle::{Codec, Failure, Fragments, TaskName};
use tidegate_stdlib::lambda::sqlite::Guard;

use super::{JournalName, JournalPosition};
use crate::uuid::Clock;

/// What identifies a shard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardName {
    /// The task.
    pub task: TaskName,
    /// First key hash of its range.
    pub key_begin: u32,
}

/// How far a journal has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointEntry {
    /// The journal.
    pub journal: JournalName,
    /// The identity of the read, such as `derive/acme/totals/fromOrders`.
    pub suffix: String,
    /// Read through this place.
    pub position: JournalPosition,
}

/// What one commit added to one journal, for readers in the same process.
#[derive(Debug, Clone)]
pub struct CommittedAppend {
    /// The journal.
    pub journal: JournalName,
    /// Where the bytes begin.
    pub begin: JournalPosition,
    /// The raw bytes, whole lines.
    pub bytes: Arc<[u8]>,
}

/// An open shard. All methods run on the thread of its task.
#[derive(Debug)]
pub struct Shard {}

impl Shard {
    /// Its name.
    pub fn name(&self) -> &ShardName {
        todo!("H5")
    }

    /// The connection, for lambdas and migrations.
    pub fn connection(&self) -> &Connection {
        todo!("H5")
    }

    /// The authorizer of the connection; the shard's own statements run in mode `Internal`.
    pub fn guard(&self) -> &Guard {
        todo!("H5")
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn begin(&mut self) -> Result<(), Failure> {
        todo!("H5")
    }

    /// Abandons the open transaction, if any, with everything it appended.
    pub fn rollback(&mut self) {
        todo!("H5")
    }

    /// Appends stamped documents (canonical text, each with its line feed) to a journal of a collection inside the open
    /// transaction; creates the journal when it is new. `last_clock` is the greatest stamp among them.
    ///
    /// # Errors
    /// When the database refuses, or the collection would have too many journals.
    pub fn append(
        &mut self,
        collection: &str,
        partitions: &str,
        codec: Codec,
        lines: Vec<u8>,
        last_clock: Clock,
    ) -> Result<(), Failure> {
        let _ = (collection, partitions, codec, lines, last_clock);
        todo!("H5")
    }

    /// All checkpoint entries.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn checkpoint(&self) -> Result<Vec<CheckpointEntry>, Failure> {
        todo!("H5")
    }

    /// Replaces a checkpoint entry inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_checkpoint(&mut self, entry: &CheckpointEntry) -> Result<(), Failure> {
        let _ = entry;
        todo!("H5")
    }

    /// The connector state under a key, if any.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn state(&self, key: &str) -> Result<Option<Value>, Failure> {
        let _ = key;
        todo!("H5")
    }

    /// Replaces the connector state under a key inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_state(&mut self, key: &str, state: &Value) -> Result<(), Failure> {
        let _ = (key, state);
        todo!("H5")
    }

    /// Texts of the applied migrations, by index.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn migrations(&self) -> Result<Vec<String>, Failure> {
        todo!("H5")
    }

    /// Records that the next migration was applied, inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn add_migration(&mut self, text: &str) -> Result<(), Failure> {
        let _ = text;
        todo!("H5")
    }

    /// Adds to a counter of documents inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn count(&mut self, counter: &str, documents: u64) -> Result<(), Failure> {
        let _ = (counter, documents);
        todo!("H5")
    }

    /// Makes the open transaction durable and says what was appended.
    ///
    /// # Errors
    /// When the transaction was ended by a user statement, or the disk refuses; nothing was committed then.
    pub fn commit(&mut self) -> Result<Vec<CommittedAppend>, Failure> {
        todo!("H5")
    }

    /// Cuts the tails of journals into fragment files: those beyond their length or flush interval, or all with
    /// `everything`. To be called outside a transaction, on the shard's own thread.
    ///
    /// # Errors
    /// When a file cannot be written; the tails stay in the database.
    pub fn cut_fragments(
        &mut self,
        fragments: &Fragments,
        everything: bool,
    ) -> Result<(), Failure> {
        let _ = (fragments, everything);
        todo!("H5")
    }
}
