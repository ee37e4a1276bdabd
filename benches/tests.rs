//! The tests of a catalog, through the release binary.
//!
//! `cargo bench --bench tests [-- TESTS]` makes a catalog of 20 derivations with state and 100 tests (or TESTS) that ingest and verify
//! documents of each, and prints what `tidegate test` takes, compiling included: the median of five runs by CPU seconds.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod measure;

use std::fs;
use std::process::Command;

use measure::{Measured, measure, median};
use serde_json::{Map, Value, json};

const TESTS: usize = 100;
const DERIVATIONS: usize = 20;
const DOCUMENTS: usize = 20;
const ROUNDS: usize = 5;

fn main() {
    let tests = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(TESTS);
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let file = directory.path().join("flow.json");
    fs::write(file, catalog(tests).to_string()).expect("the catalog can be written");
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        measure(command.args(["test", "flow.json"]).current_dir(directory.path()))
    };
    let Measured { seconds, cpu_seconds, peak_mib } = median((0..ROUNDS).map(|_| run()).collect());
    println!("{tests} tests over {DERIVATIONS} derivations, the median of {ROUNDS} runs");
    println!("{seconds:.2} seconds, {cpu_seconds:.2} CPU seconds, peak {peak_mib:.0} MiB");
}

fn catalog(tests: usize) -> Value {
    let mut collections = Map::new();
    let order = json!({
        "type": "object", "required": ["id", "customer", "cents"],
        "properties": {
            "id": {"type": "integer"}, "customer": {"type": "string"}, "cents": {"type": "integer"},
        },
    });
    collections.insert("bench/orders".to_owned(), json!({"schema": order, "key": ["/id"]}));
    for number in 0..DERIVATIONS {
        collections.insert(derived(number), derivation());
    }
    let tests = (0..tests).map(|number| (format!("bench/tests/{number:04}"), test(number)));
    json!({"collections": collections, "tests": tests.collect::<Map<_, _>>()})
}

fn derived(number: usize) -> String {
    format!("bench/spent-{:02}", number % DERIVATIONS)
}

/// What each customer has spent so far, kept in a table.
fn derivation() -> Value {
    json!({
        "schema": {
            "type": "object", "required": ["customer", "cents"],
            "properties": {"customer": {"type": "string"}, "cents": {"type": "integer"}},
        },
        "key": ["/customer"],
        "derive": {
            "using": {"sqlite": {"migrations": [
                "CREATE TABLE spent (customer TEXT PRIMARY KEY, cents INTEGER NOT NULL);",
            ]}},
            "transforms": [{
                "name": "fromOrders", "source": "bench/orders", "shuffle": {"key": ["/customer"]},
                "lambda": "INSERT INTO spent VALUES ($customer, $cents) \
                    ON CONFLICT DO UPDATE SET cents = cents + excluded.cents RETURNING customer, cents;",
            }],
        },
    })
}

fn test(number: usize) -> Value {
    let orders = (0..DOCUMENTS)
        .map(|id| json!({"id": id, "customer": format!("c{:02}", id % 4), "cents": id}));
    let expected = (0..4).map(|customer| {
        let cents: usize = (0..DOCUMENTS).filter(|id| id % 4 == customer).sum();
        json!({"customer": format!("c{customer:02}"), "cents": cents})
    });
    json!([
        {"ingest": {"collection": "bench/orders", "documents": orders.collect::<Value>()}},
        {"verify": {"collection": derived(number), "documents": expected.collect::<Value>()}},
    ])
}
