//! What one task would publish or store for given documents, in memory.
//!
//! The documents are ingested as the steps of a catalog test, so a preview repeats: its clock is simulated, delayed reads run
//! once nothing else is due, and no endpoint or data directory is touched. Derivations upstream of the task run with it, for its
//! input is what they publish. The time of publication is not shown, since nothing is published.

use std::path::Path;

use serde_json::{Map, Value, json};
use tidegate_stdlib::bundle::{
    Bundle, Column, ColumnRole, Failure, FailureKind, Materialization, MaterializationBinding,
    Task, TaskKind, TaskName, Test, TestAction, TestStep, UUID_POINTER,
};
use tidegate_stdlib::document::Document;
use tidegate_stdlib::lambda::typescript::LogLine;
use tidegate_stdlib::value::Pointer;

use super::case::Case;
use super::catalog::{Combining, TestCatalog};
use crate::fixture::Fixture;
use crate::lambdas::ScriptPrograms;
use crate::violation::SchemaSide;

/// Where the documents of a preview come from.
#[derive(Debug, Clone, Copy)]
pub enum PreviewInput<'p> {
    /// What the tests of the catalog ingest, each test by itself.
    Tests,
    /// The text of a fixture; its times are not looked at.
    Fixture(&'p str),
}

/// What came of one input.
#[derive(Debug)]
pub struct Preview {
    /// The name of the test, when a test gave the input.
    pub test: Option<String>,
    /// The documents of a derivation, or of a materialization pairs of a table and a row.
    pub outputs: Vec<Value>,
    /// What lambdas logged, in order.
    pub log: Vec<LogLine>,
}

/// Runs a derivation or materialization and gives what it would publish or store, input by input; processes run below `root`, and
/// modules in `programs` or in this process.
///
/// # Errors
/// A failure of the task or of one upstream of it, a fixture that cannot be read, and a capture, whose endpoint would have to be
/// read.
pub fn preview(
    bundle: &Bundle,
    root: &Path,
    programs: &ScriptPrograms,
    task: &TaskName,
    input: PreviewInput<'_>,
) -> Result<Vec<Preview>, Failure> {
    let catalog = TestCatalog::new(bundle, root, programs)?;
    let inputs: Vec<(Option<String>, Test)> = match input {
        PreviewInput::Tests => {
            bundle.tests.values().map(|test| (Some(test.name.clone()), ingests(test))).collect()
        }
        PreviewInput::Fixture(text) => vec![(None, Fixture::parse(text, bundle)?.test())],
    };
    let previews = inputs.into_iter().map(|(test, steps)| {
        let mut case = Case::new(&catalog);
        case.run(&steps, &mut |_| {})?;
        let outputs = match bundle.tasks.get(task) {
            Some(Task::Derivation(derivation)) => case.documents(&derivation.collection),
            Some(Task::Materialization(materialization)) => {
                rows(materialization, &case, &catalog).map_err(|failure| failure.of(task))?
            }
            Some(Task::Capture(_)) | None => return Err(without_preview(task)),
        };
        Ok(Preview { test, outputs, log: case.take_log() })
    });
    previews.collect()
}

/// A test without what it verifies.
fn ingests(test: &Test) -> Test {
    let steps = test.steps.iter().filter(|step| step.action == TestAction::Ingest);
    Test { steps: steps.cloned().collect(), ..test.clone() }
}

fn without_preview(task: &TaskName) -> Failure {
    let message = match task.kind {
        TaskKind::Capture => format!("the capture `{}` would have to read its endpoint", task.name),
        TaskKind::Derivation | TaskKind::Materialization | TaskKind::Ingest => {
            format!("there is no task `{}`", task.name)
        }
    };
    Failure::new(FailureKind::ConnectorUnavailable, message)
        .help("run it into a directory of its own: `tidegate run --task NAME --data DIR`")
}

/// The rows of all bindings, each with its table.
fn rows(
    materialization: &Materialization,
    case: &Case<'_, '_>,
    catalog: &TestCatalog<'_>,
) -> Result<Vec<Value>, Failure> {
    let mut rows = Vec::new();
    for binding in &materialization.bindings {
        let source = &binding.source.collection;
        let rules = catalog.rules(source, SchemaSide::Read)?;
        let documents =
            case.documents(source).into_iter().map(|value| Document::from_value(&value));
        let documents: Vec<Document> = if binding.delta_updates {
            documents.collect()
        } else {
            let mut combining = Combining::for_comparison(rules);
            for document in documents {
                combining.admit(document.root())?;
            }
            combining.drain()?
        };
        let table = table_name(binding);
        rows.extend(documents.iter().map(|document| json!([table, row(binding, document)])));
    }
    Ok(rows)
}

/// The name of the table, or else the resource as it is told to people.
fn table_name(binding: &MaterializationBinding) -> String {
    let table = binding.table.as_ref().map(|table| table.name.clone());
    table.unwrap_or_else(|| binding.resource_path.join("/"))
}

/// The columns of a document, or the whole of it where there are no columns.
fn row(binding: &MaterializationBinding, document: &Document) -> Value {
    let Some(table) = &binding.table else { return document.root().to_value() };
    let columns = table.columns.iter().filter(|column| column.pointer != UUID_POINTER);
    Value::Object(
        columns.map(|column| (column.name.clone(), value(column, document))).collect::<Map<_, _>>(),
    )
}

fn value(column: &Column, document: &Document) -> Value {
    if column.role == ColumnRole::Document {
        return document.root().to_value();
    }
    let pointer = Pointer::parse(&column.pointer).unwrap_or_default();
    let found = document.root().query(&pointer).map(|node| node.to_value());
    found.or_else(|| column.default.clone()).unwrap_or_default()
}

/// A step that ingests documents.
pub(crate) fn ingest_step(collection: &str, documents: Vec<Value>) -> TestStep {
    TestStep {
        action: TestAction::Ingest,
        collection: collection.to_owned(),
        partitions: None,
        description: String::new(),
        documents,
        document_origins: Vec::new(),
        origin: tidegate_stdlib::bundle::Origin::default(),
    }
}
