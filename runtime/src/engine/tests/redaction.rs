//! What must not be published as it is, read back from the store.

use super::*;

/// SHA-256 of the salt `salt` and `ann`.
const ANN: &str = "sha256:43e65e7f7ea7c28977d9a35c20b581e4ef68c04bb062306cce46e9b51a88910a";
/// The salt `salt` in base64.
const SALT: &str = "c2FsdA==";

/// People captured without their cards and names, and their visits counted by name.
fn visits() -> Bundle {
    let people = json!({
        "type": "object",
        "properties": {
            "id": { "type": "integer" },
            "name": { "type": "string", "redact": { "strategy": "sha256" } },
            "card": { "type": "string", "redact": { "strategy": "block" } },
            "notes": { "type": "array", "items": { "type": "string", "redact": { "strategy": "block" } } },
            "seen": { "type": "integer", "reduce": { "strategy": "sum" } },
        },
        "required": ["id", "name"],
        "reduce": { "strategy": "merge" },
    });
    let visits = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "again": { "type": "string", "redact": { "strategy": "sha256" } },
            "visits": { "type": "integer", "reduce": { "strategy": "sum" } },
        },
        "required": ["name", "visits"],
        "reduce": { "strategy": "merge" },
    });
    let lambda = "SELECT $name AS name, $name AS again, 1 AS visits;";
    let mut capture = capture("door/feed", "door/people");
    if let Task::Capture(capture) = &mut capture {
        capture.redact_salt = Some(SALT.to_owned());
    }
    bundle(
        vec![collection("door/people", "/id", people), collection("door/visits", "/name", visits)],
        vec![
            capture,
            derivation("door/visits", &[], vec![transform("fromPeople", "door/people", lambda)]),
        ],
    )
}

#[test]
fn nothing_that_is_redacted_is_read_back() {
    let data = tempfile::tempdir().unwrap();
    let request = request(visits(), data.path());
    let person =
        |seen: i64| json!({"id": 1, "name": "ann", "card": "4711", "notes": ["a"], "seen": seen});
    let doubles = Doubles::of([person(1), person(2)].into_iter());
    go(&request, &doubles).unwrap();
    doubles.extend([person(4)].into_iter());
    let reports = go(&request, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");

    let stored = documents(&request, "door/people", false);
    assert!(stored.len() > 1, "{stored:?}");
    assert!(stored.iter().all(|document| document["name"] == ANN));
    assert!(stored.iter().all(|document| document.get("card").is_none()));
    assert!(stored.iter().all(|document| document["notes"] == json!([])));
    let reduced = json!({"id": 1, "name": ANN, "notes": [], "seen": 7});
    assert_eq!(documents(&request, "door/people", true), [reduced]);

    // The derivation has seen the digest only, and a digest is no longer redacted.
    let visits = documents(&request, "door/visits", true);
    assert_eq!(visits.len(), 1);
    assert_eq!((&visits[0]["name"], &visits[0]["again"]), (&json!(ANN), &json!(ANN)));
    assert!(visits[0]["visits"].as_i64().unwrap() > 1);
}
