//! Finds out which stamps may be believed, before anything is built on them.
//!
//! ```text
//! spans ─ each alone ─► Future, Order, Backdated, Time, Duplicate, Replayed
//!       ─ per node ───► Clash: two processes, an equal stamp, or a child not after its parent
//!       ─ what is left ► chains: the ticks of each node, one after the other
//! ```
//!
//! A stamp is never believed because of its value: only ticks of one node are compared with each other.

use std::collections::{HashMap, HashSet};

use super::OrderSettings;
use super::faults::{Fault, Faults, Violation};
use super::span::Span;
use super::vertex::{end_of, parent_of, start_of, tick_of};
use crate::{NodeId, Stamp};

/// Faults of all spans, and the ticks that are left.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) faults: Vec<Faults>,
    pub(super) violations: Vec<Violation>,
    pub(super) chains: Chains,
    /// Vertices of extra ticks that repeat another vertex, with that vertex.
    pub(super) repeats: Vec<(u32, u32)>,
}

/// The ticks of each node that may be compared, ascending.
///
/// Ticks of a node that lie in the future of the collector form a chain apart from its others: one forged stamp would
/// otherwise order all that the node ever did.
#[derive(Debug)]
pub(super) struct Chains {
    nodes: Nodes,
    ticks: Vec<Tick>,
}

/// A tick that may be compared with others of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick {
    node: u32,
    future: bool,
    hlc: i64,
    pub(super) vertex: u32,
}

impl Tick {
    /// Whether the next tick of the list is one of the same chain.
    pub(super) fn is_followed_by(self, next: Self) -> bool {
        self.node == next.node && self.future == next.future && self.hlc < next.hlc
    }
}

impl Chains {
    /// All ticks, chain after chain.
    pub(super) fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    /// Nodes that two clocks share.
    pub(super) fn clashed_nodes(&self) -> impl Iterator<Item = NodeId> {
        let is_clashed = |number: &u32| self.nodes.is_clashed(*number);
        self.nodes.numbers.iter().filter(move |(_, number)| is_clashed(number)).map(|(id, _)| *id)
    }

    /// The last known event of the stamp's node that is not after the stamp.
    pub(super) fn last_before(&self, stamp: Stamp, future: bool) -> Option<u32> {
        let node = *self.nodes.numbers.get(&stamp.node)?;
        let after =
            self.ticks.partition_point(|t| (t.node, t.future, t.hlc) <= (node, future, stamp.hlc));
        let tick = self.ticks.get(after.checked_sub(1)?)?;
        (tick.node == node && tick.future == future).then_some(tick.vertex)
    }
}

/// Numbers for the nodes that ticked, and which of them two clocks share.
#[derive(Debug, Default)]
struct Nodes {
    numbers: HashMap<NodeId, u32>,
    of_vertex: Vec<u32>,
    clashed: Vec<bool>,
}

impl Nodes {
    const NONE: u32 = u32::MAX;

    fn number(spans: &[Span], extra: &[Stamp]) -> Self {
        let mut nodes = Self::default();
        nodes.of_vertex.reserve_exact(spans.len() * 2 + extra.len());
        let of_spans = spans.iter().flat_map(|span| [span.start, span.end]);
        for stamp in of_spans.chain(extra.iter().copied().map(Some)) {
            let next = nodes.numbers.len() as u32;
            let number = stamp.map(|s| *nodes.numbers.entry(s.node).or_insert(next));
            nodes.of_vertex.push(number.unwrap_or(Self::NONE));
        }
        nodes.clashed = vec![false; nodes.numbers.len()];
        nodes
    }

    fn of(&self, vertex: u32) -> u32 {
        self.of_vertex.get(vertex as usize).copied().unwrap_or(Self::NONE)
    }

    fn mark_clash(&mut self, node: u32) {
        if let Some(flag) = self.clashed.get_mut(node as usize) {
            *flag = true;
        }
    }

    fn is_clashed(&self, node: u32) -> bool {
        self.clashed.get(node as usize).copied().unwrap_or(false)
    }
}

/// Checks all spans.
pub(super) fn verify(spans: &[Span], extra: &[Stamp], settings: &OrderSettings) -> Verified {
    let refused: HashSet<(Option<NodeId>, Stamp)> = spans
        .iter()
        .filter_map(|span| span.rejected.map(|stamp| (span.start.map(|s| s.node), stamp)))
        .collect();
    let mut faults: Vec<Faults> =
        spans.iter().map(|span| of_span(span, spans, &refused, settings)).collect();

    let mut nodes = Nodes::number(spans, extra);
    clash_of_processes(spans, &mut nodes);
    clash_of_parents(spans, &faults, &mut nodes);
    let mut ticks = comparable_ticks(spans, extra, &faults, settings, &nodes);
    ticks.sort_unstable();
    let repeats = drop_equal(&mut ticks, spans, &mut nodes);
    ticks.retain(|tick| !nodes.is_clashed(tick.node));

    let mut violations = Vec::new();
    for ((index, span), faults) in (0u32..).zip(spans).zip(&mut faults) {
        let ticked = [(span.start, start_of(index)), (span.end, end_of(index))];
        let clash = ticked.into_iter().find(|(_, vertex)| nodes.is_clashed(nodes.of(*vertex)));
        if clash.is_some() {
            faults.insert(Fault::Clash);
        }
        let stamp = clash.and_then(|(stamp, _)| stamp).or(span.start).or(span.end);
        let node = stamp.map(|s| s.node);
        violations.extend(faults.iter().map(|fault| Violation { span: index, fault, node }));
    }
    Verified { faults, violations, chains: Chains { nodes, ticks }, repeats }
}

/// Whether a stamp lies further ahead of the collector than a healthy clock may be.
pub(super) fn is_future(stamp: Stamp, span: &Span, settings: &OrderSettings) -> bool {
    let slack_ns = settings.offset_ns_max.saturating_add(settings.future_slack_ns);
    span.received_at_ns.is_some_and(|at| stamp.hlc > at.saturating_add(slack_ns))
}

/// What a span tells together with its parent and with what other spans refused.
fn of_span(
    span: &Span,
    spans: &[Span],
    refused: &HashSet<(Option<NodeId>, Stamp)>,
    settings: &OrderSettings,
) -> Faults {
    let mut faults = span.faults_alone(settings);
    let is_refused = || {
        let start = span.start.map(|stamp| stamp.node);
        span.received.is_some_and(|received| refused.contains(&(start, received)))
    };
    if span.starts_before_received() && !is_refused() {
        faults.insert(Fault::Order);
    }
    if is_replayed(span, spans) {
        faults.insert(Fault::Replayed);
    }
    faults
}

impl Span {
    /// What is wrong with the span as far as it tells by itself: what it shares with other spans, and whether it follows
    /// what was received ([`starts_before_received`](Self::starts_before_received)), is not looked at.
    pub fn faults_alone(&self, settings: &OrderSettings) -> Faults {
        let mut faults = Faults::default();
        if self.duplicate {
            faults.insert(Fault::Duplicate);
        }
        let stamps = [self.start, self.end, self.received].into_iter().flatten();
        let links = self.links.iter().filter_map(|link| link.stamp);
        let learnt = self.responses.iter().copied().chain(links);
        if stamps.chain(learnt).any(|stamp| is_future(stamp, self, settings)) {
            faults.insert(Fault::Future);
        }
        if self.start.zip(self.end).is_some_and(|(s, e)| s.node == e.node && s.hlc >= e.hlc) {
            faults.insert(Fault::Order);
        }
        let slack_ns = settings.claim_slack_ns;
        if self.start.is_some_and(|s| shown(s).abs_diff(self.start_ns) > slack_ns.unsigned_abs()) {
            faults.insert(Fault::Backdated);
        }
        let late = self.end.is_some_and(|e| self.end_ns.saturating_sub(shown(e)) > slack_ns);
        if self.start_ns <= 0 || self.end_ns < self.start_ns || late {
            faults.insert(Fault::Time);
        }
        faults
    }

    /// Whether the start tick does not follow the stamp that was received. Nothing is wrong with that where the span, or
    /// the one above it in the same process that got the message, refused the stamp.
    pub fn starts_before_received(&self) -> bool {
        let both = self.start.zip(self.received);
        both.is_some_and(|(start, received)| start.hlc <= received.hlc)
            && self.rejected != self.received
    }
}

/// What the wall clock showed; stamps of unknown origin may break the rule that `lead <= hlc`.
pub(super) fn shown(stamp: Stamp) -> i64 {
    stamp.hlc.saturating_sub(stamp.lead)
}

/// A message that a span sent carries a tick after that span's start, unless it is passed on from what it received.
fn is_replayed(span: &Span, spans: &[Span]) -> bool {
    let Some((received, parent)) = span.received.zip(parent_of(span, spans)) else { return false };
    parent.start.is_some_and(|s| s.node == received.node && received.hlc <= s.hlc)
        && parent.received != Some(received)
}

fn clash_of_processes(spans: &[Span], nodes: &mut Nodes) {
    let mut owner: Vec<Option<u64>> = vec![None; nodes.clashed.len()];
    for (index, span) in (0u32..).zip(spans) {
        let Some(instance) = span.instance else { continue };
        for node in [nodes.of(start_of(index)), nodes.of(end_of(index))] {
            let Some(owner) = owner.get_mut(node as usize) else { continue };
            if *owner.get_or_insert(instance) != instance {
                nodes.mark_clash(node);
            }
        }
    }
}

/// A child that does not start after its parent on one clock: the clock is not one. Spans whose own stamps are doubted
/// explain themselves.
fn clash_of_parents(spans: &[Span], faults: &[Faults], nodes: &mut Nodes) {
    let is_void = |index: u32| {
        let faults = faults.get(index as usize);
        faults.is_none_or(|f| f.contains(Fault::Order) || f.contains(Fault::Duplicate))
    };
    for (index, span) in (0u32..).zip(spans) {
        let Some(parent) = span.parent.filter(|p| *p != index && (*p as usize) < spans.len())
        else {
            continue;
        };
        let node = nodes.of(start_of(index));
        if node == Nodes::NONE || node != nodes.of(start_of(parent)) {
            continue;
        }
        let parent_start = spans.get(parent as usize).and_then(|p| p.start);
        let is_after = span.start.zip(parent_start).is_some_and(|(s, p)| s.hlc > p.hlc);
        if !is_after && !is_void(index) && !is_void(parent) {
            nodes.mark_clash(node);
        }
    }
}

fn comparable_ticks(
    spans: &[Span],
    extra: &[Stamp],
    faults: &[Faults],
    settings: &OrderSettings,
    nodes: &Nodes,
) -> Vec<Tick> {
    let mut ticks = Vec::with_capacity(spans.len() * 2 + extra.len());
    for ((index, span), faults) in (0u32..).zip(spans).zip(faults) {
        if faults.contains(Fault::Order) {
            continue;
        }
        for (stamp, vertex) in [(span.start, start_of(index)), (span.end, end_of(index))] {
            let Some(stamp) = stamp else { continue };
            let future = is_future(stamp, span, settings);
            // A clock that really is that far ahead claims times just as far ahead; other stamps are made up.
            if !(future && faults.contains(Fault::Backdated)) {
                ticks.push(Tick { node: nodes.of(vertex), future, hlc: stamp.hlc, vertex });
            }
        }
    }
    for (index, stamp) in (0u32..).zip(extra) {
        let vertex = tick_of(spans.len(), index);
        ticks.push(Tick { node: nodes.of(vertex), future: false, hlc: stamp.hlc, vertex });
    }
    ticks
}

/// Two ticks of one clock are never equal. Copies of one span and extra ticks may repeat what is there, all else is a
/// clash. What repeats is left out, so that a chain rises strictly.
fn drop_equal(ticks: &mut Vec<Tick>, spans: &[Span], nodes: &mut Nodes) -> Vec<(u32, u32)> {
    let mut repeats = Vec::new();
    ticks.dedup_by(|later, earlier| {
        let equal =
            (later.node, later.future, later.hlc) == (earlier.node, earlier.future, earlier.hlc);
        if equal {
            match spans.get(later.vertex as usize / 2) {
                None => repeats.push((later.vertex, earlier.vertex)),
                Some(span) if span.duplicate => {}
                Some(_) => nodes.mark_clash(later.node),
            }
        }
        equal
    });
    repeats
}
