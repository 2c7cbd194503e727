//! What-if: the trace replayed with a change, and what it would take then.
//!
//! ```text
//! trace, changes ─ plan: what each span becomes ─► replay: lengths from the leaves up, times from the tops down ─► Replay
//! ```
//!
//! What is replayed is the dependency structure that times show:
//!
//! - A child starts after its parent worked for a while since all awaited siblings had ended that ended before the child
//!   began, or since its own start. That stretch of own work, the *gap*, stays what it was.
//! - A span ends after its awaited children and the own work that followed the last of them.
//! - Children nobody waits for start as others do; nobody waits for their end.
//!
//! Where a span's course is not known, no saving is promised: a sibling that runs beside others, even one that may only
//! wait for them, keeps its length. Order that times show is taken for a dependence, so a saving is never promised where one call might have needed
//! another. Without a change the replay is the trace, exactly, whatever its shape.

mod check;
mod plan;
mod replay;

pub use check::ChangeError;
pub use replay::{Replay, replay, saving_ns};

use causeway_model::trace::Row;

/// A change to a trace. A row that several changes name follows the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// One call instead of several: the longest of them, with a cost for every further item. The others go, with all below
    /// them; the caller's own work between the calls stays.
    Batch {
        /// The calls; those that are not siblings go as well.
        calls: Vec<Row>,
        /// Time that each item beyond the first adds.
        per_item_ns: i64,
    },
    /// Calls of one caller side by side instead of one after another: each starts once the caller's own work before it is
    /// done and fewer than `limit` run, for which the caller waits. What came after the last of them waits for all.
    Parallel {
        /// The calls; the caller is the parent of the first. Other callers', and those nobody waits for, are left alone.
        calls: Vec<Row>,
        /// Calls at a time, at least 1.
        limit: usize,
    },
    /// Calls that are not made.
    Remove {
        /// The calls.
        calls: Vec<Row>,
    },
    /// Spans, with all below them, that take less time: what is below shrinks alike, and follows no other change.
    Faster {
        /// The spans.
        spans: Vec<Row>,
        /// How much of their time they lose, 100 at most.
        percent: u8,
    },
    /// Calls whose way there and back takes another time: client minus server. Calls with other children than one server
    /// span are left alone, because what of them is network is not known.
    RoundTrip {
        /// The client spans.
        calls: Vec<Row>,
        /// Time there and back.
        round_trip_ns: i64,
    },
}

#[cfg(test)]
mod tests;
