//! From collections into an endpoint.
//!
//! The endpoint is the authority for its checkpoint: rows, checkpoint and fence are committed there together, and the
//! shard records progress only for status. The endpoint's transaction begins when its input is complete, so it never
//! waits for input.

use serde_json::{Value, json};
use tidegate_stdlib::bundle::{
    Bundle, ColumnRole, Failure, FailureKind, Materialization, MaterializationBinding,
};
use tidegate_stdlib::document::{Builder, Documents, Node, Parser};
use tidegate_stdlib::key::{Key, PackedKeys};
use tidegate_stdlib::reduce::{FETCHED_KEYS, Fold, Group, Lone, Mode};
use tidegate_stdlib::value::ParseFailure;

use crate::combine::{Budget, Contract, hash_seed};
use crate::connector::{Begun, Destination, Store, state_key};
use crate::derive::collection;
use crate::engine::stamps::Stamps;
use crate::shuffle::{
    ReadBatch, ReadDocument, ReadSpec, RenamedRead, Shuffle, Surroundings, name_of,
};
use crate::store::failpoint;
use crate::store::{CheckpointEntry, CommittedAppend, JournalName, JournalPosition, Shard};
use crate::task::{Input, Task};
use crate::uuid::Uuid;
use crate::violation::SchemaSide;

/// Keys that are loaded in one call.
const LOAD_KEYS: usize = 10_000;

/// Whether a task goes on where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// At its checkpoint.
    Checkpoint,
    /// With empty tables, from the beginning.
    Beginning,
}

/// Opens the destination of a materialization.
pub(crate) type OpenDestination<'r> =
    dyn Fn() -> Result<Box<dyn Destination>, Failure> + Send + Sync + 'r;

/// Tells why a task does not go on.
pub(crate) type TellWaiting<'r> = dyn Fn(&Failure) + Send + Sync + 'r;

/// A task that stores what it reads.
pub(crate) struct MaterializeTask<'r> {
    materialization: &'r Materialization,
    bundle: &'r Bundle,
    around: Surroundings<'r>,
    open_destination: Box<OpenDestination<'r>>,
    tell_waiting: Box<TellWaiting<'r>>,
    resume: Resume,
    opened: Option<Opened<'r>>,
}

struct Opened<'r> {
    destination: Box<dyn Destination>,
    shuffle: Shuffle<'r>,
    bindings: Vec<Binding<'r>>,
}

/// One table in the open transaction.
struct Binding<'r> {
    contract: Contract<'r>,
    key: Key,
    fold: Fold,
    is_delta: bool,
    /// The UUID of the last document of each key, by the index of the key in the fold.
    uuids: Vec<Uuid>,
    /// The packed keys of the documents that are added next, and how many of those were.
    coming: PackedKeys,
    come: usize,
}

impl<'r> MaterializeTask<'r> {
    /// The task of a materialization.
    pub(crate) fn new(
        materialization: &'r Materialization,
        bundle: &'r Bundle,
        around: Surroundings<'r>,
        resume: Resume,
        open_destination: Box<OpenDestination<'r>>,
        tell_waiting: Box<TellWaiting<'r>>,
    ) -> Self {
        let opened = None;
        Self { materialization, bundle, around, open_destination, tell_waiting, resume, opened }
    }

    fn reads(&self) -> Result<Vec<ReadSpec<'r>>, Failure> {
        let name = &self.materialization.name;
        let reads = self.materialization.bindings.iter().map(|binding| {
            let key = state_key(&binding.resource_path, binding.backfill);
            Ok(ReadSpec {
                suffix: format!("materialize/{name}/{key}"),
                label: format!("materialization `{name}`"),
                collection: collection(self.bundle, &binding.source.collection)?,
                source: &binding.source,
                read_delay_ms: 0,
                priority: binding.priority,
            })
        });
        reads.collect()
    }

    /// Begins the endpoint's transaction, however long somebody else holds its lock, unless the run is to end.
    fn begin(&mut self) -> Result<(), Failure> {
        while let Begun::Locked(failure) = self.opened().destination.begin()? {
            if self.around.hub.is_stopped() {
                return Err(*failure);
            }
            (self.tell_waiting)(&failure);
        }
        Ok(())
    }

    fn opened(&mut self) -> &mut Opened<'r> {
        self.opened.as_mut().expect("the loop opens a task before any other verb")
    }
}

impl Task for MaterializeTask<'_> {
    type Batch = ReadBatch;

    fn open(&mut self, _shard: &mut Shard, _budget: &Budget) -> Result<(), Failure> {
        let mut destination = (self.open_destination)()?;
        let mut checkpoint = destination.open()?;
        if self.resume == Resume::Beginning {
            destination.restart()?;
            checkpoint = None;
        }
        let entries = checkpoint.as_ref().map(decode_checkpoint).transpose()?;
        let mut entries = entries.unwrap_or_default();
        let reads = self.reads()?;
        begin_anew(&reads, &mut entries, destination.as_mut())?;
        let shuffle = Shuffle::open(self.around, reads, entries)?;
        let bindings = self.materialization.bindings.iter();
        let bindings = bindings.map(|binding| Binding::new(self.bundle, binding));
        let bindings = bindings.collect::<Result<_, _>>()?;
        self.opened = Some(Opened { destination, shuffle, bindings });
        Ok(())
    }

    fn renamed_reads(&self) -> &[RenamedRead] {
        self.opened.as_ref().map_or(&[], |opened| opened.shuffle.renamed())
    }

    fn read(&mut self, _shard: &Shard) -> Result<Input<Self::Batch>, Failure> {
        self.opened().shuffle.read()
    }

    fn apply(&mut self, _shard: &Shard, batch: Self::Batch) -> Result<(), Failure> {
        let bindings = &mut self.opened().bindings;
        let documents: Vec<ReadDocument<'_>> = batch.iter().collect();
        for documents in documents.chunks(FETCHED_KEYS) {
            for ReadDocument { read, document, .. } in documents {
                if let Some(binding) = bindings.get_mut(*read) {
                    binding.coming.push(&binding.key, *document);
                }
            }
            bindings.iter_mut().for_each(|binding| binding.fold.fetch(binding.coming.iter()));
            for ReadDocument { read, document, uuid } in documents {
                if let Some(binding) = bindings.get_mut(*read) {
                    binding.add_next(*document, *uuid)?;
                }
            }
            bindings.iter_mut().for_each(Binding::forget_coming);
        }
        Ok(())
    }

    fn held_bytes(&self) -> usize {
        let opened = self.opened.as_ref();
        opened.map_or(0, |opened| opened.bindings.iter().map(Binding::size_bytes).sum())
    }

    fn flush(&mut self, _shard: &mut Shard, _stamps: &mut Stamps<'_>) -> Result<u64, Failure> {
        self.begin()?;
        let Opened { destination, bindings, .. } = self.opened();
        let mut stored = 0;
        for (index, binding) in bindings.iter_mut().enumerate() {
            binding.load(index, destination.as_mut())?;
            stored += binding.store(index, destination.as_mut())?;
        }
        Ok(stored)
    }

    fn commit(&mut self, shard: &mut Shard) -> Result<Vec<CommittedAppend>, Failure> {
        let Opened { destination, shuffle, .. } = self.opened();
        destination.commit(&encode_checkpoint(&shuffle.checkpoint()))?;
        failpoint::reached("after-endpoint-commit");
        for entry in shuffle.progress() {
            shard.set_checkpoint(&entry)?;
        }
        shard.commit()
    }

    fn abandon(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.destination.rollback();
        }
    }
}

impl<'r> Binding<'r> {
    fn new(bundle: &'r Bundle, binding: &'r MaterializationBinding) -> Result<Self, Failure> {
        let collection = collection(bundle, &binding.source.collection)?;
        let contract = Contract::new(collection, SchemaSide::Read)?;
        let columns = binding.table.iter().flat_map(|table| &table.columns);
        let mut pointers: Vec<&str> = columns
            .filter(|column| column.role == ColumnRole::Key)
            .map(|column| column.pointer.as_str())
            .collect();
        if pointers.is_empty() {
            pointers = collection.key.iter().map(String::as_str).collect();
        }
        let key = contract.key(pointers.into_iter())?;
        let is_delta = binding.delta_updates;
        let (mode, lone) = match is_delta {
            true => (Mode::Associative, Lone::Kept),
            false => (Mode::Full, Lone::Reduced),
        };
        let fold = Fold::new(mode, lone, hash_seed());
        Ok(Self {
            contract,
            key,
            fold,
            is_delta,
            uuids: Vec::new(),
            coming: PackedKeys::default(),
            come: 0,
        })
    }

    fn size_bytes(&self) -> usize {
        self.fold.size_bytes() + self.uuids.len() * size_of::<Uuid>()
    }

    /// Adds the next document whose key is coming.
    fn add_next(&mut self, document: Node<'_>, uuid: Uuid) -> Result<(), Failure> {
        let packed = self.coming.get(self.come).unwrap_or_default();
        self.come += 1;
        let added = self.fold.add(&self.contract.reducer, packed, document);
        let index = added.map_err(|failure| self.contract.irreducible(&failure))?;
        match self.uuids.get_mut(index) {
            Some(last) => *last = uuid,
            None => self.uuids.push(uuid),
        }
        Ok(())
    }

    fn forget_coming(&mut self) {
        self.coming.clear();
        self.come = 0;
    }

    /// Gives every key its stored document, in the order of the keys, as the table has them.
    fn load(&mut self, index: usize, destination: &mut dyn Destination) -> Result<(), Failure> {
        if self.is_delta {
            return Ok(());
        }
        let Self { fold, key, contract, .. } = self;
        let (mut keys, mut parser, mut document) =
            (Documents::default(), Parser::default(), Builder::default());
        let mut add_key = |text: &[u8], keys: &mut Documents| -> Result<(), ParseFailure> {
            document.clear();
            parser.parse(text, &mut document)?;
            keys.add(|builder| {
                builder.begin_array();
                key.extract(document.root()).for_each(|value| builder.copy(value));
                builder.end_array();
                Ok(())
            })
        };
        for order in fold.order().chunks(LOAD_KEYS) {
            keys.clear();
            for index in order {
                let added = add_key(fold.first_text(*index).unwrap_or_default(), &mut keys);
                added.map_err(|failure| contract.unreadable(&failure))?;
            }
            let batch: Vec<_> = keys.iter().collect();
            destination.load(index, &batch, &mut |found, document| {
                if let Some(key) = order.get(found) {
                    fold.set_base_at(*key, document);
                }
            })?;
        }
        Ok(())
    }

    /// Reduces and stores everything in key order; gives the number of stores.
    fn store(&mut self, index: usize, destination: &mut dyn Destination) -> Result<u64, Failure> {
        let Self { contract, fold, uuids, .. } = self;
        let mut stored = 0;
        fold.drain_indexed(&contract.reducer, |key, group| {
            let group = group.map_err(|failure| contract.irreducible(&failure))?;
            let uuid = uuids.get(key).copied();
            stored += store_group(index, contract, group, uuid, destination)?;
            Ok(())
        })?;
        uuids.clear();
        Ok(stored)
    }
}

fn store_group(
    binding: usize,
    contract: &Contract<'_>,
    group: Group<'_>,
    uuid: Option<Uuid>,
    destination: &mut dyn Destination,
) -> Result<u64, Failure> {
    let Group { documents, has_base, deleted, folded, .. } = group;
    if deleted && !has_base {
        return Ok(0);
    }
    let mut stored = 0;
    for document in documents {
        let changed = match folded && !deleted {
            true => contract.check(document.root(), true)?,
            false => None,
        };
        let document = changed.as_ref().unwrap_or(document).root();
        destination.store(Store { binding, document, uuid, exists: has_base, delete: deleted })?;
        stored += 1;
    }
    Ok(stored)
}

/// Empties the tables of bindings whose `backfill` is another than when they were read last: what they read again would else be
/// added to what they hold.
fn begin_anew(
    reads: &[ReadSpec<'_>],
    entries: &mut Vec<CheckpointEntry>,
    destination: &mut dyn Destination,
) -> Result<(), Failure> {
    let is_older = |entry: &CheckpointEntry, read: &ReadSpec<'_>| {
        entry.suffix != read.suffix && name_of(&entry.suffix) == name_of(&read.suffix)
    };
    let anew: Vec<usize> = (0..reads.len())
        .filter(|index| {
            let read = reads.get(*index);
            read.is_some_and(|read| entries.iter().any(|entry| is_older(entry, read)))
        })
        .collect();
    if anew.is_empty() {
        return Ok(());
    }
    let is_anew = |entry: &CheckpointEntry| {
        let mut reads = anew.iter().filter_map(|index| reads.get(*index));
        reads.any(|read| name_of(&entry.suffix) == name_of(&read.suffix))
    };
    entries.retain(|entry| !is_anew(entry));
    if let Begun::Locked(failure) = destination.begin()? {
        return Err(*failure);
    }
    let emptied = anew.iter().try_for_each(|index| destination.empty(*index));
    let outcome = emptied.and_then(|()| destination.commit(&encode_checkpoint(entries)));
    if outcome.is_err() {
        destination.rollback();
    }
    outcome
}

/// The checkpoint as the endpoint keeps it. An incarnation is a text, because JSON numbers lose its last digits
/// in other tools.
fn encode_checkpoint(entries: &[CheckpointEntry]) -> Value {
    let entries = entries.iter().map(|entry| {
        json!({
            "journal": &*entry.journal.0,
            "suffix": entry.suffix,
            "incarnation": format!("{:016x}", entry.position.incarnation),
            "offset": entry.position.offset,
        })
    });
    Value::Array(entries.collect())
}

fn decode_checkpoint(checkpoint: &Value) -> Result<Vec<CheckpointEntry>, Failure> {
    let entry = |entry: &Value| -> Option<CheckpointEntry> {
        let incarnation = u64::from_str_radix(entry.get("incarnation")?.as_str()?, 16).ok()?;
        let offset = entry.get("offset")?.as_u64()?;
        Some(CheckpointEntry {
            journal: JournalName(entry.get("journal")?.as_str()?.into()),
            suffix: entry.get("suffix")?.as_str()?.to_owned(),
            position: JournalPosition { incarnation, offset },
        })
    };
    let entries = checkpoint.as_array().map(|entries| entries.iter().map(entry).collect());
    entries.flatten().ok_or_else(|| {
        let message = "the endpoint holds a checkpoint that this program did not write";
        Failure::new(FailureKind::CheckpointOfOtherData, message)
            .note(checkpoint.to_string())
            .help("run with `--restart TASK` to empty its tables and read from the beginning")
    })
}
