//! Mutations: every good catalog of the project with one thing changed yields one finding, of the right rule, at the very text that
//! was changed.
//!
//! [`kinds`] lists what is changed and what is expected; [`sites`] finds the places. A kind that applies nowhere fails, so that the
//! list stays true to the catalogs. At last many mutations at once must never make the compiler panic.

mod editor;
mod kinds;
mod sites;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libtest_mimic::{Failed, Trial};
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::Diagnostic;
use tidegate_compiler::session::Session;

use self::kinds::{KINDS, Kind};
use self::sites::{Mutation, Original, Token};
use super::compile::{compile_files, compile_in, concise_text};
use super::corpus::{Draw, check_places, render};
use super::files;

/// Where good catalogs lie, and what lies beside them that is not theirs.
const CATALOGS: [(&str, &str); 2] = [("testdata/catalogs", "expect"), ("templates/project", "")];
/// Rounds of many mutations at once; `FUZZ_ROUNDS` asks for more.
const ROUNDS: u64 = 60;
/// Findings that one test shows.
const SHOWN_MAX: usize = 8;

/// One test a kind, and one of many mutations at once.
pub(super) fn tests() -> Vec<Trial> {
    let mut trials: Vec<Trial> = KINDS
        .iter()
        .map(|kind| Trial::test(format!("mutation::{}", kind.name), || run(kind)))
        .collect();
    trials.push(Trial::test("mutation::in the eyes of editors", editor::run));
    trials.push(Trial::test("mutation::of many kinds at once", run_many));
    trials
}

/// All good catalogs.
static ORIGINALS: LazyLock<Vec<Original>> = LazyLock::new(|| {
    let mut originals = Vec::new();
    for (directory, skipped) in CATALOGS {
        for path in files::entries(&files::directory(directory)) {
            let files = files::below(&path, skipped);
            if files.contains_key("flow.yaml") {
                originals.push(Original::new(files::name(&path), files));
            }
        }
    }
    originals
});

fn run(kind: &Kind) -> Result<(), Failed> {
    let mut count = 0;
    let mut failures = Vec::new();
    for original in ORIGINALS.iter() {
        let mut session = Session::default();
        for mutation in kind.mutations(original) {
            count += 1;
            let compilation = compile_in(&mut session, &original.with(&mutation));
            if let Err(problem) = compare(kind, &mutation, &compilation) {
                let place = format!("{}/{}", original.name, mutation.file);
                failures.push(format!("{place}: {}\n{problem}", mutation.what));
            }
        }
    }
    if count == 0 {
        return Err("no good catalog has a place for this mutation".into());
    }
    if failures.is_empty() {
        return Ok(());
    }
    let shown = failures.len().min(SHOWN_MAX);
    let text = failures.get(..shown).unwrap_or_default().join("\n");
    Err(format!("{} of {count} mutations differ\n{text}", failures.len()).into())
}

fn compare(kind: &Kind, mutation: &Mutation, compilation: &Compilation) -> Result<(), String> {
    let [only] = compilation.diagnostics.as_slice() else {
        let count = compilation.diagnostics.len();
        return Err(format!("{count} findings\n{}", concise_text(compilation)));
    };
    if only.rule.slug != kind.rule {
        return Err(format!("expected {}\n{}", kind.rule, concise_text(compilation)));
    }
    check_token(only, mutation, compilation)
}

/// The primary place is the changed text.
fn check_token(
    found: &Diagnostic,
    mutation: &Mutation,
    compilation: &Compilation,
) -> Result<(), String> {
    let sources = &compilation.sources;
    let text = sources.text(found.primary.span);
    let is_right = match &mutation.token {
        Token::Exactly(token) => text == token,
        Token::Inside(token) => !text.is_empty() && token.contains(text),
    };
    let is_in_file = sources.file(found.primary.span.file).name == mutation.file;
    if is_right && is_in_file {
        return Ok(());
    }
    Err(format!(
        "expected at {:?}, found at {text:?}\n{}",
        mutation.token,
        concise_text(compilation)
    ))
}

/// Several mutations of several kinds, drawn from a fixed seed, in one catalog.
fn run_many() -> Result<(), Failed> {
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok());
    let originals = &*ORIGINALS;
    let mutations: Vec<(usize, Mutation)> = originals
        .iter()
        .enumerate()
        .flat_map(|(index, original)| {
            let all = KINDS.iter().flat_map(|kind| kind.mutations(original));
            all.map(move |mutation| (index, mutation)).collect::<Vec<_>>()
        })
        .collect();
    for seed in 0..rounds.unwrap_or(ROUNDS) {
        let mut draw = Draw::new(seed);
        let index = draw.below(originals.len());
        let of_catalog: Vec<&Mutation> = mutations
            .iter()
            .filter(|(catalog, _)| *catalog == index)
            .map(|(_, mutation)| mutation)
            .collect();
        let Some(original) = originals.get(index) else { continue };
        let mut chosen: BTreeMap<(&str, usize), &Mutation> = BTreeMap::new();
        for _ in 0..2 + draw.below(5) {
            if let Some(mutation) = of_catalog.get(draw.below(of_catalog.len())) {
                chosen.insert((&mutation.file, mutation.range.start), mutation);
            }
        }
        let compilation = compile_files(&original.with_all(chosen.values().copied()));
        render(&compilation);
        check_places(&compilation).map_err(|problem| format!("seed {seed}: {problem}"))?;
    }
    Ok(())
}
