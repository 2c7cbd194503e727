//! What is true of a shop: what it was built with, what each clock does, and when spans really started and ended.

use super::cast::Level;
use super::fault::{Fault, FaultLine};
use super::plan::PlannedSpan;
use super::process::NodeTruth;
use super::resource::Instance;
use super::sightings::Sighting;
use super::wall::WallClock;

/// The truth about a span. Nothing that is sent tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanTruth {
    /// Its trace.
    pub trace_id: Vec<u8>,
    /// Its id.
    pub span_id: Vec<u8>,
    /// The instance that made it.
    pub instance: usize,
    /// When it started, in true time, nanoseconds since the Unix epoch.
    pub start_ns: i64,
    /// When it ended.
    pub end_ns: i64,
}

impl SpanTruth {
    pub(super) fn of(planned: &PlannedSpan) -> Self {
        Self {
            trace_id: planned.span.trace_id.clone(),
            span_id: planned.span.span_id.clone(),
            instance: planned.instance,
            start_ns: planned.start_ns,
            end_ns: planned.end_ns,
        }
    }
}

/// What a shop was built with, and what it has done so far.
#[derive(Debug, Clone)]
pub struct Truth {
    /// True time of the beginning, nanoseconds since the Unix epoch.
    pub start_unix_ns: i64,
    /// Requests of customers so far, each a trace; a few traces more come from behind queues and boundaries.
    pub journeys: u64,
    /// Every fault it has.
    pub faults: Vec<FaultTruth>,
    /// The clock of every instance.
    pub clocks: Vec<ClockTruth>,
}

/// A fault that the shop has.
#[derive(Debug, Clone)]
pub struct FaultTruth {
    /// What is said about it.
    pub line: &'static FaultLine,
    /// How many traces so far are of the operation it shows in; all of them if it shows in many.
    pub asked: u64,
    /// In which traces it is.
    pub sighting: Sighting,
    /// Instances that have it, where it is theirs.
    pub instances: Vec<String>,
}

/// A clock of the shop.
#[derive(Debug, Clone)]
pub struct ClockTruth {
    /// The instance that reads it.
    pub instance: Instance,
    /// How far the instance takes part in stamping.
    pub level: Level,
    /// What the clock does.
    pub wall: WallClock,
    /// The identities of the hybrid clock so far; empty where nobody sees them.
    pub nodes: Vec<NodeTruth>,
    /// From when on the instance is silent, if it dies.
    pub silent_from_ns: Option<i64>,
}

impl ClockTruth {
    /// How far the clock that an identity stands for is ahead at a true time; of a clock that is set there are two,
    /// each of which goes on where the other is read.
    pub fn offset_of_ns(&self, node: NodeTruth, true_ns: i64) -> i64 {
        self.wall.steady_offset_ns(true_ns) + node.set_by_ns
    }
}

impl FaultTruth {
    /// The fault.
    pub fn fault(&self) -> Fault {
        self.line.fault
    }
}
