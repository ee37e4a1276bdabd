//! `completions` and `man`: what shells and readers of manuals want to know of the command line.

use clap::CommandFactory as _;

use crate::args::{Arguments, Completions};
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Prints a script that completes commands.
pub(crate) fn complete(arguments: &Completions, terminal: &Terminal) -> Exit {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    terminal.result_bytes(&script);
    Exit::Fine
}

/// Prints the manual page of the program, then one of each command.
pub(crate) fn manual(terminal: &Terminal) -> Exit {
    let mut command = Arguments::command();
    command.build();
    let mut pages = Vec::new();
    let commands = command.get_subcommands().cloned();
    for command in std::iter::once(command.clone()).chain(commands) {
        let page = clap_mangen::Man::new(command);
        page.render(&mut pages).expect("a buffer takes any text");
    }
    terminal.result_bytes(&pages);
    Exit::Fine
}
