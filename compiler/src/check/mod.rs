//! The semantic checks: a flat list, one file per family.

mod checked;

use crate::catalog::Catalog;
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
    let _ = (catalog, sources, sink);
    todo!("H4")
}
