//! Code actions: the fixes of diagnostics.

use tidegate_compiler::diag::{Applicability, Diagnostic, Edit, Fix};
use tidegate_compiler::source;

use crate::lsp::protocol::{CodeAction, CodeActionParams};
use crate::lsp::to_proto::{Found, Workbench};

/// The fixes of diagnostics in a range, and all safe ones of the file.
pub(super) fn actions(workbench: &Workbench<'_>, params: &CodeActionParams) -> Vec<CodeAction> {
    let Some(found) = workbench.find(&params.text_document.uri) else { return Vec::new() };
    let start = workbench.offset(found, params.range.start);
    let range = source::Range::new(start, workbench.offset(found, params.range.end).max(start));
    let is_wanted = |kind: &str| {
        let only = params.context.only.as_ref();
        only.is_none_or(|only| {
            only.iter().any(|each| {
                kind.strip_prefix(each.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        })
    };
    let mut actions = Vec::new();
    if is_wanted("quickfix") {
        for (diagnostic, fix) in fixes(found) {
            let place = diagnostic.primary.span.range;
            if place.start <= range.end && range.start <= place.end {
                actions.push(CodeAction {
                    title: fix.message.clone(),
                    kind: "quickfix",
                    diagnostics: vec![workbench.diagnostic(diagnostic, found.snapshot)],
                    is_preferred: fix.applicability == Applicability::Safe,
                    edit: workbench.edit(&fix.edits, found.snapshot),
                });
            }
        }
    }
    if is_wanted("source.fixAll") {
        actions.extend(fix_all(workbench, found));
    }
    actions
}

/// All safe fixes of a file that do not touch one another.
fn fix_all(workbench: &Workbench<'_>, found: Found<'_>) -> Option<CodeAction> {
    let mut edits: Vec<&Edit> = Vec::new();
    for (_, fix) in fixes(found).filter(|(_, fix)| fix.applicability == Applicability::Safe) {
        let touches = fix.edits.iter().any(|edit| {
            edits.iter().any(|taken| {
                let (own, other) = (edit.span, taken.span);
                own.file == other.file
                    && own.range.start <= other.range.end
                    && other.range.start <= own.range.end
            })
        });
        if !touches {
            edits.extend(&fix.edits);
        }
    }
    (!edits.is_empty()).then(|| CodeAction {
        title: "apply all safe fixes of this file".to_owned(),
        kind: "source.fixAll",
        diagnostics: Vec::new(),
        is_preferred: false,
        edit: workbench.edit(edits, found.snapshot),
    })
}

fn fixes<'w>(found: Found<'w>) -> impl Iterator<Item = (&'w Diagnostic, &'w Fix)> {
    let diagnostics = &found.snapshot.compilation.diagnostics;
    let of_file = diagnostics.iter().filter(move |each| each.file() == found.file);
    of_file.filter_map(|diagnostic| Some((diagnostic, diagnostic.fix.as_ref()?)))
}
