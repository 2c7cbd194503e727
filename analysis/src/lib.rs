//! What traces say: where their time went, what a change would save, and which mistakes they show.
//!
//! ```text
//! MergedTrace (model) ─ waiting: which children a span waited for
//!   │                   ├─► self_time ──────┐
//!   │                   ├─► critical_path ──┼─► cohort: many traces by operation and as a flame tree, two compared
//!   │                   └─► what_if: the trace replayed with a change ──┐
//!   └─ forms: which spans make the same call ───────────────────────────┴─► detectors ─► Finding
//! ```
//!
//! Stands between `model` and `query`. Invariants: no I/O, no async, no clock; nothing recurses over the depth of its
//! input, everything is linear but for sorting; every input, however malformed, gives an answer within named limits.

pub mod cohort;
pub mod critical_path;
pub mod detectors;
pub mod forms;
pub mod self_time;
pub mod waiting;
pub mod what_if;

#[cfg(test)]
mod testing;
