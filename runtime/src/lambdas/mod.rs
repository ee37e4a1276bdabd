//! The lambdas of one derivation, whichever engine runs them.
//!
//! The engine of transactions and that of catalog tests call lambdas through here, and nowhere is told apart what runs
//! them: each document of a transaction invokes one, `flush` ends the documents, and what `commit` gives is stored with
//! the transaction.

mod process;

use std::path::Path;

use serde_json::{Map, Value};
use tidegate_stdlib::bundle::{Collection, Derivation, Failure, Transform};
use tidegate_stdlib::lambda::sqlite::{Guard, Lambda, Parameters, PreparedLambda};
use tidegate_stdlib::lambda::typescript::{Engine, LogLine, Opening, ScriptFailure};
use tidegate_stdlib::lambda::{Invocation, Rows};
use tidegate_stdlib::shape::Shape;

use crate::shuffle::ShuffleKey;
use crate::violation::{
    lambda_failure, lambda_refused, process_failure, script_failure, script_refused,
};
use process::{ProcessEngine, Subject};

/// Lambdas that are ready to be called.
#[derive(Debug)]
pub(crate) struct Lambdas<'b> {
    derivation: &'b Derivation,
    kind: Kind,
    /// Of the transforms that are shuffled by a lambda.
    shuffle_keys: Vec<Option<ShuffleKey>>,
    /// What a module has asked to be committed.
    state: Value,
}

#[derive(Debug)]
enum Kind {
    Sqlite(Vec<Lambda>),
    TypeScript(Box<Engine>),
    Process(Box<ProcessEngine>),
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
        let state = beginning.state.unwrap_or_else(|| Value::Object(Map::new()));
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
            (Some(module), _) => {
                let transforms = derivation.transforms.iter().map(|each| each.name.as_str());
                let opening = Opening {
                    module,
                    transforms: transforms.collect(),
                    state: &state,
                    seed: beginning.seed,
                };
                let engine =
                    Engine::open(&opening).map_err(|cause| script_refused(derivation, &cause))?;
                Kind::TypeScript(Box::new(engine))
            }
        };
        let shuffle_keys = derivation
            .transforms
            .iter()
            .map(|transform| ShuffleKey::open(transform, source(&transform.source.collection)?));
        let shuffle_keys = shuffle_keys.collect::<Result<_, Failure>>()?;
        Ok(Self { derivation, kind, shuffle_keys, state })
    }

    /// The lambdas for a number of invocations.
    pub(crate) fn batch<'l>(&'l self, database: Database<'l>) -> Batch<'l> {
        let prepared = match &self.kind {
            Kind::Sqlite(lambdas) => lambdas.iter().map(|_| None).collect(),
            Kind::TypeScript(_) | Kind::Process(_) => Vec::new(),
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
            Kind::TypeScript(_) | Kind::Process(_) => Vec::new(),
        }
    }

    /// Adds what is published at the end of a transaction.
    ///
    /// # Errors
    /// What a module throws.
    pub(crate) fn flush(&self, rows: &mut Rows) -> Result<(), Failure> {
        match &self.kind {
            Kind::Sqlite(_) => Ok(()),
            Kind::TypeScript(engine) => engine
                .flush(rows)
                .map_err(|cause| hook_failure(self.derivation, &cause, "a transaction")),
            Kind::Process(engine) => {
                engine.flush(rows).map_err(|message| process_failure(self.derivation, message))
            }
        }
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
        }
    }

    /// What was logged since the last time.
    pub(crate) fn take_log(&self) -> Vec<LogLine> {
        match &self.kind {
            Kind::Sqlite(_) => Vec::new(),
            Kind::TypeScript(engine) => engine.take_log(),
            Kind::Process(engine) => engine.take_log(),
        }
    }
}

/// A method that is called at an end failed.
fn hook_failure(derivation: &Derivation, cause: &ScriptFailure, end_of: &str) -> Failure {
    let failure = script_failure(derivation, None, cause, None);
    failure.note(format!("it was called at the end of {end_of}"))
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
pub(crate) struct Batch<'l> {
    lambdas: &'l Lambdas<'l>,
    database: Database<'l>,
    prepared: Vec<Option<PreparedLambda<'l>>>,
}

impl Batch<'_> {
    /// Calls the lambda of a transform and adds what it publishes to `rows`; `shown` is the document as failures show it.
    ///
    /// # Errors
    /// What the lambda fails with.
    pub(crate) fn invoke(
        &mut self,
        read: usize,
        invocation: Invocation<'_>,
        rows: &mut Rows,
        shown: impl Fn() -> Value,
    ) -> Result<(), Failure> {
        let Lambdas { derivation, kind, shuffle_keys, .. } = self.lambdas;
        let Some(transform) = derivation.transforms.get(read) else { return Ok(()) };
        if let Some(Some(key)) = shuffle_keys.get(read) {
            key.check(transform, invocation, &shown)?;
        }
        match kind {
            Kind::Process(engine) => engine.invoke(read, invocation, rows).map_err(|message| {
                process_failure(derivation, message)
                    .document(&shown(), None)
                    .collection(&transform.source.collection)
                    .note("it was the last document that the process was given")
            }),
            Kind::TypeScript(engine) => engine.invoke(read, invocation, rows).map_err(|cause| {
                script_failure(derivation, Some(transform), &cause, Some(&shown()))
            }),
            Kind::Sqlite(lambdas) => {
                let (Some(lambda), Some(slot)) = (lambdas.get(read), self.prepared.get_mut(read))
                else {
                    return Ok(());
                };
                let Database { connection, guard } = self.database;
                let prepared = match slot {
                    Some(prepared) => Ok(prepared),
                    None => lambda.prepare(connection, guard).map(|lambda| slot.insert(lambda)),
                };
                prepared
                    .and_then(|lambda| lambda.invoke(invocation, rows))
                    .map_err(|cause| lambda_failure(transform, &cause, &shown()))
            }
        }
    }
}
