//! The catalogs of `testdata/catalogs`: everything `build` writes for each, byte for byte.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::patch::patch;
use tidegate_compiler::{dialect, emit};

use super::compile::{compile_files, concise_text};
use super::{Files, files};
use crate::markdown::is_update;

const CATALOGS: &str = "testdata/catalogs";
/// Below each catalog, what is expected of it.
const EXPECTED: &str = "expect";
/// A golden with more differing files than this shows only the first ones.
const PATCHES_SHOWN: usize = 5;

/// Three tests a catalog.
pub(super) fn tests() -> Vec<Trial> {
    let catalogs = files::entries(&files::directory(CATALOGS));
    let catalogs = catalogs.into_iter().filter(|path| path.join("flow.yaml").is_file());
    catalogs
        .flat_map(|path| {
            let name = files::name(&path).to_owned();
            let (first, second, third) = (path.clone(), path.clone(), path);
            [
                Trial::test(format!("golden::{name}"), move || compare(&first)),
                Trial::test(format!("golden::{name} twice"), move || emit_twice(&second)),
                Trial::test(format!("golden::{name} with imports reversed"), move || {
                    emit_reversed(&third)
                }),
            ]
        })
        .collect()
}

/// The catalogs with their names, without what is expected of them.
pub(super) fn catalogs() -> Vec<(String, Files)> {
    let paths = files::entries(&files::directory(CATALOGS)).into_iter();
    let catalogs = paths.filter(|path| path.join("flow.yaml").is_file());
    catalogs.map(|path| (files::name(&path).to_owned(), files::below(&path, EXPECTED))).collect()
}

fn compare(catalog: &Path) -> Result<(), Failed> {
    let actual = artifacts(&files::below(catalog, EXPECTED))?;
    let directory = catalog.join(EXPECTED);
    let expected = files::below(&directory, "");
    if is_update() {
        for path in expected.keys().filter(|path| !actual.contains_key(*path)) {
            std::fs::remove_file(directory.join(path))?;
        }
        for (path, bytes) in &actual {
            if expected.get(path) != Some(bytes) {
                files::write(&directory.join(path), bytes);
            }
        }
        return Ok(());
    }
    let name = format!("{CATALOGS}/{}/{EXPECTED}", files::name(catalog));
    report(&name, &expected, &actual)
}

fn emit_twice(catalog: &Path) -> Result<(), Failed> {
    let sources = files::below(catalog, EXPECTED);
    report("second", &artifacts(&sources)?, &artifacts(&sources)?)
}

/// The order in which files import each other must not show in anything. Reversing the lines of a list of imports keeps every
/// other byte where it was.
fn emit_reversed(catalog: &Path) -> Result<(), Failed> {
    let sources = files::below(catalog, EXPECTED);
    let mut reversed = sources.clone();
    for (path, bytes) in &mut reversed {
        if path.ends_with(".yaml") {
            let text = std::str::from_utf8(bytes)?;
            *bytes = reverse_imports(text).into_bytes();
        }
    }
    report("reversed", &artifacts(&sources)?, &artifacts(&reversed)?)
}

fn reverse_imports(text: &str) -> String {
    let mut reversed = String::new();
    let mut imports: Vec<&str> = Vec::new();
    let mut is_import = false;
    for line in text.split_inclusive('\n') {
        if is_import && line.trim_start().starts_with("- ") {
            imports.push(line);
            continue;
        }
        reversed.extend(imports.drain(..).rev());
        is_import = line.starts_with("import:");
        reversed.push_str(line);
    }
    reversed.extend(imports.into_iter().rev());
    reversed
}

fn artifacts(sources: &BTreeMap<String, Vec<u8>>) -> Result<emit::Artifacts, Failed> {
    let compilation = compile_files(sources);
    let Compilation { plan: Some(plan), diagnostics, .. } = &compilation else {
        return Err(format!("does not compile:\n{}", concise_text(&compilation)).into());
    };
    if !diagnostics.is_empty() {
        return Err(format!("has findings:\n{}", concise_text(&compilation)).into());
    }
    let options = emit::Options { targets: dialect::ALL.to_vec() };
    let all = emit::ALL.iter().map(|emitter| (emitter.emit)(plan, compilation.lineage(), &options));
    Ok(all.flatten().collect())
}

fn report(
    directory: &str,
    expected: &BTreeMap<String, Vec<u8>>,
    actual: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Failed> {
    let paths = expected.keys().chain(actual.keys().filter(|path| !expected.contains_key(*path)));
    let differing: Vec<&String> =
        paths.filter(|path| expected.get(*path) != actual.get(*path)).collect();
    if differing.is_empty() {
        return Ok(());
    }
    let text = |files: &BTreeMap<String, Vec<u8>>, path: &str| {
        String::from_utf8_lossy(files.get(path).map(Vec::as_slice).unwrap_or_default()).into_owned()
    };
    let patches: String = differing
        .iter()
        .take(PATCHES_SHOWN)
        .map(|path| {
            patch(&format!("{directory}/{path}"), &text(expected, path), &text(actual, path))
        })
        .collect();
    let count = differing.len();
    Err(format!("{count} files differ; UPDATE=1 accepts them\n{patches}").into())
}
