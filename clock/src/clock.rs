//! The hybrid logical clock of a process.
//!
//! ```text
//! wall, monotonic ─► fork? step? ─► max(wall, last + 1) ─► stamp
//!                    │ yes           ▲ last = max(last, received)
//!                    ▼               │
//!                    new node id     observe(received), unless it is too far ahead
//! ```
//!
//! Invariants: the values of one node id grow strictly; a tick after an accepted stamp is greater
//! than that stamp; a node id is never used by two processes nor across a step of the wall clock.
//! Ticking takes no lock; a node whose identity has to change is replaced by whichever thread
//! finishes first, and all others go on with what it put there.

use std::cell::Cell;
use std::fmt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::node::{ClockNode, NoTick};
use crate::{Carried, NodeId, Reading, ReadingSource, Stamp, StampError};

/// The most that `max_offset` can be: nine years, which keeps every value below 2^63.
const MAX_OFFSET_NS_MAX: u64 = 1 << 58;

/// What a clock is made of. The default is the clock of this machine.
#[derive(Clone)]
pub struct ClockSettings {
    /// How far a received stamp may be ahead of the own wall clock, that far included; 500 ms by
    /// default. Stamps further ahead are refused, or one broken clock would drag all others along.
    pub max_offset: Duration,
    /// Where readings of wall and monotonic clock come from.
    pub readings: ReadingSource,
    /// Where node ids come from; every call has to give another one.
    pub node_ids: Arc<dyn Fn() -> NodeId + Send + Sync>,
    /// Is told of every change of the node id, on the thread whose tick made it necessary.
    pub on_new_node: Option<Arc<dyn Fn(NewNode) + Send + Sync>>,
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self {
            max_offset: Duration::from_millis(500),
            readings: Reading::system(),
            node_ids: Arc::new(NodeId::random),
            on_new_node: None,
        }
    }
}

impl fmt::Debug for ClockSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockSettings")
            .field("max_offset", &self.max_offset)
            .finish_non_exhaustive()
    }
}

/// A change of identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewNode {
    /// The id from now on.
    pub node: NodeId,
    /// The id until now.
    pub previous: NodeId,
    /// What made it necessary.
    pub cause: Cause,
}

/// Why a clock took a new node id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The wall clock was set, or the machine was suspended.
    Step,
    /// The clock was further ahead of its own wall clock than accepted stamps can explain.
    Reset,
    /// The process is a forked child.
    Fork,
}

/// A stamp that was refused because its clock is too far ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stamp {stamp} is {ahead_ns} ns ahead of the wall clock")]
pub struct TooFarAhead {
    /// The stamp; it remains evidence that a message was received.
    pub stamp: Stamp,
    /// How far it is ahead of the own wall clock.
    pub ahead_ns: i64,
}

/// Why the text that a message carried was not merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// It is no stamp, or one of an unknown version.
    #[error("the message carries no stamp that can be read")]
    Malformed(#[from] StampError),
    /// It is refused.
    #[error(transparent)]
    TooFarAhead(#[from] TooFarAhead),
}

/// How often something happened to a clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockCounts {
    /// Stamps refused for being too far ahead.
    pub rejected: u64,
    /// Carried texts that were no stamps.
    pub malformed: u64,
    /// Steps of the wall clock.
    pub steps: u64,
    /// Times the own value was given up for being too far ahead of the wall clock.
    pub resets: u64,
    /// Times the process turned out to be a forked child.
    pub forks: u64,
}

/// Clocks made so far.
static CLOCKS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The node of this thread's last tick. Taking it from here spares a tick the counting of
    /// references, which costs as much as the rest of it. An outdated one does no harm: it is
    /// retired, and refuses.
    static HELD: Cell<Option<Arc<ClockNode>>> = const { Cell::new(None) };
}

fn hold(node: Arc<ClockNode>) {
    // A thread that is ending has no such place any more; it ticks all the same.
    let _ = HELD.try_with(|held| held.set(Some(node)));
}

/// A hybrid logical clock. One per process, shared by all its threads.
pub struct Clock {
    settings: ClockSettings,
    max_offset_ns: i64,
    /// Tells the clocks of a process apart.
    serial: u64,
    node: ArcSwap<ClockNode>,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    rejected: AtomicU64,
    malformed: AtomicU64,
    steps: AtomicU64,
    forks: AtomicU64,
}

impl Clock {
    /// A clock with a node id of its own.
    pub fn new(settings: ClockSettings) -> Self {
        let max_offset_ns = settings.max_offset.as_nanos().min(u128::from(MAX_OFFSET_NS_MAX));
        let reading = (settings.readings)().in_range();
        let serial = CLOCKS.fetch_add(1, Ordering::Relaxed);
        let node = ClockNode::new(serial, (settings.node_ids)(), reading);
        Self {
            serial,
            max_offset_ns: i64::try_from(max_offset_ns).unwrap_or(i64::MAX),
            node: ArcSwap::from_pointee(node),
            counters: Counters::default(),
            settings,
        }
    }

    /// Moves the clock on: the stamp of an event, greater than all before it.
    pub fn tick(&self) -> Stamp {
        let mut reading = self.read();
        loop {
            let node = self.settle(&mut reading);
            match node.tick(reading.wall_ns.unsigned_abs(), self.lead_ns_max()) {
                Ok(hlc) => {
                    let hlc = hlc.cast_signed();
                    let stamp = Stamp { node: node.id, hlc, lead: hlc - reading.wall_ns };
                    hold(node);
                    return stamp;
                }
                Err(NoTick::LeadTooGreat) => self.replace(&node, reading, Cause::Reset),
                Err(NoTick::Retired) => reading = self.help(&node),
            }
        }
    }

    /// Merges the stamp of a received message. It is no tick of its own: the next one is greater
    /// than the stamp and stands for the event of receiving.
    ///
    /// # Errors
    ///
    /// [`TooFarAhead`] if the stamp is further ahead of the wall clock than `max_offset`. Nothing is
    /// merged then; the message itself is as good as any other.
    pub fn observe(&self, stamp: Stamp) -> Result<(), TooFarAhead> {
        let mut reading = self.read();
        loop {
            let node = self.settle(&mut reading);
            let ahead_ns = stamp.hlc.saturating_sub(reading.wall_ns);
            if ahead_ns > self.max_offset_ns {
                self.counters.rejected.fetch_add(1, Ordering::Relaxed);
                return Err(TooFarAhead { stamp, ahead_ns });
            }
            if node.merge(stamp.hlc.max(0).unsigned_abs()) {
                hold(node);
                return Ok(());
            }
            reading = self.help(&node);
        }
    }

    /// Reads what a message carried (`1:` and a stamp) and merges it.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`] says why nothing was merged, and is counted.
    pub fn receive(&self, carried: &str) -> Result<Stamp, ReceiveError> {
        let Carried(stamp) = carried.parse().inspect_err(|_| {
            self.counters.malformed.fetch_add(1, Ordering::Relaxed);
        })?;
        self.observe(stamp)?;
        Ok(stamp)
    }

    /// Gives a forked child an identity of its own; to be called in the child before it ticks.
    ///
    /// Ticks notice by themselves that the process id is another one. This hook is for whoever
    /// does not want to rely on that, and for processes cloned by other means than `fork`.
    pub fn after_fork(&self) {
        let node = self.node.load_full();
        self.replace(&node, self.read(), Cause::Fork);
    }

    /// The node id of the next tick, unless something changes until then.
    pub fn node(&self) -> NodeId {
        self.node.load().id
    }

    /// How often something happened, since the clock was made.
    pub fn counts(&self) -> ClockCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClockCounts {
            rejected: read(&self.counters.rejected),
            malformed: read(&self.counters.malformed),
            steps: read(&self.counters.steps),
            resets: self.node.load().resets,
            forks: read(&self.counters.forks),
        }
    }

    fn read(&self) -> Reading {
        (self.settings.readings)().in_range()
    }

    /// Twice `max_offset`, so that an accepted stamp at the limit cannot cause a reset.
    fn lead_ns_max(&self) -> u64 {
        self.max_offset_ns.unsigned_abs() * 2
    }

    /// The node that this thread held, unless it is another clock's or was replaced since.
    fn held(&self) -> Option<Arc<ClockNode>> {
        let held = HELD.try_with(Cell::take).ok().flatten()?;
        (held.clock == self.serial && !held.is_retired()).then_some(held)
    }

    /// A node, and a reading of the unbroken clock that it stands for.
    ///
    /// Each round is one real change of the clock or of the node by some thread: a new node agrees
    /// with the reading it was made from.
    fn settle(&self, reading: &mut Reading) -> Arc<ClockNode> {
        loop {
            let node = self.held().unwrap_or_else(|| self.node.load_full());
            if node.check(*reading, process::id).is_ok() {
                return node;
            }
            // A thread may be interrupted between reading the two clocks; hardly twice in a row.
            *reading = self.read();
            if let Err(cause) = node.check(*reading, process::id) {
                self.replace(&node, *reading, cause);
            }
        }
    }

    /// Ends a node for a reason; one with a new id takes its place.
    fn replace(&self, node: &Arc<ClockNode>, reading: Reading, cause: Cause) {
        let is_ours = node.retire();
        self.succeed(node, reading);
        // Threads that only help do not count: one change is reported once.
        if is_ours {
            self.report(node.id, cause);
        }
    }

    /// Brings a replacement to its end that another thread began. Gives the reading to go on with.
    fn help(&self, node: &Arc<ClockNode>) -> Reading {
        let reading = self.read();
        self.succeed(node, reading);
        reading
    }

    /// Puts a node in the place of a retired one, if nobody else did.
    fn succeed(&self, node: &Arc<ClockNode>, reading: Reading) {
        let fresh = node.successor((self.settings.node_ids)(), reading, self.lead_ns_max());
        drop(self.node.compare_and_swap(node, Arc::new(fresh)));
    }

    fn report(&self, previous: NodeId, cause: Cause) {
        match cause {
            Cause::Step => self.counters.steps.fetch_add(1, Ordering::Relaxed),
            Cause::Fork => self.counters.forks.fetch_add(1, Ordering::Relaxed),
            Cause::Reset => 0,
        };
        if let Some(on_new_node) = &self.settings.on_new_node {
            on_new_node(NewNode { node: self.node(), previous, cause });
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(ClockSettings::default())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("node", &self.node())
            .field("max_offset_ns", &self.max_offset_ns)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
