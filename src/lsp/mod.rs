//! The language server: what an editor asks and is told, over the standard input and output.
//!
//! One loop owns all state of the conversation; one worker compiles. Every answer comes from the newest [`Snapshot`], by the
//! functions of `tidegate_compiler::ide`; here are only the protocol, the open texts and the disk.
//!
//! [`Snapshot`]: tidegate_compiler::session::Snapshot

mod answers;
mod main_loop;
mod overlay;
mod pages;
mod protocol;
mod to_proto;
mod transport;
mod workspace;

pub(crate) use main_loop::run;
