//! How catalog tests ended, as the runtime finds it and the compiler explains it.

use serde::Serialize;
use serde_json::Value;

use super::{Failure, Origin};
use crate::lambda::typescript::LogLine;

/// What came of all tests.
#[derive(Debug, Clone, Default)]
pub struct TestRun {
    /// How each test ended, in order of name.
    pub outcomes: Vec<TestOutcome>,
    /// What the tests made run, in order of collection and transform.
    pub coverage: Vec<TransformCoverage>,
}

/// How much of a transform the tests made run.
#[derive(Debug, Clone, Serialize)]
pub struct TransformCoverage {
    /// The derived collection.
    pub collection: String,
    /// The transform.
    pub transform: String,
    /// Where it is declared.
    pub origin: Origin,
    /// Documents that it has read.
    pub documents: u64,
    /// Its statements in order.
    pub statements: Vec<StatementCoverage>,
}

/// How much a statement did in tests.
#[derive(Debug, Clone, Serialize)]
pub struct StatementCoverage {
    /// Where it stands.
    pub origin: Origin,
    /// Rows that it gave or changed.
    pub effects: u64,
}

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
    /// What lambdas logged, in order.
    #[serde(skip)]
    pub log: Vec<LogLine>,
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
    /// Where each expected document stands.
    pub document_origins: Vec<Origin>,
    /// One line about it.
    pub message: String,
    /// JSON pointers of the collection's key.
    pub key: Vec<String>,
    /// The differences in key order.
    pub differences: Vec<Difference>,
    /// All actual documents in key order.
    pub actual: Vec<ActualDocument>,
}

/// A document that was there when a step compared.
#[derive(Debug, Clone, Serialize)]
pub struct ActualDocument {
    /// The document, without its UUID.
    pub document: Value,
    /// The index of the expected document that it was compared with; nothing for one too many.
    pub expected: Option<usize>,
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
    /// The index of the expected document; nothing for one too many.
    #[serde(skip)]
    pub document: Option<usize>,
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
