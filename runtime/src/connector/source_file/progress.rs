//! How far each file was read, and what that means for the file as it is now.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidegate_stdlib::bundle::{Failure, FailureKind};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes at the beginning of a file that identify it.
const START_BYTES: u64 = 4096;

/// How far a file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileProgress {
    /// Size of the file on disk, in bytes, when it was opened.
    pub(super) size: u64,
    /// Its time of modification, RFC 3339.
    pub(super) mtime: String,
    /// The place to go on from, in the unit of the format.
    pub(super) offset: u64,
    /// Lines before that place.
    pub(super) line: u64,
    /// Digest of its first bytes, in hexadecimal.
    pub(super) start: String,
    /// Whether it was read to its end.
    pub(super) done: bool,
}

/// What to do with a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Nothing: it has not changed since it was read to its end.
    Leave,
    /// Read on from this place.
    Read(FileProgress),
}

/// Compares a file with what was recorded about it: longer with the same start means appended; the same in size and
/// time means unchanged; anything else is read anew.
pub(super) fn plan(path: &Path, known: Option<&FileProgress>) -> io::Result<Plan> {
    let metadata = std::fs::metadata(path)?;
    let size = metadata.len();
    let mtime = humantime::format_rfc3339_nanos(metadata.modified()?).to_string();
    let start = digest(path, size)?;
    let anew = FileProgress { size, mtime: mtime.clone(), offset: 0, line: 0, start, done: false };
    let Some(known) = known else { return Ok(Plan::Read(anew)) };
    if known.size == size && known.mtime == mtime {
        return Ok(match known.done {
            true => Plan::Leave,
            false => Plan::Read(known.clone()),
        });
    }
    if known.size < size && digest(path, known.size)? == known.start {
        return Ok(Plan::Read(FileProgress { offset: known.offset, line: known.line, ..anew }));
    }
    Ok(Plan::Read(anew))
}

/// The digest of the first bytes of a file that had `size` bytes.
fn digest(path: &Path, size: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(size.min(START_BYTES)).read_to_end(&mut bytes)?;
    Ok(format!("{:016x}", xxh3_64(&bytes)))
}

/// The state of a binding as it is recorded.
pub(super) fn to_state(files: &BTreeMap<String, FileProgress>) -> Value {
    json!({ "files": files })
}

/// Reads a recorded state back.
pub(super) fn from_state(state: Option<&Value>) -> Result<BTreeMap<String, FileProgress>, Failure> {
    let Some(files) = state.and_then(|state| state.get("files")) else {
        return Ok(BTreeMap::new());
    };
    BTreeMap::deserialize(files).map_err(|error| {
        Failure::new(
            FailureKind::Damaged,
            format!("the recorded state of the files cannot be read: {error}"),
        )
    })
}
