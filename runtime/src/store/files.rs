//! Files and directories, with durable writes and failures in plain words.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tidegate_stdlib::bundle::{Failure, FailureKind};

use super::Durability;

/// Bytes of one component of a path that every common file system can hold.
const COMPONENT_BYTES_MAX: usize = 255;

/// Files that are made durable at one time.
const SYNC_THREADS: usize = 16;

/// What the usual errors are called.
const CAUSES: [(io::ErrorKind, &str); 9] = [
    (io::ErrorKind::NotFound, "it does not exist"),
    (io::ErrorKind::PermissionDenied, "permission is denied"),
    (io::ErrorKind::StorageFull, "the disk is full"),
    (io::ErrorKind::QuotaExceeded, "the quota of this user is used up"),
    (io::ErrorKind::ReadOnlyFilesystem, "the file system is read-only"),
    (io::ErrorKind::NotADirectory, "a file stands where a directory should"),
    (io::ErrorKind::IsADirectory, "a directory stands where a file should"),
    (io::ErrorKind::InvalidFilename, "the name is too long"),
    (io::ErrorKind::FileTooLarge, "the file is too large"),
];

/// A failure to do something (`read`, `write`) with a path.
pub(crate) fn inaccessible(verb: &str, path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot {verb} `{}`: {}", path.display(), describe(error));
    Failure::new(FailureKind::CannotAccess, message)
}

/// The cause of an error in plain words.
pub(super) fn describe(error: &io::Error) -> String {
    let words = CAUSES.iter().find(|(kind, _)| *kind == error.kind()).map(|(_, words)| *words);
    words.map_or_else(|| error.to_string(), str::to_owned)
}

/// Refuses a relative path of which a component is too long for a file system.
pub(super) fn check_components(what: &str, path: &str) -> Result<(), Failure> {
    if path.split('/').all(|component| component.len() <= COMPONENT_BYTES_MAX) {
        return Ok(());
    }
    let message = format!("the name of {what} is too long for a file system");
    Err(Failure::new(FailureKind::LimitExceeded, message)
        .note(format!("a part of it has more than {COMPONENT_BYTES_MAX} bytes: `{path}`"))
        .help("shorten the name"))
}

/// Creates a directory and those above it.
pub(super) fn create_directories(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| inaccessible("create directory", path, &error))
}

/// Makes a file, or the names in a directory, durable.
pub(super) fn sync(path: &Path, durability: Durability) -> Result<(), Failure> {
    if durability == Durability::Off {
        return Ok(());
    }
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| inaccessible("write", path, &error))
}

/// Makes the names in directories durable, and their own names in the directories above them up to `top`. That they
/// exist already says nothing: a process that died may have left them without.
pub(super) fn sync_directories<'p>(
    directories: impl Iterator<Item = &'p Path>,
    top: &Path,
    durability: Durability,
) -> Result<(), Failure> {
    let mut all = BTreeSet::new();
    for directory in directories {
        all.extend(directory.ancestors().take_while(|ancestor| ancestor.starts_with(top)));
    }
    let all: Vec<&Path> = all.into_iter().rev().collect();
    sync_together(&all, durability)
}

/// Makes files or directories durable, many at once: file systems commit what comes together in one go.
pub(super) fn sync_together(paths: &[&Path], durability: Durability) -> Result<(), Failure> {
    let sync_chunk = |chunk: &[&Path]| chunk.iter().try_for_each(|path| sync(path, durability));
    if durability == Durability::Off || paths.len() < SYNC_THREADS {
        return sync_chunk(paths);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = paths
            .chunks(paths.len().div_ceil(SYNC_THREADS))
            .map(|chunk| scope.spawn(move || sync_chunk(chunk)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

/// Writes a file under its temporary name, not yet durably.
pub(super) fn write_temporary(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn Write) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let temporary = temporary(path);
    let failed = |error: &io::Error| inaccessible("write", &temporary, error);
    let file = File::create(&temporary).map_err(|error| failed(&error))?;
    let mut writer = io::BufWriter::new(file);
    write(&mut writer)?;
    writer.flush().map_err(|error| failed(&error))?;
    Ok(temporary)
}

/// Gives a temporary file its name: whoever opens `path` sees the old bytes or the new ones.
pub(super) fn rename(temporary: &Path, path: &Path) -> Result<(), Failure> {
    fs::rename(temporary, path).map_err(|error| inaccessible("write", path, &error))
}

/// Removes a file and what a write of it may have left; neither need exist.
pub(super) fn remove(path: &Path) -> Result<(), Failure> {
    for path in [path, &temporary(path)] {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(inaccessible("remove", path, &error)),
        }
    }
    Ok(())
}

/// Names of the entries of a directory, sorted; none when it does not exist. Names that are no Unicode are not ours.
pub(super) fn list(path: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: &io::Error| inaccessible("read directory", path, error);
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}
