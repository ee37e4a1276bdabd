//! The command line of Tidegate: all IO, all printing, and the clock.
//!
//! `args` says what can be asked, one file under `commands` does each thing, `terminal` is the only place that prints.
//! Results go to the standard output, progress and logs to the standard error; exit codes are those of [`exit::Exit`].

mod args;
mod catalog;
mod commands;
mod disk;
mod exit;
mod fetch;
mod fix;
mod lock;
mod lsp;
mod panic_report;
mod programs;
mod progress;
mod report;
mod source;
mod terminal;
mod types;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

/// Documents are trees of small allocations that come and go in thousands, for which the allocator of the C library spends a
/// third of a run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Names the failpoint at which this process dies; for crash tests only.
const FAILPOINT: &str = "TIDEGATE_FAILPOINT";

fn main() -> ExitCode {
    panic_report::install();
    if let Ok(name) = std::env::var(FAILPOINT) {
        tidegate_runtime::store::failpoint::set(&name);
    }
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::of_usage(&error),
    };
    let terminal = terminal::Terminal::new(&arguments.global);
    match commands::run(arguments.command, &terminal) {
        Ok(exit) => exit.into(),
        Err(stop) => {
            terminal.stop(&stop);
            stop.exit.into()
        }
    }
}
