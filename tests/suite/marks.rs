//! Marks: comments at the end of lines that demand a diagnostic there.

use std::collections::BTreeMap;

use tidegate_compiler::diag::{Diagnostic, Severity};
use tidegate_compiler::source::Sources;

use crate::markdown::Fence;

/// A diagnostic that a line demands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The path of the file.
    pub(super) path: String,
    /// The line, from 1.
    pub(super) line: u32,
    severity: Severity,
    slug: Option<String>,
    text: String,
}

/// The files of a catalog and what their lines demand.
#[derive(Debug, Default)]
pub(super) struct Marked {
    /// Files by path, without marks.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// The marks in order.
    pub(super) marks: Vec<Mark>,
}

impl Marked {
    /// Adds the file of a fence; it takes the place of an earlier one of the same path.
    pub(super) fn add(&mut self, path: &str, fence: &Fence) {
        self.marks.retain(|mark| mark.path != path);
        let mut text = String::new();
        for (number, line) in (1..).zip(fence.text.split_inclusive('\n')) {
            let (mut content, end) = match line.strip_suffix('\n') {
                Some(content) => (content, "\n"),
                None => (line, ""),
            };
            let mut marks = Vec::new();
            while let Some((rest, mark)) = last_mark(content, path, number) {
                marks.push(mark);
                content = rest;
            }
            self.marks.extend(marks.into_iter().rev());
            text.push_str(content);
            text.push_str(end);
        }
        self.files.insert(path.to_owned(), content(fence, text));
    }

    /// Compares diagnostics with the marks. A mark without slug means `default_rule`.
    pub(super) fn compare(
        &self,
        diagnostics: &[Diagnostic],
        sources: &Sources,
        default_rule: Option<&str>,
    ) -> Result<(), String> {
        let mut unmet: Vec<&Mark> = self.marks.iter().collect();
        let mut problems = Vec::new();
        for diagnostic in diagnostics {
            let met = unmet.iter().position(|mark| mark.is_met(diagnostic, sources, default_rule));
            match met {
                Some(index) => drop(unmet.remove(index)),
                None => problems.push(format!("not expected: {}", describe(diagnostic, sources))),
            }
        }
        for mark in unmet {
            let slug = mark.slug.as_deref().or(default_rule).unwrap_or("any rule");
            let Mark { path, line, severity, text, .. } = mark;
            let severity = severity.word();
            problems
                .push(format!("expected but missing: {path}:{line}: {severity}[{slug}] {text}"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }
}

impl Mark {
    fn is_met(
        &self,
        diagnostic: &Diagnostic,
        sources: &Sources,
        default_rule: Option<&str>,
    ) -> bool {
        let span = diagnostic.primary.span;
        let slug = self.slug.as_deref().or(default_rule);
        // A page's bare mark says where, and the rule says how bad it is.
        let is_severity = self.slug.is_none() || diagnostic.severity == self.severity;
        sources.file(span.file).name == self.path
            && sources.position(span).line == self.line
            && slug == Some(diagnostic.rule.slug)
            && is_severity
            && diagnostic.message.contains(&self.text)
    }
}

/// The bytes of a file: its text, unless an attribute says `bytes=hex` or `repeat=N`.
fn content(fence: &Fence, text: String) -> Vec<u8> {
    if fence.attributes.iter().any(|attribute| attribute == "bytes=hex") {
        let digits = text.split_whitespace();
        return digits
            .map(|byte| u8::from_str_radix(byte, 16).expect("bytes are two hexadecimal digits"))
            .collect();
    }
    let times = fence.attributes.iter().find_map(|attribute| attribute.strip_prefix("repeat="));
    let times = times.map_or(1, |times| times.parse().expect("times are a number"));
    text.repeat(times).into_bytes()
}

/// One line about a diagnostic.
pub(super) fn describe(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let span = diagnostic.primary.span;
    let position = sources.position(span);
    format!(
        "{}:{}:{}: {}[{}] {}",
        sources.file(span.file).name,
        position.line,
        position.column,
        diagnostic.severity.word(),
        diagnostic.rule.slug,
        diagnostic.message,
    )
}

/// The line without its last mark, and the mark.
fn last_mark<'l>(line: &'l str, path: &str, number: u32) -> Option<(&'l str, Mark)> {
    let signs = ["# error", "# warning", "-- error", "-- warning"];
    let start = signs.iter().filter_map(|sign| line.rfind(sign)).max()?;
    let (before, mark) = line.split_at(start);
    if !before.is_empty() && !before.ends_with(' ') {
        return None;
    }
    let word = mark.trim_start_matches(['#', '-', ' ']);
    let (severity, rest) = match word.strip_prefix("error") {
        Some(rest) => (Severity::Error, rest),
        None => (Severity::Warning, word.strip_prefix("warning")?),
    };
    let (slug, text) = match rest.trim_end() {
        "" => (None, String::new()),
        rest => {
            let (slug, text) = rest.strip_prefix(": [")?.split_once(']')?;
            let text = match text.trim() {
                "" => "",
                quoted => quoted.strip_prefix('"')?.strip_suffix('"')?,
            };
            (Some(slug.to_owned()), text.to_owned())
        }
    };
    let mark = Mark { path: path.to_owned(), line: number, severity, slug, text };
    Some((before.trim_end(), mark))
}
