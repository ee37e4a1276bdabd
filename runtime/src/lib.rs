//! The Tidegate runtime: executes bundles with exactly-once transactions.
//!
//! A task shard is one SQLite database, and a transaction is one SQLite commit ([`store`]). Captures, derivations and
//! materializations are three implementations of one trait, driven by one loop. Everything
//! that is wrong is a [`tidegate_stdlib::bundle::Failure`].

mod capture;
pub mod clock;
mod combine;
pub mod connector;
mod derive;
pub mod engine;
pub mod files;
mod fixture;
mod ingest;
mod lambdas;
pub mod limits;
mod materialize;
mod process;
pub mod read;
mod shuffle;
mod stamp;
pub mod store;
mod task;
mod transaction;
pub mod uuid;
pub mod verify;
pub(crate) mod violation;

pub use lambdas::{MissingProgram, ScriptPrograms};
pub use tidegate_stdlib::bundle::{Failure, FailureKind};
