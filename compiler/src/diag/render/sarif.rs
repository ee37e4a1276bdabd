//! SARIF 2.1.0, which code scanning services and editors read.
//!
//! The rules that something was found of come with their pages. Columns count code points. Fingerprints do not depend on lines,
//! so that a finding stays the same when text is added above it.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::fingerprint::fingerprints;
use super::{Report, words};
use crate::diag::{Applicability, Diagnostic, Edit, Fix, Label, Rule};
use crate::source::{FileId, SourceFile, Sources, Span};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Bytes of a path that a relative reference cannot hold as they are; a colon would end a scheme.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// All findings as one log with one run.
pub fn report(report: &Report<'_>) -> String {
    let rules = reported_rules(report);
    let results: Vec<Value> = report
        .findings()
        .zip(fingerprints(report))
        .map(|((diagnostic, sources), fingerprint)| {
            result(diagnostic, sources, &rules, &fingerprint)
        })
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tidegate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().copied().map(descriptor).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// The rules of the findings, sorted by slug.
fn reported_rules(report: &Report<'_>) -> Vec<&'static Rule> {
    let mut rules: Vec<_> = report.findings().map(|(diagnostic, _)| diagnostic.rule).collect();
    rules.sort_unstable_by_key(|rule| rule.slug);
    rules.dedup_by_key(|rule| rule.slug);
    rules
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.slug,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": rule.severity.word()},
        "properties": {"pass": rule.pass, "since": rule.since},
    })
}

fn result(
    diagnostic: &Diagnostic,
    sources: &Sources,
    rules: &[&Rule],
    fingerprint: &str,
) -> Value {
    let mut lines = vec![diagnostic.message.clone()];
    lines.extend(words::explanation(diagnostic));
    let has_places = |label: &&Label| sources.file(label.span.file).has_places();
    let others = diagnostic.others.iter().filter(has_places).zip(1..);
    let related: Vec<Value> =
        others.map(|(label, id)| related_location(label, id, sources)).collect();
    let primary = Some(&diagnostic.primary).filter(has_places);
    let locations: Vec<Value> = primary
        .map(|label| json!({"physicalLocation": physical_location(label.span, sources)}))
        .into_iter()
        .collect();
    let mut result = json!({
        "ruleId": diagnostic.rule.slug,
        "ruleIndex": rules.iter().position(|rule| rule.slug == diagnostic.rule.slug),
        "level": diagnostic.severity.word(),
        "message": {"text": lines.join("\n")},
        "locations": locations,
        "relatedLocations": related,
        "partialFingerprints": {"tidegate/v1": fingerprint},
    });
    let fix = diagnostic.fix.as_ref().map(|each| json!([fix(each, sources)]));
    if let (Some(fixes), Some(result)) = (fix, result.as_object_mut()) {
        result.insert("fixes".to_owned(), fixes);
    }
    result
}

fn related_location(label: &Label, id: usize, sources: &Sources) -> Value {
    json!({
        "id": id,
        "message": {"text": label.text},
        "physicalLocation": physical_location(label.span, sources),
    })
}

fn physical_location(span: Span, sources: &Sources) -> Value {
    json!({
        "artifactLocation": artifact(sources.file(span.file)),
        "region": region(span, sources),
    })
}

/// A file by its name, as a reference relative to the working directory, or by its URL.
fn artifact(file: &SourceFile) -> Value {
    if file.name == file.url.as_str() {
        return json!({"uri": file.name});
    }
    json!({"uri": utf8_percent_encode(&file.name, ENCODED).to_string()})
}

fn region(span: Span, sources: &Sources) -> Value {
    let (start, end) = words::ends(span, sources);
    json!({
        "startLine": start.line, "startColumn": start.column,
        "endLine": end.line, "endColumn": end.column,
        "byteOffset": span.range.start, "byteLength": span.range.end - span.range.start,
    })
}

fn fix(fix: &Fix, sources: &Sources) -> Value {
    let applicability = match fix.applicability {
        Applicability::Safe => "safe",
        Applicability::Unsafe => "unsafe",
    };
    let mut files: Vec<FileId> = fix.edits.iter().map(|edit| edit.span.file).collect();
    files.sort_unstable();
    files.dedup();
    let changes: Vec<Value> = files
        .into_iter()
        .map(|file| {
            let edits = fix.edits.iter().filter(|edit| edit.span.file == file);
            let replacements: Vec<Value> = edits.map(|each| replacement(each, sources)).collect();
            json!({
                "artifactLocation": artifact(sources.file(file)), "replacements": replacements,
            })
        })
        .collect();
    json!({
        "description": {"text": fix.message},
        "artifactChanges": changes,
        "properties": {"applicability": applicability},
    })
}

fn replacement(edit: &Edit, sources: &Sources) -> Value {
    json!({"deletedRegion": region(edit.span, sources), "insertedContent": {"text": edit.text}})
}
