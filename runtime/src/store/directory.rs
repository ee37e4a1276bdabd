//! The data directory as a whole: the lock, `META.json`, who writes which journal, and where things are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_stdlib::bundle::{Failure, TaskName};

use super::{Shard, ShardName};
use crate::uuid::Clock;

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
pub struct DataDirectory {}

impl DataDirectory {
    /// Opens or creates the directory and takes its lock.
    ///
    /// # Errors
    /// `data-directory-locked` with the process that holds it, `damaged` for another format, `cannot-access` else.
    pub fn open(path: &Path, durability: Durability) -> Result<Arc<Self>, Failure> {
        let _ = (path, durability);
        todo!("H5")
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        todo!("H5")
    }

    /// The greatest clock that any shard of the directory has committed.
    ///
    /// # Errors
    /// When a shard cannot be opened.
    pub fn greatest_clock(&self) -> Result<Clock, Failure> {
        todo!("H5")
    }

    /// Opens a shard, creating it with its tables when it is new, and repairs what a crash left (fragments in state
    /// `writing` are removed, to be cut again).
    ///
    /// # Errors
    /// When its database cannot be opened or is damaged.
    pub fn open_shard(self: &Arc<Self>, name: &ShardName) -> Result<Shard, Failure> {
        let _ = name;
        todo!("H5")
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
        let _ = (collection, task, key_begin);
        todo!("H5")
    }

    /// The recorded key and partition fields of a collection are compared with those given, or recorded when it is new.
    ///
    /// # Errors
    /// `collection-changed` when they differ.
    pub fn register_collection(
        &self,
        collection: &tidegate_stdlib::bundle::Collection,
    ) -> Result<(), Failure> {
        let _ = collection;
        todo!("H5")
    }
}

/// The path of a shard's database below a data directory.
pub(crate) fn shard_path(root: &Path, name: &ShardName) -> PathBuf {
    let _ = (root, name);
    todo!("H5")
}
