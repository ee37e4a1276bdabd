//! A document that violates its schema stops its task only, and after a repair everything is exact.

use super::quakes;
use super::workspace::{Workspace, rows};

pub(super) fn stops_its_task_only() {
    let workspace = Workspace::new("quakes");
    let strict = "delay_s: { type: number, maximum: 80000,";
    workspace.edit("aftershock.schema.yaml", "delay_s: { type: number,", strict);
    let ended = workspace.tidegate(&["run", "--until-idle"]).expect_code(5);
    for part in [
        "document-violates-schema",
        "quakes/aftershocks",
        "aftershock.schema.yaml:",
        "maximum",
        "/delay_s",
        "\"mainshock\":",
    ] {
        assert!(ended.stderr.contains(part), "`{part}` is not in:\n{}", ended.stderr);
    }
    let database = workspace.database("out/quakes.db");
    let counts =
        rows(&database, "SELECT (SELECT count(*) FROM events), (SELECT sum(count) FROM daily)");
    assert_eq!(counts, [[1707, 1707]], "the other tasks went on");
    let stored = rows(&database, "SELECT count(*) FROM aftershocks WHERE delay_s > 80000");
    assert_eq!(stored, [[0]], "nothing of the failed transaction is there");

    workspace.edit("aftershock.schema.yaml", strict, "delay_s: { type: number,");
    workspace.run_until_idle();
    quakes::compare_tables(&workspace);
}

pub(super) fn in_a_capture_is_repaired() {
    let workspace = Workspace::new("quakes");
    let strict = "mag: { type: [number, \"null\"], maximum: 6.0,";
    workspace.edit("feature.schema.yaml", "mag: { type: [number, \"null\"],", strict);
    let ended = workspace.tidegate(&["run", "--until-idle"]).expect_code(5);
    for part in ["quakes/usgs", "feature.schema.yaml:", "/properties/mag", "maximum"] {
        assert!(ended.stderr.contains(part), "`{part}` is not in:\n{}", ended.stderr);
    }
    workspace.edit("feature.schema.yaml", strict, "mag: { type: [number, \"null\"],");
    workspace.run_until_idle();
    quakes::compare_tables(&workspace);
}
