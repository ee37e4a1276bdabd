//! A child process that is spoken to in lines.
//!
//! Lines go to its standard input and come from its standard output, each way through a thread and a queue of bounded length, so that
//! neither side waits for the other to take what it has written. What it writes to its standard error is kept until somebody asks for
//! it, up to a bound. The process is in a group of its own, so that Ctrl-C ends the transaction and not the process; when it is let go
//! of, its input is closed, and it is killed when it does not end by itself.
//!
//! Where the system can do that (Linux), it is killed when the thread that started it ends, so that none is left behind by a process
//! that was killed itself.
//!
//! What the lines say is not known here.

mod child;
mod pumps;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use pumps::{Errors, Pumps};
pub(crate) use pumps::{Heard, unexpected_line};
use rustix::process::{Pid, Signal, kill_process_group};

/// How many lines wait in a queue.
const QUEUE_LINES: usize = 64;
/// How long a process may say nothing when something is expected of it, unless it is told otherwise.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(300);
/// How long a process may take to end once its input is closed.
const ENDING_MAX: Duration = Duration::from_secs(10);
/// How many lines a process may still say once its input is closed; one that goes on does not listen.
const UNHEARD_LINES_MAX: usize = 1_000;
/// How long to look for room in a full queue before looking at what has come.
const LOOK: Duration = Duration::from_millis(5);

/// How to start a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program<'p> {
    /// The program and its arguments.
    pub(crate) command: &'p [String],
    /// What is added to the environment.
    pub(crate) environment: &'p BTreeMap<String, String>,
    /// Where it runs.
    pub(crate) directory: &'p Path,
    /// How long it may say nothing when something is expected of it.
    pub(crate) silence_max: Duration,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    silence_max: Duration,
    to: Option<SyncSender<Arc<Vec<u8>>>>,
    from: Receiver<Heard>,
    errors: Errors,
    pumps: Option<Pumps>,
}

impl Process {
    /// Starts a process.
    ///
    /// # Errors
    /// In plain words why it cannot be started.
    pub(crate) fn start(program: Program<'_>) -> Result<Self, String> {
        let mut child = child::start(program)?;
        let (to, lines) = sync_channel(QUEUE_LINES);
        let (heard, from) = sync_channel(QUEUE_LINES);
        let errors = Errors::default();
        let pumps = Pumps::start(&mut child, lines, heard, &errors);
        let silence_max = program.silence_max;
        Ok(Self { child, silence_max, to: Some(to), from, errors, pumps: Some(pumps) })
    }

    /// Sends a line, without its end. While there is no room for it, hands what comes to `take`.
    ///
    /// # Errors
    /// That the process has ended, or is silent for too long, and what `take` refuses.
    pub(crate) fn send(
        &mut self,
        line: Arc<Vec<u8>>,
        take: &mut dyn FnMut(Heard) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut line = line;
        let mut heard_at = Instant::now();
        loop {
            let Some(to) = &self.to else { return Err(self.ending()) };
            match to.try_send(line) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(self.ending()),
                Err(TrySendError::Full(back)) => line = back,
            }
            match self.from.recv_timeout(LOOK) {
                Ok(heard) => {
                    take(heard)?;
                    heard_at = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) if heard_at.elapsed() > self.silence_max => {
                    return Err(self.silent());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.ending()),
            }
        }
    }

    /// What has come already, if anything has.
    pub(crate) fn try_receive(&mut self) -> Option<Heard> {
        self.from.try_recv().ok()
    }

    /// The next line.
    ///
    /// # Errors
    /// That the process has ended, or is silent for too long.
    pub(crate) fn receive(&mut self) -> Result<Heard, String> {
        match self.from.recv_timeout(self.silence_max) {
            Ok(heard) => Ok(heard),
            Err(RecvTimeoutError::Timeout) => Err(self.silent()),
            Err(RecvTimeoutError::Disconnected) => Err(self.ending()),
        }
    }

    /// What was written to the standard error since the last time.
    pub(crate) fn take_errors(&self) -> Vec<String> {
        self.errors.take()
    }

    /// Closes the input and waits for the end.
    ///
    /// # Errors
    /// That the process fails, or does not end.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.to = None;
        match self.wait() {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.told(status)),
            None => Err("the process does not end when its input is closed".to_owned()),
        }
    }

    fn silent(&self) -> String {
        let silence = self.silence_max.as_secs_f64();
        format!("the process has said nothing for {silence} seconds")
    }

    /// What a process that ended by itself has said last, and how it ended.
    fn ending(&mut self) -> String {
        self.to = None;
        match self.wait() {
            Some(status) => self.told(status),
            None => "the process has closed its output".to_owned(),
        }
    }

    fn told(&self, status: ExitStatus) -> String {
        let status = match status.code() {
            Some(code) => format!("the process ended with exit code {code}"),
            None => format!("the process was ended by a {status}"),
        };
        match self.errors.last() {
            Some(line) => format!("{status}: {line}"),
            None => status,
        }
    }

    /// Waits for the end and throws away what is still said; kills what does not end.
    fn wait(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + ENDING_MAX;
        let mut unheard = 0;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                // What it has started itself may hold the pipes.
                self.kill_group();
                self.join();
                return Some(status);
            }
            match self.from.recv_timeout(LOOK) {
                Ok(_) => unheard += 1,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
            }
            if unheard > UNHEARD_LINES_MAX {
                break;
            }
        }
        self.kill();
        None
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.to = None;
        self.kill_group();
        let _ = self.child.wait();
        self.join();
    }

    /// Kills the process and all that it has started; they may have ended meanwhile, which is as good.
    fn kill_group(&self) {
        if let Ok(id) = i32::try_from(self.child.id())
            && let Some(group) = Pid::from_raw(id)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn join(&mut self) {
        // Nobody listens any more, so that no thread waits for room in the queue.
        self.from = sync_channel(0).1;
        if let Some(pumps) = self.pumps.take() {
            pumps.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.to = None;
        if self.pumps.is_some() {
            self.wait();
        }
    }
}
