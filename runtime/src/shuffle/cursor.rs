//! One journal as one read sees it: fetching bytes, decoding one chunk ahead.

use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;

use tidegate_stdlib::bundle::{Failure, FailureKind};

use super::Surroundings;
use super::chunk::{Chunk, Decoder, Place};
use super::selection::Selection;
use crate::engine::hub::{JournalView, View};
use crate::limits::BATCH_BYTES;
use crate::store::{Batch, JournalName, JournalPosition, JournalReader, SchemaDigest};

/// The state of one journal in one read.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Index of the read.
    pub(super) read: usize,
    /// The journal.
    pub(super) journal: JournalName,
    /// Decoded documents.
    chunk: Rc<Chunk>,
    /// Index of the next one among them.
    at: usize,
    /// The schema that they were validated against.
    schema: Option<SchemaDigest>,
    /// The chunk before, whose memory is used again once no batch has it any more.
    spare: Rc<Chunk>,
    /// Behind the last document that was handed out or skipped.
    pub(super) consumed: Option<JournalPosition>,
    /// Whether `consumed` has changed since it was recorded.
    pub(super) has_moved: bool,
    /// Index of the journal in the view of its collection.
    place: usize,
    /// Where the next fetch begins.
    next: Option<JournalPosition>,
    fetched: VecDeque<Batch>,
    /// Bytes of the first fetched batch that have been decoded.
    decoded_bytes: usize,
    /// Everything that was there when the run began has been read.
    has_caught_up: bool,
    reader: Option<JournalReader>,
}

impl Cursor {
    /// A cursor at a recorded position, or at the beginning.
    pub(super) fn new(
        read: usize,
        place: usize,
        journal: JournalName,
        position: Option<JournalPosition>,
    ) -> Self {
        Self {
            read,
            journal,
            chunk: Rc::default(),
            at: 0,
            schema: None,
            spare: Rc::default(),
            consumed: position,
            has_moved: false,
            place,
            next: position,
            fetched: VecDeque::new(),
            decoded_bytes: 0,
            has_caught_up: false,
            reader: None,
        }
    }

    /// Looks whether the recorded position lies in the journal.
    pub(super) fn verify(&self, root: &Path) -> Result<(), Failure> {
        if self.next.is_some() {
            JournalReader::open(root, &self.journal)?.read(self.next, 1)?;
        }
        Ok(())
    }

    /// The next document, when it has been decoded: its chunk, its index there, and what there is to say of it.
    pub(super) fn head(&self) -> Option<(&Rc<Chunk>, usize, &Place)> {
        Some((&self.chunk, self.at, self.chunk.place(self.at)?))
    }

    /// The schema that the decoded documents were validated against by their writer.
    pub(super) fn schema(&self) -> Option<SchemaDigest> {
        self.schema
    }

    /// Passes the next document over; its position counts as read.
    pub(super) fn pass(&mut self) {
        let Some(end) = self.chunk.place(self.at).map(|place| place.end) else { return };
        self.at += 1;
        self.consume(end);
    }

    /// Moves to the next document within the bounds of the read, as far as the view reaches. Gives the number of
    /// documents skipped.
    pub(super) fn advance(
        &mut self,
        around: &Surroundings<'_>,
        view: &View,
        selection: &Selection,
        decoder: &mut Decoder,
    ) -> Result<u64, Failure> {
        let mut skipped = 0;
        loop {
            while let Some(place) = self.chunk.place(self.at) {
                if selection.has_time(place.uuid.clock) {
                    return Ok(skipped);
                }
                self.pass();
                skipped += 1;
            }
            if self.decode(decoder)? {
                continue;
            }
            let Some(journal) = view.journals.get(self.place) else { return Ok(skipped) };
            if !self.is_behind(journal) || !self.fetch(around, view, journal)? {
                return Ok(skipped);
            }
        }
    }

    /// `next` lies behind every fetched byte, in the same incarnation.
    fn consume(&mut self, end: u64) {
        if let Some(next) = self.next {
            self.consumed = Some(JournalPosition { offset: end, ..next });
            self.has_moved = true;
        }
    }

    fn is_behind(&self, journal: &JournalView) -> bool {
        match (journal.head, self.next) {
            (None, _) => !self.has_caught_up,
            (Some(_), None) => true,
            (Some(head), Some(next)) => {
                next.incarnation != head.incarnation || next.offset < head.offset
            }
        }
    }

    /// Fetches what comes next, out of memory when it is there; says whether anything came.
    fn fetch(
        &mut self,
        around: &Surroundings<'_>,
        view: &View,
        journal: &JournalView,
    ) -> Result<bool, Failure> {
        let beginning = journal.head.map(|head| JournalPosition { offset: 0, ..head });
        if let Some(from) = self.next.or(beginning) {
            let recent = around.hub.recent(view.collection(), self.place, from);
            if let Some(last) = recent.last() {
                self.next = Some(last.end);
                self.reader = None;
                self.fetched.extend(recent);
                return Ok(true);
            }
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(JournalReader::open(around.root, &self.journal)?),
        };
        let batch = reader.read(self.next, BATCH_BYTES)?;
        self.next = Some(batch.end);
        if batch.bytes.is_empty() {
            self.has_caught_up = true;
            self.reader = None;
            return Ok(false);
        }
        self.fetched.push_back(batch);
        Ok(true)
    }

    /// Decodes the next chunk of what has been fetched; says whether there was anything.
    fn decode(&mut self, decoder: &mut Decoder) -> Result<bool, Failure> {
        while let Some(batch) = self.fetched.front() {
            let rest = batch.bytes.get(self.decoded_bytes..).unwrap_or_default();
            if rest.is_empty() {
                self.fetched.pop_front();
                self.decoded_bytes = 0;
                continue;
            }
            std::mem::swap(&mut self.chunk, &mut self.spare);
            self.at = 0;
            self.schema = batch.schema;
            if Rc::get_mut(&mut self.chunk).is_none() {
                self.chunk = Rc::default();
            }
            let chunk = Rc::get_mut(&mut self.chunk).expect("nobody else has it now");
            let offset = batch.begin.offset + self.decoded_bytes as u64;
            let taken = decoder.decode(rest, offset, chunk);
            self.decoded_bytes += taken.map_err(|what| self.damaged(&what))?;
            return Ok(true);
        }
        Ok(false)
    }

    fn damaged(&self, what: &str) -> Failure {
        let message = format!("journal `{}` holds something that is no document", self.journal.0);
        Failure::new(FailureKind::Damaged, message).note(what.to_owned())
    }
}
