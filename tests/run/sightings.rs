//! The sightings: hive paths, and fragments that any tool can read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use serde_json::Value;

use super::workspace::{Workspace, documents, files_below};

pub(super) fn fragments_are_clean_json_lines() {
    let workspace = Workspace::new("sightings");
    workspace.run_until_idle();
    let collections = workspace.path("tidegate-data/collections");
    let fragments: Vec<String> = files_below(&collections)
        .into_iter()
        .filter(|path| path.starts_with("animals/sightings/"))
        .collect();
    let text = fs::read_to_string(workspace.path("sightings.jsonl")).expect("it is there");
    let mut expected: BTreeMap<String, Value> = documents(&text).into_iter().map(by_id).collect();
    let partitions: std::collections::BTreeSet<String> = expected.values().map(partition).collect();
    assert_eq!(fragments.len(), partitions.len(), "one fragment a partition: {fragments:?}");

    for path in &fragments {
        let raw = fs::read(collections.join(path)).expect("it was listed");
        let mut lines = String::new();
        flate2::read::MultiGzDecoder::new(raw.as_slice())
            .read_to_string(&mut lines)
            .expect("it is gzip and UTF-8");
        assert_name(path, lines.len());
        assert!(lines.ends_with('\n'), "{path} ends with a whole line");
        for line in lines.lines() {
            let mut document: Value = serde_json::from_str(line).expect("each line is JSON");
            assert_eq!(document.to_string(), line, "compact, with its properties sorted");
            assert!(path.starts_with(&partition(&document)), "{line} is in {path}");
            let stamp = document.as_object_mut().expect("it is an object").remove("_meta");
            assert!(stamp.is_some_and(|meta| meta["uuid"].is_string()), "it is stamped");
            let (id, document) = by_id(document);
            assert_eq!(expected.remove(&id), Some(document), "each is there exactly once");
        }
    }
    assert_eq!(expected.len(), 0, "all are there");

    let selected = workspace.read("animals/sightings", &["--partition", "genus=Felis"]);
    assert!(!selected.is_empty() && selected.iter().all(|document| document["genus"] == "Felis"));
    let cats = workspace.read("animals/cats", &[]);
    assert_eq!(cats.len(), selected.len(), "one document per sighting of a cat");
}

fn by_id(document: Value) -> (String, Value) {
    (document["id"].as_str().expect("it has an id").to_owned(), document)
}

fn partition(document: &Value) -> String {
    let text = |field: &str| document[field].as_str().expect("it is a text").to_owned();
    let (genus, species) = (text("genus"), text("species"));
    format!("animals/sightings/genus={genus}/species={species}/pivot=00/")
}

/// `…/utc_date=YYYY-MM-DD/utc_hour=HH/<begin>-<end>-<sha1>.gz`, its offsets agreeing with its length.
fn assert_name(path: &str, length: usize) {
    let parts: Vec<&str> = path.rsplitn(4, '/').collect();
    let [name, hour, date, _] = parts.as_slice() else { panic!("{path} is too short") };
    let digits = |text: &str| text.chars().all(|character| character.is_ascii_digit());
    assert!(
        hour.strip_prefix("utc_hour=").is_some_and(|hour| hour.len() == 2 && digits(hour)),
        "{path}"
    );
    assert!(
        date.strip_prefix("utc_date=").is_some_and(|date| digits(&date.replace('-', ""))),
        "{path}"
    );
    let name = name.strip_suffix(".gz").expect("it is a gzip file");
    let fields: Vec<&str> = name.split('-').collect();
    let [begin, end, digest] = fields.as_slice() else { panic!("{path} has another name") };
    assert_eq!((begin.len(), end.len(), digest.len()), (16, 16, 40), "{path}");
    let offset = |text: &str| usize::from_str_radix(text, 16).expect("offsets are hexadecimal");
    assert_eq!(offset(end) - offset(begin), length, "{path}");
}
