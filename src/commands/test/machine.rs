//! Tests for machines: every format that findings have, with the tests where the format knows of tests.

use serde_json::{Value, json};
use tidegate_compiler::diag::Severity;
use tidegate_compiler::diag::render::json::SCHEMA_VERSION;
use tidegate_compiler::diag::render::{Format, Style, junit};
use tidegate_compiler::explain::named;
use tidegate_compiler::source::Sources;
use tidegate_stdlib::bundle::{StatementCoverage, StepFailure, TestOutcome, TransformCoverage};

use super::people::{difference_text, key_text};
use super::{Tested, count, counts};
use crate::args::Test;
use crate::report::{self, Counts};
use crate::terminal::Terminal;

/// The report in a format. Without a style it is for a file, and gets no colours.
pub(super) fn report(
    tested: &Tested,
    format: Format,
    style: Option<Style>,
    arguments: &Test,
    terminal: &Terminal,
) -> String {
    let Tested { sources, findings, failures, run } = tested;
    let outcomes = run.as_ref().map(|run| &run.outcomes);
    match (format, outcomes) {
        (Format::Json, Some(outcomes)) => {
            let mut object = to_json(outcomes, sources);
            if let (Some(run), Some(object), true) =
                (run, object.as_object_mut(), arguments.coverage)
            {
                object.insert("coverage".to_owned(), coverage_json(&run.coverage, sources));
            }
            format!("{object}\n")
        }
        (Format::Jsonl, Some(outcomes)) => {
            let lines = outcomes.iter().map(|outcome| outcome_json(outcome, sources));
            lines.map(|line| format!("{line}\n")).collect()
        }
        (Format::Junit, Some(outcomes)) => {
            junit::write("test", &outcomes.iter().map(case).collect::<Vec<_>>())
        }
        _ => {
            let counts = Counts {
                errors: count(tested, Severity::Error),
                warnings: count(tested, Severity::Warning),
                tests: outcomes.map_or(0, Vec::len),
                ..Counts::default()
            };
            let all = [(findings.as_slice(), sources), (failures.as_slice(), sources)];
            let mut report = report::of_catalogs(all, counts, terminal);
            match style {
                Some(style) => report.style = style,
                None => report.style.color = false,
            }
            format.render(&report)
        }
    }
}

fn case(outcome: &TestOutcome) -> junit::Case {
    let step = |failure: &StepFailure| junit::Failure {
        kind: "test-failed".to_owned(),
        message: format!("{}: {}", failure.collection, failure.message),
        text: failure
            .differences
            .iter()
            .map(|difference| {
                let key = key_text(&failure.key, &difference.key);
                format!("{key} {}\n", difference_text(difference))
            })
            .collect(),
    };
    let error = outcome.error.as_ref().map(|failure| junit::Failure {
        kind: failure.kind.slug().to_owned(),
        message: failure.message.clone(),
        text: failure.document.as_ref().map(Value::to_string).unwrap_or_default(),
    });
    junit::Case {
        name: outcome.name.clone(),
        time_ms: Some(outcome.duration_ms),
        failures: outcome.failures.iter().map(step).chain(error).collect(),
        output: String::new(),
    }
}

fn to_json(outcomes: &[TestOutcome], sources: &Sources) -> Value {
    let (passed, failed, errors) = counts(outcomes);
    json!({
        "schema_version": SCHEMA_VERSION,
        "tests": outcomes
            .iter()
            .map(|outcome| outcome_json(outcome, sources))
            .collect::<Vec<_>>(),
        "summary": {"passed": passed, "failed": failed, "errors": errors},
    })
}

fn coverage_json(coverage: &[TransformCoverage], sources: &Sources) -> Value {
    let transform = |transform: &TransformCoverage| {
        let statement = |statement: &StatementCoverage| {
            json!({
                "file": named(&statement.origin, sources), "line": statement.origin.line,
                "column": statement.origin.column, "effects": statement.effects,
            })
        };
        json!({
            "collection": transform.collection, "transform": transform.transform,
            "file": named(&transform.origin, sources), "line": transform.origin.line,
            "documents": transform.documents,
            "statements": transform.statements.iter().map(statement).collect::<Vec<_>>(),
        })
    };
    json!({"transforms": coverage.iter().map(transform).collect::<Vec<_>>()})
}

fn outcome_json(outcome: &TestOutcome, sources: &Sources) -> Value {
    let failures: Vec<Value> = outcome
        .failures
        .iter()
        .map(|failure| {
            json!({
                "step": failure.step, "collection": failure.collection,
                "message": failure.message, "differences": failure.differences,
            })
        })
        .collect();
    // Microseconds are as exact as a clock gets.
    let duration_ms = (outcome.duration_ms * 1_000.0).round() / 1_000.0;
    let mut object = json!({
        "name": outcome.name, "status": outcome.status, "file": named(&outcome.origin, sources),
        "line": outcome.origin.line, "duration_ms": duration_ms, "failures": failures,
    });
    if let (Some(error), Some(object)) = (&outcome.error, object.as_object_mut()) {
        object.insert("error".to_owned(), json!(error));
    }
    object
}
