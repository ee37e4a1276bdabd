//! TypeScript lambdas by every engine, beside the same function in a bulk loop of the program itself.
//!
//! `cargo bench --bench javascript [-- COUNT]` runs two derivations over a collection on disk through the release binary, with `--js`
//! `quickjs`, `node` and `deno`. Beside each program runs a script in it that reads the lines from a file, parses each, calls the same
//! function, and writes lines. All take turns, five times each; the answers are compared. A program that is missing is left out, and
//! told.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod beside;
mod documents;
mod measure;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use beside::{Kept, check_answers, copy, run, write_catalog, write_lines};
use documents::{Draw, ride, ride_schema, transfer, transfer_schema};
use measure::{Measured, measure, median};
use serde_json::{Value, json};

const COUNT: usize = 1_000_000;
const ROUNDS: usize = 5;
const SEED: u64 = 42;
const ENGINES: [&str; 3] = ["quickjs", "node", "deno"];

/// What a program does by itself.
const BULK: &str = "import { readFileSync, writeFileSync } from 'node:fs';\n\
    const out = [];\n\
    for (const line of readFileSync('lines.jsonl', 'utf8').split('\\n')) {\n\
        if (line === '') continue;\n\
        for (const document of lambda(JSON.parse(line))) out.push(JSON.stringify(document));\n\
    }\n\
    writeFileSync('bulk.jsonl', out.join('\\n'));\n";

/// A derivation.
struct Job {
    name: &'static str,
    /// How many documents it reads of as many as were asked for.
    count: fn(usize) -> usize,
    line: fn(usize, &mut Draw) -> String,
    schema: fn() -> Value,
    derived: fn() -> Value,
    /// The body of a function of `doc`.
    lambda: &'static str,
}

const JOBS: [Job; 2] = [
    Job {
        name: "filter of rides",
        count: |count| count / 4,
        line: ride,
        schema: ride_schema,
        derived: || {
            json!({
                "type": "object", "required": ["id"],
                "properties": {
                    "id": {"type": "string"}, "bike": {"type": "integer"},
                    "origin": {"type": "integer"}, "destination": {"type": "integer"},
                    "seconds": {"type": "integer"}, "kind": {"type": "string"},
                },
            })
        },
        lambda: "if (!(doc.distance_meters > 5000)) return [];\n\
            return [{ id: doc.id, bike: doc.bike.id, origin: doc.begin.station.id,\n\
            destination: doc.end.station.id, seconds: doc.duration_seconds, kind: doc.user.kind }];",
    },
    Job {
        name: "a row a transfer",
        count: |count| count,
        line: transfer,
        schema: transfer_schema,
        derived: || {
            json!({
                "type": "object", "required": ["id", "account", "cents"],
                "properties": {
                    "id": {"type": "integer"}, "account": {"type": "string"},
                    "cents": {"type": "integer"},
                },
            })
        },
        lambda: "return [{ id: doc.id, account: doc.sender, cents: Math.round(doc.amount * 100) }];",
    },
];

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(COUNT);
    let (engines, missing): (Vec<&str>, Vec<&str>) = ENGINES.iter().partition(|it| is_there(it));
    missing.iter().for_each(|name| println!("`{name}` is not there, and not measured"));
    println!("the median of {ROUNDS} runs by CPU seconds of all processes, durability full");
    println!(
        "{:<18} {:<12} {:>9} {:>8} {:>8} {:>12} {:>16}",
        "", "", "documents", "CPU", "seconds", "per CPU s", "of bulk"
    );
    for job in JOBS {
        compare(&job, (job.count)(count), &engines);
    }
}

/// Whether an engine can be measured here.
fn is_there(engine: &str) -> bool {
    let asked = Command::new(engine).arg("--version").stdout(Stdio::null()).status();
    engine == "quickjs" || asked.is_ok_and(|status| status.success())
}

/// Runs a derivation by every engine in turns, and prints how they did.
fn compare(job: &Job, count: usize, engines: &[&str]) {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let directory = directory.path();
    prepare(job, count, directory);
    let mut runs: Vec<(Vec<Measured>, Vec<Measured>)> = vec![Default::default(); engines.len()];
    for _ in 0..ROUNDS {
        for (engine, (ours, theirs)) in engines.iter().zip(&mut runs) {
            copy(&directory.join("captured"), &directory.join("data"));
            let arguments = ["--task", "bench/derived", "--js", engine];
            ours.push(measure(run(directory, "flow.json", "data").args(arguments)));
            if *engine != "quickjs" {
                theirs.push(measure(&mut bulk(engine, directory)));
                check_answers(job.name, directory, "bulk.jsonl");
            }
        }
    }
    let print = |engine: &str, measured: Measured, ratio: &str| {
        let Measured { cpu_seconds, seconds, .. } = measured;
        let rate = count as f64 / cpu_seconds;
        println!(
            "{:<18} {engine:<12} {count:>9} {cpu_seconds:>8.2} {seconds:>8.2} {rate:>12.0} {ratio:>16}",
            job.name
        );
    };
    for (engine, (ours, theirs)) in engines.iter().zip(runs) {
        let ours = median(ours);
        if theirs.is_empty() {
            print(engine, ours, "");
            continue;
        }
        let theirs = median(theirs);
        let ratio = format!(
            "{:.2}x, {:.2}x",
            ours.cpu_seconds / theirs.cpu_seconds,
            ours.seconds / theirs.seconds
        );
        print(engine, ours, &ratio);
        print(&format!("  {engine} bulk"), theirs, "");
    }
}

fn bulk(engine: &str, directory: &Path) -> Command {
    let mut command = Command::new(engine);
    if engine == "deno" {
        command.args(["run", "--quiet", "--allow-read", "--allow-write"]);
    }
    command.arg("bulk.mjs").current_dir(directory);
    command
}

/// Writes the lines, the catalog and the script, and captures the lines.
fn prepare(job: &Job, count: usize, directory: &Path) {
    let mut draw = Draw::new(SEED);
    write_lines(directory, (0..count).map(|id| (job.line)(id, &mut draw)));
    let script = format!("function lambda(doc) {{\n{}\n}}\n{BULK}", job.lambda);
    fs::write(directory.join("bulk.mjs"), script).expect("the script can be written");
    let module = format!(
        "import {{ Document, IDerivation, SourceFromSource }} from 'flow/bench/derived.ts';\n\
         export class Derivation extends IDerivation {{\n\
             fromSource({{ doc }}: {{ doc: SourceFromSource }}): Document[] {{\n{}\n}}\n}}\n",
        job.lambda
    );
    let derive = json!({
        "using": {"typescript": {"module": module}},
        "transforms": [{"name": "fromSource", "source": "bench/source", "shuffle": "any"}],
    });
    let derived = Kept { schema: &(job.derived)(), key: "/id" };
    write_catalog(directory, "flow.json", &(job.schema)(), &derived, &derive);
    measure(run(directory, "flow.json", "captured").args(["--task", "bench/file"]));
}
