//! Results of the checks that concern one declaration, kept from one compilation to the next.
//!
//! A result holds as long as the declaration, the files that its check looked at and the collections that it reads are what
//! they were; all three are noted while the check runs. What concerns the catalog as a whole is checked anew each time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bindings::Resources;
use super::checked::{CheckedCapture, CheckedDerivation, CheckedMaterialization, CheckedTest};
use super::collections::KnownCollection;
use crate::catalog::{
    Capture, Collection, CollectionId, Materialization, Reference, SchemaMemo, Test,
};
use crate::diag::{Diagnostic, Sink};
use crate::source::{Dependencies, FileId, Sources};

/// What is remembered of the declarations of a catalog.
#[derive(Debug, Default)]
pub struct CheckMemo {
    compilation: u64,
    pub(super) schemas: SchemaMemo,
    pub(super) collections: Table<KnownCollection>,
    pub(super) derivations: Table<Option<Arc<CheckedDerivation>>>,
    pub(super) captures: Table<CheckedCapture>,
    pub(super) materializations: Table<(Arc<CheckedMaterialization>, Resources)>,
    pub(super) tests: Table<CheckedTest>,
}

impl CheckMemo {
    /// Begins a compilation and drops what the last two did not use.
    pub(super) fn begin_compilation(&mut self) {
        self.compilation += 1;
        let compilation = self.compilation;
        self.schemas.begin_compilation();
        self.collections.begin_compilation(compilation);
        self.derivations.begin_compilation(compilation);
        self.captures.begin_compilation(compilation);
        self.materializations.begin_compilation(compilation);
        self.tests.begin_compilation(compilation);
    }
}

/// A result, and which of all results it is.
#[derive(Debug)]
pub(super) struct Versioned<T> {
    pub(super) value: Arc<T>,
    version: Version,
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), version: self.version }
    }
}

/// The number of a result among all that its table ever made.
type Version = u64;

/// The collections that a check reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'k> {
    collections: &'k [Versioned<KnownCollection>],
    read: &'k RefCell<BTreeSet<CollectionId>>,
}

impl<'k> Known<'k> {
    pub(super) fn new(
        collections: &'k [Versioned<KnownCollection>],
        read: &'k RefCell<BTreeSet<CollectionId>>,
    ) -> Self {
        Self { collections, read }
    }

    /// What is known of a collection; that it was asked for is noted.
    pub(super) fn collection(self, id: CollectionId) -> &'k KnownCollection {
        self.read.borrow_mut().insert(id);
        let known = self.collections.get(id.0 as usize);
        &known.expect("every collection was checked").value
    }

    /// What is known of all collections, in the order of the catalog.
    pub(super) fn all(self) -> impl Iterator<Item = &'k KnownCollection> {
        self.collections.iter().map(|known| &*known.value)
    }

    fn version(self, id: CollectionId) -> Option<Version> {
        self.collections.get(id.0 as usize).map(|known| known.version)
    }
}

/// One declaration, by what its check begins with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'d> {
    name: &'d str,
    file: FileId,
    index: usize,
    references: &'d [Reference],
}

impl<'d> From<&'d Collection> for Subject<'d> {
    fn from(declared: &'d Collection) -> Self {
        let references = declared.sources.as_slice();
        Self { name: declared.name(), file: declared.file(), index: declared.index(), references }
    }
}

impl<'d> From<&'d Capture> for Subject<'d> {
    fn from(declared: &'d Capture) -> Self {
        let references = declared.targets.as_slice();
        Self { name: declared.name(), file: declared.file(), index: declared.index(), references }
    }
}

impl<'d> From<&'d Materialization> for Subject<'d> {
    fn from(declared: &'d Materialization) -> Self {
        let references = declared.sources.as_slice();
        Self { name: declared.name(), file: declared.file(), index: declared.index(), references }
    }
}

impl<'d> From<&'d Test> for Subject<'d> {
    fn from(declared: &'d Test) -> Self {
        let references = declared.collections.as_slice();
        Self { name: declared.name(), file: declared.file(), index: declared.index(), references }
    }
}

/// Results of one kind of check, by the name of the declaration.
#[derive(Debug)]
pub(super) struct Table<T> {
    compilation: u64,
    made: Version,
    results: BTreeMap<String, Remembered<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { compilation: 0, made: 0, results: BTreeMap::new() }
    }
}

#[derive(Debug)]
struct Remembered<T> {
    result: Versioned<T>,
    diagnostics: Vec<Diagnostic>,
    /// The file of the declaration and its place among those of the file.
    place: (FileId, usize),
    references: Vec<Reference>,
    files: Dependencies,
    collections: Vec<(CollectionId, Option<Version>)>,
    /// The last compilation that used it.
    compilation: u64,
}

impl<T> Remembered<T> {
    fn holds(&self, subject: Subject<'_>, known: Known<'_>, sources: &Sources) -> bool {
        self.place == (subject.file, subject.index)
            && self.references == subject.references
            && self.collections.iter().all(|(id, version)| known.version(*id) == *version)
            && sources.are_as_before(&self.files)
    }
}

impl<T> Table<T> {
    fn begin_compilation(&mut self, compilation: u64) {
        self.compilation = compilation;
        let oldest = compilation.saturating_sub(2);
        self.results.retain(|_, remembered| remembered.compilation >= oldest);
    }

    /// The result for a declaration, remembered or made; what it reports is reported either way.
    pub(super) fn result(
        &mut self,
        subject: Subject<'_>,
        known: Known<'_>,
        sources: &Sources,
        sink: &mut Sink,
        check: impl FnOnce(&mut Sink) -> T,
    ) -> Versioned<T> {
        let remembered = self.results.get_mut(subject.name);
        if let Some(remembered) = remembered
            && remembered.holds(subject, known, sources)
        {
            remembered.compilation = self.compilation;
            remembered.diagnostics.iter().cloned().for_each(|found| sink.report(found));
            return remembered.result.clone();
        }
        let mut own = Sink::default();
        known.read.borrow_mut().clear();
        let (value, files) = sources.noting(|| {
            // The declaration itself is a part of its file.
            sources.file(subject.file);
            check(&mut own)
        });
        let read = std::mem::take(&mut *known.read.borrow_mut());
        self.made += 1;
        let result = Versioned { value: Arc::new(value), version: self.made };
        let diagnostics = own.into_reported();
        diagnostics.iter().cloned().for_each(|found| sink.report(found));
        let remembered = Remembered {
            result: result.clone(),
            diagnostics,
            place: (subject.file, subject.index),
            references: subject.references.to_vec(),
            files,
            collections: read.into_iter().map(|id| (id, known.version(id))).collect(),
            compilation: self.compilation,
        };
        self.results.insert(subject.name.to_owned(), remembered);
        result
    }
}
