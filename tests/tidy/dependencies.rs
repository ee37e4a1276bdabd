//! What the project depends on.

use std::process::Command;

use serde_json::Value;

use super::files;

/// Crates that must not come in: they need what a bare machine lacks, or take minutes to build.
const FORBIDDEN: [&str; 8] =
    ["aws-lc-rs", "aws-lc-sys", "openssl-sys", "bindgen", "rops", "serde_yaml", "tokio", "rocksdb"];

/// Licences that everything may be used under.
const LICENCES: [&str; 12] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "BSL-1.0",
    "Unlicense",
    "CC0-1.0",
    // The root certificates that browsers trust, which are data.
    "CDLA-Permissive-2.0",
];

/// `members` and `default-members` differ.
pub(super) fn member_lists() -> Vec<String> {
    let text = std::fs::read_to_string(files::root().join("Cargo.toml")).expect("it is there");
    let list = |key: &str| {
        text.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).map(str::to_owned)
    };
    let (members, defaults) = (list("members"), list("default-members"));
    if members.is_some() && members == defaults {
        Vec::new()
    } else {
        vec![format!("members {members:?}, default-members {defaults:?}")]
    }
}

/// Forbidden crates and licences.
pub(super) fn forbidden() -> Vec<String> {
    // A fresh machine has only what is built for it; what other platforms need is looked at where it is at hand.
    let metadata = metadata(&[]).or_else(|| metadata(&["--filter-platform", &host()]));
    let metadata = metadata.expect("cargo prints JSON");
    let packages =
        metadata.get("packages").and_then(Value::as_array).expect("cargo lists packages");
    let mut findings = Vec::new();
    for package in packages {
        let text = |property| package.get(property).and_then(Value::as_str).unwrap_or_default();
        let (name, licence) = (text("name"), text("license"));
        if FORBIDDEN.contains(&name) {
            findings.push(format!("`{name}` is forbidden"));
        }
        if !is_allowed(licence) {
            findings.push(format!("`{name}` has licence `{licence}`"));
        }
    }
    findings
}

/// What cargo knows of the dependencies, without a network.
fn metadata(arguments: &[&str]) -> Option<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1"])
        .args(arguments)
        .current_dir(files::root())
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).ok()
}

/// The platform that is built for.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc says what it builds for").to_owned()
}

/// Whether one alternative of a licence expression is allowed.
fn is_allowed(expression: &str) -> bool {
    expression.replace('/', " OR ").split(" OR ").any(|alternative| {
        alternative.trim_matches(['(', ')', ' ']).split(" AND ").all(|part| {
            let part = part.trim_matches(['(', ')', ' ']);
            let part = part.split(" WITH ").next().unwrap_or(part);
            LICENCES.contains(&part)
        })
    })
}
