//! What the table of evidence is made of, and its rows as they are written down.

use super::granularity::Granularity;
use crate::ClockId;

/// Round trips of which a window keeps the middle: enough for a median that single slow ones do not move.
const MIDPOINTS_MAX: usize = 8;

/// The tightest bound and who shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Least {
    /// Received minus sent, without what the receiver's granularity adds.
    pub bound_ns: i64,
    /// Id of what shows it; the smaller one of equal bounds.
    pub witness: u64,
}

/// Evidence of one direction between two clocks in one window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The tightest bound that messages prove.
    pub(super) certain: Option<Least>,
    /// The tightest one that holds if servers end before their clients.
    pub(super) likely: Option<Least>,
    pub(super) messages: u64,
    /// Round trips whose server, the sender, showed that it ends its spans late.
    pub(super) late: u64,
    /// A sample of round trips by hash of their witness, with the offset of `to` minus `from`; ascending.
    pub(super) midpoints: Vec<(u64, i64)>,
}

impl Evidence {
    pub(super) fn merge(&mut self, other: &Self) {
        let lesser = |a: Option<Least>, b: Option<Least>| a.into_iter().chain(b).min();
        self.certain = lesser(self.certain, other.certain);
        self.likely = lesser(self.likely, other.likely);
        self.messages = self.messages.saturating_add(other.messages);
        self.late = self.late.saturating_add(other.late);
        for midpoint in &other.midpoints {
            if let Err(place) = self.midpoints.binary_search(midpoint) {
                self.midpoints.insert(place, *midpoint);
                self.midpoints.truncate(MIDPOINTS_MAX);
            }
        }
    }
}

/// One clock as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockRow {
    /// The clock.
    pub clock: ClockId,
    /// In which steps it counts when it sends.
    pub sent: Granularity,
    /// In which steps it counts when it receives; some SDKs start server spans on whole milliseconds, and only those.
    pub received: Granularity,
}

impl ClockRow {
    /// A clock that was not read yet.
    pub fn new(clock: ClockId) -> Self {
        Self { clock, sent: Granularity::default(), received: Granularity::default() }
    }

    /// By how much a reading of any kind may be less than what a finer clock would show.
    pub fn slack_ns(&self) -> i64 {
        let read = [self.sent, self.received].into_iter().filter(|kind| kind.readings > 0);
        read.map(Granularity::slack_ns).max().unwrap_or_else(|| Granularity::default().slack_ns())
    }

    /// By how much a reading on receipt may be less than what a finer clock would show.
    pub fn received_slack_ns(&self) -> i64 {
        if self.received.readings > 0 { self.received.slack_ns() } else { self.slack_ns() }
    }

    /// The larger of its steps, once there were enough readings to say so.
    pub fn step_ns(&self) -> Option<i64> {
        self.sent.step_ns().max(self.received.step_ns())
    }
}

/// That two clocks showed something of each other in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The sender's clock.
    pub from: ClockId,
    /// The receiver's clock; that of the collector where spans arrived.
    pub to: ClockId,
    /// Number of the window: its start divided by its length.
    pub window: i64,
    /// How many messages there were; none where only round trips tell.
    pub messages: u64,
}

/// Evidence of one pair and window as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRow {
    /// The sender's clock.
    pub from: ClockId,
    /// The receiver's clock.
    pub to: ClockId,
    /// Number of the window: its start divided by its length.
    pub window: i64,
    /// The tightest bound that messages prove.
    pub certain: Option<Least>,
    /// The tightest bound that holds if servers end before their clients.
    pub likely: Option<Least>,
    /// How many messages there were.
    pub messages: u64,
    /// Round trips in which the sender, as server, was still busy when its client was done.
    pub late: u64,
    /// Sampled round trips: hash of the witness, offset of `to` minus `from`.
    pub midpoints: Vec<(u64, i64)>,
}
