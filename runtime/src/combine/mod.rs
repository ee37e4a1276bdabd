//! The combiner around the folds of the standard library: validation, keys, budgets.
//!
//! A [`Combiner`] holds what one transaction publishes into one collection. Each document is validated once when it
//! enters, and the result of a fold once when it leaves; neither sees the UUID, which is not the user's. Documents leave
//! in key order, redacted and stamped, as lines grouped by partition.

mod bounded;
mod runs;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
pub(crate) use bounded::{BoundedFold, Budget};
use serde_json::Value;
use tidegate_stdlib::bundle::{Collection, Failure, FailureKind};
use tidegate_stdlib::document::{
    Builder, Document, Node, Parser, copy_with_empty_meta, has_room, is_stamped, write_stamped,
    write_stamped_text,
};
use tidegate_stdlib::key::{Component, Key, PackedKeys};
use tidegate_stdlib::redact::{Redactor, default_salt};
use tidegate_stdlib::reduce::{Lone, Mode, ReduceFailure, Reducer, Scratch};
use tidegate_stdlib::schema::Schema;
use tidegate_stdlib::shape::Shape;
use tidegate_stdlib::value::{ParseFailure, Pointer};

use crate::engine::stamps::Stamps;
use crate::limits::BLOB_BYTES;
use crate::stamp;
use crate::store::{Partitions, SchemaDigest, Shard};
use crate::uuid::{Clock, Uuid};
use crate::violation::{SchemaSide, redact_failure, reduce_failure, schema_failure};

/// A collection's schema with all that is made from it.
#[derive(Debug)]
pub(crate) struct Contract<'b> {
    /// The collection.
    pub(crate) collection: &'b Collection,
    /// Reduces documents of one key.
    pub(crate) reducer: Reducer,
    /// Redacts what is written, where the schema asks for it.
    redactor: Option<Redactor>,
    schema: Schema,
    /// What readers know the schema by.
    pub(crate) digest: SchemaDigest,
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
        let redactor = match side {
            SchemaSide::Write => {
                Redactor::of(schema.normal_form()).map_err(|failure| damaged(&failure.message))?
            }
            SchemaSide::Read => None,
        };
        let digest = SchemaDigest::of(text);
        Ok(Self { collection, reducer, redactor, schema, digest, side })
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

    /// Validates a document that is to be written, without the UUID that it may carry. Gives the document when it has to
    /// take another form: without its UUID, or with an empty `/_meta` that the schema wants.
    ///
    /// # Errors
    /// `document-violates-schema`, also when a new UUID would not fit in.
    pub(crate) fn admit(&self, document: Node<'_>) -> Result<Option<Document>, Failure> {
        if !has_room(document) {
            return Err(self.without_room(document));
        }
        if !is_stamped(document) {
            return self.check(document, false);
        }
        let (unstamped, emptied) = stamp::unstamped(document);
        let changed = self.check(unstamped.root(), emptied)?;
        Ok(Some(changed.unwrap_or(unstamped)))
    }

    /// Why a document cannot carry a UUID.
    fn without_room(&self, document: Node<'_>) -> Failure {
        let name = &self.collection.name;
        let (message, pointer) = if document.as_object().is_some() {
            (format!("`/_meta` of a document for `{name}` is no object"), "/_meta")
        } else {
            (format!("a document for `{name}` is no object"), "")
        };
        Failure::new(FailureKind::DocumentViolatesSchema, message)
            .collection(name)
            .document(&document.to_value(), Some(pointer.to_owned()))
            .note("every document is an object that takes a UUID at `/_meta/uuid`")
    }

    /// Validates a document that does not carry its UUID. `emptied` says that `/_meta` was taken away with it; when the
    /// schema wants it, the document is given with an empty one.
    ///
    /// # Errors
    /// `document-violates-schema` with the document and the keyword.
    pub(crate) fn check(
        &self,
        document: Node<'_>,
        emptied: bool,
    ) -> Result<Option<Document>, Failure> {
        if self.schema.is_valid_node(document) {
            return Ok(None);
        }
        let value = document.to_value();
        let Err(violation) = self.schema.validate(&value) else { return Ok(None) };
        if emptied {
            let mut builder = Builder::default();
            copy_with_empty_meta(document, &mut builder);
            let changed = builder.finish();
            if self.schema.is_valid_node(changed.root()) {
                return Ok(Some(changed));
            }
        }
        Err(schema_failure(self.collection, self.side, &violation, &value))
    }

    /// A document as it may be published, in the place of the one that was validated.
    ///
    /// # Errors
    /// `redaction-failed`.
    pub(crate) fn redact<'d>(
        &self,
        document: Node<'d>,
        salt: &[u8],
        scratch: &'d mut Builder,
    ) -> Result<Node<'d>, Failure> {
        let Some(redactor) = &self.redactor else { return Ok(document) };
        scratch.clear();
        let redacted = redactor.redact(document, salt, scratch);
        redacted.map_err(|failure| redact_failure(self.collection, self.side, &failure))?;
        Ok(scratch.root())
    }

    /// The failure of a document that is deeper or longer than any that is read.
    pub(crate) fn unreadable(&self, failure: &ParseFailure) -> Failure {
        let name = &self.collection.name;
        let message = format!("a document of `{name}` could not be read again");
        Failure::new(FailureKind::LimitExceeded, message)
            .collection(name)
            .note(failure.message.clone())
    }

    /// The failure of a reduction, at the annotation that takes part in it.
    pub(crate) fn irreducible(&self, failure: &ReduceFailure) -> Failure {
        reduce_failure(self.collection, self.side, failure, None)
    }
}

/// The salt of a task, which is in base64 or made from its name.
///
/// # Errors
/// `damaged` when it is no base64; the compiler lets no such salt through.
pub(crate) fn salt(text: Option<&str>, task: &str) -> Result<Vec<u8>, Failure> {
    let Some(text) = text else { return Ok(default_salt(task)) };
    STANDARD.decode(text).map_err(|_| {
        Failure::new(FailureKind::Damaged, format!("the `redactSalt` of `{task}` is no base64"))
    })
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
    fold: BoundedFold,
    packed: Vec<u8>,
    /// The keys of documents that are added next.
    coming: PackedKeys,
    partitions: Partitions<'b>,
    /// What digests of redacted values begin with.
    salt: Vec<u8>,
}

impl<'b> Combiner<'b> {
    /// An empty combiner for a collection, within a budget of memory. `salt` is what digests of redacted values begin
    /// with.
    ///
    /// # Errors
    /// `damaged` when the bundle's schema or key is none.
    pub(crate) fn new(
        collection: &'b Collection,
        budget: Budget,
        salt: Vec<u8>,
    ) -> Result<Self, Failure> {
        let contract = Contract::new(collection, SchemaSide::Write)?;
        let key = contract.key(collection.key.iter().map(String::as_str))?;
        let partitions = Partitions::new(collection)?;
        let fold = BoundedFold::new(budget);
        let coming = PackedKeys::default();
        Ok(Self { contract, key, fold, packed: Vec::new(), coming, partitions, salt })
    }

    /// Whether this is the combiner of a collection.
    pub(crate) fn is_for(&self, collection: &Collection) -> bool {
        self.contract.collection.name == collection.name
    }

    /// Adds documents in order, and fetches what is held of their keys together.
    ///
    /// # Errors
    /// As [`Combiner::add`], with the index of the document at fault.
    pub(crate) fn add_all<'d>(
        &mut self,
        documents: impl Iterator<Item = Node<'d>> + Clone,
    ) -> Result<(), (usize, Failure)> {
        let Self { key, fold, coming, .. } = self;
        coming.clear();
        documents.clone().for_each(|document| coming.push(key, document));
        fold.fetch(coming.iter());
        for (index, document) in documents.enumerate() {
            self.add_coming(index, document).map_err(|failure| (index, failure))?;
        }
        Ok(())
    }

    /// Adds a document.
    ///
    /// # Errors
    /// `document-violates-schema`, `reduction-failed`, and what the disk refuses.
    pub(crate) fn add(&mut self, document: Node<'_>) -> Result<(), Failure> {
        self.coming.clear();
        self.coming.push(&self.key, document);
        self.add_coming(0, document)
    }

    /// Adds the document whose key is coming at an index.
    fn add_coming(&mut self, index: usize, document: Node<'_>) -> Result<(), Failure> {
        let Self { contract, key, fold, packed, coming, .. } = self;
        match contract.admit(document)? {
            None => fold.add(contract, coming.get(index).unwrap_or_default(), document),
            Some(changed) => {
                packed.clear();
                key.pack(changed.root(), packed);
                fold.add(contract, packed, changed.root())
            }
        }
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
        let Self { contract, fold, partitions, salt, .. } = self;
        shard.vouch(&contract.collection.name, contract.digest);
        let mut lines = Lines::new(contract, partitions, salt, shard);
        let mut scratch = Scratch::default();
        fold.take(contract, |_, mut held| {
            // The left-most document is as it was when it was admitted.
            if let Some(text) = held.take_first() {
                lines.push_text(&text, stamps.next())?;
            }
            if held.is_empty() {
                return Ok(());
            }
            let rest = held.leave(&contract.reducer, Mode::Associative, Lone::Kept, &mut scratch);
            let rest = rest.map_err(|failure| contract.irreducible(&failure))?;
            rest.documents.iter().try_for_each(|document| {
                let changed = match rest.folded {
                    true => contract.check(document.root(), false)?,
                    false => None,
                };
                lines.push(changed.as_ref().unwrap_or(document).root(), stamps.next())
            })
        })?;
        lines.finish()
    }
}

/// Lines that have not been appended yet, and the stamp of the last one.
#[derive(Default)]
struct Pending {
    lines: Vec<u8>,
    last: Clock,
}

/// Canonical lines by partition.
struct Lines<'c, 'b> {
    contract: &'c Contract<'b>,
    partitions: &'c Partitions<'b>,
    /// What digests of redacted values begin with.
    salt: &'c [u8],
    /// The partition of the document at hand.
    path: String,
    /// That document, if it is redacted.
    redacted: Builder,
    parser: Parser,
    parsed: Builder,
    /// Where the lines of each partition are.
    places: BTreeMap<String, usize>,
    pending: Vec<Pending>,
    documents: u64,
    shard: &'c mut Shard,
}

impl<'c, 'b> Lines<'c, 'b> {
    fn new(
        contract: &'c Contract<'b>,
        partitions: &'c Partitions<'b>,
        salt: &'c [u8],
        shard: &'c mut Shard,
    ) -> Self {
        Self {
            contract,
            partitions,
            salt,
            path: String::new(),
            redacted: Builder::default(),
            parser: Parser::default(),
            parsed: Builder::default(),
            places: BTreeMap::new(),
            pending: Vec::new(),
            documents: 0,
            shard,
        }
    }

    /// Adds a document that is its canonical text, which mostly needs nothing but its UUID.
    fn push_text(&mut self, text: &[u8], uuid: Uuid) -> Result<(), Failure> {
        if self.contract.redactor.is_none() && self.partitions.is_empty() {
            let uuid_text = uuid.text();
            let add = |lines: &mut Vec<u8>| write_stamped_text(text, uuid_text.as_str(), lines);
            if self.add_line(uuid.clock, add)? {
                return Ok(());
            }
        }
        let mut parsed = std::mem::take(&mut self.parsed);
        parsed.clear();
        let pushed = match self.parser.parse(text, &mut parsed) {
            Ok(()) => self.push(parsed.root(), uuid),
            Err(failure) => Err(self.contract.unreadable(&failure)),
        };
        self.parsed = parsed;
        pushed
    }

    fn push(&mut self, document: Node<'_>, uuid: Uuid) -> Result<(), Failure> {
        let mut redacted = std::mem::take(&mut self.redacted);
        let document = self.contract.redact(document, self.salt, &mut redacted)?;
        self.path.clear();
        self.partitions.write_path(document, &mut self.path)?;
        self.add_line(uuid.clock, |lines| {
            write_stamped(document, uuid.text().as_str(), lines);
            true
        })?;
        self.redacted = redacted;
        Ok(())
    }

    /// Adds the line that `add` writes to those of the partition at hand, if it writes one; gives whether it did.
    fn add_line(
        &mut self,
        clock: Clock,
        add: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Result<bool, Failure> {
        let place = self.place();
        let Some(Pending { lines, last }) = self.pending.get_mut(place) else { return Ok(false) };
        if !add(lines) {
            return Ok(false);
        }
        lines.push(b'\n');
        *last = clock;
        self.documents += 1;
        if lines.len() >= BLOB_BYTES {
            append(self.shard, self.contract.collection, &self.path, lines, clock)?;
            lines.clear();
        }
        Ok(true)
    }

    /// Where the lines of the partition at hand are.
    fn place(&mut self) -> usize {
        // Without partitions there is one place. To find it by its name, which is empty, would take longer than all
        // else that is done with a line: some processors compare nothing with nothing very slowly.
        if self.partitions.is_empty() && !self.pending.is_empty() {
            return 0;
        }
        if let Some(place) = self.places.get(&self.path) {
            return *place;
        }
        let place = self.pending.len();
        self.places.insert(self.path.clone(), place);
        self.pending.push(Pending::default());
        place
    }

    /// Appends what is left; gives the number of documents.
    fn finish(self) -> Result<u64, Failure> {
        for (partition, place) in &self.places {
            let Some(Pending { lines, last }) = self.pending.get(*place) else { continue };
            append(self.shard, self.contract.collection, partition, lines, *last)?;
        }
        Ok(self.documents)
    }
}

fn append(
    shard: &mut Shard,
    collection: &Collection,
    partition: &str,
    lines: &[u8],
    last: Clock,
) -> Result<(), Failure> {
    shard.append(&collection.name, partition, collection.fragments.codec, lines, last)
}
