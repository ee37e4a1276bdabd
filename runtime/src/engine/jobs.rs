//! Which tasks a run has, and what each reads and writes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidegate_stdlib::bundle::{
    Bundle, Capture, Collection, Derivation, Failure, Fragments, Materialization, Task, TaskKind,
    TaskName,
};

use super::hub::Wiring;
use super::{Ingest, RunRequest};
use crate::derive::collection;
use crate::fixture::Fixture;
use crate::limits::{
    STORE_BYTES_MAX, STORE_DOCUMENTS_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_DOCUMENTS_MAX,
};
use crate::transaction::InputMax;
use crate::uuid::Clock;

/// Greatest duration of a transaction of a task that the catalog does not name.
const DURATION_MAX: Duration = Duration::from_secs(1);

/// The tasks of a run in order of kind and name.
#[derive(Debug)]
pub(super) struct Jobs<'r> {
    bundle: &'r Bundle,
    fixture: Option<Fixture>,
    jobs: BTreeMap<TaskName, Job<'r>>,
}

/// One task.
#[derive(Debug)]
pub(super) enum Job<'r> {
    /// A capture of the catalog.
    Capture(&'r Capture),
    /// A derivation of the catalog.
    Derivation(&'r Derivation),
    /// A materialization of the catalog.
    Materialization(&'r Materialization),
    /// Files given on the command line, and their collection.
    Ingest(&'r Collection, Vec<&'r Ingest>),
    /// The fixture of the run.
    Fixture,
}

impl<'r> Jobs<'r> {
    /// The tasks that a request asks for.
    ///
    /// # Errors
    /// A fixture that cannot be read, or a collection that is not in the bundle.
    pub(super) fn new(request: &'r RunRequest) -> Result<Self, Failure> {
        let bundle: &'r Bundle = &request.bundle;
        let fixture = request.fixture.as_deref().map(|text| Fixture::parse(text, bundle));
        let fixture = fixture.transpose()?;
        let mut jobs = BTreeMap::new();
        for (name, task) in &bundle.tasks {
            if !request.only.is_empty() && !request.only.contains(&name.name) {
                continue;
            }
            let job = match task {
                Task::Capture(_) if fixture.is_some() => continue,
                Task::Materialization(_) if request.skip_materializations => continue,
                Task::Capture(capture) => Job::Capture(capture),
                Task::Derivation(derivation) => Job::Derivation(derivation),
                Task::Materialization(materialization) => Job::Materialization(materialization),
            };
            jobs.insert(name.clone(), job);
        }
        for ingest in &request.ingest {
            let target = collection(bundle, &ingest.collection)?;
            let name = TaskName { kind: TaskKind::Ingest, name: ingest.collection.clone() };
            let job = jobs.entry(name).or_insert_with(|| Job::Ingest(target, Vec::new()));
            if let Job::Ingest(_, files) = job {
                files.push(ingest);
            }
        }
        if fixture.is_some() {
            let name = TaskName { kind: TaskKind::Ingest, name: "fixture".to_owned() };
            jobs.insert(name, Job::Fixture);
        }
        Ok(Self { bundle, fixture, jobs })
    }

    /// What they are tasks of.
    pub(super) fn bundle(&self) -> &'r Bundle {
        self.bundle
    }

    /// The tasks by name.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&TaskName, &Job<'r>)> {
        self.jobs.iter()
    }

    /// The fixture, if the run has one.
    pub(super) fn fixture(&self) -> Option<&Fixture> {
        self.fixture.as_ref()
    }

    /// Where the clock starts, if it is simulated.
    pub(super) fn simulated_start(&self) -> Option<Clock> {
        self.fixture.as_ref().and_then(Fixture::start)
    }

    /// The collections that are written, by name.
    pub(super) fn written(&self) -> impl Iterator<Item = &'r Collection> {
        let names: BTreeSet<&str> = self.jobs.values().flat_map(|job| self.writes(job)).collect();
        names
            .into_iter()
            .filter_map(|name| self.bundle.collections.get(name))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// What each task reads and writes, in the order of the tasks.
    pub(super) fn wiring(&self) -> Vec<Wiring> {
        let unique = |names: Vec<&str>| -> Vec<String> {
            let names: BTreeSet<&str> = names.into_iter().collect();
            names.into_iter().map(str::to_owned).collect()
        };
        self.jobs
            .values()
            .map(|job| Wiring { reads: unique(reads(job)), writes: unique(self.writes(job)) })
            .collect()
    }

    /// How the journals that a task writes are cut: as the most demanding of its collections says.
    pub(super) fn fragments(&self, job: &Job<'_>) -> Fragments {
        let names = self.writes(job);
        let all = names.iter().filter_map(|name| self.bundle.collections.get(*name));
        all.map(|collection| collection.fragments.clone())
            .reduce(|left, right| Fragments {
                codec: left.codec,
                length_bytes: left.length_bytes.min(right.length_bytes),
                flush_interval_ms: left.flush_interval_ms.min(right.flush_interval_ms),
            })
            .unwrap_or_default()
    }

    fn writes<'j>(&'j self, job: &'j Job<'_>) -> Vec<&'j str> {
        match job {
            Job::Capture(capture) => {
                capture.bindings.iter().map(|binding| binding.collection.as_str()).collect()
            }
            Job::Derivation(derivation) => vec![&derivation.collection],
            Job::Materialization(_) => Vec::new(),
            Job::Ingest(collection, _) => vec![&collection.name],
            Job::Fixture => {
                let collections = self.fixture.iter().flat_map(|fixture| &fixture.collections);
                collections.map(String::as_str).collect()
            }
        }
    }
}

fn reads<'j>(job: &'j Job<'_>) -> Vec<&'j str> {
    match job {
        Job::Derivation(derivation) => {
            let transforms = derivation.transforms.iter();
            transforms.map(|transform| transform.source.collection.as_str()).collect()
        }
        Job::Materialization(materialization) => {
            let bindings = materialization.bindings.iter();
            bindings.map(|binding| binding.source.collection.as_str()).collect()
        }
        Job::Capture(_) | Job::Ingest(..) | Job::Fixture => Vec::new(),
    }
}

impl Job<'_> {
    /// Greatest input of a transaction.
    pub(super) fn input_max(&self) -> InputMax {
        let (bytes, documents) = match self {
            Self::Materialization(_) => (STORE_BYTES_MAX, STORE_DOCUMENTS_MAX),
            Self::Capture(_) | Self::Derivation(_) | Self::Ingest(..) | Self::Fixture => {
                (TRANSACTION_BYTES_MAX, TRANSACTION_DOCUMENTS_MAX)
            }
        };
        InputMax { bytes, documents: documents as u64 }
    }

    /// Greatest duration of a transaction.
    pub(super) fn duration_max(&self) -> Duration {
        match self {
            Self::Capture(capture) => Duration::from_millis(capture.transaction_duration_ms_max),
            Self::Derivation(derivation) => {
                Duration::from_millis(derivation.transaction_duration_ms_max)
            }
            Self::Materialization(materialization) => {
                Duration::from_millis(materialization.transaction_duration_ms_max)
            }
            Self::Ingest(..) => DURATION_MAX,
            Self::Fixture => Duration::MAX,
        }
    }
}
