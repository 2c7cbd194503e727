//! What traces mean: where their time went, what a change would save, and which mistakes they show.
//!
//! ```text
//! MergedTrace (model) ─ waiting: which children a span waited for
//!                       ├─► self_time ──────┐
//!                       ├─► critical_path ──┼─► cohort: many traces by operation and as a flame tree, two compared
//!                       └─► what_if: the trace replayed with a change
//! ```
//!
//! Pure functions over merged traces: no I/O, no async, no clock. Nothing recurses, everything is linear but for
//! sorting, and no trace, however malformed, makes any of it fail.

pub mod cohort;
pub mod critical_path;
pub mod self_time;
pub mod waiting;
pub mod what_if;

#[cfg(test)]
mod testing;
