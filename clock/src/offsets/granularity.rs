//! In which steps a clock counts, told from its readings.
//!
//! A clock that counts in milliseconds shows up to one less than it is, which would make bounds too tight. As long as
//! every reading is a whole millisecond the clock is taken for one that counts in them: erring this way only widens.

/// Readings after which the step is worth reporting.
const READINGS_MIN: u64 = 20;
const MILLISECOND_NS: i64 = 1_000_000;
const MICROSECOND_NS: i64 = 1_000;

/// The step of one clock, as far as readings tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Granularity {
    /// How many readings there were.
    pub readings: u64,
    /// Whether one was not a whole millisecond.
    pub below_millisecond: bool,
    /// Whether one was not a whole microsecond.
    pub below_microsecond: bool,
}

impl Granularity {
    /// Takes a reading into account.
    pub fn add(&mut self, reading_ns: i64) {
        self.merge(Self {
            readings: 1,
            below_millisecond: reading_ns % MILLISECOND_NS != 0,
            below_microsecond: reading_ns % MICROSECOND_NS != 0,
        });
    }

    /// Takes the readings of another part of the same clock into account.
    pub fn merge(&mut self, other: Self) {
        self.readings = self.readings.saturating_add(other.readings);
        self.below_millisecond |= other.below_millisecond;
        self.below_microsecond |= other.below_microsecond;
    }

    /// By how much a reading may be less than what the clock would show if it counted finely.
    pub fn slack_ns(self) -> i64 {
        match self {
            Self { below_microsecond: true, .. } => 0,
            Self { below_millisecond: true, .. } => MICROSECOND_NS,
            _ => MILLISECOND_NS,
        }
    }

    /// The step, once there were enough readings to say so.
    pub fn step_ns(self) -> Option<i64> {
        (self.readings >= READINGS_MIN).then(|| self.slack_ns().max(1))
    }
}
