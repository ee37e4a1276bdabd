//! The one integration-test binary: every heading, page, corpus entry and rule of style is a test of its own name.
//!
//! `cargo test` runs all; `cargo test NAME` those whose name contains NAME; `UPDATE=1 cargo test` accepts what goldens and
//! transcripts show now.

mod cli;
mod fetch;
mod fuzz;
mod lsp;
mod markdown;
mod run;
mod suite;
mod tidy;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let mut trials = tidy::tests();
    trials.extend(run::tests());
    trials.extend(fuzz::tests());
    trials.extend(cli::tests());
    trials.extend(fetch::tests());
    trials.extend(lsp::tests());
    trials.extend(suite::tests());
    trials.sort_by(|left, right| left.name().cmp(right.name()));
    libtest_mimic::run(&arguments, trials).exit();
}
