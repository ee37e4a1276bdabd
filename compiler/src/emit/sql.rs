//! The statements that create the tables of every materialization, in the dialect of its endpoint and in those asked for.

use super::{Artifacts, Emitter, Options, path_component};
use crate::lineage::Lineage;
use crate::plan::{Plan, PlannedTable};

pub(super) const EMITTER: Emitter =
    Emitter { name: "sql", docs: "the statements that create the tables", emit };

fn emit(plan: &Plan, _: &Lineage, options: &Options) -> Artifacts {
    let mut artifacts = Artifacts::new();
    for PlannedTable { materialization, dialect, table } in &plan.tables {
        let base =
            format!("sql/{}/{}", path_component(materialization), path_component(&table.name));
        artifacts.insert(format!("{base}.sql"), dialect.create_table(table).into_bytes());
        for target in options.targets.iter().filter(|target| target.name != dialect.name) {
            let path = format!("{base}.{}.sql", target.name);
            artifacts.insert(path, target.create_table(table).into_bytes());
        }
    }
    artifacts
}
