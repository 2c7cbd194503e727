//! Thresholds of all detectors.

use super::{
    DuplicateExecutionSettings, ErrorOriginSettings, FanOutSettings, ImpossibleOrderSettings,
    LargePayloadSettings, LatencyFloorSettings, MissingTimeoutSettings, NPlusOneSettings,
    PlaintextCallSettings, QueueWaitSettings, RetryStormSettings, RetryWithoutBackoffSettings,
    SecretInSpanSettings, SequentialCallsSettings, WorkAfterGivingUpSettings,
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
    /// See [`ErrorOrigin`](super::ErrorOrigin).
    pub error_origin: ErrorOriginSettings,
    /// See [`DuplicateExecution`](super::DuplicateExecution).
    pub duplicate_execution: DuplicateExecutionSettings,
    /// See [`RetryStorm`](super::RetryStorm).
    pub retry_storm: RetryStormSettings,
    /// See [`MissingTimeout`](super::MissingTimeout).
    pub missing_timeout: MissingTimeoutSettings,
    /// See [`LargePayload`](super::LargePayload).
    pub large_payload: LargePayloadSettings,
    /// See [`SecretInSpan`](super::SecretInSpan).
    pub secret_in_span: SecretInSpanSettings,
    /// See [`PlaintextCall`](super::PlaintextCall).
    pub plaintext_call: PlaintextCallSettings,
    /// See [`QueueWait`](super::QueueWait).
    pub queue_wait: QueueWaitSettings,
    /// See [`ImpossibleOrder`](super::ImpossibleOrder).
    pub impossible_order: ImpossibleOrderSettings,
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
            error_origin: ErrorOriginSettings::default(),
            duplicate_execution: DuplicateExecutionSettings::default(),
            retry_storm: RetryStormSettings::default(),
            missing_timeout: MissingTimeoutSettings::default(),
            large_payload: LargePayloadSettings::default(),
            secret_in_span: SecretInSpanSettings::default(),
            plaintext_call: PlaintextCallSettings::default(),
            queue_wait: QueueWaitSettings::default(),
            impossible_order: ImpossibleOrderSettings::default(),
        }
    }
}
