//! The lambdas of one derivation, whichever engine runs them.
//!
//! The engine of transactions and that of catalog tests call lambdas through here, and nowhere is told apart what runs
//! them: each document of a transaction invokes one, `flush` ends the documents, and what `commit` gives is stored with
//! the transaction. What is published is handed to who calls, at the latest when the documents end; what is wrong with it
//! is blamed on the document that it was published for.

mod javascript;
mod process;
mod published;

use std::path::Path;

use serde_json::{Map, Value};
use tidegate_stdlib::bundle::{
    Collection, Derivation, Failure, FailureKind, Module, TaskKind, TaskName, Transform,
};
use tidegate_stdlib::document::Node;
use tidegate_stdlib::lambda::sqlite::{Guard, Lambda, Parameters, PreparedLambda, SqlFailure};
use tidegate_stdlib::lambda::typescript::{Engine, LogLine, Opening, ScriptFailure};
use tidegate_stdlib::lambda::{Invocation, Rows};
use tidegate_stdlib::shape::Shape;

use crate::shuffle::ShuffleKey;
use crate::uuid::Uuid;
use crate::violation::{
    lambda_failure, lambda_refused, process_failure, script_failure, script_refused,
};
use javascript::ScriptProcess;
pub(crate) use javascript::ScriptProgram;
pub use javascript::{MissingProgram, ScriptPrograms};
use process::{ProcessEngine, Subject};
pub(crate) use published::{Given, Take};
use published::{Published, hand_on};

/// How much of a document is shown in a note.
const EXCERPT_CHARACTERS: usize = 400;

/// Lambdas that are ready to be called.
#[derive(Debug)]
pub(crate) struct Lambdas<'b> {
    derivation: &'b Derivation,
    kind: Kind<'b>,
    /// Of the transforms that are shuffled by a lambda.
    shuffle_keys: Vec<Option<ShuffleKey>>,
    /// What a module has asked to be committed.
    state: Value,
}

#[derive(Debug)]
enum Kind<'b> {
    Sqlite(Vec<Lambda>),
    TypeScript(Box<Engine>),
    Process(Box<ProcessEngine>),
    Program(Box<ScriptProcess<'b>>),
}

/// The database that SQL lambdas run in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Database<'d> {
    pub(crate) connection: &'d rusqlite::Connection,
    pub(crate) guard: &'d Guard,
}

/// What a module or a process begins with.
#[derive(Debug)]
pub(crate) struct Beginning<'r> {
    /// The directory of the catalog, below which processes run.
    pub(crate) root: &'r Path,
    /// The state that was committed last, if any.
    pub(crate) state: Option<Value>,
    /// What its random numbers are made of.
    pub(crate) seed: u64,
    /// What runs a module, when that is not this process.
    pub(crate) program: Option<&'r ScriptProgram>,
}

impl<'b> Lambdas<'b> {
    /// Prepares the lambdas of a derivation; SQL after the migrations were applied. `source` gives a collection by its name.
    ///
    /// # Errors
    /// A lambda that is refused, a module that cannot be loaded.
    pub(crate) fn open(
        derivation: &'b Derivation,
        source: impl Fn(&str) -> Result<&'b Collection, Failure>,
        database: Database<'_>,
        beginning: Beginning<'_>,
    ) -> Result<Self, Failure> {
        let state = beginning.state.clone().unwrap_or_else(|| Value::Object(Map::new()));
        let kind = match (&derivation.module, &derivation.process) {
            (None, Some(process)) => {
                let sources = derivation.transforms.iter();
                let sources = sources.map(|transform| source(&transform.source.collection));
                let subject = Subject {
                    derivation,
                    process,
                    derived: source(&derivation.collection)?,
                    sources: &sources.collect::<Result<Vec<_>, Failure>>()?,
                };
                let engine = ProcessEngine::open(subject, beginning.root, &state)
                    .map_err(|message| process_failure(derivation, message))?;
                Kind::Process(Box::new(engine))
            }
            (None, None) => {
                let lambdas = derivation.transforms.iter().map(|transform| {
                    compile(transform, source(&transform.source.collection)?, database)
                });
                Kind::Sqlite(lambdas.collect::<Result<_, Failure>>()?)
            }
            (Some(module), _) => open_module(derivation, module, &state, &beginning)?,
        };
        let shuffle_keys = derivation
            .transforms
            .iter()
            .map(|transform| ShuffleKey::open(transform, source(&transform.source.collection)?));
        let shuffle_keys = shuffle_keys.collect::<Result<_, Failure>>()?;
        Ok(Self { derivation, kind, shuffle_keys, state })
    }

    /// Calls lambdas with documents and hands on what they publish: before this ends, or, where a program runs them, at the latest when the
    /// documents of the transaction end.
    ///
    /// # Errors
    /// What a lambda fails with, and what `take` refuses, with the document that is to blame. Of several failures the first one is told.
    pub(crate) fn apply<'d>(
        &self,
        database: Database<'_>,
        mut given: impl Iterator<Item = Result<Given<'d>, Failure>>,
        rows: &mut Rows,
        take: &mut Take<'_>,
    ) -> Result<(), Failure> {
        if let Kind::Program(engine) = &self.kind {
            return given.try_for_each(|given| {
                let given = given?;
                self.check_shuffle(given)?;
                engine.invoke(given, take)
            });
        }
        rows.clear();
        let mut batch = self.batch(database);
        let mut published = Published::default();
        for given in given {
            let invoked = given.and_then(|given| batch.invoke(given, rows).map(|()| given));
            if let Ok(given) = invoked {
                published.close(given, rows);
            }
            if invoked.is_err() || Published::<Given<'_>>::is_enough(rows) {
                self.hand_on(&mut published, rows, take)?;
            }
            invoked?;
        }
        self.hand_on(&mut published, rows, take)
    }

    fn hand_on(
        &self,
        published: &mut Published<Given<'_>>,
        rows: &mut Rows,
        take: &mut Take<'_>,
    ) -> Result<(), Failure> {
        published.hand_on(rows, take).map_err(|(given, failure)| {
            blame(self.derivation, given.read, given.shown().root(), failure)
        })
    }

    /// Compares the shuffle key that a lambda makes with that of who reads it.
    fn check_shuffle(&self, given: Given<'_>) -> Result<(), Failure> {
        let Some(transform) = self.derivation.transforms.get(given.read) else { return Ok(()) };
        let Some(Some(key)) = self.shuffle_keys.get(given.read) else { return Ok(()) };
        let uuid = given.uuid.map(Uuid::text);
        let uuid = uuid.as_ref().map(|text| text.as_str());
        let invocation = Invocation { document: given.document, uuid };
        key.check(transform, invocation, || given.shown().root().to_value())
            .map_err(|failure| blame(self.derivation, given.read, given.shown().root(), failure))
    }

    /// The lambdas for a number of invocations.
    fn batch<'l>(&'l self, database: Database<'l>) -> Batch<'l> {
        let prepared = match &self.kind {
            Kind::Sqlite(lambdas) => lambdas.iter().map(|_| None).collect(),
            Kind::TypeScript(_) | Kind::Process(_) | Kind::Program(_) => Vec::new(),
        };
        Batch { lambdas: self, database, prepared }
    }

    /// How many rows each statement of a transform has given or changed; modules and processes have no statements.
    pub(crate) fn effects(&self, read: usize) -> Vec<u64> {
        match &self.kind {
            Kind::Sqlite(lambdas) => lambdas
                .get(read)
                .map(|lambda| lambda.effects().map(|(_, effects)| effects).collect())
                .unwrap_or_default(),
            Kind::TypeScript(_) | Kind::Process(_) | Kind::Program(_) => Vec::new(),
        }
    }

    /// Hands on what is published at the end of a transaction.
    ///
    /// # Errors
    /// What a module throws, and what `take` refuses.
    pub(crate) fn flush(&self, rows: &mut Rows, take: &mut Take<'_>) -> Result<(), Failure> {
        rows.clear();
        match &self.kind {
            Kind::Sqlite(_) => Ok(()),
            Kind::TypeScript(engine) => engine
                .flush(rows)
                .map_err(|cause| hook_failure(self.derivation, &cause, "a transaction")),
            Kind::Process(engine) => {
                engine.flush(rows).map_err(|message| process_failure(self.derivation, message))
            }
            Kind::Program(engine) => return engine.flush(take),
        }?;
        let documents = rows.documents();
        hand_on(documents, documents.len(), take).map_err(|(_, failure)| failure)
    }

    /// What is to be stored with the transaction that ends now, when it changed.
    ///
    /// # Errors
    /// What a module throws.
    pub(crate) fn commit(&mut self) -> Result<Option<&Value>, Failure> {
        let derivation = self.derivation;
        let update = match &self.kind {
            Kind::Sqlite(_) => None,
            Kind::TypeScript(engine) => engine
                .start_commit()
                .map_err(|cause| hook_failure(derivation, &cause, "a transaction"))?,
            Kind::Process(engine) => {
                engine.start_commit().map_err(|message| process_failure(derivation, message))?
            }
            Kind::Program(engine) => engine.start_commit()?,
        };
        let Some(update) = update else { return Ok(None) };
        update.apply(&mut self.state);
        Ok(Some(&self.state))
    }

    /// Lets a module forget what it has seen, as it would between two cases of a test. The rest ends with its case.
    ///
    /// # Errors
    /// What a module throws.
    pub(crate) fn reset(&self) -> Result<(), Failure> {
        match &self.kind {
            Kind::Sqlite(_) | Kind::Process(_) => Ok(()),
            Kind::TypeScript(engine) => {
                engine.reset().map_err(|cause| hook_failure(self.derivation, &cause, "a test"))
            }
            Kind::Program(engine) => engine.reset(),
        }
    }

    /// What was logged since the last time.
    pub(crate) fn take_log(&self) -> Vec<LogLine> {
        match &self.kind {
            Kind::Sqlite(_) => Vec::new(),
            Kind::TypeScript(engine) => engine.take_log(),
            Kind::Process(engine) => engine.take_log(),
            Kind::Program(engine) => engine.take_log(),
        }
    }
}

/// A method that is called at an end failed.
fn hook_failure(derivation: &Derivation, cause: &ScriptFailure, end_of: &str) -> Failure {
    let failure = script_failure(derivation, None, cause, None);
    failure.note(format!("it was called at the end of {end_of}"))
}

/// Has a module loaded by what runs it.
fn open_module<'b>(
    derivation: &'b Derivation,
    module: &'b Module,
    state: &Value,
    &Beginning { root, seed, program, .. }: &Beginning<'_>,
) -> Result<Kind<'b>, Failure> {
    if let Some(program) = program {
        let engine = ScriptProcess::open(program, derivation, module, root, state, seed)?;
        return Ok(Kind::Program(Box::new(engine)));
    }
    let transforms = derivation.transforms.iter().map(|each| each.name.as_str()).collect();
    let engine = Engine::open(&Opening { module, transforms, state, seed });
    let engine = engine.map_err(|cause| script_refused(derivation, &cause))?;
    Ok(Kind::TypeScript(Box::new(engine)))
}

fn compile(
    transform: &Transform,
    source: &Collection,
    Database { connection, guard }: Database<'_>,
) -> Result<Lambda, Failure> {
    let shape = Shape::infer(source.effective_read_schema());
    let parameters = Parameters::new(&source.projections, shape);
    let text = &transform.lambda.text;
    Lambda::compile(connection, guard, text, &parameters).map_err(|failures| {
        let first = failures.first().expect("a lambda is refused for a reason");
        lambda_refused(transform, first)
    })
}

/// Lambdas with their statements at hand.
struct Batch<'l> {
    lambdas: &'l Lambdas<'l>,
    database: Database<'l>,
    prepared: Vec<Option<PreparedLambda<'l>>>,
}

impl Batch<'_> {
    /// Calls the lambda of a transform and adds what it publishes to `rows`.
    fn invoke(&mut self, given: Given<'_>, rows: &mut Rows) -> Result<(), Failure> {
        let Lambdas { derivation, kind, .. } = self.lambdas;
        let Some(transform) = derivation.transforms.get(given.read) else { return Ok(()) };
        self.lambdas.check_shuffle(given)?;
        let Given { read, document, uuid } = given;
        let uuid = uuid.map(Uuid::text);
        let uuid = uuid.as_ref().map(|text| text.as_str());
        let invocation = Invocation { document, uuid };
        let value = || given.shown().root().to_value();
        let called = match kind {
            Kind::Process(engine) => engine.invoke(read, invocation, rows).map_err(|message| {
                process_failure(derivation, message)
                    .document(&value(), None)
                    .collection(&transform.source.collection)
                    .note("it was the last document that the process was given")
            }),
            Kind::TypeScript(engine) => engine.invoke(read, invocation, rows).map_err(|cause| {
                script_failure(derivation, Some(transform), &cause, Some(&value()))
            }),
            Kind::Sqlite(lambdas) => match (lambdas.get(read), self.prepared.get_mut(read)) {
                (Some(lambda), Some(slot)) => run(lambda, slot, self.database, invocation, rows)
                    .map_err(|cause| lambda_failure(transform, &cause, &value())),
                _ => Ok(()),
            },
            // It is invoked by itself.
            Kind::Program(_) => Ok(()),
        };
        called.map_err(|failure| blame(derivation, read, given.shown().root(), failure))
    }
}

/// Runs a lambda of SQL, whose statements are prepared the first time.
fn run<'l>(
    lambda: &'l Lambda,
    slot: &mut Option<PreparedLambda<'l>>,
    Database { connection, guard }: Database<'l>,
    invocation: Invocation<'_>,
    rows: &mut Rows,
) -> Result<(), SqlFailure> {
    let prepared = match slot {
        Some(prepared) => prepared,
        None => slot.insert(lambda.prepare(connection, guard)?),
    };
    prepared.invoke(invocation, rows)
}

/// Names the transform, and the document that it was given, beside a failure of what it published.
fn blame(derivation: &Derivation, read: usize, source: Node<'_>, failure: Failure) -> Failure {
    let name = TaskName { kind: TaskKind::Derivation, name: derivation.collection.clone() };
    let failure = failure.of(&name);
    if failure.kind == FailureKind::LambdaFailed {
        return failure;
    }
    match derivation.transforms.get(read) {
        Some(transform) => failure.note(format!(
            "transform `{}` published it for this document of `{}`: {}",
            transform.name,
            transform.source.collection,
            excerpt(source)
        )),
        None => failure,
    }
}

/// The beginning of a document's text.
fn excerpt(document: Node<'_>) -> String {
    let text = document.to_string();
    match text.char_indices().nth(EXCERPT_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
