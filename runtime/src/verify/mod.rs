//! Catalog tests: ingest, run derivations in memory, compare.
//!
//! A case has a clock of its own that stands still while anything is due, so results repeat: they
//! depend neither on the wall clock nor on threads nor on other cases. Captures and
//! materializations take no part.

mod case;
mod catalog;
mod compare;
mod coverage;
mod derivation;
mod preview;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tidegate_stdlib::bundle::{Bundle, Failure, Test, TestOutcome, TestRun, TestStatus};

use crate::lambdas::ScriptPrograms;
use case::Case;
use catalog::TestCatalog;
use coverage::Coverage;
pub(crate) use preview::ingest_step;
pub use preview::{Preview, PreviewInput, preview};

/// Runs the tests of a bundle whose name contains `filter` (all when empty), in parallel; processes run below `root`, and
/// modules in `programs` or in this process.
///
/// # Errors
/// When the bundle is damaged. What stops one test is its outcome.
pub fn run_tests(
    bundle: &Bundle,
    root: &Path,
    programs: &ScriptPrograms,
    filter: &str,
) -> Result<TestRun, Failure> {
    let tests: Vec<&Test> =
        bundle.tests.values().filter(|test| test.name.contains(filter)).collect();
    let catalog = TestCatalog::new(bundle, root, programs)?;
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(tests.len()));
    let covered = Mutex::new(Coverage::default());
    let work = || {
        let mut coverage = Coverage::default();
        while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run_test(&catalog, test, &mut coverage);
            outcomes.lock().expect("no thread panics while it holds the lock").push(outcome);
        }
        covered.lock().expect("no thread panics while it holds the lock").merge(coverage);
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(tests.len()) {
            scope.spawn(work);
        }
    });
    let mut outcomes = outcomes.into_inner().expect("a panic has ended the scope already");
    outcomes.sort_by(|left, right| left.name.cmp(&right.name));
    let covered = covered.into_inner().expect("a panic has ended the scope already");
    Ok(TestRun { outcomes, coverage: covered.of_bundle(bundle) })
}

fn run_test<'b>(
    catalog: &TestCatalog<'b>,
    test: &Test,
    coverage: &mut Coverage<'b>,
) -> TestOutcome {
    let start = Instant::now();
    let mut failures = Vec::new();
    let mut case = Case::new(catalog);
    let run = case.run(test, &mut |failure| failures.push(failure));
    let error = run.and_then(|()| case.reset()).err();
    case.cover(coverage);
    let status = match (&error, failures.is_empty()) {
        (Some(_), _) => TestStatus::Error,
        (None, false) => TestStatus::Failed,
        (None, true) => TestStatus::Passed,
    };
    TestOutcome {
        name: test.name.clone(),
        origin: test.origin.clone(),
        status,
        duration_ms: start.elapsed().as_secs_f64() * 1000.0,
        failures,
        error,
        log: case.take_log(),
    }
}

#[cfg(test)]
mod tests;
