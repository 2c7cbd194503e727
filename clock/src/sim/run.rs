//! A world that was played: spans as they are exported, and the truth about them.

use super::calls::{History, play};
use super::clock::{EPOCH_NS, SimClock, node_of};
use super::network::Network;
use super::random::Random;
use super::ticks::{Stamps, stamp};
use super::world::World;
use crate::ClockId;
use crate::order::{Event, Link, Span};

/// How long after its end a span reaches the collector.
const EXPORTED_AFTER_NS: i64 = 2_000_000_000;

/// A trace with its truth.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Spans as exported.
    pub spans: Vec<Span>,
    /// True start and end of each span.
    pub true_ns: Vec<(i64, i64)>,
    /// On which node each span ran.
    pub nodes: Vec<usize>,
}

impl Trace {
    /// When an event truly happened.
    pub fn true_time_ns(&self, event: Event) -> Option<i64> {
        match event {
            Event::Start(span) => self.true_ns.get(span as usize).map(|(start, _)| *start),
            Event::End(span) => self.true_ns.get(span as usize).map(|(_, end)| *end),
            Event::Tick(_) => None,
        }
    }

    /// On which node an event happened.
    pub fn node(&self, event: Event) -> Option<usize> {
        match event {
            Event::Start(span) | Event::End(span) => self.nodes.get(span as usize).copied(),
            Event::Tick(_) => None,
        }
    }
}

/// A world that was played.
#[derive(Debug)]
pub struct Run {
    /// All traces.
    pub traces: Vec<Trace>,
    /// The clocks, by node.
    pub clocks: Vec<SimClock>,
    least_delay_ns: Vec<Option<i64>>,
}

impl Run {
    /// Plays a world.
    pub fn play(world: &World) -> Self {
        let mut random = Random::new(world.seed);
        let mut clocks: Vec<SimClock> =
            (0..world.nodes).map(|node| SimClock::new(node, world, &mut random)).collect();
        let mut network = Network::new(world, &mut random);
        let mut history = play(world, &mut network, &mut random);
        let stamps = stamp(world, &mut history, &mut clocks);
        let traces = export(&history, &stamps, &clocks);
        Self { traces, clocks, least_delay_ns: network.least_ns }
    }

    /// All traces as one, and where each of them begins.
    pub fn together(&self) -> (Vec<Span>, Vec<u32>) {
        let mut spans: Vec<Span> = Vec::with_capacity(self.span_count());
        let mut begins = Vec::with_capacity(self.traces.len());
        for trace in &self.traces {
            let begin = spans.len() as u32;
            begins.push(begin);
            spans.extend(trace.spans.iter().cloned().map(|mut span| {
                span.parent = span.parent.map(|parent| parent + begin);
                for link in &mut span.links {
                    link.span = link.span.map(|linked| linked + begin);
                }
                span
            }));
        }
        (spans, begins)
    }

    /// How many spans there are.
    pub fn span_count(&self) -> usize {
        self.traces.iter().map(|trace| trace.spans.len()).sum()
    }

    /// True offset of one clock minus that of another; the collector's is right.
    pub fn offset_ns(&self, from: ClockId, to: ClockId, true_ns: i64) -> Option<f64> {
        let offset = |clock| match node_of(clock) {
            Some(node) => Some(self.clocks.get(node)?.offset_of_ns(clock, true_ns)),
            None => Some(0.0),
        };
        Some(offset(to)? - offset(from)?)
    }

    /// The least half-width that messages between two nodes alone could give: half of the shortest delays of both
    /// directions together.
    pub fn limit_ns(&self, a: usize, b: usize) -> Option<i64> {
        let least =
            |from: usize, to: usize| *self.least_delay_ns.get(from * self.clocks.len() + to)?;
        Some((least(a, b)? + least(b, a)?) / 2)
    }
}

fn export(history: &History, stamps: &Stamps, clocks: &[SimClock]) -> Vec<Trace> {
    let mut traces: Vec<Trace> = vec![Trace::default(); history.traces as usize];
    let mut places: Vec<u32> = Vec::with_capacity(history.spans.len());
    for (index, of) in history.spans.iter().enumerate() {
        let place = traces.get(of.trace as usize).map_or(0, |trace| trace.spans.len() as u32);
        places.push(place);
        let Some((trace, clock)) = traces.get_mut(of.trace as usize).zip(clocks.get(of.node))
        else {
            continue;
        };
        let within_trace = |span: u32| places.get(span as usize).copied();
        let at = |stamps: &[Option<crate::Stamp>]| stamps.get(index).copied().flatten();
        let link = of.link.map(|(span, message)| Link {
            span: within_trace(span),
            stamp: stamps.messages.get(message as usize).copied().flatten(),
        });
        trace.spans.push(Span {
            parent: of.parent.and_then(within_trace),
            kind: of.kind,
            instance: Some(of.node as u64),
            wall: Some(clock.wall()),
            start_ns: clock.shows_ns(of.start_ns),
            end_ns: clock.shows_ns(of.end_ns),
            start: at(&stamps.starts),
            end: at(&stamps.ends),
            received: at(&stamps.received),
            rejected: at(&stamps.rejected),
            responses: stamps.of_responses.get(index).cloned().unwrap_or_default(),
            links: link.into_iter().collect(),
            received_at_ns: Some(EPOCH_NS + of.end_ns + EXPORTED_AFTER_NS),
            duplicate: false,
            responded: of.responded,
            processes: of.processes,
        });
        trace.true_ns.push((of.start_ns, of.end_ns));
        trace.nodes.push(of.node);
    }
    traces
}
