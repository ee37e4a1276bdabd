//! The answers to requests, one function each.

mod actions;
mod places;

use lsp_server::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::pages;
use super::protocol::Document;
use super::to_proto::Workbench;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// Makes the answer to a request with its parameters.
pub(super) type Answer = fn(&Workbench<'_>, Value) -> Result<Value, Refusal>;

/// Every request that is answered from snapshots.
const ALL: [(&str, Answer); 8] = [
    ("textDocument/codeAction", |workbench, params| {
        answer(params, |params| actions::actions(workbench, &params))
    }),
    ("textDocument/completion", |workbench, params| {
        answer(params, |at| places::completions(workbench, &at))
    }),
    ("textDocument/definition", |workbench, params| {
        answer(params, |at| places::definition(workbench, &at))
    }),
    ("textDocument/documentSymbol", |workbench, params| {
        answer(params, |of| places::document_symbols(workbench, &of))
    }),
    ("textDocument/hover", |workbench, params| answer(params, |at| places::hover(workbench, &at))),
    ("textDocument/references", |workbench, params| {
        answer(params, |params| places::references(workbench, &params))
    }),
    ("textDocument/rename", |workbench, params| {
        places::rename(workbench, &parsed(params)?).map(as_json)
    }),
    ("tidegate/rulePage", |_, params| answer(params, |of: Document| pages::page(&of.uri))),
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
        "completionProvider": {"triggerCharacters": ["$", "/", " ", ":"]},
        "definitionProvider": true,
        "documentSymbolProvider": true,
        "hoverProvider": true,
        "referencesProvider": true,
        "renameProvider": true,
        "codeActionProvider": {"codeActionKinds": ["quickfix", "source.fixAll"]},
        "experimental": {"rulePages": true},
    })
}

fn answer<P: DeserializeOwned, R: Serialize>(
    params: Value,
    make: impl FnOnce(P) -> R,
) -> Result<Value, Refusal> {
    Ok(as_json(make(parsed(params)?)))
}

fn parsed<P: DeserializeOwned>(params: Value) -> Result<P, Refusal> {
    serde_json::from_value(params).map_err(|_| Refusal {
        code: ErrorCode::InvalidParams,
        message: "the parameters are not those of this request".to_owned(),
    })
}

fn as_json(answer: impl Serialize) -> Value {
    serde_json::to_value(answer).expect("answers are JSON")
}
