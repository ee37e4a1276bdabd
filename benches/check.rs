//! `check` of a large catalog, cold: CPU time of the release binary over a generated catalog.
//!
//! `cargo bench --bench check [-- COLLECTIONS]` generates a catalog of 1,000 collections (or COLLECTIONS), which has to be free of
//! findings.

#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod generate;
mod measure;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use generate::write_catalog;
use measure::children_cpu_seconds;

const COLLECTIONS: usize = 1000;
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
