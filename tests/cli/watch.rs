//! `check --watch`, driven by changes of files and followed by what it prints.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

/// A process that says nothing for so long is taken for dead.
const PATIENCE: Duration = Duration::from_secs(120);

const BROKEN: &str = "collections:\n  acme/a:\n    schema: {type: object, properties: {id: {type: integer}}}\n    \
                      keys: [/id]\n";

/// One test of the whole habit.
pub(super) fn tests() -> Vec<Trial> {
    vec![Trial::test("cli::watch::checks again after changes until it is interrupted", watch)]
}

fn watch() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let entry = directory.path().join("flow.yaml");
    std::fs::write(&entry, BROKEN)?;
    let (mut process, results, notes) = start(directory.path())?;
    wait_for(&results, "[unknown-field]")?;
    wait_for(&notes, "Watching")?;

    std::fs::write(&entry, BROKEN.replace("keys", "key"))?;
    wait_for(&notes, "Checked 1 collection")?;
    wait_for(&notes, "Watching")?;

    std::fs::remove_file(&entry)?;
    wait_for(&results, "[missing-file]")?;
    wait_for(&notes, "Watching")?;

    std::fs::write(&entry, "import: [part.flow.yaml]\n")?;
    wait_for(&results, "part.flow.yaml` does not exist")?;
    wait_for(&notes, "Watching")?;
    std::fs::write(directory.path().join("part.flow.yaml"), BROKEN)?;
    wait_for(&results, "part.flow.yaml:4:5")?;
    wait_for(&notes, "Watching")?;

    interrupt(&process)?;
    match process.wait()?.code() {
        Some(130) => Ok(()),
        code => Err(format!("it ends with {code:?}").into()),
    }
}

type Lines = Receiver<String>;

fn start(directory: &Path) -> std::io::Result<(Child, Lines, Lines)> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["check", "--watch"])
        .arg("flow.yaml")
        .current_dir(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let results = lines(process.stdout.take().expect("it is piped"));
    let notes = lines(process.stderr.take().expect("it is piped"));
    Ok((process, results, notes))
}

fn lines(stream: impl Read + Send + 'static) -> Lines {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Reads lines up to one with a text.
fn wait_for(lines: &Lines, text: &str) -> Result<(), String> {
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) if line.contains(text) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(format!("`{text}` is not printed")),
        }
    }
}

fn interrupt(process: &Child) -> std::io::Result<()> {
    let status = Command::new("kill").args(["-INT", &process.id().to_string()]).status()?;
    assert!(status.success(), "the process can be told to end");
    Ok(())
}
