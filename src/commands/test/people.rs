//! Tests for people: a line each, and below it what differs, by key.

use serde_json::Value;
use tidegate_compiler::diag::render::Format;
use tidegate_compiler::explain::{explain_failure, named};
use tidegate_compiler::source::Sources;
use tidegate_stdlib::bundle::{
    Difference, DifferenceKind, Origin, StepFailure, TestOutcome, TestStatus, TransformCoverage,
};

use super::counts;
use crate::report::{self, Counts, plural};
use crate::terminal::Terminal;

/// Differences of one step that are shown.
const DIFFERENCES_SHOWN_MAX: usize = 20;

/// Shows every test with what differs in it, and how many passed.
pub(super) fn show(outcomes: &[TestOutcome], sources: &mut Sources, terminal: &Terminal) {
    let width = outcomes.iter().map(|outcome| outcome.name.chars().count()).max().unwrap_or(0);
    for outcome in outcomes {
        let mark = match outcome.status {
            TestStatus::Passed => terminal.check_mark(),
            TestStatus::Failed | TestStatus::Error => terminal.cross_mark(),
        };
        let mut line = format!("  {mark} {:width$}  {:>6.1} ms", outcome.name, outcome.duration_ms);
        if outcome.status != TestStatus::Passed {
            line.push_str(&format!(
                "   {}:{}",
                named(&outcome.origin, sources),
                outcome.origin.line
            ));
        }
        if outcome.status != TestStatus::Passed || !terminal.is_quiet() {
            terminal.line(&line);
        }
        if let Some(failure) = &outcome.error {
            let diagnostic = explain_failure(failure, sources);
            let findings = [(std::slice::from_ref(&diagnostic), &*sources)];
            let report = report::of_catalogs(findings, Counts::default(), terminal);
            terminal.result(&Format::Human.render(&report));
        }
        for failure in &outcome.failures {
            show_step(failure, sources, terminal);
        }
        if outcome.status != TestStatus::Passed {
            for line in &outcome.log {
                terminal.note(&format!("      {}: {}", line.level, line.text));
            }
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

/// Shows how many transforms and statements the tests made do something, and where the others are.
pub(super) fn show_coverage(
    coverage: &[TransformCoverage],
    sources: &Sources,
    terminal: &Terminal,
) {
    let statements = || coverage.iter().flat_map(|transform| &transform.statements);
    let transforms_covered = coverage.iter().filter(|transform| transform.documents > 0).count();
    let statements_covered = statements().filter(|statement| statement.effects > 0).count();
    terminal.line(&format!(
        "  {transforms_covered} of {} read documents{}{statements_covered} of {} had an effect",
        plural(coverage.len(), "transform"),
        terminal.dot(),
        plural(statements().count(), "statement"),
    ));
    for transform in coverage {
        let name = format!("`{}` of `{}`", transform.transform, transform.collection);
        let tell = |origin: &Origin, text: &str| {
            let place = named(origin, sources);
            terminal.line(&format!("    {place}:{}:{}   {text}", origin.line, origin.column));
        };
        if transform.documents == 0 {
            tell(&transform.origin, &format!("{name} read no document"));
            continue;
        }
        for (index, statement) in transform.statements.iter().enumerate() {
            if statement.effects == 0 {
                let number = index + 1;
                tell(
                    &statement.origin,
                    &format!("statement {number} of {name} gave and changed no row"),
                );
            }
        }
    }
}

fn show_step(failure: &StepFailure, sources: &Sources, terminal: &Terminal) {
    terminal.line(&format!(
        "      {}   {}   (key: {})   {}:{}",
        failure.collection,
        failure.message,
        failure.key.join(", "),
        named(&failure.origin, sources),
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

/// The key of a document, as in `{id: 1}`.
pub(super) fn key_text(pointers: &[String], values: &[Value]) -> String {
    let pairs: Vec<String> = pointers
        .iter()
        .zip(values)
        .map(|(pointer, value)| format!("{}: {value}", pointer.trim_start_matches('/')))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// One line about a difference.
pub(super) fn difference_text(difference: &Difference) -> String {
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
