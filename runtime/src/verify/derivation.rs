//! A derivation in memory, as one case sees it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use rusqlite::Connection;
use serde_json::Value;
use tidegate_stdlib::bundle::{
    Collection, Derivation, Failure, FailureKind, TaskKind, TaskName, Transform,
};
use tidegate_stdlib::document::{Document, Documents};
use tidegate_stdlib::lambda::Rows;
use tidegate_stdlib::lambda::sqlite::{Guard, SqlFailure, migrate, open_in_memory};
use tidegate_stdlib::lambda::typescript::LogLine;

use super::catalog::{Combining, TestCatalog};
use super::coverage::Coverage;
use crate::lambdas::{Beginning, Database, Given, Lambdas};
use crate::shuffle::Selection;
use crate::stamp;
use crate::store::JournalName;
use crate::uuid::Clock;
use crate::violation::{SchemaSide, migration_failure};

/// What random numbers of modules are made of in every case, so that tests repeat.
const SEED: u64 = 0;

/// A document that was written during a case.
#[derive(Debug)]
pub(super) struct Written {
    /// The document with its UUID.
    pub(super) document: Value,
    pub(super) clock: Clock,
    pub(super) journal: JournalName,
}

/// What was written, by collection, in the order of writing.
pub(super) type Journals<'b> = BTreeMap<&'b str, Vec<Written>>;

/// A derivation with a database of its own.
#[derive(Debug)]
pub(super) struct OpenDerivation<'b> {
    derivation: &'b Derivation,
    connection: Connection,
    guard: Guard,
    lambdas: Lambdas<'b>,
    reads: Vec<OpenRead<'b>>,
}

/// One transform and how far it has read.
#[derive(Debug)]
struct OpenRead<'b> {
    transform: &'b Transform,
    selection: Selection,
    /// Documents of the source that have been read.
    position: usize,
    /// Of these, those that the lambda was invoked with.
    invocations: u64,
}

/// A document in its turn.
struct Turn<'d> {
    read: usize,
    document: &'d Value,
}

impl<'b> OpenDerivation<'b> {
    /// A new database after the migrations, with prepared lambdas.
    ///
    /// # Errors
    /// A migration or a lambda that is refused.
    pub(super) fn open(
        derivation: &'b Derivation,
        catalog: &TestCatalog<'b>,
    ) -> Result<Self, Failure> {
        let open = || {
            let (connection, guard) = open_in_memory().map_err(|failure| unusable(&failure))?;
            for (index, migration) in derivation.migrations.iter().enumerate() {
                migrate(&connection, &guard, &migration.text)
                    .map_err(|failure| migration_failure(migration, index, &failure))?;
            }
            let database = Database { connection: &connection, guard: &guard };
            let beginning = Beginning {
                root: catalog.root,
                state: None,
                seed: SEED,
                program: catalog.programs.of(derivation),
            };
            let source = |name: &str| catalog.collection(name);
            let lambdas = Lambdas::open(derivation, source, database, beginning)?;
            let reads = derivation.transforms.iter().map(|transform| {
                OpenRead::new(transform, catalog.collection(&transform.source.collection)?)
            });
            let reads = reads.collect::<Result<_, Failure>>()?;
            Ok(Self { derivation, connection, guard, lambdas, reads })
        };
        open().map_err(|failure: Failure| failure.of(&name(derivation)))
    }

    /// Reads up to the given positions, by transform, in one transaction, and gives what is
    /// published, combined by key.
    ///
    /// # Errors
    /// A lambda that fails, or a document that violates a schema.
    pub(super) fn read(
        &mut self,
        through: &BTreeMap<usize, usize>,
        journals: &Journals<'_>,
        catalog: &TestCatalog<'b>,
    ) -> Result<Vec<Document>, Failure> {
        self.derive(through, journals, catalog)
            .map_err(|failure| failure.of(&name(self.derivation)))
    }

    fn derive(
        &mut self,
        through: &BTreeMap<usize, usize>,
        journals: &Journals<'_>,
        catalog: &TestCatalog<'b>,
    ) -> Result<Vec<Document>, Failure> {
        let rules = catalog.rules(&self.derivation.collection, SchemaSide::Write)?;
        let mut combining = Combining::for_write(rules);
        let turns = self.take_turns(through, journals);
        self.execute("BEGIN")?;
        let database = Database { connection: &self.connection, guard: &self.guard };
        let documents: Vec<(usize, Document)> =
            turns.iter().map(|turn| (turn.read, Document::from_value(turn.document))).collect();
        let (derivation, reads) = (self.derivation, &mut self.reads);
        let given = turns.iter().zip(&documents).map(|(turn, (read, document))| {
            check_source(derivation, turn, catalog)?;
            if let Some(read) = reads.get_mut(turn.read) {
                read.invocations += 1;
            }
            Ok(Given { read: *read, document: document.root(), uuid: None })
        });
        let mut rows = Rows::default();
        let take = &mut |rows: &Documents, range: Range<usize>| {
            let mut rows = range.filter_map(|index| rows.get(index)).enumerate();
            rows.try_for_each(|(index, row)| {
                combining.admit(row).map_err(|failure| (index, failure))
            })
        };
        self.lambdas.apply(database, given, &mut rows, take)?;
        self.lambdas.flush(&mut rows, take)?;
        self.lambdas.commit()?;
        self.execute("COMMIT")?;
        combining.drain()
    }

    /// Ends the case: a module is asked to forget what it has seen.
    ///
    /// # Errors
    /// What it throws.
    pub(super) fn reset(&self) -> Result<(), Failure> {
        self.lambdas.reset().map_err(|failure| failure.of(&name(self.derivation)))
    }

    /// Adds what the transforms did.
    pub(super) fn cover(&self, coverage: &mut Coverage<'b>) {
        for (index, read) in self.reads.iter().enumerate() {
            let effects = self.lambdas.effects(index).into_iter();
            coverage.add(self.derivation, read.transform, read.invocations, effects);
        }
    }

    /// The documents up to the given positions that the transforms have not read, in the order of
    /// the runtime: higher priorities first, then by publication plus delay.
    fn take_turns<'d>(
        &mut self,
        through: &BTreeMap<usize, usize>,
        journals: &'d Journals<'_>,
    ) -> Vec<Turn<'d>> {
        let mut turns = Vec::new();
        for (&index, &end) in through {
            let Some(read) = self.reads.get_mut(index) else { continue };
            let source = read.transform.source.collection.as_str();
            let written = journals.get(source).map_or(&[][..], Vec::as_slice);
            let unread = written.get(read.position..end).unwrap_or_default();
            read.position = read.position.max(end);
            for written in unread {
                if !read.selection.has_journal(&written.journal)
                    || !read.selection.has_time(written.clock)
                {
                    continue;
                }
                let adjusted = written.clock.plus_ms(read.transform.read_delay_ms);
                let order = (Reverse(read.transform.priority), adjusted, &written.journal, index);
                turns.push((order, Turn { read: index, document: &written.document }));
            }
        }
        turns.sort_by_key(|(order, _)| *order);
        turns.into_iter().map(|(_, turn)| turn).collect()
    }

    /// What lambdas have logged since the last time.
    pub(super) fn take_log(&self) -> Vec<LogLine> {
        self.lambdas.take_log()
    }

    fn execute(&self, statement: &str) -> Result<(), Failure> {
        self.connection.execute_batch(statement).map_err(|error| {
            let message = format!("the database of the derivation refuses `{statement}`: {error}");
            Failure::new(FailureKind::LambdaFailed, message)
        })
    }
}

impl<'b> OpenRead<'b> {
    fn new(transform: &'b Transform, source: &'b Collection) -> Result<Self, Failure> {
        let selection = Selection::new(source, &transform.source)?;
        Ok(Self { transform, selection, position: 0, invocations: 0 })
    }
}

/// Validates a source document under the read schema, where its writer has not done so.
fn check_source(
    derivation: &Derivation,
    turn: &Turn<'_>,
    catalog: &TestCatalog<'_>,
) -> Result<(), Failure> {
    let Some(transform) = derivation.transforms.get(turn.read) else { return Ok(()) };
    let source = catalog.collection(&transform.source.collection)?;
    if source.read_schema.is_none() {
        return Ok(());
    }
    let (document, emptied) = stamp::unstamped(Document::from_value(turn.document).root());
    let rules = catalog.rules(&source.name, SchemaSide::Read)?;
    rules
        .contract
        .check(document.root(), emptied)
        .map(drop)
        .map_err(|failure| failure.note(format!("it was read by transform `{}`", transform.name)))
}

fn name(derivation: &Derivation) -> TaskName {
    TaskName { kind: TaskKind::Derivation, name: derivation.collection.clone() }
}

fn unusable(failure: &SqlFailure) -> Failure {
    Failure::new(FailureKind::ConnectorUnavailable, failure.message.clone())
}
