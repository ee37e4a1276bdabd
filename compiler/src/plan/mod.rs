//! What would run: the bundle, and the dialect-neutral tables of every materialization.

use tidegate_stdlib::bundle::Bundle;

use crate::check::Valid;
use crate::lineage::Lineage;
use crate::source::Sources;

/// What would run.
#[derive(Debug, Default)]
pub struct Plan {
    /// The bundle.
    pub bundle: Bundle,
}

/// Plans a valid catalog.
pub fn plan(valid: Valid<'_>, sources: &Sources, lineage: &Lineage) -> Plan {
    let _ = (valid, sources, lineage);
    todo!("H4")
}
