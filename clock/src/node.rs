//! The state of one clock node: its identity and its highest value, as one object.
//!
//! ```text
//! tick, merge ─► last ─► retire: the value is final, and every later tick or merge is refused
//! ```
//!
//! A [`Clock`](crate::Clock) replaces the whole object where the identity has to change. No value
//! gets lost then: what a thread merged either is in the final value, or the thread is refused and
//! goes on to the node that follows. Values of one node therefore grow strictly, whatever threads do.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::reading::Reading;
use crate::{Cause, NodeId};

/// Set in `last` once the node was replaced. Values of the clock stay below 2^63.
const RETIRED: u64 = 1 << 63;

/// How much monotonic time may pass until the process id is asked for again, a system call of up to
/// 200 ns. Shorter than any `fork`, so that a child asks at its first tick.
const RECHECK_NS: u64 = 10_000;

/// Why a node gave no tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTick {
    /// Another thread replaced the node.
    Retired,
    /// The value would be further ahead of the wall clock than can be explained.
    LeadTooGreat,
}

#[derive(Debug)]
pub(crate) struct ClockNode {
    /// The serial number of its clock.
    pub(crate) clock: u64,
    pub(crate) id: NodeId,
    /// How many nodes of the clock up to this one did not go on from the value reached.
    pub(crate) resets: u64,
    last: AtomicU64,
    process: u32,
    anchor: Anchor,
}

impl ClockNode {
    /// The first node of a clock.
    pub(crate) fn new(clock: u64, id: NodeId, reading: Reading) -> Self {
        Self {
            clock,
            id,
            resets: 0,
            last: AtomicU64::new(0),
            process: std::process::id(),
            anchor: Anchor::new(reading),
        }
    }

    /// The node after this one, which is retired. It goes on from the value reached, or from the wall clock where that is
    /// further ahead of it than `lead_ns_max`.
    pub(crate) fn successor(&self, id: NodeId, reading: Reading, lead_ns_max: u64) -> Self {
        let wall_ns = reading.wall_ns.unsigned_abs();
        let is_reset = (self.last() + 1).saturating_sub(wall_ns) > lead_ns_max;
        let last = if is_reset { wall_ns - 1 } else { self.last() };
        Self {
            resets: self.resets + u64::from(is_reset),
            last: AtomicU64::new(last & !RETIRED),
            ..Self::new(self.clock, id, reading)
        }
    }

    /// Whether a reading is of the unbroken clock that this node stands for.
    pub(crate) fn check(&self, reading: Reading, process: fn() -> u32) -> Result<(), Cause> {
        let anchor = self.anchor.load();
        let elapsed_ns = reading.monotonic_ns.abs_diff(anchor.monotonic_ns);
        if elapsed_ns >= RECHECK_NS && process() != self.process {
            return Err(Cause::Fork);
        }
        if reading.stepped_since(anchor) {
            return Err(Cause::Step);
        }
        if elapsed_ns >= RECHECK_NS {
            self.anchor.store(reading);
        }
        Ok(())
    }

    /// The next value: the wall clock's, or one more than the highest so far.
    pub(crate) fn tick(&self, wall_ns: u64, lead_ns_max: u64) -> Result<u64, NoTick> {
        let mut last = self.last.load(Ordering::Acquire);
        loop {
            if last & RETIRED != 0 {
                return Err(NoTick::Retired);
            }
            let hlc = wall_ns.max(last + 1);
            if hlc - wall_ns > lead_ns_max {
                return Err(NoTick::LeadTooGreat);
            }
            match self.last.compare_exchange_weak(last, hlc, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(hlc),
                Err(newer) => last = newer,
            }
        }
    }

    /// Takes over a value from elsewhere; false if the node was replaced.
    pub(crate) fn merge(&self, hlc: u64) -> bool {
        self.last.fetch_max(hlc & !RETIRED, Ordering::AcqRel) & RETIRED == 0
    }

    /// Ends the node; false if somebody else did.
    pub(crate) fn retire(&self) -> bool {
        self.last.fetch_or(RETIRED, Ordering::AcqRel) & RETIRED == 0
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.last.load(Ordering::Acquire) & RETIRED != 0
    }

    /// The highest value; it is final once the node is retired.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire) & !RETIRED
    }
}

/// The reading that later ones are compared with.
///
/// Two values that are not written at once: a torn one is an older moment with a newer difference,
/// which allows a little more slewing than was due, and nothing else.
#[derive(Debug)]
struct Anchor {
    difference_ns: AtomicI64,
    monotonic_ns: AtomicI64,
}

impl Anchor {
    fn new(reading: Reading) -> Self {
        Self {
            difference_ns: AtomicI64::new(reading.difference_ns()),
            monotonic_ns: AtomicI64::new(reading.monotonic_ns),
        }
    }

    fn load(&self) -> Reading {
        let monotonic_ns = self.monotonic_ns.load(Ordering::Acquire);
        let difference_ns = self.difference_ns.load(Ordering::Relaxed);
        Reading { wall_ns: difference_ns.saturating_add(monotonic_ns), monotonic_ns }
    }

    fn store(&self, reading: Reading) {
        self.difference_ns.store(reading.difference_ns(), Ordering::Relaxed);
        self.monotonic_ns.store(reading.monotonic_ns, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> ClockNode {
        ClockNode::new(0, NodeId::random(), Reading { wall_ns: 10, monotonic_ns: 0 })
    }

    fn later(ns: i64) -> Reading {
        Reading { wall_ns: 10 + ns, monotonic_ns: ns }
    }

    #[test]
    fn a_retired_node_is_final() {
        let node = node();
        assert_eq!(node.tick(10, 100), Ok(10));
        assert!(node.merge(20));
        assert!(node.retire());
        assert!(!node.retire());
        assert!(!node.merge(30));
        assert_eq!(node.tick(40, 100), Err(NoTick::Retired));
        assert_eq!(node.last(), 20);
    }

    #[test]
    fn a_lead_is_refused_beyond_the_limit() {
        let node = node();
        assert!(node.merge(109));
        assert_eq!(node.tick(10, 100), Ok(110));
        assert_eq!(node.tick(10, 100), Err(NoTick::LeadTooGreat));
        assert_eq!(node.tick(11, 100), Ok(111));
    }

    #[test]
    fn a_successor_goes_on_unless_it_would_be_too_far_ahead() {
        let node = node();
        assert!(node.merge(200) && node.retire());
        let next = node.successor(NodeId::random(), later(90), 101);
        assert_eq!((next.resets, next.tick(100, 101)), (0, Ok(201)));
        assert!(next.retire());
        let next = next.successor(NodeId::random(), later(90), 101);
        assert_eq!((next.resets, next.tick(100, 101)), (1, Ok(100)));
    }

    #[test]
    fn another_process_is_noticed_once_it_could_be_there() {
        let node = node();
        let (parent, child) = (std::process::id as fn() -> u32, || 0);
        assert_eq!(node.check(later(10_000), parent), Ok(()));
        assert_eq!(node.check(later(19_999), child), Ok(()));
        assert_eq!(node.check(later(20_000), child), Err(Cause::Fork));
        assert_eq!(node.check(later(20_000), parent), Ok(()));
    }

    #[test]
    fn small_differences_do_not_add_up_to_a_step() {
        let node = node();
        let apart = |ns: i64| Reading { wall_ns: 10 + ns, monotonic_ns: 0 };
        assert_eq!(node.check(apart(250_000), std::process::id), Ok(()));
        assert_eq!(node.check(apart(250_001), std::process::id), Err(Cause::Step));
        // A clock that is slewed for an hour never makes a step.
        for second in 1..3600 {
            let monotonic_ns = second * 1_000_000_000;
            let wall_ns = 10 + monotonic_ns + second * 1_000_000;
            let check = node.check(Reading { wall_ns, monotonic_ns }, std::process::id);
            assert_eq!(check, Ok(()), "{second}");
        }
    }
}
