//! The order in which a task reads several sources, by fixtures with a simulated clock.

use super::*;

/// Two sources and a derivation that numbers what it reads; the second source is read with a delay and a priority.
fn numbered(delay_ms: u64, priority: i32) -> Bundle {
    let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
    let numbered = json!({
        "type": "object",
        "properties": { "turn": { "type": "integer" }, "name": { "type": "string" } },
        "required": ["turn", "name"],
    });
    let lambda = "INSERT INTO turns (name) VALUES ($name) RETURNING turn, name;";
    let mut late = transform("fromLate", "a/late", lambda);
    late.read_delay_ms = delay_ms;
    late.priority = priority;
    bundle(
        vec![
            collection("a/early", "/name", schema.clone()),
            collection("a/late", "/name", schema),
            collection("a/numbered", "/turn", numbered),
        ],
        vec![derivation(
            "a/numbered",
            &["CREATE TABLE turns (turn INTEGER PRIMARY KEY, name TEXT);"],
            vec![transform("fromEarly", "a/early", lambda), late],
        )],
    )
}

fn turns(bundle: Bundle, fixture: &str) -> Vec<String> {
    let data = tempfile::tempdir().unwrap();
    let mut request = request(bundle, data.path());
    request.fixture = Some(fixture.into());
    let reports = go(&request, &Doubles::default()).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    let documents = documents(&request, "a/numbered", true);
    documents.iter().map(|document| document["name"].as_str().unwrap().to_owned()).collect()
}

const FIXTURE: &str = r#"
["a/late", {"name": "l0"}, "2024-07-01T10:00:00Z"]
["a/early", {"name": "e1"}, "2024-07-01T10:00:01Z"]
["a/late", {"name": "l2"}, "2024-07-01T10:00:02Z"]
["a/early", {"name": "e3"}, "2024-07-01T10:00:03Z"]
["a/early", {"name": "e9"}, "2024-07-01T10:00:09Z"]
"#;

#[test]
fn documents_come_in_order_of_publication() {
    assert_eq!(turns(numbered(0, 0), FIXTURE), ["l0", "e1", "l2", "e3", "e9"]);
}

#[test]
fn a_read_delay_moves_documents_behind_those_of_others() {
    assert_eq!(turns(numbered(2500, 0), FIXTURE), ["e1", "l0", "e3", "l2", "e9"]);
}

#[test]
fn documents_still_delayed_at_the_end_of_a_fixture_are_waited_for() {
    assert_eq!(turns(numbered(86_400_000, 0), FIXTURE), ["e1", "e3", "e9", "l0", "l2"]);
}

#[test]
fn documents_of_one_time_go_by_priority() {
    let fixture = r#"
["a/early", {"name": "e1"}]
["a/early", {"name": "e2"}]
["a/late", {"name": "l1"}]
["a/late", {"name": "l2"}]
"#;
    assert_eq!(turns(numbered(0, 7), fixture), ["l1", "l2", "e1", "e2"]);
}

#[test]
fn times_outside_the_bounds_of_a_source_are_skipped() {
    let mut bundle = numbered(0, 0);
    for task in bundle.tasks.values_mut() {
        if let Task::Derivation(derivation) = task {
            let source = &mut derivation.transforms[0].source;
            source.not_before = Some("2024-07-01T10:00:03Z".to_owned());
            source.not_after = Some("2024-07-01T10:00:08Z".to_owned());
        }
    }
    assert_eq!(turns(bundle, FIXTURE), ["l0", "l2", "e3"]);
}

#[test]
fn a_fixture_is_not_mixed_with_other_data() {
    let data = tempfile::tempdir().unwrap();
    let mut request = request(numbered(0, 0), data.path());
    request.fixture = Some(FIXTURE.into());
    go(&request, &Doubles::default()).unwrap();
    let again = go(&request, &Doubles::default()).unwrap();
    assert!(again.iter().all(|report| report.failed.is_none() && report.documents_in == 0));
    request.fixture = Some(r#"["a/late", {"name": "x"}]"#.into());
    let other = go(&request, &Doubles::default()).unwrap();
    let failures: Vec<_> = other.iter().filter_map(|report| report.failed.as_ref()).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].kind, FailureKind::CheckpointOfOtherData);
}

#[test]
fn a_derivation_may_read_what_it_publishes() {
    let schema = json!({
        "type": "object",
        "properties": { "n": { "type": "integer" } },
        "required": ["n"],
    });
    let lambda = "SELECT $n - 1 AS n WHERE $n > 0;";
    let bundle = bundle(
        vec![collection("a/start", "/n", schema.clone()), collection("a/down", "/n", schema)],
        vec![derivation(
            "a/down",
            &[],
            vec![transform("fromStart", "a/start", lambda), transform("again", "a/down", lambda)],
        )],
    );
    let data = tempfile::tempdir().unwrap();
    let mut request = request(bundle, data.path());
    request.fixture = Some(r#"["a/start", {"n": 5}]"#.into());
    let reports = go(&request, &Doubles::default()).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    let documents = documents(&request, "a/down", true);
    let down: Vec<_> = documents.iter().map(|document| document["n"].as_i64().unwrap()).collect();
    assert_eq!(down, [0, 1, 2, 3, 4]);
}
