//! JUnit XML, which nearly every build server reads: a suite, and in it a case per file.
//!
//! A file with errors is a case that failed, with a failure for each; warnings are what a case has printed. No
//! durations are given, so that equal catalogs give equal reports.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Report, concise, words};
use crate::diag::{Diagnostic, Severity};
use crate::source::Sources;

/// The case of findings that no file has a place of.
const COMMAND_LINE: &str = "command line";

/// All files with their findings as one document.
pub fn report(report: &Report<'_>) -> String {
    let cases = cases(report);
    let has_failed =
        |case: &&Vec<(&Diagnostic, &Sources)>| case.iter().any(|(each, _)| is_failure(each));
    let (all, failed) = (cases.len(), cases.values().filter(has_failed).count());
    let counts = format!("tests=\"{all}\" failures=\"{failed}\" errors=\"0\"");
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    write!(text, "<testsuites name=\"tidegate\" {counts}>\n  <testsuite name=\"check\" {counts}>\n")
        .expect("a string takes text");
    for (file, findings) in cases {
        case(file, &findings, &mut text);
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

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

fn case(file: &str, findings: &[(&Diagnostic, &Sources)], text: &mut String) {
    let name = escape(file);
    if findings.is_empty() {
        writeln!(text, "    <testcase classname=\"check\" name=\"{name}\"/>")
            .expect("a string takes text");
        return;
    }
    writeln!(text, "    <testcase classname=\"check\" name=\"{name}\">").expect("a string takes text");
    let (failures, others): (Vec<_>, Vec<_>) =
        findings.iter().partition(|(diagnostic, _)| is_failure(diagnostic));
    for (diagnostic, sources) in failures {
        writeln!(
            text,
            "      <failure type=\"{}\" message=\"{}\">{}</failure>",
            diagnostic.rule.slug,
            escape(&diagnostic.message),
            escape(&placed_story(diagnostic, sources)),
        )
        .expect("a string takes text");
    }
    if !others.is_empty() {
        let stories: Vec<String> =
            others.iter().map(|(diagnostic, sources)| placed_story(diagnostic, sources)).collect();
        writeln!(text, "      <system-out>{}</system-out>", escape(&stories.join("\n\n")))
            .expect("a string takes text");
    }
    text.push_str("    </testcase>\n");
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
