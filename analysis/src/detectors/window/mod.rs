//! Detectors over windows: what only many traces together show.
//!
//! ```text
//! Subject ─ observe, trace by trace ─► accumulators, each bounded ─ finish, at the window's end ─► Findings
//! ClockReport (clock) ─ clocks ──────────────────────────────────────────────────────────────────► Findings
//! ```
//!
//! A detector is one file: its rule in the module's documentation, its settings, an accumulator with [`WindowDetector`],
//! and tests. [`Window`] holds one of each. A window is as long as who feeds it decides.
//!
//! Invariants: memory of each accumulator is bounded by a named limit, beyond which new keys are left out and counted;
//! feeding costs `O(n log n)` of a trace; findings do not depend on the order in which traces come, as long as no limit is
//! reached.

mod broken_boundary;
mod chatty_edge;
mod clocks;
mod dead_endpoint;
mod distributed_monolith;
mod draft;
mod mixed_dialects;
mod queue_growth;
mod queue_waits;
mod run;
mod single_instance;
mod version_skew;

pub use broken_boundary::{BrokenBoundary, BrokenBoundarySettings};
pub use chatty_edge::{ChattyEdge, ChattyEdgeSettings};
pub use clocks::{CLOCK_DETECTORS, ClockSeen, ClockSettings, detect_clocks};
pub use dead_endpoint::{DeadEndpoint, DeadEndpointSettings};
pub use distributed_monolith::{DistributedMonolith, DistributedMonolithSettings};
pub use draft::{EXAMPLES_MAX, Examples, WindowDraft};
pub use mixed_dialects::{MixedDialects, MixedDialectsSettings};
pub use queue_waits::{QueueWaits, QueueWaitsSettings};
pub use run::{Window, WindowSettings};
pub use single_instance::{SingleInstance, SingleInstanceSettings};
pub use version_skew::{VersionSkew, VersionSkewSettings};

use super::{Fallacy, Finding, Subject};

/// What a rule over many traces is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name in findings and settings.
    pub id: &'static str,
    /// Grows when the rule changes what it finds.
    pub rule_version: u32,
    /// The fallacy that leads to what it finds.
    pub fallacy: Fallacy,
    /// What it finds, in a line.
    pub summary: &'static str,
}

/// A rule over many traces.
pub trait WindowDetector {
    /// What it is called.
    fn rule(&self) -> Rule;
    /// Takes a trace into account.
    fn observe(&mut self, subject: &Subject<'_, '_>);
    /// What the traces so far show, worst first.
    fn finish(&self) -> Vec<Finding>;
    /// Keys that were left out because a limit was reached.
    fn left_out(&self) -> u64;
}

#[cfg(test)]
mod tests;
