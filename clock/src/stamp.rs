//! What one tick of a hybrid logical clock leaves behind.

use std::num::NonZeroU64;

/// One unbroken clock: one process, one clock state, no step of its wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub NonZeroU64);

/// A tick of a clock node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The clock that ticked.
    pub node: NodeId,
    /// Nanoseconds since the Unix epoch, 1 to 2^63-1; grows along every chain of messages.
    pub hlc: i64,
    /// How far `hlc` was ahead of the wall clock, in nanoseconds; at most `hlc`.
    pub lead: i64,
}

impl Stamp {
    /// What the wall clock of the node showed at the tick, in nanoseconds since the Unix epoch.
    pub fn wall(self) -> i64 {
        self.hlc - self.lead
    }
}
