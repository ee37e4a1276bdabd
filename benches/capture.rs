//! Capturing files of JSON lines, end to end through the release binary: read, validate, combine by key, stamp, compress, append,
//! and cut fragments.
//!
//! `cargo bench --bench capture [-- COUNT]` captures 400,000 nested rides (or COUNT) into journals of Zstandard frames, and five times
//! as many transfers into journals that are not compressed; each document has a key of its own. It prints the median of five runs
//! by CPU seconds, in which the two take turns. Durability is full, and what the fragments hold is counted.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod documents;
mod measure;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use documents::{Draw, ride, ride_schema, transfer, transfer_schema};
use measure::{Measured, measure, median};
use serde_json::{Value, json};

const COUNT: usize = 400_000;
const ROUNDS: usize = 5;
const SEED: u64 = 42;

/// One capture.
struct Job {
    name: &'static str,
    codec: &'static str,
    count: usize,
    line: fn(usize, &mut Draw) -> String,
    schema: fn() -> Value,
    /// Documents a CPU second that are aimed at, if there is such a number.
    target: Option<f64>,
}

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(COUNT);
    let jobs = [
        Job {
            name: "rides, zstd-1",
            codec: "ZSTANDARD",
            count,
            line: ride,
            schema: ride_schema,
            target: Some(200_000.0),
        },
        Job {
            name: "transfers, no codec",
            codec: "NONE",
            count: 5 * count,
            line: transfer,
            schema: transfer_schema,
            target: None,
        },
    ];
    let directories = jobs.each_ref().map(|_| tempfile::tempdir().expect("there is room"));
    for (job, directory) in jobs.iter().zip(&directories) {
        prepare(job, directory.path());
    }
    let mut runs = jobs.each_ref().map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((job, directory), runs) in jobs.iter().zip(&directories).zip(&mut runs) {
            runs.push(capture(job, directory.path()));
        }
    }
    println!("the medians of {ROUNDS} runs by CPU seconds, durability full");
    println!("{:<24} {:>8} {:>8} {:>12} {:>10}", "", "seconds", "CPU", "per CPU s", "peak MiB");
    for (job, runs) in jobs.iter().zip(runs) {
        let Measured { seconds, cpu_seconds, peak_mib } = median(runs);
        let (name, rate) = (job.name, job.count as f64 / cpu_seconds);
        let share = job
            .target
            .map_or_else(String::new, |target| format!("  {:.2} of the target", rate / target));
        println!(
            "{name:<24} {seconds:>8.2} {cpu_seconds:>8.2} {rate:>12.0} {peak_mib:>10.0}{share}"
        );
    }
}

/// Writes the catalog and the file of a job.
fn prepare(job: &Job, directory: &Path) {
    let catalog = json!({
        "captures": {"bench/files": {
            "endpoint": {"connector": {
                "image": "tidegate/source-file:v1",
                "config": {"path": "input.jsonl"},
            }},
            "bindings": [{"resource": {"stream": "input.jsonl"}, "target": "bench/documents"}],
        }},
        "collections": {"bench/documents": {
            "schema": (job.schema)(),
            "key": ["/id"],
            "journals": {"fragments": {"compressionCodec": job.codec}},
        }},
    });
    fs::write(directory.join("flow.json"), catalog.to_string()).expect("the catalog is written");
    let file = File::create(directory.join("input.jsonl")).expect("there is room for the file");
    let (mut file, mut draw) = (BufWriter::new(file), Draw::new(SEED));
    for id in 0..job.count {
        writeln!(file, "{}", (job.line)(id, &mut draw)).expect("there is room for the file");
    }
    file.flush().expect("there is room for the file");
}

/// Captures the file of a job into an empty data directory.
fn capture(job: &Job, directory: &Path) -> Measured {
    let _ = fs::remove_dir_all(directory.join(".tidegate"));
    let mut run = tidegate(directory, &["run", "flow.json", "--until-idle"]);
    let measured = measure(run.stderr(Stdio::null()));
    let read = tidegate(directory, &["read", "bench/documents"]).output().expect("it runs");
    let lines = read.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    assert_eq!(lines, job.count, "{}: documents were lost", job.name);
    measured
}

fn tidegate(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(arguments).args(["--data", ".tidegate"]).current_dir(directory);
    command
}
