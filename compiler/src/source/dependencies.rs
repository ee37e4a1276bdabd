//! Which files a computation looked at, so that its result can be kept for as long as they stay what they were.
//!
//! Nobody has to name dependencies: whoever gets at a file goes through [`Sources`], and [`Sources`] takes notes while it is
//! asked to. What was looked for and not found is noted too.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::Xxh3;

use super::{FileId, Role, SourceFile, Sources};

/// What a computation looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dependencies {
    /// Files and what they were.
    files: Vec<(FileId, u128)>,
    /// URLs that led to no file of a role.
    absent: Vec<(String, Role)>,
    /// What all files together were, when it went through all of them.
    all: Option<u128>,
}

/// Notes of one computation; none are taken while nobody asks.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Option<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    files: BTreeSet<FileId>,
    absent: BTreeSet<(String, Role)>,
    all: bool,
}

impl Clone for Notes {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Notes {
    pub(super) fn saw_file(&self, file: FileId) {
        self.take(|seen| {
            seen.files.insert(file);
        });
    }

    pub(super) fn saw_nothing(&self, url: &str, role: Role) {
        self.take(|seen| {
            seen.absent.insert((url.to_owned(), role));
        });
    }

    pub(super) fn saw_all(&self) {
        self.take(|seen| seen.all = true);
    }

    fn take(&self, note: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.lock().as_mut() {
            note(seen);
        }
    }

    /// The lock is held for one note at a time, and taking a note does not panic.
    fn lock(&self) -> MutexGuard<'_, Option<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sources {
    /// Does some work and tells which files it looked at.
    pub(crate) fn noting<T>(&self, work: impl FnOnce() -> T) -> (T, Dependencies) {
        let around = self.notes.lock().replace(Seen::default());
        let result = work();
        let seen = std::mem::replace(&mut *self.notes.lock(), around);
        let Seen { files, absent, all } = seen.unwrap_or_default();
        let dependencies = Dependencies {
            files: files.into_iter().map(|file| (file, self.stamp(file))).collect(),
            absent: absent.into_iter().collect(),
            all: all.then(|| self.stamp_of_all()),
        };
        (result, dependencies)
    }

    /// Whether every file is what it was.
    pub(crate) fn are_as_before(&self, dependencies: &Dependencies) -> bool {
        let Dependencies { files, absent, all } = dependencies;
        let is_known = |file: FileId| (file.0 as usize) < self.files.len();
        files.iter().all(|(file, stamp)| is_known(*file) && self.stamp(*file) == *stamp)
            && absent.iter().all(|(url, role)| self.find(url, *role).is_none())
            && all.is_none_or(|stamp| self.stamp_of_all() == stamp)
    }

    /// A digest of everything that is known of a file.
    fn stamp(&self, file: FileId) -> u128 {
        let stamp = self.stamps.get(file.0 as usize).expect("there is a stamp per file");
        *stamp.get_or_init(|| {
            stamp_of(self.files.get(file.0 as usize).expect("file ids come from this value"))
        })
    }

    fn stamp_of_all(&self) -> u128 {
        *self.stamp_of_all.get_or_init(|| {
            let mut digest = Xxh3::new();
            for file in (0u32..).map(FileId).take(self.files.len()) {
                digest.update(&self.stamp(file).to_le_bytes());
            }
            digest.digest128()
        })
    }
}

/// The tree and the specs are functions of what is digested.
fn stamp_of(file: &SourceFile) -> u128 {
    let mut digest = Xxh3::new();
    for text in [file.url.as_str(), &file.name, &file.text] {
        digest.update(&text.len().to_le_bytes());
        digest.update(text.as_bytes());
    }
    digest.update(&[file.role as u8, u8::from(file.is_present)]);
    digest.digest128()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use url::Url;

    use crate::source::{FileId, LineIndex, Role, SourceFile, Sources};

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile {
            url: Url::parse(&format!("file:///{name}")).expect("this is a URL"),
            name: name.to_owned(),
            role: Role::Schema,
            text: text.into(),
            lines: Arc::new(LineIndex::new(text)),
            tree: None,
            specs: None,
            is_present: true,
        }
    }

    fn sources(files: &[(&str, &str)]) -> Sources {
        let mut sources = Sources::default();
        for (name, text) in files {
            sources.add(file(name, text));
        }
        sources
    }

    #[test]
    fn work_depends_on_the_files_it_looked_at_and_on_no_others() {
        let before = sources(&[("a", "1"), ("b", "2")]);
        let (length, dependencies) = before.noting(|| before.file(FileId(0)).text.len());
        assert_eq!(length, 1);
        assert!(sources(&[("a", "1"), ("b", "3")]).are_as_before(&dependencies));
        assert!(!sources(&[("a", "2"), ("b", "2")]).are_as_before(&dependencies));
        assert!(!sources(&[("b", "2"), ("a", "1")]).are_as_before(&dependencies));
        assert!(!sources(&[]).are_as_before(&dependencies));
    }

    #[test]
    fn what_was_not_found_must_stay_away() {
        let before = sources(&[("a", "1")]);
        let missing = Url::parse("file:///b").expect("this is a URL");
        let (found, dependencies) = before.noting(|| before.by_url(&missing, Role::Schema));
        assert_eq!(found, None);
        assert!(before.are_as_before(&dependencies));
        assert!(!sources(&[("a", "1"), ("b", "")]).are_as_before(&dependencies));
    }

    #[test]
    fn work_on_all_files_depends_on_all() {
        let before = sources(&[("a", "1")]);
        let (count, dependencies) = before.noting(|| before.files().count());
        assert_eq!(count, 1);
        assert!(!sources(&[("a", "1"), ("b", "")]).are_as_before(&dependencies));
    }

    #[test]
    fn work_inside_work_is_noted_apart() {
        let sources = sources(&[("a", "1"), ("b", "2")]);
        let (inner, outer) = sources.noting(|| sources.noting(|| sources.file(FileId(1)).role).1);
        assert_ne!(inner, outer);
    }
}
