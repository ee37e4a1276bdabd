//! `preview`: what one task would publish or store, in memory.

use tidegate_compiler::diag::render::Format;
use tidegate_compiler::explain::explain_failure;
use tidegate_runtime::verify::{PreviewInput, preview};
use tidegate_stdlib::bundle::{TaskKind, TaskName};

use super::run::{read_fixture, unknown};
use crate::args::Preview;
use crate::catalog::{Runnable, runnable, show_findings};
use crate::exit::{Exit, Stop};
use crate::programs::find_programs;
use crate::terminal::Terminal;

/// Prints a line of JSON for every document or row.
pub(crate) fn run(arguments: &Preview, terminal: &Terminal) -> Result<Exit, Stop> {
    let format = Format::Human;
    let Runnable { bundle, mut sources, root, settings } =
        match runnable(arguments.source.as_deref(), format, terminal)? {
            Ok(runnable) => runnable,
            Err(exit) => return Ok(exit),
        };
    let kinds = [TaskKind::Derivation, TaskKind::Materialization, TaskKind::Capture];
    let tasks = kinds.map(|kind| TaskName { kind, name: arguments.task.clone() });
    let Some(task) = tasks.iter().find(|task| bundle.tasks.contains_key(*task)) else {
        let known = bundle.tasks.keys().map(|task| task.name.as_str());
        return Err(unknown("task", &arguments.task, known));
    };
    if task.kind == TaskKind::Capture {
        let message = format!("the capture `{}` would have to read its endpoint", task.name);
        return Err(Stop::usage(message).help(format!(
            "run it into a directory of its own: tidegate run --task {} --data DIR",
            task.name
        )));
    }
    let fixture = arguments.fixture.as_deref().map(read_fixture).transpose()?;
    let input = fixture.as_deref().map_or(PreviewInput::Tests, PreviewInput::Fixture);
    if fixture.is_none() && bundle.tests.is_empty() {
        return Err(Stop::usage("the catalog has no tests to take documents from")
            .help("name a file of documents: --fixture FILE"));
    }
    let programs = find_programs(&bundle, arguments.js, &settings, |_| true)?;
    let previews = match preview(&bundle, &root, &programs, task, input) {
        Ok(previews) => previews,
        Err(failure) => {
            let diagnostic = explain_failure(&failure, &mut sources);
            show_findings(&[diagnostic], &sources, format, terminal);
            return Ok(Exit::TaskFailed);
        }
    };
    let mut left = arguments.limit.unwrap_or(usize::MAX);
    for preview in previews {
        for line in &preview.log {
            terminal.note(&format!("  {}: {}", line.level, line.text));
        }
        if let Some(test) = preview.test.filter(|_| left > 0 && !preview.outputs.is_empty()) {
            terminal.note(&format!("  from what `{test}` ingests"));
        }
        for output in preview.outputs.iter().take(left) {
            terminal.line(&output.to_string());
        }
        left = left.saturating_sub(preview.outputs.len());
    }
    Ok(Exit::Fine)
}
