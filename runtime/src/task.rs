//! The five verbs of a task.
//!
//! Captures, derivations and materializations differ in these five functions and in nothing else; only
//! [`crate::transaction`] calls them, always in the order open, (read, apply)*, flush, commit.

use tidegate_stdlib::bundle::Failure;

use crate::combine::Budget;
use crate::engine::hub::Pause;
use crate::engine::stamps::Stamps;
use crate::shuffle::RenamedRead;
use crate::store::{CommittedAppend, Shard};

/// What a task does in its transactions.
pub(crate) trait Task {
    /// What one read hands to apply.
    type Batch;

    /// Opens endpoints, restores positions, compiles schemas and lambdas. Nothing is read or stored yet. `budget` is for
    /// each combiner.
    ///
    /// # Errors
    /// What keeps the task from running.
    fn open(&mut self, shard: &mut Shard, budget: &Budget) -> Result<(), Failure>;

    /// The reads that begin at the start under another name, once the task is open.
    fn renamed_reads(&self) -> &[RenamedRead] {
        &[]
    }

    /// The next input, of bounded size.
    ///
    /// # Errors
    /// Input that cannot be read, or is not what its collection's schema says.
    fn read(&mut self, shard: &Shard) -> Result<Input<Self::Batch>, Failure>;

    /// Takes input into the open transaction.
    ///
    /// # Errors
    /// A document that is refused; the transaction is abandoned then.
    fn apply(&mut self, shard: &Shard, batch: Self::Batch) -> Result<(), Failure>;

    /// An estimate of the memory that the open transaction holds.
    fn held_bytes(&self) -> usize;

    /// Closes the input of the transaction: appends or stores what came of it. Gives the number of documents.
    ///
    /// # Errors
    /// As [`Task::apply`], and what a store refuses.
    fn flush(&mut self, shard: &mut Shard, stamps: &mut Stamps<'_>) -> Result<u64, Failure>;

    /// Makes the transaction durable.
    ///
    /// # Errors
    /// What a store refuses; nothing was committed then.
    fn commit(&mut self, shard: &mut Shard) -> Result<Vec<CommittedAppend>, Failure>;

    /// Lets go of what is open at endpoints after a failure.
    fn abandon(&mut self) {}
}

/// The outcome of a read.
#[derive(Debug)]
pub(crate) enum Input<B> {
    /// Something to apply.
    Batch(Counted<B>),
    /// Nothing now.
    Nothing(Pause),
    /// Nothing any more.
    Drained,
}

/// Input with its size.
#[derive(Debug)]
pub(crate) struct Counted<B> {
    /// The input.
    pub(crate) batch: B,
    /// Documents in it.
    pub(crate) documents: u64,
    /// Bytes it was read from.
    pub(crate) bytes: usize,
    /// Whether the transaction goes on after it.
    pub(crate) then: Then,
}

/// Whether a transaction goes on after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// More may follow in the same transaction.
    More,
    /// The transaction closes here.
    Close,
}
