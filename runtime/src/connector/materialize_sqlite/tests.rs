//! Tables, fences and checkpoints in a real SQLite file.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fs;

use serde_json::json;
use tidegate_stdlib::bundle::{
    Column, ColumnRole, ColumnStorage, Config, Endpoint, MaterializationBinding, Origin,
    Source as BundleSource, Table,
};

use tidegate_stdlib::document::Document;

use super::*;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS \"the table\" (
    id INTEGER NOT NULL, part TEXT, amount REAL, flow_document TEXT NOT NULL,
    PRIMARY KEY (id, part))";

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
        nullable: true,
    }
}

fn binding(delta_updates: bool) -> MaterializationBinding {
    let create = match delta_updates {
        true => CREATE.replace(",\n    PRIMARY KEY (id, part)", ""),
        false => CREATE.to_owned(),
    };
    MaterializationBinding {
        resource: json!({ "table": "the table" }),
        resource_path: vec!["the table".to_owned()],
        source: BundleSource {
            collection: "things".to_owned(),
            partitions: None,
            not_before: None,
            not_after: None,
        },
        delta_updates,
        backfill: 0,
        priority: 0,
        table: Some(Table {
            name: "the table".to_owned(),
            columns: vec![
                column("id", ColumnRole::Key, ColumnStorage::Integer, "INTEGER"),
                column("part", ColumnRole::Key, ColumnStorage::Text, "TEXT"),
                column("amount", ColumnRole::Value, ColumnStorage::Number, "REAL"),
                column("flow_document", ColumnRole::Document, ColumnStorage::Json, "TEXT"),
            ],
            create,
        }),
        origin: Origin::default(),
    }
}

fn materialization(delta_updates: bool) -> Materialization {
    Materialization {
        name: "out".to_owned(),
        endpoint: Endpoint::Connector {
            image: "tidegate/materialize-sqlite:v1".to_owned(),
            config: Config::Plain(json!({ "path": "deep/down/out.db" })),
        },
        bindings: vec![binding(delta_updates)],
        transaction_duration_ms_max: 1000,
        reset: false,
        origin: Origin::default(),
        endpoint_origin: Origin::default(),
    }
}

/// A destination below `root` that waits hardly at all for locks.
fn destination(root: &Path, delta_updates: bool) -> SqliteDestination {
    opened(root, delta_updates).unwrap()
}

fn opened(root: &Path, delta_updates: bool) -> Result<SqliteDestination, Failure> {
    let data = root.join("data");
    let opening = Opening { root, data: &data, collections: &[] };
    let path = Path::new("deep/down/out.db");
    open_with(path, &materialization(delta_updates), opening, Duration::from_millis(1))
}

fn store(destination: &mut SqliteDestination, document: &Value, exists: bool, delete: bool) {
    let document = Document::from_value(document);
    let document = document.root();
    destination.store(Store { binding: 0, document, uuid: None, exists, delete }).unwrap();
}

fn load(destination: &mut SqliteDestination, keys: &[Value]) -> Vec<(usize, Value)> {
    let mut found = Vec::new();
    let keys: Vec<Document> = keys.iter().map(Document::from_value).collect();
    let keys: Vec<Node<'_>> = keys.iter().map(Document::root).collect();
    let each = &mut |index, document: Node<'_>| found.push((index, document.to_value()));
    destination.load(0, &keys, each).unwrap();
    found
}

fn rows(root: &Path) -> Vec<(i64, Option<String>, Option<f64>)> {
    let connection = Connection::open(root.join("deep/down/out.db")).unwrap();
    let mut statement =
        connection.prepare("SELECT id, part, amount FROM \"the table\" ORDER BY rowid").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn rows_are_inserted_loaded_updated_and_deleted() {
    let root = tempfile::tempdir().unwrap();
    let mut destination = destination(root.path(), false);
    assert_eq!(destination.open().unwrap(), None);
    let one = json!({ "id": 1, "part": "a", "amount": 1.5 });
    let two = json!({ "id": 2, "part": null, "amount": "2.5" });
    destination.begin().unwrap();
    store(&mut destination, &one, false, false);
    store(&mut destination, &two, false, false);
    destination.commit(&json!({ "at": 1 })).unwrap();

    destination.begin().unwrap();
    let keys = [json!([1, "a"]), json!([1, "b"]), json!([2, null])];
    assert_eq!(load(&mut destination, &keys), [(0, one.clone()), (2, two)]);
    let two = json!({ "id": 2, "part": null, "amount": 7 });
    store(&mut destination, &two, true, false);
    store(&mut destination, &one, true, true);
    destination.commit(&json!({ "at": 2 })).unwrap();
    assert_eq!(rows(root.path()), [(2, None, Some(7.0))]);
    assert_eq!(destination.open().unwrap(), Some(json!({ "at": 2 })));
}

#[test]
fn what_was_not_committed_is_not_there() {
    let root = tempfile::tempdir().unwrap();
    let mut one = destination(root.path(), false);
    one.open().unwrap();
    one.begin().unwrap();
    store(&mut one, &json!({ "id": 1, "part": "a" }), false, false);
    one.rollback();
    one.rollback();
    one.begin().unwrap();
    store(&mut one, &json!({ "id": 2, "part": "a" }), false, false);
    drop(one);
    assert_eq!(rows(root.path()), []);
    assert_eq!(destination(root.path(), false).open().unwrap(), None);
}

#[test]
fn delta_updates_append() {
    let root = tempfile::tempdir().unwrap();
    let mut destination = destination(root.path(), true);
    destination.open().unwrap();
    for amount in [1, 2] {
        destination.begin().unwrap();
        let document = json!({ "id": 1, "part": "a", "amount": amount });
        assert!(load(&mut destination, &[json!([1, "a"])]).is_empty());
        store(&mut destination, &document, false, false);
        destination.commit(&json!(amount)).unwrap();
    }
    let part = Some("a".to_owned());
    assert_eq!(rows(root.path()), [(1, part.clone(), Some(1.0)), (1, part, Some(2.0))]);
}

#[test]
fn the_later_opener_fences_off_the_earlier() {
    let root = tempfile::tempdir().unwrap();
    let mut earlier = destination(root.path(), false);
    earlier.open().unwrap();
    earlier.begin().unwrap();
    earlier.commit(&json!("first")).unwrap();
    let mut later = destination(root.path(), false);
    assert_eq!(later.open().unwrap(), Some(json!("first")));

    earlier.begin().unwrap();
    store(&mut earlier, &json!({ "id": 1, "part": "a" }), false, false);
    let failure = earlier.commit(&json!("lost")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::FencedOff);
    assert_eq!(rows(root.path()), []);

    later.begin().unwrap();
    later.commit(&json!("second")).unwrap();
    assert_eq!(destination(root.path(), false).open().unwrap(), Some(json!("second")));
}

#[test]
fn a_wider_range_hands_its_checkpoint_down() {
    let root = tempfile::tempdir().unwrap();
    let mut whole = destination(root.path(), false);
    whole.open().unwrap();
    whole.begin().unwrap();
    whole.commit(&json!("whole")).unwrap();
    let mut half = Fence::new("out");
    half.narrow(0, u32::MAX / 2);
    assert_eq!(half.take(&whole.connection).unwrap().as_deref(), Some("\"whole\""));
    whole.begin().unwrap();
    assert_eq!(whole.commit(&json!("late")).unwrap_err().kind, FailureKind::FencedOff);
    assert!(half.set_checkpoint(&whole.connection, "\"half\"").unwrap());
}

#[test]
fn restart_empties_tables_and_forgets_the_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let mut destination = destination(root.path(), false);
    destination.open().unwrap();
    destination.begin().unwrap();
    store(&mut destination, &json!({ "id": 1, "part": "a" }), false, false);
    destination.commit(&json!(1)).unwrap();
    destination.restart().unwrap();
    assert_eq!(rows(root.path()), []);
    assert_eq!(destination.open().unwrap(), None);
}

#[test]
fn a_lock_of_somebody_else_is_told() {
    let root = tempfile::tempdir().unwrap();
    let mut destination = destination(root.path(), false);
    destination.open().unwrap();
    let other = Connection::open(root.path().join("deep/down/out.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let Begun::Locked(failure) = destination.begin().unwrap() else { panic!("it has begun") };
    assert_eq!(failure.message, "the database `deep/down/out.db` is locked by another process");
    if cfg!(target_os = "linux") {
        let holder = format!("process {}", std::process::id());
        assert!(failure.notes[1].starts_with(&holder), "{:?}", failure.notes);
    }
    other.execute_batch("ROLLBACK").unwrap();
    destination.begin().unwrap();
}

#[test]
fn a_lock_of_somebody_else_is_told_when_the_database_is_opened() {
    let root = tempfile::tempdir().unwrap();
    destination(root.path(), false).open().unwrap();
    let other = Connection::open(root.path().join("deep/down/out.db")).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let failure = opened(root.path(), false).and_then(|mut opened| opened.open()).unwrap_err();
    assert_eq!(failure.message, "the database `deep/down/out.db` is locked by another process");
}

#[test]
fn a_new_database_gets_wal_and_an_existing_one_stays() {
    let mode = |root: &Path| -> String {
        let connection = Connection::open(root.join("deep/down/out.db")).unwrap();
        connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap()
    };
    let root = tempfile::tempdir().unwrap();
    destination(root.path(), false).open().unwrap();
    assert_eq!(mode(root.path()), "wal");

    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("deep/down")).unwrap();
    let other = Connection::open(root.path().join("deep/down/out.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    destination(root.path(), false).open().unwrap();
    assert_eq!(mode(root.path()), "delete");
}

#[test]
fn a_target_in_the_data_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    fs::create_dir(&data).unwrap();
    for path in ["data/out.db", "elsewhere/../data/new/out.db"] {
        let opening = Opening { root: root.path(), data: &data, collections: &[] };
        let refused = open_with(Path::new(path), &materialization(false), opening, Duration::ZERO);
        let failure = refused.err().unwrap();
        assert_eq!(
            failure.message,
            format!("the database `{path}` lies inside the data directory")
        );
    }
    assert_eq!(fs::read_dir(data).unwrap().count(), 0);
}

#[test]
fn a_table_that_differs_is_a_failure_that_names_it() {
    let cases = [
        (
            "id INTEGER, part TEXT, amount REAL, PRIMARY KEY (id, part)",
            "table `the table` has no column `flow_document`",
        ),
        (
            "id INTEGER, part TEXT, amount TEXT, flow_document TEXT, PRIMARY KEY (id, part)",
            "column `amount` of table `the table` is TEXT, not REAL",
        ),
        (
            "id INTEGER PRIMARY KEY, part TEXT, amount REAL, flow_document TEXT",
            "column `part` of table `the table` is not part of its primary key",
        ),
        (
            "id INTEGER, part TEXT, amount REAL, flow_document TEXT, more TEXT NOT NULL,
             PRIMARY KEY (id, part)",
            "column `more` of table `the table` demands a value and is no field",
        ),
    ];
    for (columns, message) in cases {
        let root = tempfile::tempdir().unwrap();
        let mut destination = destination(root.path(), false);
        destination
            .connection
            .execute(&format!("CREATE TABLE \"the table\" ({columns})"), [])
            .unwrap();
        assert_eq!(destination.open().unwrap_err().message, message);
        assert!(destination.connection.is_autocommit());
    }
}

#[test]
fn values_that_no_column_can_hold_are_refused_with_their_document() {
    let root = tempfile::tempdir().unwrap();
    let mut destination = destination(root.path(), false);
    destination.open().unwrap();
    destination.begin().unwrap();
    let document = json!({ "id": u64::MAX, "part": "a" });
    let node = Document::from_value(&document);
    let (document_root, exists, delete) = (node.root(), false, false);
    let store = Store { binding: 0, document: document_root, uuid: None, exists, delete };
    let failure = destination.store(store).unwrap_err();
    assert_eq!(
        failure.message,
        "column `id` of table `the table` cannot hold the value: 18446744073709551615 is beyond 64 bits"
    );
    assert_eq!(failure.document, Some(document));
}
