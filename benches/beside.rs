//! What benches of derivations share that run the binary beside a loop of the same job.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Writes the lines that a capture of `lines.jsonl` reads.
pub(crate) fn write_lines(directory: &Path, lines: impl Iterator<Item = String>) {
    let file = File::create(directory.join("lines.jsonl")).expect("the file can be created");
    let mut file = BufWriter::new(file);
    lines.for_each(|line| writeln!(file, "{line}").expect("the line can be written"));
    file.flush().expect("the lines can be written");
}

/// A collection, by its schema and its key of one location.
pub(crate) struct Kept<'k> {
    pub(crate) schema: &'k Value,
    pub(crate) key: &'k str,
}

/// Writes a catalog that captures the lines into `bench/source` and derives `bench/derived`.
pub(crate) fn write_catalog(
    directory: &Path,
    name: &str,
    source: &Value,
    derived: &Kept<'_>,
    derive: &Value,
) {
    let journals = json!({"fragments": {"compressionCodec": "NONE"}});
    let catalog = json!({
        "captures": {"bench/file": {
            "endpoint": {"connector": {
                "image": "tidegate/source-file:v1", "config": {"path": "lines.jsonl"},
            }},
            "bindings": [{"resource": {"stream": "lines.jsonl"}, "target": "bench/source"}],
        }},
        "collections": {
            "bench/source": {"schema": source, "key": ["/id"], "journals": journals},
            "bench/derived": {
                "schema": derived.schema, "key": [derived.key], "journals": journals,
                "derive": derive,
            },
        },
    });
    fs::write(directory.join(name), catalog.to_string()).expect("the catalog can be written");
}

/// `tidegate run` of a catalog until nothing is left to be done.
pub(crate) fn run(directory: &Path, catalog: &str, data: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["run", catalog, "--until-idle", "--data", data]).current_dir(directory);
    command.stderr(Stdio::null());
    command
}

/// A data directory as it was before a run.
pub(crate) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-r").args([from, to]).status();
    assert!(copied.expect("cp can be started").success(), "the data directory can be copied");
}

/// The derived collection, reduced, has the documents that the loop wrote into a file.
pub(crate) fn check_answers(job: &str, directory: &Path, written: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["read", "bench/derived", "--reduce", "--data", "data"])
        .current_dir(directory)
        .output()
        .expect("the binary runs");
    let ours = String::from_utf8(output.stdout).expect("documents are text");
    let theirs = fs::read_to_string(directory.join(written)).expect("the loop wrote its lines");
    let documents = |text: &str| -> BTreeSet<String> {
        let document = |line: &str| {
            let mut value: Value = serde_json::from_str(line).expect("the line is JSON");
            value.as_object_mut().expect("a document is an object").remove("_meta");
            value.to_string()
        };
        text.lines().map(document).collect()
    };
    let (ours, theirs) = (documents(&ours), documents(&theirs));
    assert!(!ours.is_empty() && ours == theirs, "{job}: both give the same documents");
}
