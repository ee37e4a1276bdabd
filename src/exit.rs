//! Exit codes, and errors of the command line itself.

use std::process::ExitCode;

/// How the process ends; part of the contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything is fine.
    Fine,
    /// Errors in specs, failed tests, a difference.
    Findings,
    /// The command was not understood.
    Usage,
    /// A file, network, database or credential.
    Environment,
    /// A running task failed.
    TaskFailed,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::TaskFailed => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Prints what clap has to say; help and version are no mistakes.
pub(crate) fn of_usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is the only way this fails, and then nobody reads a message.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Fine.into() }
}

/// Why a command cannot go on.
#[derive(Debug)]
pub(crate) struct Stop {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// What is wrong: lower case, no full stop.
    pub(crate) message: String,
    /// What to do, as an imperative.
    pub(crate) help: Option<String>,
}

impl Stop {
    /// The command asks for something that is not there.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: None }
    }

    /// A file or directory refuses.
    pub(crate) fn environment(message: impl Into<String>) -> Self {
        Self { exit: Exit::Environment, message: message.into(), help: None }
    }

    /// The same with what to do.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A file operation failed.
    pub(crate) fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::environment(format!("cannot {action} `{}`: {}", path.display(), io_words(error)))
    }
}

/// An IO error in plain words, without the operating system's number.
pub(crate) fn io_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().collect::<String>() + characters.as_str()
    })
}
