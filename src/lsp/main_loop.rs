//! The loop: what the client says, what the worker found, and what is answered.
//!
//! A change makes a new revision, which the worker compiles; a request waits until the revision it was asked in has been compiled, so
//! that its places mean what the client sees. Nothing that a client sends ends the loop but `exit` and the end of the stream.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidegate_compiler::source::ColumnUnit;
use url::Url;

use super::answers;
use super::overlay::{OpenText, Overlay, canonical};
use super::protocol::{
    CancelParams, Diagnostic, DidChange, DidChangeWorkspaceFolders, DidOpen, InitializeParams,
    OfDocument, PublishDiagnostics,
};
use super::to_proto::Workbench;
use super::transport::{self, Incoming};
use super::workspace::{Compiled, Job, work};
use crate::exit::Exit;

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// The client said something.
    Client(Incoming),
    /// The client said its last word.
    Closed,
    /// The worker is done with a revision.
    Compiled(Compiled),
}

/// Serves one client until it is done.
pub(crate) fn run() -> Exit {
    let (events, received) = channel();
    let (jobs, queued) = channel();
    let from_worker = events.clone();
    // The threads end with the process: one waits for input that may never come, the other may be in the middle of a catalog.
    thread::spawn(move || listen(&events));
    thread::spawn(move || work(&queued, &from_worker));
    let mut server = Server::new(jobs);
    server.serve(&received)
}

fn listen(events: &Sender<Event>) {
    let mut input = BufReader::new(io::stdin().lock());
    while let Ok(Some(incoming)) = transport::read(&mut input) {
        if events.send(Event::Client(incoming)).is_err() {
            return;
        }
    }
    // Nobody listens any more when this fails.
    let _ = events.send(Event::Closed);
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Begun,
    Initialized,
    ShutDown,
}

struct Server {
    jobs: Sender<Job>,
    phase: Phase,
    unit: ColumnUnit,
    watches_files: bool,
    opens_pages: bool,
    overlay: Overlay,
    folders: Vec<PathBuf>,
    /// Counts changes.
    revision: u64,
    /// The newest revision that was compiled, and what was found.
    compiled: Compiled,
    /// Requests that wait for the revision they were asked in.
    waiting: VecDeque<(u64, Request)>,
    /// What the client was told last of each file, by the URI it was told under.
    published: BTreeMap<String, Vec<Diagnostic>>,
}

impl Server {
    fn new(jobs: Sender<Job>) -> Self {
        Self {
            jobs,
            phase: Phase::Begun,
            unit: ColumnUnit::Utf16,
            watches_files: false,
            opens_pages: false,
            overlay: Overlay::default(),
            folders: Vec::new(),
            revision: 0,
            compiled: Compiled { revision: 0, snapshots: Vec::new() },
            waiting: VecDeque::new(),
            published: BTreeMap::new(),
        }
    }

    fn serve(&mut self, events: &Receiver<Event>) -> Exit {
        while let Ok(event) = events.recv() {
            match event {
                Event::Client(Incoming::Message(message)) => {
                    if let Some(exit) = self.hear(message) {
                        return exit;
                    }
                }
                Event::Client(Incoming::Malformed(problem)) => self.refuse_malformed(&problem),
                Event::Compiled(compiled) => self.take(compiled),
                Event::Closed => break,
            }
        }
        self.exit()
    }

    /// A client that goes without saying so has broken down, and its server with it.
    fn exit(&self) -> Exit {
        if self.phase == Phase::ShutDown { Exit::Fine } else { Exit::Findings }
    }

    fn hear(&mut self, message: Message) -> Option<Exit> {
        match message {
            Message::Request(request) => self.hear_request(request),
            Message::Notification(notification) if notification.method == "exit" => {
                return Some(self.exit());
            }
            Message::Notification(notification) => {
                if self.phase == Phase::Initialized {
                    self.hear_notification(notification);
                }
            }
            // The only request of this side needs no answer.
            Message::Response(_) => {}
        }
        None
    }

    fn hear_request(&mut self, request: Request) {
        match (self.phase, request.method.as_str()) {
            (Phase::Begun, "initialize") => {
                let result = self.initialize(request.params);
                self.send_response(Response::new_ok(request.id, result));
            }
            (Phase::Begun, _) => {
                let code = ErrorCode::ServerNotInitialized;
                self.refuse(request.id, code, "the first request is `initialize`");
            }
            (Phase::Initialized, "initialize") | (Phase::ShutDown, _) => {
                self.refuse(request.id, ErrorCode::InvalidRequest, "it is too late for this");
            }
            (Phase::Initialized, "shutdown") => {
                self.phase = Phase::ShutDown;
                self.send_response(Response::new_ok(request.id, Value::Null));
            }
            (Phase::Initialized, method) if answers::find(method).is_none() => {
                let message = format!("`{method}` is not known here");
                self.refuse(request.id, ErrorCode::MethodNotFound, &message);
            }
            (Phase::Initialized, _) => {
                self.waiting.push_back((self.revision, request));
                self.answer_waiting();
            }
        }
    }

    fn initialize(&mut self, params: Value) -> Value {
        let params: InitializeParams = serde_json::from_value(params).unwrap_or_default();
        let registers = "/workspace/didChangeWatchedFiles/dynamicRegistration";
        self.watches_files = params.capabilities.pointer(registers) == Some(&Value::Bool(true));
        let opens_pages = params.initialization_options.get("rulePages");
        self.opens_pages = opens_pages == Some(&Value::Bool(true));
        let encodings = params.capabilities.pointer("/general/positionEncodings");
        let takes_bytes = encodings
            .and_then(Value::as_array)
            .is_some_and(|encodings| encodings.iter().any(|each| each == "utf-8"));
        self.unit = if takes_bytes { ColumnUnit::Utf8 } else { ColumnUnit::Utf16 };
        let folders = params.workspace_folders.unwrap_or_default();
        let uris: Vec<String> = match folders.as_slice() {
            [] => params.root_uri.into_iter().collect(),
            folders => folders.iter().map(|folder| folder.uri.clone()).collect(),
        };
        self.folders = uris.iter().filter_map(|uri| folder_path(uri)).collect();
        self.phase = Phase::Initialized;
        self.compile(Vec::new());
        json!({
            "capabilities": answers::capabilities(if takes_bytes { "utf-8" } else { "utf-16" }),
            "serverInfo": {"name": "tidegate", "version": env!("CARGO_PKG_VERSION")},
        })
    }

    fn hear_notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            "initialized" => self.ask_to_watch_files(),
            "textDocument/didOpen" => {
                if let Some(DidOpen { text_document }) = parsed(params) {
                    self.open(text_document);
                }
            }
            "textDocument/didChange" => {
                if let Some(change) = parsed::<DidChange>(params)
                    && let Some(url) = canonical(&change.text_document.uri)
                {
                    let version = change.text_document.version;
                    self.overlay.change(&url, version, &change.content_changes, self.unit);
                    self.compile(Vec::new());
                }
            }
            "textDocument/didClose" => {
                if let Some(url) = document(params) {
                    self.overlay.close(&url);
                    self.compile(vec![url]);
                }
            }
            "textDocument/didSave" => self.compile(document(params).into_iter().collect()),
            "workspace/didChangeWatchedFiles" => {
                let changes = params.get("changes").and_then(Value::as_array);
                let uris = changes.into_iter().flatten().filter_map(|change| change.get("uri"));
                let urls = uris.filter_map(|uri| canonical(uri.as_str()?)).collect();
                self.compile(urls);
            }
            "workspace/didChangeWorkspaceFolders" => {
                if let Some(DidChangeWorkspaceFolders { event }) = parsed(params) {
                    let path = |uri: &str| folder_path(uri);
                    let gone: BTreeSet<_> =
                        event.removed.iter().filter_map(|folder| path(&folder.uri)).collect();
                    self.folders.retain(|folder| !gone.contains(folder));
                    self.folders.extend(event.added.iter().filter_map(|each| path(&each.uri)));
                    self.compile(Vec::new());
                }
            }
            "$/cancelRequest" => {
                if let Some(CancelParams { id }) = parsed(params) {
                    self.cancel(&id);
                }
            }
            // What is not known may be ignored.
            _ => {}
        }
    }

    fn open(&mut self, opened: super::protocol::OpenedDocument) {
        let Some(url) = canonical(&opened.uri) else { return };
        let text = OpenText {
            uri: opened.uri,
            version: opened.version,
            is_catalog: opened.language_id == "flow-yaml",
            text: opened.text.into(),
        };
        self.overlay.open(url, text);
        self.compile(Vec::new());
    }

    /// A request that waits is given up; one that was answered has its answer.
    fn cancel(&mut self, id: &RequestId) {
        let Some(index) = self.waiting.iter().position(|(_, request)| request.id == *id) else {
            return;
        };
        self.waiting.remove(index);
        self.refuse(id.clone(), ErrorCode::RequestCanceled, "the request was cancelled");
    }

    /// Makes a new revision.
    fn compile(&mut self, on_disk: Vec<Url>) {
        self.revision += 1;
        let job = Job {
            revision: self.revision,
            overlay: self.overlay.clone(),
            folders: self.folders.clone(),
            on_disk,
        };
        // The worker lives as long as this value.
        let _ = self.jobs.send(job);
    }

    fn take(&mut self, compiled: Compiled) {
        let before = std::mem::replace(&mut self.compiled, compiled);
        self.publish();
        self.answer_waiting();
        // To take the last catalogs apart takes a while, and nobody waits for it here.
        drop(before);
    }

    /// Tells the client what changed: of files that had findings before or have some now.
    fn publish(&mut self) {
        let now = self.workbench().diagnostics();
        let before = std::mem::take(&mut self.published);
        let nothing = Vec::new();
        let uris: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        for uri in uris {
            let diagnostics = now.get(uri).unwrap_or(&nothing);
            if before.get(uri).unwrap_or(&nothing) == diagnostics {
                continue;
            }
            let open = canonical(uri).and_then(|url| self.overlay.get(&url).cloned());
            let version = open.map(|open| open.version).filter(|_| self.is_newest());
            let params = PublishDiagnostics { uri, version, diagnostics };
            self.send(Notification::new("textDocument/publishDiagnostics".to_owned(), params));
        }
        self.published = now;
    }

    fn is_newest(&self) -> bool {
        self.compiled.revision == self.revision
    }

    /// Answers the requests whose revision has been compiled, in their order.
    fn answer_waiting(&mut self) {
        while let Some((revision, _)) = self.waiting.front()
            && *revision <= self.compiled.revision
        {
            let Some((_, request)) = self.waiting.pop_front() else { return };
            self.answer(request);
        }
    }

    fn answer(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let Some(answer) = answers::find(&method) else { return };
        let workbench = self.workbench();
        let response = match catch_unwind(AssertUnwindSafe(|| answer(&workbench, params))) {
            Ok(Ok(result)) => Response::new_ok(id, result),
            Ok(Err(refusal)) => Response::new_err(id, refusal.code as i32, refusal.message),
            Err(_) => {
                let message = format!("`{method}` failed by a mistake of this program");
                Response::new_err(id, ErrorCode::InternalError as i32, message)
            }
        };
        self.send_response(response);
    }

    fn workbench(&self) -> Workbench<'_> {
        let snapshots = self.compiled.snapshots.as_slice();
        let (unit, opens_pages) = (self.unit, self.opens_pages);
        Workbench { snapshots, overlay: &self.overlay, unit, opens_pages }
    }

    /// Asks for news of files that no editor has open.
    fn ask_to_watch_files(&self) {
        if !self.watches_files {
            return;
        }
        let watchers = json!([{"globPattern": "**/*.{yaml,yml,json,jsonl,sql,ts,toml}"}]);
        let registration = json!({
            "id": "files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": {"watchers": watchers},
        });
        self.send(Request::new(
            RequestId::from("watch-files".to_owned()),
            "client/registerCapability".to_owned(),
            json!({"registrations": [registration]}),
        ));
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, message: &str) {
        self.send_response(Response::new_err(id, code as i32, message.to_owned()));
    }

    /// JSON-RPC answers what has no readable id under the id null.
    fn refuse_malformed(&self, problem: &str) {
        let code = ErrorCode::ParseError as i32;
        let body = json!({
            "jsonrpc": "2.0", "id": null, "error": {"code": code, "message": problem},
        });
        transport::write_value(&body, &mut io::stdout().lock());
    }

    fn send_response(&self, response: Response) {
        self.send(response);
    }

    fn send(&self, message: impl Into<Message>) {
        transport::write(&message.into(), &mut io::stdout().lock());
    }
}

fn folder_path(uri: &str) -> Option<PathBuf> {
    canonical(uri)?.to_file_path().ok()
}

fn document(params: Value) -> Option<Url> {
    canonical(&parsed::<OfDocument>(params)?.text_document.uri)
}

/// Notifications have no answer, so what is malformed is passed over.
fn parsed<T: DeserializeOwned>(params: Value) -> Option<T> {
    serde_json::from_value(params).ok()
}
