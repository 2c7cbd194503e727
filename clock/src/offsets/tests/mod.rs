//! Vectors of the specification, the estimator against slower ways to compute the same, and faults.

mod estimate;
mod evidence;
mod faults;
mod flood;
mod memory;
mod references;
mod report;
mod table;
mod thin;
mod vectors;

use std::num::NonZeroU64;

use super::{Estimator, Message, OffsetSettings, RoundTrip, Solver};
use crate::{ClockId, NodeId};

/// Not a whole microsecond, so that clocks that read from here on count in nanoseconds.
pub(super) const NOW_NS: i64 = 1_780_000_000_000_000_001;

pub(super) fn clock(id: u64) -> ClockId {
    ClockId::Node(NodeId(NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN)))
}

/// Settings without drift.
pub(super) fn steady() -> OffsetSettings {
    OffsetSettings { rho_ppm: 0, ..OffsetSettings::default() }
}

/// A message that bounds the offset of `to` against `from` by `bound_ns`.
pub(super) fn message(from: u64, to: u64, bound_ns: i64) -> Message {
    message_at(NOW_NS, from, to, bound_ns)
}

pub(super) fn message_at(axis_ns: i64, from: u64, to: u64, bound_ns: i64) -> Message {
    Message {
        from: clock(from),
        to: clock(to),
        sent_ns: NOW_NS,
        received_ns: NOW_NS + bound_ns,
        slack_ns: 0,
        axis_ns,
        witness: from * 1_000 + to,
    }
}

pub(super) fn table(settings: OffsetSettings, messages: &[Message]) -> Estimator {
    let mut table = Estimator::new(settings);
    for message in messages {
        table.add(message);
        // Ages every clock past the readings after which its step is known.
        for id in [message.from, message.to] {
            let mut fine = super::Granularity::default();
            fine.add(NOW_NS);
            table.merge_clock(&super::ClockRow { clock: id, sent: fine, received: fine });
        }
    }
    table
}

/// Bounds of the offset of `to` minus `from`, now.
pub(super) fn bounds(table: &Estimator, from: u64, to: u64) -> (Option<i64>, Option<i64>) {
    let pair = Solver::new(table).pair(clock(from), clock(to), NOW_NS);
    (pair.lo_ns, pair.hi_ns)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self, below: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below) as i64
    }
}
