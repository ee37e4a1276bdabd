//! Running a bundle: tasks on threads until interrupted or idle.
//!
//! Every task is opened before any begins. Then each runs on its own thread, through the hub only; a task that fails stops
//! alone. At the end each shard writes its tails out as fragments.

mod endpoints;
pub(crate) mod hub;
mod jobs;
mod resets;
mod restart;
pub(crate) mod stamps;
mod threads;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use tidegate_stdlib::bundle::{Bundle, Failure, TaskName};
use tidegate_stdlib::lambda::typescript::LogLine;

use crate::clock::ProcessClock;
use crate::lambdas::ScriptPrograms;
pub use crate::shuffle::RenamedRead;
use crate::store::write_executed;
use crate::store::{DataDirectory, Durability};
use endpoints::{BuiltIn, Endpoints};
use hub::{Ending, Hub};
use jobs::Jobs;
use threads::Crew;

/// What to run and how.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// What runs.
    pub bundle: Arc<Bundle>,
    /// The data directory.
    pub data: PathBuf,
    /// Where relative paths of endpoints start.
    pub root: PathBuf,
    /// End when every source is drained and everything ready is committed.
    pub until_idle: bool,
    /// Only these tasks, by name; all when empty.
    pub only: BTreeSet<String>,
    /// What runs modules, where that is not this process.
    pub programs: ScriptPrograms,
    /// Files to ingest as captures would.
    pub ingest: Vec<Ingest>,
    /// Replace the captures by a fixture: its text.
    pub fixture: Option<Arc<str>>,
    /// Leave materializations alone.
    pub skip_materializations: bool,
    /// Tasks whose tables are emptied and that read from the beginning.
    pub restart: BTreeSet<String>,
    /// How hard commits are pressed to the disk.
    pub durability: Durability,
    /// Memory of combiners and caches.
    pub memory_bytes: usize,
}

/// A file to ingest.
#[derive(Debug, Clone)]
pub struct Ingest {
    /// The collection.
    pub collection: String,
    /// The file; `-` is the standard input, whose text the caller hands in as `text`.
    pub path: PathBuf,
    /// The text, when it is not a file.
    pub text: Option<Arc<[u8]>>,
    /// Append again what was ingested before.
    pub again: bool,
}

/// What a task has done since the run began.
#[derive(Debug, Clone, Serialize)]
pub struct TaskReport {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: tidegate_stdlib::bundle::TaskKind,
    /// Documents it took in.
    pub documents_in: u64,
    /// Documents it published or stored.
    pub documents_out: u64,
    /// Bytes it committed to journals.
    pub bytes_out: u64,
    /// Transactions it committed.
    pub transactions: u64,
    /// Why it stopped, if it failed.
    pub failed: Option<Failure>,
}

/// Watches a run. Methods are called from the threads of tasks and must be quick.
pub trait Observer: Sync {
    /// A transaction of a task was committed.
    fn committed(&self, report: &TaskReport);
    /// A task that is open reads a collection from the start, because its read has another name than before.
    fn reads_from_start(&self, _task: &TaskName, _read: &RenamedRead) {}
    /// A collection or task, whose kind is the noun, is reset before the tasks begin.
    fn resets(&self, _noun: &str, _name: &str) {}
    /// Something deserves attention, and stops nothing.
    fn warned(&self, _warning: &Failure) {}
    /// A task waits until what the failure tells of is over.
    fn waiting(&self, _task: &TaskName, _failure: &Failure) {}
    /// A lambda of a task has logged a line.
    fn logged(&self, _task: &TaskName, _line: &LogLine) {}
    /// A task stopped with a failure; the others go on.
    fn failed(&self, task: &TaskName, failure: &Failure);
}

/// Runs until interrupted (`stop`), or idle. Ends with the report of every task, in order of kind and name.
///
/// # Errors
/// When nothing could be started: the data directory, a connector, an endpoint.
pub fn run(
    request: &RunRequest,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Vec<TaskReport>, Failure> {
    run_with(request, &BuiltIn, observer, stop)
}

/// Runs with the given endpoints.
fn run_with(
    request: &RunRequest,
    endpoints: &dyn Endpoints,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Vec<TaskReport>, Failure> {
    let asked = Jobs::new(request)?;
    let directory = DataDirectory::open(&request.data, request.durability)?;
    let request = &resets::carry_out(request, &asked, &directory, observer)?;
    let jobs = Jobs::new(request)?;
    for collection in jobs.written() {
        directory.register_collection(collection)?;
    }
    write_executed(directory.path(), asked.bundle())?;
    let greatest = directory.greatest_clock()?;
    let clock = match jobs.simulated_start() {
        Some(start) => ProcessClock::simulated(start, greatest),
        None => ProcessClock::wall(greatest),
    };
    let ending = if request.until_idle { Ending::Idle } else { Ending::Interrupted };
    let cache_bytes = (request.memory_bytes / CACHE_SHARE).min(CACHE_BYTES_MAX);
    let hub = Hub::new(directory.path(), &jobs.wiring(), clock, ending, cache_bytes)?;
    let crew = Crew { request, endpoints, jobs: &jobs, directory: &directory, hub: &hub, greatest };
    threads::run(&crew, observer, stop)
}

/// The part of the memory that keeps recent bytes of journals for readers.
const CACHE_SHARE: usize = 8;
/// Recent bytes beyond this are read from the disk by who needs them.
const CACHE_BYTES_MAX: usize = 32 << 20;

#[cfg(test)]
mod tests;
