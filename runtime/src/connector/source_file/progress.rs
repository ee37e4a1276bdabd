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
    /// Digest of its first bytes, in hexadecimal: of those that were read where offsets are places in the file, else of
    /// those that were there.
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

/// What the offsets of a file count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes of the file itself.
    FileBytes,
    /// Decompressed bytes, or items.
    Other,
}

/// Compares a file with what was recorded about it. The same in size and time means unchanged; longer with the same
/// start means appended. So does another length when the reading had stopped in the middle and what was read is still
/// there: somebody repaired what came after it. Anything else is read anew.
pub(super) fn plan(path: &Path, known: Option<&FileProgress>, unit: Unit) -> io::Result<Plan> {
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
    let is_longer = known.size < size;
    let is_continued = match unit {
        Unit::FileBytes => (is_longer || !known.done) && known.offset <= size,
        Unit::Other => is_longer,
    };
    if is_continued && digest(path, known.start_bytes(unit))? == known.start {
        let start = known.start.clone();
        let (offset, line) = (known.offset, known.line);
        return Ok(Plan::Read(FileProgress { offset, line, start, ..anew }));
    }
    Ok(Plan::Read(anew))
}

impl FileProgress {
    /// Bytes at the beginning of the file that `start` is the digest of, at most.
    fn start_bytes(&self, unit: Unit) -> u64 {
        match unit {
            Unit::FileBytes => self.offset,
            Unit::Other => self.size,
        }
    }

    /// Records how far the file has been read, with the digest of its beginning as far as that was read. When the file
    /// cannot be read any more, the older digest stays, and the file will be read anew.
    pub(super) fn advance(&mut self, offset: u64, line: u64, path: &Path, unit: Unit) {
        let has_whole_start = self.offset >= START_BYTES;
        (self.offset, self.line) = (offset, line);
        if unit == Unit::FileBytes
            && !has_whole_start
            && let Ok(start) = digest(path, offset)
        {
            self.start = start;
        }
    }
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
