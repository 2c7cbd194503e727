//! Why one event precedes another.

/// Why one event precedes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EdgeKind {
    /// A span starts before it ends.
    Program,
    /// A span needs the random id of its parent before it can start.
    Parent,
    /// A link needs the id of the span it points to before its own span ends.
    Link,
    /// A stamp of the sender was there before the span started.
    Message,
    /// A stamp in a link was there before the span ended.
    LinkMessage,
    /// A stamp of a response was there before the span ended.
    Response,
    /// Two ticks of one clock: earlier in time, not necessarily a cause.
    SameNode,
    /// A server ends before the client that got its answer.
    Return,
    /// A local child ends before its parent, if its claimed times say so.
    LocalReturn,
    /// A consumer that processes a message starts after whoever sent it.
    Process,
    /// One wall clock showed less before it showed more.
    SameWall,
}

impl EdgeKind {
    /// Whether the edge holds whatever clocks do.
    pub const fn is_proof(self) -> bool {
        (self as u8) <= Self::SameNode as u8
    }

    /// Whether the edge rests on ticks of one node being one sequence.
    pub(super) const fn needs_one_clock(self) -> bool {
        matches!(self, Self::Message | Self::LinkMessage | Self::Response | Self::SameNode)
    }
}
