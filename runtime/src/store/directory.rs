//! The data directory as a whole: the lock, `META.json`, who writes which journal, and where things are.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, TaskKind, TaskName};

use super::fragment::{list_fragments, walk_journals};
use super::meta::{Layout, Meta};
use super::{JournalName, Shard, ShardName, files, tables};
use crate::uuid::Clock;

const LOCK: &str = "LOCK";
const TASKS: &str = "tasks";

/// How hard a commit is pressed to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Every commit survives a power loss.
    Full,
    /// A power loss may lose the last commits, never their order.
    Normal,
    /// A power loss may lose or damage anything.
    Off,
}

/// A data directory, locked for writing while this value lives. It is shared by all tasks of a process.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    durability: Durability,
    meta: Mutex<Meta>,
    /// Holds the lock.
    lock: File,
}

impl DataDirectory {
    /// Opens or creates the directory and takes its lock.
    ///
    /// # Errors
    /// `data-directory-locked` with the process that holds it, `damaged` for another format, `cannot-access` else.
    pub fn open(path: &Path, durability: Durability) -> Result<Arc<Self>, Failure> {
        files::create_directories(path)?;
        let lock = take_lock(path)?;
        let meta = match Meta::load(path)? {
            Some(meta) => meta,
            None => create_meta(path, durability)?,
        };
        let (path, meta) = (path.to_owned(), Mutex::new(meta));
        Ok(Arc::new(Self { path, durability, meta, lock }))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The greatest clock that any shard of the directory has committed.
    ///
    /// # Errors
    /// When a shard cannot be opened.
    pub fn greatest_clock(&self) -> Result<Clock, Failure> {
        let mut greatest = Clock::default();
        for shard in self.shards()? {
            greatest = greatest.max(clock_of(&shard_path(&self.path, &shard))?);
        }
        Ok(greatest)
    }

    /// All shards that there are, in order of kind and name.
    pub(super) fn shards(&self) -> Result<Vec<ShardName>, Failure> {
        let kinds = TaskKind::ALL.into_iter();
        let mut shards = Vec::new();
        for kind in kinds {
            let directory = self.path.join(TASKS).join(kind.word());
            for name in files::list(&directory)? {
                let task = TaskName { kind, name: name.replace("%2F", "/") };
                for key_begin in files::list(&directory.join(name))? {
                    let key_begin = u32::from_str_radix(&key_begin, 16).ok();
                    let named =
                        key_begin.map(|key_begin| ShardName { task: task.clone(), key_begin });
                    shards.extend(named);
                }
            }
        }
        Ok(shards)
    }

    /// Opens a shard, creating it with its tables when it is new, and repairs what a crash left (fragments in state
    /// `writing` are removed, to be cut again).
    ///
    /// # Errors
    /// When its database cannot be opened or is damaged.
    pub fn open_shard(self: &Arc<Self>, name: &ShardName) -> Result<Shard, Failure> {
        Shard::open(Arc::clone(self), name).map_err(|failure| failure.of(&name.task))
    }

    /// The value of `pivot=` in the names of journals that `task` writes for `collection`: `00` for the first task that
    /// ever wrote it, else one of its own. Who was first is recorded durably before this returns.
    ///
    /// # Errors
    /// When `META.json` cannot be written.
    pub fn pivot(
        &self,
        collection: &str,
        task: &TaskName,
        key_begin: u32,
    ) -> Result<String, Failure> {
        self.change_meta(|meta| {
            let recorded = meta.collection_mut(collection);
            recorded.add_writer(task);
            recorded.pivot(task, key_begin)
        })
    }

    /// The recorded key and partition fields of a collection are compared with those given, or recorded when it is new.
    ///
    /// # Errors
    /// `collection-changed` when they differ.
    pub fn register_collection(&self, collection: &Collection) -> Result<(), Failure> {
        let name = &collection.name;
        files::check_components(&format!("collection `{name}`"), name)?;
        let layout = Layout::of(collection);
        let recorded = self.meta().collection(name).and_then(|recorded| recorded.layout.clone());
        match recorded {
            Some(recorded) if recorded == layout => Ok(()),
            Some(recorded) => Err(changed(collection, &recorded, &layout)),
            None => self.change_meta(|meta| meta.collection_mut(name).layout = Some(layout)),
        }
    }

    /// Changes what is recorded; durably, before this returns.
    pub(super) fn change_meta<T>(&self, change: impl FnOnce(&mut Meta) -> T) -> Result<T, Failure> {
        let mut meta = self.meta();
        let mut next = meta.clone();
        let answer = change(&mut next);
        if next != *meta {
            next.save(&self.path, self.durability)?;
            *meta = next;
        }
        Ok(answer)
    }

    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    pub(super) fn meta(&self) -> MutexGuard<'_, Meta> {
        // A panic of another holder leaves no half-done change: values are replaced as a whole.
        self.meta.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path of a shard's database below a data directory.
pub(crate) fn shard_path(root: &Path, name: &ShardName) -> PathBuf {
    task_directory(root, &name.task).join(format!("{:08x}", name.key_begin)).join("shard.db")
}

/// The database of the shard that writes a journal, whether it exists or not; `None` when nobody is known to.
pub(super) fn writer_database(
    root: &Path,
    journal: &JournalName,
) -> Result<Option<PathBuf>, Failure> {
    let Some(meta) = Meta::load(root)? else { return Ok(None) };
    let writer = meta
        .collection(journal.collection())
        .zip(journal.pivot())
        .and_then(|(recorded, pivot)| recorded.writer(pivot));
    Ok(writer.map(|writer| shard_path(root, &writer)))
}

/// The journals of a collection with their heads. Those of one shard are looked up in one transaction of its database,
/// so reading them up to there gives whole transactions.
pub(crate) fn journal_heads(
    root: &Path,
    collection: &str,
) -> Result<BTreeMap<JournalName, u64>, Failure> {
    let mut heads = BTreeMap::new();
    let meta = Meta::load(root)?;
    let writers = meta.as_ref().and_then(|meta| meta.collection(collection));
    for task in writers.map(|recorded| recorded.writers()).unwrap_or_default() {
        for shard in shards_below(&task_directory(root, task))? {
            add_heads(&shard, collection, &mut heads)?;
        }
    }
    for journal in walk_journals(root, collection)? {
        if let Entry::Vacant(entry) = heads.entry(journal) {
            let fragments = list_fragments(root, entry.key())?;
            if let Some(end) = fragments.iter().map(|fragment| fragment.name.end).max() {
                entry.insert(end);
            }
        }
    }
    Ok(heads)
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        // A process that is just being started has a copy of the file, which would hold the lock until it is another program.
        let _ = self.lock.unlock();
    }
}

fn take_lock(root: &Path) -> Result<File, Failure> {
    let path = root.join(LOCK);
    let failed = |error: &std::io::Error| files::inaccessible("lock", &path, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(locked(root, &mut file)),
        Err(TryLockError::Error(error)) => return Err(failed(&error)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|error| failed(&error))?;
    Ok(file)
}

fn locked(root: &Path, file: &mut File) -> Failure {
    let mut holder = String::new();
    // Who holds the lock is only told; without it the message is poorer, not wrong.
    let _ = file.take(20).read_to_string(&mut holder);
    let holder = match holder.trim().parse::<u32>() {
        Ok(process) => format!("process {process}"),
        Err(_) => "another process".to_owned(),
    };
    let message = format!("`{}` is in use by {holder}", root.display());
    Failure::new(FailureKind::DataDirectoryLocked, message)
        .help("end that process, or choose another directory with `--data`")
}

fn create_meta(root: &Path, durability: Durability) -> Result<Meta, Failure> {
    if root.join(TASKS).exists() {
        let message = format!("`{}` has data but no `META.json`", root.display());
        return Err(Failure::new(FailureKind::Damaged, message)
            .help("restore the file, or choose another directory with `--data`"));
    }
    let meta = Meta::new(draw_number()?);
    meta.save(root, durability)?;
    files::sync(root.parent().unwrap_or(root), durability)?;
    Ok(meta)
}

/// A random number, never 0.
pub(super) fn draw_number() -> Result<u64, Failure> {
    let number = getrandom::u64().map_err(|error| {
        let message = format!("the system gives no random numbers: {error}");
        Failure::new(FailureKind::CannotAccess, message)
    })?;
    Ok(number.max(1))
}

fn changed(collection: &Collection, recorded: &Layout, layout: &Layout) -> Failure {
    let (what, before, now) = if recorded.key == layout.key {
        let describe = |layout: &Layout| {
            let fields: Vec<String> = layout
                .partitions
                .iter()
                .map(|(field, pointer)| format!("`{field}` at `{pointer}`"))
                .collect();
            if fields.is_empty() { "none".to_owned() } else { fields.join(", ") }
        };
        ("partitions", describe(recorded), describe(layout))
    } else {
        let describe = |layout: &Layout| format!("`[{}]`", layout.key.join(", "));
        ("key", describe(recorded), describe(layout))
    };
    let message =
        format!("the {what} of `{}` changed since its documents were written", collection.name);
    Failure::new(FailureKind::CollectionChanged, message)
        .collection(&collection.name)
        .at(Some(collection.origin.clone()))
        .note(format!("written with: {before}"))
        .note(format!("the catalog has: {now}"))
        .help(
            "restore it, give the collection a new name, or throw away what it has with `reset: true`",
        )
}

pub(super) fn task_directory(root: &Path, task: &TaskName) -> PathBuf {
    root.join(TASKS).join(task.kind.word()).join(task.name.replace('/', "%2F"))
}

fn shards_below(task: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shards = files::list(task)?.into_iter();
    Ok(shards.map(|key_begin| task.join(key_begin).join("shard.db")).collect())
}

fn clock_of(shard: &Path) -> Result<Clock, Failure> {
    let Some(connection) = tables::open_for_reading(shard)? else { return Ok(Clock::default()) };
    let clock: Option<i64> = connection
        .query_row("SELECT max(clock) FROM tidegate_journal", (), |row| row.get(0))
        .map_err(|error| tables::failure(shard, &error))?;
    Ok(Clock(clock.unwrap_or_default().cast_unsigned()))
}

fn add_heads(
    shard: &Path,
    collection: &str,
    heads: &mut BTreeMap<JournalName, u64>,
) -> Result<(), Failure> {
    let Some(connection) = tables::open_for_reading(shard)? else { return Ok(()) };
    let mut add = || {
        let query = "SELECT name, head FROM tidegate_journal WHERE collection = ?";
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query((collection,))?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            heads.insert(JournalName(name.into()), row.get::<_, i64>(1)?.cast_unsigned());
        }
        Ok(())
    };
    add().map_err(|error| tables::failure(shard, &error))
}
