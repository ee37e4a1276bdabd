//! `check`: all findings of a catalog in one run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use tidegate_compiler::Compilation;
use tidegate_compiler::diag::render::Format;
use tidegate_compiler::diag::{Applicability, Diagnostic, Severity, rules};
use tidegate_compiler::session::Session;
use tidegate_compiler::world::World;

use crate::args::{Check, Reporting};
use crate::catalog::{analyze_in, read_bundle};
use crate::disk::Disk;
use crate::exit::{Exit, Stop};
use crate::fetch;
use crate::fix::Repaired;
use crate::report::{self, Counts, plural};
use crate::source::{Source, request};
use crate::terminal::Terminal;
use crate::types::{self, Checker, TypeCheck};
use crate::watch::watch;

/// Checks every source, once or until the user interrupts; findings are the result, so they go to the standard output.
pub(crate) fn run(arguments: &Check, terminal: &Terminal) -> Result<Exit, Stop> {
    let catalogs = catalogs(&arguments.sources, terminal)?;
    let mut sessions: Vec<(&PathBuf, Session)> =
        catalogs.iter().map(|catalog| (catalog, Session::default())).collect();
    if arguments.watch {
        return watch(terminal, |disk| {
            check(arguments, disk, &mut sessions, terminal).map(|(exit, _)| exit)
        });
    }
    let (exit, compilations) = check(arguments, &Disk, &mut sessions, terminal)?;
    // The process ends here. To take thousands of trees apart first would be a tenth of its time.
    std::mem::forget((compilations, sessions));
    Ok(exit)
}

/// Checks every catalog once. Each has a session, which knows what was found before.
fn check(
    arguments: &Check,
    world: &dyn World,
    sessions: &mut [(&PathBuf, Session)],
    terminal: &Terminal,
) -> Result<(Exit, Vec<Compilation>), Stop> {
    let mut repaired = Repaired::default();
    let mut compilations = Vec::new();
    let mut summaries = Vec::new();
    for (catalog, session) in sessions {
        if arguments.fetch {
            fetch::fill(catalog, terminal)?;
        }
        let started = Instant::now();
        let mut compilation = match wanted_fixes(arguments) {
            Some(wanted) => repaired.repair(catalog, wanted)?,
            None => analyze_in(world, catalog, session)?,
        };
        let checker =
            if arguments.types { add_type_errors(catalog, &mut compilation)? } else { None };
        if arguments.strict {
            compilation.demand_hints();
        }
        if arguments.deny.is_some() {
            raise_warnings(&mut compilation);
        }
        report::name_for_people(&mut compilation.sources);
        let milliseconds = started.elapsed().as_millis();
        summaries.push(summary(&compilation, checker.as_ref(), milliseconds, terminal));
        compilations.push(compilation);
    }
    let report = report::of_compilations(&compilations, terminal);
    let exit = if arguments.diff { show(&repaired, terminal) } else { write(&repaired, terminal)? };
    let Reporting { format, outputs } = &arguments.reporting;
    if !arguments.diff {
        terminal.result(&format.render(&report));
    }
    report::write(&report, outputs)?;
    if *format == Format::Human {
        summaries.iter().for_each(|summary| terminal.note(summary));
    }
    let mut findings = report.findings();
    let has_errors = findings.any(|(diagnostic, _)| diagnostic.severity == Severity::Error);
    drop(findings);
    Ok((if has_errors { Exit::Findings } else { exit }, compilations))
}

/// Adds what the type checker finds, where nothing else is wrong: of a module that is not understood it says the same again. Gives the
/// checker that was asked, if one was.
fn add_type_errors(catalog: &Path, compilation: &mut Compilation) -> Result<Option<Checker>, Stop> {
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    if compilation.diagnostics.iter().any(is_error) {
        return Ok(None);
    }
    let (request, _) = request(catalog)?;
    let root = request.root.to_file_path().unwrap_or_default();
    let Some(TypeCheck { checker, findings }) = types::check(compilation, &root)? else {
        return Ok(None);
    };
    compilation.diagnostics.extend(findings);
    Ok(Some(checker))
}

/// Which fixes are applied.
const fn wanted_fixes(arguments: &Check) -> Option<Applicability> {
    match (arguments.fix, arguments.unsafe_fixes) {
        (false, _) => None,
        (true, false) => Some(Applicability::Safe),
        (true, true) => Some(Applicability::Unsafe),
    }
}

/// Shows what the fixes would change; that they would change something is a finding.
fn show(repaired: &Repaired, terminal: &Terminal) -> Exit {
    let patch = repaired.patch();
    terminal.result(&patch);
    if repaired.applied > 0 {
        terminal.note(&format!("  Would apply {}", fixes(repaired.applied)));
    }
    if patch.is_empty() { Exit::Fine } else { Exit::Findings }
}

fn write(repaired: &Repaired, terminal: &Terminal) -> Result<Exit, Stop> {
    let files = repaired.write()?;
    if repaired.applied > 0 {
        let files = plural(files, "file");
        terminal.note(&format!("  Applied {} in {files}", fixes(repaired.applied)));
    }
    Ok(Exit::Fine)
}

/// The catalog files to check; a bundle was checked when it was built, and only has to be whole.
fn catalogs(sources: &[PathBuf], terminal: &Terminal) -> Result<Vec<PathBuf>, Stop> {
    let named: Vec<Option<&Path>> = if sources.is_empty() {
        vec![None]
    } else {
        sources.iter().map(|source| Some(source.as_path())).collect()
    };
    let mut catalogs = Vec::new();
    for source in named {
        match Source::find(source)? {
            Source::Catalog(catalog) => catalogs.push(catalog),
            Source::Bundle(directory) => {
                read_bundle(&directory)?;
                terminal.note(&format!("  `{}` is a whole bundle", directory.display()));
            }
        }
    }
    Ok(catalogs)
}

fn raise_warnings(compilation: &mut Compilation) {
    for diagnostic in &mut compilation.diagnostics {
        diagnostic.severity = Severity::Error;
    }
}

fn summary(
    compilation: &Compilation,
    checker: Option<&Checker>,
    milliseconds: u128,
    terminal: &Terminal,
) -> String {
    let counts = Counts::of(compilation);
    if counts.errors + counts.warnings == 0 {
        let types = checker.map(|it| format!("{}types by {}", terminal.dot(), it.name()));
        let types = types.unwrap_or_default();
        return format!("  Checked {}{types}   in {milliseconds} ms", counts.words(terminal));
    }
    let mut parts = Vec::new();
    if counts.errors > 0 {
        parts.push(plural(counts.errors, "error"));
    }
    if counts.warnings > 0 {
        parts.push(plural(counts.warnings, "warning"));
    }
    let mut files: Vec<_> =
        compilation.diagnostics.iter().map(|diagnostic| diagnostic.primary.span.file).collect();
    files.sort_unstable();
    files.dedup();
    let mut text = format!("  {} in {}", parts.join(", "), plural(files.len(), "file"));
    if let Some(proofs) = counts.proofs() {
        text.push_str(&format!("{}{proofs}", terminal.dot()));
    }
    if let Some(rule) = compilation
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.rule.slug)
        .find(|slug| rules::by_slug(slug).is_some())
    {
        text.push_str(&format!("{}why: tidegate explain {rule}", terminal.dot()));
    }
    text
}

/// `1 fix`, `2 fixes`.
fn fixes(count: usize) -> String {
    if count == 1 { "1 fix".to_owned() } else { format!("{count} fixes") }
}
