//! The sensors: lambdas in a process of Python, whose state is committed with what it publishes.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::workspace::Workspace;

const READINGS_KEPT: usize = 3;

/// These need Python.
pub(super) fn tests() -> Vec<Trial> {
    if Command::new("python3").arg("--version").output().is_err() {
        let name = "run::sensors: PYTHON IS NOT INSTALLED, so nothing was tested";
        return vec![Trial::test(name, || Ok(()))];
    }
    let trials: [(&str, fn()); 4] = [
        ("sensors_agree_with_a_plain_computation", agree_with_a_plain_computation),
        ("sensors_lose_nothing_in_a_crash", lose_nothing_in_a_crash),
        ("sensors_tests_pass", tests_pass),
        ("a_process_that_fails_is_told_of", failures_are_told_of),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(format!("run::{name}"), move || {
            test();
            Ok(())
        })
    };
    trials.into_iter().map(trial).collect()
}

fn agree_with_a_plain_computation() {
    let workspace = Workspace::new("sensors");
    workspace.run_until_idle();
    compare(&workspace);
    // What the process knew is what it goes on with.
    grow(&workspace, 1);
    let ended = workspace.run_until_idle();
    assert!(ended.stdout.contains("3 in"), "{}", ended.stdout);
    compare(&workspace);
    let database = workspace.database("out/sensors.db");
    let rows: i64 = database
        .query_row("SELECT count(*) FROM smoothed", [], |row| row.get(0))
        .expect("the table is there");
    assert_eq!(rows, 183);
}

fn lose_nothing_in_a_crash() {
    let workspace = Workspace::new("sensors");
    for (run, failpoint) in ["before-commit", "after-commit", "after-wake"].iter().enumerate() {
        for passes in 0..3 {
            grow(&workspace, run * 3 + passes);
            workspace
                .command(&["run", "--until-idle"])
                .env("TIDEGATE_FAILPOINT", format!("{failpoint}:{passes}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("the binary runs");
        }
    }
    workspace.run_until_idle();
    compare(&workspace);
}

fn tests_pass() {
    let ended = Workspace::new("sensors").tidegate(&["test", "--format", "json"]).expect_code(0);
    assert_eq!(ended.json()["summary"], json!({"passed": 1, "failed": 0, "errors": 0}));
}

fn failures_are_told_of() {
    let workspace = Workspace::new("sensors");
    workspace.edit(
        "smooth.py",
        "return sum(last) / len(last)",
        "return sum(last) / (len(last) - 1)",
    );
    let ended = workspace.tidegate(&["run", "--until-idle"]).expect_code(5);
    let told = "the process ended with exit code 1: ZeroDivisionError: float division by zero";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert!(ended.stderr.contains("the command is `python3 smooth.py`"), "{}", ended.stderr);
    workspace.edit("smooth.py", "(len(last) - 1)", "len(last)");
    workspace.run_until_idle();
    compare(&workspace);
}

/// Three more readings.
fn grow(workspace: &Workspace, step: usize) {
    let path = workspace.path("readings.jsonl");
    let mut text = std::fs::read_to_string(path).expect("it is there");
    for (index, sensor) in ["a", "b", "c"].iter().enumerate() {
        let (minute, celsius) = (step, 10 * index + step);
        let at = format!("2024-07-01T11:{minute:02}:00Z");
        let line = json!({"sensor": format!("roof-{sensor}"), "at": at, "celsius": celsius});
        text.push_str(&format!("{line}\n"));
    }
    workspace.write("readings.jsonl", &text);
}

fn compare(workspace: &Workspace) {
    let text = std::fs::read_to_string(workspace.path("readings.jsonl")).expect("it is there");
    let mut last: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut expected = BTreeMap::new();
    for line in text.lines() {
        let reading: Value = serde_json::from_str(line).expect("each line is JSON");
        let sensor = reading["sensor"].as_str().expect("it is text").to_owned();
        let kept = last.entry(sensor.clone()).or_default();
        kept.push(reading["celsius"].as_f64().expect("it is a number"));
        let begin = kept.len().saturating_sub(READINGS_KEPT);
        let window = &kept[begin..];
        let at = reading["at"].as_str().expect("it is text").to_owned();
        expected.insert((sensor, at), window.iter().sum::<f64>() / window.len() as f64);
    }
    let documents = workspace.read("sensors/smoothed", &[]);
    assert_eq!(documents.len(), expected.len(), "one document a reading");
    for document in documents {
        let text = |field: &str| document[field].as_str().expect("it is text").to_owned();
        let mean = expected.remove(&(text("sensor"), text("at"))).expect("it is of a reading");
        let given = document["celsius"].as_f64().expect("it is a number");
        assert!((mean - given).abs() < 1e-9, "{document} should have {mean}");
    }
}
