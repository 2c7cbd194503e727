//! Thresholds of all detectors.

use super::{
    FanOutSettings, LatencyFloorSettings, NPlusOneSettings, RetryWithoutBackoffSettings,
    SequentialCallsSettings, WorkAfterGivingUpSettings,
};

/// Thresholds of all detectors, and what the what-if model assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Findings of a trace at most, and of a detector in it; the worst are kept.
    pub findings_max: usize,
    /// What each item of a batch adds to the longest of the calls it replaces, 20 us.
    pub batch_item_ns: i64,
    /// How many calls a caller is assumed to have under way at a time, 10.
    pub parallel_calls: usize,
    /// See [`NPlusOne`](super::NPlusOne).
    pub n_plus_one: NPlusOneSettings,
    /// See [`FanOut`](super::FanOut).
    pub fan_out: FanOutSettings,
    /// See [`SequentialCalls`](super::SequentialCalls).
    pub sequential_calls: SequentialCallsSettings,
    /// See [`LatencyFloor`](super::LatencyFloor).
    pub latency_floor: LatencyFloorSettings,
    /// See [`RetryWithoutBackoff`](super::RetryWithoutBackoff).
    pub retry_without_backoff: RetryWithoutBackoffSettings,
    /// See [`WorkAfterGivingUp`](super::WorkAfterGivingUp).
    pub work_after_giving_up: WorkAfterGivingUpSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            findings_max: 100,
            batch_item_ns: 20_000,
            parallel_calls: 10,
            n_plus_one: NPlusOneSettings::default(),
            fan_out: FanOutSettings::default(),
            sequential_calls: SequentialCallsSettings::default(),
            latency_floor: LatencyFloorSettings::default(),
            retry_without_backoff: RetryWithoutBackoffSettings::default(),
            work_after_giving_up: WorkAfterGivingUpSettings::default(),
        }
    }
}
