//! The language server, by its own protocol.

mod agree;
mod client;
mod literate;
mod manners;
mod neovim;

use libtest_mimic::Trial;

/// Comparisons with `check`, sessions of an editor, and how the server behaves in a conversation.
pub(crate) fn tests() -> Vec<Trial> {
    let mut trials = agree::tests();
    trials.extend(literate::tests());
    trials.extend(manners::tests());
    trials.extend(neovim::tests());
    trials
}
