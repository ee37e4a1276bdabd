//! The suites beside this file: the language, told in examples.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use tidegate_compiler::Compilation;
use tidegate_compiler::diag::patch::patch;
use tidegate_compiler::diag::render::{Findings, Format, Report, Style, json};
use tidegate_compiler::explain::explain_outcome;
use tidegate_compiler::{dialect, emit};
use tidegate_runtime::ScriptPrograms;
use tidegate_runtime::verify::run_tests;

use super::compile::compile_files;
use super::marks::Marked;
use super::{ARTIFACTS, Files, file_path, files};
use crate::markdown::{self, Fence, Section};

const SUITES: &str = "tests/suite";
/// The suite without catalogs that leads to all others.
const INDEX: &str = "README.md";

/// One test a heading; with `UPDATE=1` one test a file, so that a file is rewritten by one hand.
pub(super) fn tests() -> Vec<Trial> {
    let mut trials = vec![Trial::test("suite::the index leads to every chapter", index)];
    for path in chapters() {
        let suite = files::name(&path).trim_end_matches(".md").to_owned();
        let text = String::from_utf8(files::read(&path)).expect("suites are text");
        if markdown::is_update() {
            trials.push(Trial::test(format!("suite::{suite}"), move || update(&path, text)));
            continue;
        }
        for section in markdown::sections(&text) {
            let (path, text) = (format!("{SUITES}/{suite}.md"), text.clone());
            let name = format!("suite::{suite}::{}", section.name);
            trials.push(Trial::test(name, move || compare(&path, &text, &section)));
        }
    }
    trials
}

/// The suites that have catalogs, in order.
fn chapters() -> impl Iterator<Item = PathBuf> {
    let paths = markdown::files(&files::directory(SUITES)).into_iter();
    paths.filter(|path| !path.ends_with(INDEX))
}

/// The index links every chapter and names its parts.
fn index() -> Result<(), Failed> {
    let read = |path: &Path| String::from_utf8(files::read(path)).expect("suites are text");
    let index = read(&files::directory(SUITES).join(INDEX));
    for chapter in chapters() {
        let name = files::name(&chapter);
        let row = index.lines().find(|line| line.contains(&format!("]({name})")));
        let row = row.ok_or_else(|| format!("it does not lead to {name}"))?;
        let text = read(&chapter);
        let parts = text.lines().filter_map(|line| line.strip_prefix("## "));
        let mut titles = parts.filter_map(|part| part.split_once(' ')).map(|(_, title)| title);
        if let Some(title) = titles.find(|title| !row.contains(title)) {
            return Err(format!("it does not name `{title}` of {name}").into());
        }
    }
    Ok(())
}

/// The catalogs of each suite, without marks.
pub(super) fn fixtures() -> Vec<(String, Vec<(String, Files)>)> {
    chapters()
        .map(|path| {
            let text = String::from_utf8(files::read(&path)).expect("suites are text");
            let sections = markdown::sections(&text).into_iter();
            let catalogs = sections.map(|section| (section.name.clone(), marked(&section).files));
            (files::name(&path).trim_end_matches(".md").to_owned(), catalogs.collect())
        })
        .collect()
}

/// The files of a section and what they mark.
fn marked(section: &Section) -> Marked {
    let mut marked = Marked::default();
    for fence in &section.fences {
        if let Some(path) = file_path(fence) {
            marked.add(path, fence);
        }
    }
    marked
}

fn compare(path: &str, old: &str, section: &Section) -> Result<(), Failed> {
    let results = results(section)?;
    let new = replace(old, &results);
    if old == new {
        return Ok(());
    }
    Err(format!("results differ; UPDATE=1 accepts them\n{}", patch(path, old, &new)).into())
}

fn update(path: &Path, text: String) -> Result<(), Failed> {
    let mut all = Vec::new();
    for section in markdown::sections(&text) {
        let results = results(&section).map_err(|failed| {
            let problems = failed.message().unwrap_or_default();
            format!("in `{}`\n{problems}", section.name)
        })?;
        all.extend(results);
    }
    files::write(path, replace(&text, &all).as_bytes());
    Ok(())
}

/// The text with every fence of results holding what it should.
fn replace(text: &str, results: &[(Fence, String)]) -> String {
    // From the last fence upward, so that those above keep their lines.
    results.iter().rev().fold(text.to_owned(), |text, (fence, result)| {
        if fence.text == *result { text } else { markdown::replace(&text, fence, result) }
    })
}

/// Compiles a section, compares what it marks, and gives its fences of results with what they should hold.
fn results(section: &Section) -> Result<Vec<(Fence, String)>, Failed> {
    let marked = marked(section);
    let mut compilation = compile_files(&marked.files);
    run_tests_of(&mut compilation)?;
    let is_shown = section.fences.iter().any(|fence| fence.language == "diagnostics");
    if !is_shown || !marked.marks.is_empty() {
        marked.compare(&compilation.diagnostics, &compilation.sources, None)?;
    }
    let mut results = Vec::new();
    for fence in &section.fences {
        if let Some(result) = result_of(fence, &compilation)? {
            results.push((fence.clone(), result));
        }
    }
    Ok(results)
}

/// Runs the tests of a catalog that can run; what fails is a diagnostic like all others.
fn run_tests_of(compilation: &mut Compilation) -> Result<(), Failed> {
    let Compilation { plan: Some(plan), sources, diagnostics, .. } = compilation else {
        return Ok(());
    };
    let run = run_tests(&plan.bundle, Path::new(""), &ScriptPrograms::default(), "")
        .map_err(|failure| failure.message)?;
    diagnostics.extend(run.outcomes.iter().flat_map(|outcome| explain_outcome(outcome, sources)));
    Ok(())
}

/// What a fence of results should hold; `None` for a file of the catalog.
fn result_of(fence: &Fence, compilation: &Compilation) -> Result<Option<String>, Failed> {
    let attribute = fence.attributes.first().map(String::as_str).unwrap_or_default();
    if let Some(path) = attribute.strip_prefix(ARTIFACTS) {
        return artifact(path, compilation).map(Some);
    }
    if fence.language != "diagnostics" {
        return Ok(None);
    }
    let name = if attribute.is_empty() { "concise" } else { attribute };
    let format = Format::by_name(name).ok_or_else(|| format!("`{name}` is no format"))?;
    let text =
        if format == Format::Json { objects(compilation) } else { rendered(format, compilation) };
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    Ok(Some(lines.collect::<String>().trim_end_matches('\n').to_owned() + "\n"))
}

fn rendered(format: Format, compilation: &Compilation) -> String {
    let Compilation { diagnostics, sources, .. } = compilation;
    format.render(&Report {
        catalogs: vec![Findings { diagnostics, sources }],
        summary: serde_json::Value::Null,
        style: Style { color: false, unicode: true, width: 100 },
    })
}

/// The diagnostics of the JSON format, laid out for reading.
fn objects(compilation: &Compilation) -> String {
    let Compilation { diagnostics, sources, .. } = compilation;
    let objects = diagnostics.iter().map(|item| json::diagnostic(item, sources));
    objects.map(|object| format!("{object:#}\n")).collect()
}

fn artifact(path: &str, compilation: &Compilation) -> Result<String, Failed> {
    let plan = compilation.plan.as_ref().ok_or("a catalog with errors builds nothing")?;
    let options = emit::Options { targets: dialect::ALL.to_vec() };
    let mut artifacts = emit::Artifacts::new();
    for emitter in emit::ALL {
        artifacts.extend((emitter.emit)(plan, compilation.lineage(), &options));
    }
    let bytes = artifacts.remove(path).ok_or_else(|| {
        let known: Vec<&String> = artifacts.keys().collect();
        format!("`build` does not write `{path}`, only {known:?}")
    })?;
    Ok(String::from_utf8(bytes)?)
}
