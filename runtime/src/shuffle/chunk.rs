//! Documents decoded together, and the batches that are made of them.

use std::ops::Range;
use std::rc::Rc;

use tidegate_stdlib::document::{Document, Documents, Node, Parser, Stamp};

use crate::limits::BATCH_DOCUMENTS;
use crate::uuid::{self, Uuid};

/// Text that is decoded at once, unless a single document is longer: what is made of it stays in the processor's cache.
const CHUNK_BYTES: usize = 128 << 10;

/// Consecutive documents of one journal, without their UUIDs.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    documents: Documents,
    places: Vec<Place>,
}

/// What there is to say of a decoded document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its UUID.
    pub(super) uuid: Uuid,
    /// Whether `/_meta` held nothing but the UUID.
    pub(super) emptied: bool,
    /// Offset in the journal after it.
    pub(super) end: u64,
    /// Bytes of its line.
    pub(super) length: usize,
}

/// Decodes chunks; keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    parser: Parser,
    stamp: Stamp,
}

impl Decoder {
    /// Decodes lines from the beginning of `text`, which lies at `offset` of its journal, until the chunk is full. Gives
    /// the bytes taken. Before a line that is no document it ends, when it has others.
    ///
    /// # Errors
    /// What is wrong with the first line.
    pub(super) fn decode(
        &mut self,
        text: &[u8],
        offset: u64,
        chunk: &mut Chunk,
    ) -> Result<usize, String> {
        let Self { parser, stamp } = self;
        chunk.documents.clear();
        chunk.places.clear();
        let mut taken = 0;
        while taken < text.len() && taken < CHUNK_BYTES && chunk.places.len() < BATCH_DOCUMENTS {
            let line = first_line(text.get(taken..).unwrap_or_default());
            let mut uuid = None;
            let added = chunk.documents.add(|builder| {
                let parsed = parser.parse_unstamped(line, builder, stamp);
                parsed.map_err(|failure| failure.message)?;
                uuid = uuid::parse(&stamp.uuid);
                if uuid.is_some() { Ok(()) } else { Err("it has no UUID".to_owned()) }
            });
            let uuid = match (added, uuid) {
                (Ok(()), Some(uuid)) => uuid,
                (Err(_), _) | (_, None) if taken > 0 => break,
                (Err(what), _) => return Err(what),
                (Ok(()), None) => return Err("it has no UUID".to_owned()),
            };
            let length = line.len() + 1;
            taken += length;
            let end = offset + taken as u64;
            chunk.places.push(Place { uuid, emptied: stamp.emptied, end, length });
        }
        Ok(taken)
    }
}

impl Chunk {
    /// What there is to say of the document at `index`.
    pub(super) fn place(&self, index: usize) -> Option<&Place> {
        self.places.get(index)
    }

    /// The document at `index`.
    pub(super) fn document(&self, index: usize) -> Node<'_> {
        self.documents.get(index).unwrap_or(Node::NULL)
    }
}

/// Documents in their turn.
#[derive(Debug, Default)]
pub(crate) struct ReadBatch {
    runs: Vec<Run>,
    len: usize,
}

/// Documents that follow each other in a batch as they do in their chunk.
#[derive(Debug)]
struct Run {
    read: usize,
    chunk: Rc<Chunk>,
    range: Range<usize>,
    /// Documents that took another form for the sake of their schema, by index.
    changed: Vec<(usize, Document)>,
}

/// A document in its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadDocument<'b> {
    /// Index of the read.
    pub(crate) read: usize,
    /// The document without its UUID.
    pub(crate) document: Node<'b>,
    /// Its UUID.
    pub(crate) uuid: Uuid,
}

impl ReadBatch {
    /// How many documents there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no document.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The documents in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ReadDocument<'_>> {
        self.runs.iter().flat_map(|run| {
            let mut changed = run.changed.iter().peekable();
            run.range.clone().filter_map(move |index| {
                let document = match changed.next_if(|(changed, _)| *changed == index) {
                    Some((_, document)) => document.root(),
                    None => run.chunk.document(index),
                };
                let uuid = run.chunk.place(index)?.uuid;
                Some(ReadDocument { read: run.read, document, uuid })
            })
        })
    }

    /// Adds the document at `index` of a chunk, or what it was changed to.
    pub(super) fn push(
        &mut self,
        read: usize,
        chunk: &Rc<Chunk>,
        index: usize,
        changed: Option<Document>,
    ) {
        self.len += 1;
        let last = self.runs.last_mut().filter(|run| {
            run.read == read && run.range.end == index && Rc::ptr_eq(&run.chunk, chunk)
        });
        let run = match last {
            Some(run) => {
                run.range.end += 1;
                run
            }
            None => {
                let (chunk, range) = (Rc::clone(chunk), index..index + 1);
                self.runs.push(Run { read, chunk, range, changed: Vec::new() });
                let Some(run) = self.runs.last_mut() else { return };
                run
            }
        };
        run.changed.extend(changed.map(|document| (index, document)));
    }
}

/// The bytes before the first line feed. The standard library searches word by word behind this method only.
pub(crate) fn first_line(bytes: &[u8]) -> &[u8] {
    use std::io::BufRead as _;
    let mut after = bytes;
    let taken = after.skip_until(b'\n').expect("reading a slice does not fail");
    let line = bytes.get(..taken).unwrap_or_default();
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;
    use crate::uuid::{Clock, OUTSIDE_TXN, Producer};

    fn uuid(clock: u64) -> Uuid {
        Uuid { producer: Producer([1; 6]), clock: Clock(clock), flags: OUTSIDE_TXN }
    }

    fn line(clock: u64) -> String {
        format!("{{\"_meta\":{{\"uuid\":\"{}\"}},\"n\":{clock}}}\n", uuid(clock))
    }

    #[test]
    fn a_chunk_ends_before_what_is_no_document() {
        let text = format!("{}{}{{}}\n{}", line(1), line(2), line(3));
        let (mut decoder, mut chunk) = (Decoder::default(), Chunk::default());
        let taken = decoder.decode(text.as_bytes(), 100, &mut chunk).unwrap();
        assert_eq!((taken, chunk.places.len()), (2 * line(1).len(), 2));
        assert_eq!(chunk.place(1).unwrap().end, 100 + taken as u64);
        let rest = text.get(taken..).unwrap().as_bytes();
        let failure = decoder.decode(rest, 0, &mut chunk).unwrap_err();
        assert_eq!(failure, "it has no UUID");
        assert!(decoder.decode(b"{\"a\":\n", 0, &mut chunk).is_err());
    }

    #[test]
    fn a_batch_has_documents_of_several_chunks_in_order() {
        let mut decoder = Decoder::default();
        let mut decode = |clocks: Range<u64>| {
            let mut chunk = Chunk::default();
            let text: String = clocks.map(line).collect();
            decoder.decode(text.as_bytes(), 0, &mut chunk).unwrap();
            Rc::new(chunk)
        };
        let (a, b) = (decode(0..3), decode(10..12));
        let mut batch = ReadBatch::default();
        batch.push(0, &a, 0, None);
        batch.push(0, &a, 1, Some(Document::from_value(&json!("changed"))));
        batch.push(1, &b, 0, None);
        batch.push(0, &a, 2, None);
        let all: Vec<_> = batch
            .iter()
            .map(|read| (read.read, read.document.to_string(), read.uuid.clock.0))
            .collect();
        let expected = [
            (0, r#"{"n":0}"#.to_owned(), 0),
            (0, r#""changed""#.to_owned(), 1),
            (1, r#"{"n":10}"#.to_owned(), 10),
            (0, r#"{"n":2}"#.to_owned(), 2),
        ];
        assert_eq!(all, expected);
        assert_eq!(batch.len(), 4);
    }
}
