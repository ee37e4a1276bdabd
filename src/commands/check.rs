//! `check`: all findings of a catalog in one run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use tidegate_compiler::Compilation;
use tidegate_compiler::diag::render::Format;
use tidegate_compiler::diag::{Severity, rules};

use crate::args::{Check, Reporting};
use crate::catalog::{compile_file, read_bundle};
use crate::exit::{Exit, Stop};
use crate::report::{self, Counts, plural};
use crate::source::Source;
use crate::terminal::Terminal;

/// Checks every source; findings are the result, so they go to the standard output.
pub(crate) fn run(arguments: &Check, terminal: &Terminal) -> Result<Exit, Stop> {
    let mut compilations = Vec::new();
    let mut summaries = Vec::new();
    for catalog in catalogs(&arguments.sources)? {
        let started = Instant::now();
        let (mut compilation, _) = compile_file(&catalog)?;
        if arguments.deny.is_some() {
            raise_warnings(&mut compilation);
        }
        report::name_for_people(&mut compilation.sources);
        summaries.push(summary(&compilation, started.elapsed().as_millis(), terminal));
        compilations.push(compilation);
    }
    let Reporting { format, outputs } = &arguments.reporting;
    let report = report::of_compilations(&compilations, terminal);
    terminal.result(&format.render(&report));
    report::write(&report, outputs)?;
    if *format == Format::Human {
        summaries.iter().for_each(|summary| terminal.note(summary));
    }
    let mut findings = report.findings();
    let has_errors = findings.any(|(diagnostic, _)| diagnostic.severity == Severity::Error);
    Ok(if has_errors { Exit::Findings } else { Exit::Fine })
}

/// The catalog files to check; a bundle was checked when it was built, and only has to be whole.
fn catalogs(sources: &[PathBuf]) -> Result<Vec<PathBuf>, Stop> {
    let named: Vec<Option<&Path>> = if sources.is_empty() {
        vec![None]
    } else {
        sources.iter().map(|source| Some(source.as_path())).collect()
    };
    let mut catalogs = Vec::new();
    for source in named {
        match Source::find(source)? {
            Source::Catalog(catalog) => catalogs.push(catalog),
            Source::Bundle(directory) => drop(read_bundle(&directory)?),
        }
    }
    Ok(catalogs)
}

fn raise_warnings(compilation: &mut Compilation) {
    for diagnostic in &mut compilation.diagnostics {
        diagnostic.severity = Severity::Error;
    }
}

fn summary(compilation: &Compilation, milliseconds: u128, terminal: &Terminal) -> String {
    let counts = Counts::of(compilation);
    if counts.errors + counts.warnings == 0 {
        return format!("  Checked {}   in {milliseconds} ms", counts.words(terminal));
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
