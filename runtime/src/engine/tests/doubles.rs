//! A source and a destination in memory, which fail on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tidegate_stdlib::bundle::{Capture, Failure, FailureKind, Materialization};

use tidegate_stdlib::document::{Document, Node};

use crate::connector::{
    Begun, Destination, Opening, Pull, Pulled, Source, StateLookup, Store, state_key,
};
use crate::engine::endpoints::Endpoints;

/// The endpoints of a run; clones share their contents.
#[derive(Clone, Default)]
pub(super) struct Doubles(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    input: Vec<Value>,
    rows: BTreeMap<String, Value>,
    checkpoint: Option<Value>,
    /// Documents of one pull.
    pull_max: Option<usize>,
    trouble: Option<Trouble>,
}

/// What goes wrong, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// The source cannot read the document of this index.
    Pull(usize),
    /// The source has a bug that shows at the document of this index.
    Bug(usize),
    /// The destination loses its connection before this commit, counted from 0.
    BeforeCommit(usize),
    /// The destination commits, but the answer is lost.
    AfterCommit(usize),
    /// Somebody else holds the destination's lock, for a while.
    Lock,
}

impl Doubles {
    /// Endpoints whose source has the given documents.
    pub(super) fn of(input: impl Iterator<Item = Value>) -> Self {
        let doubles = Self::default();
        doubles.extend(input);
        doubles
    }

    /// More documents for the source.
    pub(super) fn extend(&self, input: impl Iterator<Item = Value>) {
        self.0.lock().unwrap().input.extend(input);
    }

    /// Replaces a document of the source.
    pub(super) fn replace(&self, index: usize, document: Value) {
        self.0.lock().unwrap().input[index] = document;
    }

    /// Arranges small pulls and a failure.
    pub(super) fn arrange(&self, pull_max: usize, trouble: Option<Trouble>) {
        let mut contents = self.0.lock().unwrap();
        contents.pull_max = Some(pull_max);
        contents.trouble = trouble;
    }

    /// The stored balances by account.
    pub(super) fn rows(&self) -> BTreeMap<String, i64> {
        let contents = self.0.lock().unwrap();
        let row = |(_, row): (&String, &Value)| {
            (row["account"].as_str().unwrap().to_owned(), row["balance"].as_i64().unwrap())
        };
        contents.rows.iter().map(row).collect()
    }
}

impl Endpoints for Doubles {
    fn source(
        &self,
        capture: &Capture,
        _opening: Opening<'_>,
        state: &StateLookup<'_>,
    ) -> Result<Box<dyn Source>, Failure> {
        let binding = &capture.bindings[0];
        let key = state_key(&binding.resource_path, binding.backfill);
        let next = state(&key)?.and_then(|state| state.as_u64()).unwrap_or_default();
        Ok(Box::new(MemorySource { doubles: self.clone(), key, next: next as usize }))
    }

    fn destination(
        &self,
        _materialization: &Materialization,
        _opening: Opening<'_>,
    ) -> Result<Box<dyn Destination>, Failure> {
        Ok(Box::new(MemoryDestination { doubles: self.clone(), staged: Vec::new(), commits: 0 }))
    }
}

struct MemorySource {
    doubles: Doubles,
    key: String,
    next: usize,
}

impl Source for MemorySource {
    fn pull(&mut self, documents_max: usize, into: &mut Pulled) -> Result<Pull, Failure> {
        let trouble = self.doubles.0.lock().unwrap().trouble;
        assert_ne!(trouble, Some(Trouble::Bug(self.next)), "a bug");
        if trouble == Some(Trouble::Pull(self.next)) {
            return Err(broken("the source cannot be read"));
        }
        let contents = self.doubles.0.lock().unwrap();
        let max = contents.pull_max.unwrap_or(documents_max).min(documents_max);
        let input = contents.input.iter().skip(self.next).take(max);
        for document in input {
            let added: Result<(), ()> = into.add(0, |builder| {
                builder.value(document);
                Ok(())
            });
            added.unwrap();
        }
        if into.is_empty() {
            return Ok(Pull::Drained);
        }
        self.next += into.len();
        let states = vec![(self.key.clone(), Value::from(self.next))];
        Ok(Pull::Batch { bytes: into.len() * 100, states })
    }
}

struct MemoryDestination {
    doubles: Doubles,
    /// Rows to be set, or removed.
    staged: Vec<(String, Option<Value>)>,
    commits: usize,
}

impl Destination for MemoryDestination {
    fn open(&mut self) -> Result<Option<Value>, Failure> {
        Ok(self.doubles.0.lock().unwrap().checkpoint.clone())
    }

    fn begin(&mut self) -> Result<Begun, Failure> {
        self.staged.clear();
        let mut contents = self.doubles.0.lock().unwrap();
        if contents.trouble == Some(Trouble::Lock) {
            contents.trouble = None;
            return Ok(Begun::Locked(Box::new(broken("the table is locked"))));
        }
        Ok(Begun::Open)
    }

    fn load(
        &mut self,
        _binding: usize,
        keys: &[Node<'_>],
        found: &mut dyn FnMut(usize, Node<'_>),
    ) -> Result<(), Failure> {
        let contents = self.doubles.0.lock().unwrap();
        for (index, key) in keys.iter().enumerate() {
            let account = key.as_array().unwrap().get(0).unwrap();
            if let Some(row) = contents.rows.get(&account.to_string()) {
                found(index, Document::from_value(row).root());
            }
        }
        Ok(())
    }

    fn store(&mut self, store: Store<'_>) -> Result<(), Failure> {
        let key = store.document.get("account").unwrap().to_string();
        let contents = self.doubles.0.lock().unwrap();
        assert_eq!(contents.rows.contains_key(&key), store.exists, "{key}");
        self.staged.push((key, (!store.delete).then(|| store.document.to_value())));
        Ok(())
    }

    fn commit(&mut self, checkpoint: &Value) -> Result<(), Failure> {
        let mut contents = self.doubles.0.lock().unwrap();
        let commit = self.commits;
        self.commits += 1;
        if contents.trouble == Some(Trouble::BeforeCommit(commit)) {
            return Err(broken("the connection was lost"));
        }
        for (key, row) in self.staged.drain(..) {
            match row {
                Some(row) => contents.rows.insert(key, row),
                None => contents.rows.remove(&key),
            };
        }
        contents.checkpoint = Some(checkpoint.clone());
        if contents.trouble == Some(Trouble::AfterCommit(commit)) {
            return Err(broken("the connection was lost"));
        }
        Ok(())
    }

    fn rollback(&mut self) {
        self.staged.clear();
    }

    fn empty(&mut self, _binding: usize) -> Result<(), Failure> {
        let contents = self.doubles.0.lock().unwrap();
        self.staged = contents.rows.keys().map(|key| (key.clone(), None)).collect();
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Failure> {
        let mut contents = self.doubles.0.lock().unwrap();
        contents.rows.clear();
        contents.checkpoint = None;
        Ok(())
    }
}

fn broken(message: &str) -> Failure {
    Failure::new(FailureKind::EndpointFailed, message)
}
