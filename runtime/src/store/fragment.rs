//! Fragment files: their names and places.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tidegate_stdlib::bundle::{Codec, Failure};

use super::{JournalName, files};
use crate::uuid::Clock;

/// Directory of the journals below a data directory.
const COLLECTIONS: &str = "collections";
/// Hexadecimal digits of an offset and of a digest in the name of a fragment.
const OFFSET_DIGITS: usize = 16;
const SHA1_DIGITS: usize = 40;
/// Levels of directories in which the fragments of a journal may lie: date and hour.
const DATED_LEVELS: usize = 2;

/// The name of a fragment file says what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FragmentName {
    /// Offset of its first byte, uncompressed.
    pub(super) begin: u64,
    /// Offset after its last byte, uncompressed.
    pub(super) end: u64,
    /// SHA-1 of its uncompressed bytes in hexadecimal.
    pub(super) sha1: String,
    /// Its compression.
    pub(super) codec: Codec,
}

impl FragmentName {
    /// Reads a name back; `None` for a file that is no fragment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (offsets, rest) = text.split_once('-')?;
        let (end, rest) = rest.split_once('-')?;
        let (sha1, extension) = rest.split_once('.')?;
        let offset = |digits: &str| {
            is_hexadecimal(digits, OFFSET_DIGITS).then(|| u64::from_str_radix(digits, 16).ok())?
        };
        let codec = match extension {
            "raw" => Codec::None,
            "gz" | "gzip" => Codec::Gzip,
            "zst" | "zstandard" => Codec::Zstandard,
            _ => return None,
        };
        let (begin, end) = (offset(offsets)?, offset(end)?);
        (is_hexadecimal(sha1, SHA1_DIGITS) && begin < end).then(|| Self {
            begin,
            end,
            sha1: sha1.to_owned(),
            codec,
        })
    }
}

impl fmt::Display for FragmentName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begin, end, sha1, codec } = self;
        let extension = match codec {
            Codec::None => "raw",
            Codec::Gzip => "gz",
            Codec::Zstandard => "zst",
        };
        write!(formatter, "{begin:016x}-{end:016x}-{sha1}.{extension}")
    }
}

/// A fragment on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FragmentFile {
    /// Its path relative to the data directory, which may move.
    pub(super) path: String,
    /// Its name.
    pub(super) name: FragmentName,
}

impl FragmentFile {
    /// The place of a fragment of a journal whose first document was appended at a time.
    pub(super) fn new(journal: &JournalName, first_append: Clock, name: FragmentName) -> Self {
        let path = format!("{COLLECTIONS}/{journal}/{}/{name}", dated_directory(first_append));
        Self { path, name }
    }

    /// The fragment at a path that [`FragmentFile::new`] or [`list_fragments`] gave.
    pub(super) fn at(path: String) -> Option<Self> {
        let name = FragmentName::parse(path.rsplit('/').next()?)?;
        Some(Self { path, name })
    }
}

/// The directory of all journals.
pub(super) fn collections_directory(root: &Path) -> PathBuf {
    root.join(COLLECTIONS)
}

/// Where the journals of a collection lie.
pub(super) fn collection_directory(root: &Path, collection: &str) -> PathBuf {
    root.join(COLLECTIONS).join(collection)
}

/// The fragments of a journal on the disk, by offset; of those with one beginning only the longest.
pub(super) fn list_fragments(
    root: &Path,
    journal: &JournalName,
) -> Result<Vec<FragmentFile>, Failure> {
    let mut fragments = Vec::new();
    let mut directories = vec![(format!("{COLLECTIONS}/{journal}"), 0)];
    while let Some((directory, depth)) = directories.pop() {
        for name in files::list(&root.join(&directory))? {
            let path = format!("{directory}/{name}");
            if name.contains('=') && depth < DATED_LEVELS {
                directories.push((path, depth + 1));
            } else {
                fragments.extend(FragmentFile::at(path));
            }
        }
    }
    let place = |fragment: &FragmentFile| (fragment.name.begin, u64::MAX - fragment.name.end);
    fragments.sort_by_key(place);
    fragments.dedup_by_key(|fragment| fragment.name.begin);
    Ok(fragments)
}

/// The journals of a collection that have a directory. Only directories with `=` are entered: any other belongs to
/// another collection.
pub(super) fn walk_journals(
    root: &Path,
    collection: &str,
) -> Result<BTreeSet<JournalName>, Failure> {
    let mut journals = BTreeSet::new();
    let mut directories = vec![collection.to_owned()];
    while let Some(directory) = directories.pop() {
        for name in files::list(&collections_directory(root).join(&directory))? {
            let path = format!("{directory}/{name}");
            if name.starts_with("pivot=") {
                journals.insert(JournalName(path.into()));
            } else if name.contains('=') {
                directories.push(path);
            }
        }
    }
    Ok(journals)
}

fn dated_directory(first_append: Clock) -> String {
    let time = Timestamp::from_nanosecond(first_append.to_unix()).unwrap_or(Timestamp::MAX);
    time.strftime("utc_date=%Y-%m-%d/utc_hour=%H").to_string()
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use super::*;

    const NAME: &str =
        "0000000000000000-00000000201a3f27-da39a3ee5e6b4b0d3255bfef95601890afd80709.gz";

    #[test]
    fn a_fragment_has_a_name_with_its_offsets() {
        let name = FragmentName::parse(NAME).unwrap();
        assert_eq!((name.begin, name.end, name.codec), (0, 0x201a_3f27, Codec::Gzip));
        assert_eq!(name.to_string(), NAME);
    }

    #[test]
    fn other_files_are_no_fragments() {
        for text in [
            "",
            "notes.txt",
            &format!("{NAME}.tmp"),
            &NAME.to_uppercase(),
            &NAME.replace("0000000000000000-", "+000000000000000-"),
            &NAME.replace("00000000201a3f27", "0000000000000000"),
            &NAME.replace(".gz", ".sz"),
        ] {
            assert_eq!(FragmentName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_has_date_and_hour_of_the_first_append() {
        let journal = JournalName("acme/orders/pivot=00".into());
        let time = "2022-01-07T19:59:59.999Z".parse::<Timestamp>().unwrap();
        let name = FragmentName::parse(NAME).unwrap();
        let clock = Clock::from_unix(time.as_nanosecond());
        let file = FragmentFile::new(&journal, clock, name);
        let expected =
            format!("collections/acme/orders/pivot=00/utc_date=2022-01-07/utc_hour=19/{NAME}");
        assert_eq!(file.path, expected);
        assert_eq!(FragmentFile::at(expected), Some(file));
    }
}
