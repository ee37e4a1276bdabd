//! The type checkers that there are: how they are run, and how they tell errors.

use std::path::{Component, Path, PathBuf};
use std::process::{Command, Output};

use tidegate_compiler::explain::TypeError;
use url::Url;

use super::workshop::Workshop;
use crate::exit::Stop;

/// Where projects keep programs.
const PROJECT_PROGRAMS: &str = "node_modules/.bin";
/// What both say of names that a browser or a program has: the library is not the user's to change.
const ADVICE: &str = " Do you need to change your target library?";

/// A type checker that was found.
#[derive(Debug, Clone)]
pub(crate) struct Checker {
    kind: Kind,
    program: PathBuf,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tsc,
    Deno,
}

impl Kind {
    const fn program(self) -> &'static str {
        match self {
            Self::Tsc => "tsc",
            Self::Deno => "deno",
        }
    }
}

impl Checker {
    /// The type checker of the project, else the one among the programs of the machine: `tsc`, or else `deno`.
    pub(super) fn find(root: &Path) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let of_projects = root.ancestors().map(|directory| directory.join(PROJECT_PROGRAMS));
        let places: Vec<PathBuf> = of_projects.chain(std::env::split_paths(&path)).collect();
        [Kind::Tsc, Kind::Deno].into_iter().find_map(|kind| {
            let mut programs = places.iter().map(|place| place.join(kind.program()));
            let program = programs.find(|program| program.is_file())?;
            Some(Self { kind, program })
        })
    }

    /// What people call it.
    pub(crate) const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Tsc => "tsc",
            Kind::Deno => "deno check",
        }
    }

    /// Has it check modules.
    pub(super) fn run(
        &self,
        workshop: &Workshop,
        modules: &[PathBuf],
        root: &Path,
    ) -> Result<Output, Stop> {
        let mut command = Command::new(&self.program);
        match self.kind {
            Kind::Tsc => {
                command.arg("--project").arg(workshop.settings_of_tsc(modules)?);
                command.args(["--pretty", "false"]);
            }
            Kind::Deno => {
                // Nothing is fetched, and nothing is kept on the disk.
                command.args(["check", "--quiet", "--no-lock", "--no-npm", "--no-remote"]);
                command.arg("--config").arg(workshop.settings_of_deno()?).args(modules);
                command.env("DENO_DIR", "/dev/null").env("NO_COLOR", "1");
            }
        }
        command.current_dir(root);
        command.output().map_err(|error| Stop::file("run", &self.program, &error))
    }

    /// The errors in what it has said, each with its file.
    pub(super) fn read(&self, output: &Output, root: &Path) -> Vec<(Url, TypeError)> {
        let checker = self.name();
        match self.kind {
            Kind::Tsc => read_tsc(&String::from_utf8_lossy(&output.stdout), checker, root),
            Kind::Deno => read_deno(&String::from_utf8_lossy(&output.stderr), checker),
        }
    }

    /// What to tell when it has failed without an error in a module.
    pub(super) fn did_nothing(&self, output: &Output) -> Stop {
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let mut lines = out.lines().chain(err.lines()).map(str::trim);
        let said = lines.find(|line| !line.is_empty()).unwrap_or("nothing");
        let message = format!("`{}` did not check anything: {said}", self.program.display());
        Stop::environment(message).help("run it by itself to see why")
    }
}

/// What `tsc` prints: `path(line,column): error TS1: message`, each with indented lines below it.
fn read_tsc(text: &str, checker: &'static str, root: &Path) -> Vec<(Url, TypeError)> {
    let mut errors: Vec<(Url, TypeError)> = Vec::new();
    for line in text.lines() {
        if line.starts_with(' ') {
            if let Some((_, last)) = errors.last_mut() {
                last.more.push(line.to_owned());
            }
            continue;
        }
        errors.extend(read_tsc_line(line, checker, root));
    }
    errors
}

fn read_tsc_line(line: &str, checker: &'static str, root: &Path) -> Option<(Url, TypeError)> {
    let (place, said) = line.split_once("): error ")?;
    let (code, message) = said.split_once(": ")?;
    let (path, place) = place.rsplit_once('(')?;
    let (row, column) = place.split_once(',')?;
    let url = Url::from_file_path(straight(&root.join(path))).ok()?;
    Some((url, error(checker, code, message, row, column)?))
}

/// What `deno check` prints: `TS1 [ERROR]: message`, lines that go on, two of an excerpt, then `at url:line:column` and what else there is
/// to say; an empty line between two errors.
fn read_deno(text: &str, checker: &'static str) -> Vec<(Url, TypeError)> {
    let mut errors: Vec<(Url, TypeError)> = Vec::new();
    let mut said: Option<(&str, &str, Vec<&str>)> = None;
    for line in text.lines() {
        if let Some((code, message)) = line.split_once(" [ERROR]: ") {
            said = Some((code, message, Vec::new()));
        } else if let Some(place) = line.trim_start().strip_prefix("at ") {
            let Some((code, message, more)) = said.take() else { continue };
            errors.extend(read_deno_error(checker, code, message, place, more));
        } else if let Some((_, _, more)) = &mut said {
            more.push(line);
        }
    }
    errors
}

fn read_deno_error(
    checker: &'static str,
    code: &str,
    message: &str,
    place: &str,
    mut more: Vec<&str>,
) -> Option<(Url, TypeError)> {
    // The excerpt is shown by us.
    if more.last().is_some_and(|line| line.trim_matches([' ', '~', '^']).is_empty()) {
        more.truncate(more.len().saturating_sub(2));
    }
    let (place, column) = place.rsplit_once(':')?;
    let (url, row) = place.rsplit_once(':')?;
    let mut error = error(checker, code, message, row, column)?;
    error.more = more.into_iter().map(str::to_owned).collect();
    Some((Url::parse(url).ok()?, error))
}

fn error(
    checker: &'static str,
    code: &str,
    message: &str,
    row: &str,
    column: &str,
) -> Option<TypeError> {
    let message = message.split(ADVICE).next().unwrap_or(message);
    Some(TypeError {
        checker,
        line: row.parse().ok()?,
        column: column.parse().ok()?,
        code: code.to_owned(),
        message: message.to_owned(),
        more: Vec::new(),
    })
}

/// A path without `..`, as URLs want it.
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                straight.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                straight.push(part);
            }
        }
    }
    straight
}
