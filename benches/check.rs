//! `check` of a large catalog, cold: CPU time of the release binary over a generated catalog.
//!
//! `cargo bench --bench check [-- COLLECTIONS]` makes a catalog of 1,000 collections (or COLLECTIONS) of 26 properties each, every
//! second one a SQLite derivation of the one before, each with a materialization binding, in one file per 5 collections. The
//! generator is seeded, so each run checks the same text; the catalog has to be free of findings.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod measure;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use measure::children_cpu_seconds;

const COLLECTIONS: usize = 1000;
const COLLECTIONS_IN_FILE: usize = 5;
const PROPERTIES: usize = 26;
const SEED: u64 = 42;
const RUNS: usize = 5;

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(COLLECTIONS);
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let (files, bytes) = write_catalog(directory.path(), count);
    println!("{count} collections in {files} files, {:.1} MB", bytes as f64 / 1e6);
    let mut runs: Vec<(f64, f64)> = (0..RUNS).map(|_| check(directory.path())).collect();
    runs.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (seconds, cpu) = runs.get(RUNS / 2).copied().expect("there is a run in the middle");
    println!("median of {RUNS}: {:.0} ms CPU, {:.0} ms", cpu * 1e3, seconds * 1e3);
}

/// Seconds and CPU seconds of one check.
fn check(directory: &Path) -> (f64, f64) {
    let (begin, cpu_begin) = (Instant::now(), children_cpu_seconds());
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["check", "--deny", "warnings"])
        .current_dir(directory)
        .output()
        .expect("the binary runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the catalog has findings: {stdout}");
    (begin.elapsed().as_secs_f64(), children_cpu_seconds() - cpu_begin)
}

/// Writes the catalog; gives its files and bytes.
fn write_catalog(directory: &Path, collections: usize) -> (usize, usize) {
    let mut draw = Draw { state: SEED };
    let mut imports = String::from("import:\n");
    let (mut files, mut bytes) = (1, 0);
    for begin in (0..collections).step_by(COLLECTIONS_IN_FILE) {
        let numbers = begin..collections.min(begin + COLLECTIONS_IN_FILE);
        let name = format!("part-{:04}.flow.yaml", begin / COLLECTIONS_IN_FILE);
        let mut text = String::new();
        if begin > 0 {
            let before = begin / COLLECTIONS_IN_FILE - 1;
            let _ = writeln!(text, "import: [part-{before:04}.flow.yaml]");
        }
        text.push_str("collections:\n");
        numbers.clone().for_each(|number| push_collection(number, &mut draw, &mut text));
        push_materialization(numbers, &mut text);
        bytes += text.len();
        files += 1;
        let _ = writeln!(imports, "  - {name}");
        fs::write(directory.join(name), text).expect("the file can be written");
    }
    fs::write(directory.join("flow.yaml"), &imports).expect("the file can be written");
    (files, bytes + imports.len())
}

fn push_collection(number: usize, draw: &mut Draw, text: &mut String) {
    let _ = write!(
        text,
        "  generated/c{number:05}:\n    schema:\n      $defs:\n        address:\n          type: object\n          \
         properties:\n            street: {{ type: string, maxLength: 200 }}\n            city: {{ type: string }}\n\
         \x20     type: object\n      properties:\n        id: {{ type: integer }}\n"
    );
    for property in 1..PROPERTIES {
        let form = draw.one_of(&[
            "{ type: string, title: A text, description: Some text of the record. }",
            "{ type: integer, minimum: 0, maximum: 1000000 }",
            "{ type: [number, \"null\"], description: A measure that may be missing. }",
            "{ type: string, format: date-time }",
            "{ enum: [open, closed, pending] }",
            "{ $ref: \"#/$defs/address\" }",
            "{ type: array, items: { type: string } }",
            "{ type: object, properties: { inner: { type: boolean }, deep: { type: string } } }",
        ]);
        let _ = writeln!(text, "        property{property:02}: {form}");
    }
    text.push_str(
        "      required: [id]\n    key: [/id]\n    projections: { first: /property01 }\n",
    );
    if number % 2 == 1 {
        let _ = write!(
            text,
            "    derive:\n      using: {{ sqlite: {{}} }}\n      transforms:\n        - name: fromBefore\n          \
             source: generated/c{:05}\n          shuffle: any\n          lambda: |\n            \
             SELECT $id AS id, 'open' AS note WHERE $first IS NOT NULL;\n",
            number - 1
        );
    }
}

fn push_materialization(numbers: std::ops::Range<usize>, text: &mut String) {
    let _ = write!(
        text,
        "materializations:\n  generated/m{:05}:\n    endpoint:\n      connector:\n        \
         image: tidegate/materialize-sqlite:v1\n        config: {{ path: out/{:05}.db }}\n    bindings:\n",
        numbers.start, numbers.start
    );
    for number in numbers {
        let _ = writeln!(
            text,
            "      - source: generated/c{number:05}\n        resource: {{ table: c{number:05} }}"
        );
    }
}

/// Random numbers that are the same in each run.
struct Draw {
    state: u64,
}

impl Draw {
    fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let index = (self.state >> 33) as usize % choices.len();
        choices.get(index).copied().expect("the index is below the length")
    }
}
