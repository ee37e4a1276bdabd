//! The combiner around the folds of the standard library: validation, keys, budgets.
//!
//! A [`Combiner`] holds what one transaction publishes into one collection. Each document is validated once when it
//! enters, and the result of a fold once when it leaves; neither sees the UUID, which is not the user's. Documents leave
//! in key order, stamped, as lines grouped by partition.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;
use tidegate_stdlib::bundle::{Collection, Failure, FailureKind};
use tidegate_stdlib::document::Document;
use tidegate_stdlib::key::{Component, Key};
use tidegate_stdlib::reduce::{Fold, Group, Lone, Mode, ReduceFailure, Reducer};
use tidegate_stdlib::schema::Schema;
use tidegate_stdlib::shape::Shape;
use tidegate_stdlib::value::Pointer;

use crate::engine::stamps::Stamps;
use crate::stamp;
use crate::store::{Shard, partition_path};
use crate::uuid::Clock;
use crate::violation::{SchemaSide, reduce_failure, schema_failure};

/// A collection's schema with all that is made from it.
#[derive(Debug)]
pub(crate) struct Contract<'b> {
    /// The collection.
    pub(crate) collection: &'b Collection,
    /// Reduces documents of one key.
    pub(crate) reducer: Reducer,
    schema: Schema,
    side: SchemaSide,
}

impl<'b> Contract<'b> {
    /// Compiles one of a collection's schemas.
    ///
    /// # Errors
    /// `damaged` when the bundle's schema is none; the compiler lets no such schema through.
    pub(crate) fn new(collection: &'b Collection, side: SchemaSide) -> Result<Self, Failure> {
        let text = match side {
            SchemaSide::Write => &collection.write_schema,
            SchemaSide::Read => collection.effective_read_schema(),
        };
        let damaged = |message: &str| {
            let message = format!("the schema of `{}` is broken: {message}", collection.name);
            Failure::new(FailureKind::Damaged, message)
        };
        let schema = Schema::compile(text).map_err(|failures| {
            damaged(failures.first().map_or("", |failure| failure.message.as_str()))
        })?;
        let reducer =
            Reducer::of(schema.normal_form()).map_err(|failure| damaged(&failure.message))?;
        Ok(Self { collection, reducer, schema, side })
    }

    /// The key of the given pointers, with the defaults of this schema.
    ///
    /// # Errors
    /// `damaged` when a pointer of the bundle is none.
    pub(crate) fn key<'p>(&self, pointers: impl Iterator<Item = &'p str>) -> Result<Key, Failure> {
        let shape = Shape::of(self.schema.normal_form());
        let components = pointers.map(|text| {
            let pointer = Pointer::parse(text).map_err(|_| {
                let message =
                    format!("`{text}` in a key of `{}` is no pointer", self.collection.name);
                Failure::new(FailureKind::Damaged, message)
            })?;
            let default = shape.locate(&pointer).0.default.unwrap_or(Value::Null);
            Ok(Component { pointer, default })
        });
        components.collect::<Result<_, _>>().map(Key::new)
    }

    /// Takes the UUID out of a document that is to be written, and validates it.
    ///
    /// # Errors
    /// `document-violates-schema`, also when a new UUID would not fit in.
    pub(crate) fn admit(&self, document: &mut Value) -> Result<(), Failure> {
        let taken = stamp::take(document);
        if !stamp::fits(document) {
            return Err(self.without_room(document));
        }
        self.validate(document, taken.emptied)
    }

    /// Why a document cannot carry a UUID.
    fn without_room(&self, document: &Value) -> Failure {
        let name = &self.collection.name;
        let (message, pointer) = if document.is_object() {
            (format!("`/_meta` of a document for `{name}` is no object"), "/_meta")
        } else {
            (format!("a document for `{name}` is no object"), "")
        };
        Failure::new(FailureKind::DocumentViolatesSchema, message)
            .collection(name)
            .document(document, Some(pointer.to_owned()))
            .note("every document is an object that takes a UUID at `/_meta/uuid`")
    }

    /// Validates a document that does not carry its UUID. `emptied` says that `/_meta` was taken away with it; it is
    /// put back, empty, when the schema wants it.
    ///
    /// # Errors
    /// `document-violates-schema` with the document and the keyword.
    pub(crate) fn validate(&self, document: &mut Value, emptied: bool) -> Result<(), Failure> {
        if self.schema.is_valid(document) {
            return Ok(());
        }
        let Err(violation) = self.schema.validate(document) else { return Ok(()) };
        if emptied {
            stamp::restore_empty(document);
            if self.schema.is_valid(document) {
                return Ok(());
            }
            stamp::take(document);
        }
        Err(schema_failure(self.collection, self.side, &violation, document))
    }

    /// The failure of a reduction, at the annotation that takes part in it.
    pub(crate) fn irreducible(&self, failure: &ReduceFailure) -> Failure {
        reduce_failure(self.collection, self.side, failure, None)
    }
}

/// The seed of the hashes of keys: random, so that nobody can choose keys that collide.
pub(crate) fn hash_seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())))
}

/// What one transaction publishes into one collection.
#[derive(Debug)]
pub(crate) struct Combiner<'b> {
    contract: Contract<'b>,
    key: Key,
    fold: Fold,
    packed: Vec<u8>,
    is_partitioned: bool,
}

impl<'b> Combiner<'b> {
    /// An empty combiner for a collection.
    ///
    /// # Errors
    /// `damaged` when the bundle's schema or key is none.
    pub(crate) fn new(collection: &'b Collection) -> Result<Self, Failure> {
        let contract = Contract::new(collection, SchemaSide::Write)?;
        let key = contract.key(collection.key.iter().map(String::as_str))?;
        let is_partitioned = collection.partitions().next().is_some();
        let fold = Fold::new(Mode::Associative, Lone::Kept, hash_seed());
        Ok(Self { contract, key, fold, packed: Vec::new(), is_partitioned })
    }

    /// Whether this is the combiner of a collection.
    pub(crate) fn is_for(&self, collection: &Collection) -> bool {
        self.contract.collection.name == collection.name
    }

    /// Adds a document.
    ///
    /// # Errors
    /// `document-violates-schema`, `reduction-failed`.
    pub(crate) fn add(&mut self, mut document: Value) -> Result<(), Failure> {
        self.contract.admit(&mut document)?;
        self.packed.clear();
        let document = Document::from_value(&document);
        self.key.pack(document.root(), &mut self.packed);
        self.fold
            .add(&self.contract.reducer, &self.packed, document.root())
            .map_err(|failure| self.contract.irreducible(&failure))
    }

    /// An estimate of the memory held.
    pub(crate) fn size_bytes(&self) -> usize {
        self.fold.size_bytes()
    }

    /// Stamps everything in key order, appends it to the shard's journals, and empties the combiner. Gives the number
    /// of documents.
    ///
    /// # Errors
    /// A fold whose result violates the schema, a partition value that cannot be one, and what the store refuses.
    pub(crate) fn flush(
        &mut self,
        shard: &mut Shard,
        stamps: &mut Stamps<'_>,
    ) -> Result<u64, Failure> {
        if self.fold.is_empty() {
            return Ok(0);
        }
        let Self { contract, fold, is_partitioned, .. } = self;
        let mut lines = Lines::new(contract, *is_partitioned);
        fold.drain(&contract.reducer, |group| {
            lines.push(group.map_err(|failure| contract.irreducible(&failure))?, stamps)
        })?;
        lines.append(shard)
    }
}

/// Canonical lines by partition.
struct Lines<'c, 'b> {
    contract: &'c Contract<'b>,
    is_partitioned: bool,
    partitions: BTreeMap<String, (Vec<u8>, Clock)>,
    documents: u64,
}

impl<'c, 'b> Lines<'c, 'b> {
    fn new(contract: &'c Contract<'b>, is_partitioned: bool) -> Self {
        Self { contract, is_partitioned, partitions: BTreeMap::new(), documents: 0 }
    }

    fn push(&mut self, group: Group<'_>, stamps: &mut Stamps<'_>) -> Result<(), Failure> {
        for document in group.documents {
            let mut document = document.root().to_value();
            if group.folded {
                self.contract.validate(&mut document, false)?;
            }
            let partition = if self.is_partitioned {
                partition_path(self.contract.collection, &document)?
            } else {
                String::new()
            };
            let (clock, uuid) = stamps.next();
            let (lines, last) = self.partitions.entry(partition).or_default();
            stamp::write_stamped(&document, &uuid, lines);
            lines.push(b'\n');
            *last = clock;
            self.documents += 1;
        }
        Ok(())
    }

    fn append(self, shard: &mut Shard) -> Result<u64, Failure> {
        let collection = self.contract.collection;
        for (partition, (lines, last)) in self.partitions {
            shard.append(&collection.name, &partition, collection.fragments.codec, lines, last)?;
        }
        Ok(self.documents)
    }
}
