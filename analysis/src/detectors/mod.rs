//! Detectors: which mistakes of distributed systems a trace shows.
//!
//! ```text
//! MergedTrace ─ subject: calls, callers, repeats, critical path ─► each of DETECTORS ─► Findings: bounded, worst first
//! ```
//!
//! A detector is one file: its rule in the module's documentation, a unit struct with [`Detector`], its settings, and
//! tests in the trace notation: what fires, what nearly does, what is malformed. One line in [`DETECTORS`] makes it run.
//! Rules are pure functions of the [`Subject`] and the [`Settings`]; savings come from the [`what_if`](crate::what_if)
//! model.
//!
//! Invariants: at most [`Settings::findings_max`] findings of a trace; `O(n log n)` each; none fails on any trace; what a
//! finding says is a function of the trace, not of the order its spans came in.

mod ambiguous_outcome;
mod attempts;
mod broken_stamps;
mod duplicate_execution;
mod error_origin;
mod evidence;
mod fan_out;
mod finding;
mod impossible_order;
mod large_payload;
mod latency_floor;
mod missing_timeout;
mod n_plus_one;
mod plaintext_call;
mod queue_wait;
mod repeats;
mod retry_storm;
mod retry_without_backoff;
mod run;
mod secret_in_span;
mod sequential_calls;
mod settings;
mod stamps;
mod subject;
mod told;
pub mod window;
mod work_after_giving_up;

pub use ambiguous_outcome::AmbiguousOutcome;
pub use broken_stamps::BrokenStamps;
pub use duplicate_execution::{DuplicateExecution, DuplicateExecutionSettings};
pub use error_origin::{ErrorOrigin, ErrorOriginSettings};
pub use evidence::Evidence;
pub use fan_out::{FanOut, FanOutSettings};
pub use finding::{Draft, Fallacy, Finding, FindingId, Findings, GroupKey, SPAN_IDS_MAX, Severity};
pub use impossible_order::{ImpossibleOrder, ImpossibleOrderSettings};
pub use large_payload::{LargePayload, LargePayloadSettings};
pub use latency_floor::{LatencyFloor, LatencyFloorSettings};
pub use missing_timeout::{MissingTimeout, MissingTimeoutSettings};
pub use n_plus_one::{NPlusOne, NPlusOneSettings};
pub use plaintext_call::{PlaintextCall, PlaintextCallSettings};
pub use queue_wait::{QueueWait, QueueWaitSettings};
pub use repeats::Repeat;
pub use retry_storm::{RetryStorm, RetryStormSettings};
pub use retry_without_backoff::{RetryWithoutBackoff, RetryWithoutBackoffSettings};
pub use run::{detect, detect_in};
pub use secret_in_span::{SecretInSpan, SecretInSpanSettings};
pub use sequential_calls::{SequentialCalls, SequentialCallsSettings};
pub use settings::Settings;
pub use stamps::clock_spans;
pub use subject::Subject;
pub use told::with_fields;
pub use work_after_giving_up::{WorkAfterGivingUp, WorkAfterGivingUpSettings};

/// A rule about traces.
pub trait Detector: Sync {
    /// Its name in findings and settings.
    fn id(&self) -> &'static str;
    /// Grows when the rule changes what it finds.
    fn rule_version(&self) -> u32;
    /// The fallacy that leads to what it finds.
    fn fallacy(&self) -> Fallacy;
    /// What it finds, in a line.
    fn summary(&self) -> &'static str;
    /// Adds what the trace shows.
    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings);
}

/// All detectors of single traces.
pub const DETECTORS: &[&dyn Detector] = &[
    &NPlusOne,
    &FanOut,
    &SequentialCalls,
    &LatencyFloor,
    &RetryWithoutBackoff,
    &WorkAfterGivingUp,
    &AmbiguousOutcome,
    &ErrorOrigin,
    &DuplicateExecution,
    &RetryStorm,
    &MissingTimeout,
    &LargePayload,
    &SecretInSpan,
    &PlaintextCall,
    &QueueWait,
    &ImpossibleOrder,
    &BrokenStamps,
];

#[cfg(test)]
pub(crate) mod tests;
