//! What the two clocks of a machine show, and how a step of the wall clock is told from drift.
//!
//! The wall clock may be set; the monotonic one cannot. Between two readings both advance alike,
//! but for what a daemon slews; more than that is a step.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The highest reading a clock takes for true, in nanoseconds since the Unix epoch (the year 2225).
/// It leaves 2^60 ticks before a hybrid logical clock could leave its range.
const WALL_NS_MAX: i64 = i64::MAX - (1 << 60);
/// How far wall and monotonic clock may come apart at once: reading both is not atomic.
const STEP_NS: u64 = 250_000;
/// The same where the wall clock shows whole milliseconds only.
const STEP_COARSE_NS: u64 = 5_000_000;
/// How much more per elapsed nanosecond: 1000 ppm, twice what NTP may slew.
const SLEW_PER: u64 = 1000;
const COARSE_NS: i64 = 1_000_000;

/// The wall clock and the monotonic clock at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Nanoseconds since the Unix epoch.
    pub wall_ns: i64,
    /// Nanoseconds since a moment that does not change while the process runs; not negative.
    pub monotonic_ns: i64,
}

/// Where readings come from. A source without a monotonic clock gives the wall clock twice; its
/// steps are then not noticed.
pub type ReadingSource = Arc<dyn Fn() -> Reading + Send + Sync>;

impl Reading {
    /// The clocks of this machine.
    pub fn system() -> ReadingSource {
        let origin = Instant::now();
        Arc::new(move || {
            let (monotonic, wall) = (Instant::now(), SystemTime::now());
            let since_epoch = wall.duration_since(SystemTime::UNIX_EPOCH);
            Self {
                wall_ns: since_epoch.map_or(0, nanoseconds),
                monotonic_ns: nanoseconds(monotonic.duration_since(origin)),
            }
        })
    }

    /// Brought into the range that clocks compute with, where no difference overflows.
    pub(crate) fn in_range(self) -> Self {
        Self { wall_ns: self.wall_ns.clamp(1, WALL_NS_MAX), monotonic_ns: self.monotonic_ns.max(0) }
    }

    /// How far the wall clock is ahead of the monotonic one.
    pub(crate) fn difference_ns(self) -> i64 {
        self.wall_ns - self.monotonic_ns
    }

    /// Whether the wall clock was set between `earlier` and this reading.
    pub(crate) fn stepped_since(self, earlier: Self) -> bool {
        let apart_ns = self.difference_ns().abs_diff(earlier.difference_ns());
        // Every tick comes by here; nearly all of them go no further.
        if apart_ns <= STEP_NS {
            return false;
        }
        let is_coarse = (self.wall_ns % COARSE_NS, earlier.wall_ns % COARSE_NS) == (0, 0);
        let at_once_ns = if is_coarse { STEP_COARSE_NS } else { STEP_NS };
        let elapsed_ns = self.monotonic_ns.abs_diff(earlier.monotonic_ns);
        apart_ns > at_once_ns + elapsed_ns / SLEW_PER
    }
}

/// Unlike `Duration::as_nanos` without 128 bits, which cost a twentieth of a tick.
fn nanoseconds(duration: Duration) -> i64 {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_NS: i64 = 1_780_000_000_000_000_001;

    fn stepped(wall_passed_ns: i64, monotonic_passed_ns: i64, start_ns: i64) -> bool {
        let before = Reading { wall_ns: start_ns, monotonic_ns: 7 };
        let after =
            Reading { wall_ns: start_ns + wall_passed_ns, monotonic_ns: 7 + monotonic_passed_ns };
        after.stepped_since(before)
    }

    #[test]
    fn a_step_is_more_than_a_quarter_of_a_millisecond() {
        assert!(!stepped(250_000, 0, START_NS));
        assert!(stepped(250_001, 0, START_NS));
        assert!(!stepped(-250_000, 0, START_NS));
        assert!(stepped(-250_001, 0, START_NS));
    }

    #[test]
    fn slewing_is_no_step() {
        // In 10 s a wall clock may gain or lose 10 ms.
        assert!(!stepped(10_010_250_000, 10_000_000_000, START_NS));
        assert!(stepped(10_010_250_001, 10_000_000_000, START_NS));
        assert!(!stepped(9_989_750_000, 10_000_000_000, START_NS));
        assert!(stepped(9_989_749_999, 10_000_000_000, START_NS));
    }

    #[test]
    fn a_wall_clock_of_milliseconds_has_more_room() {
        let start_ns = START_NS - 1;
        assert!(!stepped(5_000_000, 0, start_ns));
        assert!(stepped(6_000_000, 0, start_ns));
        // One reading that is no whole millisecond shows that the clock is a fine one.
        assert!(stepped(4_000_001, 0, start_ns));
    }

    #[test]
    fn the_clocks_of_the_machine_advance_in_step() {
        let read = Reading::system();
        let (first, second) = (read(), read());
        assert!(second.monotonic_ns >= first.monotonic_ns);
        let since_epoch = SystemTime::UNIX_EPOCH.elapsed().expect("it is past 1970");
        // Nobody reads this at a time that is a minute off, even if the clock is set meanwhile.
        assert!(
            since_epoch.as_nanos().abs_diff(first.wall_ns.unsigned_abs().into()) < 60_000_000_000
        );
    }

    #[test]
    fn absurd_readings_are_brought_into_range() {
        for extreme in [i64::MIN, -1, 0, i64::MAX] {
            let reading = Reading { wall_ns: extreme, monotonic_ns: extreme }.in_range();
            assert!((1..=WALL_NS_MAX).contains(&reading.wall_ns));
            assert!(!reading.stepped_since(reading));
            let mixed = Reading { wall_ns: i64::MAX, monotonic_ns: extreme }.in_range();
            assert_eq!(mixed.difference_ns() + mixed.monotonic_ns, WALL_NS_MAX);
        }
    }
}
