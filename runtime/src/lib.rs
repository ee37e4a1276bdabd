//! The Tidegate runtime: executes bundles with exactly-once transactions.
//!
//! A task shard is one SQLite database, and a transaction is one SQLite commit ([`store`]). Captures, derivations and
//! materializations are three implementations of [`task::Task`], driven by one loop ([`transaction`]). Everything
//! that is wrong is a [`tidegate_stdlib::bundle::Failure`].

pub mod capture;
pub mod clock;
pub mod combine;
pub mod connector;
pub mod derive;
pub mod engine;
pub mod fixture;
pub mod limits;
pub mod materialize;
pub mod read;
pub mod shuffle;
pub mod store;
pub mod task;
pub mod transaction;
pub mod uuid;
pub mod verify;
pub(crate) mod violation;

pub use tidegate_stdlib::bundle::{Failure, FailureKind};
