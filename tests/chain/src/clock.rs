//! A clock that is wrong in a known way, made from the monotonic clock of the machine, which all
//! processes share.

use std::time::{Duration, SystemTime};

use causeway_hlc::{Reading, ReadingSource};
use rustix::time::{ClockId, clock_gettime};

use crate::Settings;

/// Nanoseconds since the machine was started, the same in every process.
pub(crate) fn monotonic_ns() -> i64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrongClock {
    /// What it shows at 0, but for drift.
    origin_ns: i64,
    drift_ppb: i64,
    drift_from_ns: i64,
    step_ns: i64,
    step_at_ns: i64,
}

impl WrongClock {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            origin_ns: settings.origin_ns + settings.offset_ns,
            drift_ppb: settings.drift_ppb,
            drift_from_ns: settings.drift_from_ns,
            step_ns: settings.step_ns,
            step_at_ns: settings.step_at_ns,
        }
    }

    /// What it shows at a moment of the monotonic clock.
    fn wall_ns(self, monotonic_ns: i64) -> i64 {
        let drifted = i128::from(monotonic_ns - self.drift_from_ns) * i128::from(self.drift_ppb);
        let drifted = i64::try_from(drifted / 1_000_000_000).unwrap_or(0);
        let stepped = if monotonic_ns >= self.step_at_ns { self.step_ns } else { 0 };
        self.origin_ns + monotonic_ns + drifted + stepped
    }

    /// The same as a claimed time of a span.
    pub(crate) fn time(self, monotonic_ns: i64) -> SystemTime {
        let wall_ns = u64::try_from(self.wall_ns(monotonic_ns)).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_nanos(wall_ns)
    }

    /// For the hybrid logical clock.
    pub(crate) fn readings(self) -> ReadingSource {
        std::sync::Arc::new(move || {
            let monotonic_ns = monotonic_ns();
            Reading { wall_ns: self.wall_ns(monotonic_ns), monotonic_ns }
        })
    }
}
