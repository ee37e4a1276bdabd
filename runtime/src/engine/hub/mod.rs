//! What the tasks of one run share: heads and recent bytes of journals, floors of writers, waiting, stopping.
//!
//! The hub is locked once a batch, never once a document. It guarantees three things. A commit is visible as a
//! whole. What [`Hub::observe`] gives as the floor of a collection lies above every document of its visible
//! journals' final order: no writer will later publish a document with a smaller stamp. And a run is found idle
//! only when no task works and none has anything left to look at.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_stdlib::bundle::Failure;

use crate::clock::ProcessClock;
use crate::limits::BATCH_BYTES;
use crate::store::{Batch, CommittedAppend, JournalName, JournalPosition, list_journals};
use crate::uuid::Clock;

/// Index of a task in the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskIndex(pub(crate) usize);

/// Index of a collection in the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CollectionIndex(pub(crate) usize);

/// What a task reads and writes.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    /// Names of the collections that it reads.
    pub(crate) reads: Vec<String>,
    /// Names of the collections that it writes.
    pub(crate) writes: Vec<String>,
}

/// When a run ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// When every task has ended.
    Interrupted,
    /// Also when no task has anything left to do.
    Idle,
}

/// Why a task has nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Whether the run may end meanwhile.
    pub(crate) rest: Rest,
    /// When the task wants to look again, although nothing was published.
    pub(crate) wake: Option<Clock>,
}

/// Whether a run may end while a task waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Everything that the task was given is done.
    Idle,
    /// There will be more: a source with a rate.
    Due,
    /// A transaction is open that more may still come into, as long as somebody writes what the task reads.
    Open,
}

/// What a reader knows of one of its collections.
#[derive(Debug)]
pub(crate) struct View {
    collection: CollectionIndex,
    version: Option<u64>,
    /// Its journals, in the order in which they became known; the list only grows.
    pub(crate) journals: Vec<JournalView>,
    /// No document that is published later has a smaller stamp.
    pub(crate) floor: Clock,
}

/// What a reader knows of a journal.
#[derive(Debug, Clone)]
pub(crate) struct JournalView {
    /// Its name.
    pub(crate) name: JournalName,
    /// Its end, when this process has appended to it.
    pub(crate) head: Option<JournalPosition>,
}

impl View {
    /// A view of a collection that has seen nothing yet.
    pub(crate) fn new(collection: CollectionIndex) -> Self {
        Self { collection, version: None, journals: Vec::new(), floor: Clock::default() }
    }

    /// Its collection.
    pub(crate) fn collection(&self) -> CollectionIndex {
        self.collection
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Hub {
    clock: ProcessClock,
    ending: Ending,
    cache_bytes_max: usize,
    collections: BTreeMap<String, CollectionIndex>,
    shared: Mutex<Shared>,
    wakers: Vec<Condvar>,
    main: Condvar,
}

#[derive(Debug)]
struct Shared {
    channels: Vec<Channel>,
    places: BTreeMap<JournalName, (CollectionIndex, usize)>,
    tasks: Vec<Seat>,
    /// Journals in the order in which their cached appends came, the oldest first.
    cached: VecDeque<(CollectionIndex, usize)>,
    cached_bytes: usize,
    stopped: bool,
}

/// One collection: its journals, and who is concerned.
#[derive(Debug, Default)]
struct Channel {
    name: String,
    version: u64,
    journals: Vec<Tail>,
    readers: Vec<TaskIndex>,
    writers: Vec<TaskIndex>,
}

#[derive(Debug)]
struct Tail {
    name: JournalName,
    head: Option<JournalPosition>,
    recent: VecDeque<CommittedAppend>,
}

/// The state of one task.
#[derive(Debug)]
struct Seat {
    writes: Vec<CollectionIndex>,
    floor: Option<Clock>,
    /// Something it reads has changed since it looked.
    attention: bool,
    activity: Activity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    Working,
    Waiting(Pause),
    Ended,
}

impl Hub {
    /// A hub for tasks of the given wiring over the journals found in the data directory `root`.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn new(
        root: &Path,
        tasks: &[Wiring],
        clock: ProcessClock,
        ending: Ending,
        cache_bytes_max: usize,
    ) -> Result<Self, Failure> {
        let mut collections = BTreeMap::new();
        for name in tasks.iter().flat_map(|task| task.reads.iter().chain(&task.writes)) {
            let next = CollectionIndex(collections.len());
            collections.entry(name.clone()).or_insert(next);
        }
        let mut shared = Shared {
            channels: Vec::new(),
            places: BTreeMap::new(),
            tasks: Vec::new(),
            cached: VecDeque::new(),
            cached_bytes: 0,
            stopped: false,
        };
        shared.channels.resize_with(collections.len(), Channel::default);
        for (name, collection) in &collections {
            shared.channel(*collection).name.clone_from(name);
            for journal in list_journals(root, name)? {
                shared.add_journal(*collection, journal);
            }
        }
        for (index, task) in tasks.iter().enumerate() {
            let of = |names: &[String]| -> Vec<CollectionIndex> {
                names.iter().filter_map(|name| collections.get(name).copied()).collect()
            };
            for collection in of(&task.reads) {
                shared.channel(collection).readers.push(TaskIndex(index));
            }
            for collection in of(&task.writes) {
                shared.channel(collection).writers.push(TaskIndex(index));
            }
            shared.tasks.push(Seat {
                writes: of(&task.writes),
                floor: None,
                attention: !task.reads.is_empty(),
                activity: Activity::Working,
            });
        }
        let wakers = tasks.iter().map(|_| Condvar::new()).collect();
        let shared = Mutex::new(shared);
        Ok(Self {
            clock,
            ending,
            cache_bytes_max,
            collections,
            shared,
            wakers,
            main: Condvar::new(),
        })
    }

    /// The clock that stamps documents.
    pub(crate) fn clock(&self) -> &ProcessClock {
        &self.clock
    }

    /// The index of a collection that some task reads or writes.
    pub(crate) fn collection(&self, name: &str) -> Option<CollectionIndex> {
        self.collections.get(name).copied()
    }

    /// Brings the views of a task's sources up to date and gives the present time; what is published from here on
    /// calls for the task's attention.
    pub(crate) fn observe(&self, task: TaskIndex, views: &mut [View]) -> Clock {
        let mut shared = self.lock();
        shared.seat(task).attention = false;
        let now = self.clock.now();
        for view in views {
            view.floor = shared.floor(view.collection).map_or(now, |floor| floor.min(now));
            let channel = shared.channel(view.collection);
            if view.version == Some(channel.version) {
                continue;
            }
            view.version = Some(channel.version);
            for (seen, tail) in view.journals.iter_mut().zip(&channel.journals) {
                seen.head = tail.head;
            }
            for tail in channel.journals.iter().skip(view.journals.len()) {
                view.journals.push(JournalView { name: tail.name.clone(), head: tail.head });
            }
        }
        now
    }

    /// Recent bytes of a journal from `from` on, when they are still in memory. `journal` counts as in [`View`].
    pub(crate) fn recent(
        &self,
        collection: CollectionIndex,
        journal: usize,
        from: JournalPosition,
    ) -> Vec<Batch> {
        let mut shared = self.lock();
        let Some(tail) = shared.channel(collection).journals.get(journal) else {
            return Vec::new();
        };
        let first = tail.recent.partition_point(|append| append.begin.offset < from.offset);
        let mut next = from;
        let mut batches = Vec::new();
        let mut bytes = 0;
        for append in tail.recent.iter().skip(first) {
            if append.begin != next || bytes >= BATCH_BYTES {
                break;
            }
            let Some(kept) = &append.bytes else { break };
            bytes += kept.len();
            let (end, bytes, schema) = (append.end, Arc::clone(kept), append.schema);
            batches.push(Batch { begin: next, end, bytes, schema });
            next = append.end;
        }
        batches
    }

    /// Whether any task of this run reads what a task writes.
    pub(crate) fn has_readers(&self, task: TaskIndex) -> bool {
        let mut shared = self.lock();
        let writes = shared.seat(task).writes.clone();
        writes.into_iter().any(|collection| !shared.channel(collection).readers.is_empty())
    }

    /// Whether another task is at work that writes what a task reads.
    pub(crate) fn is_fed(&self, task: TaskIndex) -> bool {
        self.lock().is_fed(task)
    }

    /// Draws the first stamp of a transaction that is about to be published; it is the floor of the task until
    /// [`Hub::publish`] or [`Hub::abandon`].
    pub(crate) fn begin_flush(&self, task: TaskIndex) -> Clock {
        let mut shared = self.lock();
        let stamp = self.clock.first_stamp();
        shared.seat(task).floor = Some(stamp);
        stamp
    }

    /// Makes a committed transaction visible to readers and lifts the floor of its task.
    pub(crate) fn publish(&self, task: TaskIndex, appends: Vec<CommittedAppend>) {
        let mut shared = self.lock();
        for append in appends {
            shared.append(task, append);
        }
        shared.evict(self.cache_bytes_max);
        shared.seat(task).floor = None;
        for reader in shared.call_readers(task) {
            self.wake(reader);
        }
    }

    /// Lifts the floor of a task whose transaction will not be published.
    pub(crate) fn abandon(&self, task: TaskIndex) {
        self.publish(task, Vec::new());
    }

    /// Waits until something that the task reads has changed, the time has come, or the run stops; with an open
    /// transaction also no longer than somebody writes what the task reads.
    pub(crate) fn wait(&self, task: TaskIndex, pause: Pause) {
        let mut shared = self.lock();
        if pause.rest == Rest::Open && !shared.is_fed(task) {
            return;
        }
        shared.seat(task).activity = Activity::Waiting(pause);
        for reader in shared.call_open_readers(task) {
            self.wake(reader);
        }
        self.settle(&mut shared);
        while !shared.stopped && !shared.seat(task).attention {
            let Some(waker) = self.wakers.get(task.0) else { break };
            let Some(duration) = pause.wake.and_then(|wake| self.clock.until(wake)) else {
                shared = waker.wait(shared).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (guard, timeout) =
                waker.wait_timeout(shared, duration).unwrap_or_else(PoisonError::into_inner);
            shared = guard;
            if timeout.timed_out() {
                break;
            }
        }
        // The task looks at everything anew from here, whether or not it has sources to observe.
        shared.seat(task).attention = false;
        shared.seat(task).activity = Activity::Working;
    }

    /// Takes a task out of the run: it will publish nothing any more.
    pub(crate) fn end(&self, task: TaskIndex) {
        let mut shared = self.lock();
        shared.seat(task).floor = None;
        shared.seat(task).activity = Activity::Ended;
        for reader in shared.call_readers(task) {
            self.wake(reader);
        }
        self.settle(&mut shared);
    }

    /// Whether the run is over.
    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Ends the run; each task finishes its transaction.
    pub(crate) fn stop(&self) {
        self.stop_all(&mut self.lock());
    }

    /// Waits until the run is over or `timeout` has passed; says whether it is over.
    pub(crate) fn wait_for_end(&self, timeout: Duration) -> bool {
        let shared = self.lock();
        let (shared, _) = self
            .main
            .wait_timeout_while(shared, timeout, |shared| !shared.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        shared.stopped
    }

    /// Looks whether anything can still happen: moves a simulated clock, or ends the run.
    fn settle(&self, shared: &mut Shared) {
        if shared.tasks.iter().any(|seat| seat.attention && seat.activity != Activity::Ended) {
            return;
        }
        let mut pauses = Vec::new();
        for seat in &shared.tasks {
            match seat.activity {
                Activity::Working => return,
                Activity::Waiting(pause) => pauses.push(pause),
                Activity::Ended => {}
            }
        }
        if pauses.is_empty() {
            return self.stop_all(shared);
        }
        if self.clock.is_simulated()
            && let Some(next) = pauses.iter().filter_map(|pause| pause.wake).min()
        {
            return self.advance(shared, next);
        }
        let due = pauses.iter().any(|pause| pause.rest != Rest::Idle);
        if self.ending == Ending::Idle && !due {
            self.stop_all(shared);
        }
    }

    fn advance(&self, shared: &mut Shared, to: Clock) {
        self.clock.advance(to);
        for (index, seat) in shared.tasks.iter_mut().enumerate() {
            if let Activity::Waiting(Pause { wake: Some(wake), .. }) = seat.activity
                && wake <= to
            {
                seat.attention = true;
                self.wake(TaskIndex(index));
            }
        }
    }

    fn stop_all(&self, shared: &mut Shared) {
        shared.stopped = true;
        for waker in &self.wakers {
            waker.notify_all();
        }
        self.main.notify_all();
    }

    fn wake(&self, task: TaskIndex) {
        if let Some(waker) = self.wakers.get(task.0) {
            waker.notify_all();
        }
    }

    /// A task that panicked leaves the hub consistent, because each method changes it as a whole.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn seat(&mut self, task: TaskIndex) -> &mut Seat {
        self.tasks.get_mut(task.0).expect("a task index comes from the hub's own list")
    }

    fn channel(&mut self, collection: CollectionIndex) -> &mut Channel {
        self.channels
            .get_mut(collection.0)
            .expect("a collection index comes from the hub's own list")
    }

    fn add_journal(&mut self, collection: CollectionIndex, name: JournalName) -> usize {
        let channel = self.channel(collection);
        let index = channel.journals.len();
        channel.journals.push(Tail { name: name.clone(), head: None, recent: VecDeque::new() });
        channel.version += 1;
        self.places.insert(name, (collection, index));
        index
    }

    /// The least floor of the writers of a collection that are flushing.
    fn floor(&self, collection: CollectionIndex) -> Option<Clock> {
        let writers = &self.channels.get(collection.0)?.writers;
        writers.iter().filter_map(|writer| self.tasks.get(writer.0)?.floor).min()
    }

    fn append(&mut self, task: TaskIndex, append: CommittedAppend) {
        let place = match self.places.get(&append.journal) {
            Some(place) => *place,
            None => {
                let Some(collection) = self.collection_of(task, &append.journal) else { return };
                (collection, self.add_journal(collection, append.journal.clone()))
            }
        };
        let bytes = size_bytes(&append);
        let channel = self.channel(place.0);
        channel.version += 1;
        let Some(tail) = channel.journals.get_mut(place.1) else { return };
        tail.head = Some(append.end);
        if append.bytes.is_some() {
            tail.recent.push_back(append);
            self.cached.push_back(place);
            self.cached_bytes += bytes;
        }
    }

    /// The collection of a new journal: no collection's name is a path prefix of another's.
    fn collection_of(&self, task: TaskIndex, journal: &JournalName) -> Option<CollectionIndex> {
        let writes = &self.tasks.get(task.0)?.writes;
        let is_of = |collection: &&CollectionIndex| {
            let name = self.channels.get(collection.0).map_or("", |channel| &channel.name);
            journal.0.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
        };
        writes.iter().find(is_of).copied()
    }

    fn evict(&mut self, bytes_max: usize) {
        while self.cached_bytes > bytes_max
            && let Some((collection, journal)) = self.cached.pop_front()
        {
            let tail = self.channel(collection).journals.get_mut(journal);
            let evicted = tail.and_then(|tail| tail.recent.pop_front());
            self.cached_bytes -= evicted.map_or(0, |append| size_bytes(&append));
        }
    }

    /// Marks the readers of everything that a task writes.
    fn call_readers(&mut self, task: TaskIndex) -> Vec<TaskIndex> {
        let called = self.readers(task);
        for reader in &called {
            self.seat(*reader).attention = true;
        }
        called
    }

    /// Marks those of them whose transaction is open: from this task nothing more comes into it for now.
    fn call_open_readers(&mut self, task: TaskIndex) -> Vec<TaskIndex> {
        let mut called = self.readers(task);
        called.retain(|reader| {
            let seat = self.seat(*reader);
            let is_open =
                matches!(seat.activity, Activity::Waiting(Pause { rest: Rest::Open, .. }));
            seat.attention |= is_open;
            is_open
        });
        called
    }

    fn is_fed(&self, task: TaskIndex) -> bool {
        let sources = self.channels.iter().filter(|channel| channel.readers.contains(&task));
        sources.flat_map(|channel| &channel.writers).any(|writer| {
            let seat = self.tasks.get(writer.0);
            *writer != task && seat.is_some_and(|seat| seat.activity == Activity::Working)
        })
    }

    fn readers(&mut self, task: TaskIndex) -> Vec<TaskIndex> {
        let mut readers = Vec::new();
        for collection in self.seat(task).writes.clone() {
            readers.extend_from_slice(&self.channel(collection).readers);
        }
        readers
    }
}

fn size_bytes(append: &CommittedAppend) -> usize {
    append.bytes.as_ref().map_or(0, |bytes| bytes.len())
}

#[cfg(test)]
mod tests;
