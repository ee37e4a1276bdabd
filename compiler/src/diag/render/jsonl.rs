//! For machines that read line by line: the JSON object of each diagnostic on a line of its own.

use super::{Report, json};

/// All findings, a line each.
pub fn report(report: &Report<'_>) -> String {
    report
        .findings()
        .map(|(diagnostic, sources)| format!("{}\n", json::diagnostic(diagnostic, sources)))
        .collect()
}
