//! The process-wide clock that stamps documents.
//!
//! Stamps are strictly increasing across all threads, and never at or below the greatest stamp that the data directory
//! has seen, even when the wall clock was set back. They are whole microseconds as long as the clock runs less than a
//! second ahead of the present; only a longer burst of more than a million documents a second uses the finer ticks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::uuid::Clock;

/// A microsecond, in units of a clock.
const MICROSECOND: u64 = 10 << 4;
/// How far stamps may run ahead of the present in whole microseconds.
const AHEAD_MAX: u64 = 1_000_000 * MICROSECOND;

/// Where the present comes from.
#[derive(Debug)]
enum Present {
    Wall,
    /// Only moves when told to.
    Simulated(AtomicU64),
}

/// Gives the time and draws stamps, each greater than all before.
#[derive(Debug)]
pub struct ProcessClock {
    present: Present,
    last: AtomicU64,
    /// The present when it was last looked at, so that a stamp costs no look at the wall.
    seen: AtomicU64,
}

impl ProcessClock {
    /// The wall clock; no stamp is at or below `greatest`, the greatest one that was ever committed.
    pub fn wall(greatest: Clock) -> Self {
        Self::new(Present::Wall, greatest)
    }

    /// A clock that stands at `start` until [`ProcessClock::advance`] moves it.
    pub fn simulated(start: Clock, greatest: Clock) -> Self {
        Self::new(Present::Simulated(AtomicU64::new(start.0)), greatest)
    }

    fn new(present: Present, greatest: Clock) -> Self {
        Self { present, last: AtomicU64::new(greatest.0), seen: AtomicU64::new(0) }
    }

    /// Whether this clock only moves when told to.
    pub const fn is_simulated(&self) -> bool {
        matches!(self.present, Present::Simulated(_))
    }

    /// The present: above every stamp drawn so far, and above none that is drawn later.
    pub fn now(&self) -> Clock {
        let last = self.raise();
        Clock(self.seen.load(Ordering::Acquire).max(last.saturating_add(1)))
    }

    /// The first stamp of a transaction: the present, or the next stamp when stamps run ahead of it.
    pub fn first_stamp(&self) -> Clock {
        self.raise();
        self.stamp()
    }

    /// The next stamp.
    pub fn stamp(&self) -> Clock {
        let mut last = self.last.load(Ordering::Acquire);
        loop {
            let next = self.after(last);
            match self.last.compare_exchange_weak(last, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Clock(next),
                Err(other) => last = other,
            }
        }
    }

    /// Moves a simulated clock, never back; others move by themselves.
    pub fn advance(&self, to: Clock) {
        if let Present::Simulated(present) = &self.present {
            present.fetch_max(to.0, Ordering::AcqRel);
        }
    }

    /// How long it takes until `clock`; `None` when waiting does not bring it about.
    pub fn until(&self, clock: Clock) -> Option<Duration> {
        if self.is_simulated() {
            return None;
        }
        let nanoseconds = clock.to_unix() - self.now().to_unix();
        Some(Duration::from_nanos(u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX)))
    }

    /// Looks at the present and lifts the last stamp to just below it. Gives the last stamp.
    fn raise(&self) -> u64 {
        let below = self.look().saturating_sub(1);
        self.last.fetch_max(below, Ordering::AcqRel).max(below)
    }

    fn look(&self) -> u64 {
        let present = match &self.present {
            Present::Wall => wall().0,
            Present::Simulated(present) => present.load(Ordering::Acquire),
        };
        self.seen.fetch_max(present, Ordering::AcqRel).max(present)
    }

    fn after(&self, last: u64) -> u64 {
        let aligned = (last / MICROSECOND).saturating_add(1).saturating_mul(MICROSECOND);
        let is_near = |present: u64| aligned <= present.saturating_add(AHEAD_MAX);
        if is_near(self.seen.load(Ordering::Acquire)) || is_near(self.look()) {
            aligned
        } else {
            last.saturating_add(1)
        }
    }
}

fn wall() -> Clock {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Clock::from_unix(i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const START: Clock = Clock(0x1eac_6a39_f295_2f00);

    #[test]
    fn stamps_are_whole_microseconds_above_the_present() {
        let clock = ProcessClock::simulated(START, Clock(0));
        let (first, second) = (clock.first_stamp(), clock.stamp());
        assert!(first >= START);
        assert_eq!(first.0 % MICROSECOND, 0);
        assert_eq!(second.0 - first.0, MICROSECOND);
    }

    #[test]
    fn a_wall_clock_that_was_set_back_does_not_show() {
        let greatest = START.plus_ms(86_400_000);
        let clock = ProcessClock::simulated(START, greatest);
        assert!(clock.now() > greatest);
        assert!(clock.first_stamp() > greatest);
    }

    #[test]
    fn now_lies_between_the_stamps_before_and_after() {
        let clock = ProcessClock::simulated(START, Clock(0));
        let before = clock.stamp();
        let now = clock.now();
        assert!(before < now && now <= clock.stamp());
        clock.advance(START.plus_ms(1));
        assert!(clock.now() >= START.plus_ms(1));
        clock.advance(START);
        assert!(clock.now() >= START.plus_ms(1));
    }

    #[test]
    fn a_burst_runs_ahead_by_a_second_and_then_takes_fine_ticks() {
        let clock = ProcessClock::simulated(START, Clock(0));
        clock.first_stamp();
        let mut last = Clock(0);
        for _ in 0..1_500_000 {
            let stamp = clock.stamp();
            assert!(stamp > last);
            last = stamp;
        }
        assert!(last < START.plus_ms(1_010));
        clock.advance(START.plus_ms(2_000));
        assert_eq!(clock.first_stamp().0 % MICROSECOND, 0);
    }

    #[test]
    fn threads_never_draw_the_same_stamp() {
        let clock = ProcessClock::wall(Clock(0));
        let draw = || (0..1_000).map(|_| clock.stamp()).collect::<Vec<_>>();
        let drawn: Vec<Clock> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
    }
}
