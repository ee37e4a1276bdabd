//! The disk as the compiler's world.

use std::path::Path;
use std::sync::Arc;

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
        std::fs::read(&path).map(Into::into).map_err(|error| WorldFailure {
            is_missing: error.kind() == std::io::ErrorKind::NotFound,
            message: io_words(&error),
            neighbours: neighbours(&path),
        })
    }
}

fn neighbours(path: &Path) -> Vec<String> {
    let Some(entries) = path.parent().and_then(|directory| std::fs::read_dir(directory).ok())
    else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .take(NEIGHBOURS_MAX)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
