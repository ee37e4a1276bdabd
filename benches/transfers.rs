//! Transfers to balances, end to end: the bank catalog's capture, delta derivation and table through the release binary.
//!
//! `cargo bench --bench transfers [-- COUNT]` prints documents per second and CPU seconds of each step for 2,000,000 transfers
//! (or COUNT). The transfers come from the seeded simulation, so each run does the same work; the answer is checked.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod measure;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use measure::children_cpu_seconds;
use serde_json::Value;

const COUNT: u64 = 2_000_000;

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(COUNT);
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    copy_catalog(directory.path(), count);
    println!("{count} transfers, durability full");
    println!("{:<28} {:>9} {:>9} {:>12}", "", "seconds", "CPU", "documents/s");
    let total = Instant::now();
    for (step, task) in [
        ("capture, validate, append", "bank/simulation"),
        ("derive two deltas each, sum", "bank/balances"),
        ("store in a SQLite table", "bank/tables"),
    ] {
        let (begin, cpu_begin) = (Instant::now(), children_cpu_seconds());
        tidegate(directory.path(), &["run", "--until-idle", "--task", task]);
        let seconds = begin.elapsed().as_secs_f64();
        let cpu = children_cpu_seconds() - cpu_begin;
        println!("{step:<28} {seconds:>9.2} {cpu:>9.2} {:>12.0}", count as f64 / seconds);
    }
    let seconds = total.elapsed().as_secs_f64();
    println!("{:<28} {seconds:>9.2} {:>9} {:>12.0}", "all three", "", count as f64 / seconds);
    check_answer(directory.path());
}

fn copy_catalog(to: &Path, count: u64) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/catalogs/bank");
    for file in ["flow.yaml", "tests.flow.yaml", "decide.sql"] {
        let text = fs::read_to_string(from.join(file)).expect("the catalog has the file");
        let text = text.replace("count: 10000", &format!("count: {count}"));
        fs::write(to.join(file), text).expect("the file can be written");
    }
}

fn tidegate(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} ended with {}: {stderr}", output.status);
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// All money stays in the bank: balances sum to zero.
fn check_answer(directory: &Path) {
    let lines = tidegate(directory, &["read", "bank/balances", "--reduce"]);
    let balance = |line: &str| {
        let document: Value = serde_json::from_str(line).expect("each line is JSON");
        document.get("balance").and_then(Value::as_i64).expect("balances are whole numbers")
    };
    let (accounts, sum) =
        lines.lines().fold((0, 0), |(accounts, sum), line| (accounts + 1, sum + balance(line)));
    assert_eq!(sum, 0, "the balances do not sum to zero");
    println!("{accounts} accounts, their balances sum to zero");
}
