//! How fast maintenance may go: a share of one core, and second to the spans that come in.

use std::time::{Duration, Instant};

/// Longest sleep before the end of the process is noticed.
const SLEEP_MAX: Duration = Duration::from_millis(20);

/// Least share of a core, so that pauses stay finite.
const SHARE_MIN: f64 = 0.01;

/// What a merge does between two pieces of work.
pub(crate) struct Pace<'a> {
    share: f64,
    is_stopped: &'a dyn Fn() -> bool,
    is_crowded: &'a dyn Fn() -> bool,
    since: Instant,
    busy: Duration,
}

/// The process is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl<'a> Pace<'a> {
    /// Works for `share` of the time, ends when `is_stopped`, waits while `is_crowded`.
    pub(crate) fn new(
        share: f64,
        is_stopped: &'a dyn Fn() -> bool,
        is_crowded: &'a dyn Fn() -> bool,
    ) -> Self {
        let share = share.clamp(SHARE_MIN, 1.0);
        Self { share, is_stopped, is_crowded, since: Instant::now(), busy: Duration::ZERO }
    }

    /// Call after each piece of work.
    pub(crate) fn rest(&mut self) -> Result<(), Stopped> {
        let worked = self.since.elapsed();
        self.busy += worked;
        let mut pause = worked.mul_f64(1.0 / self.share - 1.0);
        loop {
            if (self.is_stopped)() {
                return Err(Stopped);
            }
            if pause.is_zero() && !(self.is_crowded)() {
                break;
            }
            let nap = if pause.is_zero() { SLEEP_MAX } else { pause.min(SLEEP_MAX) };
            std::thread::sleep(nap);
            pause = pause.saturating_sub(nap);
        }
        self.since = Instant::now();
        Ok(())
    }

    /// Time worked so far, pauses left out.
    pub(crate) fn busy(&self) -> Duration {
        self.busy + self.since.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_crowd_is_waited_for_and_a_stop_ends_the_wait() {
        let asked = Cell::new(0);
        let crowded = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        assert_eq!(Pace::new(1.0, &|| false, &crowded).rest(), Ok(()));
        assert_eq!(asked.get(), 3);
        assert_eq!(Pace::new(1.0, &|| true, &|| true).rest(), Err(Stopped));
    }
}
