//! Sessions of an editor: `tests/lsp/*.md`.
//!
//! A section's fences with a path are files of a fresh directory; `$0` in one of them is the cursor, and its file is open. A fence
//! ` ```lsp REQUEST ` holds what the server answers about the cursor: `hover`, `definition`, `references`, `completion`, `complete
//! LABEL` (the line after a completion is taken), `actions`, `rename NAME`, `symbols`, or `diagnostics` of all files. A file
//! that comes again after that is what the editor shows from then on. `UPDATE=1` rewrites the answers.
#![allow(clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::client::Client;
use crate::markdown::{self, Fence, Section};

const CURSOR: &str = "$0";

/// One test a section; with `UPDATE=1` one test a file, so that a file is rewritten by one hand.
pub(crate) fn tests() -> Vec<Trial> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lsp");
    let mut trials = Vec::new();
    for path in markdown::files(&directory) {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path).expect("sessions can be read");
        if markdown::is_update() {
            trials.push(Trial::test(format!("lsp::{stem}"), move || {
                update(&path, text);
                Ok(())
            }));
            continue;
        }
        for section in markdown::sections(&text) {
            let name = format!("lsp::{stem}::{}", section.name);
            trials.push(Trial::test(name, move || compare(&section)));
        }
    }
    trials
}

fn compare(section: &Section) -> Result<(), Failed> {
    for (fence, actual) in Session::run(section) {
        if actual != fence.text {
            let expected = &fence.text;
            let request = fence.attributes.join(" ");
            return Err(format!(
                "the answer to `{request}` differs (accept with UPDATE=1)\n--- expected\n{expected}\n--- actual\n{actual}"
            )
            .into());
        }
    }
    Ok(())
}

fn update(path: &Path, text: String) {
    let sections = markdown::sections(&text);
    let answers: Vec<_> = sections.iter().flat_map(Session::run).collect();
    let text = answers
        .iter()
        .rev()
        .fold(text, |text, (fence, actual)| markdown::replace(&text, fence, actual));
    std::fs::write(path, text).expect("the file can be written");
}

/// One editor.
struct Session {
    client: Client,
    /// What the editor or the disk has.
    texts: BTreeMap<String, String>,
    open: Vec<String>,
    /// The file and the byte of the cursor.
    cursor: (String, usize),
}

impl Session {
    /// The answers to all requests of a section.
    fn run(section: &Section) -> Vec<(Fence, String)> {
        let directory = tempfile::tempdir().expect("there is room");
        let root = directory.path().canonicalize().expect("it is there");
        let is_request = |fence: &&Fence| fence.language == "lsp";
        let first = section.fences.iter().position(|fence| is_request(&fence));
        let (files, rest) = section.fences.split_at(first.unwrap_or(section.fences.len()));
        for fence in files {
            let path = root.join(path_of(fence));
            std::fs::create_dir_all(path.parent().expect("it is below the root"))
                .and_then(|()| std::fs::write(&path, fence.text.replace(CURSOR, "")))
                .expect("the file can be written");
        }
        let mut session = Self {
            client: Client::start(&root, &["utf-8"]),
            texts: BTreeMap::new(),
            open: Vec::new(),
            cursor: (String::new(), 0),
        };
        files.iter().for_each(|fence| session.show(fence));
        let mut answers = Vec::new();
        for fence in rest {
            if is_request(&fence) {
                answers.push((fence.clone(), session.ask(&fence.attributes)));
            } else {
                session.show(fence);
            }
        }
        assert_eq!(session.client.stop(), Some(0), "the server ends well");
        answers
    }

    /// Shows a file in the editor, if the cursor is in it or it is open.
    fn show(&mut self, fence: &Fence) {
        let path = path_of(fence).to_owned();
        let text = fence.text.replace(CURSOR, "");
        let place = fence.text.find(CURSOR);
        if let Some(place) = place {
            self.cursor = (path.clone(), place);
        }
        let is_known = self.texts.insert(path.clone(), text.clone()).is_some();
        if self.open.contains(&path) {
            self.client.change(&path, &json!({"text": text}));
        } else if place.is_some() || is_known {
            self.client.open(&path, &text);
            self.open.push(path);
        }
    }

    fn ask(&mut self, words: &[String]) -> String {
        let word = |index: usize| words.get(index).map(String::as_str).unwrap_or_default();
        match word(0) {
            "diagnostics" => self.diagnostics(),
            "hover" => {
                let hover = self.request("hover", json!({}));
                let text = hover.pointer("/contents/value").and_then(Value::as_str);
                format!("{}\n", text.unwrap_or("nothing").trim_end())
            }
            "definition" => {
                let location = self.request("definition", json!({}));
                self.locations(&[location])
            }
            "references" => {
                let context = json!({"includeDeclaration": true});
                let found = self.request("references", json!({"context": context}));
                self.locations(found.as_array().map(Vec::as_slice).unwrap_or_default())
            }
            "completion" => self.completions(),
            "complete" => self.complete(word(1)),
            "actions" => self.actions(),
            "rename" => {
                let edit = self.request("rename", json!({"newName": word(1)}));
                self.edited(&edit)
            }
            "symbols" => {
                let symbols = self.request("documentSymbol", json!({}));
                let mut text = String::new();
                outline(&symbols, 0, &mut text);
                text
            }
            other => panic!("`{other}` is no request"),
        }
    }

    /// Asks about the cursor.
    fn request(&mut self, method: &str, mut params: Value) -> Value {
        let (path, place) = self.cursor.clone();
        params["textDocument"] = json!({"uri": self.client.uri(&path)});
        params["position"] = self.position(&path, place);
        match self.client.request(&format!("textDocument/{method}"), &params) {
            Ok(result) => result,
            Err(refusal) => json!({"refused": refusal.get("message")}),
        }
    }

    fn position(&self, path: &str, place: usize) -> Value {
        let before = self.text(path).get(..place).unwrap_or_default();
        let line = before.matches('\n').count();
        let character = place - before.rfind('\n').map_or(0, |index| index + 1);
        json!({"line": line, "character": character})
    }

    fn text(&self, path: &str) -> &str {
        self.texts.get(path).map(String::as_str).unwrap_or_default()
    }

    fn diagnostics(&mut self) -> String {
        self.client.settle();
        let mut text = String::new();
        for (uri, list) in &self.client.diagnostics {
            for item in list {
                let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
                let severity =
                    if item.get("severity") == Some(&json!(1)) { "error" } else { "warning" };
                let place = describe(&self.client.path(uri), &item["range"]);
                let (code, message) = (word("code"), word("message").replace('\n', "\n    "));
                let _ = writeln!(text, "{place}: {severity}[{code}] {message}");
                let others = item.get("relatedInformation").and_then(Value::as_array);
                for other in others.into_iter().flatten() {
                    let uri = other.pointer("/location/uri").and_then(Value::as_str);
                    let path = self.client.path(uri.unwrap_or_default());
                    let place = describe(&path, &other["location"]["range"]);
                    let message = other.get("message").and_then(Value::as_str).unwrap_or_default();
                    let _ = writeln!(text, "    {place}: {message}");
                }
            }
        }
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }

    fn locations(&self, locations: &[Value]) -> String {
        let mut text = String::new();
        for location in locations.iter().filter(|location| !location.is_null()) {
            let uri = location.get("uri").and_then(Value::as_str).unwrap_or_default();
            let path = self.client.path(uri);
            let line = location.pointer("/range/start/line").and_then(Value::as_u64);
            let line = usize::try_from(line.unwrap_or_default()).expect("files are small");
            let content = self.text(&path).lines().nth(line).unwrap_or_default().trim();
            let _ = writeln!(text, "{}: {content}", describe(&path, &location["range"]));
        }
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }

    fn completions(&mut self) -> String {
        let items = self.request("completion", json!({}));
        let mut text = String::new();
        for item in items.as_array().into_iter().flatten() {
            let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
            let _ =
                writeln!(text, "{}", format!("{}  {}", word("label"), word("detail")).trim_end());
        }
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }

    /// The line of the cursor when a completion is taken.
    fn complete(&mut self, label: &str) -> String {
        let items = self.request("completion", json!({}));
        let item = items.as_array().into_iter().flatten();
        let mut chosen = item.filter(|item| item.get("label") == Some(&json!(label)));
        let Some(item) = chosen.next() else { return "nothing\n".to_owned() };
        let uri = self.client.uri(&self.cursor.0);
        let changes = json!({"changes": {uri: [item["textEdit"]]}});
        self.edited(&changes)
    }

    fn actions(&mut self) -> String {
        let (path, place) = self.cursor.clone();
        let position = self.position(&path, place);
        let range = json!({"start": position, "end": position});
        let params = json!({"range": range, "context": {"diagnostics": []}});
        let actions = self.request("codeAction", params);
        let mut text = String::new();
        for action in actions.as_array().into_iter().flatten() {
            let word = |name: &str| action.get(name).and_then(Value::as_str).unwrap_or_default();
            let preferred = if action["isPreferred"] == json!(true) { ", preferred" } else { "" };
            let _ = writeln!(text, "{} ({}{preferred})", word("title"), word("kind"));
            for line in self.edited(&action["edit"]).lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }

    /// The lines that edits change, as they are afterwards.
    fn edited(&self, edit: &Value) -> String {
        if let Some(refused) = edit.get("refused").and_then(Value::as_str) {
            return format!("refused: {refused}\n");
        }
        let mut text = String::new();
        let changes = edit.get("changes").and_then(Value::as_object);
        for (uri, edits) in changes.into_iter().flatten() {
            let path = self.client.path(uri);
            let before = self.text(&path);
            let after = applied(before, edits.as_array().map(Vec::as_slice).unwrap_or_default());
            let old: Vec<&str> = before.lines().collect();
            for (number, line) in (1..).zip(after.lines()) {
                if !old.contains(&line) {
                    let _ = writeln!(text, "{}", format!("{path}:{number}: {line}").trim_end());
                }
            }
        }
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }
}

fn path_of(fence: &Fence) -> &str {
    fence.attributes.first().map(String::as_str).expect("a file has a path")
}

/// The text after some edits, of which none touches another.
fn applied(text: &str, edits: &[Value]) -> String {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
    let offset = |position: &Value| {
        let number = |name: &str| {
            let number = position.get(name).and_then(Value::as_u64).expect("it is a number");
            usize::try_from(number).expect("files are small")
        };
        starts.get(number("line")).copied().unwrap_or(text.len()) + number("character")
    };
    let mut places: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| {
            let new = edit.get("newText").and_then(Value::as_str).unwrap_or_default();
            (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]), new)
        })
        .collect();
    places.sort_unstable();
    places.iter().rev().fold(text.to_owned(), |mut text, (start, end, new)| {
        text.replace_range(start..end, new);
        text
    })
}

/// A range as people read it: lines and columns from 1, columns in bytes.
fn describe(path: &str, range: &Value) -> String {
    let number = |pointer| range.pointer(pointer).and_then(Value::as_u64).unwrap_or_default() + 1;
    let (line, start) = (number("/start/line"), number("/start/character"));
    let (last, end) = (number("/end/line"), number("/end/character"));
    if line == last {
        format!("{path}:{line}:{start}-{end}")
    } else {
        format!("{path}:{line}:{start}-{last}:{end}")
    }
}

fn outline(symbols: &Value, depth: usize, text: &mut String) {
    for symbol in symbols.as_array().into_iter().flatten() {
        let word = |name: &str| symbol.get(name).and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(text, "{}{} {}", "  ".repeat(depth), word("detail"), word("name"));
        outline(&symbol["children"], depth + 1, text);
    }
}
