//! Puts the order together: verified spans, their edges without cycles, and one sequence that respects all of them.
//!
//! Proofs that contradict each other cannot all be true. First go those that rest on one clock being one, then all that
//! lie on a cycle; the spans are flagged. Inferences that contradict proofs or each other go too, the most doubtful kind
//! first, and are counted.

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use super::edge_kind::EdgeKind;
use super::edges::{Edge, inferences, proofs};
use super::faults::{Fault, Faults, Violation};
use super::reach::Vectors;
use super::span::{Event, SPANS_MAX, Span};
use super::verify::{Verified, is_future, shown, verify};
use super::vertex::{end_of, event_of, start_of, tick_of};
use crate::graph::{self, at, components, topological};
use crate::{ClockId, NodeId, Stamp};

/// Edges grouped by the event they leave.
pub(super) type Adjacency = graph::Adjacency<EdgeKind>;

/// How far clocks may be off before their stamps are doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderSettings {
    /// How far ahead a stamp may be for clocks to accept it, 500 ms unless the clocks are set otherwise.
    pub offset_ns_max: i64,
    /// What is granted on top before a stamp counts as one of the future, 60 s.
    pub future_slack_ns: i64,
    /// How far claimed times may be from readings of ticks, 5 ms.
    pub claim_slack_ns: i64,
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            offset_ns_max: 500_000_000,
            future_slack_ns: 60_000_000_000,
            claim_slack_ns: 5_000_000,
        }
    }
}

/// Why no order could be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OrderError {
    /// A limit was reached.
    #[error("{spans} spans and ticks to order, at most {SPANS_MAX}")]
    TooManySpans {
        /// Spans and extra ticks that were given.
        spans: usize,
    },
}

/// What a clock showed at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The clock.
    pub clock: ClockId,
    /// What it showed, nanoseconds since the Unix epoch.
    pub at_ns: i64,
    /// Where the event lies on the axis that clocks share, by which windows of offsets are chosen: the value of the
    /// hybrid clock, or the parent's place and what passed since.
    pub axis_ns: i64,
}

impl Reading {
    /// How far the clock is from the axis where that is known: untagged clocks know their trace's place on it only by
    /// that of its root. Bounds are worth less by what clocks drift in that time.
    pub fn axis_gap_ns(&self) -> u64 {
        match self.clock {
            ClockId::Node(_) => 0,
            _ => self.at_ns.abs_diff(self.axis_ns),
        }
    }
}

/// The order of the events of a trace, or of several.
#[derive(Debug, Clone)]
pub struct Order {
    pub(super) spans: usize,
    pub(super) ticks: usize,
    pub(super) proofs: Adjacency,
    pub(super) inferences: Adjacency,
    /// All vertices, gates too, in an order that no edge contradicts.
    pub(super) sorted: Vec<u32>,
    /// Place of each vertex in `sorted`.
    pub(super) rank: Vec<u32>,
    pub(super) readings: Vec<Option<Reading>>,
    /// Stamps of events; those of a doubted future are missing.
    pub(super) hlc: Vec<Option<i64>>,
    pub(super) vectors: Option<Vectors>,
    /// Whether some clock refused a stamp.
    pub(super) has_rejections: bool,
    repeats: HashMap<u32, u32>,
    faults: Vec<Faults>,
    violations: Vec<Violation>,
    discarded: usize,
    clashed: HashSet<NodeId>,
    settings: OrderSettings,
}

impl Order {
    /// Orders the events of spans, and extra ticks of the same nodes. Linear but for sorting ticks; about 100 ms for
    /// 100,000 spans.
    pub fn build(
        spans: &[Span],
        extra: &[Stamp],
        settings: &OrderSettings,
    ) -> Result<Self, OrderError> {
        if spans.len().saturating_add(extra.len()) > SPANS_MAX {
            return Err(OrderError::TooManySpans {
                spans: spans.len().saturating_add(extra.len()),
            });
        }
        let events = spans.len() * 2 + extra.len();
        let mut verified = verify(spans, extra, settings);
        let (inferences, gates) = inferences(spans, &verified, events);
        let proofs = proofs(spans, &verified, settings);
        let sound = Edges { proofs, inferences, vertices: events + gates }.sound(&mut verified);

        let mut rank = vec![0; events + gates];
        for (place, vertex) in (0u32..).zip(&sound.sorted) {
            if let Some(rank) = rank.get_mut(*vertex as usize) {
                *rank = place;
            }
        }
        let mut order = Self {
            spans: spans.len(),
            ticks: extra.len(),
            proofs: sound.proofs,
            inferences: sound.inferences,
            sorted: sound.sorted,
            rank,
            readings: Vec::new(),
            hlc: Vec::new(),
            vectors: None,
            has_rejections: spans.iter().any(|span| span.rejected.is_some()),
            repeats: verified.repeats.into_iter().collect(),
            faults: verified.faults,
            violations: verified.violations,
            discarded: sound.discarded,
            clashed: verified.chains.clashed_nodes().collect(),
            settings: *settings,
        };
        order.read_stamps(spans, extra);
        order.read_clocks(spans, extra);
        Ok(order)
    }

    /// How many spans were ordered.
    pub fn span_count(&self) -> usize {
        self.spans
    }

    /// What is wrong with a span.
    pub fn faults(&self, span: u32) -> Faults {
        self.faults.get(span as usize).copied().unwrap_or_default()
    }

    /// Everything that was found wrong, span by span.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Whether two clocks share this node id.
    pub fn is_clashed(&self, node: NodeId) -> bool {
        self.clashed.contains(&node)
    }

    /// Whether a stamp that a span shows lies further ahead of the collector than a healthy clock may be.
    pub fn is_future(&self, stamp: Stamp, shown_by: &Span) -> bool {
        is_future(stamp, shown_by, &self.settings)
    }

    /// How many inferences were discarded because proofs, or better inferences, contradict them.
    pub fn discarded_inferences(&self) -> usize {
        self.discarded
    }

    /// How many edges prove something.
    pub fn proof_edge_count(&self) -> usize {
        self.proofs.edge_count()
    }

    /// What a clock showed at an event, where a usable one is known.
    pub fn reading(&self, event: Event) -> Option<Reading> {
        *self.readings.get(self.vertex(event)? as usize)?
    }

    /// The value of the hybrid clock at an event, if there is one that is believed.
    pub fn hlc(&self, event: Event) -> Option<i64> {
        *self.hlc.get(self.vertex(event)? as usize)?
    }

    /// All events: starts and ends of spans, then extra ticks.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        let events = self.spans * 2 + self.ticks;
        (0u32..).take(events).map(|vertex| event_of(self.spans, vertex))
    }

    /// The vertex of an event, `None` if there is no such event.
    pub(super) fn vertex(&self, event: Event) -> Option<u32> {
        let (index, limit) = match event {
            Event::Start(span) | Event::End(span) => (span, self.spans),
            Event::Tick(tick) => (tick, self.ticks),
        };
        if index as usize >= limit {
            return None;
        }
        let vertex = match event {
            Event::Start(span) => start_of(span),
            Event::End(span) => end_of(span),
            Event::Tick(tick) => tick_of(self.spans, tick),
        };
        Some(self.repeats.get(&vertex).copied().unwrap_or(vertex))
    }

    /// The event of a vertex, `None` for gates.
    pub(super) fn event(&self, vertex: u32) -> Option<Event> {
        ((vertex as usize) < self.spans * 2 + self.ticks).then(|| event_of(self.spans, vertex))
    }

    fn read_stamps(&mut self, spans: &[Span], extra: &[Stamp]) {
        self.hlc.reserve_exact(spans.len() * 2 + extra.len());
        for (span, faults) in spans.iter().zip(&self.faults) {
            let is_believed =
                |s: &Stamp| !faults.contains(Fault::Order) && !is_future(*s, span, &self.settings);
            for stamp in [span.start, span.end] {
                self.hlc.push(stamp.filter(is_believed).map(|s| s.hlc));
            }
        }
        self.hlc.extend(extra.iter().map(|s| Some(s.hlc)));
    }

    /// Readings of all events. Parents come first in `sorted`, so that an untagged span finds its place on the axis by
    /// that of its parent.
    fn read_clocks(&mut self, spans: &[Span], extra: &[Stamp]) {
        let mut axis: Vec<i64> = spans.iter().map(|span| span.start_ns).collect();
        for vertex in &self.sorted {
            let Event::Start(index) = event_of(self.spans, *vertex) else { continue };
            let Some(span) = spans.get(index as usize) else { continue };
            let of_parent = span.parent.filter(|parent| *parent != index).and_then(|parent| {
                Some((spans.get(parent as usize)?, *axis.get(parent as usize)?))
            });
            let stamped = self.hlc.get(*vertex as usize).copied().flatten();
            let place = stamped.or_else(|| of_parent.map(|(p, at)| place_by_parent(span, p, at)));
            if let Some((slot, place)) = axis.get_mut(index as usize).zip(place) {
                *slot = place;
            }
        }
        self.readings.reserve_exact(spans.len() * 2 + extra.len());
        for ((span, start_axis), faults) in spans.iter().zip(axis).zip(&self.faults) {
            let end_axis = start_axis.saturating_add(span.end_ns.saturating_sub(span.start_ns));
            let wall = span.wall.filter(|_| !faults.contains(Fault::Time));
            for (stamp, claimed_ns, axis_ns) in
                [(span.start, span.start_ns, start_axis), (span.end, span.end_ns, end_axis)]
            {
                let clock = stamp.map(|s| ClockId::Node(s.node)).or(wall);
                let at_ns = stamp.map_or(claimed_ns, shown);
                let stamped = self.hlc.get(self.readings.len()).copied().flatten();
                let axis_ns = stamped.unwrap_or(axis_ns);
                self.readings.push(clock.map(|clock| Reading { clock, at_ns, axis_ns }));
            }
        }
        self.readings.extend(extra.iter().map(|s| {
            Some(Reading { clock: ClockId::Node(s.node), at_ns: shown(*s), axis_ns: s.hlc })
        }));
    }
}

/// Where a span starts on the axis if its parent starts at `parent_axis_ns`: what passed on their common clock, or in the
/// middle of what a parent on another clock has to spare.
fn place_by_parent(span: &Span, parent: &Span, parent_axis_ns: i64) -> i64 {
    let passed = if span.wall.is_some() && span.wall == parent.wall {
        span.start_ns.saturating_sub(parent.start_ns)
    } else {
        let of_parent = parent.end_ns.saturating_sub(parent.start_ns);
        let own = span.end_ns.saturating_sub(span.start_ns);
        of_parent.saturating_sub(own).max(0) / 2
    };
    parent_axis_ns.saturating_add(passed)
}

/// All edges as they were found.
struct Edges {
    proofs: Vec<Edge>,
    inferences: Vec<Edge>,
    vertices: usize,
}

/// Edges without cycles.
struct Sound {
    proofs: Adjacency,
    inferences: Adjacency,
    sorted: Vec<u32>,
    discarded: usize,
}

impl Edges {
    fn sound(mut self, verified: &mut Verified) -> Sound {
        let given = self.inferences.len();
        let mut proofs = Adjacency::outgoing(self.vertices, &self.proofs);
        let mut inferences = Adjacency::outgoing(self.vertices, &self.inferences);
        let mut sorted = topological(&[&proofs, &inferences]);
        if sorted.len() < self.vertices && topological(&[&proofs]).len() < self.vertices {
            proofs = self.cut_proofs(proofs, verified);
            sorted = topological(&[&proofs, &inferences]);
        }
        // Servers that end late are common, messages that are processed before they are sent are not.
        let doubtful =
            [EdgeKind::Return, EdgeKind::LocalReturn, EdgeKind::SameWall, EdgeKind::Process];
        for kind in doubtful {
            if sorted.len() == self.vertices {
                break;
            }
            let component = components(&[&proofs, &inferences]);
            let is_on_cycle = |edge: &Edge| at(&component, edge.from) == at(&component, edge.to);
            self.inferences.retain(|edge| edge.label != kind || !is_on_cycle(edge));
            inferences = Adjacency::outgoing(self.vertices, &self.inferences);
            sorted = topological(&[&proofs, &inferences]);
        }
        Sound { proofs, inferences, sorted, discarded: given - self.inferences.len() }
    }

    /// Takes out what makes proofs contradict each other, and flags whose they were.
    fn cut_proofs(&mut self, mut proofs: Adjacency, verified: &mut Verified) -> Adjacency {
        for only_one_clock in [true, false] {
            let component = components(&[&proofs]);
            let is_on_cycle = |edge: &Edge| at(&component, edge.from) == at(&component, edge.to);
            for edge in self.proofs.iter().filter(|edge| is_on_cycle(edge)) {
                flag_cycle(edge.to / 2, verified);
            }
            let is_void =
                |e: &Edge| is_on_cycle(e) && (e.label.needs_one_clock() || !only_one_clock);
            self.proofs.retain(|edge| !is_void(edge));
            proofs = Adjacency::outgoing(self.vertices, &self.proofs);
            if topological(&[&proofs]).len() == self.vertices {
                break;
            }
        }
        proofs
    }
}

fn flag_cycle(span: u32, verified: &mut Verified) {
    let Some(faults) = verified.faults.get_mut(span as usize) else { return };
    if !faults.contains(Fault::Cycle) {
        faults.insert(Fault::Cycle);
        verified.violations.push(Violation { span, fault: Fault::Cycle, node: None });
    }
}
