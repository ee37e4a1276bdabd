//! Where things are: bundles without their sources, lost and shared data directories.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::bank;
use super::quakes;
use super::workspace::{Workspace, rows};

pub(super) fn bundle_runs_without_its_sources() {
    let workspace = Workspace::new("quakes");
    workspace.tidegate(&["build", "-o", "dist"]).expect_code(0);
    for entry in fs::read_dir(workspace.path("")).expect("the directory can be listed") {
        let path = entry.expect("the directory can be listed").path();
        if path.is_file() {
            fs::remove_file(path).expect("the file can be removed");
        }
    }
    workspace.tidegate(&["run", "dist", "--until-idle"]).expect_code(0);
    quakes::compare_tables(&workspace);
}

pub(super) fn lost_data_directory_is_refused() {
    let workspace = Workspace::new("bank");
    workspace.run_until_idle();
    let table = || rows(&workspace.database("out/bank.db"), "SELECT * FROM balances ORDER BY 1");
    let before = table();
    fs::remove_dir_all(workspace.path("tidegate-data")).expect("it was there");
    let ended = workspace.tidegate(&["run", "--until-idle"]).expect_code(5);
    assert!(ended.stderr.contains("checkpoint-of-other-data"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--restart bank/tables"), "{}", ended.stderr);
    assert_eq!(before, table(), "nothing was stored");

    let arguments = ["run", "--until-idle", "--restart", "bank/tables"];
    workspace.tidegate(&arguments).expect_code(0);
    bank::compare(&workspace, 10_000);
}

pub(super) fn second_process_is_refused() {
    let workspace = Workspace::new("bank");
    workspace.edit("flow.yaml", "count: 10000", "rate: 100");
    let mut process = workspace
        .command(&["run", "--log-format", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stderr = BufReader::new(process.stderr.take().expect("it is piped"));
    let mut line = String::new();
    while !line.contains("\"committed\"") {
        line.clear();
        let length = stderr.read_line(&mut line).expect("the pipe can be read");
        assert!(length > 0, "the process ended without a commit");
    }
    let ended = workspace.tidegate(&["run", "--until-idle"]).expect_code(3);
    process.kill().expect("it is our child");
    process.wait().expect("it is our child");
    assert!(ended.stderr.contains("data-directory-locked"), "{}", ended.stderr);
    assert!(ended.stderr.contains(&process.id().to_string()), "{}", ended.stderr);
}
