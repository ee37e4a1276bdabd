//! A fold within a budget of memory.

use std::path::PathBuf;

use tidegate_stdlib::bundle::Failure;
use tidegate_stdlib::document::Node;
use tidegate_stdlib::reduce::{Fold, Held, Lone, Mode, Scratch};

use super::runs::{RunWriter, Runs};
use super::{Contract, hash_seed};

/// How much memory a fold may hold, and where the rest goes.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// Beyond this, what is held is written out.
    pub(crate) held_bytes_max: usize,
    /// The directory of temporary files.
    pub(crate) directory: PathBuf,
}

/// Documents folded by packed key, as [`Fold`] folds them; what does not fit into the budget waits in sorted runs on the
/// disk, which are merged when the documents leave.
///
/// The order of arrival within a key is kept, and the left-most document is held back across all runs, so that results
/// are those of a fold in memory. Only what was folded before it was written meets what came later as one, which makes a
/// difference where reductions are not associative, such as for the last digits of sums of fractions.
#[derive(Debug)]
pub(crate) struct BoundedFold {
    fold: Fold,
    budget: Budget,
    runs: Option<Runs>,
}

impl BoundedFold {
    /// An empty fold.
    pub(crate) fn new(budget: Budget) -> Self {
        // What is held leaves by `take`, which asks for neither.
        let fold = Fold::new(Mode::Associative, Lone::Kept, hash_seed());
        Self { fold, budget, runs: None }
    }

    /// Adds a document to its key.
    ///
    /// # Errors
    /// `reduction-failed`, and what the disk refuses: the transaction is to be abandoned then.
    pub(crate) fn add(
        &mut self,
        contract: &Contract<'_>,
        packed: &[u8],
        document: Node<'_>,
    ) -> Result<(), Failure> {
        let added = self.fold.add(&contract.reducer, packed, document);
        added.map_err(|failure| contract.irreducible(&failure))?;
        if self.fold.size_bytes() > self.budget.held_bytes_max {
            self.spill(contract)?;
        }
        Ok(())
    }

    /// As [`Fold::fetch`].
    pub(crate) fn fetch<'k>(&mut self, keys: impl Iterator<Item = &'k [u8]>) {
        self.fold.fetch(keys);
    }

    /// Whether no key is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.fold.is_empty() && self.runs.is_none()
    }

    /// How many bytes of memory are held.
    pub(crate) fn size_bytes(&self) -> usize {
        self.fold.size_bytes()
    }

    /// Hands out what is held of every key, in ascending order of the packed keys, and empties the fold.
    ///
    /// # Errors
    /// Those of `each`, `reduction-failed`, and what the disk refuses; what was not handed out by then is dropped.
    pub(crate) fn take(
        &mut self,
        contract: &Contract<'_>,
        each: impl FnMut(&[u8], Held) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.runs.is_some() {
            self.spill(contract)?;
        }
        match self.runs.take() {
            Some(runs) => runs.merge(contract, each),
            None => self.fold.take(each),
        }
    }

    /// Writes everything in memory out as one run.
    fn spill(&mut self, contract: &Contract<'_>) -> Result<(), Failure> {
        let directory = &self.budget.directory;
        let mut scratch = Scratch::default();
        let mut push = |run: &mut RunWriter<'_>, packed: &[u8], mut held: Held| {
            let gathered = held.gather(&contract.reducer, &mut scratch);
            gathered.map_err(|failure| contract.irreducible(&failure))?;
            run.push(packed, &held)
        };
        let mut runs = match self.runs.take() {
            None => Runs::create(directory)?,
            Some(runs) if runs.are_many() => {
                let mut merged = Runs::create(directory)?;
                merged.add(|run| runs.merge(contract, |packed, held| push(run, packed, held)))?;
                merged
            }
            Some(runs) => runs,
        };
        runs.add(|run| self.fold.take(|packed, held| push(run, packed, held)))?;
        self.runs = Some(runs);
        Ok(())
    }
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
