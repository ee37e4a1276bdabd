//! The lock file and the cache of a project on disk: what `check --fetch` writes and every check reads.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tidegate_compiler::limits::SOURCE_SIZE_BYTES_MAX;
use tidegate_compiler::load::{CACHE_DIRECTORY, Digest, LOCK_NAME, Lock};
use tidegate_runtime::files::read_regular;

use crate::exit::Stop;

/// The lock file of a project, and its cache.
#[derive(Debug)]
pub(crate) struct LockFile {
    path: PathBuf,
    cache: PathBuf,
    lock: Lock,
    /// As the disk has it; nothing when there is no file.
    written: Option<Lock>,
}

/// A content that is not the one that was locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HasChanged;

impl LockFile {
    /// Reads the lock file in the root directory of a project; without one nothing is locked.
    pub(crate) fn open(root: &Path) -> Result<Self, Stop> {
        let path = root.join(LOCK_NAME);
        let written = match read_regular(&path, SOURCE_SIZE_BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Stop::file("read", &path, &error)),
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let lock = Lock::parse(&text).map_err(|fault| {
                    Stop::environment(fault.message)
                        .help(format!("remove `{LOCK_NAME}`, or restore it"))
                })?;
                Some(lock)
            }
        };
        let lock = written.clone().unwrap_or_default();
        Ok(Self { path, cache: root.join(CACHE_DIRECTORY), lock, written })
    }

    /// Takes the content of a resource: locks it when it is new, and puts it into the cache.
    pub(crate) fn take(
        &mut self,
        url: &str,
        content: &[u8],
    ) -> Result<Result<(), HasChanged>, Stop> {
        let digest = Digest::of(content);
        match self.lock.digests.get(url) {
            Some(locked) if *locked != digest => return Ok(Err(HasChanged)),
            Some(_) | None => {}
        }
        fs::create_dir_all(&self.cache)
            .map_err(|error| Stop::file("create", &self.cache, &error))?;
        // Contents can be had again, and digests tell whether they are right.
        let ignore = self.cache.join(".gitignore");
        if !ignore.exists() {
            write(&ignore, b"*\n")?;
        }
        write(&self.cache.join(digest.file_name()), content)?;
        self.lock.digests.insert(url.to_owned(), digest);
        Ok(Ok(()))
    }

    /// Forgets every resource but these. Returns how many are gone.
    pub(crate) fn keep(&mut self, is_used: impl Fn(&str) -> bool) -> usize {
        let before = self.lock.digests.len();
        self.lock.digests.retain(|url, _| is_used(url));
        before - self.lock.digests.len()
    }

    /// Writes the lock file, if it says something new.
    pub(crate) fn write(&mut self) -> Result<(), Stop> {
        let says_nothing = self.written.is_none() && self.lock.digests.is_empty();
        if says_nothing || self.written.as_ref() == Some(&self.lock) {
            return Ok(());
        }
        write(&self.path, self.lock.render().as_bytes())?;
        self.written = Some(self.lock.clone());
        Ok(())
    }
}

/// Writes a file as a whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, path)).map_err(|error| {
        // What could not be written is of no use; that it stays is the lesser evil.
        let _ = fs::remove_file(&temporary);
        Stop::file("write", path, &error)
    })
}
