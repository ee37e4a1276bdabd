//! The files of the project.

use std::path::{Path, PathBuf};

/// Directories that hold none of our text.
const SKIPPED: [&str; 6] = ["target", ".git", "dist", "node_modules", "tidegate-data", "out"];

/// The root of the project.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the given extensions with its path relative to the root and its text, sorted.
pub(super) fn with_extensions(extensions: &[&str]) -> Vec<(String, String)> {
    let root = root();
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .filter(|path| {
            path.extension()
                .and_then(|extension| extension.to_str())
                .is_some_and(|extension| extensions.contains(&extension))
        })
        .filter_map(|path| {
            let name = path.strip_prefix(&root).ok()?.to_str()?.to_owned();
            Some((name, std::fs::read_to_string(&path).ok()?))
        })
        .collect()
}

/// Every Rust file.
pub(super) fn rust() -> Vec<(String, String)> {
    with_extensions(&["rs"])
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("directories of the project can be listed");
    for entry in entries {
        let path = entry.expect("directories of the project can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !SKIPPED.contains(&name) {
                collect(&path, paths);
            }
        } else {
            paths.push(path);
        }
    }
}
