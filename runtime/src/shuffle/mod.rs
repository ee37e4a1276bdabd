//! Reading several journals in one repeatable order.
//!
//! Higher priorities first; within a priority by adjusted clock (publication plus read delay), then by journal name and
//! offset. A document is handed out only when it lies below the floor of every writer of the sources of its priority,
//! so that nothing published later belongs before it: the order of a live run is the order of a replay.

mod chunk;
mod cursor;
mod key;
mod renamed;
mod selection;

use std::cmp::{Ordering, Reverse};
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;

use tidegate_stdlib::bundle::{Collection, Failure, FailureKind, Source};
use tidegate_stdlib::document::Document;

use crate::combine::Contract;
use crate::engine::hub::{Hub, Pause, Rest, TaskIndex, View};
use crate::limits::{BATCH_BYTES, BATCH_DOCUMENTS};
use crate::store::{CheckpointEntry, JournalName, JournalPosition};
use crate::task::{Counted, Input, Then};
use crate::uuid::Clock;
use crate::violation::SchemaSide;
use chunk::Decoder;
use cursor::Cursor;

pub(crate) use chunk::{ReadBatch, ReadDocument, first_line};
pub(crate) use key::ShuffleKey;
pub use renamed::RenamedRead;
pub(crate) use renamed::name_of;
pub(crate) use selection::{Selection, parse_time};

/// One read of a task: a transform, or a binding of a materialization.
#[derive(Debug, Clone)]
pub(crate) struct ReadSpec<'b> {
    /// Its identity in checkpoints.
    pub(crate) suffix: String,
    /// Its name in messages.
    pub(crate) label: String,
    /// The collection.
    pub(crate) collection: &'b Collection,
    /// Which part of it.
    pub(crate) source: &'b Source,
    /// How long documents are held back.
    pub(crate) read_delay_ms: u64,
    /// Higher first.
    pub(crate) priority: i32,
}

/// What a shuffle needs besides its reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'r> {
    /// Heads and floors.
    pub(crate) hub: &'r Hub,
    /// Whose reads they are.
    pub(crate) task: TaskIndex,
    /// The name of that task.
    pub(crate) task_name: &'r str,
    /// The data directory.
    pub(crate) root: &'r Path,
}

/// The reads of one task.
#[derive(Debug)]
pub(crate) struct Shuffle<'r> {
    around: Surroundings<'r>,
    renamed: Vec<RenamedRead>,
    reads: Vec<Read<'r>>,
    views: Vec<View>,
    groups: Vec<Group>,
    cursors: Vec<Cursor>,
    decoder: Decoder,
    /// Recorded positions that no cursor has taken over.
    recorded: BTreeMap<(String, JournalName), JournalPosition>,
    now: Clock,
    /// Documents outside the bounds of their read since the last batch.
    skipped: u64,
}

#[derive(Debug)]
struct Read<'r> {
    spec: ReadSpec<'r>,
    selection: Selection,
    contract: Contract<'r>,
    view: usize,
    group: usize,
    /// How many journals of the view have been looked at.
    journals_known: usize,
}

/// The reads of one priority.
#[derive(Debug)]
struct Group {
    priority: i32,
    /// Adjusted clocks below this are final.
    frontier: Clock,
    heads: BinaryHeap<Reverse<Head>>,
}

/// The first document of a cursor that has not been handed out.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    adjusted: Clock,
    journal: JournalName,
    offset: u64,
    cursor: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.adjusted, &self.journal, self.offset, self.cursor).cmp(&(
            other.adjusted,
            &other.journal,
            other.offset,
            other.cursor,
        ))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'r> Shuffle<'r> {
    /// Opens the reads at a checkpoint and verifies that it belongs to the data at hand.
    ///
    /// # Errors
    /// `checkpoint-of-other-data`; what a journal or a schema of the bundle refuses.
    pub(crate) fn open(
        around: Surroundings<'r>,
        specs: Vec<ReadSpec<'r>>,
        checkpoint: Vec<CheckpointEntry>,
    ) -> Result<Self, Failure> {
        let renamed = RenamedRead::find(&specs, &checkpoint);
        let recorded = checkpoint
            .into_iter()
            .map(|entry| ((entry.suffix, entry.journal), entry.position))
            .collect();
        let mut shuffle = Self {
            around,
            renamed,
            reads: Vec::new(),
            views: Vec::new(),
            groups: Vec::new(),
            cursors: Vec::new(),
            decoder: Decoder::default(),
            recorded,
            now: Clock::default(),
            skipped: 0,
        };
        for spec in specs {
            shuffle.add_read(spec)?;
        }
        shuffle.groups.sort_by_key(|group| Reverse(group.priority));
        for read in &mut shuffle.reads {
            let is_of = |group: &Group| group.priority == read.spec.priority;
            read.group = shuffle.groups.iter().position(is_of).unwrap_or_default();
        }
        shuffle.look();
        shuffle.verify()?;
        Ok(shuffle)
    }

    /// The reads that begin at the start under another name.
    pub(crate) fn renamed(&self) -> &[RenamedRead] {
        &self.renamed
    }

    /// The next documents in order. Their positions count as read from here on.
    ///
    /// # Errors
    /// `document-violates-schema` for a document that its reader's schema refuses; what a journal refuses.
    pub(crate) fn read(&mut self) -> Result<Input<ReadBatch>, Failure> {
        self.look();
        self.refill()?;
        let mut batch = ReadBatch::default();
        let mut bytes = 0;
        while batch.len() < BATCH_DOCUMENTS && bytes < BATCH_BYTES {
            let Some(length) = self.pop(&mut batch)? else { break };
            bytes += length;
        }
        if batch.is_empty() && self.skipped == 0 {
            return Ok(Input::Nothing(self.pause()));
        }
        self.skipped = 0;
        let documents = batch.len() as u64;
        Ok(Input::Batch(Counted { batch, documents, bytes, then: Then::More }))
    }

    /// The positions that have moved since the last call.
    pub(crate) fn progress(&mut self) -> Vec<CheckpointEntry> {
        let mut entries = Vec::new();
        for cursor in &mut self.cursors {
            if std::mem::take(&mut cursor.has_moved) {
                entries.extend(entry(&self.reads, cursor));
            }
        }
        entries
    }

    /// All positions, those of reads that are no longer in the catalog included, in order of suffix and journal.
    pub(crate) fn checkpoint(&self) -> Vec<CheckpointEntry> {
        let recorded = self.recorded.iter().map(|((suffix, journal), position)| CheckpointEntry {
            journal: journal.clone(),
            suffix: suffix.clone(),
            position: *position,
        });
        let moved = self.cursors.iter().filter_map(|cursor| entry(&self.reads, cursor));
        let mut entries: Vec<_> = recorded.chain(moved).collect();
        entries.sort_by(|a, b| (&a.suffix, &a.journal).cmp(&(&b.suffix, &b.journal)));
        entries
    }

    fn add_read(&mut self, spec: ReadSpec<'r>) -> Result<(), Failure> {
        let name = spec.collection.name.as_str();
        let collection = self.around.hub.collection(name).ok_or_else(|| {
            Failure::new(FailureKind::Damaged, format!("collection `{name}` is not in the bundle"))
        })?;
        let known = self.views.iter().position(|view| view.collection() == collection);
        let view = known.unwrap_or_else(|| {
            self.views.push(View::new(collection));
            self.views.len() - 1
        });
        if !self.groups.iter().any(|group| group.priority == spec.priority) {
            self.groups.push(Group {
                priority: spec.priority,
                frontier: Clock::default(),
                heads: BinaryHeap::new(),
            });
        }
        let selection = Selection::new(spec.collection, spec.source)?;
        let contract = Contract::new(spec.collection, SchemaSide::Read)?;
        self.reads.push(Read { spec, selection, contract, view, group: 0, journals_known: 0 });
        Ok(())
    }

    /// Looks at the hub: new journals get cursors, floors become frontiers.
    fn look(&mut self) {
        self.now = self.around.hub.observe(self.around.task, &mut self.views);
        for group in &mut self.groups {
            group.frontier = Clock(u64::MAX);
        }
        for (index, read) in self.reads.iter_mut().enumerate() {
            let Some(view) = self.views.get(read.view) else { continue };
            if let Some(group) = self.groups.get_mut(read.group) {
                let adjusted = view.floor.plus_ms(read.spec.read_delay_ms);
                group.frontier = group.frontier.min(adjusted);
            }
            for (place, journal) in view.journals.iter().enumerate().skip(read.journals_known) {
                if read.selection.has_journal(&journal.name) {
                    let key = (read.spec.suffix.clone(), journal.name.clone());
                    let position = self.recorded.remove(&key);
                    self.cursors.push(Cursor::new(index, place, journal.name.clone(), position));
                }
            }
            read.journals_known = view.journals.len();
        }
    }

    /// Every recorded position must lie in a journal that is here.
    fn verify(&self) -> Result<(), Failure> {
        for (suffix, journal) in self.recorded.keys() {
            let Some(read) = self.reads.iter().find(|read| &read.spec.suffix == suffix) else {
                continue;
            };
            let view = self.views.get(read.view);
            let is_here = |view: &View| view.journals.iter().any(|known| &known.name == journal);
            if !view.is_some_and(is_here) {
                return Err(of_other_data(
                    self.around.task_name,
                    &read.spec,
                    &format!("`{}` is not here", journal.0),
                ));
            }
        }
        for cursor in &self.cursors {
            let Some(read) = self.reads.get(cursor.read) else { continue };
            cursor.verify(self.around.root).map_err(|failure| {
                if failure.kind == FailureKind::CheckpointOfOtherData {
                    return of_other_data(self.around.task_name, &read.spec, &failure.message);
                }
                failure
            })?;
        }
        Ok(())
    }

    /// Gives each cursor without a document its next one, as far as the views reach.
    fn refill(&mut self) -> Result<(), Failure> {
        for index in 0..self.cursors.len() {
            let Some(cursor) = self.cursors.get(index) else { continue };
            if cursor.head().is_some() {
                continue;
            }
            let Some(group) = self.advance(index)? else { continue };
            let Some(head) = self.head(index) else { continue };
            if let Some(group) = self.groups.get_mut(group) {
                group.heads.push(Reverse(head));
            }
        }
        Ok(())
    }

    /// Decodes the next document of a cursor; gives the group of its read when there is one.
    fn advance(&mut self, index: usize) -> Result<Option<usize>, Failure> {
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(None) };
        let Some(read) = self.reads.get(cursor.read) else { return Ok(None) };
        let Some(view) = self.views.get(read.view) else { return Ok(None) };
        let decoder = &mut self.decoder;
        self.skipped += cursor.advance(&self.around, view, &read.selection, decoder)?;
        Ok(cursor.head().map(|_| read.group))
    }

    fn head(&self, index: usize) -> Option<Head> {
        let cursor = self.cursors.get(index)?;
        let read = self.reads.get(cursor.read)?;
        let (_, _, place) = cursor.head()?;
        Some(Head {
            adjusted: place.uuid.clock.plus_ms(read.spec.read_delay_ms),
            journal: cursor.journal.clone(),
            offset: place.end,
            cursor: index,
        })
    }

    /// Adds the next document that is final and due to a batch; gives its length in bytes.
    fn pop(&mut self, batch: &mut ReadBatch) -> Result<Option<usize>, Failure> {
        let now = self.now;
        let ready = self.groups.iter().position(|group| {
            let head = group.heads.peek();
            head.is_some_and(|Reverse(head)| head.adjusted < group.frontier.min(now))
        });
        let Some(group) = ready else { return Ok(None) };
        let top = self.groups.get(group).and_then(|group| group.heads.peek());
        let Some(index) = top.map(|Reverse(head)| head.cursor) else { return Ok(None) };
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(None) };
        let Some(read) = self.reads.get(cursor.read) else { return Ok(None) };
        let Some((chunk, at, place)) = cursor.head() else { return Ok(None) };
        let length = place.length;
        batch.push(cursor.read, chunk, at, validate(read, cursor)?);
        cursor.pass();
        self.advance(index)?;
        self.replace_top(group, index);
        Ok(Some(length))
    }

    /// The cursor on top of a group has its next document, or none.
    fn replace_top(&mut self, group: usize, index: usize) {
        let next = self.cursors.get(index).and_then(|cursor| {
            let read = self.reads.get(cursor.read)?;
            let (_, _, place) = cursor.head()?;
            Some((place.uuid.clock.plus_ms(read.spec.read_delay_ms), place.end))
        });
        let Some(mut top) = self.groups.get_mut(group).and_then(|group| group.heads.peek_mut())
        else {
            return;
        };
        match next {
            Some((adjusted, offset)) => {
                top.0.adjusted = adjusted;
                top.0.offset = offset;
            }
            None => {
                PeekMut::pop(top);
            }
        }
    }

    /// Nothing is ready: the time at which the first held document is due, if one is.
    fn pause(&self) -> Pause {
        let heads = self.groups.iter().filter_map(|group| group.heads.peek());
        let held = heads.filter(|Reverse(head)| head.adjusted >= self.now);
        let wake = held.map(|Reverse(head)| Clock(head.adjusted.0.saturating_add(1))).min();
        Pause { rest: Rest::Idle, wake }
    }
}

/// Validates the next document of a cursor, unless its writer has done so, against the same schema. Gives the document
/// when it has to take another form.
fn validate(read: &Read<'_>, cursor: &Cursor) -> Result<Option<Document>, Failure> {
    if cursor.schema() == Some(read.contract.digest) {
        return Ok(None);
    }
    let Some((chunk, at, place)) = cursor.head() else { return Ok(None) };
    read.contract.check(chunk.document(at), place.emptied).map_err(|failure| {
        let label = &read.spec.label;
        failure.note(format!("it was read by {label}"))
    })
}

fn entry(reads: &[Read<'_>], cursor: &Cursor) -> Option<CheckpointEntry> {
    let suffix = reads.get(cursor.read)?.spec.suffix.clone();
    Some(CheckpointEntry { journal: cursor.journal.clone(), suffix, position: cursor.consumed? })
}

fn of_other_data(task: &str, spec: &ReadSpec<'_>, what: &str) -> Failure {
    let message = "the checkpoint of this task belongs to other data".to_owned();
    Failure::new(FailureKind::CheckpointOfOtherData, message)
        .collection(&spec.collection.name)
        .note(format!(
            "it has read `{}` further than this data directory goes: {what}",
            spec.collection.name
        ))
        .help(format!(
            "run with `--restart {task}` to empty its tables and read from the beginning"
        ))
}
