//! From collections, through lambdas, into a collection.
//!
//! Lambdas run inside the shard's open transaction, so their tables, the positions that were read and the documents that
//! were published become durable together. A derivation may read its own collection.

use std::path::Path;

use tidegate_stdlib::bundle::{
    Bundle, Collection, Derivation, Failure, FailureKind, Script, TaskKind, TaskName, Transform,
};
use tidegate_stdlib::document::Node;
use tidegate_stdlib::lambda::sqlite::migrate;
use tidegate_stdlib::lambda::typescript::LogLine;
use tidegate_stdlib::lambda::{Invocation, Rows};
use tidegate_stdlib::reduce::FETCHED_KEYS;

use crate::combine::{Budget, Combiner, salt};
use crate::engine::stamps::Stamps;
use crate::lambdas::{Batch, Beginning, Database, Lambdas};
use crate::shuffle::{ReadBatch, ReadDocument, ReadSpec, RenamedRead, Shuffle, Surroundings};
use crate::stamp;
use crate::store::{CommittedAppend, Shard};
use crate::task::{Input, Task};
use crate::violation::migration_failure;

/// How much of what was published is added at once.
const PUBLISHED_BYTES: usize = 64 << 10;
/// How much of a document is shown in a note.
const EXCERPT_CHARACTERS: usize = 400;

/// A task that publishes what its lambdas make of what it reads.
pub(crate) struct DeriveTask<'r> {
    derivation: &'r Derivation,
    bundle: &'r Bundle,
    around: Surroundings<'r>,
    /// The directory of the catalog.
    root: &'r Path,
    /// What the random numbers of a module are made of.
    seed: u64,
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
        tell: Box<dyn Fn(&LogLine) + 'r>,
    ) -> Self {
        Self { derivation, bundle, around, root, seed, tell, opened: None }
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
        let beginning =
            Beginning { root: self.root, state: shard.state(STATE_KEY)?, seed: self.seed };
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
        let derivation = self.derivation;
        let Opened { lambdas, combiner, rows, .. } = self.opened();
        let mut prepared = lambdas.batch(database(shard));
        let mut sources = batch.iter().peekable();
        let mut applied = Ok(());
        while applied.is_ok() && sources.peek().is_some() {
            applied = apply_some(&mut sources, &mut prepared, rows, combiner);
        }
        drop(prepared);
        self.tell_log();
        applied.map_err(|(source, failure)| {
            let document = stamp::stamped(source.document, source.uuid);
            blame(derivation, source.read, document.root(), failure)
        })
    }

    fn held_bytes(&self) -> usize {
        self.opened.as_ref().map_or(0, |opened| opened.combiner.size_bytes())
    }

    fn flush(&mut self, shard: &mut Shard, stamps: &mut Stamps<'_>) -> Result<u64, Failure> {
        let Opened { lambdas, combiner, rows, .. } = self.opened();
        rows.clear();
        let flushed = lambdas
            .flush(rows)
            .and_then(|()| rows.documents().iter().try_for_each(|row| combiner.add(row)));
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

/// Invokes lambdas until they have published about as many documents as are best added at once, and adds those. Of
/// several failures, the first one is told with its source document, as if each were added at once.
fn apply_some<'b>(
    sources: &mut impl Iterator<Item = ReadDocument<'b>>,
    lambdas: &mut Batch<'_>,
    rows: &mut Rows,
    combiner: &mut Combiner<'_>,
) -> Result<(), (ReadDocument<'b>, Failure)> {
    rows.clear();
    // With each document how many had been published after it.
    let mut invoked: Vec<(ReadDocument<'b>, usize)> = Vec::new();
    let mut failed = Ok(());
    while failed.is_ok()
        && rows.documents().len() < FETCHED_KEYS
        && rows.documents().size_bytes() < PUBLISHED_BYTES
        && let Some(source) = sources.next()
    {
        let uuid = source.uuid.text();
        let invocation = Invocation { document: source.document, uuid: Some(uuid.as_str()) };
        let shown = || stamp::stamped_value(source.document, source.uuid);
        failed = lambdas
            .invoke(source.read, invocation, rows, shown)
            .map_err(|failure| (source, failure));
        if failed.is_ok() {
            invoked.push((source, rows.documents().len()));
        }
    }
    let whole = invoked.last().map_or(0, |(_, published)| *published);
    combiner.add_all(rows.documents().iter().take(whole)).map_err(|(index, failure)| {
        let at = invoked.partition_point(|(_, published)| *published <= index);
        let (source, _) = invoked.get(at).expect("each document was published for one");
        (*source, failure)
    })?;
    failed
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

/// Names the transform, and the document that it was given, beside a failure of what it published.
pub(crate) fn blame(
    derivation: &Derivation,
    read: usize,
    source: Node<'_>,
    failure: Failure,
) -> Failure {
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
