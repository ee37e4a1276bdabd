//! Files of every format: resuming in the middle, appended and replaced files, broken ones.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::json;
use tidegate_stdlib::bundle::{Origin, Projection};

use super::*;

/// A directory of files and what a run recorded about them.
struct Setup {
    directory: tempfile::TempDir,
    config: Value,
    stream: Option<&'static str>,
    collection: Collection,
    state: RefCell<Option<Value>>,
}

fn setup(config: Value) -> Setup {
    let collection = Collection::new("things", &["/id"], json!({ "type": "object" }));
    let directory = tempfile::tempdir().unwrap();
    Setup { directory, config, stream: None, collection, state: RefCell::new(None) }
}

impl Setup {
    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn append(&self, name: &str, text: &str) {
        let path = self.directory.path().join(name);
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn open(&self) -> Result<Box<dyn Source>, Failure> {
        let resource = match self.stream {
            None => json!({}),
            Some(stream) => json!({ "stream": stream }),
        };
        let binding = CaptureBinding {
            resource,
            resource_path: vec!["all".to_owned()],
            collection: "things".to_owned(),
            backfill: 0,
            origin: Origin::default(),
        };
        let opening = Opening {
            root: self.directory.path(),
            data: Path::new("/nowhere"),
            collections: &[&self.collection],
        };
        open(&self.config, &[binding], opening, &|_| Ok(self.state.borrow().clone()))
    }

    /// One batch, its states recorded as if it were committed.
    fn pull(&self, source: &mut dyn Source, max: usize) -> Result<Vec<Value>, Failure> {
        let mut pulled = Pulled::default();
        Ok(match source.pull(max, &mut pulled)? {
            Pull::Batch { states, .. } => {
                for (key, state) in states {
                    assert_eq!(key, "all.v0");
                    *self.state.borrow_mut() = Some(state);
                }
                pulled.iter().map(|(_, document)| document.to_value()).collect()
            }
            Pull::Waiting | Pull::Drained => Vec::new(),
        })
    }

    /// Everything that is new since the last run.
    fn run(&self) -> Result<Vec<Value>, Failure> {
        let mut source = self.open()?;
        let mut all = Vec::new();
        loop {
            let batch = self.pull(&mut *source, 2)?;
            if batch.is_empty()
                && !matches!(source.pull(2, &mut Pulled::default())?, Pull::Batch { .. })
            {
                return Ok(all);
            }
            all.extend(batch);
        }
    }

    fn project(&mut self, field: &str, types: &[&str], required: bool) {
        self.collection.projections.push(Projection {
            field: field.to_owned(),
            pointer: format!("/{field}"),
            explicit: false,
            partition: false,
            types: types.iter().map(|&word| word.to_owned()).collect(),
            required,
            format: None,
            content_encoding: None,
            default: None,
            title: None,
            description: None,
        });
    }
}

fn ids(documents: &[Value]) -> Vec<i64> {
    documents.iter().map(|document| document["id"].as_i64().unwrap()).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const LINES: &str = "{\"id\":1}\n\n{\"id\":2}\r\n{\"id\":3}\n{\"id\":4}\n";

#[test]
fn lines_are_read_once() {
    let setup = setup(json!({ "path": "." }));
    setup.write("a.jsonl", format!("\u{feff}{LINES}{{\"id\":5}}"));
    assert_eq!(ids(&setup.run().unwrap()), [1, 2, 3, 4, 5]);
    assert!(setup.run().unwrap().is_empty());
}

#[test]
fn a_killed_run_resumes_in_the_middle_of_every_format() {
    let array = "[ {\"id\":1},{\"id\":2} , {\"id\":3},\n{\"id\":4}]";
    let features = r#"{"type":"FeatureCollection","metadata":{"features":[9,"]"]},
        "features":[{"id":1},{"id":2},{"id":3},{"id":4}],"bbox":[1,2]}"#;
    let rows = "id,name\n1,a\n2,\"b\nb\"\n\n3,c\n4,d\n";
    let files: [(&str, Vec<u8>); 7] = [
        ("a.jsonl", LINES.into()),
        ("a.ndjson.gz", [gzip(&LINES[..12]), gzip(&LINES[12..])].concat()),
        ("a.jsonl.zst", zstd::encode_all(LINES.as_bytes(), 1).unwrap()),
        ("a.json", array.into()),
        ("a.geojson", features.into()),
        ("a.csv", rows.into()),
        ("a.tsv.gz", gzip(&rows.replace(',', "\t"))),
    ];
    for (name, bytes) in files {
        for committed in 0..=2 {
            let mut setup = setup(json!({ "path": name }));
            setup.project("id", &["integer"], true);
            setup.write(name, &bytes);
            let mut source = setup.open().unwrap();
            let mut all: Vec<Value> = Vec::new();
            for _ in 0..committed {
                all.extend(setup.pull(&mut *source, 1).unwrap());
            }
            source.pull(1, &mut Pulled::default()).unwrap();
            drop(source);
            all.extend(setup.run().unwrap());
            assert_eq!(ids(&all), [1, 2, 3, 4], "{name} after {committed} documents");
            assert!(setup.run().unwrap().is_empty(), "{name}");
        }
    }
}

#[test]
fn an_appended_file_is_read_on() {
    let mut setup = setup(json!({ "path": "." }));
    setup.project("id", &["integer"], true);
    setup.write("a.jsonl", "{\"id\":1}\n{\"id\":2}");
    setup.write("b.csv", "id\n3\n");
    assert_eq!(ids(&setup.run().unwrap()), [1, 2, 3]);
    setup.append("a.jsonl", "\n{\"id\":4}\n");
    setup.append("b.csv", "5\n");
    assert_eq!(ids(&setup.run().unwrap()), [4, 5]);
}

#[test]
fn a_replaced_file_is_read_anew() {
    let setup = setup(json!({ "path": "a.jsonl" }));
    setup.write("a.jsonl", LINES);
    assert_eq!(setup.run().unwrap().len(), 4);
    setup.write("a.jsonl", format!("{{\"id\":9}}\n{LINES}"));
    assert_eq!(ids(&setup.run().unwrap()), [9, 1, 2, 3, 4]);
    setup.write("a.jsonl", "{\"id\":7}\n");
    assert_eq!(ids(&setup.run().unwrap()), [7]);
}

#[test]
fn real_files_are_read() {
    let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/documents");
    let mut setup = setup(json!({ "path": documents }));
    setup.stream = Some("*.geojson");
    let quakes = setup.run().unwrap();
    assert_eq!(quakes.len(), 1707);
    assert_eq!(
        (&quakes[0]["id"], &quakes[1706]["type"]),
        (&json!("ci37868143"), &json!("Feature"))
    );

    setup.stream = Some("seattle-*");
    setup.state.take();
    setup.project("precipitation", &["number"], true);
    setup.project("weather", &["string"], true);
    let days = setup.run().unwrap();
    assert_eq!(days.len(), 1461);
    assert_eq!(days[1]["precipitation"], json!(10.9));
    assert_eq!(days[1]["weather"], json!("rain"));
}

#[test]
fn patterns_choose_files() {
    let mut setup = setup(json!({ "path": "in/*/" }));
    for (index, name) in ["in/x/1.jsonl", "in/y/2.jsonl", "in/y/z/3.jsonl"].iter().enumerate() {
        setup.write(name, format!("{{\"id\":{index}}}\n"));
    }
    setup.write("in/README.md", "no documents");
    setup.write("in/x/.hidden.jsonl", "{\"id\":9}");
    let listed = |config: Value, stream: Option<&'static str>, setup: &mut Setup| {
        setup.config = config;
        setup.stream = stream;
        setup.state.take();
        setup.run().map(|documents| ids(&documents)).map_err(|failure| failure.message)
    };
    assert_eq!(listed(json!({ "path": "in" }), None, &mut setup).unwrap(), [0, 1, 2]);
    assert_eq!(listed(json!({ "path": "in/*/*.jsonl" }), None, &mut setup).unwrap(), [0, 1]);
    assert_eq!(listed(json!({ "path": "in" }), Some("y/**/*"), &mut setup).unwrap(), [1, 2]);
    assert_eq!(listed(json!({ "path": "in/**/*.jsonl" }), Some("y/*"), &mut setup).unwrap(), [1]);
    assert_eq!(
        listed(json!({ "path": "in" }), Some("none/*"), &mut setup).unwrap_err(),
        "no file matches `none/*` below `in`"
    );
    assert_eq!(
        listed(json!({ "path": "out.jsonl" }), None, &mut setup).unwrap_err(),
        "no file matches `out.jsonl`"
    );
    assert_eq!(
        listed(json!({ "path": "in/README.md" }), None, &mut setup).unwrap_err(),
        "the extension of `in/README.md` does not tell its format"
    );
}

#[test]
fn watching_waits_for_whole_lines_and_new_files() {
    let setup = setup(json!({ "path": "*.jsonl", "watch": true }));
    let mut source = setup.open().unwrap();
    assert!(matches!(source.pull(9, &mut Pulled::default()).unwrap(), Pull::Waiting));
    setup.write("a.jsonl", "{\"id\":1}\n{\"id\"");
    assert_eq!(ids(&setup.pull(&mut *source, 9).unwrap()), [1]);
    assert!(matches!(source.pull(9, &mut Pulled::default()).unwrap(), Pull::Waiting));
    setup.append("a.jsonl", ":2}\n");
    setup.write("b.jsonl", "{\"id\":3}\n");
    assert_eq!(ids(&setup.pull(&mut *source, 9).unwrap()), [2, 3]);
}

#[test]
fn columns_are_typed_by_the_schema() {
    let mut setup = setup(json!({ "path": "a.csv" }));
    setup.project("id", &["integer"], true);
    setup.project("size", &["number", "null"], false);
    setup.project("open", &["boolean"], false);
    setup.project("code", &["integer", "string"], false);
    setup.project("name", &["string"], true);
    setup.write(
        "a.csv",
        "\u{feff}id,size,open,code,name,more\n1,2.50,TRUE,007,,x\n2,,,7,b,\nthree,1e400,no,,c,\n",
    );
    let expected = json!([
        { "id": 1, "size": 2.5, "open": true, "code": "007", "name": "", "more": "x" },
        { "id": 2, "size": null, "code": 7, "name": "b" },
        { "id": "three", "size": "1e400", "open": "no", "name": "c" },
    ]);
    assert_eq!(Value::from(setup.run().unwrap()), expected);
}

#[test]
fn what_stands_before_a_fault_is_handed_out_first() {
    let setup = setup(json!({ "path": "a.jsonl" }));
    setup.write("a.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":}\n");
    let mut source = setup.open().unwrap();
    assert_eq!(ids(&setup.pull(&mut *source, 9).unwrap()), [1, 2]);
    let failure = source.pull(9, &mut Pulled::default()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::SourceUnreadable);
    assert!(failure.message.starts_with("`a.jsonl` line 3: "), "{failure}");
    setup.write("a.jsonl", "{\"id\":1}\n{\"id\":2}\n\n{\"id\":3}\n");
    assert_eq!(ids(&setup.run().unwrap()), [3], "the repaired file is read on");
}

#[test]
fn faults_name_file_and_line() {
    let cases: [(&str, &[u8], &str); 11] = [
        ("a.jsonl", b"{}\n{\"a\":\"\xff\"}\n", "`a.jsonl` line 2: "),
        ("a.json", b"[{},\n{\"a\" 1}]", "`a.json` line 2: "),
        ("a.json", b"[{},\n]", "`a.json` line 2: an item should follow the comma"),
        ("a.json", b"[{}\n{}]", "`a.json` line 2: a comma or `]` should stand here"),
        ("a.json", b"[{},{\n", "`a.json` line 2: the file ends too early"),
        ("a.geojson", b"[]", "`a.geojson` line 1: a GeoJSON file should begin with `{`"),
        (
            "a.geojson",
            b"{\"type\":\"Feature\"}",
            "`a.geojson` line 1: the object has no `features`, so it is no FeatureCollection",
        ),
        ("a.geojson", b"{\"features\":{}}", "`a.geojson` line 1: `features` should be an array"),
        (
            "a.csv",
            b"a,b\n1,2\n1,2,3\n",
            "`a.csv` line 3: values and columns differ: 3 here, 2 in the header",
        ),
        ("a.csv", b"a,a\n", "`a.csv` line 1: the header has the column `a` twice"),
        (
            "a.csv",
            b"a,b\n1,x\xff\n",
            "`a.csv` line 2: column `b` is no UTF-8 at byte 1 of its value",
        ),
    ];
    for (name, bytes, message) in cases {
        let setup = setup(json!({ "path": name }));
        setup.write(name, bytes);
        let failure = setup.run().unwrap_err();
        assert!(failure.message.starts_with(message), "{failure} instead of {message}");
    }
}

#[test]
fn values_may_follow_one_another_in_a_json_file() {
    let setup = setup(json!({ "path": "a.json" }));
    setup.write(
        "a.json",
        "{\"id\": 1}\n {\n\"id\": 2 }\n[{\"id\":3}, {\"id\":4,\"x\":[\"\\\"]\"]}]{\"id\":5}",
    );
    assert_eq!(ids(&setup.run().unwrap()), [1, 2, 3, 4, 5]);
}
