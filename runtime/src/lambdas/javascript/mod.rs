//! Lambdas of a module that runs in a program of this machine, Node.js or Deno, which computes faster than the engine inside of this
//! process and gives the same.
//!
//! `driver.js` runs in the program, and says how both speak with each other. Documents go there many in a line, and the next line goes
//! before the last one is answered, so that both sides work at once; what is published comes later than the document that it is
//! published for was given, but in order, and the document is still at hand when something is wrong. The program gets neither a file
//! nor permissions. When it is let go of, it is killed: whatever it keeps that matters was committed.

mod program;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_stdlib::bundle::{Derivation, Failure, Module, Origin};
use tidegate_stdlib::document::{
    Builder, Document, Items, Node, Parser, write_stamped, write_text,
};
use tidegate_stdlib::lambda::Rows;
use tidegate_stdlib::lambda::typescript::{
    Columns, Engine, Log, LogLine, Opening, PRELUDE, ScriptFailure, ScriptFailureKind, StateUpdate,
    method_name,
};
use tidegate_stdlib::limits::{LAMBDA_ROWS_MAX, SCRIPT_LOG_LINES_MAX};

use super::published::Published;
use super::{Given, Take, blame, hook_failure};
use crate::process::{Heard, Process, unexpected_line};
use crate::violation::{program_failure, script_failure, script_refused};
pub(crate) use program::ScriptProgram;
pub use program::{MissingProgram, ScriptPrograms};

const DRIVER: &str = include_str!("driver.js");
/// How long a line gets before it goes to the program.
const LINE_BYTES: usize = 256 << 10;
/// How many lines may be with the program while the next one is written.
const LINES_AHEAD: usize = 2;
/// About how long a line of answers gets.
const ANSWER_BYTES: usize = 256 << 10;
/// After how many milliseconds the program tells what it has, however little it is.
const PATIENCE_MS: u64 = 1_000;

/// A program with an instance of the class in it.
#[derive(Debug)]
pub(super) struct ScriptProcess<'b> {
    derivation: &'b Derivation,
    module: &'b Module,
    /// The name of the program.
    name: &'static str,
    time_max: Duration,
    /// Talking moves lines through queues, whoever holds the engine.
    talk: RefCell<Talk>,
}

/// What was said, and what is awaited.
#[derive(Debug)]
struct Talk {
    process: Process,
    /// Invocations that have not been sent.
    line: Line,
    /// What was asked and is not wholly answered, in order.
    open: VecDeque<Request>,
    log: Log,
    parser: Parser,
    parsed: Builder,
    rows: Rows,
    published: Published<Option<Source>>,
}

/// What was asked.
#[derive(Debug)]
enum Request {
    Opening,
    Invocations(Line),
    Flush,
    StartCommit,
    Reset,
}

/// Documents on their way, which are known until they are answered.
#[derive(Debug, Default)]
struct Line {
    text: Arc<Vec<u8>>,
    documents: VecDeque<Sent>,
}

/// A document in the text of a line.
#[derive(Debug, Clone, Copy)]
struct Sent {
    transform: usize,
    start: usize,
    end: usize,
}

/// A document that was sent, with the line that has it.
#[derive(Debug)]
struct Source {
    line: Arc<Vec<u8>>,
    sent: Sent,
}

impl Source {
    fn document(&self) -> Document {
        let text = self.line.get(self.sent.start..self.sent.end).unwrap_or_default();
        let mut builder = Builder::default();
        match Parser::default().parse(text, &mut builder) {
            Ok(()) => builder.finish(),
            // It was written as JSON.
            Err(_) => Node::NULL.to_document(),
        }
    }
}

impl Line {
    fn add(&mut self, given: Given<'_>) {
        let Given { read: transform, document, uuid } = given;
        let text = Arc::make_mut(&mut self.text);
        let separator = if text.is_empty() { "[" } else { "," };
        text.extend_from_slice(format!("{separator}[{transform},").as_bytes());
        let start = text.len();
        match uuid {
            Some(uuid) => write_stamped(document, uuid.text().as_str(), text),
            None => write_text(document, text),
        }
        self.documents.push_back(Sent { transform, start, end: text.len() });
        text.push(b']');
    }

    /// The document that is answered next.
    fn first(&self) -> Option<Source> {
        let sent = *self.documents.front()?;
        Some(Source { line: Arc::clone(&self.text), sent })
    }
}

impl Talk {
    /// The document that is answered next.
    fn first(&self) -> Option<Source> {
        match self.open.front() {
            Some(Request::Invocations(line)) => line.first(),
            Some(_) | None => None,
        }
    }

    /// Takes it that the documents of what is answered next are complete; whether there is such a thing.
    fn close_documents(&mut self) -> bool {
        let is_answered = match self.open.front_mut() {
            Some(Request::Invocations(line)) => {
                line.documents.pop_front();
                line.documents.is_empty()
            }
            Some(Request::Flush) => true,
            Some(Request::Opening | Request::StartCommit | Request::Reset) | None => return false,
        };
        if is_answered {
            self.open.pop_front();
        }
        true
    }
}

/// Why the module failed, as the driver tells it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Report {
    Thrown {
        #[serde(flatten)]
        thrown: Thrown,
    },
    Output {
        method: String,
        r#type: String,
    },
    Excess {
        method: String,
    },
    Missing {
        method: String,
    },
    Unsettled,
    Time,
}

/// What a module threw: an error, or any other value.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Thrown {
    Error { name: String, message: String, stack: String },
    Value { text: Option<String>, r#type: String },
}

impl<'b> ScriptProcess<'b> {
    /// Starts the program and has it load the module and make an instance of its class.
    ///
    /// # Errors
    /// A program that cannot be started or fails, and a module that cannot be loaded.
    pub(super) fn open(
        program: &ScriptProgram,
        derivation: &'b Derivation,
        module: &'b Module,
        root: &Path,
        state: &Value,
        seed: u64,
    ) -> Result<Self, Failure> {
        let failed = |message| program_failure(derivation, program.name, message);
        let process = program.start(root).map_err(failed)?;
        let talk = Talk {
            process,
            line: Line::default(),
            open: VecDeque::from([Request::Opening]),
            log: Log::default(),
            parser: Parser::default(),
            parsed: Builder::default(),
            rows: Rows::default(),
            published: Published::default(),
        };
        let transforms = derivation.transforms.iter();
        let time_max = program.time_max;
        let opening = json!({"driver": DRIVER, "opening": {
            "prelude": PRELUDE, "modules": modules(module),
            "entry": module.files.keys().position(|name| *name == module.entry),
            "methods": transforms.map(|each| method_name(&each.name)).collect::<Vec<_>>(),
            "state": state, "seed": seed.to_string(),
            "limits": {
                "answer": ANSWER_BYTES, "documents": LAMBDA_ROWS_MAX, "logLines": SCRIPT_LOG_LINES_MAX,
                "patience": PATIENCE_MS, "time": u64::try_from(time_max.as_millis()).unwrap_or(u64::MAX),
            },
        }});
        let name = program.name;
        let engine = Self { derivation, module, name, time_max, talk: talk.into() };
        {
            let talk = &mut *engine.talk.borrow_mut();
            engine.send(talk, Arc::new(opening.to_string().into_bytes()))?;
            engine.hear_all(talk, &mut |_, _| Ok(()))?;
        }
        Ok(engine)
    }

    /// Gives the program a document, sooner or later, and hands on what has been published meanwhile.
    ///
    /// # Errors
    /// What the module fails with, and what `take` refuses; for this document or for one before.
    pub(super) fn invoke(&self, given: Given<'_>, take: &mut Take<'_>) -> Result<(), Failure> {
        let talk = &mut *self.talk.borrow_mut();
        talk.line.add(given);
        if talk.line.text.len() < LINE_BYTES {
            return Ok(());
        }
        self.send_line(talk)?;
        while talk.open.len() > LINES_AHEAD {
            self.hear(talk, take)?;
        }
        while let Some(heard) = talk.process.try_receive() {
            let line = heard.into_line().map_err(|message| self.broken(talk, message))?;
            self.take_line(talk, &line, take)?;
        }
        Ok(())
    }

    /// Hands on the rest of what a transaction publishes.
    ///
    /// # Errors
    /// As [`ScriptProcess::invoke`].
    pub(super) fn flush(&self, take: &mut Take<'_>) -> Result<(), Failure> {
        let talk = &mut *self.talk.borrow_mut();
        self.send_line(talk)?;
        self.ask(talk, Request::Flush, "flush")?;
        self.hear_all(talk, take).map(drop)
    }

    /// Tells that the transaction is committed after this, and asks for the state to commit with it.
    ///
    /// # Errors
    /// What `startCommit` throws, or gives instead of a state.
    pub(super) fn start_commit(&self) -> Result<Option<StateUpdate>, Failure> {
        let talk = &mut *self.talk.borrow_mut();
        self.ask(talk, Request::StartCommit, "startCommit")?;
        let started = self.hear_all(talk, &mut |_, _| Ok(()))?;
        StateUpdate::given(&started).map_err(|cause| self.failure(talk, cause))
    }

    /// Has the module forget what it has seen.
    ///
    /// # Errors
    /// What it throws.
    pub(super) fn reset(&self) -> Result<(), Failure> {
        let talk = &mut *self.talk.borrow_mut();
        self.ask(talk, Request::Reset, "reset")?;
        self.hear_all(talk, &mut |_, _| Ok(())).map(drop)
    }

    /// What was logged since the last time.
    pub(super) fn take_log(&self) -> Vec<LogLine> {
        let talk = &mut *self.talk.borrow_mut();
        for line in talk.process.take_errors() {
            talk.log.add("warn", &line);
        }
        talk.log.take()
    }

    fn send_line(&self, talk: &mut Talk) -> Result<(), Failure> {
        let mut line = std::mem::take(&mut talk.line);
        if line.documents.is_empty() {
            return Ok(());
        }
        Arc::make_mut(&mut line.text).push(b']');
        let text = Arc::clone(&line.text);
        talk.open.push_back(Request::Invocations(line));
        self.send(talk, text)
    }

    fn ask(&self, talk: &mut Talk, request: Request, name: &str) -> Result<(), Failure> {
        talk.open.push_back(request);
        self.send(talk, Arc::new(Value::from(name).to_string().into_bytes()))
    }

    /// Sends a line; there is room for it, as only few are on their way.
    fn send(&self, talk: &mut Talk, line: Arc<Vec<u8>>) -> Result<(), Failure> {
        let mut heard = Vec::new();
        let sent = talk.process.send(line, &mut |early| {
            heard.push(early);
            Ok(())
        });
        match (sent, heard.pop()) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(early)) => {
                let line = early.into_line().unwrap_or_else(String::into_bytes);
                Err(self.broken(talk, unexpected_line(&line)))
            }
            (Err(message), _) => Err(self.broken(talk, message)),
        }
    }

    /// Hears until everything is answered, and gives the last answer that is not of documents.
    fn hear_all(&self, talk: &mut Talk, take: &mut Take<'_>) -> Result<Value, Failure> {
        let mut last = Value::Null;
        while !talk.open.is_empty() {
            last = self.hear(talk, take)?;
        }
        Ok(last)
    }

    fn hear(&self, talk: &mut Talk, take: &mut Take<'_>) -> Result<Value, Failure> {
        let line = talk.process.receive().and_then(Heard::into_line);
        let line = line.map_err(|message| self.broken(talk, message))?;
        self.take_line(talk, &line, take)
    }

    /// Takes a line of answers, and gives the last that is not of documents.
    fn take_line(
        &self,
        talk: &mut Talk,
        line: &[u8],
        take: &mut Take<'_>,
    ) -> Result<Value, Failure> {
        let mut parsed = std::mem::take(&mut talk.parsed);
        parsed.clear();
        let is_read = talk.parser.parse(line, &mut parsed).is_ok();
        let answers = parsed.root().as_array().filter(|_| is_read);
        let mut last = Value::Null;
        let mut is_understood = answers.is_some();
        for answer in answers.into_iter().flatten() {
            match self.take_answer(talk, answer, take)? {
                Some(value) => last = value,
                None => {
                    is_understood = false;
                    break;
                }
            }
        }
        talk.parsed = parsed;
        self.hand_on(talk, take)?;
        if is_understood { Ok(last) } else { Err(self.broken(talk, unexpected_line(line))) }
    }

    /// Takes one answer, and gives what it says when it is not of documents; nothing when it is none.
    fn take_answer(
        &self,
        talk: &mut Talk,
        answer: Node<'_>,
        take: &mut Take<'_>,
    ) -> Result<Option<Value>, Failure> {
        if let Some(rows) = answer.as_array() {
            self.publish(talk, rows, take)?;
            return Ok(talk.close_documents().then_some(Value::Null));
        }
        if let Some(rows) = answer.get("part").and_then(Node::as_array) {
            self.publish(talk, rows, take)?;
            return Ok(Some(Value::Null));
        }
        // What is said further is said after what was published.
        self.hand_on(talk, take)?;
        if let Some(lines) = answer.get("log").and_then(Node::as_array) {
            for line in lines {
                let text = |index| line.as_array()?.get(index)?.as_str();
                talk.log.add(text(0).unwrap_or_default(), text(1).unwrap_or_default());
            }
            return Ok(Some(Value::Null));
        }
        if let Some(report) = answer.get("error") {
            return match Report::deserialize(report.to_value()) {
                Ok(report) => Err(self.explain(talk, report)),
                Err(_) => Ok(None),
            };
        }
        let awaited = match talk.open.front() {
            Some(Request::Opening) => "opened",
            Some(Request::StartCommit) => "started",
            Some(Request::Reset) => "reset",
            Some(Request::Invocations(_) | Request::Flush) | None => return Ok(None),
        };
        let said = answer.get(awaited).map(Node::to_value);
        talk.open.pop_front();
        Ok(said)
    }

    /// Takes documents that were published for the document that is answered next.
    fn publish(
        &self,
        talk: &mut Talk,
        rows: Items<'_>,
        take: &mut Take<'_>,
    ) -> Result<(), Failure> {
        rows.for_each(|row| talk.rows.push(row));
        let source = talk.first();
        talk.published.close(source, &talk.rows);
        match Published::<Option<Source>>::is_enough(&talk.rows) {
            true => self.hand_on(talk, take),
            false => Ok(()),
        }
    }

    fn hand_on(&self, talk: &mut Talk, take: &mut Take<'_>) -> Result<(), Failure> {
        talk.published.hand_on(&mut talk.rows, take).map_err(|(source, failure)| match source {
            Some(source) => {
                let document = source.document();
                blame(self.derivation, source.sent.transform, document.root(), failure)
            }
            None => failure,
        })
    }

    /// The failure behind what the driver tells of the call that is answered next.
    fn explain(&self, talk: &Talk, report: Report) -> Failure {
        let output = |message| ScriptFailure::new(ScriptFailureKind::Output, message);
        let cause = match report {
            Report::Thrown { thrown: Thrown::Error { name, message, stack } } => {
                ScriptFailure::raised(&name, &message, &stack, Columns::AtCallee, self.module)
            }
            Report::Thrown { thrown: Thrown::Value { text, r#type } } => {
                ScriptFailure::raised_value(text.as_deref(), &r#type)
            }
            Report::Output { method, r#type } => ScriptFailure::no_documents(&method, &r#type),
            Report::Excess { method } => {
                output(format!("`{method}` gave more than {LAMBDA_ROWS_MAX} documents at once"))
            }
            Report::Missing { method } => ScriptFailure::new(
                ScriptFailureKind::Unusable,
                format!("the class has no method `{method}`"),
            ),
            Report::Unsettled => output("it gave a promise that nothing settles".to_owned()),
            Report::Time => {
                let seconds = self.time_max.as_secs_f64();
                let message = format!("it takes more than {seconds} seconds");
                ScriptFailure::new(ScriptFailureKind::Steps, message)
            }
        };
        self.failure(talk, cause)
    }

    /// The failure of the call that is answered next.
    fn failure(&self, talk: &Talk, cause: ScriptFailure) -> Failure {
        let source = match talk.open.front() {
            Some(Request::Opening) => return script_refused(self.derivation, &cause),
            Some(Request::Reset) => return hook_failure(self.derivation, &cause, "a test"),
            Some(_) | None => talk.first(),
        };
        let Some(source) = source else {
            return hook_failure(self.derivation, &cause, "a transaction");
        };
        let (read, document) = (source.sent.transform, source.document());
        let (transform, shown) = (self.derivation.transforms.get(read), document.root().to_value());
        let cause = cause.or_at(self.definition(read).as_ref());
        let failure = script_failure(self.derivation, transform, &cause, Some(&shown));
        blame(self.derivation, read, document.root(), failure)
    }

    /// Where the method of a transform is defined, which programs do not tell, but the engine inside does.
    fn definition(&self, transform: usize) -> Option<Origin> {
        let transforms = self.derivation.transforms.iter().map(|each| each.name.as_str()).collect();
        let (module, state) = (self.module, &json!({}));
        let engine = Engine::open(&Opening { module, transforms, state, seed: 0 }).ok()?;
        engine.definition(transform).cloned()
    }

    /// The failure of a program that has ended, is silent, or says what is not expected.
    fn broken(&self, talk: &mut Talk, message: String) -> Failure {
        let said = talk.process.take_errors();
        if said.iter().any(|line| line.contains("out of memory")) {
            return self.failure(talk, ScriptFailure::memory());
        }
        for line in said {
            talk.log.add("warn", &line);
        }
        let failure = program_failure(self.derivation, self.name, message);
        let Some(Request::Invocations(line)) = talk.open.front() else { return failure };
        let Some(source) = line.first() else { return failure };
        let failure = match self.derivation.transforms.get(source.sent.transform) {
            Some(transform) => failure.collection(&transform.source.collection),
            None => failure,
        };
        failure
            .document(&source.document().root().to_value(), None)
            .note(format!("it was given {} documents from this one on", line.documents.len()))
    }
}

impl Drop for ScriptProcess<'_> {
    fn drop(&mut self) {
        self.talk.get_mut().process.kill();
    }
}

/// The files of a module, which import others by their numbers. What is not the user's has no name.
fn modules(module: &Module) -> Value {
    let number = |wanted: &String| module.files.keys().position(|name| name == wanted);
    let files = module.files.iter().map(|(name, file)| {
        let imports = file.imports.iter().map(|(specifier, target)| (specifier, number(target)));
        let name = if file.script.origin.path.is_empty() { "" } else { name.as_str() };
        json!({
            "name": name, "text": file.script.text,
            "imports": imports.collect::<BTreeMap<_, _>>(),
        })
    });
    files.collect()
}
