//! The code quality report of GitLab, which shows it in merge requests.
//!
//! A finding has the fingerprint that it has in SARIF, so that GitLab knows it again when its line has moved.

use serde_json::{Value, json};

use super::fingerprint::fingerprints;
use super::{Report, words};
use crate::diag::Severity;
use crate::source::{Position, SourceFile};

/// All findings as one JSON array.
pub fn report(report: &Report<'_>) -> String {
    let findings = report.findings().zip(fingerprints(report));
    let issues: Vec<Value> = findings
        .map(|((diagnostic, sources), fingerprint)| {
            let (start, end) = words::ends(diagnostic.primary.span, sources);
            json!({
                "description": diagnostic.message,
                "check_name": diagnostic.rule.slug,
                "fingerprint": fingerprint,
                "severity": severity(diagnostic.severity),
                "content": {"body": words::whole_story(diagnostic, sources)},
                "location": {
                    "path": path(sources.file(diagnostic.file())),
                    "positions": {"begin": position(start), "end": position(end)},
                },
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(issues))
}

/// The report demands a path; what concerns the command line is shown at the working directory.
fn path(file: &SourceFile) -> &str {
    if file.has_places() { &file.name } else { "." }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
    }
}

fn position(position: Position) -> Value {
    json!({"line": position.line, "column": position.column})
}
