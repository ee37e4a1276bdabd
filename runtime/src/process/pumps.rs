//! The threads between the pipes of a process and its queues.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, spawn};

use crate::limits::LINE_BYTES_MAX;

/// How much of a line that cannot be read is shown.
const LINE_SHOWN_BYTES: usize = 200;
/// How many lines of the standard error are kept.
const ERROR_LINES_MAX: usize = 1_000;
/// How much of such a line is kept.
const ERROR_LINE_BYTES_MAX: usize = 8 << 10;

/// What came from a process.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The output goes on with a line that is too long or has no end, and nothing more is read of it.
    Broken(String),
}

impl Heard {
    /// The line.
    ///
    /// # Errors
    /// Why there is none, in plain words.
    pub(crate) fn into_line(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Line(line) => Ok(line),
            Self::Broken(reason) => Err(format!("the process cannot be understood: {reason}")),
        }
    }
}

/// What is said of a line that means nothing.
pub(crate) fn unexpected_line(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let end = text.floor_char_boundary(LINE_SHOWN_BYTES);
    let more = if end < text.len() { "…" } else { "" };
    format!(
        "the process has answered what was not expected: {}{more}",
        text.get(..end).unwrap_or_default()
    )
}

/// The threads of a process.
#[derive(Debug)]
pub(super) struct Pumps {
    threads: Vec<JoinHandle<()>>,
}

impl Pumps {
    /// Starts them. They end when the pipes are closed, and the one that writes also when nobody sends any more.
    pub(super) fn start(
        child: &mut Child,
        lines: Receiver<Arc<Vec<u8>>>,
        heard: SyncSender<Heard>,
        errors: &Errors,
    ) -> Self {
        let mut threads = Vec::new();
        if let Some(input) = child.stdin.take() {
            threads.push(spawn(move || write_lines(input, &lines)));
        }
        if let Some(output) = child.stdout.take() {
            threads.push(spawn(move || read_lines(output, &heard)));
        }
        if let Some(output) = child.stderr.take() {
            let errors = errors.clone();
            threads.push(spawn(move || errors.read(output)));
        }
        Self { threads }
    }

    /// Waits for their end.
    pub(super) fn join(self) {
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// Writes what waits in the queue in one go, then flushes. A process that reads no more has ended, which its output tells.
fn write_lines(mut input: impl Write, lines: &Receiver<Arc<Vec<u8>>>) {
    let mut text = Vec::new();
    while let Ok(line) = lines.recv() {
        text.clear();
        let waiting = std::iter::once(line).chain(std::iter::from_fn(|| lines.try_recv().ok()));
        for line in waiting {
            text.extend_from_slice(&line);
            text.push(b'\n');
            if text.len() > 1 << 20 {
                break;
            }
        }
        if input.write_all(&text).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

fn read_lines(output: impl Read, heard: &SyncSender<Heard>) {
    let mut output = BufReader::with_capacity(64 << 10, output);
    loop {
        let mut line = Vec::new();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let said = match output.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.last() == Some(&b'\n') => {
                line.pop();
                Heard::Line(line)
            }
            Ok(_) if line.len() > LINE_BYTES_MAX => {
                Heard::Broken(format!("it writes a line of more than {} MiB", LINE_BYTES_MAX >> 20))
            }
            Ok(_) => Heard::Broken("its last line has no end".to_owned()),
        };
        let is_broken = matches!(said, Heard::Broken(_));
        if heard.send(said).is_err() || is_broken {
            return;
        }
    }
}

/// What a process writes to its standard error.
#[derive(Debug, Clone, Default)]
pub(super) struct Errors(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    last: Option<String>,
}

impl Errors {
    /// The lines since the last time; of too many the latest.
    pub(super) fn take(&self) -> Vec<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lines.drain(..).collect()
    }

    /// The last line.
    pub(super) fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last.clone()
    }

    fn read(&self, output: impl Read) {
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            match output.by_ref().take(ERROR_LINE_BYTES_MAX as u64).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if text.is_empty() {
                continue;
            }
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.lines.len() == ERROR_LINES_MAX {
                kept.lines.pop_front();
            }
            kept.last = Some(text.clone());
            kept.lines.push_back(text);
        }
    }
}
