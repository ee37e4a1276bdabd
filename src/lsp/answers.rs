//! The answers to requests, one function each.

use lsp_server::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidegate_compiler::diag::{Applicability, Fix};
use tidegate_compiler::ide::{self, Symbol, SymbolKind};
use tidegate_compiler::source;

use super::protocol::{
    AtPosition, CodeAction, CodeActionParams, DocumentSymbol, Hover, MarkupContent, OfDocument,
};
use super::to_proto::{Found, Workbench};

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// Makes the answer to a request with its parameters.
pub(super) type Answer = fn(&Workbench<'_>, Value) -> Result<Value, Refusal>;

/// Every request that is answered from snapshots.
const ALL: [(&str, Answer); 3] = [
    ("textDocument/codeAction", |workbench, params| answer(params, |it| actions(workbench, it))),
    ("textDocument/documentSymbol", |workbench, params| {
        answer(params, |it| document_symbols(workbench, &it))
    }),
    ("textDocument/hover", |workbench, params| answer(params, |it| hover(workbench, &it))),
];

/// The function that answers a method.
pub(super) fn find(method: &str) -> Option<Answer> {
    ALL.iter().find(|(name, _)| *name == method).map(|(_, answer)| *answer)
}

/// What the client may ask for.
pub(super) fn capabilities(encoding: &str) -> Value {
    json!({
        "positionEncoding": encoding,
        "textDocumentSync": {"openClose": true, "change": 2, "save": {"includeText": false}},
        "workspace": {"workspaceFolders": {"supported": true, "changeNotifications": true}},
        "documentSymbolProvider": true,
        "hoverProvider": true,
        "codeActionProvider": {"codeActionKinds": ["quickfix", "source.fixAll"]},
    })
}

fn answer<P: DeserializeOwned, R: Serialize>(
    params: Value,
    make: impl FnOnce(P) -> R,
) -> Result<Value, Refusal> {
    let params = serde_json::from_value(params).map_err(|_| Refusal {
        code: ErrorCode::InvalidParams,
        message: "the parameters are not those of this request".to_owned(),
    })?;
    Ok(serde_json::to_value(make(params)).expect("answers are JSON"))
}

/// The fixes of diagnostics in a range, and all safe ones of the file.
fn actions(workbench: &Workbench<'_>, params: CodeActionParams) -> Vec<CodeAction> {
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
    let mut edits: Vec<&tidegate_compiler::diag::Edit> = Vec::new();
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

fn fixes<'w>(
    found: Found<'w>,
) -> impl Iterator<Item = (&'w tidegate_compiler::diag::Diagnostic, &'w Fix)> {
    let diagnostics = &found.snapshot.compilation.diagnostics;
    let of_file = diagnostics.iter().filter(move |each| each.file() == found.file);
    of_file.filter_map(|diagnostic| Some((diagnostic, diagnostic.fix.as_ref()?)))
}

fn hover(workbench: &Workbench<'_>, at: &AtPosition) -> Option<Hover> {
    let (found, offset) = workbench.find_place(at)?;
    let diagnostics = &found.snapshot.compilation.diagnostics;
    let diagnostic = diagnostics.iter().find(|each| {
        let range = each.primary.span.range;
        each.file() == found.file && range.start <= offset && offset <= range.end
    })?;
    let rule = diagnostic.rule;
    Some(Hover {
        contents: MarkupContent {
            kind: "markdown",
            value: format!("**{}**: {}\n\n{}", rule.slug, rule.title, rule.page),
        },
        range: Some(
            workbench.range(found.sources().file(found.file), diagnostic.primary.span.range),
        ),
    })
}

fn document_symbols(workbench: &Workbench<'_>, of: &OfDocument) -> Vec<DocumentSymbol> {
    let Some(found) = workbench.find(&of.text_document.uri) else { return Vec::new() };
    let symbols = ide::symbols(found.snapshot, found.file);
    symbols.iter().map(|symbol| document_symbol(workbench, found, symbol)).collect()
}

fn document_symbol(workbench: &Workbench<'_>, found: Found<'_>, symbol: &Symbol) -> DocumentSymbol {
    let file = found.sources().file(found.file);
    DocumentSymbol {
        // Clients refuse an empty name.
        name: if symbol.name.is_empty() { "?".to_owned() } else { symbol.name.clone() },
        detail: symbol.kind.word().to_owned(),
        kind: match symbol.kind {
            SymbolKind::Capture | SymbolKind::Materialization => 2,
            SymbolKind::Collection | SymbolKind::Derivation => 5,
            SymbolKind::Transform => 12,
            SymbolKind::Projection => 8,
            SymbolKind::Test => 24,
        },
        range: workbench.range(file, symbol.range),
        selection_range: workbench.range(file, symbol.name_range),
        children: symbol
            .children
            .iter()
            .map(|child| document_symbol(workbench, found, child))
            .collect(),
    }
}
