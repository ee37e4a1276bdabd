//! TypeScript lambdas: modules without their types, run by QuickJS in this process.
//!
//! A module sees the language, a small set of globals, and nothing of the machine: no files, network, timers or
//! environment. Steps, memory and stack are limited, and counted instead of timed. Random numbers come from a seed, so
//! that a run can be repeated; only the clock that the language itself reads is the real one.
//!
//! That is the engine inside of Tidegate. Programs of the user's can run the same modules instead ([`ScriptEngine`]); what both
//! have in common stands here, and the processes are the runtime's.
//!
//! Documents go in and come out with the meaning that `JSON.parse` and `JSON.stringify` give JSON: a number is a double, a
//! property that is `undefined` is left out.

mod atoms;
mod choice;
mod engine;
mod failure;
mod globals;
mod loader;
mod log;
mod names;
mod state;
mod values;

pub use choice::ScriptEngine;
pub use engine::{Engine, Opening};
pub use failure::{Columns, ScriptFailure, ScriptFailureKind};
pub use globals::PRELUDE;
pub use log::{Log, LogLine};
pub use names::{method_name, source_type_name};
pub use state::StateUpdate;

#[cfg(test)]
mod tests;
