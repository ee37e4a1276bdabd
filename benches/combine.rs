//! Combining at the level of the library: validate, reduce by key, drain in the order of the keys, as a transaction does.
//!
//! `cargo bench --bench combine [-- DELTAS]` makes 2,000,000 deltas (or DELTAS) of 100,000 accounts, which are summed by account,
//! and prints documents per CPU second, once with and once without the time it takes to parse them. Beside them stands what is
//! written first: `serde_json`, `jsonschema` and a hash map of trees, over the same lines in the same run. Both sides give
//! the same bytes, which is checked. The seed is fixed; the figures are the medians of 5 rounds in which the two take turns.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use serde_json::{Value, json};
use tidegate_stdlib::document::{Documents, Parser, write_text};
use tidegate_stdlib::key::{Component, Key, PackedKeys};
use tidegate_stdlib::reduce::{FETCHED_KEYS, Fold, Lone, Mode, ReduceFailure, Reducer};
use tidegate_stdlib::schema::Schema;
use tidegate_stdlib::value::Pointer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DELTAS: usize = 2_000_000;
const ACCOUNTS: u64 = 100_000;
const ROUNDS: usize = 5;
/// Documents that are parsed before they are combined, as in a batch of a reader.
const BATCH: usize = 4096;

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(DELTAS);
    let lines = deltas(count);
    let rounds: Vec<(Measured, Measured)> = (0..ROUNDS)
        .map(|_| {
            let (ours, text) = combine(&lines);
            let (theirs, expected) = combine_trees(&lines);
            assert!(text == expected, "both sides give the same documents");
            (ours, theirs)
        })
        .collect();
    println!("{count} deltas of {ACCOUNTS} accounts, documents per CPU second:");
    let row = |name: &str, of: fn(&(Measured, Measured)) -> f64| {
        let mut seconds: Vec<f64> = rounds.iter().map(of).collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds.get(ROUNDS / 2).copied().expect("there is a round in the middle");
        println!("{name:<44} {:>10.0}", count as f64 / median);
        median
    };
    let ours = row("tidegate, with parsing", |round| round.0.parse + round.0.combine);
    let theirs =
        row("serde_json + jsonschema + map, with parsing", |round| round.1.parse + round.1.combine);
    println!("{:<44} {:>10.2}", "ratio", theirs / ours);
    let ours = row("tidegate, parsed before", |round| round.0.combine);
    let theirs = row("serde_json + jsonschema + map, parsed before", |round| round.1.combine);
    println!("{:<44} {:>10.2}", "ratio", theirs / ours);
    let held = rounds.first().map_or(0, |round| round.0.held_bytes);
    println!("{:<44} {:>10.1} MiB", "memory of the fold at its end", held as f64 / 1_048_576.0);
}

/// CPU seconds of one round.
#[derive(Clone, Copy, Default)]
struct Measured {
    parse: f64,
    combine: f64,
    held_bytes: usize,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "account": {"type": "string", "minLength": 1},
            "balance": {"type": "integer", "reduce": {"strategy": "sum"}},
        },
        "required": ["account", "balance"],
        "reduce": {"strategy": "merge"},
    })
}

/// Lines of JSON, the same in every run.
fn deltas(count: usize) -> Vec<String> {
    let mut state: u64 = 42;
    let mut draw = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    (0..count)
        .map(|_| {
            let (account, amount) = (draw(ACCOUNTS), draw(2_000).cast_signed() - 1_000);
            format!("{{\"account\":\"account-{account}\",\"balance\":{amount}}}")
        })
        .collect()
}

fn combine(lines: &[String]) -> (Measured, Vec<u8>) {
    let schema = schema();
    let validator = Schema::compile(&schema).expect("the schema is sound");
    let reducer = Reducer::new(&schema).expect("the schema is sound");
    let pointer = Pointer::parse("/account").expect("it is a pointer");
    let key = Key::new(vec![Component { pointer, default: Value::Null }]);
    let mut fold = Fold::new(Mode::Full, Lone::Reduced, 42);
    let (mut parser, mut documents, mut packed) =
        (Parser::default(), Documents::default(), PackedKeys::default());
    let mut measured = Measured::default();
    for batch in lines.chunks(BATCH) {
        let begin = cpu_seconds();
        documents.clear();
        for line in batch {
            let parsed = documents.add(|builder| parser.parse(line.as_bytes(), builder));
            parsed.expect("the line is JSON");
        }
        let parsed = cpu_seconds();
        let all: Vec<_> = documents.iter().collect();
        for documents in all.chunks(FETCHED_KEYS) {
            packed.clear();
            for document in documents {
                assert!(validator.is_valid_node(*document));
                packed.push(&key, *document);
            }
            fold.fetch(packed.iter());
            for (packed, document) in packed.iter().zip(documents) {
                fold.add(&reducer, packed, *document).expect("numbers are added");
            }
        }
        measured.parse += parsed - begin;
        measured.combine += cpu_seconds() - parsed;
    }
    measured.held_bytes = fold.size_bytes();
    let begin = cpu_seconds();
    let mut text = Vec::new();
    let drained = fold.drain(&reducer, |group| {
        for document in group?.documents {
            assert!(validator.is_valid_node(document.root()));
            write_text(document.root(), &mut text);
            text.push(b'\n');
        }
        Ok::<(), ReduceFailure>(())
    });
    drained.expect("numbers are added");
    measured.combine += cpu_seconds() - begin;
    (measured, text)
}

/// The same with trees, for this schema only.
fn combine_trees(lines: &[String]) -> (Measured, Vec<u8>) {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is sound");
    let mut balances: HashMap<Vec<u8>, Value> = HashMap::new();
    let mut measured = Measured::default();
    for batch in lines.chunks(BATCH) {
        let begin = cpu_seconds();
        let documents: Vec<Value> = batch
            .iter()
            .map(|line| serde_json::from_str(line).expect("the line is JSON"))
            .collect();
        let parsed = cpu_seconds();
        for document in documents {
            assert!(validator.is_valid(&document));
            let account = document.get("account").and_then(Value::as_str);
            let key = account.expect("it was validated").as_bytes().to_vec();
            match balances.get_mut(&key).and_then(|balance| balance.get_mut("balance")) {
                Some(balance) => {
                    let amount = document.get("balance").and_then(Value::as_i64);
                    let sum = balance.as_i64().zip(amount).map(|(left, right)| left + right);
                    *balance = sum.expect("it was validated").into();
                }
                None => {
                    balances.insert(key, document);
                }
            }
        }
        measured.parse += parsed - begin;
        measured.combine += cpu_seconds() - parsed;
    }
    let begin = cpu_seconds();
    let mut sorted: Vec<_> = balances.into_iter().collect();
    sorted.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    let mut text = Vec::new();
    for (_, document) in sorted {
        assert!(validator.is_valid(&document));
        serde_json::to_writer(&mut text, &document).expect("memory takes every write");
        text.push(b'\n');
    }
    measured.combine += cpu_seconds() - begin;
    (measured, text)
}

/// The time that this thread has computed; elsewhere than on Linux, the time that has passed.
fn cpu_seconds() -> f64 {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let begin = *BEGIN.get_or_init(Instant::now);
    let spent = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    spent.map_or_else(|| begin.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}
