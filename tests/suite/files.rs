//! The directories that tests read, and files in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A directory of the project by its path relative to the root.
pub(super) fn directory(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The entries of a directory, sorted.
pub(super) fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the directory can be listed").path()).collect();
    paths.sort();
    paths
}

/// The last component of a path as text.
pub(super) fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("names of the project are text")
}

/// All files below a directory by their path relative to it, with `/` between components; those below `skipped` left out.
pub(super) fn below(root: &Path, skipped: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(root.to_owned(), String::new())];
    while let Some((directory, prefix)) = open.pop() {
        for path in entries(&directory) {
            let relative = format!("{prefix}{}", name(&path));
            if relative == skipped {
                continue;
            }
            if path.is_dir() {
                open.push((path, format!("{relative}/")));
            } else {
                files.insert(relative, read(&path));
            }
        }
    }
    files
}

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a file and the directories above it.
pub(super) fn write(path: &Path, bytes: &[u8]) {
    let parent = path.parent().expect("files are in directories");
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(path, bytes))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
