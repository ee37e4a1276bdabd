//! Bugs of ours: a report in a file instead of a trace on the screen.

#![expect(clippy::print_stderr, reason = "the terminal may be what failed")]

use std::backtrace::Backtrace;

/// What a process that met a bug of ours ends with.
const INTERNAL_BUG: i32 = 101;

/// From now on a panic of any thread writes a report, says where it is, and ends the process: what a panicking task has
/// not committed is as if it had never been.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|information| {
        let report = format!(
            "tidegate {}\n\n{information}\n\narguments: {:?}\n\n{}\n",
            env!("CARGO_PKG_VERSION"),
            std::env::args().collect::<Vec<_>>(),
            Backtrace::force_capture(),
        );
        let path = std::env::temp_dir().join(format!("tidegate-bug-{}.txt", std::process::id()));
        eprintln!("error[internal-error]: this is a bug of tidegate, not of your catalog");
        match std::fs::write(&path, &report) {
            Ok(()) => eprintln!("a report was written to `{}`; please send it", path.display()),
            Err(_) => eprintln!("{report}"),
        }
        std::process::exit(INTERNAL_BUG);
    }));
}
