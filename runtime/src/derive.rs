//! From collections, through lambdas, into a collection.
//!
//! Lambdas run inside the shard's open transaction, so their tables, the positions that were read and the documents that
//! were published become durable together. A derivation may read its own collection.

use tidegate_stdlib::bundle::{
    Bundle, Collection, Derivation, Failure, FailureKind, Script, TaskKind, TaskName, Transform,
};
use tidegate_stdlib::document::Node;
use tidegate_stdlib::lambda::sqlite::{
    Invocation, Lambda, Parameters, PreparedLambda, Rows, migrate,
};
use tidegate_stdlib::shape::Shape;

use crate::combine::{Budget, Combiner, salt};
use crate::engine::stamps::Stamps;
use crate::shuffle::{ReadBatch, ReadSpec, RenamedRead, Shuffle, ShuffleKey, Surroundings};
use crate::stamp;
use crate::store::{CommittedAppend, Shard};
use crate::task::{Input, Task};
use crate::violation::{lambda_failure, lambda_refused, migration_failure};

/// How much of a document is shown in a note.
const EXCERPT_CHARACTERS: usize = 400;

/// A task that publishes what its lambdas make of what it reads.
pub(crate) struct DeriveTask<'r> {
    derivation: &'r Derivation,
    bundle: &'r Bundle,
    around: Surroundings<'r>,
    opened: Option<Opened<'r>>,
}

/// What is there once the task is open.
struct Opened<'r> {
    shuffle: Shuffle<'r>,
    lambdas: Vec<Lambda>,
    /// Of the transforms that are shuffled by a lambda.
    shuffle_keys: Vec<Option<ShuffleKey>>,
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
    ) -> Self {
        Self { derivation, bundle, around, opened: None }
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

    fn compile(&self, shard: &Shard, transform: &Transform) -> Result<Lambda, Failure> {
        let source = self.collection(&transform.source.collection)?;
        let shape = Shape::infer(source.effective_read_schema());
        let parameters = Parameters::new(&source.projections, shape);
        let text = &transform.lambda.text;
        Lambda::compile(shard.connection(), shard.guard(), text, &parameters).map_err(|failures| {
            let first = failures.first().expect("a lambda is refused for a reason");
            lambda_refused(transform, first)
        })
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
        let mut lambdas = Vec::new();
        let mut shuffle_keys = Vec::new();
        for transform in &self.derivation.transforms {
            lambdas.push(self.compile(shard, transform)?);
            let source = self.collection(&transform.source.collection)?;
            shuffle_keys.push(ShuffleKey::open(transform, source)?);
        }
        let shuffle = Shuffle::open(self.around, self.reads()?, shard.checkpoint()?)?;
        let collection = self.collection(&self.derivation.collection)?;
        let salt = salt(self.derivation.redact_salt.as_deref(), &collection.name)?;
        let combiner = Combiner::new(collection, budget.clone(), salt)?;
        self.opened =
            Some(Opened { shuffle, lambdas, shuffle_keys, combiner, rows: Rows::default() });
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
        let Opened { lambdas, shuffle_keys, combiner, rows, .. } = self.opened();
        let mut prepared: Vec<Option<PreparedLambda<'_>>> = lambdas.iter().map(|_| None).collect();
        for source in batch.iter() {
            let (Some(lambda), Some(prepared)) =
                (lambdas.get(source.read), prepared.get_mut(source.read))
            else {
                continue;
            };
            let uuid = source.uuid.text();
            let invocation = Invocation { document: source.document, uuid: Some(uuid.as_str()) };
            if let Some(Some(key)) = shuffle_keys.get(source.read) {
                let shown = || stamp::stamped_value(source.document, source.uuid);
                key.check(transform(derivation, source.read), invocation, shown)
                    .map_err(|failure| blame(derivation, source.read, source.document, failure))?;
            }
            let invoked = match prepared {
                Some(prepared) => Ok(prepared),
                None => lambda
                    .prepare(shard.connection(), shard.guard())
                    .map(|lambda| prepared.insert(lambda)),
            };
            rows.clear();
            let outcome = invoked
                .and_then(|lambda| lambda.invoke(invocation, rows))
                .map_err(|failure| {
                    lambda_failure(
                        transform(derivation, source.read),
                        &failure,
                        &stamp::stamped_value(source.document, source.uuid),
                    )
                })
                .and_then(|()| rows.documents().iter().try_for_each(|row| combiner.add(row)));
            outcome.map_err(|failure| {
                let document = stamp::stamped(source.document, source.uuid);
                blame(derivation, source.read, document.root(), failure)
            })?;
        }
        Ok(())
    }

    fn held_bytes(&self) -> usize {
        self.opened.as_ref().map_or(0, |opened| opened.combiner.size_bytes())
    }

    fn flush(&mut self, shard: &mut Shard, stamps: &mut Stamps<'_>) -> Result<u64, Failure> {
        self.opened().combiner.flush(shard, stamps)
    }

    fn commit(&mut self, shard: &mut Shard) -> Result<Vec<CommittedAppend>, Failure> {
        for entry in self.opened().shuffle.progress() {
            shard.set_checkpoint(&entry)?;
        }
        shard.commit()
    }
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

fn transform(derivation: &Derivation, read: usize) -> &Transform {
    derivation.transforms.get(read).expect("a lambda was compiled for every transform")
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
