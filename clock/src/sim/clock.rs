//! The clocks of a world: wall clocks that are off, drift, step and count coarsely, and the hybrid clocks over them.

use std::num::NonZeroU64;

use super::random::Random;
use super::world::World;
use crate::{ClockId, NodeId, Stamp};

/// True time 0 of a world, nanoseconds since the Unix epoch.
pub(super) const EPOCH_NS: i64 = 1_780_000_000_000_000_000;
/// Steps below this are not noticed; twenty times as much where the clock counts milliseconds.
const NOTICED_NS: i64 = 250_000;
/// Which of a node's ids it is.
const NTH_MASK: u64 = 0xffff;

/// The clocks of one node.
#[derive(Debug, Clone)]
pub struct SimClock {
    node: usize,
    offset_ns: f64,
    rate_ppm: f64,
    granularity_ns: i64,
    step: Option<(i64, i64, bool)>,
    offset_ns_max: i64,
    id: NodeId,
    ids: u64,
    last: i64,
    /// Ids from this one on belong to the clock after a step that was noticed.
    stepped_as: Option<u64>,
}

impl SimClock {
    pub(super) fn new(node: usize, world: &World, random: &mut Random) -> Self {
        let ahead = world.ahead.filter(|ahead| ahead.node == node);
        let is_coarse = random.chance(world.coarse_share);
        let step = world.step.filter(|step| step.node == node);
        Self {
            node,
            offset_ns: random.normal(world.offset_sd_ns) + ahead.map_or(0.0, |a| a.by_ns as f64),
            rate_ppm: random.between(-world.rate_ppm_max, world.rate_ppm_max),
            granularity_ns: if is_coarse { 1_000_000 } else { 1 },
            step: step.map(|step| (step.at_ns, step.by_ns, step.is_noticed)),
            offset_ns_max: world.offset_ns_max,
            id: id(identity(node, world), 0),
            ids: 0,
            last: 0,
            stepped_as: None,
        }
    }

    /// By how much the wall clock is ahead at a true time.
    pub fn offset_ns(&self, true_ns: i64) -> f64 {
        let stepped = self.step.filter(|(at_ns, ..)| true_ns >= *at_ns).map_or(0, |(_, by, _)| by);
        self.steady_ns(true_ns) + stepped as f64
    }

    /// By how much the clock of an id is ahead at a true time. A step that was noticed makes two clocks, of which each
    /// goes on, and came from, where the other one was read: bounds that are carried there speak of it all the same.
    pub(super) fn offset_of_ns(&self, clock: ClockId, true_ns: i64) -> f64 {
        let noticed = self.step.filter(|(.., is_noticed)| *is_noticed).zip(self.stepped_as);
        match (clock, noticed) {
            (ClockId::Node(id), Some(((_, by_ns, _), first))) => {
                let is_after = (id.0.get() - 1) & NTH_MASK >= first;
                self.steady_ns(true_ns) + if is_after { by_ns as f64 } else { 0.0 }
            }
            _ => self.offset_ns(true_ns),
        }
    }

    /// By how much the clock would be ahead if it never stepped.
    fn steady_ns(&self, true_ns: i64) -> f64 {
        self.offset_ns + self.rate_ppm * 1e-6 * true_ns as f64
    }

    fn noticed_ns(&self) -> i64 {
        if self.granularity_ns > 1 { NOTICED_NS * 20 } else { NOTICED_NS }
    }

    /// What the wall clock shows at a true time.
    pub fn shows_ns(&self, true_ns: i64) -> i64 {
        let finely = EPOCH_NS + true_ns + self.offset_ns(true_ns).round() as i64;
        finely - finely.rem_euclid(self.granularity_ns)
    }

    /// The clock of spans without stamps.
    pub const fn wall(&self) -> ClockId {
        ClockId::Instance(self.node as u64)
    }

    /// Ticks.
    pub(super) fn tick(&mut self, true_ns: i64) -> Stamp {
        let shown = self.shows_ns(true_ns);
        if let Some((_, by_ns, true)) = self.step.filter(|(at_ns, ..)| true_ns >= *at_ns)
            && self.stepped_as.is_none()
            && by_ns.abs() > self.noticed_ns()
        {
            self.renew(shown - 1);
            self.stepped_as = Some(self.ids);
        }
        if self.last.saturating_sub(shown) > self.offset_ns_max.saturating_mul(2) {
            self.renew(shown - 1);
        }
        self.last = shown.max(self.last + 1);
        Stamp { node: self.id, hlc: self.last, lead: self.last - shown }
    }

    /// Takes a stamp that was received into account; whether it was accepted.
    pub(super) fn observe(&mut self, received: Stamp, true_ns: i64) -> bool {
        if received.hlc.saturating_sub(self.shows_ns(true_ns)) > self.offset_ns_max {
            return false;
        }
        self.last = self.last.max(received.hlc);
        true
    }

    fn renew(&mut self, last: i64) {
        self.ids += 1;
        self.id = id(self.node, self.ids);
        self.last = last;
    }
}

/// Whose id a node uses: its own, unless it is a clone.
fn identity(node: usize, world: &World) -> usize {
    world.clones.filter(|(_, clone)| *clone == node).map_or(node, |(original, _)| original)
}

fn id(node: usize, nth: u64) -> NodeId {
    NodeId(NonZeroU64::MIN.saturating_add((node as u64) << 16 | nth))
}

/// The node whose clock this is.
pub(super) fn node_of(clock: ClockId) -> Option<usize> {
    match clock {
        ClockId::Node(id) => Some(((id.0.get() - 1) >> 16) as usize),
        ClockId::Instance(node) => Some(node as usize),
        ClockId::Utc | ClockId::Collector => None,
    }
}
