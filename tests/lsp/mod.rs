//! The language server, by its own protocol.

mod agree;
mod client;
mod manners;

use libtest_mimic::Trial;

/// Comparisons with `check`, and how the server behaves in a conversation.
pub(crate) fn tests() -> Vec<Trial> {
    let mut trials = agree::tests();
    trials.extend(manners::tests());
    trials
}
