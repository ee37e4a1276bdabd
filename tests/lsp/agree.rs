//! The editor shows what the terminal shows: every fixture goes through `check` and through the server.
#![allow(clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::client::Client;
use crate::suite::{Files, fixtures, write_files};

/// One test a set of fixtures.
pub(crate) fn tests() -> Vec<Trial> {
    let name = |set: &str| format!("lsp::agrees with check::{set}");
    let sets = fixtures().into_iter();
    sets.map(|(set, catalogs)| Trial::test(name(&set), move || compare(&catalogs))).collect()
}

/// What both say of a finding: path, rule, severity, first byte and last byte, message.
type Finding = (String, String, u64, (usize, usize), String);

/// Writes each catalog into a directory of its own and has all of them checked and served at once.
fn compare(catalogs: &[(String, Files)]) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let root = directory.path().canonicalize()?;
    let mut entries = Vec::new();
    for (number, (_, files)) in (0..).zip(catalogs) {
        let entry = ["flow.yaml", "flow.json"].into_iter().find(|name| files.contains_key(*name));
        let Some(entry) = entry else { continue };
        write_files(&root.join(format!("{number:03}")), files);
        entries.push(format!("{number:03}/{entry}"));
    }
    let (checked, mut served) = (check(&root, &entries), serve(&root));
    for finding in &mut served {
        // The terminal shows what concerns the command line without its place, and the message names the file.
        let name = finding.0.rsplit('/').next().unwrap_or_default().to_owned();
        let mut without_place = finding.clone();
        without_place.0 = name;
        if checked.contains(&without_place) {
            *finding = without_place;
        }
    }
    let only_checked = checked.iter().filter(|finding| !served.contains(finding));
    let only_served = served.iter().filter(|finding| !checked.contains(finding));
    let problems: Vec<String> = only_checked
        .map(|finding| format!("only `check` finds {}", describe(finding, catalogs)))
        .chain(
            only_served
                .map(|finding| format!("only the server finds {}", describe(finding, catalogs))),
        )
        .collect();
    match problems.as_slice() {
        [] if checked.len() == served.len() => Ok(()),
        [] => Err("one of both finds something twice".into()),
        problems => Err(problems.join("\n").into()),
    }
}

fn describe(finding: &Finding, catalogs: &[(String, Files)]) -> String {
    let number = finding.0.split('/').next().and_then(|number| number.parse::<usize>().ok());
    let name = number.and_then(|number| catalogs.get(number)).map(|(name, _)| name.as_str());
    format!("in `{}`: {finding:?}", name.unwrap_or_default())
}

fn check(root: &Path, entries: &[String]) -> Vec<Finding> {
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["check", "--format", "json"])
        .args(entries)
        .current_dir(root)
        .output()
        .expect("the binary runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let list = report.get("diagnostics").and_then(Value::as_array).expect("it is a list");
    let mut findings: Vec<Finding> = list
        .iter()
        .map(|item| {
            let text = |pointer: &str| {
                let text = item.pointer(pointer).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            };
            let offset = |end: &str| {
                let offset = item.pointer(&format!("/range/{end}/offset")).and_then(Value::as_u64);
                usize::try_from(offset.unwrap_or_default()).expect("files are small")
            };
            let severity = if text("/severity") == "error" { 1 } else { 2 };
            let range = (offset("start"), offset("end"));
            let message = text("/message");
            let file = match item.pointer("/file").and_then(Value::as_str) {
                Some(file) => file.to_owned(),
                None => message.split('`').nth(1).unwrap_or_default().to_owned(),
            };
            (file, text("/rule"), severity, range, message)
        })
        .collect();
    findings.sort();
    findings
}

fn serve(root: &Path) -> Vec<Finding> {
    let mut client = Client::start(root, &["utf-8"]);
    client.settle();
    let mut findings = Vec::new();
    for (uri, list) in &client.diagnostics {
        let path = client.path(uri);
        let text = std::fs::read(root.join(&path)).unwrap_or_default();
        for item in list {
            let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
            let severity = item.get("severity").and_then(Value::as_u64).unwrap_or_default();
            let range = ["start", "end"].map(|end| offset(&text, &item["range"][end]));
            let message = word("message").lines().next().unwrap_or_default().to_owned();
            let [start, end] = range;
            findings.push((path.clone(), word("code").to_owned(), severity, (start, end), message));
        }
    }
    assert_eq!(client.stop(), Some(0));
    findings.sort();
    findings
}

/// The byte of a position whose columns are bytes.
fn offset(text: &[u8], position: &Value) -> usize {
    let number = |name: &str| {
        let number = position.get(name).and_then(Value::as_u64).expect("it is a number");
        usize::try_from(number).expect("files are small")
    };
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.take(number("line")).map(<[u8]>::len).sum::<usize>() + number("character")
}
