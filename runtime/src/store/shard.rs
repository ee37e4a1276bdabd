//! One task shard: its database and its transactions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use tidegate_stdlib::bundle::{Codec, Failure, FailureKind, Fragments, TaskName};
use tidegate_stdlib::lambda::sqlite::{Guard, GuardMode};

use super::blob::{BlobEncoder, codec_text};
use super::directory::{draw_number, shard_path};
use super::fragment::list_fragments;
use super::validated::{SchemaDigest, Validated};
use super::{DataDirectory, JournalName, JournalPosition, cut, files, tables};
use crate::limits::{BLOB_BYTES, JOURNALS_MAX};
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
    /// Where they end.
    pub end: JournalPosition,
    /// The raw bytes, whole lines, if they are kept.
    pub bytes: Option<Arc<Vec<u8>>>,
    /// The schema that the documents were validated against.
    pub schema: Option<SchemaDigest>,
}

/// Whether the raw bytes of appends are kept for readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// They are handed out with their commit.
    Bytes,
    /// Nobody in this process reads them.
    Nothing,
}

/// A journal that the shard writes.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) id: i64,
    pub(super) name: JournalName,
    collection: String,
    incarnation: u64,
    /// The end of what is committed.
    pub(super) head: u64,
    clock: Clock,
    /// Raw bytes of the tail that are committed.
    pub(super) tail_bytes: u64,
    /// Since when this process knows of the tail.
    pub(super) tail_since: Option<Instant>,
    /// What is known of its documents.
    validated: Option<Validated>,
    /// Created by the open transaction.
    is_new: bool,
    /// The digest of the tail, when this process has seen all of it.
    pub(super) digest: Option<TailDigest>,
    /// What the open transaction has appended.
    pending: Option<Pending>,
}

/// The digest of the raw bytes of a tail of one codec.
#[derive(Debug, Clone)]
pub(super) struct TailDigest {
    /// Where the tail begins.
    pub(super) begin: u64,
    /// Its codec; none while it is empty.
    pub(super) codec: Option<Codec>,
    pub(super) sha1: Sha1,
}

impl TailDigest {
    /// The digest of an empty tail.
    pub(super) fn new(begin: u64) -> Self {
        Self { begin, codec: None, sha1: Sha1::new() }
    }

    /// The digest with more bytes; none for a tail of several codecs.
    fn update(mut self, codec: Codec, raw: &[u8]) -> Option<Self> {
        if self.codec.is_some_and(|before| before != codec) {
            return None;
        }
        self.codec = Some(codec);
        self.sha1.update(raw);
        Some(self)
    }
}

#[derive(Debug)]
struct Pending {
    codec: Codec,
    /// What no blob has yet.
    lines: Vec<u8>,
    /// Offset in the journal after the blobs.
    end: u64,
    first_append: Clock,
    clock: Clock,
    /// What is known of the documents of the journal with these.
    validated: Option<Validated>,
    digest: Option<TailDigest>,
    /// What the blobs hold, when that is kept: offsets and raw bytes.
    kept: Vec<(u64, Arc<Vec<u8>>)>,
}

/// An open shard. All methods run on the thread of its task.
#[derive(Debug)]
pub struct Shard {
    pub(super) directory: Arc<DataDirectory>,
    name: ShardName,
    path: PathBuf,
    pub(super) connection: Connection,
    guard: Guard,
    encoder: BlobEncoder,
    /// By collection and partitions, without the pivot.
    pub(super) journals: BTreeMap<String, Journal>,
    journals_by_collection: BTreeMap<String, usize>,
    /// The schemas of collections whose documents are validated before they are appended.
    schemas: BTreeMap<String, SchemaDigest>,
    keep: Keep,
    /// A fragment may be in state `writing`.
    pub(super) has_unfinished: bool,
}

impl Shard {
    pub(super) fn open(directory: Arc<DataDirectory>, name: &ShardName) -> Result<Self, Failure> {
        let path = shard_path(directory.path(), name);
        let encoded = name.task.name.replace('/', "%2F");
        files::check_components(
            &format!("{} `{}`", name.task.kind.word(), name.task.name),
            &encoded,
        )?;
        let parent = path.parent().expect("a shard lies in a directory of its own");
        files::create_directories(parent)?;
        let durability = directory.durability();
        let (connection, guard) = tables::open(&path, name, durability)?;
        files::sync_directories(std::iter::once(parent), directory.path(), durability)?;
        let mut shard = Self {
            directory,
            name: name.clone(),
            path,
            connection,
            guard,
            encoder: BlobEncoder::default(),
            journals: BTreeMap::new(),
            journals_by_collection: BTreeMap::new(),
            schemas: BTreeMap::new(),
            keep: Keep::Bytes,
            has_unfinished: true,
        };
        cut::remove_unfinished(&mut shard)?;
        shard.load_journals()?;
        Ok(shard)
    }

    /// Its name.
    pub fn name(&self) -> &ShardName {
        &self.name
    }

    /// The directory of its database, where also its temporary files lie.
    pub fn directory_path(&self) -> &Path {
        self.path.parent().expect("a shard lies in a directory of its own")
    }

    /// The connection, for lambdas and migrations.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The authorizer of the connection; the shard's own statements run in mode `Internal`.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sets whether the raw bytes of what is appended from here on are kept for readers.
    pub fn keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    /// Documents of a collection that are appended from here on have been validated against a schema.
    pub fn vouch(&mut self, collection: &str, schema: SchemaDigest) {
        if self.schemas.get(collection) != Some(&schema) {
            self.schemas.insert(collection.to_owned(), schema);
        }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn begin(&mut self) -> Result<(), Failure> {
        self.internal(|connection| connection.prepare_cached("BEGIN IMMEDIATE")?.execute(()))?;
        Ok(())
    }

    /// Abandons the open transaction, if any, with everything it appended.
    pub fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            // A rollback that fails leaves a connection on which nothing can be committed any more, which the next
            // `begin` reports.
            let _ = self.internal(|connection| connection.execute_batch("ROLLBACK"));
        }
        let counts = &mut self.journals_by_collection;
        self.journals.retain(|_, journal| {
            journal.pending = None;
            if journal.is_new
                && let Some(count) = counts.get_mut(&journal.collection)
            {
                *count = count.saturating_sub(1);
            }
            !journal.is_new
        });
    }

    /// Appends stamped documents (canonical text, each with its line feed) to a journal of a collection inside the open
    /// transaction; creates the journal when it is new. `last_clock` is the greatest stamp among them. Whole blobs go to
    /// the database at once, so that memory is bounded by what is kept for readers.
    ///
    /// # Errors
    /// When the database refuses, or the collection would have too many journals.
    pub fn append(
        &mut self,
        collection: &str,
        partitions: &str,
        codec: Codec,
        lines: &[u8],
        last_clock: Clock,
    ) -> Result<(), Failure> {
        self.expect_open()?;
        if lines.is_empty() {
            return Ok(());
        }
        debug_assert_eq!(lines.last(), Some(&b'\n'));
        let key = format!("{collection}/{partitions}");
        let new = match self.journals.get(&key) {
            Some(_) => None,
            None => Some(self.create_journal(collection, partitions)?),
        };
        let entry = self.journals.entry(key);
        let journal = entry.or_insert_with(|| new.expect("it was created when it was not there"));
        let schema = self.schemas.get(collection).copied();
        let pending = journal.pending.get_or_insert_with(|| Pending {
            codec,
            lines: Vec::new(),
            end: journal.head,
            first_append: last_clock,
            clock: last_clock,
            validated: Validated::go_on(journal.validated, schema, journal.head),
            digest: journal.digest.clone(),
            kept: Vec::new(),
        });
        pending.clock = pending.clock.max(last_clock);
        pending.lines.extend_from_slice(lines);
        let id = journal.id;
        let Self { encoder, guard, connection, path, keep, .. } = self;
        let write = || {
            while pending.lines.len() >= BLOB_BYTES {
                pending.write_blob(connection, encoder, id, *keep)?;
            }
            Ok(())
        };
        guard
            .within(GuardMode::Internal, write)
            .map_err(|error: rusqlite::Error| tables::failure(path, &error))
    }

    /// All checkpoint entries.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn checkpoint(&self) -> Result<Vec<CheckpointEntry>, Failure> {
        self.internal(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT journal, suffix, incarnation, read_through FROM tidegate_checkpoint
                ORDER BY journal, suffix",
            )?;
            let entries = statement.query_map((), |row| {
                Ok(CheckpointEntry {
                    journal: JournalName(row.get::<_, String>(0)?.into()),
                    suffix: row.get(1)?,
                    position: JournalPosition {
                        incarnation: row.get::<_, i64>(2)?.cast_unsigned(),
                        offset: row.get::<_, i64>(3)?.cast_unsigned(),
                    },
                })
            })?;
            entries.collect()
        })
    }

    /// Replaces a checkpoint entry inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_checkpoint(&mut self, entry: &CheckpointEntry) -> Result<(), Failure> {
        let CheckpointEntry { journal, suffix, position } = entry;
        self.write(
            "INSERT OR REPLACE INTO tidegate_checkpoint (journal, suffix, incarnation, read_through)
            VALUES (?, ?, ?, ?)",
            (
                &*journal.0,
                suffix,
                position.incarnation.cast_signed(),
                position.offset.cast_signed(),
            ),
        )
    }

    /// The connector state under a key, if any.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn state(&self, key: &str) -> Result<Option<Value>, Failure> {
        let text: Option<String> = self.internal(|connection| {
            connection
                .prepare_cached("SELECT value FROM tidegate_state WHERE key = ?")?
                .query_row((key,), |row| row.get(0))
                .optional()
        })?;
        let Some(text) = text else { return Ok(None) };
        let value = serde_json::from_str(&text).map_err(|error| {
            let message = format!("the state `{key}` in `{}` is damaged", self.path.display());
            Failure::new(FailureKind::Damaged, message).note(error.to_string())
        })?;
        Ok(Some(value))
    }

    /// Replaces the connector state under a key inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_state(&mut self, key: &str, state: &Value) -> Result<(), Failure> {
        let statement = "INSERT OR REPLACE INTO tidegate_state (key, value) VALUES (?, ?)";
        self.write(statement, (key, state.to_string()))
    }

    /// Texts of the applied migrations, by index.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn migrations(&self) -> Result<Vec<String>, Failure> {
        self.internal(|connection| {
            let query = "SELECT text FROM tidegate_migration ORDER BY position";
            let mut statement = connection.prepare_cached(query)?;
            statement.query_map((), |row| row.get(0))?.collect()
        })
    }

    /// Records that the next migration was applied, inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn add_migration(&mut self, text: &str) -> Result<(), Failure> {
        self.write(
            "INSERT INTO tidegate_migration (position, text)
            SELECT count(*), ? FROM tidegate_migration",
            (text,),
        )
    }

    /// Adds to a counter of documents inside the open transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn count(&mut self, counter: &str, documents: u64) -> Result<(), Failure> {
        if documents == 0 {
            return self.expect_open();
        }
        self.write(
            "INSERT INTO tidegate_stats (counter, documents) VALUES (?, ?)
            ON CONFLICT DO UPDATE SET documents = documents + excluded.documents",
            (counter, documents.cast_signed()),
        )
    }

    /// The committed counters.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn counters(&self) -> Result<BTreeMap<String, u64>, Failure> {
        self.internal(|connection| {
            let query = "SELECT counter, documents FROM tidegate_stats";
            let mut statement = connection.prepare_cached(query)?;
            let counters = statement
                .query_map((), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
            counters.collect()
        })
    }

    /// Makes the open transaction durable and says what was appended.
    ///
    /// # Errors
    /// When the transaction was ended by a user statement, or the disk refuses; nothing was committed then.
    pub fn commit(&mut self) -> Result<Vec<CommittedAppend>, Failure> {
        let outcome = self.expect_open().and_then(|()| self.write_tails()).and_then(|()| {
            self.internal(|connection| connection.prepare_cached("COMMIT")?.execute(()))
        });
        if let Err(failure) = outcome {
            self.rollback();
            return Err(failure);
        }
        let mut appends = Vec::new();
        self.journals.values_mut().for_each(|journal| journal.committed(&mut appends));
        Ok(appends)
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
        cut::cut(self, fragments, everything)
    }

    /// Forgets the journals of a collection with all that they hold, and how far they have been read.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) fn forget_collection(&mut self, collection: &str) -> Result<(), Failure> {
        const OF_JOURNALS: [&str; 2] = [
            "DELETE FROM tidegate_tail WHERE journal IN
                (SELECT id FROM tidegate_journal WHERE collection = ?)",
            "DELETE FROM tidegate_fragment WHERE journal IN
                (SELECT id FROM tidegate_journal WHERE collection = ?)",
        ];
        self.begin()?;
        for statement in OF_JOURNALS {
            self.write(statement, (collection,))?;
        }
        self.write("DELETE FROM tidegate_journal WHERE collection = ?", (collection,))?;
        for entry in self.checkpoint()? {
            if entry.journal.collection() == collection {
                let statement = "DELETE FROM tidegate_checkpoint WHERE journal = ? AND suffix = ?";
                self.write(statement, (&*entry.journal.0, &entry.suffix))?;
            }
        }
        self.journals.retain(|_, journal| journal.collection != collection);
        self.journals_by_collection.remove(collection);
        self.commit().map(drop)
    }

    /// Runs statements of the store itself.
    pub(super) fn internal<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        self.guard
            .within(GuardMode::Internal, || work(&self.connection))
            .map_err(|error| tables::failure(&self.path, &error))
    }

    /// A user's `INSERT OR ROLLBACK` may have ended the transaction, and everything done since would be committed
    /// by itself.
    fn expect_open(&self) -> Result<(), Failure> {
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        let message = "the transaction was ended by one of its statements";
        Err(Failure::new(FailureKind::LambdaFailed, message)
            .note("`ON CONFLICT ROLLBACK`, `INSERT OR ROLLBACK` and `RAISE(ROLLBACK)` do that")
            .help("use `ABORT` in place of `ROLLBACK`")
            .of(&self.name.task))
    }

    fn write(&self, statement: &str, parameters: impl rusqlite::Params) -> Result<(), Failure> {
        self.expect_open()?;
        self.internal(|connection| connection.prepare_cached(statement)?.execute(parameters))?;
        Ok(())
    }

    fn load_journals(&mut self) -> Result<(), Failure> {
        let journals: Vec<Journal> = self.internal(|connection| {
            let mut statement = connection.prepare(
                "SELECT id, name, collection, incarnation, head, clock,
                    (SELECT ifnull(sum(end - begin), 0) FROM tidegate_tail WHERE journal = id)
                FROM tidegate_journal",
            )?;
            statement.query_map((), Journal::from_row)?.collect()
        })?;
        for mut journal in journals {
            journal.validated = self.internal(|it| Validated::load(it, journal.incarnation))?;
            let key = match journal.name.0.rsplit_once("/pivot=") {
                Some((key, _)) if key == journal.collection => format!("{key}/"),
                Some((key, _)) => key.to_owned(),
                None => continue,
            };
            *self.journals_by_collection.entry(journal.collection.clone()).or_default() += 1;
            self.journals.insert(key, journal);
        }
        Ok(())
    }

    fn create_journal(&mut self, collection: &str, partitions: &str) -> Result<Journal, Failure> {
        let count = self.journals_by_collection.entry(collection.to_owned()).or_default();
        if *count >= JOURNALS_MAX {
            let message = format!("`{collection}` would have more than {JOURNALS_MAX} partitions");
            return Err(Failure::new(FailureKind::LimitExceeded, message)
                .collection(collection)
                .help("partition by a field with fewer values"));
        }
        let ShardName { task, key_begin } = &self.name;
        let pivot = self.directory.pivot(collection, task, *key_begin)?;
        let name = JournalName::new(collection, partitions, &pivot);
        // A journal whose shard was lost goes on where its files end: an offset never stands for two documents.
        let fragments = list_fragments(self.directory.path(), &name)?;
        let head = fragments.iter().map(|fragment| fragment.name.end).max().unwrap_or(0);
        let incarnation = draw_number()?;
        let id = self.internal(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO tidegate_journal (name, collection, incarnation, head, clock)
                    VALUES (?, ?, ?, ?, 0)",
                )?
                .execute((&*name.0, collection, incarnation.cast_signed(), head.cast_signed()))?;
            let id = connection.last_insert_rowid();
            let mut insert = connection.prepare_cached(
                "INSERT INTO tidegate_fragment (journal, begin, end, sha1, path, state)
                VALUES (?, ?, ?, ?, ?, 'done')",
            )?;
            for fragment in &fragments {
                let (begin, end) = (fragment.name.begin, fragment.name.end);
                let (sha1, path) = (&fragment.name.sha1, &fragment.path);
                insert.execute((id, begin.cast_signed(), end.cast_signed(), sha1, path))?;
            }
            Ok(id)
        })?;
        *self.journals_by_collection.entry(collection.to_owned()).or_default() += 1;
        Ok(Journal {
            id,
            name,
            collection: collection.to_owned(),
            incarnation,
            head,
            clock: Clock::default(),
            tail_bytes: 0,
            tail_since: None,
            validated: None,
            is_new: true,
            digest: Some(TailDigest::new(head)),
            pending: None,
        })
    }

    /// Puts the rest of what the transaction appended into the database.
    fn write_tails(&mut self) -> Result<(), Failure> {
        let Self { journals, encoder, guard, connection, path, keep, .. } = self;
        guard
            .within(GuardMode::Internal, || {
                journals
                    .values_mut()
                    .try_for_each(|journal| journal.write_tail(connection, encoder, *keep))
            })
            .map_err(|error| tables::failure(path, &error))
    }
}

impl Journal {
    fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let head = row.get::<_, i64>(4)?.cast_unsigned();
        let tail_bytes = row.get::<_, i64>(6)?.cast_unsigned();
        Ok(Self {
            id: row.get(0)?,
            name: JournalName(row.get::<_, String>(1)?.into()),
            collection: row.get(2)?,
            incarnation: row.get::<_, i64>(3)?.cast_unsigned(),
            head,
            clock: Clock(row.get::<_, i64>(5)?.cast_unsigned()),
            tail_bytes,
            tail_since: (tail_bytes > 0).then(Instant::now),
            validated: None,
            is_new: false,
            digest: (tail_bytes == 0).then(|| TailDigest::new(head)),
            pending: None,
        })
    }

    fn write_tail(
        &mut self,
        connection: &Connection,
        encoder: &mut BlobEncoder,
        keep: Keep,
    ) -> rusqlite::Result<()> {
        let Some(pending) = &mut self.pending else { return Ok(()) };
        while !pending.lines.is_empty() {
            pending.write_blob(connection, encoder, self.id, keep)?;
        }
        let clock = self.clock.max(pending.clock).0.cast_signed();
        connection
            .prepare_cached("UPDATE tidegate_journal SET head = ?, clock = ? WHERE id = ?")?
            .execute((pending.end.cast_signed(), clock, self.id))?;
        if pending.validated != self.validated {
            Validated::store(pending.validated, connection, self.incarnation)?;
        }
        Ok(())
    }

    /// Takes what the transaction appended, now that it is durable.
    fn committed(&mut self, appends: &mut Vec<CommittedAppend>) {
        self.is_new = false;
        let Some(pending) = self.pending.take() else { return };
        let Pending { end, clock, validated, digest, kept, .. } = pending;
        self.validated = validated;
        let schema = validated.and_then(|validated| validated.schema_from(self.head));
        let position = |offset| JournalPosition { incarnation: self.incarnation, offset };
        if kept.is_empty() {
            appends.push(CommittedAppend {
                journal: self.name.clone(),
                begin: position(self.head),
                end: position(end),
                bytes: None,
                schema,
            });
        }
        appends.extend(kept.into_iter().map(|(begin, bytes)| CommittedAppend {
            journal: self.name.clone(),
            begin: position(begin),
            end: position(begin + bytes.len() as u64),
            bytes: Some(bytes),
            schema,
        }));
        self.tail_bytes += end - self.head;
        self.head = end;
        self.digest = digest;
        self.tail_since.get_or_insert_with(Instant::now);
        self.clock = self.clock.max(clock);
    }
}

impl Pending {
    /// Takes the next blob off the lines, compresses it and puts it into the database.
    fn write_blob(
        &mut self,
        connection: &Connection,
        encoder: &mut BlobEncoder,
        journal: i64,
        keep: Keep,
    ) -> rusqlite::Result<()> {
        let length = blob_length(&self.lines);
        let raw = self.lines.get(..length).unwrap_or_default();
        let (begin, end) = (self.end, self.end + raw.len() as u64);
        let blob = encoder
            .encode(self.codec, raw)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO tidegate_tail (journal, begin, end, codec, first_append, bytes)
            VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        insert.execute((
            journal,
            begin.cast_signed(),
            end.cast_signed(),
            codec_text(self.codec),
            self.first_append.0.cast_signed(),
            &*blob,
        ))?;
        self.digest = self.digest.take().and_then(|digest| digest.update(self.codec, raw));
        self.end = end;
        if keep == Keep::Bytes {
            self.kept.push((begin, Arc::new(raw.to_vec())));
        }
        self.lines.drain(..length);
        Ok(())
    }
}

/// How many bytes of `lines` the next blob takes: whole documents within the usual size, or one document alone.
fn blob_length(lines: &[u8]) -> usize {
    let is_end = |byte: &u8| *byte == b'\n';
    let Some((within, beyond)) = lines.split_at_checked(BLOB_BYTES) else { return lines.len() };
    if let Some(last) = within.iter().rposition(is_end) {
        return last + 1;
    }
    match beyond.iter().position(is_end) {
        Some(first) => within.len() + first + 1,
        None => lines.len(),
    }
}
