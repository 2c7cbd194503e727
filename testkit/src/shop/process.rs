//! The processes of the shop, each with the wall clock of its host and, where it is tagged, a real hybrid clock.
//!
//! The hybrid clock is the one that servers and SDKs use; only its readings and node ids come from here.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use causeway_clock::{Clock, ClockSettings, NodeId, Reading, ReceiveError, Stamp};

use super::cast::{CLONED, ClockLine, HOSTS, INSTANCES, InstanceLine, Level};
use super::fault::{Fault, Faults};
use super::settings::ShopSettings;
use super::wall::WallClock;
use crate::traffic::random::Random;

/// Healthy clocks gain and lose at most so much, as NTP lets them.
const HEALTHY_RATE_PPB_MAX: u64 = 5_000;
/// They turn after this long, before they have gone 0.3 ms.
const HEALTHY_TURN_NS: i64 = 60_000_000_000;
/// A drifting clock turns after 40 minutes, so that it never gets out of reach of the others.
pub(super) const DRIFT_TURN_NS: i64 = 2_400_000_000_000;

/// An identity of a hybrid clock, and the wall clock it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeTruth {
    /// The id.
    pub node: NodeId,
    /// By how much the wall clock was set forward meanwhile; an id does not outlive that.
    pub set_by_ns: i64,
}

/// A running process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) level: Level,
    pub(super) wall: WallClock,
    /// Identities used so far, in their order.
    pub(super) nodes: Vec<NodeTruth>,
    merges: bool,
    clock: Clock,
    shown: Arc<Shown>,
}

/// What the clocks of a process show at the moment.
#[derive(Debug, Default)]
struct Shown {
    wall_ns: AtomicI64,
    monotonic_ns: AtomicI64,
}

/// All processes, in the order of [`INSTANCES`].
pub(super) fn processes(settings: &ShopSettings, random: &mut Random) -> Vec<Process> {
    let walls: Vec<WallClock> =
        HOSTS.iter().map(|host| wall(host.clock, settings, random)).collect();
    let mut cloned_id = None;
    let mut processes = Vec::with_capacity(INSTANCES.len());
    for line in &INSTANCES {
        let own_id = random.bits();
        let is_clone = line.service == CLONED && settings.faults.contains(Fault::ClonedNode);
        let id = if is_clone { *cloned_id.get_or_insert(own_id) } else { own_id };
        let wall = walls.get(line.host).copied().unwrap_or_else(|| healthy(0, settings, random));
        processes.push(Process::new(line, wall, id, settings.faults));
    }
    processes
}

fn wall(line: ClockLine, settings: &ShopSettings, random: &mut Random) -> WallClock {
    let own_ns = random.between(0, 400_000).cast_signed() - 200_000;
    let clock = healthy(own_ns, settings, random);
    let has = |fault| settings.faults.contains(fault);
    match line {
        ClockLine::Healthy(offset_ns) => WallClock { offset_ns, ..clock },
        ClockLine::Off(offset_ns) if has(Fault::ClockOffset) => WallClock { offset_ns, ..clock },
        ClockLine::Set(step_ns) if has(Fault::ClockStep) => {
            WallClock { step_ns, step_every_ns: settings.step_every_ns, ..clock }
        }
        ClockLine::Drifting(offset_ns, rate_ppb) if has(Fault::ClockDrift) => {
            WallClock { offset_ns, rate_ppb, turn_ns: DRIFT_TURN_NS, ..clock }
        }
        ClockLine::Coarse(granularity_ns) if has(Fault::CoarseClock) => {
            WallClock { granularity_ns, ..clock }
        }
        _ => clock,
    }
}

fn healthy(offset_ns: i64, settings: &ShopSettings, random: &mut Random) -> WallClock {
    let rate = random.between(0, 2 * HEALTHY_RATE_PPB_MAX).cast_signed();
    WallClock {
        origin_ns: settings.start_unix_ns,
        offset_ns,
        rate_ppb: rate - HEALTHY_RATE_PPB_MAX.cast_signed(),
        turn_ns: HEALTHY_TURN_NS,
        step_ns: 0,
        step_every_ns: 0,
        granularity_ns: 1,
    }
}

impl Process {
    fn new(line: &InstanceLine, wall: WallClock, id: u64, faults: Faults) -> Self {
        let shown = Arc::new(Shown::default());
        let (read, drawn) = (Arc::clone(&shown), AtomicU64::new(0));
        shown.set(&wall, wall.origin_ns);
        let clock = Clock::new(ClockSettings {
            readings: Arc::new(move || Reading {
                wall_ns: read.wall_ns.load(Ordering::Relaxed),
                monotonic_ns: read.monotonic_ns.load(Ordering::Relaxed),
            }),
            node_ids: Arc::new(move || {
                let mut of_process = Random::new(id ^ drawn.fetch_add(1, Ordering::Relaxed));
                NodeId(NonZeroU64::new(of_process.bits()).unwrap_or(NonZeroU64::MIN))
            }),
            ..ClockSettings::default()
        });
        let is_deaf =
            line.faults.contains(&Fault::DeafPropagator) && faults.contains(Fault::DeafPropagator);
        let level = line.service.line().level;
        Self { level, wall, nodes: Vec::new(), merges: !is_deaf, clock, shown }
    }

    /// A tick at a true time.
    pub(super) fn tick(&mut self, true_ns: i64) -> Stamp {
        self.shown.set(&self.wall, true_ns);
        let stamp = self.clock.tick();
        if self.nodes.last().is_none_or(|last| last.node != stamp.node) {
            let set_by_ns = self.wall.offset_ns(true_ns) - self.wall.steady_offset_ns(true_ns);
            self.nodes.push(NodeTruth { node: stamp.node, set_by_ns });
        }
        stamp
    }

    /// What a message carried arrives at a true time. Gives the stamp and whether it was refused.
    pub(super) fn receive(&self, carried: &str, true_ns: i64) -> Option<(Stamp, bool)> {
        if !self.merges {
            let causeway_clock::Carried(stamp) = carried.parse().ok()?;
            return Some((stamp, false));
        }
        self.shown.set(&self.wall, true_ns);
        match self.clock.receive(carried) {
            Ok(stamp) => Some((stamp, false)),
            Err(ReceiveError::TooFarAhead(refused)) => Some((refused.stamp, true)),
            Err(ReceiveError::Malformed(_)) => None,
        }
    }
}

impl Shown {
    fn set(&self, wall: &WallClock, true_ns: i64) {
        self.wall_ns.store(wall.shows_ns(true_ns), Ordering::Relaxed);
        self.monotonic_ns.store(true_ns - wall.origin_ns, Ordering::Relaxed);
    }
}
