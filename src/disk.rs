//! The disk as the compiler's world.
//!
//! A catalog is text of others: what it names may be a device or a pipe. So only regular files are read, and no more of
//! them than a limit lets in.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tidegate_compiler::limits::SOURCE_SIZE_BYTES_MAX;
use tidegate_compiler::world::{World, WorldFailure};
use tidegate_runtime::files::read_regular;
use url::Url;

use crate::exit::io_words;

/// Names of neighbouring files that are given for suggestions.
const NEIGHBOURS_MAX: usize = 200;

/// Reads `file:` URLs; nothing else can be had offline.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disk;

impl World for Disk {
    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure> {
        let path = url.to_file_path().map_err(|()| WorldFailure {
            is_missing: false,
            message: format!("`{}:` addresses are not read", url.scheme()),
            neighbours: Vec::new(),
        })?;
        read_regular(&path, SOURCE_SIZE_BYTES_MAX).map(Into::into).map_err(|error| WorldFailure {
            is_missing: error.kind() == io::ErrorKind::NotFound,
            message: io_words(&error),
            neighbours: neighbours(&path),
        })
    }
}

fn neighbours(path: &Path) -> Vec<String> {
    let Some(entries) = path.parent().and_then(|directory| fs::read_dir(directory).ok()) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .take(NEIGHBOURS_MAX)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// The disk as it was when it was asked; a file is read again when its time or its size is another.
#[derive(Debug, Default)]
pub(crate) struct CachedDisk {
    files: RefCell<BTreeMap<Url, Cached>>,
}

/// When a file was written and how large it is; nothing for one that is not there.
pub(crate) type Stamp = Option<(SystemTime, u64)>;

#[derive(Debug)]
struct Cached {
    stamp: Stamp,
    /// Nothing when it could not be read.
    bytes: Option<Arc<[u8]>>,
    is_used: bool,
}

impl CachedDisk {
    /// Begins a round, and forgets what the last one did not ask for.
    pub(crate) fn begin_round(&self) {
        let mut files = self.files.borrow_mut();
        files.retain(|_, file| std::mem::take(&mut file.is_used));
    }

    /// Forgets files that are said to have changed.
    pub(crate) fn forget(&self, urls: &[Url]) {
        let mut files = self.files.borrow_mut();
        for url in urls {
            files.remove(url);
        }
    }

    /// The stamps that the files of this round had when they were read.
    pub(crate) fn stamps_read(&self) -> Vec<Stamp> {
        self.files.borrow().values().filter(|file| file.is_used).map(|file| file.stamp).collect()
    }

    /// The stamps that the same files have now.
    pub(crate) fn stamps_now(&self) -> Vec<Stamp> {
        let files = self.files.borrow();
        files.iter().filter(|(_, file)| file.is_used).map(|(url, _)| stamp(url)).collect()
    }
}

impl World for CachedDisk {
    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure> {
        let stamp = stamp(url);
        let mut files = self.files.borrow_mut();
        if let Some(cached) = files.get_mut(url)
            && let Some(bytes) = &cached.bytes
            && stamp.is_some()
            && cached.stamp == stamp
        {
            cached.is_used = true;
            return Ok(Arc::clone(bytes));
        }
        // A file that changes while it is read has another stamp afterwards, and is read again.
        let read = Disk.read(url);
        let bytes = read.as_ref().ok().map(Arc::clone);
        files.insert(url.clone(), Cached { stamp, bytes, is_used: true });
        read
    }
}

fn stamp(url: &Url) -> Stamp {
    let metadata = fs::metadata(url.to_file_path().ok()?).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
