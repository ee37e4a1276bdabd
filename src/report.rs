//! Findings in the format that was asked for.

use std::path::Path;

use serde_json::{Value, json};
use tidegate_compiler::Compilation;
use tidegate_compiler::check::Proof;
use tidegate_compiler::diag::render::{Findings, Report};
use tidegate_compiler::diag::{Diagnostic, Severity};
use tidegate_compiler::source::{SourceFile, Sources};

use crate::args::Output;
use crate::exit::Stop;
use crate::terminal::Terminal;

/// How many of what a catalog has, for summaries.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Errors.
    pub(crate) errors: usize,
    /// Warnings.
    pub(crate) warnings: usize,
    /// Files.
    pub(crate) files: usize,
    /// Collections, derivations among them.
    pub(crate) collections: usize,
    /// Captures.
    pub(crate) captures: usize,
    /// Derivations.
    pub(crate) derivations: usize,
    /// Materializations.
    pub(crate) materializations: usize,
    /// Tests.
    pub(crate) tests: usize,
    /// Lambdas that could be prepared.
    pub(crate) lambdas: usize,
    /// Lambdas whose rows surely fit.
    pub(crate) proved: usize,
}

impl Counts {
    /// What a compilation holds.
    pub(crate) fn of(compilation: &Compilation) -> Self {
        let mut counts = Self::default();
        for (_, file) in compilation.sources.files() {
            counts.files += 1;
            let Some(specs) = &file.specs else { continue };
            counts.collections += specs.collections.len();
            counts.derivations +=
                specs.collections.iter().filter(|collection| collection.derive.is_some()).count();
            counts.captures += specs.captures.len();
            counts.materializations += specs.materializations.len();
            counts.tests += specs.tests.len();
        }
        let derivations =
            compilation.checked.collections.iter().filter_map(|it| it.derivation.as_ref());
        for proof in derivations.flat_map(|it| &it.transforms).filter_map(|it| it.proof) {
            counts.lambdas += 1;
            counts.proved += usize::from(proof == Proof::Proved);
        }
        for diagnostic in &compilation.diagnostics {
            match diagnostic.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
            }
        }
        counts
    }

    /// The sum of two catalogs.
    pub(crate) fn add(&mut self, other: Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.files += other.files;
        self.collections += other.collections;
        self.captures += other.captures;
        self.derivations += other.derivations;
        self.materializations += other.materializations;
        self.tests += other.tests;
        self.lambdas += other.lambdas;
        self.proved += other.proved;
    }

    /// The `summary` of machine formats.
    pub(crate) fn json(self) -> Value {
        json!({
            "errors": self.errors, "warnings": self.warnings, "files": self.files,
            "collections": self.collections, "captures": self.captures,
            "derivations": self.derivations, "materializations": self.materializations,
            "tests": self.tests, "lambdas": self.lambdas, "lambdas_proved": self.proved,
        })
    }

    /// `7 of 9 lambdas proved`; nothing where there are none.
    pub(crate) fn proofs(self) -> Option<String> {
        let lambdas = plural(self.lambdas, "lambda");
        (self.lambdas > 0).then(|| format!("{} of {lambdas} proved", self.proved))
    }

    /// `4 collections · 1 capture · …`, without what there is none of.
    pub(crate) fn words(self, terminal: &Terminal) -> String {
        let words: Vec<String> = [
            (self.collections, "collection"),
            (self.captures, "capture"),
            (self.derivations, "derivation"),
            (self.materializations, "materialization"),
            (self.tests, "test"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| plural(count, noun))
        .collect();
        let words: Vec<String> = words.into_iter().chain(self.proofs()).collect();
        if words.is_empty() { "an empty catalog".to_owned() } else { words.join(terminal.dot()) }
    }
}

/// `1 file`, `2 files`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Names every file as people would type it: relative to the working directory where it lies below it.
pub(crate) fn name_for_people(sources: &mut Sources) {
    let here = std::env::current_dir().ok();
    sources.rename(|file: &SourceFile| {
        let path = file.url.to_file_path().ok()?;
        let below = path.strip_prefix(here.as_ref()?).ok()?;
        below.to_str().map(str::to_owned)
    });
}

/// A path as people would type it: relative to the working directory where it lies below it.
pub(crate) fn name_of_path(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}

/// The report of some findings in files that have been [named for people](name_for_people).
pub(crate) fn of_catalogs<'f>(
    catalogs: impl IntoIterator<Item = (&'f [Diagnostic], &'f Sources)>,
    counts: Counts,
    terminal: &Terminal,
) -> Report<'f> {
    let findings = |(diagnostics, sources)| Findings { diagnostics, sources };
    Report {
        catalogs: catalogs.into_iter().map(findings).collect(),
        summary: counts.json(),
        style: terminal.style(),
    }
}

/// The report of some compilations, whose files have been [named for people](name_for_people).
pub(crate) fn of_compilations<'f>(
    compilations: &'f [Compilation],
    terminal: &Terminal,
) -> Report<'f> {
    let mut counts = Counts::default();
    for compilation in compilations {
        counts.add(Counts::of(compilation));
    }
    let catalogs = compilations.iter().map(|each| (each.diagnostics.as_slice(), &each.sources));
    of_catalogs(catalogs, counts, terminal)
}

/// Writes a report into the files that were asked for; they get no colours.
pub(crate) fn write(report: &Report<'_>, outputs: &[Output]) -> Result<(), Stop> {
    let mut report = report.clone();
    report.style.color = false;
    for Output { format, path } in outputs {
        std::fs::write(path, format.render(&report))
            .map_err(|error| Stop::file("write", path, &error))?;
    }
    Ok(())
}
