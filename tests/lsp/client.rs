//! An editor, as far as the server can tell.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

/// A server that says nothing for so long is taken for dead.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server and what it has told.
pub(crate) struct Client {
    server: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    root: PathBuf,
    next_id: i64,
    version: i64,
    /// What was published last, by URI.
    pub(crate) diagnostics: BTreeMap<String, Vec<Value>>,
    /// Requests of the server.
    pub(crate) requests: Vec<Value>,
}

impl Client {
    /// Starts a server over a directory. The client counts columns in bytes when `encodings` has `utf-8`.
    pub(crate) fn start(root: &Path, encodings: &[&str]) -> Self {
        let mut client = Self::spawn(root);
        let capabilities = json!({
            "general": {"positionEncodings": encodings},
            "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}},
        });
        let folders = json!([{"uri": uri(root), "name": "root"}]);
        let params = json!({"capabilities": capabilities, "workspaceFolders": folders});
        client.request("initialize", &params).expect("the server is ready");
        client.notify("initialized", &json!({}));
        client
    }

    /// Starts a server and says nothing yet.
    pub(crate) fn spawn(root: &Path) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .arg("lsp")
            .current_dir(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let input = server.stdin.take().expect("it is piped");
        let mut output = BufReader::new(server.stdout.take().expect("it is piped"));
        let (send, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            server,
            input,
            messages,
            root: root.to_owned(),
            next_id: 0,
            version: 0,
            diagnostics: BTreeMap::new(),
            requests: Vec::new(),
        }
    }

    /// The server's process.
    #[allow(dead_code, reason = "the bench asks how busy it is")]
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// The URI of a file below the root.
    pub(crate) fn uri(&self, path: &str) -> String {
        uri(&self.root.join(path))
    }

    /// The path of a URI below the root.
    pub(crate) fn path(&self, uri: &str) -> String {
        let path = Url::parse(uri).ok().and_then(|url| url.to_file_path().ok());
        let path = path.unwrap_or_else(|| PathBuf::from(uri));
        path.strip_prefix(&self.root).unwrap_or(&path).display().to_string()
    }

    /// Opens a text.
    pub(crate) fn open(&mut self, path: &str, text: &str) {
        self.version += 1;
        let language = if path.ends_with(".sql") { "sql" } else { "yaml" };
        let document = json!({
            "uri": self.uri(path), "languageId": language, "version": self.version, "text": text,
        });
        self.notify("textDocument/didOpen", &json!({"textDocument": document}));
    }

    /// Changes an open text as a whole, or a range of it.
    pub(crate) fn change(&mut self, path: &str, change: &Value) {
        self.version += 1;
        let document = json!({"uri": self.uri(path), "version": self.version});
        let params = json!({"textDocument": document, "contentChanges": [change]});
        self.notify("textDocument/didChange", &params);
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.answer(&json!(id))
    }

    /// Waits until everything that was said has been worked on: a request is answered after that.
    pub(crate) fn settle(&mut self) {
        let params = json!({"textDocument": {"uri": self.uri("flow.yaml")}});
        self.request("textDocument/documentSymbol", &params).expect("every file has symbols");
    }

    /// Waits for the answer to a request.
    pub(crate) fn answer(&mut self, id: &Value) -> Result<Value, Value> {
        loop {
            let message = self.receive();
            if message.get("id") == Some(id) && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message.get("result").cloned().unwrap_or_default()),
                };
            }
        }
    }

    /// The next message; what is published is noted.
    pub(crate) fn receive(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).expect("the server goes on speaking");
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        if method == "textDocument/publishDiagnostics" {
            let text = |pointer| message.pointer(pointer).and_then(Value::as_str);
            let uri = text("/params/uri").expect("it is about a file").to_owned();
            let list = message.pointer("/params/diagnostics").and_then(Value::as_array);
            self.diagnostics.insert(uri, list.cloned().expect("it is a list"));
        } else if !method.is_empty() && message.get("id").is_some() {
            self.requests.push(message.clone());
        }
        message
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a message as it is.
    pub(crate) fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.send_bytes(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    /// Sends anything.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).and_then(|()| self.input.flush()).expect("the server listens");
    }

    /// Says goodbye as the protocol has it. Returns the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.request("shutdown", &Value::Null).expect("the server shuts down");
        self.notify("exit", &Value::Null);
        self.wait()
    }

    /// Closes the connection without a word. Returns the exit code.
    pub(crate) fn hang_up(mut self) -> Option<i32> {
        let Self { input, .. } = &mut self;
        input.flush().expect("the server listens");
        let (mut server, input) = (self.server, self.input);
        drop(input);
        server.wait().expect("it ends").code()
    }

    /// Waits for the end of the server.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.server.wait().expect("it ends").code()
    }
}

fn uri(path: &Path) -> String {
    Url::from_file_path(path).expect("paths of tests are absolute").to_string()
}

fn read(output: &mut BufReader<impl std::io::Read>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some((_, value)) => length = value.parse().ok()?,
            None => break,
        }
    }
    let mut content = vec![0; length];
    output.read_exact(&mut content).ok()?;
    serde_json::from_slice(&content).ok()
}
