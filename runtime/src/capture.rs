//! From a source into collections.
//!
//! A source hands out batches with its states after them; documents and states are committed together. What a source gave
//! before it failed is committed, then the task stops.

use std::collections::BTreeMap;

use serde_json::Value;
use tidegate_stdlib::bundle::{Collection, Failure};
use tidegate_stdlib::document::Node;

use crate::combine::{Budget, Combiner, salt};
use crate::connector::{Pull, Pulled, Source};
use crate::engine::hub::{Hub, Pause, Rest};
use crate::engine::stamps::Stamps;
use crate::limits::BATCH_DOCUMENTS;
use crate::store::{CommittedAppend, Shard};
use crate::task::{Counted, Input, Task, Then};
use crate::uuid::Clock;

/// How long to wait for a source with a rate that has nothing now.
const RATE_MS: u64 = 20;
/// How long to wait for a source that waits for others.
const WATCH_MS: u64 = 500;

/// Opens a source at the states that a shard has recorded.
pub(crate) type OpenSource<'r> =
    dyn Fn(&Shard) -> Result<Box<dyn Source>, Failure> + Send + Sync + 'r;

/// What happens when a source has nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The task ends.
    Never,
    /// The source is opened anew, this long after it was opened before.
    AfterMs(u64),
}

/// A task that publishes what a source hands out.
pub(crate) struct CaptureTask<'r> {
    hub: &'r Hub,
    open_source: Box<OpenSource<'r>>,
    repeat: Repeat,
    /// Collections by binding of the source.
    bindings: Vec<&'r Collection>,
    publisher: Publisher<'r>,
    source: Option<Box<dyn Source>>,
    /// The documents of the batch before, kept for their memory.
    spare: Pulled,
    opened_at: Clock,
    /// States since the last commit, by key.
    states: BTreeMap<String, Value>,
    /// The failure of the source, to be told when its documents are committed.
    deferred: Option<Failure>,
    /// What digests of redacted values begin with, in base64.
    redact_salt: Option<&'r str>,
}

impl<'r> CaptureTask<'r> {
    /// A task of a source whose bindings publish into the given collections.
    pub(crate) fn new(
        hub: &'r Hub,
        bindings: Vec<&'r Collection>,
        repeat: Repeat,
        open_source: Box<OpenSource<'r>>,
    ) -> Self {
        Self {
            hub,
            open_source,
            repeat,
            bindings,
            publisher: Publisher::default(),
            source: None,
            spare: Pulled::default(),
            opened_at: Clock::default(),
            states: BTreeMap::new(),
            deferred: None,
            redact_salt: None,
        }
    }

    /// The same with a salt of redacted values, in base64.
    pub(crate) fn with_salt(self, redact_salt: Option<&'r str>) -> Self {
        Self { redact_salt, ..self }
    }

    fn reopen(&mut self, shard: &Shard) -> Result<(), Failure> {
        self.opened_at = self.hub.clock().now();
        self.source = Some((self.open_source)(shard)?);
        Ok(())
    }

    fn drained(&mut self) -> Input<CaptureBatch> {
        self.source = None;
        match self.repeat {
            Repeat::Never => Input::Drained,
            Repeat::AfterMs(interval_ms) => {
                let wake = Some(self.opened_at.plus_ms(interval_ms));
                Input::Nothing(Pause { rest: Rest::Idle, wake })
            }
        }
    }

    fn waiting(&self) -> Pause {
        let waits = self.source.as_ref().is_some_and(|source| source.waits_for_others());
        let (rest, wait_ms) = if waits { (Rest::Idle, WATCH_MS) } else { (Rest::Due, RATE_MS) };
        Pause { rest, wake: Some(self.hub.clock().now().plus_ms(wait_ms)) }
    }

    fn is_due(&self) -> bool {
        match self.repeat {
            Repeat::Never => false,
            Repeat::AfterMs(interval_ms) => {
                self.hub.clock().now() >= self.opened_at.plus_ms(interval_ms)
            }
        }
    }
}

/// Documents, and the states after them.
#[derive(Debug)]
pub(crate) struct CaptureBatch {
    documents: Pulled,
    states: Vec<(String, Value)>,
}

impl Task for CaptureTask<'_> {
    type Batch = CaptureBatch;

    fn open(&mut self, shard: &mut Shard, budget: &Budget) -> Result<(), Failure> {
        for collection in &self.bindings {
            let salt = salt(self.redact_salt, &shard.name().task.name)?;
            self.publisher.add_target(collection, budget, salt)?;
        }
        self.reopen(shard)
    }

    fn read(&mut self, shard: &Shard) -> Result<Input<CaptureBatch>, Failure> {
        if let Some(failure) = self.deferred.take() {
            return Err(failure);
        }
        if self.source.is_none() {
            if !self.is_due() {
                return Ok(self.drained());
            }
            self.reopen(shard)?;
        }
        let Some(source) = &mut self.source else { return Ok(Input::Drained) };
        let mut documents = std::mem::take(&mut self.spare);
        documents.clear();
        match source.pull(BATCH_DOCUMENTS, &mut documents) {
            Ok(Pull::Batch { states, bytes }) => {
                let count = documents.len() as u64;
                let batch = CaptureBatch { documents, states };
                Ok(Input::Batch(Counted { batch, documents: count, bytes, then: Then::More }))
            }
            Ok(Pull::Waiting) => Ok(Input::Nothing(self.waiting())),
            Ok(Pull::Drained) => Ok(self.drained()),
            Err(failure) => {
                self.deferred = Some(failure);
                Ok(Input::Nothing(Pause { rest: Rest::Due, wake: Some(Clock::default()) }))
            }
        }
    }

    fn apply(&mut self, _shard: &Shard, batch: CaptureBatch) -> Result<(), Failure> {
        let CaptureBatch { documents, states } = batch;
        documents
            .iter()
            .try_for_each(|(binding, document)| self.publisher.add(binding, document))?;
        self.spare = documents;
        self.states.extend(states);
        Ok(())
    }

    fn held_bytes(&self) -> usize {
        self.publisher.size_bytes()
    }

    fn flush(&mut self, shard: &mut Shard, stamps: &mut Stamps<'_>) -> Result<u64, Failure> {
        self.publisher.flush(shard, stamps)
    }

    fn commit(&mut self, shard: &mut Shard) -> Result<Vec<CommittedAppend>, Failure> {
        for (key, state) in std::mem::take(&mut self.states) {
            shard.set_state(&key, &state)?;
        }
        shard.commit()
    }
}

/// Combiners by binding; bindings of one collection share theirs.
#[derive(Debug, Default)]
pub(crate) struct Publisher<'r> {
    combiners: Vec<Combiner<'r>>,
    /// Index of the combiner of each binding.
    targets: Vec<usize>,
}

impl<'r> Publisher<'r> {
    /// Adds the next binding, whose digests of redacted values begin with a salt.
    ///
    /// # Errors
    /// As [`Combiner::new`].
    pub(crate) fn add_target(
        &mut self,
        collection: &'r Collection,
        budget: &Budget,
        salt: Vec<u8>,
    ) -> Result<(), Failure> {
        let known = self.combiners.iter().position(|other| other.is_for(collection));
        let target = match known {
            Some(target) => target,
            None => {
                self.combiners.push(Combiner::new(collection, budget.clone(), salt)?);
                self.combiners.len() - 1
            }
        };
        self.targets.push(target);
        Ok(())
    }

    /// Adds a document of a binding; those of an unknown binding are a fault of the source.
    ///
    /// # Errors
    /// As [`Combiner::add`].
    pub(crate) fn add(&mut self, binding: usize, document: Node<'_>) -> Result<(), Failure> {
        let target = self.targets.get(binding).and_then(|target| self.combiners.get_mut(*target));
        target.expect("a source names only bindings that it was opened with").add(document)
    }

    /// An estimate of the memory held.
    pub(crate) fn size_bytes(&self) -> usize {
        self.combiners.iter().map(Combiner::size_bytes).sum()
    }

    /// Appends everything; gives the number of documents.
    ///
    /// # Errors
    /// As [`Combiner::flush`].
    pub(crate) fn flush(
        &mut self,
        shard: &mut Shard,
        stamps: &mut Stamps<'_>,
    ) -> Result<u64, Failure> {
        let mut documents = 0;
        for combiner in &mut self.combiners {
            documents += combiner.flush(shard, stamps)?;
        }
        Ok(documents)
    }
}
