//! The pages of rules tell the truth: the first example yields exactly that rule where it is marked, and the repaired one is
//! silent.
//!
//! A page's files form examples: a path that comes again begins the next example, which keeps the files that it does not
//! replace. Files below `before/` are what ran earlier. A rule that no example of this form can show says `example = "none"` in its
//! head.

use std::collections::BTreeMap;

use libtest_mimic::{Failed, Trial};
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::{Rule, rules};

use super::compile::compile_files;
use super::marks::Marked;
use super::{Files, file_path, files, runs};
use crate::markdown::{Fence, sections};

/// What ran before the example did.
const BEFORE: &str = "before/";

/// One test a page.
pub(super) fn tests() -> Vec<Trial> {
    rules::ALL
        .iter()
        .map(|rule| Trial::test(format!("page::{}", rule.slug), || run(rule)))
        .collect()
}

/// The examples of a page.
pub(super) struct Examples {
    /// What ran before, when it matters.
    pub(super) before: Option<Marked>,
    /// What yields the rule.
    pub(super) broken: Marked,
    /// What is silent.
    pub(super) repaired: Marked,
}

/// The first example of each page.
pub(super) fn fixtures() -> Vec<(String, Files)> {
    let pages = rules::ALL.iter().filter(|rule| !has_no_example(rule.slug));
    let example =
        |rule: &&Rule| Some((rule.slug.to_owned(), examples(rule.page).ok()?.broken.files));
    pages.filter_map(example).collect()
}

fn run(rule: &Rule) -> Result<(), Failed> {
    if has_no_example(rule.slug) {
        return Ok(());
    }
    let examples = examples(rule.page)?;
    if examples.broken.marks.is_empty() {
        return Err("the first example marks no line".into());
    }
    match rule.pass {
        "run" => return runs::run(rule, &examples),
        "test" => return runs::test(rule, &examples),
        _ => {}
    }
    let broken = compile_with_hints(&examples.broken.files, rule);
    examples
        .broken
        .compare(&broken.diagnostics, &broken.sources, Some(rule.slug))
        .map_err(|problems| format!("in the first example\n{problems}"))?;
    let repaired = compile_with_hints(&examples.repaired.files, rule);
    examples
        .repaired
        .compare(&repaired.diagnostics, &repaired.sources, Some(rule.slug))
        .map_err(|problems| format!("in the repaired example\n{problems}"))?;
    Ok(())
}

/// What a catalog yields, with the hints that are asked for.
fn compile_with_hints(files: &BTreeMap<String, Vec<u8>>, rule: &Rule) -> Compilation {
    let mut compilation = compile_files(files);
    let hints = std::mem::take(&mut compilation.hints).into_iter();
    compilation.diagnostics.extend(hints.filter(|hint| hint.rule.slug == rule.slug));
    compilation
}

/// Whether the head of the page says that there is no example. The head is not part of the compiled rule.
fn has_no_example(slug: &str) -> bool {
    let page = files::read(&files::directory("compiler/rules").join(format!("{slug}.md")));
    let page = String::from_utf8(page).expect("pages are text");
    let head = page.split("\n+++\n").next().unwrap_or_default();
    head.lines().any(|line| line == "example = \"none\"")
}

fn examples(page: &str) -> Result<Examples, Failed> {
    let fences: Vec<Fence> =
        sections(page).into_iter().flat_map(|section| section.fences).collect();
    let files = fences.iter().filter_map(|fence| Some((file_path(fence)?, fence)));
    let (earlier, files): (Vec<_>, Vec<_>) = files.partition(|(path, _)| path.starts_with(BEFORE));
    let mut broken = Marked::default();
    let mut repaired: Option<Marked> = None;
    for (path, fence) in files {
        if repaired.is_none() && broken.files.contains_key(path) {
            repaired = Some(Marked { files: broken.files.clone(), marks: Vec::new() });
        }
        repaired.as_mut().unwrap_or(&mut broken).add(path, fence);
    }
    let before = (!earlier.is_empty()).then(|| {
        let mut before = Marked { files: broken.files.clone(), marks: Vec::new() };
        for (path, fence) in earlier {
            before.add(path.trim_start_matches(BEFORE), fence);
        }
        before
    });
    let repaired = repaired.ok_or("the page has no repaired example")?;
    Ok(Examples { before, broken, repaired })
}
