//! Progress of a run: redrawn in place on a terminal, a line each five seconds elsewhere, an event per commit for machines.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;
use tidegate_runtime::Failure;
use tidegate_runtime::engine::{Observer, RenamedRead, TaskReport};
use tidegate_stdlib::bundle::TaskName;
use tidegate_stdlib::lambda::typescript::LogLine;

use crate::args::LogFormat;
use crate::terminal::Terminal;

/// Time between two lines of progress where they cannot be redrawn.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows what tasks commit.
#[derive(Debug)]
pub(crate) struct Progress<'t> {
    terminal: &'t Terminal,
    started: Instant,
    bars: Option<MultiProgress>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_line: Option<Instant>,
    latest: BTreeMap<TaskName, (u64, u64)>,
    bars: BTreeMap<TaskName, ProgressBar>,
    failures: Vec<Failure>,
}

impl<'t> Progress<'t> {
    /// Nothing shown yet.
    pub(crate) fn new(terminal: &'t Terminal) -> Self {
        let bars = terminal.is_interactive().then(MultiProgress::new);
        Self { terminal, started: Instant::now(), bars, state: Mutex::default() }
    }

    /// Clears what was drawn and hands out the failures in the order they happened.
    pub(crate) fn finish(self) -> Vec<Failure> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        for bar in state.bars.values() {
            bar.finish_and_clear();
        }
        state.failures
    }

    /// How long the run has taken.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn draw(&self, bars: &MultiProgress, state: &mut State, name: &TaskName, text: String) {
        let bar = state.bars.entry(name.clone()).or_insert_with(|| {
            let style = ProgressStyle::with_template("  {prefix}  {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = bars.add(ProgressBar::new_spinner().with_style(style));
            bar.set_prefix(name.to_string());
            bar
        });
        bar.set_message(text);
        bar.tick();
    }

    fn print_line(&self, state: &mut State) {
        let now = Instant::now();
        let last = *state.last_line.get_or_insert(self.started);
        if now.duration_since(last) < LINE_INTERVAL {
            return;
        }
        state.last_line = Some(now);
        let tasks: Vec<String> = state
            .latest
            .iter()
            .map(|(name, (taken, given))| format!("{name} {taken} in, {given} out"))
            .collect();
        self.terminal.note(&format!(
            "{:>4} s  {}",
            self.started.elapsed().as_secs(),
            tasks.join("; ")
        ));
    }
}

impl Observer for Progress<'_> {
    fn committed(&self, report: &TaskReport) {
        if self.terminal.log_format() == LogFormat::Json {
            self.terminal.event(&json!({
                "event": "committed", "task": report.name, "kind": report.kind,
                "documents_in": report.documents_in, "documents_out": report.documents_out,
                "bytes_out": report.bytes_out, "transactions": report.transactions,
            }));
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let name = TaskName { kind: report.kind, name: report.name.clone() };
        state.latest.insert(name.clone(), (report.documents_in, report.documents_out));
        match &self.bars {
            Some(bars) => {
                let seconds = self.started.elapsed().as_secs_f64().max(0.001);
                let rate = report.documents_in as f64 / seconds;
                let text = format!(
                    "{} in · {} out · {rate:.0}/s",
                    report.documents_in, report.documents_out
                );
                self.draw(bars, &mut state, &name, text);
            }
            None => self.print_line(&mut state),
        }
    }

    fn reads_from_start(&self, task: &TaskName, read: &RenamedRead) {
        if self.terminal.log_format() == LogFormat::Json {
            self.terminal.event(&json!({
                "event": "reads_from_start", "task": task.name, "kind": task.kind, "read": read.read,
                "collection": read.collection, "before": read.before,
            }));
            return;
        }
        match &self.bars {
            // A line of its own, above those that are redrawn.
            Some(bars) => drop(bars.println(format!("  {read}"))),
            None => self.terminal.note(&format!("  {read}")),
        }
    }

    fn resets(&self, noun: &str, name: &str) {
        if self.terminal.log_format() == LogFormat::Json {
            self.terminal.event(&json!({"event": "resets", "kind": noun, "name": name}));
            return;
        }
        self.terminal.note(&format!("  the {noun} `{name}` is reset"));
    }

    fn warned(&self, warning: &Failure) {
        if self.terminal.log_format() == LogFormat::Json {
            self.terminal.event(&json!({"event": "warned", "failure": warning}));
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures.push(warning.clone());
    }

    fn waiting(&self, task: &TaskName, failure: &Failure) {
        if self.terminal.log_format() == LogFormat::Json {
            self.terminal.event(&json!({
                "event": "waiting", "task": task.name, "kind": task.kind, "failure": failure,
            }));
        }
        let mut text = format!("waits: {}", failure.message);
        for note in &failure.notes {
            text.push_str("; ");
            text.push_str(note);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.bars {
            Some(bars) => self.draw(bars, &mut state, task, text),
            None => self.terminal.note(&format!("{task} {text}")),
        }
    }

    fn logged(&self, task: &TaskName, line: &LogLine) {
        if self.terminal.log_format() == LogFormat::Json {
            return self.terminal.event(&json!({
                "event": "log", "task": task.name, "kind": task.kind, "level": line.level,
                "message": line.text,
            }));
        }
        let text = format!("{task} {}: {}", line.level, line.text);
        match &self.bars {
            Some(bars) => bars.suspend(|| self.terminal.note(&text)),
            None => self.terminal.note(&text),
        }
    }

    fn failed(&self, task: &TaskName, failure: &Failure) {
        if self.terminal.log_format() == LogFormat::Json {
            self.terminal.event(&json!({
                "event": "failed", "task": task.name, "kind": task.kind, "failure": failure,
            }));
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bars) = &self.bars {
            self.draw(bars, &mut state, task, format!("stopped: {}", failure.message));
        } else {
            self.terminal.note(&format!("{task} stopped: {}", failure.message));
        }
        state.failures.push(failure.clone());
    }
}
