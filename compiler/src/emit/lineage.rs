//! The graph of tasks and collections in all its text forms.

use super::{Artifacts, Emitter, Options, json_text};
use crate::lineage::{self, Lineage};
use crate::plan::Plan;

pub(super) const EMITTER: Emitter =
    Emitter { name: "lineage", docs: "the graph of tasks and collections", emit };

fn emit(_: &Plan, lineage: &Lineage, _: &Options) -> Artifacts {
    Artifacts::from([
        ("lineage/lineage.dot".to_owned(), lineage::to_dot(lineage).into_bytes()),
        ("lineage/lineage.json".to_owned(), json_text(&lineage::to_json(lineage))),
        ("lineage/lineage.mmd".to_owned(), lineage::to_mermaid(lineage).into_bytes()),
        ("lineage/lineage.txt".to_owned(), lineage::to_text(lineage).into_bytes()),
    ])
}
