//! The language server over a large catalog: from a change of an open file to its diagnostics.
//!
//! `cargo bench --bench lsp [-- COLLECTIONS]` generates a catalog of 1,000 collections (or COLLECTIONS) with one more file of 2,000
//! lines, which is edited: a line becomes wrong and right again, so that every change has an answer. The first figures are the time
//! from the change to the diagnostics; the last ones are the CPU time of a change of one line.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

#[path = "../tests/lsp/client.rs"]
#[allow(dead_code, reason = "the tests say more to the server than this bench")]
mod client;
mod generate;

use std::time::Instant;

use client::Client;
use serde_json::{Value, json};

const COLLECTIONS: usize = 1000;
const LARGE: &str = "large.flow.yaml";
const LARGE_COLLECTIONS: usize = 52;
const SMALL: &str = "part-0007.flow.yaml";
const CHANGES: usize = 200;

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(COLLECTIONS);
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let root = directory.path().canonicalize().expect("it is there");
    let (files, bytes) = generate::write_catalog(&root, count);
    let large = generate::add_file(&root, LARGE, 90_000..90_000 + LARGE_COLLECTIONS);
    let lines = large.lines().count();
    println!("{count} collections in {files} files, {:.1} MB; {lines} lines", bytes as f64 / 1e6);

    let begin = Instant::now();
    let mut client = Client::start(&root, &["utf-16"]);
    client.settle();
    println!("first diagnostics after {:.0} ms", begin.elapsed().as_secs_f64() * 1e3);
    assert!(client.diagnostics.is_empty(), "the catalog has findings: {:?}", client.diagnostics);

    let small = std::fs::read_to_string(root.join(SMALL)).expect("it was written");
    client.open(SMALL, &small);
    client.settle();
    let small_changes = change(&mut client, SMALL, &small);
    client.open(LARGE, &large);
    client.settle();
    let large_changes = change(&mut client, LARGE, &large);
    large_changes.print("a change in a file of 2,000 lines");
    small_changes.print("a change in a file of 200 lines");
    assert_eq!(client.stop(), Some(0), "the server ends well");
}

/// What changes took.
struct Changes {
    /// Seconds from each change to its diagnostics.
    seconds: Vec<f64>,
    /// CPU seconds of the server for one of them, on the average.
    cpu_seconds: f64,
}

impl Changes {
    fn print(mut self, what: &str) {
        self.seconds.sort_by(f64::total_cmp);
        let at = |share: usize| {
            self.seconds.get(self.seconds.len() * share / 100).copied().unwrap_or_default() * 1e3
        };
        let cpu = self.cpu_seconds * 1e3;
        println!("{what}: p50 {:.1} ms, p95 {:.1} ms; {cpu:.1} ms CPU", at(50), at(95));
    }
}

/// Makes lines wrong and right again.
fn change(client: &mut Client, path: &str, text: &str) -> Changes {
    const RIGHT: &str = "type: integer";
    let lines: Vec<(usize, usize)> = (0..)
        .zip(text.lines())
        .filter_map(|(number, line)| Some((number, line.find(RIGHT)? + RIGHT.len())))
        .collect();
    let uri = client.uri(path);
    let cpu = cpu_seconds(client.id());
    let mut seconds = Vec::new();
    for index in 0..CHANGES / 2 {
        let place = lines.get(index * 7919 % lines.len()).expect("there are numbers");
        let at = |column: usize| json!({"line": place.0, "character": column});
        let insert = json!({"range": {"start": at(place.1), "end": at(place.1)}, "text": "x"});
        let remove = json!({"range": {"start": at(place.1), "end": at(place.1 + 1)}, "text": ""});
        for (edit, findings) in [(insert, true), (remove, false)] {
            let begin = Instant::now();
            client.change(path, &edit);
            loop {
                let message = client.receive();
                if message.pointer("/params/uri").and_then(Value::as_str) == Some(&uri) {
                    break;
                }
            }
            seconds.push(begin.elapsed().as_secs_f64());
            let is_wrong = client.diagnostics.get(&uri).is_some_and(|list| !list.is_empty());
            assert_eq!(is_wrong, findings, "the diagnostics are those of the change");
        }
    }
    Changes { seconds, cpu_seconds: (cpu_seconds(client.id()) - cpu) / CHANGES as f64 }
}

/// User and system time of a process, from `/proc`; not a number elsewhere than on Linux.
fn cpu_seconds(process: u32) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else {
        return f64::NAN;
    };
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}
