//! Repairs: fixes are applied in memory until none is left, then the files are written, or shown as a patch.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_compiler::Compilation;
use tidegate_compiler::diag::patch::patch;
use tidegate_compiler::diag::repair::repair;
use tidegate_compiler::diag::{Applicability, Diagnostic};
use tidegate_compiler::session::Session;
use tidegate_compiler::source::{SourceFile, Sources};
use tidegate_compiler::world::{World, WorldFailure};
use tidegate_runtime::files::read_regular;
use url::Url;

use crate::catalog::analyze_in;
use crate::disk::Disk;
use crate::exit::Stop;
use crate::report::name_of_path;

/// Rounds after which fixes that undo one another are left alone.
const ROUNDS_MAX: usize = 16;

/// The disk with repaired files over it.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    files: BTreeMap<Url, Versions>,
    /// How many fixes were applied.
    pub(crate) applied: usize,
}

#[derive(Debug)]
struct Versions {
    before: Arc<[u8]>,
    after: Arc<[u8]>,
}

impl World for Repaired {
    fn read(&self, url: &Url) -> Result<Arc<[u8]>, WorldFailure> {
        self.files.get(url).map_or_else(|| Disk.read(url), |file| Ok(Arc::clone(&file.after)))
    }
}

impl Repaired {
    /// Repairs the files of a catalog until no fix is left. Returns what is found in them then.
    pub(crate) fn repair(
        &mut self,
        catalog: &Path,
        wanted: Applicability,
    ) -> Result<Compilation, Stop> {
        let mut session = Session::default();
        for _ in 0..ROUNDS_MAX {
            let compilation = analyze_in(self, catalog, &mut session)?;
            let Compilation { diagnostics, sources, .. } = &compilation;
            if self.apply(diagnostics, sources, wanted)? == 0 {
                return Ok(compilation);
            }
        }
        analyze_in(self, catalog, &mut session)
    }

    /// Applies the fixes of diagnostics as far as they fit together. Returns how many were applied.
    pub(crate) fn apply(
        &mut self,
        diagnostics: &[Diagnostic],
        sources: &Sources,
        wanted: Applicability,
    ) -> Result<usize, Stop> {
        let repairs = repair(diagnostics, sources, wanted, &may_change);
        self.applied += repairs.applied;
        for (url, text) in repairs.texts {
            self.change(url, &text)?;
        }
        Ok(repairs.applied)
    }

    fn change(&mut self, url: Url, text: &str) -> Result<(), Stop> {
        let after = text.as_bytes().into();
        if let Some(file) = self.files.get_mut(&url) {
            file.after = after;
            return Ok(());
        }
        let before = Disk.read(&url).map_err(|failure| {
            Stop::environment(format!("cannot read `{url}` again: {}", failure.message))
        })?;
        self.files.insert(url, Versions { before, after });
        Ok(())
    }

    /// What would change, as a patch for the working directory.
    pub(crate) fn patch(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let changed = self.changed();
        changed
            .map(|(path, file)| {
                patch(&name_of_path(&path), &text(&file.before), &text(&file.after))
            })
            .collect()
    }

    /// Writes the files that changed, each as a whole or not at all. Returns how many there are.
    pub(crate) fn write(&self) -> Result<usize, Stop> {
        let mut count = 0;
        for (path, file) in self.changed() {
            let now = read_regular(&path, file.before.len())
                .map_err(|error| Stop::file("read", &path, &error))?;
            if *now != *file.before {
                let message = format!("`{}` changed while it was checked", path.display());
                return Err(Stop::environment(message).help("run the command once more"));
            }
            replace(&path, &file.after).map_err(|error| Stop::file("write", &path, &error))?;
            count += 1;
        }
        Ok(count)
    }

    /// The files that changed.
    pub(crate) fn changed_paths(&self) -> impl Iterator<Item = PathBuf> {
        self.changed().map(|(path, _)| path)
    }

    fn changed(&self) -> impl Iterator<Item = (PathBuf, &Versions)> {
        self.files
            .iter()
            .filter(|(_, file)| file.before != file.after)
            .filter_map(|(url, file)| Some((url.to_file_path().ok()?, file)))
    }
}

/// Whether a file is on this disk under no other name: a link would be replaced by a file of its own.
fn may_change(file: &SourceFile) -> bool {
    let metadata = file.url.to_file_path().ok().and_then(|path| fs::symlink_metadata(path).ok());
    metadata.is_some_and(|metadata| metadata.is_file() && names(&metadata) == 1)
}

#[cfg(unix)]
fn names(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
const fn names(_metadata: &fs::Metadata) -> u64 {
    1
}

/// Puts a file with the same permissions in the place of another.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    let written =
        OpenOptions::new().write(true).create_new(true).open(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            file.set_permissions(permissions)?;
            file.sync_all()
        });
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        // What could not be written is of no use; that it stays is the lesser evil.
        let _ = fs::remove_file(&temporary);
    })
}
