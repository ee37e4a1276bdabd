//! What all cases share: compiled schemas, who reads what, and where the clock begins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use tidegate_stdlib::bundle::{Bundle, Collection, Derivation, Failure, Task};
use tidegate_stdlib::document::{Builder, Document, Node};
use tidegate_stdlib::key::Key;
use tidegate_stdlib::reduce::{Fold, Lone, Mode};

use crate::combine::{Contract, hash_seed};
use crate::derive::collection;
use crate::lambdas::ScriptPrograms;
use crate::shuffle::parse_time;
use crate::uuid::Clock;
use crate::violation::SchemaSide;

/// When the clock of a case begins, unless a transform starts to read later.
const START: &str = "2024-01-01T00:00:00Z";

/// A bundle prepared for its tests.
#[derive(Debug)]
pub(super) struct TestCatalog<'b> {
    pub(super) bundle: &'b Bundle,
    /// The directory below which processes run.
    pub(super) root: &'b Path,
    /// What runs modules, where that is not this process.
    pub(super) programs: &'b ScriptPrograms,
    /// Where the clock of every case begins.
    pub(super) start: Clock,
    derivations: BTreeMap<&'b str, &'b Derivation>,
    readers: BTreeMap<&'b str, Vec<Reader<'b>>>,
    write: BTreeMap<&'b str, OnceLock<Result<Rules<'b>, Failure>>>,
    read: BTreeMap<&'b str, OnceLock<Result<Rules<'b>, Failure>>>,
}

/// A transform that reads a collection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b> {
    /// The derivation, by its collection.
    pub(super) derivation: &'b str,
    /// Index of the transform in it.
    pub(super) transform: usize,
    pub(super) read_delay_ms: u64,
}

impl<'b> TestCatalog<'b> {
    /// Prepares a bundle.
    ///
    /// # Errors
    /// `damaged` when a time of the bundle is none.
    pub(super) fn new(
        bundle: &'b Bundle,
        root: &'b Path,
        programs: &'b ScriptPrograms,
    ) -> Result<Self, Failure> {
        let mut derivations = BTreeMap::new();
        let mut readers: BTreeMap<&str, Vec<Reader<'_>>> = BTreeMap::new();
        let mut latest = None;
        for task in bundle.tasks.values() {
            let Task::Derivation(derivation) = task else { continue };
            derivations.insert(derivation.collection.as_str(), derivation);
            for (index, transform) in derivation.transforms.iter().enumerate() {
                let source = &transform.source;
                readers.entry(source.collection.as_str()).or_default().push(Reader {
                    derivation: &derivation.collection,
                    transform: index,
                    read_delay_ms: transform.read_delay_ms,
                });
                if let Some(not_before) = &source.not_before {
                    latest = latest.max(Some(parse_time(not_before)?));
                }
            }
        }
        let start = latest.map_or_else(|| parse_time(START), Ok)?;
        let names = || bundle.collections.keys().map(|name| (name.as_str(), OnceLock::new()));
        let (write, read) = (names().collect(), names().collect());
        Ok(Self { bundle, root, programs, start, derivations, readers, write, read })
    }

    /// A collection of the bundle.
    ///
    /// # Errors
    /// `damaged` when there is none of the name.
    pub(super) fn collection(&self, name: &str) -> Result<&'b Collection, Failure> {
        collection(self.bundle, name)
    }

    /// The derivation of a collection; only such collections are ever asked for.
    pub(super) fn derivation(&self, name: &str) -> &'b Derivation {
        self.derivations.get(name).expect("whoever reads is a derivation of the bundle")
    }

    /// Who reads a collection, in order of derivation and transform.
    pub(super) fn readers(&self, collection: &str) -> &[Reader<'b>] {
        self.readers.get(collection).map_or(&[], Vec::as_slice)
    }

    /// Whether a read of one of the derivations can lead to a document in a collection.
    pub(super) fn leads_to<'d>(
        &'d self,
        derivations: impl Iterator<Item = &'d str>,
        collection: &str,
    ) -> bool {
        let mut open: Vec<&str> = derivations.collect();
        let mut seen = BTreeSet::new();
        while let Some(written) = open.pop() {
            if written == collection {
                return true;
            }
            if seen.insert(written) {
                open.extend(self.readers(written).iter().map(|reader| reader.derivation));
            }
        }
        false
    }

    /// The rules of a collection's schema, compiled when they are first asked for.
    ///
    /// # Errors
    /// `damaged` when the bundle's schema or key is none.
    pub(super) fn rules(&self, name: &str, side: SchemaSide) -> Result<&Rules<'b>, Failure> {
        let collection = self.collection(name)?;
        let compiled = match side {
            SchemaSide::Write => &self.write,
            SchemaSide::Read => &self.read,
        };
        let cell = compiled.get(name).expect("there is a cell for every collection");
        cell.get_or_init(|| Rules::new(collection, side)).as_ref().map_err(Clone::clone)
    }
}

/// One schema of a collection with its key.
#[derive(Debug)]
pub(super) struct Rules<'b> {
    pub(super) contract: Contract<'b>,
    pub(super) key: Key,
}

impl<'b> Rules<'b> {
    fn new(collection: &'b Collection, side: SchemaSide) -> Result<Self, Failure> {
        let contract = Contract::new(collection, side)?;
        let key = contract.key(collection.key.iter().map(String::as_str))?;
        Ok(Self { contract, key })
    }

    /// The packed key of a document.
    fn packed_key(&self, document: Node<'_>) -> Vec<u8> {
        let mut packed = Vec::new();
        self.key.pack(document, &mut packed);
        packed
    }
}

/// Documents of one transaction or one comparison, folded by key.
#[derive(Debug)]
pub(super) struct Combining<'r, 'b> {
    rules: &'r Rules<'b>,
    fold: Fold,
}

impl<'r, 'b> Combining<'r, 'b> {
    /// Combines what is written: terms of reductions are kept.
    pub(super) fn for_write(rules: &'r Rules<'b>) -> Self {
        Self { rules, fold: Fold::new(Mode::Associative, Lone::Kept, hash_seed()) }
    }

    /// Combines what is compared: one document a key, fully reduced, also a lone one.
    pub(super) fn for_comparison(rules: &'r Rules<'b>) -> Self {
        Self { rules, fold: Fold::new(Mode::Full, Lone::Reduced, hash_seed()) }
    }

    /// Validates a document that is written, and adds it.
    ///
    /// # Errors
    /// `document-violates-schema`, `reduction-failed`.
    pub(super) fn admit(&mut self, document: Node<'_>) -> Result<(), Failure> {
        let changed = self.rules.contract.admit(document)?;
        self.add(changed.as_ref().map_or(document, Document::root))
    }

    /// Adds a document that has been admitted by its schema and does not carry its UUID.
    ///
    /// # Errors
    /// `reduction-failed`.
    pub(super) fn add(&mut self, document: Node<'_>) -> Result<(), Failure> {
        let packed = self.rules.packed_key(document);
        let contract = &self.rules.contract;
        let added = self.fold.add(&contract.reducer, &packed, document);
        added.map(drop).map_err(|failure| contract.irreducible(&failure))
    }

    /// The documents that remain, in key order; the result of a fold is validated once more.
    ///
    /// # Errors
    /// `reduction-failed`, `document-violates-schema`.
    pub(super) fn drain(mut self) -> Result<Vec<Document>, Failure> {
        let contract = &self.rules.contract;
        let (mut documents, mut redacted) = (Vec::new(), Builder::default());
        self.fold.drain(&contract.reducer, |group| {
            let group = group.map_err(|failure| contract.irreducible(&failure))?;
            if group.deleted {
                return Ok(());
            }
            for document in group.documents {
                let changed = match group.folded {
                    true => contract.check(document.root(), true)?,
                    false => None,
                };
                let document = changed.as_ref().unwrap_or(document).root();
                // Digests of tests are the same whichever task wrote them.
                let document = contract.redact(document, &[], &mut redacted)?;
                documents.push(document.to_document());
            }
            Ok(())
        })?;
        Ok(documents)
    }
}
