//! `reset: true`, carried out before any task begins.
//!
//! A collection that is reset loses its documents, and the task that derives it its state. Who captures into it or reads it has its
//! `backfill` raised by the number of resets, as far as this run is concerned, and so begins anew: that is the same as what a raised
//! `backfill` in the catalog does. A capture or materialization is reset by the same counter. See [`crate::store`] for how it is done once.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_stdlib::bundle::{
    Bundle, Capture, Collection, Derivation, Failure, FailureKind, Materialization, Origin, Task,
    TaskName,
};
use xxhash_rust::xxh3::xxh3_64;

use super::restart::restart;
use super::{Observer, RunRequest};
use crate::engine::jobs::Jobs;
use crate::store::{Asked, DataDirectory, Shard};

/// Carries out what is asked for of what the jobs write, and gives the request of a run that goes on from there.
///
/// # Errors
/// When the data directory refuses; what was begun is then finished by the next run.
pub(super) fn carry_out(
    request: &RunRequest,
    jobs: &Jobs<'_>,
    directory: &Arc<DataDirectory>,
    observer: &dyn Observer,
) -> Result<RunRequest, Failure> {
    for collection in jobs.written() {
        let made_for = collection.reset.then(|| digest_of_collection(collection));
        let asked = directory.ask_for_collection(collection, made_for.as_deref())?;
        tell(asked, "collection", &collection.name, &collection.origin, observer);
    }
    for (name, _) in jobs.iter() {
        let Some((origin, made_for)) = request.bundle.tasks.get(name).and_then(resettable) else {
            continue;
        };
        let asked = directory.ask_for_task(name, made_for.as_deref())?;
        tell(asked, name.kind.word(), &name.name, origin, observer);
    }
    for collection in directory.pending_resets() {
        directory.empty_collection(&collection, |shard: &mut Shard| restart(shard))?;
    }
    let bundle = raised(&request.bundle, directory);
    Ok(RunRequest { bundle: Arc::new(bundle), ..request.clone() })
}

fn tell(asked: Asked, noun: &str, name: &str, origin: &Origin, observer: &dyn Observer) {
    match asked {
        Asked::No => {}
        Asked::Now => observer.resets(noun, name),
        Asked::Before => observer.warned(&already_done(noun, name, origin)),
    }
}

fn already_done(noun: &str, name: &str, origin: &Origin) -> Failure {
    let message = format!("the {noun} `{name}` was reset by an earlier run, and is not again");
    Failure::new(FailureKind::ResetAlreadyDone, message)
        .at(Some(origin.clone()))
        .help("remove `reset: true`")
}

/// Where a task that can be reset is declared, and the digest of what it is when that is asked for.
fn resettable(task: &Task) -> Option<(&Origin, Option<String>)> {
    match task {
        Task::Capture(capture) => {
            Some((&capture.origin, capture.reset.then(|| digest_of_capture(capture))))
        }
        Task::Materialization(materialization) => {
            let made_for =
                materialization.reset.then(|| digest_of_materialization(materialization));
            Some((&materialization.origin, made_for))
        }
        // It is reset with its collection.
        Task::Derivation(_) => None,
    }
}

fn digest_of_collection(collection: &Collection) -> String {
    let partitions: Vec<Value> = collection
        .partitions()
        .map(|projection| json!([projection.field, projection.pointer]))
        .collect();
    digest(&json!([collection.key, partitions, collection.write_schema, collection.read_schema]))
}

fn digest_of_capture(capture: &Capture) -> String {
    let bindings = capture.bindings.iter();
    let bindings: Vec<Value> =
        bindings.map(|it| json!([it.resource_path, it.collection, it.backfill])).collect();
    digest(&json!([capture.endpoint, bindings]))
}

fn digest_of_materialization(materialization: &Materialization) -> String {
    let bindings = materialization.bindings.iter();
    let bindings: Vec<Value> =
        bindings.map(|it| json!([it.resource_path, it.source, it.backfill])).collect();
    digest(&json!([materialization.endpoint, bindings]))
}

fn digest(value: &Value) -> String {
    format!("{:016x}", xxh3_64(value.to_string().as_bytes()))
}

/// The bundle with the counters of `backfill` raised by the resets that there were.
fn raised(bundle: &Bundle, directory: &DataDirectory) -> Bundle {
    let mut bundle = bundle.clone();
    for (name, task) in &mut bundle.tasks {
        raise(name, task, directory);
    }
    bundle
}

fn raise(name: &TaskName, task: &mut Task, directory: &DataDirectory) {
    let of_task = directory.resets_of_task(name);
    let add = |backfill: &mut u32, collection: &str| {
        let resets = of_task.saturating_add(directory.resets_of_collection(collection));
        *backfill = backfill.saturating_add(resets);
    };
    match task {
        Task::Capture(Capture { bindings, .. }) => {
            bindings.iter_mut().for_each(|it| add(&mut it.backfill, &it.collection));
        }
        Task::Derivation(Derivation { transforms, .. }) => {
            transforms.iter_mut().for_each(|it| add(&mut it.backfill, &it.source.collection));
        }
        Task::Materialization(Materialization { bindings, .. }) => {
            bindings.iter_mut().for_each(|it| add(&mut it.backfill, &it.source.collection));
        }
    }
}
