//! Catalog tests over small bundles made by hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::path::Path;

use serde_json::{Value, json};
use tidegate_stdlib::bundle::{Collection, Derivation, FailureKind, Task};

use super::*;
use crate::lambdas::ScriptPrograms;

/// The place of line `line` of a file.
fn at(line: u32) -> Value {
    json!(format!("flow.yaml:{line}:1@{}-{}", line * 100, line * 100 + 50))
}

fn collection(name: &str, schema: Value) -> Collection {
    let fields = ["id", "_meta/uuid", "n", "key"];
    let mut projections: Vec<Value> = fields
        .iter()
        .map(|field| json!({"field": field, "pointer": format!("/{field}"), "types": ["string"]}))
        .collect();
    projections.push(json!({"field": "flow_document", "pointer": "", "types": ["object"]}));
    serde_json::from_value(json!({
        "name": name, "key": ["/id"], "write_schema": schema, "projections": projections,
        "fragments": {"codec": "GZIP", "length_bytes": 1, "flush_interval_ms": 1},
        "origin": at(1), "write_schema_origins": {"/properties/n/maximum": at(7)},
    }))
    .unwrap()
}

fn transform(name: &str, source: &str, lambda: &str) -> Value {
    json!({
        "name": name, "source": {"collection": source}, "shuffle": "any",
        "lambda": {"text": lambda, "origin": at(3), "map": [[0, at(3)]]}, "read_only": false,
        "read_delay_ms": 0, "priority": 0, "backfill": 0, "origin": at(2),
    })
}

fn derivation(name: &str, migrations: &[&str], transforms: Vec<Value>) -> Derivation {
    let migrations: Vec<Value> = migrations
        .iter()
        .map(|text| json!({"text": text, "origin": at(4), "map": [[0, at(4)]]}))
        .collect();
    serde_json::from_value(json!({
        "collection": name, "migrations": migrations, "transforms": transforms,
        "transaction_duration_ms_max": 1000, "origin": at(1),
    }))
    .unwrap()
}

fn step(action: &str, collection: &str, documents: Value) -> Value {
    let origins: Vec<Value> = (0..documents.as_array().unwrap().len()).map(|_| at(5)).collect();
    json!({
        "action": action, "collection": collection, "documents": documents,
        "document_origins": origins, "origin": at(6),
    })
}

fn ingest(collection: &str, documents: Value) -> Value {
    step("ingest", collection, documents)
}

fn verify(collection: &str, documents: Value) -> Value {
    step("verify", collection, documents)
}

/// A catalog: sources are collections of any objects, the other ones are derived.
fn bundle(collections: Vec<Collection>, derivations: Vec<Derivation>) -> Bundle {
    let mut bundle = Bundle::default();
    for collection in collections {
        bundle.collections.insert(collection.name.clone(), collection);
    }
    for derivation in derivations {
        let task = Task::Derivation(derivation);
        bundle.tasks.insert(task.name(), task);
    }
    bundle
}

fn add_test(bundle: &mut Bundle, name: &str, steps: Vec<Value>) {
    let test: Test =
        serde_json::from_value(json!({"name": name, "steps": steps, "origin": at(8)})).unwrap();
    bundle.tests.insert(name.to_owned(), test);
}

/// The outcome of one case.
fn run(mut bundle: Bundle, steps: Vec<Value>) -> TestOutcome {
    add_test(&mut bundle, "t", steps);
    run_tests(&bundle, Path::new(""), &ScriptPrograms::default(), "").unwrap().outcomes.remove(0)
}

fn passes(bundle: Bundle, steps: Vec<Value>) {
    let outcome = run(bundle, steps);
    assert_eq!(outcome.status, TestStatus::Passed, "{outcome:#?}");
}

fn sums() -> Value {
    json!({
        "type": "object", "reduce": {"strategy": "merge"},
        "properties": {"n": {"type": "integer", "reduce": {"strategy": "sum"}}},
    })
}

fn any() -> Value {
    json!({"type": "object"})
}

#[test]
fn documents_flow_through_derivations() {
    let doubled = derivation("b", &[], vec![transform("t", "a", "SELECT $id AS id, 2 * $n AS n")]);
    let summed = derivation("c", &[], vec![transform("t", "b", "SELECT $n > 4 AS id, $n AS n")]);
    let collections = vec![collection("a", any()), collection("b", any()), collection("c", sums())];
    passes(
        bundle(collections, vec![doubled, summed]),
        vec![
            verify("c", json!([])),
            ingest("a", json!([{"id": 1, "n": 1}, {"id": 2, "n": 2}])),
            ingest("a", json!([{"id": 3, "n": 5}])),
            verify("b", json!([{"id": 1, "n": 2}, {"id": 2, "n": 4}, {"n": 10}])),
            verify("c", json!([{"id": 0, "n": 6}, {"id": 1, "n": 10.0}])),
        ],
    );
}

#[test]
fn every_case_begins_anew() {
    let counted = derivation(
        "b",
        &["CREATE TABLE t(n); INSERT INTO t VALUES(0);"],
        vec![transform("t", "a", "UPDATE t SET n = n + 1; SELECT $id AS id, n FROM t")],
    );
    let mut bundle = bundle(vec![collection("a", any()), collection("b", any())], vec![counted]);
    for name in ["x/2", "x/1", "y"] {
        let steps = vec![
            ingest("a", json!([{"id": 1}, {"id": 2}])),
            verify("b", json!([{"id": 1, "n": 1}, {"id": 2, "n": 2}])),
        ];
        add_test(&mut bundle, name, steps);
    }
    let outcomes =
        run_tests(&bundle, Path::new(""), &ScriptPrograms::default(), "x/").unwrap().outcomes;
    let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.name.as_str()).collect();
    assert_eq!(names, ["x/1", "x/2"]);
    assert!(outcomes.iter().all(|outcome| outcome.status == TestStatus::Passed), "{outcomes:#?}");
}

#[test]
fn delayed_reads_wait_until_a_verify_needs_them() {
    let mut late = transform("late", "a", "SELECT 'late' AS id, count(*) AS n FROM seen");
    late["read_delay_ms"] = json!(3_600_000);
    let early = transform("early", "a", "INSERT INTO seen VALUES($id)");
    let delayed = derivation("b", &["CREATE TABLE seen(id);"], vec![late, early]);
    let other = derivation("c", &[], vec![transform("t", "a", "SELECT $id AS id")]);
    let collections = ["a", "b", "c"].map(|name| collection(name, any()));
    passes(
        bundle(collections.to_vec(), vec![delayed, other]),
        vec![
            ingest("a", json!([{"id": 1}])),
            verify("c", json!([{"id": 1}])),
            ingest("a", json!([{"id": 2}])),
            verify("b", json!([{"id": "late", "n": 2}])),
        ],
    );
}

#[test]
fn transforms_of_one_source_read_it_each() {
    let mut first = transform("first", "a", "INSERT INTO seen VALUES('first' || $id)");
    first["priority"] = json!(1);
    let second = transform("second", "a", "SELECT $id AS id, group_concat(x) AS n FROM seen");
    let both = derivation("b", &["CREATE TABLE seen(x);"], vec![second, first]);
    let collections = vec![collection("a", any()), collection("b", any())];
    passes(
        bundle(collections, vec![both]),
        vec![
            ingest("a", json!([{"id": 1}, {"id": 2}])),
            verify("b", json!([{"id": 1, "n": "first1,first2"}, {"id": 2, "n": "first1,first2"}])),
        ],
    );
}

#[test]
fn a_derivation_may_read_itself() {
    let steps = transform("down", "b", "SELECT $id AS id, $n - 1 AS n WHERE $n > 0");
    let start = transform("start", "a", "SELECT $id AS id, $n AS n");
    let down = derivation("b", &[], vec![steps, start]);
    let schema = json!({
        "type": "object", "reduce": {"strategy": "merge"},
        "properties": {"n": {"reduce": {"strategy": "minimize"}}},
    });
    let collections = vec![collection("a", any()), collection("b", schema)];
    passes(
        bundle(collections, vec![down]),
        vec![ingest("a", json!([{"id": "x", "n": 40}])), verify("b", json!([{"id": "x", "n": 0}]))],
    );
}

#[test]
fn derivations_without_rest_are_stopped() {
    let forever = derivation("b", &[], vec![transform("t", "b", "SELECT $id AS id")]);
    let outcome = run(
        bundle(vec![collection("b", any())], vec![forever]),
        vec![ingest("b", json!([{"id": 1}])), verify("b", json!([]))],
    );
    assert_eq!(outcome.status, TestStatus::Error);
    assert_eq!(outcome.error.unwrap().kind, FailureKind::LimitExceeded);
}

#[test]
fn selectors_choose_partitions() {
    let mut source = collection("a", any());
    source.projections[3].partition = true;
    let mut selected = transform("t", "a", "SELECT $id AS id");
    selected["source"]["partitions"] = json!({"exclude": {"key": ["y"]}});
    let derived = derivation("b", &[], vec![selected]);
    let mut of_x = verify("a", json!([{"id": 1}]));
    of_x["partitions"] = json!({"include": {"key": ["x"]}});
    passes(
        bundle(vec![source, collection("b", any())], vec![derived]),
        vec![
            ingest(
                "a",
                json!([{"id": 1, "key": "x"}, {"id": 2, "key": "y"}, {"id": 3, "key": null}]),
            ),
            of_x,
            verify("b", json!([{"id": 1}, {"id": 3}])),
        ],
    );
}

#[test]
fn the_clock_begins_where_a_transform_begins_to_read() {
    let mut bounded = transform("t", "a", "SELECT $id AS id, $_meta$uuid AS n");
    let derive = |bounded: &Value| {
        let derived = derivation("b", &[], vec![bounded.clone()]);
        let collections = vec![collection("a", any()), collection("b", any())];
        run(
            bundle(collections, vec![derived]),
            vec![ingest("a", json!([{"id": 1}])), verify("b", json!([{"id": 1, "n": "?"}]))],
        )
    };
    let published = |outcome: TestOutcome| {
        let uuid = outcome.failures[0].differences[0].actual.clone().unwrap();
        crate::uuid::parse(uuid.as_str().unwrap()).unwrap().clock
    };
    let time = |text| crate::shuffle::parse_time(text).unwrap();
    assert_eq!(published(derive(&bounded)), time("2024-01-01T00:00:00Z"));
    bounded["source"]["not_before"] = json!("2030-01-01T00:00:00Z");
    assert_eq!(published(derive(&bounded)), time("2030-01-01T00:00:00Z"));
}

#[test]
fn differences_are_told_by_key() {
    let outcome = run(
        bundle(vec![collection("a", any())], Vec::new()),
        vec![
            ingest(
                "a",
                json!([
                    {"id": 1, "n": 1, "more": true}, {"id": 2, "n": [1, {"x/y": 2}]}, {"id": 4},
                ]),
            ),
            verify(
                "a",
                json!([
                    {"id": 2, "n": [1, {"x/y": 3}], "key": null}, {"id": 3}, {"id": 4},
                ]),
            ),
        ],
    );
    assert_eq!(outcome.status, TestStatus::Failed);
    let failure = &outcome.failures[0];
    assert_eq!((failure.step, failure.message.as_str()), (1, "1 changed, 1 missing, 1 extra"));
    let place = Some("flow.yaml:5:1@500-550");
    assert_eq!(
        serde_json::to_value(&failure.differences).unwrap(),
        json!([
            {"key": [1], "kind": "extra", "pointer": "", "expected": null,
             "actual": {"id": 1, "n": 1, "more": true}, "origin": null},
            {"key": [2], "kind": "changed", "pointer": "/key", "expected": null,
             "actual": null, "origin": place},
            {"key": [2], "kind": "changed", "pointer": "/n/1/x~1y", "expected": 3, "actual": 2,
             "origin": place},
            {"key": [3], "kind": "missing", "pointer": "", "expected": {"id": 3}, "actual": null,
             "origin": place},
        ])
    );
}

#[test]
fn expected_documents_may_leave_out_much() {
    let source = || bundle(vec![collection("a", any())], Vec::new());
    let written = ingest("a", json!([{"id": 1, "n": 1.0, "x": [{"y": 1, "z": 2}]}, {"id": 2}]));
    passes(
        source(),
        vec![
            written.clone(),
            verify("a", json!([{"n": 1, "x": [{"z": 2}]}, {"_meta": {"uuid": "flow-uuid"}}])),
        ],
    );
    for expected in [
        json!([{"id": 1}]),
        json!([{"id": 1, "x": []}, {}]),
        json!([{"id": 1}, {"id": 2, "n": null}]),
        json!([{"id": 1}, {"id": 2, "_meta": {"uuid": "another"}}]),
        json!([{"id": 2}, {"id": 1}]),
        json!([{"id": 1}, {"id": 1}]),
        json!([{}, {}, {}]),
    ] {
        let outcome = run(source(), vec![written.clone(), verify("a", expected.clone())]);
        assert_eq!(outcome.status, TestStatus::Failed, "{expected}");
    }
}

#[test]
fn a_deleted_document_is_not_there() {
    let schema = json!({
        "type": "object", "reduce": {"strategy": "merge"},
        "if": {"required": ["gone"]}, "then": {"reduce": {"strategy": "merge", "delete": true}},
        "else": {"reduce": {"strategy": "merge"}},
    });
    let schema = json!({"type": "object", "allOf": [{
        "if": schema["if"], "then": schema["then"], "else": schema["else"],
    }]});
    passes(
        bundle(vec![collection("a", schema)], Vec::new()),
        vec![
            ingest("a", json!([{"id": 1}, {"id": 2}])),
            ingest("a", json!([{"id": 1, "gone": true}])),
            verify("a", json!([{"id": 2}])),
        ],
    );
}

#[test]
fn a_lambda_that_fails_stops_the_case_at_its_token() {
    let failing = transform("t", "a", "SELECT $id AS id;\nSELECT json($n) AS n, $id AS id");
    let derived = derivation("b", &[], vec![failing]);
    let collections = vec![collection("a", any()), collection("b", any())];
    let outcome = run(
        bundle(collections, vec![derived]),
        vec![ingest("a", json!([{"id": 1, "n": "{"}])), verify("b", json!([]))],
    );
    assert_eq!(outcome.status, TestStatus::Error);
    let failure = outcome.error.unwrap();
    assert_eq!(failure.kind, FailureKind::LambdaFailed);
    assert_eq!(failure.message, "SQLite refuses the statement: malformed JSON");
    let origin = failure.origin.unwrap();
    assert_eq!((origin.line, origin.column), (4, 1));
    assert_eq!(failure.document.unwrap()["id"], 1);
    assert_eq!(failure.task.unwrap().to_string(), "derivation b");
}

#[test]
fn a_document_against_its_schema_stops_the_case_at_the_keyword() {
    let schema = json!({"type": "object", "properties": {"n": {"maximum": 5}}});
    let derived = derivation("b", &[], vec![transform("t", "a", "SELECT $id AS id, $n + 1 AS n")]);
    let collections = vec![collection("a", any()), collection("b", schema)];
    let outcome =
        run(bundle(collections, vec![derived]), vec![ingest("a", json!([{"id": 1, "n": 5}]))]);
    let failure = outcome.error.unwrap();
    assert_eq!(failure.kind, FailureKind::DocumentViolatesSchema);
    assert_eq!(failure.origin.unwrap().line, 7);
    assert_eq!(failure.pointer.as_deref(), Some("/n"));
    assert_eq!(failure.document, Some(json!({"id": 1, "n": 6})));
}

#[test]
fn readers_apply_the_read_schema() {
    let mut source = collection("a", any());
    source.read_schema = Some(json!({"type": "object", "properties": {"n": {"maximum": 5}}}));
    let derived = derivation("b", &[], vec![transform("t", "a", "SELECT $id AS id")]);
    let collections = vec![source, collection("b", any())];
    let outcome =
        run(bundle(collections, vec![derived]), vec![ingest("a", json!([{"id": 1, "n": 6}]))]);
    let failure = outcome.error.unwrap();
    assert_eq!(failure.kind, FailureKind::DocumentViolatesSchema);
    assert!(failure.notes.contains(&"it was read by transform `t`".to_owned()), "{failure:?}");
}

/// A derivation whose module forgets with these statements.
fn forgetting(statements: &str) -> Bundle {
    let text = format!(
        "export class Derivation {{ t(read) {{ return [{{id: read.doc.id}}]; }} flush() {{ return []; }} async reset() {{ {statements} }} }}"
    );
    let mut derived = derivation("b", &[], vec![transform("t", "a", "")]);
    derived.module = serde_json::from_value(json!({
        "entry": "b.ts",
        "files": {"b.ts": {"script": {"text": text, "origin": at(3), "map": [[0, at(3)]]}, "imports": {}}},
    }))
    .unwrap();
    bundle(vec![collection("a", any()), collection("b", any())], vec![derived])
}

#[test]
fn a_module_is_reset_when_its_case_has_ended() {
    let steps = || vec![ingest("a", json!([{"id": 1}])), verify("b", json!([{"id": 1}]))];
    let outcome = run(forgetting("console.log('forgotten');"), steps());
    assert_eq!(outcome.status, TestStatus::Passed, "{outcome:#?}");
    let lines: Vec<_> = outcome.log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["forgotten"]);
    let failure = run(forgetting("throw new Error('it forgets nothing');"), steps()).error.unwrap();
    assert!(failure.message.contains("it forgets nothing"), "{failure:?}");
    assert_eq!(failure.notes.last().unwrap(), "it was called at the end of a test");
}

#[test]
fn a_migration_that_fails_stops_the_case() {
    let derived = derivation(
        "b",
        &["CREATE TABLE t(a);\nCREATE TABLE t(a);"],
        vec![transform("t", "a", "SELECT 1 AS id")],
    );
    let collections = vec![collection("a", any()), collection("b", any())];
    let outcome = run(bundle(collections, vec![derived]), vec![ingest("a", json!([{"id": 1}]))]);
    let failure = outcome.error.unwrap();
    assert_eq!(failure.kind, FailureKind::MigrationFailed);
    assert_eq!(failure.origin.map(|origin| (origin.line, origin.column)), Some((5, 14)));
}
