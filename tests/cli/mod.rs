//! Console transcripts: `tests/cli/*.md` shows commands and what they print.
//!
//! A section's fences with a path are files of a fresh directory. In a `console` fence a line `$ tidegate …` runs the
//! binary there (`$ cat …`, `$ ls …` and other commands go through the shell); the lines below are its standard output, then its standard
//! error behind `2> `, then `? N` when the exit code is not 0. Durations are written `# ms` and `# s`. `UPDATE=1` rewrites the fences.

mod types;
mod watch;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::markdown::{self, Fence, Section};

/// One test a section; with `UPDATE=1` one test a file, so that a file is rewritten by one hand.
pub(crate) fn tests() -> Vec<Trial> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut trials = watch::tests();
    trials.extend(types::tests());
    for path in markdown::files(&directory) {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path).expect("transcripts can be read");
        if markdown::is_update() {
            trials.push(Trial::test(format!("cli::{stem}"), move || {
                update(&path, text);
                Ok(())
            }));
            continue;
        }
        for section in markdown::sections(&text) {
            let name = format!("cli::{stem}::{}", section.name);
            trials.push(Trial::test(name, move || compare(&section)));
        }
    }
    trials
}

fn compare(section: &Section) -> Result<(), libtest_mimic::Failed> {
    let directory = prepare(section);
    for fence in consoles(section) {
        let actual = transcript(fence, directory.path());
        if actual != fence.text {
            return Err(format!(
                "the transcript differs (accept with UPDATE=1)\n--- expected\n{}\n--- actual\n{actual}",
                fence.text
            )
            .into());
        }
    }
    Ok(())
}

fn update(path: &Path, mut text: String) {
    let sections = markdown::sections(&text);
    let mut results: Vec<(Fence, String)> = Vec::new();
    for section in &sections {
        let directory = prepare(section);
        for fence in consoles(section) {
            results.push((fence.clone(), transcript(fence, directory.path())));
        }
    }
    for (fence, actual) in results.iter().rev() {
        text = markdown::replace(&text, fence, actual);
    }
    std::fs::write(path, text).expect("transcripts can be written");
}

fn consoles(section: &Section) -> impl Iterator<Item = &Fence> {
    section.fences.iter().filter(|fence| fence.language == "console")
}

fn prepare(section: &Section) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for fence in section.fences.iter().filter(|fence| fence.language != "console") {
        let Some(path) = fence.attributes.first() else { continue };
        let path = directory.path().join(path);
        let parent = path.parent().expect("it lies in the directory");
        std::fs::create_dir_all(parent).expect("directories can be made");
        std::fs::write(&path, &fence.text).expect("files can be written");
    }
    directory
}

fn transcript(fence: &Fence, directory: &Path) -> String {
    let mut text = String::new();
    for command in fence.text.lines().filter_map(|line| line.strip_prefix("$ ")) {
        writeln!(text, "$ {command}").expect("a string takes text");
        run(command, directory, &mut text);
    }
    text
}

fn run(command: &str, directory: &Path, text: &mut String) {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_tidegate"));
    let folder = binary.parent().expect("a binary lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(directory)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("a shell runs");
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace(&directory.display().to_string(), ".");
        without_durations(&text)
    };
    text.push_str(&shown(&output.stdout));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for line in shown(&output.stderr).lines() {
        let line = if line.is_empty() { "2>".to_owned() } else { format!("2> {line}") };
        writeln!(text, "{line}").expect("a string takes text");
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => writeln!(text, "? {code}").expect("a string takes text"),
        None => writeln!(text, "? killed").expect("a string takes text"),
    }
}

/// Durations as `# ms` and `# s`, with the blanks that align them, and as `time="#"` and `"duration_ms":#`.
fn without_durations(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, after) = rest.split_at(start);
        let length = after
            .find(|character: char| !(character.is_ascii_digit() || character == '.'))
            .unwrap_or(after.len());
        let (number, tail) = after.split_at(length);
        let is_unit = |unit: &str| {
            tail.strip_prefix(unit).is_some_and(|rest| {
                !rest.starts_with(|character: char| character.is_alphanumeric())
            })
        };
        if is_unit(" ms") || is_unit(" s") {
            result.push_str(before.trim_end_matches(' '));
            result.push_str(" #");
        } else if before.ends_with("time=\"") || before.ends_with("duration_ms\":") {
            result.push_str(before);
            result.push('#');
        } else {
            result.push_str(before);
            result.push_str(number);
        }
        rest = tail;
    }
    result.push_str(rest);
    result
}
