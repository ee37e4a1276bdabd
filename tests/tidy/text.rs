//! Rules on the text of single files.

use super::files;

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// The only files that may lower `unsafe_code`: a process that dies with its parent has to ask for that itself.
const UNSAFE_FILES: [&str; 1] = ["runtime/src/process/child.rs"];

/// Files that are too long.
pub(super) fn long_files() -> Vec<String> {
    files::rust()
        .into_iter()
        .filter_map(|(name, text)| {
            let lines = text.lines().count();
            (lines > FILE_LINES_MAX).then(|| format!("{name} has {lines} lines"))
        })
        .collect()
}

/// Functions that are too long. The code is formatted, so a function ends at the brace in the column where it begins.
pub(super) fn long_functions() -> Vec<String> {
    let mut findings = Vec::new();
    for (name, text) in files::rust() {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some(function) = function_name(line) else { continue };
            let signature = lines.iter().skip(index).find(|line| line.ends_with(['{', ';']));
            if signature.is_some_and(|line| line.ends_with(';')) {
                continue;
            }
            let indent: String = line.chars().take_while(|character| *character == ' ').collect();
            let end = format!("{indent}}}");
            let Some(length) = lines.iter().skip(index).position(|line| *line == end) else {
                continue;
            };
            if length + 1 > FUNCTION_LINES_MAX {
                findings.push(format!(
                    "{name}:{}: `{function}` has {} lines",
                    index + 1,
                    length + 1
                ));
            }
        }
    }
    findings
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words.clone().find(|word| *word == "fn")?;
    let modifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"];
    while let Some(word) = words.next() {
        if word == "fn" {
            return words.next().map(|name| name.split(['(', '<']).next().unwrap_or(name));
        }
        if !modifiers.contains(&word) {
            return None;
        }
    }
    None
}

/// Files without a module doc.
pub(super) fn missing_module_docs() -> Vec<String> {
    files::rust()
        .into_iter()
        .filter(|(_, text)| !text.trim_start().starts_with("//!"))
        .map(|(name, _)| format!("{name} does not begin with what it is (`//!`)"))
        .collect()
}

/// Marks of unfinished work.
pub(super) fn unfinished() -> Vec<String> {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
    ];
    occurrences(&["rs", "md", "toml"], &marks)
}

/// Paths and hosts that exist only somewhere else.
pub(super) fn foreign_places() -> Vec<String> {
    let marks = [
        concat!("../sha", "red"),
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("index.", "crates.io"),
        concat!("registry.", "npmjs"),
    ];
    occurrences(&["rs", "md", "toml", "yaml", "sh", "json"], &marks)
}

/// Tests that nobody runs, or that pass by panicking.
pub(super) fn dead_tests() -> Vec<String> {
    occurrences(&["rs"], &[concat!("#[ig", "nore"), concat!("should_", "panic")])
}

/// Files that lower a lint without being listed.
pub(super) fn unsafe_files() -> Vec<String> {
    occurrences(&["rs"], &[concat!("(unsafe", "_code")])
        .into_iter()
        .filter(|finding| !UNSAFE_FILES.iter().any(|file| finding.starts_with(file)))
        .collect()
}

fn occurrences(extensions: &[&str], marks: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, text) in files::with_extensions(extensions) {
        for (index, line) in text.lines().enumerate() {
            for mark in marks {
                if line.contains(mark) {
                    findings.push(format!("{name}:{}: `{mark}`", index + 1));
                }
            }
        }
    }
    findings
}
