//! Processes of `sh`, which every machine has.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;

fn shell(script: &str) -> Process {
    let command = ["sh", "-c", script].map(str::to_owned);
    let program = Program {
        command: &command,
        environment: &BTreeMap::new(),
        directory: Path::new("/"),
        silence_max: SILENCE_MAX,
    };
    Process::start(program).unwrap()
}

fn line(heard: Heard) -> String {
    match heard {
        Heard::Line(line) => String::from_utf8(line).unwrap(),
        Heard::Broken(reason) => format!("broken: {reason}"),
    }
}

fn send(process: &mut Process, text: &str) -> Result<(), String> {
    process.send(text.to_owned().into_bytes().into(), &mut |heard| {
        panic!("nothing was expected, not {heard:?}")
    })
}

#[test]
fn lines_go_both_ways() {
    let mut process = shell("while read -r line; do echo \"<$line>\"; done");
    send(&mut process, "one").unwrap();
    assert_eq!(line(process.receive().unwrap()), "<one>");
    send(&mut process, "two").unwrap();
    assert_eq!(line(process.receive().unwrap()), "<two>");
    assert!(process.try_receive().is_none());
    process.finish().unwrap();
}

#[test]
fn neither_side_waits_for_the_other() {
    // More in each direction than pipes and queues hold.
    let mut process = shell("cat");
    let text = "x".repeat(10_000);
    let mut heard = 0;
    for _ in 0..1_000 {
        let taken = &mut |_| {
            heard += 1;
            Ok(())
        };
        process.send(text.clone().into_bytes().into(), taken).unwrap();
    }
    while heard < 1_000 {
        assert_eq!(line(process.receive().unwrap()).len(), 10_000);
        heard += 1;
    }
    process.finish().unwrap();
}

#[test]
fn an_end_is_told_with_the_last_words() {
    let mut process = shell("read -r line; echo first >&2; echo \"no $line\" >&2; exit 3");
    send(&mut process, "bread").unwrap();
    assert_eq!(process.receive().unwrap_err(), "the process ended with exit code 3: no bread");
    assert_eq!(process.take_errors(), ["first", "no bread"]);
    assert!(process.take_errors().is_empty());
    let mut process = shell("kill -9 $$");
    let told = process.receive().unwrap_err();
    assert!(told.starts_with("the process was ended by a signal"), "{told}");
}

#[test]
fn a_line_without_end_is_broken() {
    let mut process = shell("printf 'whole\\nhalf'");
    assert_eq!(line(process.receive().unwrap()), "whole");
    assert_eq!(line(process.receive().unwrap()), "broken: its last line has no end");
    let mut process = shell("yes | tr -d '\\n'");
    let told = line(process.receive().unwrap());
    assert_eq!(told, "broken: it writes a line of more than 32 MiB");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let command = ["no-such-program".to_owned()];
    let environment = BTreeMap::new();
    let program = |command| Program {
        command,
        environment: &environment,
        directory: Path::new("/"),
        silence_max: SILENCE_MAX,
    };
    let told = Process::start(program(&command)).unwrap_err();
    assert!(told.starts_with("`no-such-program` cannot be started: "), "{told}");
    assert_eq!(Process::start(program(&[])).unwrap_err(), "the command is empty");
}

#[test]
fn the_environment_and_the_directory_are_given() {
    let command = ["sh", "-c", "echo $GREETING; pwd"].map(str::to_owned);
    let directory = tempfile::tempdir().unwrap();
    let environment = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
    let program = Program {
        command: &command,
        environment: &environment,
        directory: directory.path(),
        silence_max: SILENCE_MAX,
    };
    let mut process = Process::start(program).unwrap();
    assert_eq!(line(process.receive().unwrap()), "hello");
    let real = directory.path().canonicalize().unwrap();
    assert_eq!(line(process.receive().unwrap()), real.to_str().unwrap());
}

#[test]
fn what_a_process_has_started_ends_with_it() {
    // The second process holds all pipes, and would do so for long.
    let mut process = shell("sleep 1000 & echo $!; exit 4");
    let other = line(process.receive().unwrap());
    assert_eq!(process.finish().unwrap_err(), "the process ended with exit code 4");
    while is_there(&other) {
        std::thread::yield_now();
    }
}

/// Whether a process runs.
fn is_there(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_does_not_outlive_who_started_it() {
    // Nothing is closed and nothing is killed here, as when this program is killed itself.
    let forget = || {
        let mut process = shell("echo $$; exec sleep 1000");
        let id = line(process.receive().unwrap());
        std::mem::forget(process);
        id
    };
    let id = std::thread::spawn(forget).join().unwrap();
    while is_there(&id) {
        std::thread::yield_now();
    }
}
