//! `test`: the tests of a catalog.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tidegate_compiler::diag::render::Format;
use tidegate_compiler::diag::render::json::SCHEMA_VERSION;
use tidegate_compiler::explain::explain_failure;
use tidegate_compiler::source::Sources;
use tidegate_runtime::verify::{
    Difference, DifferenceKind, StepFailure, TestOutcome, TestStatus, run_tests,
};

use crate::args::{ResultFormat, Test};
use crate::catalog::{Runnable, runnable, show_findings};
use crate::exit::{Exit, Stop};
use crate::report::{self, Counts, plural};
use crate::terminal::Terminal;

/// Differences of one step that are shown to people.
const DIFFERENCES_SHOWN_MAX: usize = 20;

/// Runs the tests and shows how they ended; the exit code follows from the same counts that are printed.
pub(crate) fn run(arguments: &Test, terminal: &Terminal) -> Result<Exit, Stop> {
    let (source, filter) = source_and_filter(arguments);
    let Runnable { bundle, mut sources, .. } =
        match runnable(source, arguments.format.into(), terminal)? {
            Ok(runnable) => runnable,
            Err(exit) => return Ok(exit),
        };
    let outcomes = match run_tests(&bundle, filter) {
        Ok(outcomes) => named_for_people(outcomes, &sources),
        Err(failure) => {
            let diagnostic = explain_failure(&failure, &mut sources);
            show_findings(&[diagnostic], &sources, arguments.format.into(), terminal);
            return Ok(Exit::Findings);
        }
    };
    if outcomes.is_empty() && !filter.is_empty() {
        return Err(Stop::usage(format!("no test has `{filter}` in its name")));
    }
    match arguments.format {
        ResultFormat::Json => terminal.line(&to_json(&outcomes).to_string()),
        ResultFormat::Jsonl => outcomes.iter().for_each(|outcome| {
            terminal.line(&outcome_json(outcome).to_string());
        }),
        ResultFormat::Human | ResultFormat::Concise => {
            show(&outcomes, &mut sources, arguments.format, terminal);
        }
    }
    let passed = outcomes.iter().all(|outcome| outcome.status == TestStatus::Passed);
    Ok(if passed { Exit::Fine } else { Exit::Findings })
}

/// A single argument that is no path is a filter: `tidegate test revenue` does what one expects.
fn source_and_filter(arguments: &Test) -> (Option<&Path>, &str) {
    match arguments.source.as_deref() {
        Some(source) if arguments.filter.is_empty() && !source.exists() => {
            (None, source.to_str().unwrap_or_default())
        }
        source => (source, &arguments.filter),
    }
}

/// Names the files of tests and steps as people would type them.
fn named_for_people(mut outcomes: Vec<TestOutcome>, sources: &Sources) -> Vec<TestOutcome> {
    let mut named = sources.clone();
    report::name_for_people(&mut named);
    let names: BTreeMap<&str, &str> = sources
        .files()
        .zip(named.files())
        .map(|((_, file), (_, named))| (file.name.as_str(), named.name.as_str()))
        .collect();
    let rename = |path: &mut String| {
        if let Some(name) = names.get(path.as_str()) {
            (*name).clone_into(path);
        }
    };
    for outcome in &mut outcomes {
        rename(&mut outcome.origin.path);
        for failure in &mut outcome.failures {
            rename(&mut failure.origin.path);
        }
    }
    outcomes
}

fn show(
    outcomes: &[TestOutcome],
    sources: &mut Sources,
    format: ResultFormat,
    terminal: &Terminal,
) {
    let width = outcomes.iter().map(|outcome| outcome.name.chars().count()).max().unwrap_or(0);
    for outcome in outcomes {
        let mark = match outcome.status {
            TestStatus::Passed => terminal.check_mark(),
            TestStatus::Failed | TestStatus::Error => terminal.cross_mark(),
        };
        let mut line = format!("  {mark} {:width$}  {:>6.1} ms", outcome.name, outcome.duration_ms);
        if outcome.status != TestStatus::Passed {
            line.push_str(&format!("   {}:{}", outcome.origin.path, outcome.origin.line));
        }
        if outcome.status != TestStatus::Passed || !terminal.is_quiet() {
            terminal.line(&line);
        }
        if let Some(failure) = &outcome.error {
            let diagnostic = explain_failure(failure, sources);
            let mut named = sources.clone();
            report::name_for_people(&mut named);
            let findings = [(std::slice::from_ref(&diagnostic), &named)];
            let report = report::of_catalogs(findings, Counts::default(), terminal);
            terminal.result(&Format::from(format).render(&report));
        }
        for failure in &outcome.failures {
            show_step(failure, terminal);
        }
    }
    let (passed, failed, errors) = counts(outcomes);
    let mut parts = vec![format!("{passed} passed")];
    if failed > 0 {
        parts.push(terminal.bad(&format!("{failed} failed")));
    }
    if errors > 0 {
        parts.push(terminal.bad(&format!("{errors} could not finish")));
    }
    terminal.line(&format!(
        "\n  {}{}{}",
        plural(outcomes.len(), "test"),
        terminal.dot(),
        parts.join(", ")
    ));
}

fn show_step(failure: &StepFailure, terminal: &Terminal) {
    terminal.line(&format!(
        "      {}   {}   (key: {})   {}:{}",
        failure.collection,
        failure.message,
        failure.key.join(", "),
        failure.origin.path,
        failure.origin.line,
    ));
    let mut shown_key: Option<&[Value]> = None;
    for difference in failure.differences.iter().take(DIFFERENCES_SHOWN_MAX) {
        if shown_key != Some(difference.key.as_slice()) {
            terminal.line(&format!("        {}", key_text(&failure.key, &difference.key)));
            shown_key = Some(&difference.key);
        }
        terminal.line(&format!("            {}", difference_text(difference)));
    }
    let more = failure.differences.len().saturating_sub(DIFFERENCES_SHOWN_MAX);
    if more > 0 {
        terminal.line(&format!("        and {}", plural(more, "more difference")));
    }
}

fn key_text(pointers: &[String], values: &[Value]) -> String {
    let pairs: Vec<String> = pointers
        .iter()
        .zip(values)
        .map(|(pointer, value)| format!("{}: {value}", pointer.trim_start_matches('/')))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn difference_text(difference: &Difference) -> String {
    let show = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string)
    };
    match difference.kind {
        DifferenceKind::Missing => format!("missing   {}", show(&difference.expected)),
        DifferenceKind::Extra => format!("extra     {}", show(&difference.actual)),
        DifferenceKind::Changed => format!(
            "{}   expected {}   actual {}",
            if difference.pointer.is_empty() { "(whole document)" } else { &difference.pointer },
            show(&difference.expected),
            show(&difference.actual)
        ),
    }
}

fn counts(outcomes: &[TestOutcome]) -> (usize, usize, usize) {
    let count = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
    (count(TestStatus::Passed), count(TestStatus::Failed), count(TestStatus::Error))
}

fn to_json(outcomes: &[TestOutcome]) -> Value {
    let (passed, failed, errors) = counts(outcomes);
    json!({
        "schema_version": SCHEMA_VERSION,
        "tests": outcomes.iter().map(outcome_json).collect::<Vec<_>>(),
        "summary": {"passed": passed, "failed": failed, "errors": errors},
    })
}

fn outcome_json(outcome: &TestOutcome) -> Value {
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
        "name": outcome.name, "status": outcome.status, "file": outcome.origin.path,
        "line": outcome.origin.line, "duration_ms": duration_ms, "failures": failures,
    });
    if let (Some(error), Some(object)) = (&outcome.error, object.as_object_mut()) {
        object.insert("error".to_owned(), json!(error));
    }
    object
}
