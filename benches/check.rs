//! `check` of a large catalog, cold: CPU time of the release binary over a generated catalog.
//!
//! `cargo bench --bench check [-- COLLECTIONS]` generates a catalog of 1,000 collections (or COLLECTIONS), which has to be free of
//! findings.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod generate;
mod measure;

use std::path::Path;
use std::process::Command;

use generate::write_catalog;
use measure::{Measured, measure, median};

const COLLECTIONS: usize = 1000;
const RUNS: usize = 5;

fn main() {
    let count = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(COLLECTIONS);
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let (files, bytes) = write_catalog(directory.path(), count);
    println!("{count} collections in {files} files, {:.1} MB", bytes as f64 / 1e6);
    let Measured { seconds, cpu_seconds, peak_mib } =
        median((0..RUNS).map(|_| check(directory.path())).collect());
    println!(
        "median of {RUNS}: {:.0} ms CPU, {:.0} ms, {peak_mib:.0} MiB",
        cpu_seconds * 1e3,
        seconds * 1e3
    );
}

/// One check, which has to find nothing.
fn check(directory: &Path) -> Measured {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    measure(command.args(["check", "--deny", "warnings"]).current_dir(directory))
}
