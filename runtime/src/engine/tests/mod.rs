//! Whole runs over small catalogs made by hand, with endpoints in memory that fail on demand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod doubles;
mod endpoints;
mod exactly_once;
mod failures;
mod order;
mod redaction;
mod resets;
mod sources;

use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};
use tidegate_stdlib::bundle::{
    Capture, CaptureBinding, Collection, Config, Derivation, Endpoint, FailureKind, LocalProcess,
    Materialization, MaterializationBinding, Origin, Script, Shuffle, ShuffleLambda, Source, Task,
    TaskKind, Transform,
};

use super::*;
use crate::read::{ReadRequest, read};
use doubles::Doubles;

/// A collection without partitions.
fn collection(name: &str, key: &str, schema: Value) -> Collection {
    Collection::new(name, &[key], schema)
}

fn script(text: &str) -> Script {
    Script { text: text.to_owned(), origin: Origin::default(), map: Vec::new() }
}

fn source(collection: &str) -> Source {
    Source {
        collection: collection.to_owned(),
        partitions: None,
        not_before: None,
        not_after: None,
    }
}

fn transform(name: &str, from: &str, lambda: &str) -> Transform {
    Transform {
        name: name.to_owned(),
        source: source(from),
        shuffle: Shuffle::Any,
        lambda: script(lambda),
        config: None,
        read_only: false,
        read_delay_ms: 0,
        priority: 0,
        backfill: 0,
        origin: Origin::default(),
    }
}

fn derivation(collection: &str, migrations: &[&str], transforms: Vec<Transform>) -> Task {
    Task::Derivation(Derivation {
        collection: collection.to_owned(),
        migrations: migrations.iter().map(|text| script(text)).collect(),
        module: None,
        process: None,
        transforms,
        transaction_duration_ms_max: 1000,
        redact_salt: None,
        origin: Origin::default(),
    })
}

fn endpoint() -> Endpoint {
    Endpoint::Connector { image: "double".to_owned(), config: Config::Plain(json!({})) }
}

fn capture(name: &str, collection: &str) -> Task {
    Task::Capture(Capture {
        name: name.to_owned(),
        endpoint: endpoint(),
        bindings: vec![CaptureBinding {
            resource: json!({}),
            resource_path: vec!["all".to_owned()],
            collection: collection.to_owned(),
            backfill: 0,
            origin: Origin::default(),
        }],
        interval_ms: 300_000,
        transaction_duration_ms_max: 1000,
        reset: false,
        redact_salt: None,
        origin: Origin::default(),
        endpoint_origin: Origin::default(),
    })
}

fn materialization(name: &str, collection: &str) -> Task {
    Task::Materialization(Materialization {
        name: name.to_owned(),
        endpoint: endpoint(),
        bindings: vec![MaterializationBinding {
            resource: json!({}),
            resource_path: vec!["rows".to_owned()],
            source: source(collection),
            delta_updates: false,
            backfill: 0,
            priority: 0,
            table: None,
            origin: Origin::default(),
        }],
        transaction_duration_ms_max: 1000,
        reset: false,
        origin: Origin::default(),
        endpoint_origin: Origin::default(),
    })
}

fn bundle(collections: Vec<Collection>, tasks: Vec<Task>) -> Bundle {
    let name = |task: &Task| match task {
        Task::Capture(it) => TaskName { kind: TaskKind::Capture, name: it.name.clone() },
        Task::Derivation(it) => {
            TaskName { kind: TaskKind::Derivation, name: it.collection.clone() }
        }
        Task::Materialization(it) => {
            TaskName { kind: TaskKind::Materialization, name: it.name.clone() }
        }
    };
    Bundle {
        digest: "test".to_owned(),
        collections: collections.into_iter().map(|it| (it.name.clone(), it)).collect(),
        tasks: tasks.into_iter().map(|task| (name(&task), task)).collect(),
        tests: std::collections::BTreeMap::new(),
    }
}

/// Transfers captured, balances derived by deltas, balances materialized.
fn bank() -> Bundle {
    let transfers = json!({
        "type": "object",
        "properties": {
            "id": { "type": "integer" },
            "sender": { "type": "string" },
            "recipient": { "type": "string" },
            "amount": { "type": "integer", "minimum": 0 },
        },
        "required": ["id", "sender", "recipient", "amount"],
        "additionalProperties": false,
    });
    let balances = json!({
        "type": "object",
        "properties": {
            "account": { "type": "string" },
            "balance": { "type": "integer", "reduce": { "strategy": "sum" } },
        },
        "required": ["account", "balance"],
        "reduce": { "strategy": "merge" },
    });
    let lambda = "SELECT $sender AS account, -$amount AS balance;
        SELECT $recipient AS account, $amount AS balance;";
    bundle(
        vec![
            collection("bank/transfers", "/id", transfers),
            collection("bank/balances", "/account", balances),
        ],
        vec![
            capture("bank/source", "bank/transfers"),
            derivation(
                "bank/balances",
                &[],
                vec![transform("fromTransfers", "bank/transfers", lambda)],
            ),
            materialization("bank/rows", "bank/balances"),
        ],
    )
}

/// Transfer `n` of a repeatable series.
fn transfer(n: usize) -> Value {
    let account = |seed: usize| format!("account-{}", seed % 7);
    json!({
        "id": n,
        "sender": account(n * 3 + 1),
        "recipient": account(n * 5 + 2),
        "amount": n * 37 % 100,
    })
}

/// The balances after the first `count` transfers, by plain addition.
fn balances_after(count: usize) -> std::collections::BTreeMap<String, i64> {
    let mut balances = std::collections::BTreeMap::new();
    for transfer in (0..count).map(transfer) {
        let amount = transfer["amount"].as_i64().unwrap();
        let mut add = |field: &str, amount: i64| {
            let account = transfer[field].as_str().unwrap().to_owned();
            *balances.entry(account).or_insert(0) += amount;
        };
        add("sender", -amount);
        add("recipient", amount);
    }
    balances
}

/// A run of a bundle in a directory, until idle.
fn request(bundle: Bundle, data: &Path) -> RunRequest {
    RunRequest {
        bundle: Arc::new(bundle),
        data: data.to_owned(),
        root: data.to_owned(),
        until_idle: true,
        only: BTreeSet::new(),
        programs: ScriptPrograms::default(),
        ingest: Vec::new(),
        fixture: None,
        skip_materializations: false,
        restart: BTreeSet::new(),
        durability: Durability::Off,
        memory_bytes: 256 << 20,
    }
}

/// Remembers the failures that it was told of.
#[derive(Default)]
struct Failures(Mutex<Vec<(TaskName, Failure)>>);

impl Observer for Failures {
    fn committed(&self, _report: &TaskReport) {}

    fn failed(&self, task: &TaskName, failure: &Failure) {
        self.0.lock().unwrap().push((task.clone(), failure.clone()));
    }
}

fn go(request: &RunRequest, doubles: &Doubles) -> Result<Vec<TaskReport>, Failure> {
    run_with(request, doubles, &Failures::default(), &AtomicBool::new(false))
}

fn documents(request: &RunRequest, name: &str, reduce: bool) -> Vec<Value> {
    let collection = &request.bundle.collections[name];
    let (data, memory_bytes) = (&request.data, 1 << 20);
    let read_request = ReadRequest { data, collection, partitions: None, reduce, memory_bytes };
    let mut documents = Vec::new();
    read(&read_request, &mut |document| {
        documents.push(crate::stamp::unstamped(document).0.root().to_value());
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    documents
}

/// The balances that reading the derived collection gives.
fn balances(request: &RunRequest) -> std::collections::BTreeMap<String, i64> {
    documents(request, "bank/balances", true)
        .iter()
        .map(|document| {
            let account = document["account"].as_str().unwrap().to_owned();
            (account, document["balance"].as_i64().unwrap())
        })
        .collect()
}

#[test]
fn documents_flow_from_a_source_to_rows() {
    let data = tempfile::tempdir().unwrap();
    let request = request(bank(), data.path());
    let doubles = Doubles::of((0..500).map(transfer));
    let reports = go(&request, &doubles).unwrap();
    let failed: Vec<_> = reports.iter().filter_map(|report| report.failed.as_ref()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(documents(&request, "bank/transfers", false).len(), 500);
    assert_eq!(balances(&request), balances_after(500));
    assert_eq!(doubles.rows(), balances_after(500));
    let names: Vec<_> = reports.iter().map(|report| report.name.as_str()).collect();
    assert_eq!(names, ["bank/source", "bank/balances", "bank/rows"]);
    assert_eq!((reports[0].documents_in, reports[0].documents_out), (500, 500));
    assert_eq!(reports[1].documents_in, 500);
    assert_eq!(reports[2].documents_in, reports[1].documents_out);
}

#[test]
fn a_second_run_adds_nothing_and_more_input_adds_only_that() {
    let data = tempfile::tempdir().unwrap();
    let request = request(bank(), data.path());
    let doubles = Doubles::of((0..100).map(transfer));
    go(&request, &doubles).unwrap();
    let reports = go(&request, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.documents_in == 0 && report.transactions == 0));
    doubles.extend((100..130).map(transfer));
    let reports = go(&request, &doubles).unwrap();
    assert_eq!(reports[0].documents_in, 30);
    assert_eq!(balances(&request), balances_after(130));
    assert_eq!(doubles.rows(), balances_after(130));
}

#[test]
fn a_run_stops_when_it_is_told_to() {
    let data = tempfile::tempdir().unwrap();
    let mut request = request(bank(), data.path());
    request.until_idle = false;
    let doubles = Doubles::of((0..10).map(transfer));
    let stop = AtomicBool::new(true);
    let reports = run_with(&request, &doubles, &Failures::default(), &stop).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()));
}
