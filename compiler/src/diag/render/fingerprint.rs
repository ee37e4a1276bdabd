//! What makes a finding the same finding in the next report, though lines were added above it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{Report, json};

/// A fingerprint for each finding of a report, in order: of its rule, its file and the JSON pointer of its place, and
/// of how many findings of that kind came before. Thirty-two hexadecimal digits, no two alike.
pub(super) fn fingerprints(report: &Report<'_>) -> Vec<String> {
    let mut seen: BTreeMap<(&str, &str, String), usize> = BTreeMap::new();
    let mut fingerprints = Vec::new();
    for (diagnostic, sources) in report.findings() {
        let file = &sources.file(diagnostic.file()).name;
        let pointer = json::pointer(diagnostic.primary.span, sources).unwrap_or_default();
        let place = format!("{}\0{file}\0{pointer}", diagnostic.rule.slug);
        let before = seen.entry((diagnostic.rule.slug, file, pointer)).or_default();
        fingerprints.push(digest(&format!("{place}\0{before}")));
        *before += 1;
    }
    fingerprints
}

fn digest(text: &str) -> String {
    let digits = Sha256::digest(text.as_bytes());
    digits.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
