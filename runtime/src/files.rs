//! Files that are read whole.
//!
//! What a path leads to is not ours to know: it may be a device or a pipe. So only regular files are read, and no more of
//! them than a limit lets in.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// The bytes of a regular file; of one that is larger than the limit, one byte more than that, so that a caller sees it.
///
/// # Errors
/// What the disk says, or that the path leads to no regular file.
pub fn read_regular(path: &Path, size_bytes_max: usize) -> io::Result<Vec<u8>> {
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

/// The same, of a file that must not be larger than the limit.
///
/// # Errors
/// As [`read_regular`], and for a file that is too large.
pub fn read_whole(path: &Path, size_bytes_max: usize) -> io::Result<Vec<u8>> {
    let bytes = read_regular(path, size_bytes_max)?;
    if bytes.len() > size_bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn devices_and_directories_are_not_read() {
        let refused = |path| read_regular(Path::new(path), 10).unwrap_err();
        assert_eq!(refused("/dev/zero").to_string(), "it is no regular file");
        assert_eq!(refused("/").kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn no_more_is_read_than_shows_that_a_file_is_too_large() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large");
        fs::write(&path, [b'x'; 100]).unwrap();
        assert_eq!(read_regular(&path, 10).unwrap().len(), 11);
        assert_eq!(read_whole(&path, 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read_whole(&path, 100).unwrap().len(), 100);
    }
}
