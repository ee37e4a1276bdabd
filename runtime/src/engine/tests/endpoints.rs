//! A run with the connectors that are built in.

use tidegate_stdlib::bundle::{Column, ColumnRole, ColumnStorage, Table};

use super::*;

fn column(name: &str, role: ColumnRole, storage: ColumnStorage, sql_type: &str) -> Column {
    let pointer = if role == ColumnRole::Document { String::new() } else { format!("/{name}") };
    Column {
        field: name.to_owned(),
        pointer,
        name: name.to_owned(),
        role,
        default: None,
        storage,
        sql_type: sql_type.to_owned(),
        nullable: false,
    }
}

fn connected(image: &str, config: Value) -> Endpoint {
    Endpoint::Connector { image: image.to_owned(), config: Config::Plain(config) }
}

/// The bank over simulated transfers, with balances in a SQLite database.
fn simulated_bank(count: u64) -> Bundle {
    let mut bundle = bank();
    for task in bundle.tasks.values_mut() {
        match task {
            Task::Capture(capture) => {
                let config = json!({ "scenario": "bank", "seed": 7, "count": count });
                capture.endpoint = connected("tidegate/source-sim", config);
                capture.bindings[0].resource = json!({ "stream": "transfers" });
            }
            Task::Materialization(materialization) => {
                let config = json!({ "path": "rows.db" });
                materialization.endpoint = connected("tidegate/materialize-sqlite", config);
                let create = "CREATE TABLE IF NOT EXISTS balances (
                    account TEXT NOT NULL, balance INTEGER NOT NULL, flow_document TEXT NOT NULL,
                    PRIMARY KEY (account))";
                materialization.bindings[0].resource = json!({ "table": "balances" });
                materialization.bindings[0].table = Some(Table {
                    name: "balances".to_owned(),
                    columns: vec![
                        column("account", ColumnRole::Key, ColumnStorage::Text, "TEXT"),
                        column("balance", ColumnRole::Value, ColumnStorage::Integer, "INTEGER"),
                        column("flow_document", ColumnRole::Document, ColumnStorage::Json, "TEXT"),
                    ],
                    create: create.to_owned(),
                });
            }
            Task::Derivation(_) => {}
        }
    }
    bundle
}

fn run_built_in(request: &RunRequest) -> Vec<TaskReport> {
    run(request, &Failures::default(), &AtomicBool::new(false)).unwrap()
}

/// Balances by account in the database.
fn rows(root: &Path) -> std::collections::BTreeMap<String, i64> {
    let connection = rusqlite::Connection::open(root.join("rows.db")).unwrap();
    let mut statement = connection.prepare("SELECT account, balance FROM balances").unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn simulated_transfers_become_rows_across_runs() {
    let root = tempfile::tempdir().unwrap();
    for count in [300, 300, 450] {
        let mut request = request(simulated_bank(count), &root.path().join("data"));
        request.root = root.path().to_owned();
        let reports = run_built_in(&request);
        assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
        assert_eq!(documents(&request, "bank/transfers", false).len() as u64, count);
        assert_eq!(rows(root.path()), balances(&request));
        assert_eq!(balances(&request).values().sum::<i64>(), 0);
    }
}

#[test]
fn a_database_that_outlived_its_data_is_left_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let mut first = request(simulated_bank(100), &root.path().join("first"));
    first.root = root.path().to_owned();
    run_built_in(&first);
    let before = rows(root.path());
    let mut second = request(simulated_bank(200), &root.path().join("second"));
    second.root = root.path().to_owned();
    let reports = run_built_in(&second);
    let failure = reports[2].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::CheckpointOfOtherData);
    assert_eq!(rows(root.path()), before);
    second.restart = BTreeSet::from(["bank/rows".to_owned()]);
    run_built_in(&second);
    assert_eq!(rows(root.path()), balances(&second));
}

#[test]
fn a_config_that_sops_encrypted_is_refused_before_anything_is_opened() {
    let root = tempfile::tempdir().unwrap();
    let mut bundle = simulated_bank(10);
    for task in bundle.tasks.values_mut() {
        if let Task::Materialization(materialization) = task {
            let text = r#"{"path":"ENC[AES256_GCM,data:x]","sops":{"mac":"m"}}"#;
            let config = serde_json::from_str(text).unwrap();
            let image = "tidegate/materialize-sqlite".to_owned();
            materialization.endpoint = Endpoint::Connector { image, config };
        }
    }
    let mut request = request(bundle, &root.path().join("data"));
    request.root = root.path().to_owned();
    let reports = run_built_in(&request);
    let failure = reports[2].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::EndpointFailed);
    assert!(failure.message.contains("encrypted by `sops`"), "{failure:?}");
}
