//! The texts of open editors over the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_compiler::source::{ColumnUnit, LineIndex, Position};
use tidegate_compiler::world::{World, WorldFailure};
use url::Url;

use super::protocol::{self, ContentChange};
use crate::disk::CachedDisk;

/// An open text.
#[derive(Debug, Clone)]
pub(super) struct OpenText {
    /// What the client calls it.
    pub(super) uri: String,
    /// How often the client has changed it.
    pub(super) version: i64,
    /// Whether the client takes it for a catalog.
    pub(super) is_catalog: bool,
    /// What the editor shows.
    pub(super) text: Arc<str>,
}

/// The open texts by their URL.
#[derive(Debug, Clone, Default)]
pub(super) struct Overlay {
    open: BTreeMap<Url, OpenText>,
}

impl Overlay {
    /// Opens a text, or replaces it.
    pub(super) fn open(&mut self, url: Url, text: OpenText) {
        self.open.insert(url, text);
    }

    /// Closes a text: the disk has it from now on.
    pub(super) fn close(&mut self, url: &Url) {
        self.open.remove(url);
    }

    /// An open text.
    pub(super) fn get(&self, url: &Url) -> Option<&OpenText> {
        self.open.get(url)
    }

    /// All open texts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Url, &OpenText)> {
        self.open.iter()
    }

    /// Applies changes of a text, one after the other.
    pub(super) fn change(
        &mut self,
        url: &Url,
        version: i64,
        changes: &[ContentChange],
        unit: ColumnUnit,
    ) {
        let Some(open) = self.open.get_mut(url) else { return };
        open.version = version;
        for change in changes {
            open.text = changed(&open.text, change, unit);
        }
    }
}

fn changed(text: &str, change: &ContentChange, unit: ColumnUnit) -> Arc<str> {
    let Some(range) = change.range else { return change.text.as_str().into() };
    let lines = LineIndex::new(text);
    let offset = |position: protocol::Position| {
        let line = position.line.saturating_add(1);
        let column = position.character.saturating_add(1);
        lines.offset(text, Position { line, column }, unit) as usize
    };
    let start = offset(range.start);
    let end = offset(range.end).max(start);
    let (before, after) = (text.get(..start), text.get(end..));
    [before.unwrap_or_default(), &change.text, after.unwrap_or_default()].concat().into()
}

/// The world as the editor shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct EditorWorld<'w> {
    /// What is open.
    pub(super) overlay: &'w Overlay,
    /// The rest.
    pub(super) disk: &'w CachedDisk,
}

impl World for EditorWorld<'_> {
    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure> {
        match self.overlay.get(url) {
            Some(open) => Ok(Arc::clone(&open.text).into()),
            None => self.disk.read(url),
        }
    }
}

/// The URL of what a client names, in the form in which files have it here: clients quote other characters.
pub(super) fn canonical(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let path = url.to_file_path().ok();
    Some(path.and_then(|path| Url::from_file_path(path).ok()).unwrap_or(url))
}
