//! Lambdas of a process of this machine, which is spoken to by the derive protocol: a JSON object a line, whose only property says what
//! it is. Values that are the default of their type are left out, and integers of 64 bits are texts, as the protocol has it.
//!
//! One process answers `spec` and `validate` and ends; another one is opened with the state and gets documents. It may publish at any
//! time before it has answered `flush`.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tidegate_stdlib::bundle::{
    Collection, Derivation, LocalProcess, Projection, Shuffle, UUID_POINTER,
};
use tidegate_stdlib::document::Node;
use tidegate_stdlib::key::{Component, Key, hash};
use tidegate_stdlib::lambda::typescript::{LogLine, StateUpdate};
use tidegate_stdlib::lambda::{Invocation, Rows};
use tidegate_stdlib::limits::LAMBDA_ROWS_SIZE_BYTES_MAX;
use tidegate_stdlib::value::Pointer;

use crate::process::{Heard, Process, Program, SILENCE_MAX, unexpected_line};
use crate::stamp;
use crate::uuid::{self, Uuid};

/// What is said of the connector in requests.
const CONNECTOR_TYPE: &str = "LOCAL";
/// What a document counts as at least: it takes more memory than the shortest texts.
const DOCUMENT_BYTES_LEAST: usize = 128;

/// A derivation and what it reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'b> {
    pub(super) derivation: &'b Derivation,
    pub(super) process: &'b LocalProcess,
    pub(super) derived: &'b Collection,
    /// Of each transform.
    pub(super) sources: &'b [&'b Collection],
}

/// A process that was opened.
#[derive(Debug)]
pub(super) struct ProcessEngine {
    /// Sending and receiving move lines through queues, whoever holds the engine.
    process: RefCell<Process>,
    /// Of each transform: what its documents are shuffled by.
    keys: Vec<Key>,
    /// What was published before anybody asked.
    early: RefCell<Early>,
}

/// Lines that came while something was sent, of bounded size.
#[derive(Debug, Default)]
struct Early {
    lines: Vec<Vec<u8>>,
    taken: Taken,
}

impl Early {
    fn add(&mut self, heard: Heard) -> Result<(), String> {
        let line = heard.into_line()?;
        self.taken.count(&line)?;
        self.lines.push(line);
        Ok(())
    }
}

/// How much a process has published at once: a process that does so without end must not take the memory.
#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
}

impl Taken {
    fn count(&mut self, line: &[u8]) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(line.len().max(DOCUMENT_BYTES_LEAST));
        if self.bytes > LAMBDA_ROWS_SIZE_BYTES_MAX {
            let limit = LAMBDA_ROWS_SIZE_BYTES_MAX >> 20;
            return Err(format!("the process publishes more than {limit} MiB at once"));
        }
        Ok(())
    }
}

/// A response; it has one of these properties.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response<'l> {
    spec: Option<Anything>,
    validated: Option<Validated>,
    opened: Option<Anything>,
    #[serde(borrow)]
    published: Option<Published<'l>>,
    flushed: Option<Anything>,
    #[serde(alias = "started_commit")]
    started_commit: Option<StartedCommit>,
}

/// What is not looked at.
#[derive(Debug, Default, Deserialize)]
struct Anything {}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Validated {
    transforms: Vec<Anything>,
}

#[derive(Debug, Deserialize)]
struct Published<'l> {
    #[serde(borrow)]
    doc: &'l RawValue,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StartedCommit {
    state: Option<State>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct State {
    updated: Value,
    #[serde(alias = "merge_patch")]
    merge_patch: bool,
}

impl ProcessEngine {
    /// Has the derivation validated, and opens a process for its documents.
    pub(super) fn open(subject: Subject<'_>, root: &Path, state: &Value) -> Result<Self, String> {
        let LocalProcess { command, env, directory, .. } = subject.process;
        let directory = root.join(directory);
        let program =
            Program { command, environment: env, directory: &directory, silence_max: SILENCE_MAX };
        validate(Process::start(program)?, subject)?;
        let mut process = Process::start(program)?;
        let range = json!({"keyEnd": u32::MAX, "rClockEnd": u32::MAX});
        let open = json!({"open": {
            "collection": derived_spec(subject), "version": "", "range": range, "state": state,
        }});
        process.send(as_line(&open), &mut |heard| Err(unexpected(heard)))?;
        let line = process.receive()?.into_line()?;
        if parse(&line)?.opened.is_none() {
            return Err(unexpected_line(&line));
        }
        let keys = subject.derivation.transforms.iter().zip(subject.sources);
        let keys = keys.map(|(transform, source)| shuffle_key(&transform.shuffle, source));
        Ok(Self { process: RefCell::new(process), keys: keys.collect(), early: RefCell::default() })
    }

    /// Sends a document, and adds what has been published meanwhile.
    pub(super) fn invoke(
        &self,
        transform: usize,
        invocation: Invocation<'_>,
        rows: &mut Rows,
    ) -> Result<(), String> {
        let request = self.read_request(transform, invocation);
        self.send(Arc::new(request.into_bytes()))?;
        while let Some(heard) = self.process.borrow_mut().try_receive() {
            self.early.borrow_mut().add(heard)?;
        }
        self.publish_early(rows)
    }

    /// Asks for the rest of what a transaction publishes.
    pub(super) fn flush(&self, rows: &mut Rows) -> Result<(), String> {
        self.send(as_line(&json!({"flush": {}})))?;
        // What came while there was no room for the request was published before it.
        let Early { lines, mut taken } = self.early.take();
        let mut is_flushed = false;
        for line in lines {
            is_flushed |= take(&line, rows)?;
        }
        while !is_flushed {
            let line = self.process.borrow_mut().receive()?.into_line()?;
            taken.count(&line)?;
            is_flushed = take(&line, rows)?;
        }
        Ok(())
    }

    /// Tells that the transaction is committed after this, and asks for the state to commit with it.
    pub(super) fn start_commit(&self) -> Result<Option<StateUpdate>, String> {
        self.send(as_line(&json!({"startCommit": {"runtimeCheckpoint": {}}})))?;
        let line = match self.early.take().lines.pop() {
            Some(early) => early,
            None => self.process.borrow_mut().receive()?.into_line()?,
        };
        let Some(started) = parse(&line)?.started_commit else {
            return Err(unexpected_line(&line));
        };
        let update =
            |state: State| StateUpdate { updated: state.updated, merge_patch: state.merge_patch };
        Ok(started.state.map(update))
    }

    /// What the process has written to its standard error.
    pub(super) fn take_log(&self) -> Vec<LogLine> {
        self.process.borrow().take_errors().iter().map(|line| log_line(line)).collect()
    }

    fn send(&self, request: Arc<Vec<u8>>) -> Result<(), String> {
        let mut early = self.early.borrow_mut();
        self.process.borrow_mut().send(request, &mut |heard| early.add(heard))
    }

    fn publish_early(&self, rows: &mut Rows) -> Result<(), String> {
        for line in self.early.take().lines {
            if take(&line, rows)? {
                return Err(unexpected_line(&line));
            }
        }
        Ok(())
    }

    /// Written by hand, because a tree of each document would cost more than the rest.
    fn read_request(&self, transform: usize, invocation: Invocation<'_>) -> String {
        let uuid = invocation.uuid.or_else(|| uuid_of(invocation.document)).and_then(uuid::parse);
        let stamped =
            invocation.uuid.and(uuid).map(|uuid| stamp::stamped(invocation.document, uuid));
        let document = stamped.as_ref().map_or(invocation.document, |stamped| stamped.root());
        let mut text = String::from("{\"read\":{");
        if transform > 0 {
            text.push_str(&format!("\"transform\":{transform},"));
        }
        if let Some(Uuid { producer, clock, flags }) = uuid {
            let [a, b, c, d, e, f] = producer.0;
            let node = u64::from_be_bytes([a, b, c, d, e, f, 0, 0]) | u64::from(flags);
            text.push_str(&format!("\"uuid\":{{\"node\":\"{node}\",\"clock\":\"{}\"}},", clock.0));
        }
        if let Some(key) = self.keys.get(transform) {
            let mut packed = Vec::new();
            key.pack(document, &mut packed);
            let values: Vec<String> =
                key.extract(document).map(|value| value.to_string()).collect();
            text.push_str(&format!(
                "\"shuffle\":{{\"key\":[{}],\"packed\":\"{}\",\"hash\":{}}},",
                values.join(","),
                STANDARD.encode(&packed),
                hash(&packed)
            ));
        }
        text.push_str(&format!("\"doc\":{document}}}}}"));
        text
    }
}

/// The UUID that a document holds itself.
fn uuid_of(document: Node<'_>) -> Option<&str> {
    let pointer = Pointer::parse(UUID_POINTER).ok()?;
    document.query(&pointer)?.as_str()
}

fn validate(mut process: Process, subject: Subject<'_>) -> Result<(), String> {
    let config = &subject.process.config;
    let mut ask = |request: Value| -> Result<Vec<u8>, String> {
        process.send(as_line(&request), &mut |heard| Err(unexpected(heard)))?;
        process.receive()?.into_line()
    };
    let answer = ask(json!({"spec": {"connectorType": CONNECTOR_TYPE, "config": config}}))?;
    if parse(&answer)?.spec.is_none() {
        return Err(unexpected_line(&answer));
    }
    let transforms = subject.derivation.transforms.iter().zip(subject.sources);
    let transforms = transforms.map(|(transform, source)| {
        json!({
            "name": transform.name, "collection": collection_spec(source),
            "lambdaConfig": transform.config, "backfill": transform.backfill,
        })
    });
    let transforms: Vec<Value> = transforms.collect();
    let wanted = transforms.len();
    let answer = ask(json!({"validate": {
        "connectorType": CONNECTOR_TYPE, "config": config,
        "collection": collection_spec(subject.derived), "transforms": transforms,
    }}))?;
    let Some(validated) = parse(&answer)?.validated else {
        return Err(unexpected_line(&answer));
    };
    let given = validated.transforms.len();
    if given != wanted {
        return Err(format!("the process has validated {given} transforms of {wanted}"));
    }
    process.finish()
}

fn as_line(request: &Value) -> Arc<Vec<u8>> {
    Arc::new(request.to_string().into_bytes())
}

fn parse(line: &[u8]) -> Result<Response<'_>, String> {
    serde_json::from_slice(line).map_err(|_| unexpected_line(line))
}

/// Takes a response to documents or to `flush`; whether it was the last one.
fn take(line: &[u8], rows: &mut Rows) -> Result<bool, String> {
    let response = parse(line)?;
    if let Some(published) = response.published {
        let document = published.doc.get().as_bytes();
        rows.add_text(document).map_err(|fault| format!("the process has published {fault}"))?;
        return Ok(false);
    }
    if response.flushed.is_some() { Ok(true) } else { Err(unexpected_line(line)) }
}

fn unexpected(heard: Heard) -> String {
    heard.into_line().map_or_else(|reason| reason, |line| unexpected_line(&line))
}

/// A line of the log: JSON with a level and a message, or plain text.
fn log_line(line: &str) -> LogLine {
    let fields: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    let text = |names: [&str; 2]| {
        names.iter().find_map(|name| fields.get(*name)).and_then(Value::as_str).map(str::to_owned)
    };
    match text(["message", "msg"]) {
        Some(message) => LogLine {
            level: text(["level", "lvl"]).unwrap_or_else(|| "info".to_owned()),
            text: message,
        },
        None => LogLine { level: "info".to_owned(), text: line.to_owned() },
    }
}

fn shuffle_key(shuffle: &Shuffle, source: &Collection) -> Key {
    let pointers = match shuffle {
        Shuffle::Key(pointers) => pointers,
        Shuffle::Any | Shuffle::Lambda(_) => &source.key,
    };
    let component = |pointer: &String| {
        let projection = source.projections.iter().find(|it| it.pointer == *pointer);
        Component {
            pointer: Pointer::parse(pointer).unwrap_or_default(),
            default: projection
                .and_then(|projection| projection.default.clone())
                .unwrap_or_default(),
        }
    };
    Key::new(pointers.iter().map(component).collect())
}

/// The derived collection with its transforms.
fn derived_spec(subject: Subject<'_>) -> Value {
    let transforms = subject.derivation.transforms.iter().zip(subject.sources);
    let transforms = transforms.map(|(transform, source)| {
        json!({
            "name": transform.name, "collection": collection_spec(source),
            "lambdaConfig": transform.config, "priority": transform.priority,
            "readDelaySeconds": transform.read_delay_ms / 1000, "backfill": transform.backfill,
        })
    });
    let mut spec = collection_spec(subject.derived);
    if let Some(spec) = spec.as_object_mut() {
        spec.insert(
            "derivation".to_owned(),
            json!({
                "connectorType": CONNECTOR_TYPE, "config": subject.process.config,
                "transforms": transforms.collect::<Vec<_>>(),
            }),
        );
    }
    spec
}

fn collection_spec(collection: &Collection) -> Value {
    let mut spec = json!({
        "name": collection.name, "key": collection.key, "uuidPtr": UUID_POINTER,
        "writeSchema": collection.write_schema,
        "partitionFields": collection.partitions().map(|it| &it.field).collect::<Vec<_>>(),
        "projections": collection
            .projections
            .iter()
            .map(|projection| projection_spec(projection, &collection.key))
            .collect::<Vec<_>>(),
        "ackTemplate": {"_meta": {"uuid": "DocUUIDPlaceholder-329Bb50aa48EAa9ef", "ack": true}},
    });
    if let (Some(read), Some(spec)) = (&collection.read_schema, spec.as_object_mut()) {
        spec.insert("readSchema".to_owned(), read.clone());
    }
    spec
}

fn projection_spec(projection: &Projection, key: &[String]) -> Value {
    let mut inference = json!({
        "types": projection.types, "exists": if projection.required { "MUST" } else { "MAY" },
    });
    let mut spec = json!({"ptr": projection.pointer, "field": projection.field});
    let put = |into: &mut Value, name: &str, value: Option<Value>| {
        if let (Some(object), Some(value)) = (into.as_object_mut(), value) {
            object.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::String);
    put(&mut inference, "title", text(&projection.title));
    put(&mut inference, "description", text(&projection.description));
    put(&mut inference, "default", projection.default.clone());
    if projection.types.iter().any(|name| name == "string") {
        let mut string = json!({});
        put(&mut string, "format", text(&projection.format));
        put(&mut string, "contentEncoding", text(&projection.content_encoding));
        put(&mut inference, "string", Some(string));
    }
    put(&mut spec, "explicit", projection.explicit.then_some(Value::Bool(true)));
    put(&mut spec, "isPartitionKey", projection.partition.then_some(Value::Bool(true)));
    let is_key = key.contains(&projection.pointer);
    put(&mut spec, "isPrimaryKey", is_key.then_some(Value::Bool(true)));
    put(&mut spec, "inference", Some(inference));
    spec
}
