//! The programs of this machine that run TypeScript lambdas, where they are asked for.

use tidegate_compiler::settings::Settings;
use tidegate_runtime::{MissingProgram, ScriptPrograms};
use tidegate_stdlib::bundle::{Bundle, Derivation, Task};
use tidegate_stdlib::lambda::typescript::ScriptEngine;

use crate::exit::Stop;

/// Looks for the programs that the command line and the settings of the project choose, before anything is started. The settings of
/// a task are stronger than the command line, which speaks of all.
pub(crate) fn find_programs(
    bundle: &Bundle,
    js: ScriptEngine,
    settings: &Settings,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<ScriptPrograms, Stop> {
    let derivations = bundle.tasks.values().filter_map(|task| match task {
        Task::Derivation(derivation) => Some(derivation),
        Task::Capture(_) | Task::Materialization(_) => None,
    });
    let wanted = derivations.filter(|derivation: &&Derivation| is_wanted(&derivation.collection));
    let choose = |task: &str| settings.engines.get(task).map_or(js, |(engine, _)| *engine);
    ScriptPrograms::find(wanted, choose).map_err(|missing| {
        let MissingProgram { name, collection, message } = missing;
        Stop::environment(format!("the module of `{collection}` cannot be run: {message}"))
            .help(format!("install `{name}`, or run the module inside of Tidegate: --js quickjs"))
    })
}
