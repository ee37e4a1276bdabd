//! The disk as the compiler's world.
//!
//! A catalog is text of others: what it names may be a device or a pipe. So only regular files are read, and no more of
//! them than a limit lets in.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

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
