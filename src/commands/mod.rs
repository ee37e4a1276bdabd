//! The commands, one file each.

mod build;
mod check;
mod dump;
mod explain;
mod generate;
mod interface;
mod lineage;
mod lsp;
mod new;
mod preview;
mod read;
mod run;
mod schema;
mod test;

use crate::args::Command;
use crate::exit::{Exit, Stop};
use crate::terminal::Terminal;

/// Does what was asked.
pub(crate) fn run(command: Command, terminal: &Terminal) -> Result<Exit, Stop> {
    match command {
        Command::New(arguments) => new::run(&arguments, terminal),
        Command::Check(arguments) => check::run(&arguments, terminal),
        Command::Build(arguments) => build::run(&arguments, terminal),
        Command::Test(arguments) => test::run(&arguments, terminal),
        Command::Preview(arguments) => preview::run(&arguments, terminal),
        Command::Run(arguments) => run::run(&arguments, terminal),
        Command::Read(arguments) => read::run(&arguments, terminal),
        Command::Generate(arguments) => generate::run(&arguments, terminal),
        Command::Lineage(arguments) => lineage::run(&arguments, terminal),
        Command::Lsp => lsp::run(),
        Command::Explain(arguments) => explain::run(&arguments, terminal),
        Command::Schema(arguments) => schema::run(&arguments, terminal),
        Command::Dump(arguments) => dump::run(&arguments, terminal),
        Command::Completions(arguments) => Ok(interface::complete(&arguments, terminal)),
        Command::Man => Ok(interface::manual(terminal)),
    }
}
