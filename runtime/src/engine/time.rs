//! The stamps of a run: the wall clock kept from going back, or a simulated clock that only moves when told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::uuid::Clock;

/// Stamps are whole microseconds, so that a time of publication has no invented digits.
const MICROSECOND: u64 = 160;

/// Gives the time and draws stamps, each greater than all before.
#[derive(Debug)]
pub(crate) struct Time {
    last: AtomicU64,
    /// The present of a simulated clock.
    simulated: Option<AtomicU64>,
}

impl Time {
    /// The wall clock; no stamp is below or at `greatest`, the greatest one that was ever committed.
    pub(crate) fn wall(greatest: Clock) -> Self {
        Self { last: AtomicU64::new(greatest.0), simulated: None }
    }

    /// A clock that stands at `start`, or at `greatest` if that is later.
    pub(crate) fn simulated(start: Clock, greatest: Clock) -> Self {
        let last = greatest.0.max(start.0.saturating_sub(1));
        Self { last: AtomicU64::new(last), simulated: Some(AtomicU64::new(start.0)) }
    }

    /// Whether this clock only moves when told to.
    pub(crate) fn is_simulated(&self) -> bool {
        self.simulated.is_some()
    }

    /// The present: above every stamp drawn so far, and above none that is drawn later.
    pub(crate) fn bound(&self) -> Clock {
        let present = self.present();
        let last = self.last.fetch_max(present.saturating_sub(1), Ordering::AcqRel);
        Clock(present.max(last + 1))
    }

    /// The first stamp of a transaction: the present.
    pub(crate) fn first_stamp(&self) -> Clock {
        let present = self.present().saturating_sub(1);
        self.last.fetch_max(present, Ordering::AcqRel);
        self.stamp()
    }

    /// The next stamp.
    pub(crate) fn stamp(&self) -> Clock {
        let next = |last: u64| (last / MICROSECOND + 1) * MICROSECOND;
        let drawn =
            self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        Clock(next(drawn.unwrap_or_else(|last| last)))
    }

    /// Moves a simulated clock; others move by themselves.
    pub(crate) fn advance(&self, to: Clock) {
        if let Some(present) = &self.simulated {
            present.fetch_max(to.0, Ordering::AcqRel);
        }
    }

    /// How long it takes until `clock`; `None` when waiting does not bring it about.
    pub(crate) fn until(&self, clock: Clock) -> Option<Duration> {
        if self.is_simulated() {
            return None;
        }
        let nanoseconds = clock.to_unix() - self.bound().to_unix();
        Some(Duration::from_nanos(u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX)))
    }

    fn present(&self) -> u64 {
        match &self.simulated {
            Some(present) => present.load(Ordering::Acquire),
            None => wall().0,
        }
    }
}

fn wall() -> Clock {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Clock::from_unix(i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_and_lie_above_every_bound_given_before() {
        for time in [Time::wall(Clock(0)), Time::simulated(Clock(1600), Clock(0))] {
            let mut last = Clock(0);
            for _ in 0..1000 {
                let bound = time.bound();
                assert!(bound > last);
                last = time.stamp();
                assert!(last >= bound);
                assert_eq!(last.0 % MICROSECOND, 0);
            }
        }
    }

    #[test]
    fn stamps_go_on_behind_the_greatest_one_on_record() {
        let future = Clock(u64::MAX / 2);
        assert!(Time::wall(future).first_stamp() > future);
        assert!(Time::simulated(Clock(1600), future).first_stamp() > future);
    }

    #[test]
    fn a_simulated_clock_stands_until_it_is_moved() {
        let time = Time::simulated(Clock(16_000), Clock(0));
        assert_eq!(time.first_stamp(), Clock(16_000));
        assert_eq!(time.stamp(), Clock(16_160));
        time.advance(Clock(32_000));
        assert_eq!(time.first_stamp(), Clock(32_000));
        assert_eq!(time.until(Clock(64_000)), None);
    }
}
