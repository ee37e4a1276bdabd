//! Diagnostics: what is wrong, where, why, and what to do.
//!
//! Passes report into a [`Sink`]; nothing here prints. Each rule is declared once, by its page under `compiler/rules/`;
//! [`rules`] holds a constant per page, made by the build script.

mod allowance;
pub mod patch;
pub mod render;
pub mod repair;
pub mod rules;
mod words;

use crate::limits::DIAGNOSTICS_PER_FILE_MAX;
use crate::source::{FileId, Sources, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The catalog cannot be built.
    Error,
    /// The catalog can be built, but something deserves attention.
    Warning,
}

impl Severity {
    /// The word shown to people and machines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A rule: a kind of diagnostic, declared by its page.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Permanent name, such as `unknown-collection`.
    pub slug: &'static str,
    /// One line that says what it is about.
    pub title: &'static str,
    /// How bad it is unless settings say otherwise.
    pub severity: Severity,
    /// Whether it is only reported on request: by `--strict`, or by a level in the settings.
    pub is_hint: bool,
    /// The pass that reports it; `run` for failures at run time.
    pub pass: &'static str,
    /// The version it came with.
    pub since: &'static str,
    /// The page, in Markdown, without its head.
    pub page: &'static str,
}

/// A place and what is to be said there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Why here; lower case, no full stop; may be empty.
    pub text: String,
}

/// A change of text that repairs the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an imperative.
    pub message: String,
    /// Whether it keeps the meaning the user surely intended.
    pub applicability: Applicability,
    /// The edits; they do not overlap.
    pub edits: Vec<Edit>,
}

/// Whether a fix can be applied unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applicability {
    /// Applied by `check --fix`.
    Safe,
    /// Applied only with `--unsafe-fixes`.
    Unsafe,
}

/// Replaces the bytes of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub span: Span,
    /// The new text.
    pub text: String,
}

impl Fix {
    /// A safe fix that replaces one place.
    pub fn replace(span: Span, text: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            applicability: Applicability::Safe,
            edits: vec![Edit { span, text: text.into() }],
        }
    }

    /// The same fix, to be looked at before it is applied.
    #[must_use]
    pub fn unsafe_to_apply(mut self) -> Self {
        self.applicability = Applicability::Unsafe;
        self
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its rule.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong in the user's words: lower case, names in back-ticks, no full stop.
    pub message: String,
    /// The text that is wrong.
    pub primary: Label,
    /// Other places that explain it.
    pub others: Vec<Label>,
    /// Facts.
    pub notes: Vec<String>,
    /// What to do, as an imperative.
    pub help: Option<String>,
    /// A repair.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic of a rule at a place; words are added with the other methods.
    pub fn new(rule: &'static Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            message: words::on_one_line(message.into()),
            primary: Label { span, text: String::new() },
            others: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// All its places, the primary one first.
    pub fn places(&self) -> impl Iterator<Item = Span> {
        std::iter::once(&self.primary).chain(&self.others).map(|label| label.span)
    }

    /// The file of its primary place.
    pub fn file(&self) -> FileId {
        self.primary.span.file
    }

    /// Says why it is wrong here.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = words::on_one_line(text.into());
        self
    }

    /// Adds another place, where there is one.
    #[must_use]
    pub fn also(mut self, span: impl Into<Option<Span>>, text: impl Into<String>) -> Self {
        let other = span.into().filter(|span| *span != self.primary.span);
        let text = words::on_one_line(text.into());
        self.others.extend(other.map(|span| Label { span, text }));
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers a repair, if there is one.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into();
        self
    }
}

/// Collects the diagnostics of all passes.
#[derive(Debug, Default)]
pub struct Sink {
    diagnostics: Vec<Diagnostic>,
}

/// A moment in what a sink was told.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize);

impl Sink {
    /// Adds a diagnostic.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether any error was reported.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether any error was reported after a mark.
    pub fn has_errors_after(&self, mark: Mark) -> bool {
        let later = self.diagnostics.get(mark.0..).unwrap_or_default();
        later.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How much has been reported so far.
    pub fn mark(&self) -> Mark {
        Mark(self.diagnostics.len())
    }

    /// Of what was reported after a mark, keeps the diagnostics that are `sure`.
    pub fn retain_after(&mut self, mark: Mark, sure: impl Fn(&Diagnostic) -> bool) {
        let later = self.diagnostics.split_off(mark.0.min(self.diagnostics.len()));
        self.diagnostics.extend(later.into_iter().filter(sure));
    }

    /// What was reported, in this order.
    pub(crate) fn into_reported(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// Takes out what is only reported on request, unless it is `wanted`.
    pub(crate) fn take_hints(&mut self, wanted: impl Fn(&Rule) -> bool) -> Vec<Diagnostic> {
        let (hints, others) = std::mem::take(&mut self.diagnostics)
            .into_iter()
            .partition(|diagnostic| diagnostic.rule.is_hint && !wanted(diagnostic.rule));
        self.diagnostics = others;
        hints
    }

    /// Changes or removes what was reported so far.
    pub(crate) fn revise(&mut self, change: impl Fn(Diagnostic) -> Option<Diagnostic>) {
        self.diagnostics =
            std::mem::take(&mut self.diagnostics).into_iter().filter_map(change).collect();
    }

    /// All diagnostics, sorted by file name, place, severity and rule, without repetitions of one rule at one place.
    ///
    /// Of a file with very many diagnostics, the first are kept, errors before warnings.
    pub fn finish(mut self, sources: &Sources) -> Vec<Diagnostic> {
        self.diagnostics.sort_by(|left, right| {
            let key = |diagnostic: &Diagnostic| {
                let span = diagnostic.primary.span;
                (
                    sources.file(span.file).name.clone(),
                    span.range,
                    diagnostic.severity,
                    diagnostic.rule.slug,
                )
            };
            key(left).cmp(&key(right)).then_with(|| left.message.cmp(&right.message))
        });
        self.diagnostics.dedup_by(|later, earlier| {
            later.rule.slug == earlier.rule.slug && later.primary.span == earlier.primary.span
        });
        let files = self.diagnostics.chunk_by(|left, right| left.file() == right.file());
        files.flat_map(limited).collect()
    }
}

/// The diagnostics of one file as far as the limit goes, and how many there are beyond it.
fn limited(in_file: &[Diagnostic]) -> Vec<Diagnostic> {
    let over = in_file.len().saturating_sub(DIAGNOSTICS_PER_FILE_MAX);
    if over == 0 {
        return in_file.to_vec();
    }
    let errors = in_file.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let mut warnings_left = DIAGNOSTICS_PER_FILE_MAX.saturating_sub(errors.count());
    let mut errors_left = DIAGNOSTICS_PER_FILE_MAX;
    let mut kept = Vec::new();
    let mut first_over = None;
    for diagnostic in in_file {
        let left = match diagnostic.severity {
            Severity::Error => &mut errors_left,
            Severity::Warning => &mut warnings_left,
        };
        if *left > 0 {
            *left -= 1;
            kept.push(diagnostic.clone());
        } else {
            first_over.get_or_insert(diagnostic.primary.span);
        }
    }
    kept.extend(first_over.map(|span| too_many_diagnostics(span, over)));
    kept
}

fn too_many_diagnostics(span: Span, over: usize) -> Diagnostic {
    Diagnostic::new(
        &rules::TOO_MANY_DIAGNOSTICS,
        span,
        format!("{over} more diagnostics of this file are not shown"),
    )
    .label("the first of them is about this")
    .help("repair the others first")
}

/// The nearest of `candidates` to `name` by optimal string alignment, when it is at most a third of the length away.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let limit = name.chars().count() / 3;
    // Another case is one slip, however many letters it changes.
    let distance = |candidate: &str| match name.eq_ignore_ascii_case(candidate) {
        true => usize::from(name != candidate),
        false => strsim::osa_distance(name, candidate),
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= limit.max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use url::Url;

    use super::{Diagnostic, Severity, Sink, nearest, rules};
    use crate::source::{FileId, LineIndex, Range, Role, SourceFile, Sources};

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add(SourceFile {
            url: Url::parse("file:///a.yaml").expect("this is a URL"),
            name: "a.yaml".to_owned(),
            role: Role::Catalog,
            text: "".into(),
            lines: Arc::new(LineIndex::new("")),
            tree: None,
            specs: None,
            is_present: true,
        });
        sources
    }

    #[test]
    fn a_file_keeps_its_first_diagnostics_and_errors_before_warnings() {
        let mut sink = Sink::default();
        for place in 0..150 {
            let span = Range::new(place, place).in_file(FileId(0));
            let rule = if place < 140 { &rules::UNUSED_COLLECTION } else { &rules::UNKNOWN_FIELD };
            sink.report(Diagnostic::new(rule, span, "m"));
        }
        let kept = sink.finish(&sources());
        assert_eq!(kept.len(), 101);
        let is_error = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error;
        assert_eq!(kept.iter().filter(is_error).count(), 10);
        let last = kept.last().expect("there are some");
        assert_eq!(last.message, "50 more diagnostics of this file are not shown");
        assert_eq!(last.primary.span.range.start, 90);
    }

    #[test]
    fn one_rule_is_told_once_per_place() {
        let mut sink = Sink::default();
        for _ in 0..2 {
            let span = Range::new(0, 1).in_file(FileId(0));
            sink.report(Diagnostic::new(&rules::UNKNOWN_FIELD, span, "m"));
        }
        assert_eq!(sink.finish(&sources()).len(), 1);
    }

    #[test]
    fn suggestions_are_near() {
        assert_eq!(nearest("transform", ["transforms", "using"]), Some("transforms"));
        assert_eq!(nearest("owner", ["key", "schema"]), None);
    }
}
