//! A task that fails stops alone and commits nothing of its transaction.

use super::doubles::Trouble;
use super::*;

#[test]
fn a_document_that_violates_its_schema_stops_its_task_only() {
    let data = tempfile::tempdir().unwrap();
    let mut bundle = bank();
    let other = collection("other/things", "/id", json!({ "type": "object" }));
    bundle.collections.insert(other.name.clone(), other);
    let mut request = request(bundle, &data.path().join("data"));
    let path = data.path().join("things.jsonl");
    std::fs::write(&path, "{\"id\":1}\n{\"id\":2}\n").unwrap();
    request.ingest =
        vec![Ingest { collection: "other/things".to_owned(), path, text: None, again: false }];
    let doubles = Doubles::of((0..40).map(transfer));
    let mut broken = transfer(20);
    broken["amount"] = json!(-5);
    doubles.replace(20, broken.clone());
    let observer = Failures::default();
    let reports = run_with(&request, &doubles, &observer, &AtomicBool::new(false)).unwrap();
    let failure = reports[0].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::DocumentViolatesSchema);
    assert_eq!(failure.task.as_ref().unwrap().name, "bank/source");
    assert_eq!(failure.document.as_ref(), Some(&broken));
    assert_eq!(failure.pointer.as_deref(), Some("/amount"));
    assert_eq!(failure.keyword.as_deref(), Some("minimum"));
    assert_eq!(observer.0.lock().unwrap().len(), 1);
    assert!(documents(&request, "bank/transfers", false).is_empty());
    assert_eq!(documents(&request, "other/things", false).len(), 2);

    doubles.replace(20, transfer(20));
    let reports = go(&request, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    assert_eq!(balances(&request), balances_after(40));
    assert_eq!(doubles.rows(), balances_after(40));
}

#[test]
fn a_lambda_that_fails_names_the_document() {
    let data = tempfile::tempdir().unwrap();
    let numbers = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
    let lambda = "INSERT INTO seen VALUES ($id) RETURNING id;";
    let bundle = bundle(
        vec![collection("a/numbers", "/id", numbers.clone()), collection("a/seen", "/id", numbers)],
        vec![
            capture("a/source", "a/numbers"),
            derivation(
                "a/seen",
                &["CREATE TABLE seen (id INTEGER CHECK (id <> 3));"],
                vec![transform("fromNumbers", "a/numbers", lambda)],
            ),
        ],
    );
    let request = request(bundle, data.path());
    let doubles = Doubles::of((0..5).map(|id| json!({ "id": id })));
    let reports = go(&request, &doubles).unwrap();
    let failure = reports[1].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::LambdaFailed);
    assert_eq!(failure.document.as_ref().unwrap()["id"], json!(3));
    assert!(documents(&request, "a/seen", false).is_empty());
    assert_eq!(documents(&request, "a/numbers", false).len(), 5);
}

#[test]
fn a_shuffle_lambda_that_makes_no_key_stops_the_task() {
    let data = tempfile::tempdir().unwrap();
    let numbers = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
    let shuffled_by = |lambda: &str| {
        let shuffle =
            ShuffleLambda { lambda: script(lambda), types: vec![vec!["integer".to_owned()]] };
        let shuffle = Shuffle::Lambda(shuffle);
        let transform =
            Transform { shuffle, ..transform("fromNumbers", "a/numbers", "SELECT $id;") };
        let bundle = bundle(
            vec![
                collection("a/numbers", "/id", numbers.clone()),
                collection("a/seen", "/id", numbers.clone()),
            ],
            vec![capture("a/source", "a/numbers"), derivation("a/seen", &[], vec![transform])],
        );
        request(bundle, data.path())
    };
    let doubles = Doubles::of((0..5).map(|id| json!({ "id": id })));
    let request = shuffled_by("SELECT $id WHERE $id <> 3;");
    let reports = go(&request, &doubles).unwrap();
    let failure = reports[1].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::LambdaFailed);
    assert_eq!(failure.message, "the shuffle gives no row for this document");
    assert_eq!(failure.document.as_ref().unwrap()["id"], json!(3));
    assert!(documents(&request, "a/seen", false).is_empty());
    let request = shuffled_by("SELECT $id % 2;");
    let reports = go(&request, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    assert_eq!(documents(&request, "a/seen", false).len(), 5);
}

/// A process of `sh` that answers as the protocol says, but for what a case changes.
fn process(validated: &str, opened: &str, read: &str, flushed: &str) -> LocalProcess {
    let script = format!(
        r#"while read -r line; do case "$line" in
            '{{"spec"'*) echo '{{"spec":{{"protocol":3032023}}}}';;
            '{{"validate"'*) {validated};;
            '{{"open"'*) {opened};;
            '{{"read"'*) {read};;
            '{{"flush"'*) {flushed};;
            '{{"startCommit"'*) echo '{{"startedCommit":{{}}}}';;
        esac; done"#
    );
    LocalProcess {
        command: ["sh", "-c", &script].map(str::to_owned).to_vec(),
        config: Config::Plain(json!({})),
        env: std::collections::BTreeMap::new(),
        directory: String::new(),
    }
}

#[test]
fn a_process_that_does_not_keep_to_the_protocol_stops_its_task() {
    const VALIDATED: &str = r#"echo '{"validated":{"transforms":[{}]}}'"#;
    const OPENED: &str = r#"echo '{"opened":{}}'"#;
    const READ: &str = r#"echo '{"published":{"doc":{"id":1}}}'"#;
    const FLUSHED: &str = r#"echo '{"flushed":{}}'"#;
    let endless = r#"yes "$(printf '{"published":{"doc":{"id":1,"pad":"%0100000d"}}}' 0)""#;
    let cases = [
        (
            process("echo '{\"validated\":{}}'", OPENED, READ, FLUSHED),
            "validated 0 transforms of 1",
        ),
        (process(VALIDATED, "echo nonsense", READ, FLUSHED), "not expected: nonsense"),
        (process(VALIDATED, "exit 7", READ, FLUSHED), "ended with exit code 7"),
        (
            process(VALIDATED, OPENED, "echo '{\"flushed\":{}}'", FLUSHED),
            "not expected: {\"flushed\":{}}",
        ),
        (process(VALIDATED, OPENED, READ, "echo gone >&2; exit 1"), "ended with exit code 1: gone"),
        (process(VALIDATED, OPENED, READ, endless), "publishes more than 256 MiB at once"),
        (process(VALIDATED, endless, READ, FLUSHED), "not expected: {\"published\""),
        (process(VALIDATED, OPENED, endless, FLUSHED), "publishes more than 256 MiB at once"),
    ];
    let numbers = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
    for (process, message) in cases {
        let data = tempfile::tempdir().unwrap();
        let mut derived =
            derivation("a/seen", &[], vec![transform("fromNumbers", "a/numbers", "")]);
        if let Task::Derivation(derivation) = &mut derived {
            derivation.process = Some(process);
        }
        let bundle = bundle(
            vec![
                collection("a/numbers", "/id", numbers.clone()),
                collection("a/seen", "/id", numbers.clone()),
            ],
            vec![capture("a/source", "a/numbers"), derived],
        );
        let mut request = request(bundle, &data.path().join("data"));
        request.root = data.path().to_owned();
        let doubles = Doubles::of((0..5).map(|id| json!({ "id": id })));
        let failure = match go(&request, &doubles) {
            Ok(reports) => reports[1].failed.clone().expect("the derivation stops"),
            Err(failure) => failure,
        };
        assert_eq!(failure.kind, FailureKind::ProcessFailed, "{failure:?}");
        assert!(failure.message.contains(message), "{message}: {}", failure.message);
    }
}

#[test]
fn a_migration_runs_once_and_must_not_change() {
    let data = tempfile::tempdir().unwrap();
    let numbers = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
    let catalog = |migrations: &[&str]| {
        let lambda = "INSERT INTO seen VALUES ($id) RETURNING id;";
        bundle(
            vec![
                collection("a/numbers", "/id", numbers.clone()),
                collection("a/seen", "/id", numbers.clone()),
            ],
            vec![
                capture("a/source", "a/numbers"),
                derivation(
                    "a/seen",
                    migrations,
                    vec![transform("fromNumbers", "a/numbers", lambda)],
                ),
            ],
        )
    };
    let first = "CREATE TABLE seen (id INTEGER);";
    let doubles = Doubles::of((0..5).map(|id| json!({ "id": id })));
    let run = |migrations: &[&str]| go(&request(catalog(migrations), data.path()), &doubles);
    for migrations in [&[first][..], &[first], &[first, "CREATE INDEX by_id ON seen (id);"]] {
        let reports = run(migrations).unwrap();
        assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    }
    let reports = run(&["CREATE TABLE seen (id);"]).unwrap();
    let failure = reports[1].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::MigrationChanged);
    assert!(failure.notes.iter().any(|note| note.contains(first)));
    let mut restarted = request(catalog(&["CREATE TABLE seen (id);"]), data.path());
    restarted.restart = BTreeSet::from(["a/seen".to_owned()]);
    let reports = go(&restarted, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    assert_eq!(reports[1].documents_in, 5);
}

#[test]
fn a_data_directory_in_use_is_an_error_of_the_whole_run() {
    let data = tempfile::tempdir().unwrap();
    let _held = crate::store::DataDirectory::open(data.path(), Durability::Off).unwrap();
    let failure = go(&request(bank(), data.path()), &Doubles::default()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::DataDirectoryLocked);
}

#[test]
fn a_bug_in_a_task_ends_the_run() {
    let data = tempfile::tempdir().unwrap();
    let mut request = request(bank(), data.path());
    request.until_idle = false;
    let doubles = Doubles::of((0..40).map(transfer));
    doubles.arrange(10, Some(Trouble::Bug(20)));
    let run = std::panic::AssertUnwindSafe(|| go(&request, &doubles));
    assert!(std::panic::catch_unwind(run).is_err());
}
