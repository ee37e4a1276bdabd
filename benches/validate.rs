//! Reading and validating documents, at the level of the library: the arena and the compiled schema beside `serde_json` and
//! `jsonschema`, over the same lines in one run.
//!
//! `cargo bench --bench validate [-- ROUNDS]` prints documents per CPU second of both and the ratio: the median of 7 rounds (or
//! ROUNDS), in which the two take turns. The generators are seeded, so each run reads the same documents; all of them are valid,
//! and a spoiled copy of every hundredth is not.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod documents;

use std::fs;
use std::hint::black_box;

use documents::{Draw, ride, ride_schema, transfer, transfer_schema};
use serde_json::Value;
use tidegate_stdlib::document::{Builder, Parser};
use tidegate_stdlib::schema::Schema;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
const TRANSFERS: usize = 400_000;
const RIDES: usize = 40_000;
const SEED: u64 = 42;

fn main() {
    let rounds = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(ROUNDS).max(1);
    println!("{:<10} {:>6} {:>12} {:>12} {:>6}", "", "bytes", "ours/s", "theirs/s", "ratio");
    let mut draw = Draw::new(SEED);
    let transfers: Vec<String> = (0..TRANSFERS).map(|id| transfer(id, &mut draw)).collect();
    compare("transfers", &transfer_schema(), &transfers, rounds);
    let rides: Vec<String> = (0..RIDES).map(|id| ride(id, &mut draw)).collect();
    compare("rides", &ride_schema(), &rides, rounds);
}

/// Validates the lines in both ways and prints how they did.
fn compare(name: &str, schema: &Value, lines: &[String], rounds: usize) {
    let ours = Schema::compile(schema).expect("the schema is sound");
    let theirs = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .expect("the schema is sound");
    check_answers(&ours, &theirs, lines);
    let (mut parser, mut builder) = (Parser::default(), Builder::default());
    let mut runs: Vec<(f64, f64)> = (0..rounds)
        .map(|_| {
            let begin = cpu_seconds();
            let mut valid = 0;
            for line in lines {
                builder.clear();
                parser.parse(line.as_bytes(), &mut builder).expect("the line is JSON");
                valid += usize::from(ours.is_valid_node(builder.root()));
            }
            let middle = cpu_seconds();
            assert_eq!(black_box(valid), lines.len());
            let mut valid = 0;
            for line in lines {
                let value: Value = serde_json::from_str(line).expect("the line is JSON");
                valid += usize::from(theirs.is_valid(&value));
            }
            assert_eq!(black_box(valid), lines.len());
            (middle - begin, cpu_seconds() - middle)
        })
        .collect();
    let mut median = |of: fn(&(f64, f64)) -> f64| {
        runs.sort_by(|left, right| of(left).total_cmp(&of(right)));
        runs.get(rounds / 2).map(of).expect("there is a round in the middle")
    };
    let (ours, theirs) = (median(|run| run.0), median(|run| run.1));
    let ratio = median(|run| run.1 / run.0);
    let bytes = lines.iter().map(String::len).sum::<usize>() / lines.len();
    let per_second = |seconds: f64| lines.len() as f64 / seconds;
    println!(
        "{name:<10} {bytes:>6} {:>12.0} {:>12.0} {ratio:>6.2}",
        per_second(ours),
        per_second(theirs)
    );
}

/// Both accept every line, and neither one whose last number has become a string.
fn check_answers(ours: &Schema, theirs: &jsonschema::Validator, lines: &[String]) {
    let (mut parser, mut builder) = (Parser::default(), Builder::default());
    for line in lines.iter().step_by(100) {
        let end = line.rfind(|symbol: char| symbol.is_ascii_digit()).expect("there is a number");
        let start = line.get(..end).and_then(|text| text.rfind(':')).expect("it has a name");
        let (before, number) = line.split_at(start + 1);
        let (number, after) = number.split_at(end - start);
        for (text, is_valid) in
            [(line.clone(), true), (format!("{before}\"{number}\"{after}"), false)]
        {
            builder.clear();
            parser.parse(text.as_bytes(), &mut builder).expect("the line is JSON");
            let value: Value = serde_json::from_str(&text).expect("the line is JSON");
            assert_eq!(ours.is_valid_node(builder.root()), is_valid, "{text}");
            assert_eq!(theirs.is_valid(&value), is_valid, "{text}");
        }
    }
}

/// CPU time of this thread, from `/proc`; not a number elsewhere than on Linux.
fn cpu_seconds() -> f64 {
    let Ok(statistics) = fs::read_to_string("/proc/thread-self/schedstat") else { return f64::NAN };
    let nanoseconds = statistics.split_whitespace().next().and_then(|field| field.parse().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds: f64| nanoseconds / 1e9)
}
