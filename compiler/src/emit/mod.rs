//! Emitters: from the plan to artifacts, bytes by path.

use std::collections::BTreeMap;

use crate::lineage::Lineage;
use crate::plan::Plan;

/// Files by their path below the output directory.
pub type Artifacts = BTreeMap<String, Vec<u8>>;

/// One emitter.
#[derive(Debug, Clone, Copy)]
pub struct Emitter {
    /// Its name, as `build --emit` takes it.
    pub name: &'static str,
    /// One line about what it writes.
    pub docs: &'static str,
    /// Writes the artifacts.
    pub emit: fn(&Plan, &Lineage) -> Artifacts,
}

/// All emitters, sorted by name.
pub const ALL: &[Emitter] = &[];
