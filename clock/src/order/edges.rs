//! The edges between events: those that prove an order, and those that conventions suggest.
//!
//! A stamp `(n, h)` is an edge from the last known event of `n` up to `h`: everything `n` did until then came before
//! whoever received the stamp. Where ticks of `n` may not be compared there is no such event, hence no edge.

use std::collections::HashMap;

use super::edge_kind::EdgeKind;
use super::span::{Kind, Link, Span};
use super::verify::{Chains, Verified, is_future};
use super::vertex::{end_of, parent_of, start_of};
use super::{Fault, OrderSettings};
use crate::graph;
use crate::{ClockId, Stamp};

/// An edge between two events.
pub(super) type Edge = graph::Edge<EdgeKind>;

/// All edges that hold whatever clocks do, unless ids were duplicated unnoticed.
pub(super) fn proofs(spans: &[Span], verified: &Verified, settings: &OrderSettings) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(spans.len() * 5);
    for (index, span) in (0u32..).zip(spans) {
        let (start, end) = (start_of(index), end_of(index));
        edges.push(Edge { from: start, to: end, label: EdgeKind::Program });
        if let Some(parent) = known(span.parent, index, spans) {
            edges.push(Edge { from: start_of(parent), to: start, label: EdgeKind::Parent });
        }
        let mut learn = |stamp: Option<Stamp>, to: u32, label: EdgeKind| {
            let from = stamp.and_then(|stamp| {
                verified.chains.last_before(stamp, is_future(stamp, span, settings))
            });
            edges.extend(from.filter(|from| *from != to).map(|from| Edge { from, to, label }));
        };
        learn(span.received.filter(|r| !is_own(span.start, *r)), start, EdgeKind::Message);
        for stamp in &span.responses {
            learn(Some(*stamp), end, EdgeKind::Response);
        }
        for link in &span.links {
            learn(link.stamp, end, EdgeKind::LinkMessage);
        }
        for linked in linked(&span.links, index, spans) {
            edges.push(Edge { from: start_of(linked), to: end, label: EdgeKind::Link });
        }
    }
    same_node(&verified.chains, &mut edges);
    edges
}

/// Whether the chain of the span's own node already says what the stamp would.
fn is_own(start: Option<Stamp>, stamp: Stamp) -> bool {
    start.is_some_and(|s| s.node == stamp.node && s.hlc > stamp.hlc)
}

fn same_node(chains: &Chains, edges: &mut Vec<Edge>) {
    let ticks = chains.ticks();
    for (tick, next) in ticks.iter().zip(ticks.iter().skip(1)) {
        if tick.is_followed_by(*next) {
            edges.push(Edge { from: tick.vertex, to: next.vertex, label: EdgeKind::SameNode });
        }
    }
}

/// The index, if it is another span whose id means only that span.
fn known(of: Option<u32>, index: u32, spans: &[Span]) -> Option<u32> {
    of.filter(|o| *o != index && spans.get(*o as usize).is_some_and(|s| !s.duplicate))
}

fn linked(links: &[Link], index: u32, spans: &[Span]) -> impl Iterator<Item = u32> {
    links.iter().filter_map(move |link| known(link.span, index, spans))
}

/// All edges that are usual but not certain. Edges of equal readings on one wall clock go through vertices of their
/// own, numbered from `vertices` on; their number is returned too.
pub(super) fn inferences(
    spans: &[Span],
    verified: &Verified,
    vertices: usize,
) -> (Vec<Edge>, usize) {
    let mut edges = Vec::new();
    for (index, span) in (0u32..).zip(spans) {
        if span.processes && span.kind == Kind::Consumer {
            edges.extend(linked(&span.links, index, spans).map(|linked| Edge {
                from: start_of(linked),
                to: start_of(index),
                label: EdgeKind::Process,
            }));
        }
        let Some(parent_index) = known(span.parent, index, spans) else { continue };
        let Some(parent) = parent_of(span, spans) else { continue };
        if let Some(label) = end_rule(span, parent) {
            edges.push(Edge { from: end_of(index), to: end_of(parent_index), label });
        }
    }
    let gates = same_wall(spans, verified, vertices, &mut edges);
    (edges, gates)
}

/// Whether a child is thought to end before its parent does.
fn end_rule(span: &Span, parent: &Span) -> Option<EdgeKind> {
    if parent.kind == Kind::Client && span.kind == Kind::Server && parent.responded {
        return Some(EdgeKind::Return);
    }
    let is_local = span.instance.is_some() && span.instance == parent.instance;
    let is_untagged = span.end.is_none() && parent.end.is_none();
    let agrees = span.end_ns <= parent.end_ns && span.end_ns > 0;
    (is_local && is_untagged && agrees).then_some(EdgeKind::LocalReturn)
}

/// Readings of one wall clock, ascending. Equal readings say nothing about each other; where there are several, all of
/// them pass through one gate, so that the edges stay linear.
fn same_wall(spans: &[Span], verified: &Verified, vertices: usize, edges: &mut Vec<Edge>) -> usize {
    let mut numbers: HashMap<ClockId, u32> = HashMap::new();
    let mut readings: Vec<(u32, i64, u32)> = Vec::new();
    for ((index, span), faults) in (0u32..).zip(spans).zip(&verified.faults) {
        let Some(wall) = span.wall.filter(|_| !faults.contains(Fault::Time)) else { continue };
        let next = numbers.len() as u32;
        let wall = *numbers.entry(wall).or_insert(next);
        if span.start.is_none() {
            readings.push((wall, span.start_ns, start_of(index)));
        }
        if span.end.is_none() {
            readings.push((wall, span.end_ns, end_of(index)));
        }
    }
    readings.sort_unstable();

    let mut gates = 0;
    let mut gate: Option<(u32, u32)> = None;
    for group in readings.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some((wall, _, first)) = group.first().copied() else { continue };
        if let Some((_, gate)) = gate.filter(|(of, _)| *of == wall) {
            edges.extend(group.iter().map(|(_, _, vertex)| Edge {
                from: gate,
                to: *vertex,
                label: EdgeKind::SameWall,
            }));
        }
        if group.len() == 1 {
            gate = Some((wall, first));
            continue;
        }
        let own = (vertices + gates) as u32;
        gates += 1;
        edges.extend(group.iter().map(|(_, _, vertex)| Edge {
            from: *vertex,
            to: own,
            label: EdgeKind::SameWall,
        }));
        gate = Some((wall, own));
    }
    gates
}
