//! JUnit XML, which nearly every build server reads: a suite, and in it a case per file.
//!
//! A file with errors is a case that failed, with a failure for each; warnings are what a case has printed. No
//! durations are given, so that equal catalogs give equal reports.

use std::collections::BTreeMap;

use super::{Report, concise, words};
use crate::diag::{Diagnostic, Severity};
use crate::source::Sources;

/// The case of findings that no file has a place of.
const COMMAND_LINE: &str = "command line";

/// One case of a suite.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// How long it took, where that is told.
    pub time_ms: Option<f64>,
    /// Why it failed; nothing when it passed.
    pub failures: Vec<Failure>,
    /// What it printed.
    pub output: String,
}

/// Why a case failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The rule.
    pub kind: String,
    /// One line.
    pub message: String,
    /// The whole story.
    pub text: String,
}

/// All files with their findings as one document.
pub fn report(report: &Report<'_>) -> String {
    let cases: Vec<Case> =
        cases(report).into_iter().map(|(file, findings)| case(file, &findings)).collect();
    write("check", &cases)
}

/// A suite as a document.
pub fn write(suite: &str, cases: &[Case]) -> String {
    let failed = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\"", cases.len());
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&format!("<testsuites name=\"tidegate\" {counts}>\n"));
    text.push_str(&format!("  <testsuite name=\"{suite}\" {counts}>\n"));
    cases.iter().for_each(|case| write_case(suite, case, &mut text));
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn write_case(suite: &str, case: &Case, text: &mut String) {
    let time = case.time_ms.map_or_else(String::new, |time_ms| {
        format!(" time=\"{:.6}\"", time_ms / MILLISECONDS)
    });
    let name = escape(&case.name);
    text.push_str(&format!("    <testcase classname=\"{suite}\" name=\"{name}\"{time}"));
    if case.failures.is_empty() && case.output.is_empty() {
        text.push_str("/>\n");
        return;
    }
    text.push_str(">\n");
    for failure in &case.failures {
        text.push_str(&format!(
            "      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
            escape(&failure.kind),
            escape(&failure.message),
            escape(&failure.text),
        ));
    }
    if !case.output.is_empty() {
        text.push_str(&format!("      <system-out>{}</system-out>\n", escape(&case.output)));
    }
    text.push_str("    </testcase>\n");
}

/// In a second.
const MILLISECONDS: f64 = 1_000.0;

/// The findings of each file that was read or of which there is something to say, by its name.
fn cases<'f>(report: &Report<'f>) -> BTreeMap<&'f str, Vec<(&'f Diagnostic, &'f Sources)>> {
    let files = report.catalogs.iter().flat_map(|catalog| catalog.sources.files());
    let mut cases: BTreeMap<_, Vec<_>> = files
        .filter(|(_, file)| file.has_places())
        .map(|(_, file)| (file.name.as_str(), Vec::new()))
        .collect();
    for (diagnostic, sources) in report.findings() {
        let file = sources.file(diagnostic.file());
        let name = if file.has_places() { file.name.as_str() } else { COMMAND_LINE };
        cases.entry(name).or_default().push((diagnostic, sources));
    }
    cases
}

fn case(file: &str, findings: &[(&Diagnostic, &Sources)]) -> Case {
    let (failures, others): (Vec<_>, Vec<_>) =
        findings.iter().partition(|(diagnostic, _)| is_failure(diagnostic));
    let failures = failures.into_iter().map(|(diagnostic, sources)| Failure {
        kind: diagnostic.rule.slug.to_owned(),
        message: diagnostic.message.clone(),
        text: placed_story(diagnostic, sources),
    });
    let stories: Vec<String> =
        others.iter().map(|(diagnostic, sources)| placed_story(diagnostic, sources)).collect();
    Case {
        name: file.to_owned(),
        time_ms: None,
        failures: failures.collect(),
        output: stories.join("\n\n"),
    }
}

fn is_failure(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

fn placed_story(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let line = concise::render(std::slice::from_ref(diagnostic), sources);
    let story = words::whole_story(diagnostic, sources);
    let rest = story.strip_prefix(&diagnostic.message).unwrap_or_default();
    format!("{}{rest}", line.trim_end())
}

/// Text for an element or an attribute; characters that XML cannot hold become the replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ if character.is_control() && character < ' ' => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
