//! The types of every collection, and for derivations by a module the class that the module extends.

use super::{Artifacts, Emitter, Options};
use crate::lineage::Lineage;
use crate::plan::Plan;
use crate::typescript::file_name;

pub(super) const EMITTER: Emitter =
    Emitter { name: "typescript", docs: "the types of all documents", emit };

fn emit(plan: &Plan, _: &Lineage, _: &Options) -> Artifacts {
    let types = plan.types.iter();
    types
        .map(|types| {
            let path = format!("typescript/{}", file_name(&types.collection));
            (path, types.text().into_bytes())
        })
        .collect()
}
