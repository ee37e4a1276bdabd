//! Broken catalogs: each yields exactly one diagnostic, the right one, and nothing that is done to their bytes makes the compiler
//! panic.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::patch::patch;
use tidegate_compiler::diag::render::{Style, human, json};

use super::compile::{compile_files, concise_text};
use super::{Files, files};
use crate::markdown::is_update;

const CORPUS: &str = "testdata/corpus";
/// In each entry, what `check --format concise` prints; empty for a catalog that only looks broken.
const EXPECTED: &str = "expect";
/// How often each entry is mutated.
const MUTATIONS: u64 = 24;

/// Two tests an entry.
pub(super) fn tests() -> Vec<Trial> {
    let entries = files::entries(&files::directory(CORPUS));
    entries
        .into_iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| {
            let name = files::name(&path).to_owned();
            let mutated = path.clone();
            [
                Trial::test(format!("corpus::{name}"), move || compare(&path)),
                Trial::test(format!("corpus::{name} mutated"), move || mutate(&mutated)),
            ]
        })
        .collect()
}

/// The catalogs by the names of their directories.
pub(super) fn fixtures() -> Vec<(String, Files)> {
    let entries = files::entries(&files::directory(CORPUS)).into_iter();
    entries
        .filter(|path| path.is_dir())
        .map(|path| (files::name(&path).to_owned(), files::below(&path, EXPECTED)))
        .collect()
}

fn compare(entry: &Path) -> Result<(), Failed> {
    let compilation = compile_files(&files::below(entry, EXPECTED));
    render(&compilation);
    let actual = concise_text(&compilation);
    if is_update() {
        files::write(&entry.join(EXPECTED), actual.as_bytes());
    } else {
        let expected = String::from_utf8(files::read(&entry.join(EXPECTED)))?;
        if expected != actual {
            let path = format!("{CORPUS}/{}/{EXPECTED}", files::name(entry));
            let patch = patch(&path, &expected, &actual);
            return Err(format!("findings differ; UPDATE=1 accepts them\n{patch}").into());
        }
    }
    match compilation.diagnostics.len() {
        0 | 1 => Ok(()),
        count => Err(format!("one mistake has {count} findings:\n{actual}").into()),
    }
}

/// Compiles the entry with bytes changed at places drawn from a fixed seed.
fn mutate(entry: &Path) -> Result<(), Failed> {
    let sources = files::below(entry, EXPECTED);
    for seed in 0..MUTATIONS {
        let mut mutated = sources.clone();
        let mut draw = Draw::new(seed);
        for bytes in mutated.values_mut() {
            mutate_bytes(bytes, &mut draw);
        }
        let compilation = compile_files(&mutated);
        render(&compilation);
        check_places(&compilation).map_err(|problem| format!("seed {seed}: {problem}"))?;
    }
    Ok(())
}

/// What tends to confuse parsers.
const FRAGMENTS: [&[u8]; 12] =
    [b"\t", b"\n", b"\n  ", b": ", b"- ", b"{", b"]", b"'", b"*a", b"\xff", b"# ", b"\r\n"];

fn mutate_bytes(bytes: &mut Vec<u8>, draw: &mut Draw) {
    for _ in 0..=draw.below(3) {
        let start = draw.below(bytes.len() + 1);
        let end = (start + draw.below(12)).min(bytes.len());
        match draw.below(3) {
            0 => drop(bytes.drain(start..end)),
            1 => {
                let fragment = FRAGMENTS.get(draw.below(FRAGMENTS.len())).copied();
                bytes.splice(start..start, fragment.unwrap_or_default().iter().copied());
            }
            _ => {
                let copy: Vec<u8> = bytes.get(start..end).unwrap_or_default().to_vec();
                let place = draw.below(bytes.len() + 1);
                bytes.splice(place..place, copy);
            }
        }
    }
}

/// Numbers that look random and are the same in every run.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit.max(1)).expect("sizes fit");
        usize::try_from(self.0 % limit).expect("it is below a size")
    }
}

/// Renders everything: a renderer has to take every place that a pass reports.
pub(super) fn render(compilation: &Compilation) {
    let Compilation { diagnostics, sources, .. } = compilation;
    human::render(diagnostics, sources, Style { color: true, unicode: true, width: 80 });
    for diagnostic in diagnostics {
        json::diagnostic(diagnostic, sources);
    }
}

pub(super) fn check_places(compilation: &Compilation) -> Result<(), String> {
    let Compilation { diagnostics, sources, .. } = compilation;
    for diagnostic in diagnostics {
        let others = diagnostic.others.iter().map(|label| label.span);
        for span in others.chain([diagnostic.primary.span]) {
            let text = &sources.file(span.file).text;
            if text.get(span.range.as_usize()).is_none() {
                return Err(format!("{} is outside of its file", diagnostic.message));
            }
        }
    }
    let counts: BTreeMap<_, usize> =
        diagnostics.iter().fold(BTreeMap::new(), |mut counts, diagnostic| {
            *counts.entry(diagnostic.primary.span.file).or_default() += 1;
            counts
        });
    let limit = tidegate_compiler::limits::DIAGNOSTICS_PER_FILE_MAX;
    match counts.values().max() {
        Some(count) if *count > limit => Err(format!("{count} findings in one file")),
        Some(_) | None => Ok(()),
    }
}
