//! The one transaction loop and its states.
//!
//! `Idle → Reading → Flushing → Committing → Acknowledging → Idle`. A transaction closes when no more input is ready,
//! or when one of its bounds is reached; a failure anywhere abandons it as a whole. The loop guarantees that readers are
//! woken only after the commit is durable, and that a stop lets the open transaction finish.
//!
//! Under load, a task that nobody reads from does not close its transaction whenever its input pauses, as long as somebody
//! writes more of it: it would otherwise store the same keys again and again.

use std::time::{Duration, Instant};

use tidegate_stdlib::bundle::{Failure, Fragments};

use crate::engine::hub::{Hub, Pause, Rest, TaskIndex};
use crate::engine::stamps::Stamps;
use crate::engine::{Observer, TaskReport};
use crate::store::failpoint;
use crate::store::{CommittedAppend, Keep, Shard};
use crate::task::{Counted, Input, Task, Then};
use crate::uuid::Producer;

/// A transaction that has read for so long is under load.
const LOAD: Duration = Duration::from_millis(50);
/// How long it then stays open for what comes.
const OPEN_UNDER_LOAD: Duration = Duration::from_secs(1);

/// Where a task stands in its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No transaction is open.
    Idle,
    /// Input is read and applied.
    Reading,
    /// Results are stamped, appended and stored.
    Flushing,
    /// The commit is under way.
    Committing,
    /// The commit is durable, and others learn of it.
    Acknowledging,
    /// The task is done.
    Ended,
}

/// Bounds of the input of one transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InputMax {
    /// Bytes that it was read from.
    pub(crate) bytes: usize,
    /// Documents in it.
    pub(crate) documents: u64,
}

/// What the loop of one task needs besides the task and its shard.
#[derive(Debug)]
pub(crate) struct Circumstances<'r> {
    /// What it shares with the other tasks.
    pub(crate) hub: &'r Hub,
    /// Its index there.
    pub(crate) index: TaskIndex,
    /// Who its documents are from.
    pub(crate) producer: Producer,
    /// Greatest duration of a transaction.
    pub(crate) duration_max: Duration,
    /// Greatest input of a transaction.
    pub(crate) input_max: InputMax,
    /// Memory that a transaction may hold before it closes.
    pub(crate) held_bytes_max: usize,
    /// How the journals of the task are cut.
    pub(crate) fragments: Fragments,
}

/// Drives a task that has been opened until it is drained, the run stops, or it fails. The report counts along.
///
/// # Errors
/// What stopped the task; its open transaction was abandoned.
pub(crate) fn run<T: Task>(
    task: &mut T,
    shard: &mut Shard,
    around: &Circumstances<'_>,
    observer: &dyn Observer,
    report: &mut TaskReport,
) -> Result<(), Failure> {
    shard.keep(match around.hub.has_readers(around.index) {
        true => Keep::Bytes,
        false => Keep::Nothing,
    });
    let cutter = Cutter::new(&around.fragments);
    let gathers = !around.hub.has_readers(around.index) && !around.hub.clock().is_simulated();
    let open = Open::default();
    let mut transactions =
        Transactions { task, shard, around, observer, report, open, gathers, cutter };
    let mut state = State::Idle;
    while state != State::Ended {
        state = match transactions.step(state) {
            Ok(next) => next,
            Err(failure) => {
                transactions.abandon();
                return Err(failure);
            }
        };
    }
    transactions.cut_everything()
}

struct Transactions<'t, 'r, T> {
    task: &'t mut T,
    shard: &'t mut Shard,
    around: &'t Circumstances<'r>,
    observer: &'t dyn Observer,
    report: &'t mut TaskReport,
    open: Open,
    /// Whether transactions may stay open although no input is ready.
    gathers: bool,
    cutter: Cutter,
}

/// The open transaction so far.
#[derive(Debug, Default)]
struct Open {
    since: Option<Instant>,
    documents_in: u64,
    documents_out: u64,
    bytes_in: usize,
    appends: Vec<CommittedAppend>,
    then: Option<Then>,
}

impl<T: Task> Transactions<'_, '_, T> {
    fn step(&mut self, state: State) -> Result<State, Failure> {
        match state {
            State::Idle => self.idle(),
            State::Reading => self.reading(),
            State::Flushing => self.flushing(),
            State::Committing => self.committing(),
            State::Acknowledging => self.acknowledging(),
            State::Ended => Ok(State::Ended),
        }
    }

    fn idle(&mut self) -> Result<State, Failure> {
        if self.around.hub.is_stopped() {
            return Ok(State::Ended);
        }
        match self.task.read(self.shard)? {
            Input::Batch(input) => {
                self.shard.begin()?;
                self.open.since = Some(Instant::now());
                self.apply(input)
            }
            Input::Nothing(pause) => {
                self.cutter.cut(self.shard)?;
                let pause = self.cutter.remind(pause, self.around.hub);
                self.around.hub.wait(self.around.index, pause);
                Ok(State::Idle)
            }
            Input::Drained => Ok(State::Ended),
        }
    }

    fn reading(&mut self) -> Result<State, Failure> {
        if self.is_full() || self.around.hub.is_stopped() {
            return Ok(State::Flushing);
        }
        match self.task.read(self.shard)? {
            Input::Batch(input) => self.apply(input),
            Input::Nothing(_) => match self.patience() {
                Some(left) => {
                    let hub = self.around.hub;
                    let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
                    let wake = Some(hub.clock().now().plus_ms(left_ms));
                    hub.wait(self.around.index, Pause { rest: Rest::Open, wake });
                    Ok(State::Reading)
                }
                None => Ok(State::Flushing),
            },
            Input::Drained => Ok(State::Flushing),
        }
    }

    /// How much longer the open transaction waits for more input, if it does.
    fn patience(&self) -> Option<Duration> {
        let lasts = self.open.since.map_or(Duration::ZERO, |since| since.elapsed());
        if !self.gathers || lasts < LOAD {
            return None;
        }
        let left = OPEN_UNDER_LOAD.min(self.around.duration_max).checked_sub(lasts)?;
        let is_fed = self.around.hub.is_fed(self.around.index);
        (left >= Duration::from_millis(1) && is_fed).then_some(left)
    }

    fn apply(&mut self, input: Counted<T::Batch>) -> Result<State, Failure> {
        self.open.documents_in += input.documents;
        self.open.bytes_in += input.bytes;
        self.open.then = Some(input.then);
        self.task.apply(self.shard, input.batch)?;
        Ok(State::Reading)
    }

    fn is_full(&self) -> bool {
        let lasts = self.open.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.open.then == Some(Then::Close)
            || self.open.bytes_in >= self.around.input_max.bytes
            || self.open.documents_in >= self.around.input_max.documents
            || self.task.held_bytes() >= self.around.held_bytes_max
            || lasts >= self.around.duration_max
    }

    fn flushing(&mut self) -> Result<State, Failure> {
        let mut stamps = Stamps::new(self.around.hub, self.around.index, self.around.producer);
        self.open.documents_out = self.task.flush(self.shard, &mut stamps)?;
        Ok(State::Committing)
    }

    fn committing(&mut self) -> Result<State, Failure> {
        self.shard.count("documents_in", self.open.documents_in)?;
        self.shard.count("documents_out", self.open.documents_out)?;
        failpoint::reached("before-commit");
        self.open.appends = self.task.commit(self.shard)?;
        failpoint::reached("after-commit");
        Ok(State::Acknowledging)
    }

    fn acknowledging(&mut self) -> Result<State, Failure> {
        let open = std::mem::take(&mut self.open);
        let length = |append: &CommittedAppend| append.end.offset - append.begin.offset;
        let bytes: u64 = open.appends.iter().map(length).sum();
        self.around.hub.publish(self.around.index, open.appends);
        failpoint::reached("after-wake");
        self.report.documents_in += open.documents_in;
        self.report.documents_out += open.documents_out;
        self.report.bytes_out += bytes;
        self.report.transactions += 1;
        self.observer.committed(self.report);
        self.cutter.appended(bytes);
        self.cutter.cut(self.shard)?;
        Ok(State::Idle)
    }

    fn abandon(&mut self) {
        self.task.abandon();
        self.shard.rollback();
        self.around.hub.abandon(self.around.index);
    }

    fn cut_everything(&mut self) -> Result<(), Failure> {
        self.shard.cut_fragments(&self.around.fragments, true)
    }
}

/// Decides when to look for tails that are due, so that no transaction pays for it.
#[derive(Debug)]
struct Cutter {
    fragments: Fragments,
    /// Bytes appended since the last look.
    bytes: u64,
    /// When the first of them came.
    since: Option<Instant>,
}

impl Cutter {
    fn new(fragments: &Fragments) -> Self {
        Self { fragments: fragments.clone(), bytes: 0, since: Some(Instant::now()) }
    }

    fn appended(&mut self, bytes: u64) {
        if bytes > 0 {
            self.bytes += bytes;
            self.since.get_or_insert_with(Instant::now);
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(self.fragments.flush_interval_ms.max(1))
    }

    fn cut(&mut self, shard: &mut Shard) -> Result<(), Failure> {
        let Some(since) = self.since else { return Ok(()) };
        if self.bytes < self.fragments.length_bytes && since.elapsed() < self.interval() {
            return Ok(());
        }
        self.bytes = 0;
        self.since = None;
        shard.cut_fragments(&self.fragments, false)
    }

    /// The same pause, ended early enough for a tail that will be due. A simulated clock must not jump for it.
    fn remind(&self, pause: Pause, hub: &Hub) -> Pause {
        let Some(since) = self.since else { return pause };
        if hub.clock().is_simulated() {
            return pause;
        }
        let left = self.interval().saturating_sub(since.elapsed());
        let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        let due = hub.clock().now().plus_ms(left_ms);
        Pause { wake: Some(pause.wake.map_or(due, |wake| wake.min(due))), ..pause }
    }
}
