//! `check --types`: what a type checker says of modules, at their places.
//!
//! The checker is a program of the user's, and it is only started when it is asked for. What it needs beside the modules (the generated
//! types, the globals, its settings, and the text of modules that are written in catalog files) is written into a temporary directory.

mod checker;
mod workshop;

use std::path::Path;

use tidegate_compiler::Compilation;
use tidegate_compiler::diag::Diagnostic;
use tidegate_compiler::explain::{explain_type_error, typed_modules};
use url::Url;

use crate::exit::Stop;
pub(crate) use checker::Checker;
use workshop::Workshop;

/// What a type checker has found.
#[derive(Debug)]
pub(crate) struct TypeCheck {
    /// Which one was asked.
    pub(crate) checker: Checker,
    /// What it says of the catalog.
    pub(crate) findings: Vec<Diagnostic>,
}

/// Has a type checker look at the modules of a catalog; nothing is asked when there are none.
pub(crate) fn check(compilation: &Compilation, root: &Path) -> Result<Option<TypeCheck>, Stop> {
    let modules = typed_modules(&compilation.checked, &compilation.sources);
    if modules.is_empty() {
        return Ok(None);
    }
    let Some(checker) = Checker::find(root) else {
        return Err(Stop::environment("there is no type checker")
            .help("install one: npm install --save-dev typescript, or deno"));
    };
    let workshop = Workshop::new()?;
    let paths = workshop.fill(compilation, &modules)?;
    let output = checker.run(&workshop, &paths, root)?;
    let errors = checker.read(&output, root);
    if errors.is_empty() && !output.status.success() {
        return Err(checker.did_nothing(&output));
    }
    // Checkers name files by what they really are.
    let names = |path: &Path| {
        let real = path.canonicalize().ok();
        let urls = [Some(path.to_owned()), real].into_iter().flatten();
        urls.filter_map(|path| Url::from_file_path(path).ok()).collect::<Vec<_>>()
    };
    let names: Vec<Vec<Url>> = paths.iter().map(|path| names(path)).collect();
    let findings = errors.iter().filter_map(|(url, error)| {
        let index = names.iter().position(|names| names.contains(url))?;
        Some(explain_type_error(error, modules.get(index)?))
    });
    let mut findings: Vec<Diagnostic> = findings.collect();
    // Checkers do not always tell them in the same order.
    findings.sort_by_key(|finding| (finding.primary.span.file, finding.primary.span.range.start));
    Ok(Some(TypeCheck { checker, findings }))
}
