//! The programs that run modules: which there are, and how they are started.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidegate_stdlib::bundle::Derivation;
use tidegate_stdlib::lambda::typescript::ScriptEngine;
use tidegate_stdlib::limits::SCRIPT_MEMORY_BYTES_MAX;

use crate::limits::SCRIPT_SECONDS_MAX;
use crate::process::{Process, Program};

const NODE: &str = concat!(include_str!("node.js"), include_str!("begin.js"));
const DENO: &str = concat!(include_str!("deno.js"), include_str!("begin.js"));
/// The first versions that have what is needed of them.
const NODE_VERSION_MIN: Version = [20, 0];
const DENO_VERSION_MIN: Version = [2, 8];
/// What keeps surroundings from changing what a program does, and Deno from keeping anything on the disk.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("NODE_OPTIONS", ""),
    ("NO_COLOR", "1"),
    ("DENO_DIR", "/dev/null"),
    ("DENO_NO_UPDATE_CHECK", "1"),
];

/// Major and minor version.
type Version = [u32; 2];

/// A program of this machine that runs modules.
#[derive(Debug, Clone)]
pub(crate) struct ScriptProgram {
    /// Its name.
    pub(super) name: &'static str,
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    /// How long a call may take.
    pub(super) time_max: Duration,
}

/// Which programs run the modules of which derivations; the others run inside of this process.
#[derive(Debug, Clone, Default)]
pub struct ScriptPrograms {
    by_collection: BTreeMap<String, Arc<ScriptProgram>>,
}

/// A program that is asked for, and is not there or too old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingProgram {
    /// Its name.
    pub name: &'static str,
    /// The first derivation whose module it should run.
    pub collection: String,
    /// What is wrong in plain words, without a full stop.
    pub message: String,
}

impl ScriptPrograms {
    /// Looks for the programs of derivations with modules, where `choose` gives the engine of each.
    ///
    /// # Errors
    /// A program that cannot be used.
    pub fn find<'d>(
        derivations: impl Iterator<Item = &'d Derivation>,
        choose: impl Fn(&str) -> ScriptEngine,
    ) -> Result<Self, MissingProgram> {
        let mut known: BTreeMap<&str, Arc<ScriptProgram>> = BTreeMap::new();
        let mut by_collection = BTreeMap::new();
        for derivation in derivations.filter(|derivation| derivation.module.is_some()) {
            let collection = derivation.collection.clone();
            let engine = choose(&collection);
            if engine == ScriptEngine::QuickJs {
                continue;
            }
            let name = engine.name();
            let program = match known.get(name) {
                Some(program) => Arc::clone(program),
                None => Arc::new(ScriptProgram::find(engine).map_err(|message| {
                    MissingProgram { name, collection: collection.clone(), message }
                })?),
            };
            known.insert(name, Arc::clone(&program));
            by_collection.insert(collection, program);
        }
        Ok(Self { by_collection })
    }

    /// The program of a derivation, if it has one.
    pub(crate) fn of(&self, derivation: &Derivation) -> Option<&ScriptProgram> {
        self.by_collection.get(&derivation.collection).map(Arc::as_ref)
    }
}

impl ScriptProgram {
    /// Asks the program of an engine for its version.
    ///
    /// # Errors
    /// Why it cannot be used, in plain words.
    pub(super) fn find(engine: ScriptEngine) -> Result<Self, String> {
        let name = engine.name();
        let environment = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = BTreeMap::from(environment);
        let version = version(name, &environment)?;
        let (least, command) = match engine {
            ScriptEngine::Deno => (DENO_VERSION_MIN, deno()),
            ScriptEngine::Node | ScriptEngine::QuickJs => (NODE_VERSION_MIN, node(version)),
        };
        if version < least {
            let [major, minor] = version;
            let [least_major, least_minor] = least;
            return Err(format!(
                "`{name}` is of version {major}.{minor}, and {least_major}.{least_minor} or newer is needed"
            ));
        }
        let time_max = Duration::from_secs(SCRIPT_SECONDS_MAX);
        Ok(Self { name, command, environment, time_max })
    }

    /// Starts it.
    pub(super) fn start(&self, directory: &Path) -> Result<Process, String> {
        Process::start(Program {
            command: &self.command,
            environment: &self.environment,
            directory,
            // It watches over calls itself; this is for what it cannot watch over.
            silence_max: self.time_max * 2,
        })
    }
}

/// The version of a program.
fn version(name: &str, environment: &BTreeMap<String, String>) -> Result<Version, String> {
    let command = [name.to_owned(), "--version".to_owned()];
    let silence_max = Duration::from_secs(SCRIPT_SECONDS_MAX);
    let directory = Path::new("/");
    let mut process =
        Process::start(Program { command: &command, environment, directory, silence_max })?;
    let said = process.receive().and_then(crate::process::Heard::into_line);
    let said = said.map_err(|message| format!("`{name}` does not tell its version: {message}"))?;
    let said = String::from_utf8_lossy(&said).into_owned();
    version_in(&said).ok_or_else(|| format!("`{name}` does not tell its version, but `{said}`"))
}

/// The version in a line such as `v20.1.0` or `deno 2.9.6 (stable)`.
fn version_in(line: &str) -> Option<Version> {
    let begin = line.find(|character: char| character.is_ascii_digit())?;
    let mut numbers = line.get(begin..)?.split('.').map(|number| number.parse::<u32>().ok());
    Some([numbers.next()??, numbers.next()??])
}

/// Node.js: modules without files, and no access to files, processes and, from 25 on, the network.
fn node(version: Version) -> Vec<String> {
    let permission = match version {
        [22, minor] if minor >= 13 => "--permission",
        [23, minor] if minor >= 5 => "--permission",
        [major, _] if major >= 24 => "--permission",
        _ => "--experimental-permission",
    };
    let memory = format!("--max-old-space-size={}", SCRIPT_MEMORY_BYTES_MAX >> 20);
    [
        "node",
        "--no-warnings",
        "--experimental-vm-modules",
        "--unhandled-rejections=none",
        permission,
        &memory,
        "--input-type=module",
        "--eval",
        NODE,
    ]
    .map(str::to_owned)
    .into()
}

/// Deno: without a single permission.
fn deno() -> Vec<String> {
    let memory = format!("--v8-flags=--max-old-space-size={}", SCRIPT_MEMORY_BYTES_MAX >> 20);
    let script = format!("data:text/javascript;base64,{}", STANDARD.encode(DENO));
    [
        "deno",
        "run",
        "--quiet",
        "--no-prompt",
        "--no-config",
        "--no-lock",
        "--no-npm",
        "--no-remote",
        "--no-code-cache",
        &memory,
        &script,
    ]
    .map(str::to_owned)
    .into()
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_are_read() {
        assert_eq!(version_in("v20.20.2"), Some([20, 20]));
        assert_eq!(version_in("deno 2.9.6 (stable, release)"), Some([2, 9]));
        assert_eq!(version_in("deno"), None);
        assert_eq!(version_in("7"), None);
    }
}
