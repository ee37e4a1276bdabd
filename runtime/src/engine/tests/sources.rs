//! What a reader takes in: documents of earlier runs, partitions, schemas of its own.

use tidegate_stdlib::bundle::{Projection, Selector};

use super::*;

/// The bank with another schema of transfers.
fn bank_with(keyword: &str, value: Value) -> Arc<Bundle> {
    let mut bundle = bank();
    let transfers = bundle.collections.get_mut("bank/transfers").unwrap();
    transfers.write_schema["properties"]["id"][keyword] = value;
    Arc::new(bundle)
}

#[test]
fn documents_of_an_earlier_run_are_validated_when_their_schema_has_changed() {
    let data = tempfile::tempdir().unwrap();
    let mut request = request(bank(), data.path());
    let doubles = Doubles::of((0..60).map(transfer));
    request.only = BTreeSet::from(["bank/source".to_owned()]);
    go(&request, &doubles).unwrap();
    request.only.clear();
    request.bundle = bank_with("maximum", json!(30));
    let reports = go(&request, &doubles).unwrap();
    let failure = reports[1].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::DocumentViolatesSchema);
    assert_eq!(failure.document.as_ref().unwrap()["id"], json!(31));
    // Without their UUID, which is none of the schema's business.
    request.bundle = bank_with("maximum", json!(60));
    let reports = go(&request, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    assert_eq!(reports[1].documents_in, 60);
    assert_eq!(doubles.rows(), balances_after(60));
}

#[test]
fn a_stricter_read_schema_stops_the_reader_and_not_the_writer() {
    let data = tempfile::tempdir().unwrap();
    let mut bundle = bank();
    let transfers = bundle.collections.get_mut("bank/transfers").unwrap();
    let mut stricter = transfers.write_schema.clone();
    stricter["properties"]["id"]["maximum"] = json!(30);
    transfers.read_schema = Some(stricter);
    let mut strict = request(bundle, data.path());
    let doubles = Doubles::of((0..60).map(transfer));
    let reports = go(&strict, &doubles).unwrap();
    assert!(reports[0].failed.is_none());
    let failure = reports[1].failed.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::DocumentViolatesSchema);
    assert_eq!(failure.document.as_ref().unwrap()["id"], json!(31));
    assert_eq!(documents(&strict, "bank/transfers", false).len(), 60);
    assert!(balances(&strict).is_empty());

    strict.bundle = Arc::new(bank());
    let reports = go(&strict, &doubles).unwrap();
    assert!(reports.iter().all(|report| report.failed.is_none()), "{reports:?}");
    assert_eq!(balances(&strict), balances_after(60));
}

fn partition(field: &str) -> Projection {
    Projection {
        field: field.to_owned(),
        pointer: format!("/{field}"),
        explicit: true,
        partition: true,
        types: vec!["string".to_owned()],
        required: true,
        format: None,
        content_encoding: None,
        default: None,
        title: None,
        description: None,
    }
}

#[test]
fn only_the_selected_partitions_are_read() {
    let schema = json!({
        "type": "object",
        "properties": { "id": { "type": "integer" }, "region": { "type": "string" } },
        "required": ["id", "region"],
    });
    let mut all = collection("a/all", "/id", schema.clone());
    all.projections.push(partition("region"));
    let mut some = transform("some", "a/all", "SELECT $id AS id, $region AS region;");
    some.source.partitions = Some(Selector {
        include: [("region".to_owned(), vec![json!("eu"), json!("us")])].into(),
        exclude: [("region".to_owned(), vec![json!("us")])].into(),
    });
    let bundle = bundle(
        vec![all, collection("a/some", "/id", schema)],
        vec![capture("a/source", "a/all"), derivation("a/some", &[], vec![some])],
    );
    let regions = ["eu", "us", "asia"];
    let data = tempfile::tempdir().unwrap();
    let request = request(bundle, data.path());
    let region = |id: usize| json!({ "id": id, "region": regions[id % 3] });
    let reports = go(&request, &Doubles::of((0..30).map(region))).unwrap();
    assert_eq!(reports[1].documents_in, 10);
    let some = documents(&request, "a/some", true);
    let ids: Vec<_> = some.iter().map(|document| document["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..30).step_by(3).collect::<Vec<_>>());
}
