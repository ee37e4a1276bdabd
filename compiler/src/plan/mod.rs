//! What would run: the bundle, and the dialect-neutral tables of every materialization.

use tidegate_stdlib::bundle::Bundle;

use crate::check::Valid;
use crate::dialect::{self, Dialect};
use crate::lineage::Lineage;
use crate::source::Sources;

/// What would run.
#[derive(Debug, Default)]
pub struct Plan {
    /// The bundle.
    pub bundle: Bundle,
    /// The tables of all materializations, in order of name and binding.
    pub tables: Vec<PlannedTable>,
}

/// A destination table and whose it is.
#[derive(Debug)]
pub struct PlannedTable {
    /// The materialization.
    pub materialization: String,
    /// The dialect of its endpoint.
    pub dialect: &'static Dialect,
    /// The table.
    pub table: dialect::Table,
}

/// Plans a valid catalog.
pub fn plan(valid: Valid<'_>, sources: &Sources, lineage: &Lineage) -> Plan {
    let _ = (valid, sources, lineage);
    todo!("H8")
}
