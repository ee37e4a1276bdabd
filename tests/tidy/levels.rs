//! Which module may use which.

use super::files;

/// Modules of the compiler by level; a module may use lower levels and its own.
const COMPILER_LEVELS: [&[&str]; 13] = [
    &["world", "source", "limits"],
    &["diag"],
    &["syntax", "settings"],
    &["model"],
    &["memo", "load"],
    &["catalog"],
    &["dialect", "typescript"],
    &["check"],
    &["lineage"],
    &["plan"],
    &["emit", "explain", "generate"],
    &["session", "dump"],
    &["ide"],
];

/// Uses of a higher level that the data model itself demands: a source carries its tree and its specs.
const DATA_MODEL: [(&str, &str); 2] = [("source", "syntax"), ("source", "model")];

/// Uses of a module on a higher level.
pub(super) fn upward_uses() -> Vec<String> {
    let level = |module: &str| COMPILER_LEVELS.iter().position(|modules| modules.contains(&module));
    let mut findings = Vec::new();
    for (name, text) in files::rust() {
        let Some(path) = name.strip_prefix("compiler/src/") else { continue };
        let module = path.trim_end_matches(".rs").split('/').next().unwrap_or_default();
        if module == "lib" {
            continue;
        }
        let Some(own) = level(module) else {
            findings.push(format!("{name}: module `{module}` has no level"));
            continue;
        };
        for (used, line) in used_modules(&text) {
            let is_data_model = DATA_MODEL.contains(&(module, used));
            if level(used).is_some_and(|used| used > own) && !is_data_model {
                findings.push(format!("{name}:{line}: `{module}` uses `{used}` above it"));
            }
        }
    }
    findings
}

fn used_modules(text: &str) -> Vec<(&str, usize)> {
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let rest = line.trim_start().strip_prefix("use crate::")?;
            Some((rest.split([':', ';', ' ']).next()?, index + 1))
        })
        .collect()
}

/// Uses between compiler and runtime, which meet in the bundle only.
pub(super) fn sideways_uses() -> Vec<String> {
    let mut findings = Vec::new();
    for (name, text) in files::rust() {
        let banned = if name.starts_with("compiler/") {
            concat!("tidegate_", "runtime")
        } else if name.starts_with("runtime/") {
            concat!("tidegate_", "compiler")
        } else if name.starts_with("stdlib/") {
            concat!("use tidegate", "_")
        } else {
            continue;
        };
        if text.contains(banned) {
            findings.push(format!("{name} names `{banned}`"));
        }
    }
    findings
}

/// IO in the compiler or the standard library, beyond what clippy sees. Tests may read their data.
pub(super) fn core_does_no_io() -> Vec<String> {
    let banned = ["std::fs", "std::net", "std::process", "std::env", "SystemTime", "Instant::now"];
    let mut findings = Vec::new();
    for (name, text) in files::rust() {
        if !(name.starts_with("compiler/src/") || name.starts_with("stdlib/src/"))
            || name.ends_with("tests.rs")
            || name.ends_with("facts.rs")
        {
            continue;
        }
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in banned {
            if body.lines().any(|line| line.contains(word) && !line.trim_start().starts_with("//"))
            {
                findings.push(format!("{name} uses `{word}`"));
            }
        }
    }
    findings
}

/// Words of the compiler in the standard library, which serves the runtime as well.
pub(super) fn foreign_words() -> Vec<String> {
    let banned = ["Diagnostic", "Emitter", "Dialect", "FileId"];
    let mut findings = Vec::new();
    for (name, text) in files::rust() {
        if !name.starts_with("stdlib/src/") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in banned {
                if code.split(|c: char| !c.is_alphanumeric()).any(|found| found == word) {
                    findings.push(format!("{name}:{}: `{word}`", index + 1));
                }
            }
        }
    }
    findings
}
