//! `test`: the tests of a catalog.

mod machine;
mod people;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_compiler::diag::render::Format;
use tidegate_compiler::diag::{Applicability, Diagnostic, Severity};
use tidegate_compiler::explain::{explain_failure, explain_outcome};
use tidegate_compiler::settings::Settings;
use tidegate_compiler::source::Sources;
use tidegate_compiler::world::World;
use tidegate_compiler::{Compilation, compile};
use tidegate_runtime::verify::run_tests;
use tidegate_stdlib::bundle::{Bundle, TestOutcome, TestRun, TestStatus};
use tidegate_stdlib::lambda::typescript::ScriptEngine;

use crate::args::{Output, Test};
use crate::catalog::{read_bundle, show_findings};
use crate::exit::{Exit, Stop};
use crate::fix::Repaired;
use crate::programs::find_programs;
use crate::report::{self, plural};
use crate::source::{Source, request};
use crate::terminal::Terminal;
use crate::watch::watch;

/// Rounds after which what the tests find is no longer accepted: it then depends on what was accepted.
const ROUNDS_MAX: usize = 8;

/// What came of compiling and testing.
struct Tested {
    sources: Sources,
    /// What the compiler found.
    findings: Vec<Diagnostic>,
    /// What the tests found.
    failures: Vec<Diagnostic>,
    /// How each test ended; nothing when there was nothing to run.
    run: Option<TestRun>,
}

/// Runs the tests and shows how they ended; the exit code follows from the same counts that are printed.
pub(crate) fn run(arguments: &Test, terminal: &Terminal) -> Result<Exit, Stop> {
    let (source, filter) = source_and_filter(arguments);
    let source = Source::find(source)?;
    if arguments.watch {
        return watch(terminal, |disk| {
            finish(test(&source, filter, arguments.js, disk)?, arguments, terminal)
        });
    }
    let mut repaired = Repaired::default();
    let mut tested = test(&source, filter, arguments.js, &repaired)?;
    if arguments.accept {
        if matches!(source, Source::Bundle(_)) {
            return Err(Stop::usage("the tests of a bundle cannot be changed")
                .help("name the catalog that it was built from"));
        }
        for _ in 0..ROUNDS_MAX {
            let (failures, sources) = (&tested.failures, &tested.sources);
            if repaired.apply(failures, sources, Applicability::Unsafe)? == 0 {
                break;
            }
            tested = test(&source, filter, arguments.js, &repaired)?;
        }
        let files = repaired.write()?;
        if files > 0 {
            terminal.note(&format!("  Accepted what is there, in {}", plural(files, "file")));
        }
    }
    finish(tested, arguments, terminal)
}

/// Shows how the tests ended.
fn finish(mut tested: Tested, arguments: &Test, terminal: &Terminal) -> Result<Exit, Stop> {
    report::name_for_people(&mut tested.sources);
    show(&mut tested, arguments, terminal)?;
    let is_green =
        |run: &TestRun| run.outcomes.iter().all(|outcome| outcome.status == TestStatus::Passed);
    let passed = tested.run.as_ref().is_some_and(is_green);
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

/// Compiles a catalog, or reads a bundle, and runs its tests.
fn test(
    source: &Source,
    filter: &str,
    js: ScriptEngine,
    world: &dyn World,
) -> Result<Tested, Stop> {
    let (bundle, root, mut sources, findings, settings): (Arc<Bundle>, _, _, _, _) = match source {
        Source::Bundle(directory) => {
            let (bundle, root) = (Arc::new(read_bundle(directory)?), PathBuf::from("."));
            (bundle, root, Sources::default(), Vec::new(), Settings::default())
        }
        Source::Catalog(catalog) => {
            let (request, root) = request(catalog)?;
            let Compilation { sources, diagnostics: findings, plan, settings, .. } =
                compile(world, &request);
            let Some(plan) = plan else {
                return Ok(Tested { sources, findings, failures: Vec::new(), run: None });
            };
            (Arc::new(plan.bundle), root, sources, findings, settings)
        }
    };
    let programs = find_programs(&bundle, js, &settings, |_| true)?;
    let run = match run_tests(&bundle, &root, &programs, filter) {
        Ok(run) => run,
        Err(failure) => {
            let failures = vec![explain_failure(&failure, &mut sources)];
            return Ok(Tested { sources, findings, failures, run: None });
        }
    };
    if run.outcomes.is_empty() && !filter.is_empty() {
        return Err(Stop::usage(format!("no test has `{filter}` in its name")));
    }
    let outcomes = run.outcomes.iter();
    let failures = outcomes.flat_map(|outcome| explain_outcome(outcome, &mut sources)).collect();
    Ok(Tested { sources, findings, failures, run: Some(run) })
}

/// Writes the report to where it was asked for.
fn show(tested: &mut Tested, arguments: &Test, terminal: &Terminal) -> Result<(), Stop> {
    let mut outputs = arguments.reporting.outputs.clone();
    let junit = arguments.junit.iter().cloned();
    outputs.extend(junit.map(|path| Output { format: Format::Junit, path }));
    for Output { format, path } in outputs {
        let text = machine::report(tested, format, None, arguments, terminal);
        std::fs::write(&path, text).map_err(|error| Stop::file("write", &path, &error))?;
    }
    let format = arguments.reporting.format;
    if format != Format::Human {
        // What a report of tests has no place for is told beside it.
        if matches!(format, Format::Json | Format::Jsonl) {
            show_findings(&tested.findings, &tested.sources, format, terminal);
        }
        let style = Some(terminal.style());
        terminal.result(&machine::report(tested, format, style, arguments, terminal));
        return Ok(());
    }
    show_findings(&tested.findings, &tested.sources, format, terminal);
    match &tested.run {
        Some(run) => {
            people::show(&run.outcomes, &mut tested.sources, terminal);
            if arguments.coverage {
                people::show_coverage(&run.coverage, &tested.sources, terminal);
            }
        }
        None => show_findings(&tested.failures, &tested.sources, format, terminal),
    }
    Ok(())
}

/// How many findings there are of a severity.
fn count(tested: &Tested, severity: Severity) -> usize {
    let all = tested.findings.iter().chain(&tested.failures);
    all.filter(|diagnostic| diagnostic.severity == severity).count()
}

/// How many tests passed, failed, and could not finish.
fn counts(outcomes: &[TestOutcome]) -> (usize, usize, usize) {
    let count = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
    (count(TestStatus::Passed), count(TestStatus::Failed), count(TestStatus::Error))
}
