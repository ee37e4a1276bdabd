//! The bundle: what `run` executes without the sources.

use tidegate_stdlib::bundle::to_files;

use super::{Artifacts, Emitter, Options};
use crate::lineage::Lineage;
use crate::plan::Plan;

pub(super) const EMITTER: Emitter =
    Emitter { name: "bundle", docs: "what `run` executes without the sources", emit };

fn emit(plan: &Plan, _: &Lineage, _: &Options) -> Artifacts {
    let files = to_files(&plan.bundle);
    files.into_iter().map(|(path, bytes)| (format!("bundle/{path}"), bytes)).collect()
}
