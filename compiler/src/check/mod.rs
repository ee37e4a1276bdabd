//! The semantic checks: a flat list, one file per family.
//!
//! A check says nothing about what depends on something that is missing or wrong: the cause has been reported.

mod bindings;
mod checked;
mod collections;
mod derivations;
mod endpoints;
mod fields;
mod keys;
mod lambdas;
mod locations;
mod memo;
mod modules;
mod projections;
mod proof;
mod redaction;
mod refute;
mod rewrite;
mod schemas;
mod secrets;
mod selectors;
mod shuffles;
mod sql_advice;
mod state;
mod steps;
#[cfg(test)]
mod tests;
mod witness;

use std::cell::RefCell;
use std::sync::Arc;

use lambdas::BlankDatabase;
use memo::{Known, Subject, Table, Versioned};
use selectors::ReadCollection;

use crate::catalog::{Catalog, CollectionId};
use crate::diag::Sink;
use crate::source::Sources;

pub use checked::{
    Checked, CheckedCapture, CheckedCaptureBinding, CheckedCollection, CheckedDerivation,
    CheckedEndpoint, CheckedMaterialization, CheckedMaterializationBinding, CheckedSource,
    CheckedStep, CheckedTest, CheckedTransform, ConnectorReference, Proof, SelectedFields,
};
pub(crate) use locations::declaration_place;
pub use memo::CheckMemo;

/// Proof that the sink held no error after all checks; what follows has no error path for user mistakes.
#[derive(Debug, Clone, Copy)]
pub struct Valid<'c>(&'c Checked);

impl<'c> Valid<'c> {
    /// The proof, unless an error was reported.
    pub fn new(checked: &'c Checked, sink: &Sink) -> Option<Self> {
        (!sink.has_errors()).then_some(Self(checked))
    }

    /// The checked catalog.
    pub fn get(self) -> &'c Checked {
        self.0
    }
}

/// Runs every check.
///
/// What is said of one declaration is remembered in `memo`, with what was looked at to say it; so a check of a declaration gets at
/// other collections through its `Scope` only, and at files through `sources`.
pub fn check(
    catalog: Catalog,
    sources: &Sources,
    memo: &mut CheckMemo,
    sink: &mut Sink,
) -> Checked {
    memo.begin_compilation();
    let read = RefCell::default();
    let alone = Known::new(&[], &read);
    let known = each(&catalog.collections, &mut memo.collections, alone, sources, sink, {
        |collection, sink| collections::check(collection, sources, &memo.schemas, sink)
    });
    let known = Known::new(&known, &read);
    let blank = BlankDatabase::default();
    let scope = Scope { catalog: &catalog, known, sources, blank: &blank };
    let derivations = each(&catalog.collections, &mut memo.derivations, known, sources, sink, {
        |collection, sink| derivations::check(collection, scope, sink).map(Arc::new)
    });
    let captures = each(&catalog.captures, &mut memo.captures, known, sources, sink, {
        |capture, sink| bindings::check_capture(capture, scope, sink)
    });
    let materialized =
        each(&catalog.materializations, &mut memo.materializations, known, sources, sink, {
            |materialization, sink| {
                let (checked, resources) =
                    bindings::check_materialization(materialization, scope, sink);
                (Arc::new(checked), resources)
            }
        });
    bindings::report_duplicates(materialized.iter().map(|each| &each.value.1), sink);
    let tests = each(&catalog.tests, &mut memo.tests, known, sources, sink, {
        |test, sink| steps::check(test, scope, sink)
    });
    let collections = known.all().zip(derivations).map(|(known, derivation)| CheckedCollection {
        derivation: derivation.value.as_ref().clone(),
        ..known.checked.clone()
    });
    Checked {
        collections: collections.collect(),
        captures: values(captures),
        materializations: materialized.iter().map(|each| Arc::clone(&each.value.0)).collect(),
        tests: values(tests),
        catalog,
    }
}

/// The results of one check for each declaration.
fn each<'d, D, T>(
    declarations: &'d [D],
    table: &mut Table<T>,
    known: Known<'_>,
    sources: &Sources,
    sink: &mut Sink,
    check: impl Fn(&'d D, &mut Sink) -> T,
) -> Vec<Versioned<T>>
where
    Subject<'d>: From<&'d D>,
{
    declarations
        .iter()
        .map(|declared| {
            table.result(declared.into(), known, sources, sink, |sink| check(declared, sink))
        })
        .collect()
}

fn values<T>(results: Vec<Versioned<T>>) -> Vec<Arc<T>> {
    results.into_iter().map(|result| result.value).collect()
}

/// What the checks of tasks and tests look at.
#[derive(Debug, Clone, Copy)]
struct Scope<'c> {
    /// Only for collections that are [read](Self::read).
    catalog: &'c Catalog,
    known: Known<'c>,
    sources: &'c Sources,
    blank: &'c BlankDatabase,
}

impl<'c> Scope<'c> {
    /// A collection that is read.
    fn read(self, id: CollectionId) -> ReadCollection<'c> {
        let declared = self.catalog.collection(id);
        ReadCollection { id, declared, known: self.known.collection(id) }
    }
}
