//! From collections, through lambdas, into a collection.
//!
//! Lambdas run inside the shard's open transaction, so their tables, the positions that were read and the documents that
//! were published become durable together. A derivation may read its own collection.

use std::ops::Range;
use std::path::Path;

use tidegate_stdlib::bundle::{
    Bundle, Collection, Derivation, Failure, FailureKind, Script, Transform,
};
use tidegate_stdlib::document::Documents;
use tidegate_stdlib::lambda::Rows;
use tidegate_stdlib::lambda::sqlite::migrate;
use tidegate_stdlib::lambda::typescript::LogLine;

use crate::combine::{Budget, Combiner, salt};
use crate::engine::stamps::Stamps;
use crate::lambdas::{Beginning, Database, Given, Lambdas, ScriptProgram};
use crate::shuffle::{ReadBatch, ReadSpec, RenamedRead, Shuffle, Surroundings};
use crate::store::{CommittedAppend, Shard};
use crate::task::{Input, Task};
use crate::violation::migration_failure;

/// A task that publishes what its lambdas make of what it reads.
pub(crate) struct DeriveTask<'r> {
    derivation: &'r Derivation,
    bundle: &'r Bundle,
    around: Surroundings<'r>,
    /// The directory of the catalog.
    root: &'r Path,
    /// What the random numbers of a module are made of.
    seed: u64,
    /// What runs a module, when that is not this process.
    program: Option<&'r ScriptProgram>,
    /// Where lines go that lambdas log.
    tell: Box<dyn Fn(&LogLine) + 'r>,
    opened: Option<Opened<'r>>,
}

/// Where the state of a module is stored.
const STATE_KEY: &str = "module";

/// What is there once the task is open.
struct Opened<'r> {
    shuffle: Shuffle<'r>,
    lambdas: Lambdas<'r>,
    combiner: Combiner<'r>,
    /// Rows of one invocation, kept for their capacity.
    rows: Rows,
}

impl<'r> DeriveTask<'r> {
    /// The task of a derivation.
    pub(crate) fn new(
        derivation: &'r Derivation,
        bundle: &'r Bundle,
        around: Surroundings<'r>,
        root: &'r Path,
        seed: u64,
        program: Option<&'r ScriptProgram>,
        tell: Box<dyn Fn(&LogLine) + 'r>,
    ) -> Self {
        Self { derivation, bundle, around, root, seed, program, tell, opened: None }
    }

    fn collection(&self, name: &str) -> Result<&'r Collection, Failure> {
        collection(self.bundle, name)
    }

    fn reads(&self) -> Result<Vec<ReadSpec<'r>>, Failure> {
        let derived = &self.derivation.collection;
        let reads = self.derivation.transforms.iter().map(|transform| {
            Ok(ReadSpec {
                suffix: suffix(derived, transform),
                label: format!("transform `{}` of `{derived}`", transform.name),
                collection: self.collection(&transform.source.collection)?,
                source: &transform.source,
                read_delay_ms: transform.read_delay_ms,
                priority: transform.priority,
            })
        });
        reads.collect()
    }

    /// Hands on what lambdas have logged.
    fn tell_log(&self) {
        let lines = self.opened.as_ref().map(|opened| opened.lambdas.take_log());
        lines.iter().flatten().for_each(|line| (self.tell)(line));
    }

    fn opened(&mut self) -> &mut Opened<'r> {
        self.opened.as_mut().expect("the loop opens a task before any other verb")
    }
}

/// A collection of the bundle.
///
/// # Errors
/// `damaged` when the bundle has none of the name.
pub(crate) fn collection<'b>(bundle: &'b Bundle, name: &str) -> Result<&'b Collection, Failure> {
    bundle.collections.get(name).ok_or_else(|| {
        Failure::new(FailureKind::Damaged, format!("collection `{name}` is not in the bundle"))
    })
}

impl Task for DeriveTask<'_> {
    type Batch = ReadBatch;

    fn open(&mut self, shard: &mut Shard, budget: &Budget) -> Result<(), Failure> {
        apply_migrations(&self.derivation.migrations, shard)?;
        let bundle = self.bundle;
        let (root, seed, program) = (self.root, self.seed, self.program);
        let beginning = Beginning { root, state: shard.state(STATE_KEY)?, seed, program };
        let lambdas = Lambdas::open(
            self.derivation,
            |name| collection(bundle, name),
            database(shard),
            beginning,
        )?;
        let shuffle = Shuffle::open(self.around, self.reads()?, shard.checkpoint()?)?;
        let collection = self.collection(&self.derivation.collection)?;
        let salt = salt(self.derivation.redact_salt.as_deref(), &collection.name)?;
        let combiner = Combiner::new(collection, budget.clone(), salt)?;
        self.opened = Some(Opened { shuffle, lambdas, combiner, rows: Rows::default() });
        self.tell_log();
        Ok(())
    }

    fn renamed_reads(&self) -> &[RenamedRead] {
        self.opened.as_ref().map_or(&[], |opened| opened.shuffle.renamed())
    }

    fn read(&mut self, _shard: &Shard) -> Result<Input<Self::Batch>, Failure> {
        self.opened().shuffle.read()
    }

    fn apply(&mut self, shard: &Shard, batch: Self::Batch) -> Result<(), Failure> {
        let Opened { lambdas, combiner, rows, .. } = self.opened();
        let given = batch.iter().map(|source| Ok(Given::from(source)));
        let applied = lambdas.apply(database(shard), given, rows, &mut adding(combiner));
        self.tell_log();
        applied
    }

    fn held_bytes(&self) -> usize {
        self.opened.as_ref().map_or(0, |opened| opened.combiner.size_bytes())
    }

    fn flush(&mut self, shard: &mut Shard, stamps: &mut Stamps<'_>) -> Result<u64, Failure> {
        let Opened { lambdas, combiner, rows, .. } = self.opened();
        let flushed = lambdas.flush(rows, &mut adding(combiner));
        self.tell_log();
        flushed?;
        self.opened().combiner.flush(shard, stamps)
    }

    fn commit(&mut self, shard: &mut Shard) -> Result<Vec<CommittedAppend>, Failure> {
        for entry in self.opened().shuffle.progress() {
            shard.set_checkpoint(&entry)?;
        }
        let state = self.opened().lambdas.commit().map(|state| state.cloned());
        self.tell_log();
        if let Some(state) = state? {
            shard.set_state(STATE_KEY, &state)?;
        }
        shard.commit()
    }
}

/// Adds what is published.
fn adding(
    combiner: &mut Combiner<'_>,
) -> impl FnMut(&Documents, Range<usize>) -> Result<(), (usize, Failure)> {
    |rows, range| combiner.add_all(range.filter_map(|index| rows.get(index)))
}

/// The identity of a transform's read.
fn suffix(derived: &str, transform: &Transform) -> String {
    match transform.backfill {
        0 => format!("derive/{derived}/{}", transform.name),
        backfill => format!("derive/{derived}/{}.v{backfill}", transform.name),
    }
}

/// Runs the migrations that have not been applied yet, one commit for all.
fn apply_migrations(migrations: &[Script], shard: &mut Shard) -> Result<(), Failure> {
    let applied = shard.migrations()?;
    for (index, before) in applied.iter().enumerate() {
        let now = migrations.get(index);
        if now.is_some_and(|now| &now.text == before) {
            continue;
        }
        let text = now.map_or("it is not in the catalog any more", |now| now.text.as_str());
        let message =
            format!("migration {index}, counted from 0, was changed after it had been applied");
        return Err(Failure::new(FailureKind::MigrationChanged, message)
            .at(now.map(|now| now.origin.clone()))
            .note(format!("applied: {before}"))
            .note(format!("now: {text}"))
            .help("put the old text back and add the change as a further migration"));
    }
    let pending = migrations.iter().enumerate().skip(applied.len());
    if pending.len() == 0 {
        return Ok(());
    }
    shard.begin()?;
    for (index, migration) in pending {
        let outcome = migrate(shard.connection(), shard.guard(), &migration.text);
        if let Err(failure) = outcome {
            shard.rollback();
            return Err(migration_failure(migration, index, &failure));
        }
        shard.add_migration(&migration.text)?;
    }
    shard.commit().map(drop)
}

fn database(shard: &Shard) -> Database<'_> {
    Database { connection: shard.connection(), guard: shard.guard() }
}
