//! Which clock a reading comes from.
//!
//! A tagged span names its clock itself, by the node that ticked. An untagged one is read on the clock of its process
//! or host, which the caller tells apart by a number of its own. The two never mix: a number of a host cannot be taken
//! for a node.

use crate::NodeId;

/// A wall clock, as far as its readings tell it apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockId {
    /// Universal time, for nodes that declare how far they may be off.
    Utc,
    /// The clock of the collector.
    Collector,
    /// The clock of a node whose ticks are recorded.
    Node(NodeId),
    /// The clock of a service instance or host, known by a hash of what identifies it.
    Instance(u64),
}
