//! One case: a simulated clock, the reads that are due, and the steps of a test.

use std::collections::BTreeMap;

use tidegate_stdlib::bundle::{
    Failure, FailureKind, Source, StepFailure, Test, TestAction, TestStep,
};
use tidegate_stdlib::document::Document;
use tidegate_stdlib::lambda::typescript::LogLine;

use super::catalog::{Combining, TestCatalog};
use super::compare::{Comparison, compare_documents};
use super::coverage::Coverage;
use super::derivation::{Journals, OpenDerivation, Written};
use crate::clock::ProcessClock;
use crate::limits::{TEST_DOCUMENTS_MAX, TEST_READS_MAX};
use crate::shuffle::Selection;
use crate::stamp;
use crate::store::{JournalName, Partitions};
use crate::uuid::{Clock, OUTSIDE_TXN, Producer, Uuid};
use crate::violation::SchemaSide;

/// Who publishes the documents of tests.
const PRODUCER: Producer = Producer::from_random([7, 0, 0, 0, 0, 1]);

/// The state of a running case.
pub(super) struct Case<'c, 'b> {
    catalog: &'c TestCatalog<'b>,
    clock: ProcessClock,
    /// Milliseconds since the clock began.
    now_ms: u64,
    journals: Journals<'b>,
    /// Reads that are due, by time and derivation: how far each transform reads.
    pending: BTreeMap<(u64, &'b str), BTreeMap<usize, usize>>,
    open: BTreeMap<&'b str, OpenDerivation<'b>>,
    reads: usize,
    documents: usize,
    /// What lambdas have logged.
    log: Vec<LogLine>,
}

impl<'c, 'b> Case<'c, 'b> {
    /// A case before its first step: nothing is written, no derivation has a database.
    pub(super) fn new(catalog: &'c TestCatalog<'b>) -> Self {
        Self {
            catalog,
            clock: ProcessClock::simulated(catalog.start, Clock::default()),
            now_ms: 0,
            journals: BTreeMap::new(),
            pending: BTreeMap::new(),
            open: BTreeMap::new(),
            reads: 0,
            documents: 0,
            log: Vec::new(),
        }
    }

    /// Runs the steps of a test and drains what is still due after them; hands each step that
    /// differs to `differs`.
    ///
    /// # Errors
    /// What stopped the case.
    pub(super) fn run(
        &mut self,
        test: &Test,
        differs: &mut dyn FnMut(StepFailure),
    ) -> Result<(), Failure> {
        let mut steps = test.steps.iter().enumerate().peekable();
        loop {
            while self.run_ready()? {}
            let next = steps.next_if(|(_, step)| self.can_run(step));
            if let Some((index, step)) = next {
                match step.action {
                    TestAction::Ingest => self.ingest(index, step)?,
                    TestAction::Verify => {
                        self.verify(index, step)?.into_iter().for_each(&mut *differs)
                    }
                }
                continue;
            }
            let Some((&(ready_at_ms, _), _)) = self.pending.first_key_value() else {
                return Ok(());
            };
            self.now_ms = ready_at_ms;
            self.clock.advance(self.catalog.start.plus_ms(ready_at_ms));
        }
    }

    /// Ends a case that nothing stopped, as other tools do between two cases: every module is asked to forget what it has seen. Here
    /// the next case has a new one, so that a `reset` that does not work is seen and harms nobody.
    ///
    /// # Errors
    /// What a module throws.
    pub(super) fn reset(&mut self) -> Result<(), Failure> {
        for derivation in self.open.values() {
            let outcome = derivation.reset();
            self.log.extend(derivation.take_log());
            outcome?;
        }
        Ok(())
    }

    /// Adds what the derivations did.
    pub(super) fn cover(&self, coverage: &mut Coverage<'b>) {
        self.open.values().for_each(|derivation| derivation.cover(coverage));
    }

    /// What lambdas have logged, in order.
    pub(super) fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.log)
    }

    /// What was written to a collection since the case began, without UUIDs.
    pub(super) fn documents(&self, collection: &str) -> Vec<serde_json::Value> {
        let written = self.journals.get(collection).map_or(&[][..], Vec::as_slice);
        let documents = written.iter().map(|written| Document::from_value(&written.document));
        documents.map(|document| stamp::unstamped(document.root()).0.root().to_value()).collect()
    }

    /// Whether a step is due now: a verify waits for every read that may write to its collection.
    fn can_run(&self, step: &TestStep) -> bool {
        let derivations = self.pending.keys().map(|(_, derivation)| *derivation);
        match step.action {
            TestAction::Ingest => true,
            TestAction::Verify => !self.catalog.leads_to(derivations, &step.collection),
        }
    }

    /// Runs every read that is due now, in order of derivation. Gives whether there was one.
    fn run_ready(&mut self) -> Result<bool, Failure> {
        let mut ready = Vec::new();
        while let Some(entry) = self.pending.first_entry()
            && entry.key().0 <= self.now_ms
        {
            ready.push(entry.remove_entry());
        }
        let is_any = !ready.is_empty();
        for ((_, name), through) in ready {
            self.reads += 1;
            if self.reads > TEST_READS_MAX {
                return Err(endless(name, format!("{TEST_READS_MAX} reads")));
            }
            let mut derivation = match self.open.remove(name) {
                Some(open) => open,
                None => OpenDerivation::open(self.catalog.derivation(name), self.catalog)?,
            };
            let documents = derivation.read(&through, &self.journals, self.catalog);
            self.log.extend(derivation.take_log());
            self.open.insert(name, derivation);
            self.publish(name, documents?)?;
        }
        Ok(is_any)
    }

    fn ingest(&mut self, index: usize, step: &TestStep) -> Result<(), Failure> {
        let rules = self.catalog.rules(&step.collection, SchemaSide::Write)?;
        let mut combining = Combining::for_write(rules);
        let ingested = step
            .documents
            .iter()
            .try_for_each(|document| combining.admit(Document::from_value(document).root()));
        let documents = ingested.and_then(|()| combining.drain());
        let number = index + 1;
        let by_step =
            |failure: Failure| failure.note(format!("step {number} of the test ingests it"));
        self.publish(&step.collection, documents.map_err(by_step)?)
    }

    /// Writes documents to a collection in one transaction, and makes the reads due that see them.
    fn publish(&mut self, name: &str, documents: Vec<Document>) -> Result<(), Failure> {
        let collection = self.catalog.collection(name)?;
        let name = collection.name.as_str();
        if documents.is_empty() {
            return Ok(());
        }
        self.documents += documents.len();
        if self.documents > TEST_DOCUMENTS_MAX {
            return Err(endless(name, format!("{TEST_DOCUMENTS_MAX} documents")));
        }
        let written = self.journals.entry(name).or_default();
        let mut next = ProcessClock::first_stamp as fn(&ProcessClock) -> Clock;
        let partitions = Partitions::new(collection)?;
        for document in documents {
            let mut partition = String::new();
            partitions.write_path(document.root(), &mut partition)?;
            let clock = next(&self.clock);
            next = ProcessClock::stamp;
            let uuid = Uuid { producer: PRODUCER, clock, flags: OUTSIDE_TXN };
            let document = stamp::stamped_value(document.root(), uuid);
            written.push(Written { document, clock, journal: journal(name, &partition) });
        }
        let end = written.len();
        for reader in self.catalog.readers(name) {
            let ready_at_ms = self.now_ms.saturating_add(reader.read_delay_ms);
            let through = self.pending.entry((ready_at_ms, reader.derivation)).or_default();
            through.insert(reader.transform, end);
        }
        Ok(())
    }

    /// Compares what was written to a collection since the case began.
    fn verify(&self, index: usize, step: &TestStep) -> Result<Option<StepFailure>, Failure> {
        let rules = self.catalog.rules(&step.collection, SchemaSide::Read)?;
        let collection = rules.contract.collection;
        let selection = Selection::new(
            collection,
            &Source {
                collection: collection.name.clone(),
                partitions: step.partitions.clone(),
                not_before: None,
                not_after: None,
            },
        )?;
        let written = self.journals.get(collection.name.as_str()).map_or(&[][..], Vec::as_slice);
        let mut combining = Combining::for_comparison(rules);
        for written in written.iter().filter(|written| selection.has_journal(&written.journal)) {
            let document = Document::from_value(&written.document);
            let (mut document, emptied) = stamp::unstamped(document.root());
            if collection.read_schema.is_some()
                && let Some(changed) = rules.contract.check(document.root(), emptied)?
            {
                document = changed;
            }
            combining.add(document.root())?;
        }
        let drained = combining.drain()?;
        let actual = drained.iter().map(|it| it.root().to_value()).collect();
        let Some(Comparison { message, differences, actual }) =
            compare_documents(step, actual, &rules.key)
        else {
            return Ok(None);
        };
        Ok(Some(StepFailure {
            step: index,
            collection: collection.name.clone(),
            origin: step.origin.clone(),
            document_origins: step.document_origins.clone(),
            message,
            key: collection.key.clone(),
            differences,
            actual,
        }))
    }
}

fn journal(collection: &str, partition: &str) -> JournalName {
    let separator = if partition.is_empty() { "" } else { "/" };
    JournalName(format!("{collection}{separator}{partition}/pivot=00").into())
}

/// Derivations that feed each other never come to rest when each document leads to another one.
fn endless(collection: &str, limit: String) -> Failure {
    let message = format!("the test takes more than {limit}: its derivations come to no rest");
    Failure::new(FailureKind::LimitExceeded, message)
        .collection(collection)
        .help("let the lambda publish nothing for documents that need no further work")
}
