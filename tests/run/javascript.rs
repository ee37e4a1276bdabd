//! Modules in Node.js and Deno, where they are installed: the same as in the engine inside of the binary.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::bank;
use super::workspace::{Workspace, files_below};

/// How long processes may take to come or go on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// A test with the name of a program.
type Check = fn(&str);

/// What is tested of a program.
const TESTS: [(&str, Check); 5] = [
    ("agree with a plain computation and leave nothing behind", agree_and_leave_nothing),
    ("lose nothing in a crash", lose_nothing_in_a_crash),
    ("end when the process is killed", end_with_the_process),
    ("pass the tests and give a preview", pass_tests_and_give_a_preview),
    ("tell what they throw", tell_what_they_throw),
];

/// These need the programs.
pub(super) fn tests() -> Vec<Trial> {
    let programs = ["node", "deno"].into_iter();
    let trials = programs.flat_map(|program| {
        if Command::new(program).arg("--version").output().is_err() {
            let name =
                format!("run::modules in {program}: IT IS NOT INSTALLED, so nothing was tested");
            return vec![Trial::test(name, || Ok(()))];
        }
        let trial = |(name, test): (&str, Check)| {
            Trial::test(format!("run::modules in {program} {name}"), move || {
                test(program);
                Ok(())
            })
        };
        TESTS.into_iter().map(trial).collect()
    });
    trials.collect()
}

/// The bank, whose modules run in a program as its settings say.
fn bank_in(program: &str) -> Workspace {
    let workspace = Workspace::new("bank-typescript");
    let tasks = ["bank/balances", "bank/decisions"];
    let tasks = tasks.map(|task| format!("[tasks.\"{task}\"]\njs = \"{program}\"\n"));
    workspace.write("tidegate.toml", &tasks.join(""));
    workspace
}

fn agree_and_leave_nothing(program: &str) {
    let workspace = bank_in(program);
    let home = tempfile::tempdir().expect("a temporary directory can be made");
    for _ in 0..2 {
        let status = workspace
            .command(&["run", "--until-idle", "-q"])
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .stdout(Stdio::null())
            .status()
            .expect("the binary runs");
        assert!(status.success());
        bank::compare(&workspace, 10_000);
    }
    assert_eq!(files_below(home.path()), Vec::<String>::new(), "what is left");
}

fn lose_nothing_in_a_crash(program: &str) {
    let workspace = bank_in(program);
    workspace.edit("flow.yaml", "count: 10000", "count: 500");
    for failpoint in ["before-commit", "after-commit", "after-endpoint-commit"] {
        for passes in 0..3 {
            let status = workspace
                .command(&["run", "--until-idle"])
                .env("TIDEGATE_FAILPOINT", format!("{failpoint}:{passes}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            status.expect("the binary runs");
        }
    }
    workspace.run_until_idle();
    bank::compare(&workspace, 500);
}

fn end_with_the_process(program: &str) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let workspace = bank_in(program);
    let mut process = workspace
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let begin = Instant::now();
    let mut children = BTreeSet::new();
    // One for each module.
    while children.len() < 2 {
        assert!(begin.elapsed() < PATIENCE, "the programs are not started");
        children = children_of(process.id(), program);
    }
    process.kill().expect("it is our child");
    process.wait().expect("it is our child");
    while children.iter().any(|child| name_of(*child) == program) {
        assert!(begin.elapsed() < PATIENCE, "{children:?} are left behind");
        std::thread::yield_now();
    }
}

/// The processes of a name that another one, or one of its threads, has started.
fn children_of(parent: u32, name: &str) -> BTreeSet<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let children = threads.flat_map(|thread| {
        let text = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>()
    });
    children.filter(|child| name_of(*child) == name).collect()
}

/// The name of the program of a process; nothing when it has ended.
fn name_of(process: u32) -> String {
    let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let word = words.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(word).into_owned()
}

fn pass_tests_and_give_a_preview(program: &str) {
    let workspace = Workspace::new("bank-typescript");
    let arguments = ["test", "--format", "json"];
    let run = |more: &[&str]| {
        let ended = workspace.tidegate(&[&arguments, more].concat()).expect_code(0);
        ended.json()["summary"].clone()
    };
    assert_eq!(run(&["--js", program]), run(&[]));
    let preview = |engine: &str| {
        let arguments = ["preview", "bank/decisions", "--js", engine];
        workspace.tidegate(&arguments).expect_code(0).stdout
    };
    let shown = preview(program);
    assert!(shown.contains("\"outcome\""), "{shown}");
    assert_eq!(shown, preview("quickjs"));
}

fn tell_what_they_throw(program: &str) {
    let workspace = Workspace::of(
        "collections:\n  acme/it: {schema: {type: object, properties: {id: {type: integer}}, required: [id]}, key: [/id]}\n  \
         acme/half:\n    schema: {type: object, properties: {id: {type: integer}}, required: [id]}\n    key: [/id]\n    \
         derive:\n      using: {typescript: {module: half.ts}}\n      \
         transforms: [{name: from-it, source: acme/it, shuffle: any}]\n",
    );
    workspace.write(
        "half.ts",
        "import { Document, IDerivation, SourceFromIt } from 'flow/acme/half.ts';\n\
         type Whole = number;\n\
         function half(n: Whole): Whole {\n  if (n === 5) throw new RangeError(`${n} is odd`);\n  return n;\n}\n\
         export class Derivation extends IDerivation {\n  \
         fromIt({ doc }: { doc: SourceFromIt }): Document[] {\n    console.warn('got', doc.id);\n    return [{ id: half(doc.id) }];\n  }\n}\n",
    );
    let lines: String = (1..=9).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    workspace.write("lines.jsonl", &lines);
    let run = |engine: &str| {
        let data = format!("data-{engine}");
        let arguments = [
            "run",
            "--until-idle",
            "--ingest",
            "acme/it=lines.jsonl",
            "--format",
            "jsonl",
            "--js",
            engine,
            "--data",
            &data,
        ];
        let ended = workspace.tidegate(&arguments).expect_code(5);
        let lines =
            ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or(json!(line)));
        let findings: Vec<Value> =
            lines.filter(|line: &Value| line.get("rule").is_some()).collect();
        assert!(ended.stderr.contains("got 4"), "{}", ended.stderr);
        findings
    };
    let facts = |found: &Value| {
        let place = json!([found["file"], found["range"]["start"]["line"]]);
        json!([found["rule"], found["message"], place, found["notes"].as_array().map(Vec::len)])
    };
    let (found, inside) = (run(program), run("quickjs"));
    assert_eq!((found.len(), inside.len()), (1, 1));
    let note = found[0]["notes"][0].as_str().unwrap_or_default();
    assert!(note.contains("\"id\":5"), "{note}");
    let expected = json!(["lambda-failed", "RangeError: 5 is odd", ["half.ts", 4]]);
    assert_eq!(facts(&found[0]).as_array().map(|facts| json!(facts[..3])), Some(expected));
    assert_eq!(facts(&found[0]), facts(&inside[0]));
}
