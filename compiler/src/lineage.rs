//! The graph of tasks and collections: components, order, and its text forms.

use crate::check::Checked;
use crate::diag::Sink;

/// The graph.
#[derive(Debug, Default)]
pub struct Lineage {}

/// Traces the graph of a checked catalog, also of one with errors: what could be linked is in it.
pub fn trace(checked: &Checked, sink: &mut Sink) -> Lineage {
    let _ = (checked, sink);
    todo!("H4")
}
