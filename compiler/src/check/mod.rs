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
mod projections;
mod rewrite;
mod schemas;
mod selectors;
mod shuffles;
mod steps;
#[cfg(test)]
mod tests;

use collections::KnownCollection;
use selectors::ReadCollection;

use crate::catalog::{Catalog, CollectionId};
use crate::diag::Sink;
use crate::source::Sources;

pub use checked::{
    Checked, CheckedCapture, CheckedCaptureBinding, CheckedCollection, CheckedDerivation,
    CheckedEndpoint, CheckedMaterialization, CheckedMaterializationBinding, CheckedSource,
    CheckedStep, CheckedTest, CheckedTransform, ConnectorReference, SelectedFields,
};

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
pub fn check(catalog: Catalog, sources: &Sources, sink: &mut Sink) -> Checked {
    let each = catalog.collections.iter();
    let known: Vec<_> =
        each.map(|collection| collections::check(collection, sources, sink)).collect();
    let scope = Scope { catalog: &catalog, known: &known, sources };
    let each = catalog.collections.iter();
    let derivations: Vec<_> =
        each.map(|collection| derivations::check(collection, scope, sink)).collect();
    let each = catalog.captures.iter();
    let captures = each.map(|capture| bindings::check_capture(capture, scope, sink)).collect();
    let each = catalog.materializations.iter();
    let mut resources = bindings::Resources::default();
    let materializations = each
        .map(|each| bindings::check_materialization(each, scope, &mut resources, sink))
        .collect();
    let tests = catalog.tests.iter().map(|test| steps::check(test, scope, sink)).collect();
    let collections = known
        .into_iter()
        .zip(derivations)
        .map(|(known, derivation)| CheckedCollection { derivation, ..known.checked })
        .collect();
    Checked { catalog, collections, captures, materializations, tests }
}

/// What the checks of tasks and tests look at.
#[derive(Debug, Clone, Copy)]
struct Scope<'c> {
    catalog: &'c Catalog,
    known: &'c [KnownCollection],
    sources: &'c Sources,
}

impl<'c> Scope<'c> {
    /// A collection that is read.
    fn read(self, id: CollectionId) -> ReadCollection<'c> {
        let declared = self.catalog.collection(id);
        let known = self.known.get(id.0 as usize).expect("every collection was checked");
        ReadCollection { id, declared, known }
    }
}
