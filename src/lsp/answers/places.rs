//! Answers about places: what stands there, where it is declared and used, what may be written.

use lsp_server::ErrorCode;
use tidegate_compiler::ide::{self, Completion, CompletionKind, Symbol, SymbolKind};

use super::Refusal;
use crate::lsp::protocol::{
    AtPosition, CompletionItem, DocumentSymbol, Hover, Location, MarkupContent, OfDocument,
    ReferenceParams, RenameParams, TextEdit, WorkspaceEdit,
};
use crate::lsp::to_proto::{Found, Workbench};

pub(super) fn hover(workbench: &Workbench<'_>, at: &AtPosition) -> Option<Hover> {
    let (found, offset) = workbench.find_place(at)?;
    let hover = ide::hover(found.snapshot, found.file, offset)?;
    let file = found.sources().file(found.file);
    Some(Hover {
        contents: markdown(hover.markdown),
        range: Some(workbench.range(file, hover.range)),
    })
}

pub(super) fn definition(workbench: &Workbench<'_>, at: &AtPosition) -> Option<Location> {
    let (found, offset) = workbench.find_place(at)?;
    let span = ide::definition(found.snapshot, found.file, offset)?;
    Some(workbench.location(span, found.snapshot))
}

pub(super) fn references(workbench: &Workbench<'_>, params: &ReferenceParams) -> Vec<Location> {
    let Some((found, offset)) = workbench.find_place(&params.at) else { return Vec::new() };
    let spans = ide::references(found.snapshot, found.file, offset);
    let skipped = usize::from(!params.context.include_declaration);
    let wanted = spans.into_iter().skip(skipped);
    wanted.map(|span| workbench.location(span, found.snapshot)).collect()
}

/// The edits of a renaming, or why there are none.
pub(super) fn rename(
    workbench: &Workbench<'_>,
    params: &RenameParams,
) -> Result<WorkspaceEdit, Refusal> {
    let refusal = |message: String| Refusal { code: ErrorCode::RequestFailed, message };
    let renamed = workbench.find_place(&params.at).and_then(|(found, offset)| {
        let edits = ide::rename(found.snapshot, found.file, offset, &params.new_name)?;
        Some((found, edits))
    });
    let Some((found, edits)) = renamed else {
        return Err(refusal("only collections can be renamed".to_owned()));
    };
    Ok(workbench.edit(&edits.map_err(refusal)?, found.snapshot))
}

pub(super) fn completions(workbench: &Workbench<'_>, at: &AtPosition) -> Vec<CompletionItem> {
    let Some((found, offset)) = workbench.find_place(at) else { return Vec::new() };
    let completions = ide::completions(found.snapshot, found.file, offset);
    let items = (0..).zip(completions);
    items.map(|(index, each)| completion_item(workbench, found, index, each)).collect()
}

fn completion_item(
    workbench: &Workbench<'_>,
    found: Found<'_>,
    index: u32,
    completion: Completion,
) -> CompletionItem {
    let file = found.sources().file(found.file);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    CompletionItem {
        kind: match completion.kind {
            CompletionKind::Field => 10,
            CompletionKind::Word => 12,
            CompletionKind::Collection => 7,
            CompletionKind::Pointer => 5,
            CompletionKind::Parameter => 6,
            CompletionKind::Keyword => 14,
        },
        filter_text: completion.label.clone(),
        label: completion.label,
        detail: some(completion.detail),
        documentation: some(completion.documentation).map(markdown),
        sort_text: format!("{index:05}"),
        text_edit: TextEdit {
            range: workbench.range(file, completion.range),
            new_text: completion.text,
        },
    }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: "markdown", value }
}

pub(super) fn document_symbols(workbench: &Workbench<'_>, of: &OfDocument) -> Vec<DocumentSymbol> {
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
