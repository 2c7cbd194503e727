//! The labelled generator: for every detector cases that must fire and near misses that must not, in worlds with noise,
//! loss, wrong clocks and late spans.
//!
//! ```text
//! one file a detector ─► Labelled: cases ─ judge ─► Score ─ table ─► docs/findings-evaluation.md
//!                                           └─ sent: what happens to spans; run: the server's way from batches to findings
//! ```
//!
//! Shared by the tests, which demand that all is right, and by `examples/evaluate_findings.rs`, which writes the table.
//! A case is real work that varies what its rule looks at: kinds of calls, counts at the threshold, who calls, what is
//! missing. Invariant: everything follows from the seeds in `judge`; nothing reads a clock.

pub(crate) mod case;
mod dialects;
mod judge;
mod random;
pub(crate) mod run;
mod sent;
mod table;

mod ambiguous_outcome;
mod broken_boundary;
mod broken_stamps;
mod chatty_edge;
mod clocks;
mod dead_endpoint;
mod distributed_monolith;
mod duplicate_execution;
mod error_origin;
mod fan_out;
mod impossible_order;
mod large_payload;
mod latency_floor;
mod missing_timeout;
mod mixed_dialects;
mod n_plus_one;
mod plaintext_call;
mod queue_wait;
mod queue_waits;
mod retry_storm;
mod retry_without_backoff;
mod secret_in_span;
mod sequential_calls;
mod single_instance;
mod version_skew;
mod work_after_giving_up;

use case::Case;
pub(crate) use case::Labelled;
pub(crate) use judge::score;
pub(crate) use table::table;

/// Whatever keeps a case from being judged.
pub(crate) type Error = Box<dyn std::error::Error>;

/// Cases of each kind that a detector has at least.
pub(crate) const CASES_MIN: usize = 20;

/// The cases of all detectors.
pub(crate) fn all() -> Vec<Labelled> {
    let mut all = vec![
        n_plus_one::cases(),
        fan_out::cases(),
        sequential_calls::cases(),
        latency_floor::cases(),
        retry_without_backoff::cases(),
        retry_storm::cases(),
        missing_timeout::cases(),
        work_after_giving_up::cases(),
        ambiguous_outcome::cases(),
        duplicate_execution::cases(),
        error_origin::cases(),
        large_payload::cases(),
        plaintext_call::cases(),
        secret_in_span::cases(),
        queue_wait::cases(),
        impossible_order::cases(),
        broken_stamps::cases(),
        chatty_edge::cases(),
        single_instance::cases(),
        version_skew::cases(),
        mixed_dialects::cases(),
        dead_endpoint::cases(),
        broken_boundary::cases(),
        distributed_monolith::cases(),
        queue_waits::cases(),
    ];
    all.extend(clocks::cases());
    all
}
