//! What is reset, and how often it was.
//!
//! A reset is recorded in `META.json` before anything else happens, and is pending until its collection has been emptied: a process
//! that dies in between leaves the rest to the next one. Everything that it does may be done twice.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidegate_stdlib::bundle::{Collection, Failure, Fragments, TaskKind, TaskName};

use super::directory::task_directory;
use super::fragment::collection_directory;
use super::meta::{CollectionMeta, Layout};
use super::{DataDirectory, Shard, failpoint, files};

/// Where the fragments of what was thrown away lie until somebody removes them.
const TRASH: &str = "trash";

/// What is recorded of resets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resets {
    /// How many were carried out.
    #[serde(default)]
    count: u32,
    /// The digest of what the last one was made for, as long as it is still asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_for: Option<String>,
    /// Whether the last one has more to do.
    #[serde(default)]
    is_pending: bool,
}

impl Resets {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a reset is to be carried out now; keeps in mind what was asked for.
    fn ask(&mut self, made_for: Option<&str>, is_new: bool) -> Asked {
        let Some(made_for) = made_for else {
            self.made_for = None;
            return Asked::No;
        };
        if self.made_for.as_deref() == Some(made_for) {
            return if self.is_pending { Asked::No } else { Asked::Before };
        }
        self.made_for = Some(made_for.to_owned());
        if is_new {
            return Asked::No;
        }
        self.count = self.count.saturating_add(1);
        Asked::Now
    }
}

/// What a request for a reset comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// There is nothing to do: none is asked for, or there is nothing yet.
    No,
    /// It is carried out in this run.
    Now,
    /// It was carried out by a run before.
    Before,
}

impl DataDirectory {
    /// Asks for the reset of a collection, for the digest of what it was declared as; the reset is then pending.
    ///
    /// # Errors
    /// When `META.json` cannot be written.
    pub(crate) fn ask_for_collection(
        &self,
        collection: &Collection,
        made_for: Option<&str>,
    ) -> Result<Asked, Failure> {
        let layout = Layout::of(collection);
        self.change_meta(|meta| {
            let recorded = meta.collection_mut(&collection.name);
            let is_new = recorded.layout.is_none();
            let asked = recorded.resets.ask(made_for, is_new);
            if asked == Asked::Now {
                recorded.resets.is_pending = true;
                recorded.layout = Some(layout);
            }
            asked
        })
    }

    /// Asks for the reset of a task, which is then made by its counter alone.
    ///
    /// # Errors
    /// When `META.json` cannot be written.
    pub(crate) fn ask_for_task(
        &self,
        task: &TaskName,
        made_for: Option<&str>,
    ) -> Result<Asked, Failure> {
        let is_new = !task_directory(self.path(), task).exists();
        self.change_meta(|meta| meta.task_mut(task).ask(made_for, is_new))
    }

    /// How often a collection was reset.
    pub(crate) fn resets_of_collection(&self, name: &str) -> u32 {
        self.meta().collection(name).map_or(0, |recorded| recorded.resets.count)
    }

    /// How often a task was reset.
    pub(crate) fn resets_of_task(&self, task: &TaskName) -> u32 {
        self.meta().task(task).map_or(0, |resets| resets.count)
    }

    /// The collections whose reset has more to do.
    pub(crate) fn pending_resets(&self) -> Vec<String> {
        let is_pending = |(_, recorded): &(&String, &CollectionMeta)| recorded.resets.is_pending;
        self.meta().collections().filter(is_pending).map(|(name, _)| name.clone()).collect()
    }

    /// Throws away what a collection has: its journals in all shards, and all that was read of them; `emptied` gets the shard of the
    /// task that derives it, whose state goes with it. The files of its fragments are moved aside.
    ///
    /// # Errors
    /// When a shard or a file refuses; the reset stays pending then.
    pub(crate) fn empty_collection(
        self: &Arc<Self>,
        name: &str,
        mut emptied: impl FnMut(&mut Shard) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        failpoint::reached("reset-recorded");
        for shard in self.shards()? {
            let mut open = self.open_shard(&shard)?;
            // What only the database has goes the way of the files.
            open.cut_fragments(&Fragments::default(), true)?;
            open.forget_collection(name)?;
            let is_its_own = shard.task.name == name
                && matches!(shard.task.kind, TaskKind::Derivation | TaskKind::Ingest);
            if is_its_own {
                emptied(&mut open)?;
            }
            failpoint::reached("reset-shard");
        }
        self.move_fragments_aside(name)?;
        failpoint::reached("reset-moved");
        self.change_meta(|meta| meta.collection_mut(name).resets.is_pending = false)
    }

    /// What has `=` in its name belongs to the collection, anything else to another one.
    fn move_fragments_aside(&self, name: &str) -> Result<(), Failure> {
        let from = collection_directory(self.path(), name);
        let names = files::list(&from)?;
        let own: Vec<&String> = names.iter().filter(|name| name.contains('=')).collect();
        if own.is_empty() {
            return Ok(());
        }
        let count = self.resets_of_collection(name);
        let trash = self.path().join(TRASH).join(format!("{}.{count}", name.replace('/', "%2F")));
        files::create_directories(&trash)?;
        for name in own {
            files::rename(&from.join(name), &trash.join(name))?;
        }
        let both = [from.as_path(), trash.as_path()];
        files::sync_directories(both.into_iter(), self.path(), self.durability())
    }
}
