//! The self-contained schema of every collection, as its readers see it.

use super::{Artifacts, Emitter, Options, json_text, path_component};
use crate::lineage::Lineage;
use crate::plan::Plan;

pub(super) const EMITTER: Emitter =
    Emitter { name: "json-schema", docs: "the self-contained schema of every collection", emit };

fn emit(plan: &Plan, _: &Lineage, _: &Options) -> Artifacts {
    let collections = plan.bundle.collections.values();
    collections
        .map(|collection| {
            let path = format!("json-schema/{}.json", path_component(&collection.name));
            (path, json_text(collection.effective_read_schema()))
        })
        .collect()
}
