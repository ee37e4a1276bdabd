//! Committed documents of a collection, also beside a running process.
//!
//! No lock is taken. The ends of a shard's journals are looked up together before anything is read, and nothing beyond
//! them is shown: so a transaction is seen as a whole, in all its partitions, or not at all. Documents stream; `reduce`
//! holds one document per key, and those that do not fit into memory in temporary files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, Selector};
use tidegate_stdlib::document::{Builder, Node, Parser, Stamp, copy_stamped};
use tidegate_stdlib::key::Key;
use tidegate_stdlib::reduce::{Lone, Mode, Scratch};

use crate::combine::{BoundedFold, Budget, Contract};
use crate::limits::{BATCH_BYTES, READ_BATCHES_BYTES};
use crate::shuffle::first_line;
use crate::store::{
    JournalName, JournalPosition, JournalReader, encode_partition_value, inaccessible,
    journal_heads,
};
use crate::uuid::{self, Clock, Uuid};
use crate::violation::SchemaSide;

/// What to read.
#[derive(Debug, Clone)]
pub struct ReadRequest<'r> {
    /// The data directory.
    pub data: &'r Path,
    /// The collection.
    pub collection: &'r Collection,
    /// Which partitions; all when absent.
    pub partitions: Option<Selector>,
    /// One fully reduced document per key, in key order.
    pub reduce: bool,
    /// Memory of what `reduce` holds; the rest lies in temporary files of the system.
    pub memory_bytes: usize,
}

/// Hands out the documents with their UUIDs in them; with `reduce` in key order, else in the order of journals and
/// offsets.
///
/// # Errors
/// When the data directory cannot be read or a document cannot be reduced; an error of `each` ends the reading.
pub fn read(
    request: &ReadRequest<'_>,
    each: &mut dyn FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut heads = journal_heads(request.data, &request.collection.name)?;
    if let Some(selector) = &request.partitions {
        heads.retain(|journal, _| selects(selector, journal));
    }
    if request.reduce {
        return read_reduced(request, heads, each);
    }
    let (mut parser, mut builder) = (Parser::default(), Builder::default());
    for (journal, head) in heads {
        let mut lines = Lines::open(request.data, journal, head, BATCH_BYTES)?;
        while lines.advance()? {
            builder.clear();
            let parsed = parser.parse(lines.line(), &mut builder);
            parsed.map_err(|failure| lines.damaged(&failure.message))?;
            if each(builder.root()).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Documents are reduced in the order in which they were published, whatever journals they lie in: as readers of the
/// collection reduce them.
fn read_reduced(
    request: &ReadRequest<'_>,
    heads: BTreeMap<JournalName, u64>,
    each: &mut dyn FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let collection = request.collection;
    let contract = Contract::new(collection, SchemaSide::Read)?;
    let key = contract.key(collection.key.iter().map(String::as_str))?;
    let batch_bytes = (READ_BATCHES_BYTES / heads.len().max(1)).min(BATCH_BYTES);
    let mut published = Published::default();
    for (journal, head) in heads {
        published.add(Lines::open(request.data, journal, head, batch_bytes)?)?;
    }
    let mut folding = Folding::new(key, request.memory_bytes);
    let of_uuids = Contract::new(&UUIDS, SchemaSide::Read)?;
    published.each(&mut |document, uuid| folding.add(&contract, &of_uuids, document, uuid))?;
    folding.drain(&contract, &of_uuids, each)
}

/// Whether a journal holds selected partitions: fields are AND-ed, values of one field OR-ed, `exclude` wins.
pub(crate) fn selects(selector: &Selector, journal: &JournalName) -> bool {
    let value_of = |field: &str| {
        journal.partitions().find(|(name, _)| *name == field).map(|(_, encoded)| encoded)
    };
    let has_any = |(field, values): (&String, &Vec<Value>)| {
        let is_it = |encoded: &str, value: &Value| {
            encode_partition_value(value).is_some_and(|selected| selected == encoded)
        };
        value_of(field).is_some_and(|encoded| values.iter().any(|value| is_it(encoded, value)))
    };
    selector.include.iter().all(has_any) && !selector.exclude.iter().any(has_any)
}

/// The lines of one journal up to its head.
struct Lines {
    journal: JournalName,
    reader: JournalReader,
    head: u64,
    batch_bytes: usize,
    /// Where the next batch begins.
    from: Option<JournalPosition>,
    bytes: Arc<Vec<u8>>,
    /// The line at hand, in the batch.
    line: Range<usize>,
    /// Offset of the line in the journal.
    offset: u64,
}

impl Lines {
    fn open(
        root: &Path,
        journal: JournalName,
        head: u64,
        batch_bytes: usize,
    ) -> Result<Self, Failure> {
        let reader = JournalReader::open(root, &journal)?;
        let (from, bytes, line, offset) = (None, Arc::default(), 0..0, 0);
        Ok(Self { journal, reader, head, batch_bytes, from, bytes, line, offset })
    }

    /// The line at hand, without its line feed.
    fn line(&self) -> &[u8] {
        self.bytes.get(self.line.clone()).unwrap_or_default()
    }

    /// Moves to the next line; says whether there is one.
    fn advance(&mut self) -> Result<bool, Failure> {
        let has_line = !self.bytes.is_empty();
        let mut begin = if has_line { self.line.end + 1 } else { 0 };
        self.offset += (begin - self.line.start) as u64;
        if self.offset >= self.head {
            return Ok(false);
        }
        if begin >= self.bytes.len() {
            let batch = self.reader.read(self.from, self.batch_bytes)?;
            self.from = Some(batch.end);
            (self.bytes, begin) = (batch.bytes, 0);
        }
        let length = first_line(self.bytes.get(begin..).unwrap_or_default()).len();
        self.line = begin..begin + length;
        Ok(!self.bytes.is_empty())
    }

    fn damaged(&self, fact: &str) -> Failure {
        let message = format!("journal `{}` holds something that is no document", self.journal);
        Failure::new(FailureKind::Damaged, message)
            .collection(self.journal.collection())
            .note(format!("at offset {}: {fact}", self.offset))
    }
}

/// The documents of several journals in the order of their publication.
#[derive(Default)]
struct Published {
    journals: Vec<(Lines, Builder)>,
    /// The UUID of the next document of each journal, by index.
    next: BinaryHeap<Reverse<(Clock, usize)>>,
    uuids: Vec<Option<Uuid>>,
    parser: Parser,
    stamp: Stamp,
}

impl Published {
    fn add(&mut self, lines: Lines) -> Result<(), Failure> {
        self.journals.push((lines, Builder::default()));
        self.uuids.push(None);
        self.advance(self.journals.len() - 1)
    }

    /// Hands out every document without its UUID.
    fn each(
        &mut self,
        each: &mut dyn FnMut(Node<'_>, Uuid) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while let Some(Reverse((_, index))) = self.next.pop() {
            let uuid = self.uuids.get(index).copied().flatten();
            if let (Some((_, document)), Some(uuid)) = (self.journals.get(index), uuid) {
                each(document.root(), uuid)?;
            }
            self.advance(index)?;
        }
        Ok(())
    }

    fn advance(&mut self, index: usize) -> Result<(), Failure> {
        let Self { journals, next, uuids, parser, stamp } = self;
        let Some((lines, document)) = journals.get_mut(index) else { return Ok(()) };
        if !lines.advance()? {
            return Ok(());
        }
        document.clear();
        let parsed = parser.parse_unstamped(lines.line(), document, stamp);
        parsed.map_err(|failure| lines.damaged(&failure.message))?;
        let uuid = uuid::parse(&stamp.uuid).ok_or_else(|| lines.damaged("it has no UUID"))?;
        next.push(Reverse((uuid.clock, index)));
        if let Some(place) = uuids.get_mut(index) {
            *place = Some(uuid);
        }
        Ok(())
    }
}

/// Documents folded by key without their UUIDs, which are no concern of the schema; each result gets its key's last.
///
/// The last UUIDs are folded beside the documents, under the same keys. They leave first, into a file, from which each is read when
/// the document of its key leaves: so neither is held in memory as a whole.
struct Folding {
    key: Key,
    documents: BoundedFold,
    uuids: BoundedFold,
    packed: Vec<u8>,
    /// One UUID, as the fold of UUIDs has it.
    uuid: Builder,
}

/// The collection of last UUIDs.
static UUIDS: LazyLock<Collection> = LazyLock::new(|| {
    let schema = json!({"type": "string", "reduce": {"strategy": "lastWriteWins"}});
    Collection::new("uuids", &[], schema)
});

/// The share of the memory that UUIDs get.
const SHARE_OF_UUIDS: usize = 4;

impl Folding {
    fn new(key: Key, memory_bytes: usize) -> Self {
        let fold = |held_bytes_max: usize| {
            let directory = std::env::temp_dir();
            BoundedFold::new(Budget { held_bytes_max, directory })
        };
        let of_uuids = memory_bytes / SHARE_OF_UUIDS;
        Self {
            key,
            documents: fold(memory_bytes - of_uuids),
            uuids: fold(of_uuids),
            packed: Vec::new(),
            uuid: Builder::default(),
        }
    }

    fn add(
        &mut self,
        contract: &Contract<'_>,
        of_uuids: &Contract<'_>,
        document: Node<'_>,
        uuid: Uuid,
    ) -> Result<(), Failure> {
        self.packed.clear();
        self.key.pack(document, &mut self.packed);
        self.documents.add(contract, &self.packed, document)?;
        self.uuid.clear();
        self.uuid.string(uuid.text().as_str());
        self.uuids.add(of_uuids, &self.packed, self.uuid.root())
    }

    fn drain(
        mut self,
        contract: &Contract<'_>,
        of_uuids: &Contract<'_>,
        each: &mut dyn FnMut(Node<'_>) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let mut uuids = self.drain_uuids(of_uuids)?;
        let mut uuid = [0; UUID_LENGTH];
        let mut is_wanted = true;
        let (mut builder, mut scratch) = (Builder::default(), Scratch::default());
        self.documents.take(contract, |_, held| {
            uuids.read_exact(&mut uuid).map_err(|error| temporary("read", &error))?;
            if !is_wanted {
                return Ok(());
            }
            let left = held.leave(&contract.reducer, Mode::Full, Lone::Reduced, &mut scratch);
            let left = left.map_err(|failure| contract.irreducible(&failure))?;
            let text = std::str::from_utf8(&uuid).unwrap_or_default();
            for document in left.documents.iter().filter(|_| !left.deleted) {
                builder.clear();
                copy_stamped(document.root(), text, &mut builder);
                is_wanted = is_wanted && each(builder.root()).is_continue();
            }
            Ok(())
        })
    }

    /// The last UUID of each key, in the order of the keys.
    fn drain_uuids(&mut self, of_uuids: &Contract<'_>) -> Result<BufReader<File>, Failure> {
        let failed = |error: io::Error| temporary("write", &error);
        let mut writer = BufWriter::new(tempfile::tempfile().map_err(failed)?);
        let mut scratch = Scratch::default();
        self.uuids.take(of_uuids, |_, held| {
            let left = held.leave(&of_uuids.reducer, Mode::Full, Lone::Kept, &mut scratch);
            let left = left.map_err(|failure| of_uuids.irreducible(&failure))?;
            let last = left.documents.last().and_then(|last| last.root().as_str());
            let last = last.expect("every key has a last UUID, which is a text");
            debug_assert_eq!(last.len(), UUID_LENGTH);
            writer.write_all(last.as_bytes()).map_err(failed)
        })?;
        let mut file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        Ok(BufReader::new(file))
    }
}

/// Bytes of a UUID as documents have it.
const UUID_LENGTH: usize = 36;

fn temporary(verb: &str, error: &io::Error) -> Failure {
    inaccessible(&format!("{verb} a temporary file in"), &std::env::temp_dir(), error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use serde_json::json;
    use tidegate_stdlib::bundle::{Codec, Fragments};

    use tidegate_stdlib::document::Document;

    use super::*;
    use crate::stamp;
    use crate::store::Shard;
    use crate::store::testing::{MORNING, collection, open, shard_name};
    use crate::uuid::{OUTSIDE_TXN, Producer};

    fn stamped(document: Value, after_ms: u64) -> (Value, Clock) {
        let clock = Clock::from_unix(MORNING).plus_ms(after_ms);
        let uuid = Uuid { producer: Producer([1; 6]), clock, flags: OUTSIDE_TXN };
        (stamp::stamped_value(Document::from_value(&document).root(), uuid), clock)
    }

    fn append(shard: &mut Shard, partitions: &str, document: Value, after_ms: u64) {
        let (document, clock) = stamped(document, after_ms);
        let line = format!("{document}\n").into_bytes();
        shard.append("acme/orders", partitions, Codec::Gzip, &line, clock).unwrap();
    }

    fn read_ids(request: &ReadRequest<'_>) -> Vec<i64> {
        let mut ids = Vec::new();
        read(request, &mut |document| {
            ids.push(document.get("id").unwrap().to_value().as_i64().unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
        ids
    }

    #[test]
    fn documents_come_by_journal_and_offset_also_beside_a_writer() {
        let root = tempfile::tempdir().unwrap();
        let orders = collection("acme/orders", &["region"]);
        let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
        shard.begin().unwrap();
        for (region, id) in [("us", 1), ("eu", 2), ("us", 3)] {
            append(&mut shard, &format!("region={region}"), json!({"id": id}), 1);
        }
        shard.commit().unwrap();
        shard.cut_fragments(&Fragments::default(), true).unwrap();
        shard.begin().unwrap();
        append(&mut shard, "region=eu", json!({"id": 4}), 2);
        shard.commit().unwrap();
        shard.begin().unwrap();
        append(&mut shard, "region=eu", json!({"id": 5}), 3);
        let mut request = ReadRequest {
            data: root.path(),
            collection: &orders,
            partitions: None,
            reduce: false,
            memory_bytes: 1 << 20,
        };
        assert_eq!(read_ids(&request), [2, 4, 1, 3]);
        let selector = |include: Value, exclude: Value| {
            serde_json::from_value(json!({"include": include, "exclude": exclude})).unwrap()
        };
        for (selector, ids) in [
            (selector(json!({"region": ["us"]}), json!({})), vec![1, 3]),
            (selector(json!({"region": ["us", "eu"]}), json!({"region": ["us"]})), vec![2, 4]),
            (selector(json!({}), json!({"region": [null]})), vec![2, 4, 1, 3]),
            (selector(json!({"region": ["x"]}), json!({})), vec![]),
        ] {
            request.partitions = Some(selector);
            assert_eq!(read_ids(&request), ids);
        }
    }

    #[test]
    fn documents_are_shown_as_they_are_stored_until_the_reader_has_enough() {
        let root = tempfile::tempdir().unwrap();
        let orders = collection("acme/orders", &[]);
        let mut shard = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
        shard.begin().unwrap();
        for id in 0..3 {
            append(&mut shard, "", json!({"id": id, "_meta": {"op": "c"}}), id);
        }
        shard.commit().unwrap();
        let mut seen = Vec::new();
        let request = ReadRequest {
            data: root.path(),
            collection: &orders,
            partitions: None,
            reduce: false,
            memory_bytes: 1 << 20,
        };
        read(&request, &mut |document| {
            seen.push(document.to_value());
            if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
        let expected: Vec<_> =
            (0..2).map(|id| stamped(json!({"id": id, "_meta": {"op": "c"}}), id).0).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_directory_without_data_has_no_documents() {
        let root = tempfile::tempdir().unwrap();
        let orders = collection("acme/orders", &[]);
        let data = &root.path().join("nothing");
        let request = ReadRequest {
            data,
            collection: &orders,
            partitions: None,
            reduce: false,
            memory_bytes: 1 << 20,
        };
        assert!(read_ids(&request).is_empty());
    }

    #[test]
    fn reducing_gives_one_document_per_key_in_the_order_of_publication() {
        let root = tempfile::tempdir().unwrap();
        let mut orders = collection("acme/orders", &[]);
        orders.write_schema = json!({
            "type": "object",
            "reduce": {"strategy": "merge"},
            "properties": {
                "id": {"type": "integer"},
                "sum": {"type": "integer", "reduce": {"strategy": "sum"}},
                "last": {"type": "string"},
            },
            "required": ["id"],
        });
        let directory = open(root.path());
        let mut shop = directory.open_shard(&shard_name("acme/shop")).unwrap();
        let mut web = directory.open_shard(&shard_name("acme/web")).unwrap();
        shop.begin().unwrap();
        append(&mut shop, "", json!({"id": 2, "sum": 1, "last": "shop"}), 1);
        append(&mut shop, "", json!({"id": 1, "sum": 5, "last": "latest"}), 3);
        shop.commit().unwrap();
        web.begin().unwrap();
        append(&mut web, "", json!({"id": 1, "sum": 7, "last": "web"}), 2);
        web.commit().unwrap();
        let request = ReadRequest {
            data: root.path(),
            collection: &orders,
            partitions: None,
            reduce: true,
            memory_bytes: 1 << 20,
        };
        let mut seen = Vec::new();
        read(&request, &mut |document| {
            seen.push(document.to_value());
            ControlFlow::Continue(())
        })
        .unwrap();
        let expected = [
            stamped(json!({"id": 1, "sum": 12, "last": "latest"}), 3).0,
            stamped(json!({"id": 2, "sum": 1, "last": "shop"}), 1).0,
        ];
        assert_eq!(seen, expected);
    }
    #[test]
    fn what_does_not_fit_into_memory_is_reduced_as_well() {
        let root = tempfile::tempdir().unwrap();
        let mut orders = collection("acme/orders", &[]);
        orders.write_schema = json!({
            "type": "object",
            "properties": {
                "id": {"type": "integer"},
                "sum": {"type": "integer", "reduce": {"strategy": "sum"}},
                "gone": {"type": "boolean"},
            },
            "required": ["id"],
            "if": {"properties": {"gone": {"const": true}}, "required": ["gone"]},
            "then": {"reduce": {"strategy": "merge", "delete": true}},
            "else": {"reduce": {"strategy": "merge"}},
        });
        let mut shop = open(root.path()).open_shard(&shard_name("acme/shop")).unwrap();
        shop.begin().unwrap();
        for n in 0..2_000_u64 {
            let id = n % 500;
            append(&mut shop, "", json!({"id": id, "sum": n, "text": "x".repeat(200)}), n);
        }
        append(&mut shop, "", json!({"id": 7, "gone": true}), 2_000);
        shop.commit().unwrap();
        let reduced = |memory_bytes: usize| {
            let (data, collection) = (root.path(), &orders);
            let request =
                ReadRequest { data, collection, partitions: None, reduce: true, memory_bytes };
            let mut seen = Vec::new();
            read(&request, &mut |document| {
                seen.push(document.to_value());
                ControlFlow::Continue(())
            })
            .unwrap();
            seen
        };
        let (spilled, held) = (reduced(16 << 10), reduced(64 << 20));
        assert_eq!(spilled.len(), 499);
        assert_eq!(spilled, held);
        let last = stamped(json!({"id": 0, "sum": 3_000, "text": "x".repeat(200)}), 1_500).0;
        assert_eq!(spilled[0], last);
    }
}
