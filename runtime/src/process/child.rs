//! Starting a process.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Program;

/// Starts it with pipes, in a group of its own.
pub(super) fn start(program: Program<'_>) -> Result<Child, String> {
    let Some((name, arguments)) = program.command.split_first() else {
        return Err("the command is empty".to_owned());
    };
    // Otherwise a relative path would be looked up from where this program runs.
    let path = Path::new(name);
    let path = if name.contains('/') { program.directory.join(path) } else { path.to_owned() };
    let mut command = Command::new(path);
    command
        .args(arguments)
        .envs(program.environment)
        .current_dir(program.directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    end_with_parent(&mut command);
    command.spawn().map_err(|error| format!("`{name}` cannot be started: {error}"))
}

/// Has the system kill the process when the thread that starts it ends, in whatever way.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "only the child itself can ask for this, before it becomes another program"
)]
fn end_with_parent(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};

    let ask = || set_parent_process_death_signal(Some(Signal::KILL)).map_err(Into::into);
    // SAFETY: between the fork and the other program only one system call is made, without any allocation or lock.
    unsafe {
        command.pre_exec(ask);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_: &mut Command) {}
