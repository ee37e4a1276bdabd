//! Catalog tests: ingest, run derivations in memory, compare.
//!
//! A case has a clock of its own that stands still while anything is due, so results repeat: they
//! depend neither on the wall clock nor on threads nor on other cases. Captures and
//! materializations take no part.

mod case;
mod catalog;
mod compare;
mod derivation;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use tidegate_stdlib::bundle::{Bundle, Failure, Origin, Test};

use case::Case;
use catalog::TestCatalog;

/// How a test ended.
#[derive(Debug, Clone, Serialize)]
pub struct TestOutcome {
    /// The name.
    pub name: String,
    /// Where it is declared.
    pub origin: Origin,
    /// How it ended.
    pub status: TestStatus,
    /// How long it took.
    pub duration_ms: f64,
    /// What differed, by step.
    pub failures: Vec<StepFailure>,
    /// A lambda or schema failure that stopped it.
    pub error: Option<Failure>,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TestStatus {
    /// Everything was as expected.
    Passed,
    /// Documents differed.
    Failed,
    /// A task stopped.
    Error,
}

/// What differed in one verify step.
#[derive(Debug, Clone, Serialize)]
pub struct StepFailure {
    /// Index of the step, from 0.
    pub step: usize,
    /// The collection.
    pub collection: String,
    /// Where the step is declared.
    pub origin: Origin,
    /// One line about it.
    pub message: String,
    /// JSON pointers of the collection's key.
    pub key: Vec<String>,
    /// The differences in key order.
    pub differences: Vec<Difference>,
}

/// One difference between expected and actual documents.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The key values of the document.
    pub key: Vec<Value>,
    /// What kind.
    pub kind: DifferenceKind,
    /// JSON pointer in the document; empty when it is missing or extra as a whole.
    pub pointer: String,
    /// What was expected there.
    pub expected: Option<Value>,
    /// What was there.
    pub actual: Option<Value>,
    /// Where the expected document stands.
    pub origin: Option<Origin>,
}

/// Kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceKind {
    /// An expected document is not there.
    Missing,
    /// A document was not expected.
    Extra,
    /// A value differs.
    Changed,
}

/// Runs the tests of a bundle whose name contains `filter` (all when empty), in parallel; outcomes
/// in order of name.
///
/// # Errors
/// When the bundle is damaged. What stops one test is its outcome.
pub fn run_tests(bundle: &Bundle, filter: &str) -> Result<Vec<TestOutcome>, Failure> {
    let tests: Vec<&Test> =
        bundle.tests.values().filter(|test| test.name.contains(filter)).collect();
    let catalog = TestCatalog::new(bundle)?;
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(tests.len()));
    let work = || {
        while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run_test(&catalog, test);
            outcomes.lock().expect("no thread panics while it holds the lock").push(outcome);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(tests.len()) {
            scope.spawn(work);
        }
    });
    let mut outcomes = outcomes.into_inner().expect("a panic has ended the scope already");
    outcomes.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(outcomes)
}

fn run_test(catalog: &TestCatalog<'_>, test: &Test) -> TestOutcome {
    let start = Instant::now();
    let mut failures = Vec::new();
    let error = Case::new(catalog).run(test, &mut |failure| failures.push(failure)).err();
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
    }
}

#[cfg(test)]
mod tests;
