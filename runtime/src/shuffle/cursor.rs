//! One journal as one read sees it: fetching bytes, decoding one document ahead.

use std::collections::VecDeque;
use std::io::BufRead as _;
use std::path::Path;

use serde_json::Value;
use tidegate_stdlib::bundle::{Failure, FailureKind};

use super::Surroundings;
use super::selection::Selection;
use crate::engine::hub::{JournalView, View};
use crate::limits::BATCH_BYTES;
use crate::stamp;
use crate::store::{Batch, JournalName, JournalPosition, JournalReader};
use crate::uuid::{self, Clock};

/// Whether a document has been validated under the catalog that runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// By its writer, in this process.
    WrittenHere,
    /// Perhaps under an earlier catalog.
    Recorded,
}

/// A decoded document.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The document with its UUID.
    pub(super) document: Value,
    /// When it was published.
    pub(super) clock: Clock,
    /// Offset in the journal after it.
    pub(super) end: u64,
    /// Bytes of its text.
    pub(super) length: usize,
    /// Whether it has been validated.
    pub(super) trust: Trust,
}

/// The state of one journal in one read.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Index of the read.
    pub(super) read: usize,
    /// The journal.
    pub(super) journal: JournalName,
    /// The next document, decoded.
    pub(super) head: Option<Decoded>,
    /// Behind the last document that was handed out or skipped.
    pub(super) consumed: Option<JournalPosition>,
    /// Whether `consumed` has changed since it was recorded.
    pub(super) has_moved: bool,
    /// Index of the journal in the view of its collection.
    place: usize,
    /// Where the next fetch begins.
    next: Option<JournalPosition>,
    fetched: VecDeque<(Batch, Trust)>,
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
            head: None,
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

    /// Takes the decoded document; its position counts as read.
    pub(super) fn take(&mut self) -> Option<Decoded> {
        let decoded = self.head.take()?;
        self.consume(decoded.end);
        Some(decoded)
    }

    /// Decodes the next document within the bounds of the read, as far as the view reaches. Gives the number of
    /// documents skipped.
    pub(super) fn advance(
        &mut self,
        around: &Surroundings<'_>,
        view: &View,
        selection: &Selection,
    ) -> Result<u64, Failure> {
        let mut skipped = 0;
        loop {
            while let Some(decoded) = self.decode()? {
                if selection.has_time(decoded.clock) {
                    self.head = Some(decoded);
                    return Ok(skipped);
                }
                self.consume(decoded.end);
                skipped += 1;
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
                self.fetched.extend(recent.into_iter().map(|batch| (batch, Trust::WrittenHere)));
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
        self.fetched.push_back((batch, Trust::Recorded));
        Ok(true)
    }

    fn decode(&mut self) -> Result<Option<Decoded>, Failure> {
        while let Some((batch, trust)) = self.fetched.front() {
            let rest = batch.bytes.get(self.decoded_bytes..).unwrap_or_default();
            if rest.is_empty() {
                self.fetched.pop_front();
                self.decoded_bytes = 0;
                continue;
            }
            let line = first_line(rest);
            let length = line.len();
            let end = batch.begin.offset + (self.decoded_bytes + length + 1) as u64;
            let document: Value =
                serde_json::from_slice(line).map_err(|error| self.damaged(&error.to_string()))?;
            let stamp = stamp::text(&document).and_then(uuid::parse);
            let Some((_, clock, _)) = stamp else { return Err(self.damaged("it has no UUID")) };
            let decoded = Decoded { document, clock, end, length: length + 1, trust: *trust };
            self.decoded_bytes += length + 1;
            return Ok(Some(decoded));
        }
        Ok(None)
    }

    fn damaged(&self, what: &str) -> Failure {
        let message = format!("journal `{}` holds something that is no document", self.journal.0);
        Failure::new(FailureKind::Damaged, message).note(what.to_owned())
    }
}

/// The bytes before the first line feed. The standard library searches word by word behind this method only.
fn first_line(bytes: &[u8]) -> &[u8] {
    let mut after = bytes;
    let taken = after.skip_until(b'\n').expect("reading a slice does not fail");
    let line = bytes.get(..taken).unwrap_or_default();
    line.strip_suffix(b"\n").unwrap_or(line)
}
