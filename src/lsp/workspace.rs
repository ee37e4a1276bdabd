//! The catalogs of a workspace, and the worker that looks at all of them after every change.
//!
//! A catalog begins with a `flow.yaml` (or `flow.json`) below a folder of the workspace or above an open file, which no other
//! catalog imports, or with an open catalog file that belongs to none. Each has a session of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use tidegate_compiler::session::{Session, Snapshot};
use tidegate_compiler::source::Role;
use url::Url;

use super::main_loop::Event;
use super::overlay::{EditorWorld, Overlay};
use crate::disk::CachedDisk;
use crate::source::{CATALOG_NAMES, catalog_in, request};

/// Directories that are looked into for catalogs.
const DIRECTORIES_MAX: usize = 5000;
/// Directories that hold no catalog of the user.
const SKIPPED: [&str; 4] = ["node_modules", "target", "dist", "tidegate-data"];

/// What the worker is asked to look at.
#[derive(Debug)]
pub(super) struct Job {
    /// Counts changes.
    pub(super) revision: u64,
    /// The open texts.
    pub(super) overlay: Overlay,
    /// The folders of the workspace.
    pub(super) folders: Vec<PathBuf>,
    /// Files that changed on disk since the last job; with one that came or went, catalogs are looked for again.
    pub(super) on_disk: Vec<Url>,
}

/// What the worker found.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The revision of the job.
    pub(super) revision: u64,
    /// One snapshot a catalog.
    pub(super) snapshots: Vec<Arc<Snapshot>>,
}

/// Works on the newest job until there are no more.
pub(super) fn work(jobs: &Receiver<Job>, results: &Sender<Event>) {
    let mut workspace = Workspace::default();
    while let Ok(mut job) = jobs.recv() {
        let mut on_disk = std::mem::take(&mut job.on_disk);
        while let Ok(newer) = jobs.try_recv() {
            job = newer;
            on_disk.append(&mut job.on_disk);
        }
        job.on_disk = on_disk;
        let revision = job.revision;
        let snapshots = workspace.look(&job);
        if results.send(Event::Compiled(Compiled { revision, snapshots })).is_err() {
            return;
        }
    }
}

#[derive(Debug, Default)]
struct Workspace {
    disk: CachedDisk,
    sessions: BTreeMap<PathBuf, Session>,
    /// The folders that were searched, and the catalog files found in them.
    searched: Option<(Vec<PathBuf>, Vec<PathBuf>)>,
}

impl Workspace {
    /// Compiles every catalog of the workspace.
    fn look(&mut self, job: &Job) -> Vec<Arc<Snapshot>> {
        self.disk.begin_round();
        self.disk.forget(&job.on_disk);
        let mut entries = self.entries(job);
        entries.extend(catalogs_around(&job.overlay));
        entries.extend(open_catalogs(&job.overlay));
        let mut covered: BTreeSet<Url> = BTreeSet::new();
        let mut snapshots: Vec<Arc<Snapshot>> = Vec::new();
        let mut used = BTreeSet::new();
        for entry in entries {
            let is_covered =
                Url::from_file_path(&entry).is_ok_and(|entry| covered.contains(&entry));
            if is_covered || used.contains(&entry) {
                continue;
            }
            let Some(snapshot) = self.compile(&entry, &job.overlay) else { continue };
            covered.extend(catalog_files(&snapshot).cloned());
            // One that was looked at before may be a part of this one.
            snapshots.retain(|earlier| !holds(&snapshot, earlier) || holds(earlier, &snapshot));
            snapshots.push(snapshot);
            used.insert(entry);
        }
        self.sessions.retain(|entry, _| used.contains(entry));
        snapshots
    }

    /// The catalog files of the folders, nearest to the folder first.
    fn entries(&mut self, job: &Job) -> Vec<PathBuf> {
        let is_entry = |url: &Url| CATALOG_NAMES.iter().any(|name| url.path().ends_with(name));
        let is_known = self.searched.as_ref().is_some_and(|(folders, _)| *folders == job.folders)
            && !job.on_disk.iter().any(is_entry);
        if !is_known {
            let found = search(&job.folders);
            self.searched = Some((job.folders.clone(), found));
        }
        self.searched.as_ref().map(|(_, found)| found.clone()).unwrap_or_default()
    }

    /// A compiler that panics on a catalog must not take the editor's server with it: the session is given up.
    fn compile(&mut self, entry: &Path, overlay: &Overlay) -> Option<Arc<Snapshot>> {
        let (request, _) = request(entry).ok()?;
        let mut session = self.sessions.remove(entry).unwrap_or_default();
        let world = EditorWorld { overlay, disk: &self.disk };
        let snapshot =
            catch_unwind(AssertUnwindSafe(|| session.snapshot(&world, &request))).ok()?;
        self.sessions.insert(entry.to_owned(), session);
        Some(snapshot)
    }
}

/// The catalog files that a catalog consists of.
fn catalog_files(snapshot: &Snapshot) -> impl Iterator<Item = &Url> {
    let files = snapshot.compilation.sources.files();
    files.filter(|(_, file)| file.role == Role::Catalog).map(|(_, file)| &file.url)
}

/// Whether a catalog begins in a file of another.
fn holds(outer: &Snapshot, inner: &Snapshot) -> bool {
    catalog_files(outer).any(|url| *url == inner.request.entry)
}

/// The nearest catalog file above each open text, which is what `check` would take there.
fn catalogs_around(overlay: &Overlay) -> BTreeSet<PathBuf> {
    let paths = overlay.iter().filter_map(|(url, _)| url.to_file_path().ok());
    paths.filter_map(|path| path.ancestors().skip(1).find_map(catalog_in)).collect()
}

/// The open texts that may begin a catalog.
fn open_catalogs(overlay: &Overlay) -> impl Iterator<Item = PathBuf> {
    let is_named = |url: &Url| {
        let path = url.path();
        [".flow.yaml", ".flow.yml", ".flow.json", "/flow.yaml", "/flow.yml", "/flow.json"]
            .iter()
            .any(|end| path.ends_with(end))
    };
    overlay
        .iter()
        .filter(move |(url, open)| open.is_catalog || is_named(url))
        .filter_map(|(url, _)| url.to_file_path().ok())
}

/// Catalog files below some directories, breadth first.
fn search(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: VecDeque<PathBuf> = folders.iter().cloned().collect();
    let mut looked_into = 0;
    while let Some(directory) = open.pop_front() {
        looked_into += 1;
        if looked_into > DIRECTORIES_MAX {
            break;
        }
        found.extend(catalog_in(&directory));
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        let mut below: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                !name.starts_with('.') && !SKIPPED.contains(&name.as_ref())
            })
            .map(|entry| entry.path())
            .collect();
        below.sort();
        open.extend(below);
    }
    found
}
