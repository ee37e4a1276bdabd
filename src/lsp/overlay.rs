//! The texts of open editors over the disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tidegate_compiler::source::{ColumnUnit, LineIndex, Position};
use tidegate_compiler::world::{World, WorldFailure};
use url::Url;

use super::protocol::{self, ContentChange};
use crate::disk::Disk;

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

/// What the disk had when it was last asked; a file is read again when its time or size is another.
#[derive(Debug, Default)]
pub(super) struct DiskCache {
    files: RefCell<BTreeMap<Url, Cached>>,
}

#[derive(Debug)]
struct Cached {
    stamp: (SystemTime, u64),
    bytes: Arc<[u8]>,
}

impl DiskCache {
    /// Forgets files that are said to have changed.
    pub(super) fn forget(&self, urls: &[Url]) {
        let mut files = self.files.borrow_mut();
        for url in urls {
            files.remove(url);
        }
    }

    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure> {
        let stamp = url.to_file_path().ok().and_then(|path| stamp(&path));
        let mut files = self.files.borrow_mut();
        if let (Some(cached), Some(stamp)) = (files.get(url), stamp)
            && cached.stamp == stamp
        {
            return Ok(Arc::clone(&cached.bytes));
        }
        files.remove(url);
        let bytes = Disk.read(url)?;
        if let Some(stamp) = stamp {
            files.insert(url.clone(), Cached { stamp, bytes: Arc::clone(&bytes) });
        }
        Ok(bytes)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The world as the editor shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct EditorWorld<'w> {
    /// What is open.
    pub(super) overlay: &'w Overlay,
    /// The rest.
    pub(super) disk: &'w DiskCache,
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
