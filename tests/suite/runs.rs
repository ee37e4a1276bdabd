//! Pages of failures at run time, run by the real runtime in a directory of their own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use libtest_mimic::Failed;
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::Rule;
use tidegate_compiler::explain::{explain_failure, explain_outcome};
use tidegate_runtime::ScriptPrograms;
use tidegate_runtime::engine::{Observer, RunRequest, TaskReport, run as run_engine};
use tidegate_runtime::store::Durability;
use tidegate_runtime::verify::run_tests;
use tidegate_stdlib::bundle::{Failure, TaskName};

use super::compile::{compile_files, concise_text};
use super::files;
use super::marks::{Marked, describe};
use super::pages::Examples;

/// Runs the examples of a page one after the other on the same data directory, as a user would.
pub(super) fn run(rule: &Rule, examples: &Examples) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    if let Some(before) = &examples.before {
        expect_success("in what ran before", before, directory.path())?;
    }
    expect_failure(rule, &examples.broken, directory.path())?;
    expect_success("in the repaired example", &examples.repaired, directory.path())
}

/// Runs the tests of the catalogs of a page.
pub(super) fn test(rule: &Rule, examples: &Examples) -> Result<(), Failed> {
    for (name, marked) in [("the first", &examples.broken), ("the repaired", &examples.repaired)] {
        let mut compilation = compile_files(&marked.files);
        let Some(plan) = compilation.plan.take() else {
            return Err(format!("does not compile:\n{}", concise_text(&compilation)).into());
        };
        let outcomes = run_tests(&plan.bundle, Path::new(""), &ScriptPrograms::default(), "")
            .map_err(|failure| failure.message)?
            .outcomes;
        let sources = &mut compilation.sources;
        let diagnostics: Vec<_> =
            outcomes.iter().flat_map(|outcome| explain_outcome(outcome, sources)).collect();
        marked
            .compare(&diagnostics, sources, Some(rule.slug))
            .map_err(|problems| format!("in {name} example\n{problems}"))?;
    }
    Ok(())
}

fn expect_success(example: &str, marked: &Marked, directory: &Path) -> Result<(), Failed> {
    let (compilation, failures) = execute(marked, directory)?;
    let Compilation { mut sources, .. } = compilation;
    match failures.first() {
        None => Ok(()),
        Some(failure) => {
            let diagnostic = explain_failure(failure, &mut sources);
            Err(format!("{example} not expected: {}", describe(&diagnostic, &sources)).into())
        }
    }
}

fn expect_failure(rule: &Rule, marked: &Marked, directory: &Path) -> Result<(), Failed> {
    let (compilation, failures) = execute(marked, directory)?;
    let Compilation { mut sources, .. } = compilation;
    let diagnostics: Vec<_> =
        failures.iter().map(|failure| explain_failure(failure, &mut sources)).collect();
    marked
        .compare(&diagnostics, &sources, Some(rule.slug))
        .map_err(|problems| format!("in the first example\n{problems}").into())
}

/// Compiles and runs until idle. Gives every failure, also one that kept everything from starting.
fn execute(marked: &Marked, directory: &Path) -> Result<(Compilation, Vec<Failure>), Failed> {
    let root = directory.join("catalog");
    for (path, bytes) in &marked.files {
        // A source reads a file anew when it was written anew.
        let path = root.join(path);
        if std::fs::read(&path).ok().as_ref() != Some(bytes) {
            files::write(&path, bytes);
        }
    }
    let mut compilation = compile_files(&marked.files);
    let Some(plan) = compilation.plan.take() else {
        return Err(format!("does not compile:\n{}", concise_text(&compilation)).into());
    };
    let request = RunRequest {
        bundle: Arc::new(plan.bundle),
        data: directory.join("data"),
        root,
        until_idle: true,
        only: BTreeSet::new(),
        programs: ScriptPrograms::default(),
        ingest: Vec::new(),
        fixture: None,
        skip_materializations: false,
        restart: BTreeSet::new(),
        durability: Durability::Off,
        memory_bytes: 64 << 20,
    };
    let warnings = Warnings::default();
    let result = run_engine(&request, &warnings, &AtomicBool::new(false));
    let mut failures = warnings.0.into_inner().unwrap_or_default();
    match result {
        Ok(reports) => failures.extend(reports.into_iter().filter_map(|report| report.failed)),
        Err(failure) => failures.push(failure),
    }
    Ok((compilation, failures))
}

/// Keeps what deserves attention; failures come with the reports.
#[derive(Default)]
struct Warnings(Mutex<Vec<Failure>>);

impl Observer for Warnings {
    fn committed(&self, _: &TaskReport) {}
    fn warned(&self, warning: &Failure) {
        self.0.lock().expect("no test panics here").push(warning.clone());
    }
    fn failed(&self, _: &TaskName, _: &Failure) {}
}
