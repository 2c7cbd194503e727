//! What the order of a trace is computed from: spans as plain values, their stamps already read.
//!
//! Nothing here is checked. Indices may point nowhere, parents may form cycles, stamps may be forged: `verify` and
//! `edges` decide what may be believed.

use crate::{ClockId, Stamp};

/// Spans of one computation; a trace of more is refused, so that events fit into 32 bits with room to spare.
pub const SPANS_MAX: usize = 16_000_000;

/// A span of a merged trace. Several traces may be given together; then indices count through all of them.
#[derive(Debug, Clone, Default)]
pub struct Span {
    /// Index of the parent, where it is among the spans.
    pub parent: Option<u32>,
    /// What kind of span this is; only used by rules that are not proofs.
    pub kind: Kind,
    /// Hash of what identifies the process, `None` where nothing does. One node id under two of them is a clash.
    pub instance: Option<u64>,
    /// The clock that claimed times are read on; `None` where nothing tells.
    pub wall: Option<ClockId>,
    /// Claimed start, nanoseconds since the Unix epoch.
    pub start_ns: i64,
    /// Claimed end, nanoseconds since the Unix epoch.
    pub end_ns: i64,
    /// Tick at the start.
    pub start: Option<Stamp>,
    /// Tick at the end; its node differs from that of the start when the clock was replaced in between.
    pub end: Option<Stamp>,
    /// Stamp in the span's tracestate: a tick of whoever sent the message that this span, or an ancestor in the same
    /// process, received.
    pub received: Option<Stamp>,
    /// Received stamp that the clock refused for being too far ahead.
    pub rejected: Option<Stamp>,
    /// Stamps of responses received before the end.
    pub responses: Vec<Stamp>,
    /// Links to other spans.
    pub links: Vec<Link>,
    /// When the collector received the span, by its own clock; `None` switches the check for stamps of the future off.
    pub received_at_ns: Option<i64>,
    /// Another span has the same id and other content, so who is meant by the id is not known.
    pub duplicate: bool,
    /// Said of a client: it got an answer, neither timed out nor was cancelled.
    pub responded: bool,
    /// Said of a consumer: the span processes the message it links to.
    pub processes: bool,
}

/// What OTLP says about a span's role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Work inside a process, or not said.
    #[default]
    Internal,
    /// Sends a request and waits for the answer.
    Client,
    /// Answers a request.
    Server,
    /// Sends a message that nobody waits for.
    Producer,
    /// Receives or processes a message.
    Consumer,
}

/// A link of a span.
#[derive(Debug, Clone, Copy, Default)]
pub struct Link {
    /// Index of the span it points to, where that is among the spans.
    pub span: Option<u32>,
    /// Stamp in the link's tracestate.
    pub stamp: Option<Stamp>,
}

/// A moment that order is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The start of the span with this index: its start tick, or its creation.
    Start(u32),
    /// The end of the span with this index: its end tick, or the call that ended it.
    End(u32),
    /// The tick with this index among the extra ticks.
    Tick(u32),
}
