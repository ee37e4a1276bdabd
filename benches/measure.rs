//! What the benches measure with.

#![allow(dead_code, reason = "each bench uses the part that it needs")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often the memory of a running process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What one run of a command took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Seconds from its start to its end.
    pub(crate) seconds: f64,
    /// User and system time of the process and its threads.
    pub(crate) cpu_seconds: f64,
    /// The most memory that it held, in MiB, as far as it was seen.
    pub(crate) peak_mib: f64,
}

/// Runs a command to its successful end.
pub(crate) fn measure(command: &mut Command) -> Measured {
    let (begin, cpu_begin) = (Instant::now(), children_cpu_seconds());
    let mut child = command.stdout(Stdio::null()).spawn().expect("the command can be started");
    let mut peak_kib: f64 = 0.0;
    let status = loop {
        peak_kib = peak_kib.max(peak(&child));
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    assert!(status.success(), "{command:?} ended with {status}");
    Measured {
        seconds: begin.elapsed().as_secs_f64(),
        cpu_seconds: children_cpu_seconds() - cpu_begin,
        peak_mib: peak_kib / 1024.0,
    }
}

/// The run of the middle CPU time.
pub(crate) fn median(mut runs: Vec<Measured>) -> Measured {
    runs.sort_by(|left, right| left.cpu_seconds.total_cmp(&right.cpu_seconds));
    let middle = runs.len() / 2;
    runs.into_iter().nth(middle).expect("there was a run")
}

/// User and system time of the processes that ended so far, from `/proc`; not a number elsewhere than on Linux.
pub(crate) fn children_cpu_seconds() -> f64 {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else { return f64::NAN };
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// The greatest resident size of a running process so far, in KiB; 0 when it is not known.
fn peak(child: &Child) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0.0)
}
