//! The outside world, as the compiler sees it: bytes by URL.

use std::sync::Arc;

use url::Url;

/// Gives the compiler the bytes of files. The command line reads the disk, the editor overlays unsaved buffers, tests
/// hold files in memory.
pub trait World {
    /// The bytes of a resource.
    ///
    /// # Errors
    /// Why it cannot be had; the words are shown to the user.
    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure>;
}

/// Why the world has no bytes for a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldFailure {
    /// Whether it does not exist (as opposed to not being readable).
    pub is_missing: bool,
    /// What happened in plain words: lower case, no full stop.
    pub message: String,
    /// What a user may have meant: names of neighbouring files, when the world knows them.
    pub neighbours: Vec<String>,
}

/// A world of files held in memory, for tests and for catalogs in the binary.
#[derive(Debug, Clone, Default)]
pub struct MemoryWorld {
    files: std::collections::BTreeMap<String, Arc<[u8]>>,
}

impl MemoryWorld {
    /// Adds a file by its URL.
    pub fn insert(&mut self, url: &Url, bytes: &[u8]) {
        self.files.insert(url.to_string(), bytes.into());
    }
}

impl World for MemoryWorld {
    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure> {
        self.files.get(url.as_str()).cloned().ok_or_else(|| WorldFailure {
            is_missing: true,
            message: "no such file".to_owned(),
            neighbours: Vec::new(),
        })
    }
}
