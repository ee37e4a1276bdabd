//! One thread per task: opening, starting together, ending, reporting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use tidegate_stdlib::bundle::{Bundle, Capture, Failure, FailureKind, Materialization, TaskName};
use tidegate_stdlib::lambda::typescript::LogLine;

use super::endpoints::Endpoints;
use super::hub::{Hub, TaskIndex};
use super::jobs::{Job, Jobs};
use super::restart::restart;
use super::{Observer, RunRequest, TaskReport};
use crate::capture::{CaptureTask, Repeat};
use crate::combine::Budget;
use crate::connector::Opening;
use crate::derive::{DeriveTask, collection};
use crate::fixture::FixtureTask;
use crate::ingest::IngestSource;
use crate::materialize::{MaterializeTask, Resume};
use crate::shuffle::Surroundings;
use crate::store::{DataDirectory, Shard, ShardName};
use crate::task::Task;
use crate::transaction::{self, Circumstances};
use crate::uuid::{Clock, Producer};

/// How often the main thread looks whether it is asked to stop: a flag that a signal sets cannot wake it.
const LOOK: Duration = Duration::from_millis(50);
/// Least memory of a combiner.
const COMBINER_BYTES_MIN: usize = 2 << 20;
/// More memory makes combiners no faster.
const COMBINER_BYTES_MAX: usize = 64 << 20;
/// Greatest memory of a transaction of a materialization.
const STORE_HELD_BYTES_MAX: usize = 128 << 20;

/// All that the threads of a run share.
#[derive(Clone, Copy)]
pub(super) struct Crew<'r> {
    pub(super) request: &'r RunRequest,
    pub(super) endpoints: &'r dyn Endpoints,
    pub(super) jobs: &'r Jobs<'r>,
    pub(super) directory: &'r Arc<DataDirectory>,
    pub(super) hub: &'r Hub,
    /// The greatest stamp of the data directory when the run began.
    pub(super) greatest: Clock,
}

/// Opens and runs all tasks; gives their reports in order.
///
/// # Errors
/// A failure of the environment before anything began.
pub(super) fn run(
    crew: &Crew<'_>,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Vec<TaskReport>, Failure> {
    let gate = Gate::default();
    let producer = draw_producer()?;
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        let mut threads = Vec::new();
        for (index, (name, job)) in crew.jobs.iter().enumerate() {
            let member = Member { crew, name, job, index: TaskIndex(index), producer };
            threads.push(spawn(scope, member, observer, sender.clone(), &gate));
        }
        drop(sender);
        if let Some(failure) = first_obstacle(&receiver) {
            gate.decide(Start::GiveUp);
            return Err(failure);
        }
        gate.decide(Start::Begin);
        while !crew.hub.wait_for_end(LOOK) {
            if stop.load(Ordering::Acquire) {
                crew.hub.stop();
            }
        }
        let joined = threads.into_iter().map(ScopedJoinHandle::join);
        Ok(joined.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect())
    })
}

/// One task of the crew.
#[derive(Clone, Copy)]
struct Member<'c, 'r> {
    crew: &'c Crew<'r>,
    name: &'c TaskName,
    job: &'c Job<'r>,
    index: TaskIndex,
    producer: Producer,
}

/// What became of opening a task, with its index.
type Opened = (usize, Result<(), Failure>);

fn spawn<'scope, 'c: 'scope, 'r: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    member: Member<'c, 'r>,
    observer: &'c dyn Observer,
    opened: Sender<Opened>,
    gate: &'c Gate,
) -> ScopedJoinHandle<'scope, TaskReport> {
    scope.spawn(move || {
        let _end = EndOnDrop { hub: member.crew.hub, index: member.index };
        let mut report = TaskReport {
            name: member.name.name.clone(),
            kind: member.name.kind,
            documents_in: 0,
            documents_out: 0,
            bytes_out: 0,
            transactions: 0,
            failed: None,
        };
        if let Err(failure) = member.work(observer, opened, gate, &mut report) {
            let failure = failure.of(member.name);
            observer.failed(member.name, &failure);
            report.failed = Some(failure);
        }
        report
    })
}

/// Takes a task out of the run however its thread ends, so that nobody waits for it. A panic is a bug of this program, so
/// it ends the run.
struct EndOnDrop<'c> {
    hub: &'c Hub,
    index: TaskIndex,
}

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.hub.end(self.index);
        if std::thread::panicking() {
            self.hub.stop();
        }
    }
}

impl<'c, 'r> Member<'c, 'r> {
    fn work(
        &self,
        observer: &dyn Observer,
        opened: Sender<Opened>,
        gate: &Gate,
        report: &mut TaskReport,
    ) -> Result<(), Failure> {
        let desk = Desk { observer, opened, gate, report };
        let bundle: &Bundle = &self.crew.request.bundle;
        match self.job {
            Job::Capture(capture) => self.drive(self.capture(capture), desk),
            Job::Ingest(collection, files) => {
                let open = |shard: &Shard| -> Result<Box<dyn crate::connector::Source>, Failure> {
                    Ok(Box::new(IngestSource::open(files, &|key| shard.state(key))?))
                };
                let hub = self.crew.hub;
                let bindings = vec![*collection];
                self.drive(CaptureTask::new(hub, bindings, Repeat::Never, Box::new(open)), desk)
            }
            Job::Derivation(derivation) => {
                let name = self.name;
                let tell = Box::new(move |line: &LogLine| observer.logged(name, line));
                let (around, seed) = (self.surroundings(), self.seed()?);
                let RunRequest { root, programs, .. } = self.crew.request;
                let program = programs.of(derivation);
                let task = DeriveTask::new(derivation, bundle, around, root, seed, program, tell);
                self.drive(task, desk)
            }
            Job::Materialization(materialization) => {
                self.drive(self.materialization(materialization, observer), desk)
            }
            Job::Fixture => {
                let fixture = self.crew.jobs.fixture();
                let fixture = fixture.expect("a fixture job is made of the fixture");
                let hub = self.crew.hub;
                self.drive(FixtureTask::new(hub, bundle, fixture, self.crew.greatest), desk)
            }
        }
    }

    /// Opens a task, waits for the others, and runs it.
    fn drive<T: Task>(&self, mut task: T, desk: Desk<'_>) -> Result<(), Failure> {
        let Desk { observer, opened, gate, report } = desk;
        let outcome = self.open(&mut task);
        let told = outcome.as_ref().map(drop).map_err(Clone::clone);
        let told = told.map_err(|failure| failure.of(self.name));
        let _ = opened.send((self.index.0, told));
        drop(opened);
        if gate.wait() == Start::GiveUp {
            // The obstacle is the failure of the run, not of this task.
            return Ok(());
        }
        let mut shard = outcome?;
        for read in task.renamed_reads() {
            observer.reads_from_start(self.name, read);
        }
        let around = Circumstances {
            hub: self.crew.hub,
            index: self.index,
            producer: self.producer,
            duration_max: self.job.duration_max(),
            input_max: self.job.input_max(),
            held_bytes_max: self.held_bytes_max(),
            fragments: self.crew.jobs.fragments(self.job),
        };
        transaction::run(&mut task, &mut shard, &around, observer, report)
    }

    fn open<T: Task>(&self, task: &mut T) -> Result<Shard, Failure> {
        let name = ShardName { task: self.name.clone(), key_begin: 0 };
        let mut shard = self.crew.directory.open_shard(&name)?;
        if self.resume() == Resume::Beginning {
            restart(&mut shard)?;
        }
        let budget = Budget {
            held_bytes_max: self.combiner_bytes_max(),
            directory: shard.directory_path().to_owned(),
        };
        task.open(&mut shard, &budget)?;
        Ok(shard)
    }

    fn resume(&self) -> Resume {
        if self.crew.request.restart.contains(&self.name.name) {
            Resume::Beginning
        } else {
            Resume::Checkpoint
        }
    }

    /// What a transaction may hold before it closes. A materialization writes a row for each key that it holds, and holds
    /// no more than two documents of it, so that more memory spares it writes.
    fn held_bytes_max(&self) -> usize {
        let share = self.crew.request.memory_bytes / 4 / self.crew.jobs.iter().len().max(1);
        match self.job {
            Job::Materialization(_) => share.clamp(COMBINER_BYTES_MIN, STORE_HELD_BYTES_MAX),
            Job::Derivation(_) => self.combiner_bytes_max() / 2,
            // Most of what is captured has a key of its own, and combines with nothing however long one waits.
            Job::Capture(_) | Job::Ingest(..) | Job::Fixture => self.combiner_bytes_max() / 4,
        }
    }

    /// What a combiner may hold. Half of the memory is for transactions; one closes at half of its share or
    /// earlier, and what a single batch adds beyond the whole share waits on the disk.
    fn combiner_bytes_max(&self) -> usize {
        let share = self.crew.request.memory_bytes / 2 / self.crew.jobs.iter().len().max(1);
        share.clamp(COMBINER_BYTES_MIN, COMBINER_BYTES_MAX)
    }

    /// What random numbers of modules are made of: of a run that repeats, always the same.
    fn seed(&self) -> Result<u64, Failure> {
        if self.crew.hub.clock().is_simulated() {
            return Ok(0);
        }
        let mut bytes = [0; 8];
        draw(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn surroundings(&self) -> Surroundings<'c> {
        Surroundings {
            hub: self.crew.hub,
            task: self.index,
            task_name: &self.name.name,
            root: self.crew.directory.path(),
        }
    }

    fn capture(&self, capture: &'c Capture) -> CaptureTask<'c> {
        let crew = self.crew;
        let bundle: &'c Bundle = &crew.request.bundle;
        let names = capture.bindings.iter().map(|binding| binding.collection.as_str());
        let collections: Vec<_> = names.filter_map(|name| bundle.collections.get(name)).collect();
        let repeat = if crew.request.until_idle {
            Repeat::Never
        } else {
            Repeat::AfterMs(capture.interval_ms)
        };
        let bindings = collections.clone();
        let open = move |shard: &Shard| {
            let opening = Opening {
                root: &crew.request.root,
                data: &crew.request.data,
                collections: &collections,
            };
            crew.endpoints.source(capture, opening, &|key| shard.state(key))
        };
        CaptureTask::new(crew.hub, bindings, repeat, Box::new(open))
            .with_salt(capture.redact_salt.as_deref())
    }

    fn materialization<'o>(
        &self,
        materialization: &'c Materialization,
        observer: &'o dyn Observer,
    ) -> MaterializeTask<'o>
    where
        'c: 'o,
    {
        let crew = self.crew;
        let bundle: &'c Bundle = &crew.request.bundle;
        let names = materialization.bindings.iter().map(|binding| &binding.source.collection);
        let collections: Vec<_> = names.filter_map(|name| collection(bundle, name).ok()).collect();
        let open = move || {
            let opening = Opening {
                root: &crew.request.root,
                data: &crew.request.data,
                collections: &collections,
            };
            crew.endpoints.destination(materialization, opening)
        };
        let around = self.surroundings();
        let name = self.name;
        let tell_waiting = move |failure: &Failure| observer.waiting(name, failure);
        MaterializeTask::new(
            materialization,
            bundle,
            around,
            self.resume(),
            Box::new(open),
            Box::new(tell_waiting),
        )
    }
}

/// Where a task reports.
struct Desk<'d> {
    observer: &'d dyn Observer,
    opened: Sender<Opened>,
    gate: &'d Gate,
    report: &'d mut TaskReport,
}

/// The failure that keeps the run from beginning, of the first task in order that has one.
fn first_obstacle(receiver: &Receiver<Opened>) -> Option<Failure> {
    let mut obstacles: Vec<(usize, Failure)> = receiver
        .iter()
        .filter_map(|(index, outcome)| Some((index, outcome.err()?)))
        .filter(|(_, failure)| failure.kind.is_environment())
        .collect();
    obstacles.sort_by_key(|(index, _)| *index);
    obstacles.into_iter().next().map(|(_, failure)| failure)
}

/// Whether the tasks begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Begin,
    GiveUp,
}

/// Holds the tasks until all have been opened.
#[derive(Debug, Default)]
struct Gate {
    start: Mutex<Option<Start>>,
    decided: Condvar,
}

impl Gate {
    fn decide(&self, start: Start) {
        *self.start.lock().unwrap_or_else(PoisonError::into_inner) = Some(start);
        self.decided.notify_all();
    }

    fn wait(&self) -> Start {
        let mut start = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(start) = *start {
                return start;
            }
            start = self.decided.wait(start).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn draw_producer() -> Result<Producer, Failure> {
    let mut bytes = [0; 6];
    draw(&mut bytes)?;
    Ok(Producer::from_random(bytes))
}

fn draw(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|error| {
        let message = format!("the system gives no random numbers: {error}");
        Failure::new(FailureKind::CannotAccess, message)
    })
}
