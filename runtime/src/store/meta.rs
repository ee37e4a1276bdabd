//! `META.json`: what a data directory says about itself.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, TaskName};
use xxhash_rust::xxh3::xxh3_64;

use crate::files::read_whole;
use crate::limits::META_BYTES_MAX;

use super::resets::Resets;
use super::{Durability, ShardName, files};

const FILE_NAME: &str = "META.json";
/// Version of the layout of a data directory; any other is refused.
const FORMAT_VERSION: u32 = 1;

/// The contents of `META.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    format_version: u32,
    /// Drawn when the directory was created.
    node: String,
    #[serde(default)]
    collections: BTreeMap<String, CollectionMeta>,
    /// Resets of captures and materializations, by kind and name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tasks: BTreeMap<String, Resets>,
}

/// What is recorded of a collection.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectionMeta {
    /// What its journals are laid out by; absent until it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layout: Option<Layout>,
    /// The tasks that write it, in the order in which they came.
    #[serde(default)]
    writers: Vec<TaskName>,
    /// Its resets.
    #[serde(default, skip_serializing_if = "Resets::is_none")]
    pub(super) resets: Resets,
}

/// What the journals of a collection are laid out by; it only changes with a reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// JSON pointers of the key.
    pub(super) key: Vec<String>,
    /// JSON pointers of partition fields.
    pub(super) partitions: BTreeMap<String, String>,
}

impl Layout {
    /// The layout that a collection asks for.
    pub(super) fn of(collection: &Collection) -> Self {
        let partitions = collection
            .partitions()
            .map(|projection| (projection.field.clone(), projection.pointer.clone()))
            .collect();
        Self { key: collection.key.clone(), partitions }
    }
}

impl Meta {
    /// What a new directory begins with.
    pub(super) fn new(node: u64) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            node: format!("{node:016x}"),
            collections: BTreeMap::new(),
            tasks: BTreeMap::new(),
        }
    }

    /// Reads the file; `None` when there is none yet.
    ///
    /// # Errors
    /// `damaged` for another version or something that is no such file, `cannot-access` else.
    pub(super) fn load(root: &Path) -> Result<Option<Self>, Failure> {
        let path = root.join(FILE_NAME);
        let text = match read_whole(&path, META_BYTES_MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(files::inaccessible("read", &path, &error)),
        };
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let damaged = |message| Failure::new(FailureKind::Damaged, message);
        match serde_json::from_slice(&text) {
            Ok(Version { format_version: FORMAT_VERSION }) => {}
            Ok(Version { format_version }) => {
                let message = format!(
                    "`{}` is a data directory of format {format_version}, not {FORMAT_VERSION}",
                    root.display()
                );
                return Err(damaged(message).help("use the version of tidegate that wrote it"));
            }
            Err(_) => return Err(damaged(format!("`{}` is damaged", path.display()))),
        }
        let meta = serde_json::from_slice(&text).map_err(|error| {
            damaged(format!("`{}` is damaged", path.display())).note(error.to_string())
        })?;
        Ok(Some(meta))
    }

    /// Writes the file durably.
    pub(super) fn save(&self, root: &Path, durability: Durability) -> Result<(), Failure> {
        let path = root.join(FILE_NAME);
        let mut text = serde_json::to_vec_pretty(self).expect("texts and numbers have a JSON form");
        text.push(b'\n');
        let temporary = files::write_temporary(&path, &mut |writer| {
            writer.write_all(&text).map_err(|error| files::inaccessible("write", &path, &error))
        })?;
        files::sync(&temporary, durability)?;
        files::rename(&temporary, &path)?;
        files::sync(root, durability)
    }

    /// What is recorded of a collection.
    pub(super) fn collection(&self, name: &str) -> Option<&CollectionMeta> {
        self.collections.get(name)
    }

    /// All collections, by name.
    pub(super) fn collections(&self) -> impl Iterator<Item = (&String, &CollectionMeta)> {
        self.collections.iter()
    }

    /// The resets of a task.
    pub(super) fn task(&self, task: &TaskName) -> Option<&Resets> {
        self.tasks.get(&key_of(task))
    }

    /// The same, created when it is new.
    pub(super) fn task_mut(&mut self, task: &TaskName) -> &mut Resets {
        self.tasks.entry(key_of(task)).or_default()
    }

    /// What is recorded of a collection, created when it is new.
    pub(super) fn collection_mut(&mut self, name: &str) -> &mut CollectionMeta {
        self.collections.entry(name.to_owned()).or_default()
    }
}

impl CollectionMeta {
    /// The tasks that write it.
    pub(super) fn writers(&self) -> &[TaskName] {
        &self.writers
    }

    /// Records a writer, unless it is known.
    pub(super) fn add_writer(&mut self, task: &TaskName) {
        if !self.writers.contains(task) {
            self.writers.push(task.clone());
        }
    }

    /// The pivot of journals of a recorded writer.
    pub(super) fn pivot(&self, task: &TaskName, key_begin: u32) -> String {
        if self.writers.first() != Some(task) {
            return format!("{key_begin:08x}-{:08x}", digest(task));
        }
        if key_begin == 0 { "00".to_owned() } else { format!("{key_begin:08x}") }
    }

    /// The shard that writes journals with this pivot.
    pub(super) fn writer(&self, pivot: &str) -> Option<ShardName> {
        let (key_begin, digits) = match pivot.split_once('-') {
            Some((key_begin, digits)) => (key_begin, Some(digits)),
            None => (pivot, None),
        };
        let key_begin = u32::from_str_radix(key_begin, 16).ok()?;
        let task = self.writers.iter().find(|task| match digits {
            Some(digits) => digits == format!("{:08x}", digest(task)),
            None => true,
        })?;
        Some(ShardName { task: task.clone(), key_begin })
    }
}

fn key_of(task: &TaskName) -> String {
    format!("{}/{}", task.kind.word(), task.name)
}

/// The high half of the hash of a task's kind and name: what tells its journals from those of other writers.
fn digest(task: &TaskName) -> u64 {
    xxh3_64(key_of(task).as_bytes()) >> 32
}
