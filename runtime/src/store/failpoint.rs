//! Named places at which a process dies on purpose, so that crash tests can look at what it left behind.
//!
//! Nothing is armed unless [`set`] is called, which only the binary does at its start; an unarmed failpoint costs one
//! load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

struct Armed {
    name: String,
    passes_left: AtomicU64,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms one failpoint for the rest of the process, which dies when it comes there: `name`, or `name:n` to let it pass
/// `n` times before. Later calls have no effect.
pub fn set(name: &str) {
    let (name, passes) = name.split_once(':').unwrap_or((name, "0"));
    let passes_left = AtomicU64::new(passes.parse().unwrap_or(0));
    ARMED.get_or_init(|| Armed { name: name.to_owned(), passes_left });
}

/// Dies, as by SIGKILL, when this failpoint is armed and has let pass what it should.
pub fn reached(name: &str) {
    let Some(armed) = ARMED.get() else { return };
    if armed.name != name {
        return;
    }
    let left = armed
        .passes_left
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
    if left.is_err() {
        std::process::abort();
    }
}
