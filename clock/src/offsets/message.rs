//! What offsets are learnt from.

use crate::ClockId;

/// A message from one clock to another: it cannot have arrived before it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The sender's clock.
    pub from: ClockId,
    /// The receiver's clock.
    pub to: ClockId,
    /// What the sender's clock showed before it was sent.
    pub sent_ns: i64,
    /// What the receiver's clock showed after it had arrived.
    pub received_ns: i64,
    /// By how much the two readings may be off because they are not read where they claim to be.
    pub slack_ns: i64,
    /// When it arrived, on the axis that clocks share.
    pub axis_ns: i64,
    /// Id of what shows the message; the same for the same message.
    pub witness: u64,
}

/// A request and its answer. The middle of both directions is a good guess of the offset, and no bound: a span that ends
/// late shows an answer that was sent long before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// The clock of whoever asked.
    pub client: ClockId,
    /// The clock of whoever answered.
    pub server: ClockId,
    /// Client's reading when it asked.
    pub sent_ns: i64,
    /// Server's reading when the request had arrived.
    pub arrived_ns: i64,
    /// Server's reading when it answered, or later.
    pub answered_ns: i64,
    /// Client's reading when the answer had arrived.
    pub returned_ns: i64,
    /// When the request arrived, on the axis that clocks share.
    pub axis_ns: i64,
    /// Id of what shows the round trip.
    pub witness: u64,
}

impl RoundTrip {
    /// Time on the way, both directions together; negative if the server's span ends late.
    pub(super) fn on_the_way_ns(&self) -> i64 {
        let asked = self.returned_ns.saturating_sub(self.sent_ns);
        asked.saturating_sub(self.answered_ns.saturating_sub(self.arrived_ns))
    }

    /// Offset of the server against the client if both directions took equally long.
    pub(super) fn midpoint_ns(&self) -> i64 {
        let forward = i128::from(self.arrived_ns) - i128::from(self.sent_ns);
        let backward = i128::from(self.answered_ns) - i128::from(self.returned_ns);
        i64::try_from((forward + backward) / 2).unwrap_or(i64::MAX)
    }
}
