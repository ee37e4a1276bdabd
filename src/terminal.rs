//! The only place that prints.

#![expect(clippy::print_stderr, reason = "everything is printed here")]

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use serde_json::{Value, json};
use tidegate_compiler::diag::render::Style;

use crate::args::{Color, Global, LogFormat};
use crate::exit::{Exit, Stop};

/// What is printed where, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    quiet: bool,
    log_format: LogFormat,
    color_out: bool,
    color_log: bool,
    unicode: bool,
    width: usize,
    log_is_terminal: bool,
}

impl Terminal {
    /// The terminal as the options and the environment describe it.
    pub(crate) fn new(options: &Global) -> Self {
        match options.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        let wanted = |choice| choice != ColorChoice::Never;
        let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        Self {
            quiet: options.quiet,
            log_format: options.log_format,
            color_out: wanted(AutoStream::choice(&std::io::stdout())),
            color_log: wanted(AutoStream::choice(&std::io::stderr())),
            unicode: locale_is_unicode(),
            width: width.clamp(40, 160),
            log_is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// The style of what goes to the standard output.
    pub(crate) fn style(&self) -> Style {
        Style { color: self.color_out, unicode: self.unicode, width: self.width }
    }

    /// The style of what goes to the standard error.
    pub(crate) fn log_style(&self) -> Style {
        Style { color: self.color_log, ..self.style() }
    }

    /// Whether progress may be redrawn in place.
    pub(crate) fn is_interactive(&self) -> bool {
        self.log_is_terminal && !self.quiet && self.log_format == LogFormat::Text
    }

    /// How logs are written.
    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// Whether only results and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes a result to the standard output, as it is.
    pub(crate) fn result(&self, text: &str) {
        self.result_bytes(text.as_bytes());
    }

    /// Writes a result to the standard output, as it is. A closed pipe ends the process quietly: its reader has
    /// seen enough. Anything else, such as a full disk, ends it with a message: what is missing must not look whole.
    pub(crate) fn result_bytes(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) else { return };
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        self.stop(&Stop::file("write", Path::new("standard output"), &error));
        std::process::exit(i32::from(Exit::Environment.code()));
    }

    /// Writes a line of result.
    pub(crate) fn line(&self, text: &str) {
        self.result(&format!("{text}\n"));
    }

    /// Begins a new screen, if there is one.
    pub(crate) fn clear(&self) {
        if std::io::stdout().is_terminal() {
            self.result("\u{1b}[2J\u{1b}[3J\u{1b}[H");
        }
    }

    /// Writes a line for people to the standard error, unless they want quiet or logs are for machines.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet && self.log_format == LogFormat::Text {
            eprintln!("{text}");
        }
    }

    /// Writes text for people to the standard error, as it is, also when quiet is wanted.
    pub(crate) fn alert(&self, text: &str) {
        eprint!("{text}");
    }

    /// Writes one event for machines to the standard error.
    pub(crate) fn event(&self, event: &Value) {
        eprintln!("{event}");
    }

    /// Says why the command cannot go on.
    pub(crate) fn stop(&self, stop: &Stop) {
        if self.log_format == LogFormat::Json {
            let event = json!({"event": "error", "message": stop.message, "help": stop.help});
            return self.event(&event);
        }
        let (bold, red, cyan, reset) = self.codes(self.color_log);
        eprintln!("{bold}{red}error{reset}{bold}: {}{reset}", stop.message);
        if let Some(help) = &stop.help {
            eprintln!("{bold}{cyan}help{reset}: {help}");
        }
    }

    /// `text` in green, when colours are wanted on the standard output.
    pub(crate) fn good(&self, text: &str) -> String {
        self.painted("\u{1b}[32m", text)
    }

    /// `text` in red, when colours are wanted on the standard output.
    pub(crate) fn bad(&self, text: &str) -> String {
        self.painted("\u{1b}[31m", text)
    }

    /// The mark of something that went well.
    pub(crate) fn check_mark(&self) -> String {
        self.good(if self.unicode { "✓" } else { "ok" })
    }

    /// The mark of something that did not.
    pub(crate) fn cross_mark(&self) -> String {
        self.bad(if self.unicode { "✗" } else { "!!" })
    }

    /// What stands between items of a line.
    pub(crate) fn dot(&self) -> &'static str {
        if self.unicode { " · " } else { ", " }
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.color_out { format!("{code}{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn codes(&self, color: bool) -> (&'static str, &'static str, &'static str, &'static str) {
        if color {
            ("\u{1b}[1m", "\u{1b}[31m", "\u{1b}[36m", "\u{1b}[0m")
        } else {
            ("", "", "", "")
        }
    }
}

fn locale_is_unicode() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}
