//! Killing the process at drawn moments: nothing may be lost and nothing doubled.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::bank;
use super::workspace::Workspace;

/// Bytes that are committed at least for one transfer: itself and the decision on it.
const BYTES_A_TRANSFER: u64 = 250;

/// `CRASH_ROUNDS` rounds (10 by default) with 1,000 new transfers each, 20,000 in all at least. Their rate makes transactions
/// small and many; how fast the machine is does not matter, because a round waits for its commits and ends by the kill.
pub(super) fn rounds_lose_and_double_nothing() {
    let rounds: u64 = match std::env::var("CRASH_ROUNDS") {
        Ok(text) => text.parse().expect("CRASH_ROUNDS is a number"),
        Err(_) => 10,
    };
    let transfers = (20_000 / rounds).max(1000);
    let workspace = Workspace::new("bank");
    workspace.edit("flow.yaml", "seed: 42", "seed: 42\n          rate: 5000");
    let mut draw = 0x5eed_u64;
    let mut count = 10_000;
    for round in 1..=rounds {
        workspace.edit(
            "flow.yaml",
            &format!("count: {count}"),
            &format!("count: {}", round * transfers),
        );
        count = round * transfers;
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bytes = (draw >> 33) % (transfers * BYTES_A_TRANSFER);
        kill_after(&workspace, bytes, round);
    }
    workspace.run_until_idle();
    bank::compare(&workspace, usize::try_from(count).expect("it is small"));
}

/// Runs until more than `bytes` were committed, and kills the process at that moment.
fn kill_after(workspace: &Workspace, bytes: u64, round: u64) {
    let mut process = workspace
        .command(&["run", "--log-format", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let stderr = process.stderr.take().expect("it is piped");
    let mut committed: BTreeMap<String, u64> = BTreeMap::new();
    let mut others = Vec::new();
    for line in BufReader::new(stderr).lines() {
        let line = line.expect("the pipe can be read");
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["event"] != "committed" {
            others.push(line);
            continue;
        }
        let task = format!("{} {}", event["kind"], event["task"]);
        committed.insert(task, event["bytes_out"].as_u64().expect("bytes are a number"));
        if committed.values().sum::<u64>() > bytes {
            process.kill().expect("it is our child");
            break;
        }
    }
    let status = process.wait().expect("it is our child");
    assert!(
        status.code().is_none(),
        "round {round} ended before it was killed: {status}, {committed:?}\n{}",
        others.join("\n")
    );
    assert!(committed.values().sum::<u64>() > bytes, "round {round} committed too little");
}

/// The same with modules, whose state is committed with what they publish.
const CATALOGS: [&str; 2] = ["bank", "bank-typescript"];

/// Every step of a transaction and of a cut at which a crash could leave something half done.
const FAILPOINTS: [&str; 9] = [
    "before-commit",
    "after-commit",
    "after-endpoint-commit",
    "after-wake",
    "fragment-recorded",
    "fragment-half-written",
    "fragment-renamed",
    "fragment-written",
    "fragment-finished",
];

/// Every step of a reset at which a crash could leave something half done.
const FAILPOINTS_OF_RESETS: [&str; 3] = ["reset-recorded", "reset-shard", "reset-moved"];

/// The process dies at a step, the first time it comes there, later, and in the run after that.
fn die_at(workspace: &Workspace, failpoint: &str) {
    for passes in 0..4 {
        let armed = format!("{failpoint}:{passes}");
        let status = workspace
            .command(&["run", "--until-idle"])
            .env("TIDEGATE_FAILPOINT", &armed)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the binary runs");
        assert!(status.code().is_none() || passes > 0, "the process does not come to {armed}");
    }
}

/// A reset that dies at each step is finished by the next run, once.
pub(super) fn every_step_of_a_reset_can_be_the_last() {
    for failpoint in FAILPOINTS_OF_RESETS {
        let workspace = Workspace::new("bank");
        workspace.edit("flow.yaml", "count: 10000", "count: 500");
        workspace.run_until_idle();
        for name in ["transfers", "balances", "decisions"] {
            let declared = format!("  bank/{name}:\n");
            workspace.edit("flow.yaml", &declared, &format!("{declared}    reset: true\n"));
        }
        die_at(&workspace, failpoint);
        workspace.run_until_idle();
        bank::compare(&workspace, 500);
    }
}

/// The process dies at each step; then everything is as if it never had.
pub(super) fn every_step_can_be_the_last() {
    for (catalog, failpoint) in
        CATALOGS.iter().flat_map(|catalog| FAILPOINTS.map(|it| (catalog, it)))
    {
        let workspace = Workspace::new(catalog);
        workspace.edit("flow.yaml", "count: 10000", "count: 500");
        die_at(&workspace, failpoint);
        workspace.run_until_idle();
        bank::compare(&workspace, 500);
    }
}
