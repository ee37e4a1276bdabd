//! What ran last on a data directory, so that its collections can be read without their catalog.
//!
//! The bundle is kept as one file, replaced by a rename: a reader beside a running process sees the old one or the new one, whole.

use std::collections::BTreeMap;
use std::path::Path;

use tidegate_stdlib::bundle::{Bundle, Failure, FailureKind, from_files, to_files};

use super::files::inaccessible;
use crate::files::read_whole;
use crate::limits::INPUT_BYTES_MAX;

/// Below the data directory: one JSON object, a file of the bundle by its path.
const FILE: &str = "BUNDLE.json";

/// Keeps the bundle that is about to run.
///
/// # Errors
/// `cannot-access` when the file cannot be written.
pub(crate) fn write_executed(root: &Path, bundle: &Bundle) -> Result<(), Failure> {
    let files: BTreeMap<String, String> = to_files(bundle)
        .into_iter()
        .map(|(path, bytes)| (path, String::from_utf8(bytes).expect("bundles are JSON text")))
        .collect();
    let text = serde_json::to_vec(&files).expect("texts by path are JSON");
    let path = root.join(FILE);
    let temporary = root.join(format!("{FILE}.tmp"));
    std::fs::write(&temporary, text)
        .and_then(|()| std::fs::rename(&temporary, &path))
        .map_err(|error| inaccessible("write", &path, &error))
}

/// The bundle that ran last on a data directory; `None` when nothing ever ran there.
///
/// # Errors
/// `damaged` when the file is not what a run has written.
pub fn read_executed(root: &Path) -> Result<Option<Bundle>, Failure> {
    let path = root.join(FILE);
    let text = match read_whole(&path, INPUT_BYTES_MAX) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(inaccessible("read", &path, &error)),
    };
    let damaged = |note: String| {
        Failure::new(FailureKind::Damaged, format!("`{}` is damaged", path.display()))
            .note(note)
            .help("run the catalog again on this data directory")
    };
    let files: BTreeMap<String, String> =
        serde_json::from_slice(&text).map_err(|_| damaged("it is not a bundle".to_owned()))?;
    from_files(&|path| files.get(path).map(|text| text.clone().into_bytes()))
        .map(Some)
        .map_err(|failure| damaged(format!("`{}`: {}", failure.path, failure.message)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn what_ran_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read_executed(directory.path()).unwrap(), None);
        let mut bundle = Bundle::default();
        bundle.seal();
        write_executed(directory.path(), &bundle).unwrap();
        assert_eq!(read_executed(directory.path()).unwrap(), Some(bundle));
    }

    #[test]
    fn another_file_is_damage() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(read_executed(directory.path()).unwrap_err().kind, FailureKind::Damaged);
    }
}
