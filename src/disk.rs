//! The disk as the compiler's world, and files that are read whole.
//!
//! A catalog is text of others: what it names may be a device or a pipe. So only regular files are read, and no more of
//! them than a limit lets in.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use tidegate_compiler::limits::SOURCE_SIZE_BYTES_MAX;
use tidegate_compiler::world::{World, WorldFailure};
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

/// The bytes of a regular file; of one that is larger than the limit, one byte more than that, so that a caller sees it.
///
/// # Errors
/// What the disk says, or that the path leads to no regular file.
pub(crate) fn read_regular(path: &Path, size_bytes_max: usize) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let limit = u64::try_from(size_bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
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
