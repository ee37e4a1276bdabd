//! Doing something again whenever the files it read change.
//!
//! Files are looked at a few times a second, which works on every file system and for every editor. Changes that come in a row make one
//! round: the next begins when two looks in a row see the same.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::disk::CachedDisk;
use crate::exit::{Exit, Stop};
use crate::report::plural;
use crate::terminal::Terminal;

/// Time between two looks at the files.
const INTERVAL: Duration = Duration::from_millis(100);

/// Does a round of work, and another one after each change of what it read, until the user interrupts. What goes wrong in a round
/// is shown, and the next round may go well; without any file there is nothing to wait for.
pub(crate) fn watch(
    terminal: &Terminal,
    mut round: impl FnMut(&CachedDisk) -> Result<Exit, Stop>,
) -> Result<Exit, Stop> {
    let (interrupt, interrupted) = channel();
    let handler = move || {
        // The receiver lives until this function is left, and the process with it.
        let _ = interrupt.send(());
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Stop::environment(format!("cannot wait for Ctrl-C: {error}")))?;
    let disk = CachedDisk::default();
    loop {
        disk.begin_round();
        terminal.clear();
        let result = round(&disk);
        let count = disk.stamps_read().len();
        match result {
            Err(stop) if count == 0 => return Err(stop),
            Err(stop) => terminal.stop(&stop),
            Ok(_) => {}
        }
        terminal.note(&format!("  Watching {}, Ctrl-C ends", plural(count, "file")));
        if wait_for_change(&disk, &interrupted) {
            return Ok(Exit::Interrupted);
        }
    }
}

/// Waits until the files have changed and stay as they are; whether the user interrupted.
fn wait_for_change(disk: &CachedDisk, interrupted: &Receiver<()>) -> bool {
    let mut seen = disk.stamps_read();
    let mut has_changed = false;
    loop {
        let now = disk.stamps_now();
        let is_still = now == seen;
        if is_still && has_changed {
            return false;
        }
        has_changed |= !is_still;
        seen = now;
        if interrupted.recv_timeout(INTERVAL).is_ok() {
            return true;
        }
    }
}
