//! What is known to be wrong with a trace, in one short list.

use serde::Serialize;

/// What is known to be wrong with a trace.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// Parent ids that no span has.
    pub missing_parents: usize,
    /// Spans without a parent; a whole trace has one.
    pub roots: usize,
    /// Cycles of parents that were cut.
    pub cycles: usize,
    /// Ids that several different spans have, shared client and server halves not counted.
    pub duplicate_ids: usize,
    /// Copies of spans that were left out.
    pub copies: usize,
    /// Spans without a usable time.
    pub unusable_times: usize,
    /// Spans that end before they start.
    pub ends_before_start: usize,
    /// Attributes, events and links that senders dropped.
    pub dropped: u64,
}

impl Completeness {
    /// Whether there is exactly one root and no parent is missing.
    pub fn is_complete(&self) -> bool {
        self.roots == 1 && self.missing_parents == 0
    }
}
