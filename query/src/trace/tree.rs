//! From spans with parent ids to rows in depth-first order.
//!
//! Nodes are the spans, then one placeholder per parent id that no span has. Every node gets at most
//! one parent node; cycles are cut at their earliest start; what then has no parent is a top row.
//! All passes are loops over arrays: depth and width cost nothing but memory.

use std::collections::HashMap;

use serde::Serialize;

use super::merge::{MergedTrace, Span};
use super::rows::{Children, Rows, rows};

/// A row for a parent that was never received.
pub(crate) const PLACEHOLDER: u8 = 1;
/// The row's parent link closed a cycle and was cut.
pub(crate) const CYCLE: u8 = 2;
/// Another span has the same id and other content.
pub(crate) const DUPLICATE_ID: u8 = 4;
/// Start or end cannot be used.
pub(crate) const NO_TIME: u8 = 8;
/// The end lies before the start.
pub(crate) const ENDS_BEFORE_START: u8 = 16;
/// The span starts before its parent.
pub(crate) const STARTS_BEFORE_PARENT: u8 = 32;

const SERVER: i32 = 2;
pub(super) const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;
/// No parent.
pub(super) const NONE: usize = usize::MAX;

/// What is known to be wrong with a trace.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Completeness {
    /// Parent ids that no span has.
    pub(crate) missing_parents: usize,
    /// Spans without a parent.
    pub(crate) roots: usize,
    /// Cycles that were cut.
    pub(crate) cycles: usize,
    /// Ids that several different spans have, shared client and server halves not counted.
    pub(crate) duplicate_ids: usize,
    /// Spans without a usable time.
    pub(crate) unusable_times: usize,
}

/// A span or placeholder with its place in the tree.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Span,
    /// Where it is drawn; that of its first child for a placeholder.
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) parent: usize,
    pub(super) flags: u8,
}

impl Node {
    /// Where it stands among others: what has no time comes last.
    pub(super) fn place(&self) -> i64 {
        if self.start > 0 { self.start } else { i64::MAX }
    }
}

/// What is known of a span's place in its trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linked {
    /// Position of the parent, if it was received.
    pub(crate) parent: Option<usize>,
    /// Whether another span has the same id and other content.
    pub(crate) is_duplicate: bool,
}

/// The parents of the spans of a trace, in their order; cycles are cut.
pub(crate) fn parents(trace: &MergedTrace) -> Vec<Linked> {
    let mut nodes: Vec<Node> = trace.spans.iter().map(|span| node(*span)).collect();
    let by_id = group_by_id(&nodes);
    mark_duplicates(&mut nodes, &by_id);
    link(&mut nodes, &by_id);
    cut_cycles(&mut nodes);
    let received = nodes.iter().take(trace.spans.len());
    let linked = received.map(|node| Linked {
        parent: (node.parent < trace.spans.len()).then_some(node.parent),
        is_duplicate: node.flags & DUPLICATE_ID != 0,
    });
    linked.collect()
}

/// Puts the spans of a trace into rows.
pub(crate) fn build(trace: &MergedTrace) -> (Rows, Completeness) {
    let mut nodes: Vec<Node> = trace.spans.iter().map(|span| node(*span)).collect();
    let mut completeness = Completeness {
        unusable_times: nodes.iter().filter(|node| node.flags & NO_TIME != 0).count(),
        roots: nodes.iter().filter(|node| node.span.parent_span_id == 0).count(),
        ..Completeness::default()
    };
    let by_id = group_by_id(&nodes);
    completeness.duplicate_ids = mark_duplicates(&mut nodes, &by_id);
    completeness.missing_parents = link(&mut nodes, &by_id);
    completeness.cycles = cut_cycles(&mut nodes);
    place_untimed(&mut nodes);
    let children = Children::of(&nodes);
    (rows(&mut nodes, &children), completeness)
}

fn node(span: Span) -> Node {
    let start = span.start_time_unix_nano;
    let end = start.wrapping_add(span.duration_ns);
    let mut flags = 0;
    if start <= 0 || end <= 0 {
        flags |= NO_TIME;
    } else if end < start {
        flags |= ENDS_BEFORE_START;
    }
    let end = if start > 0 { end.max(start) } else { 0 };
    Node { span, start: start.max(0), end, parent: NONE, flags }
}

fn group_by_id(nodes: &[Node]) -> HashMap<u64, Vec<usize>> {
    let mut by_id: HashMap<u64, Vec<usize>> = HashMap::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        by_id.entry(node.span.span_id).or_default().push(at);
    }
    by_id
}

/// Whether the two nodes are the two ends of one call that share its id, as Zipkin does.
fn are_halves(a: &Node, b: &Node) -> bool {
    matches!(
        (a.span.kind, b.span.kind),
        (CLIENT, SERVER) | (SERVER, CLIENT) | (PRODUCER, CONSUMER) | (CONSUMER, PRODUCER)
    )
}

fn mark_duplicates(nodes: &mut [Node], by_id: &HashMap<u64, Vec<usize>>) -> usize {
    let mut ids = 0;
    for group in by_id.values().filter(|group| group.len() > 1) {
        if let [a, b] = group.as_slice()
            && are_halves(&nodes[*a], &nodes[*b])
        {
            continue;
        }
        ids += 1;
        group.iter().for_each(|at| nodes[*at].flags |= DUPLICATE_ID);
    }
    ids
}

/// Finds every node's parent node; adds placeholders at the end. Returns how many.
fn link(nodes: &mut Vec<Node>, by_id: &HashMap<u64, Vec<usize>>) -> usize {
    // Ids with many spans would make the search quadratic: one choice per id and service.
    let mut chosen: HashMap<(u64, u32), usize> = HashMap::new();
    let mut placeholders: HashMap<u64, usize> = HashMap::new();
    for at in 0..nodes.len() {
        if let Some(caller) = calling_half(nodes, by_id, at) {
            nodes[at].parent = caller;
            continue;
        }
        let Span { span_id, parent_span_id: id, service, .. } = nodes[at].span;
        if id == 0 {
            continue;
        }
        let parent = match by_id.get(&id) {
            // Its own parent: cut like any other cycle.
            Some(_) if id == span_id => at,
            Some(group) => {
                *chosen.entry((id, service)).or_insert_with(|| parent_among(nodes, group, service))
            }
            None => *placeholders.entry(id).or_insert_with(|| {
                let nothing = placeholder(id, &nodes[at]);
                nodes.push(nothing);
                nodes.len() - 1
            }),
        };
        nodes[at].parent = parent;
        let (start, end) = (nodes[at].start, nodes[at].end);
        if nodes[parent].flags & PLACEHOLDER != 0 && start > 0 {
            let shown = &mut nodes[parent];
            shown.start = if shown.start > 0 { shown.start.min(start) } else { start };
            shown.end = shown.end.max(end);
        }
    }
    placeholders.len()
}

/// The client half of a call whose server half is `at`.
fn calling_half(nodes: &[Node], by_id: &HashMap<u64, Vec<usize>>, at: usize) -> Option<usize> {
    if !matches!(nodes[at].span.kind, SERVER | CONSUMER) {
        return None;
    }
    match by_id.get(&nodes[at].span.span_id)?.as_slice() {
        [a, b] if are_halves(&nodes[*a], &nodes[*b]) => Some(if *a == at { *b } else { *a }),
        _ => None,
    }
}

/// Which of several spans with one id a child of `service` belongs to: the one of its own service,
/// else the called half, else the earliest.
fn parent_among(nodes: &[Node], group: &[usize], service: u32) -> usize {
    let preference = |at: &usize| {
        let span = &nodes[*at].span;
        let is_called = matches!(span.kind, SERVER | CONSUMER);
        (span.service != service, !is_called, nodes[*at].place(), *at)
    };
    group.iter().copied().min_by_key(preference).unwrap_or(NONE)
}

fn placeholder(id: u64, child: &Node) -> Node {
    let span = Span {
        span_id: id,
        parent_span_id: 0,
        start_time_unix_nano: 0,
        duration_ns: 0,
        service: u32::MAX,
        name: u32::MAX,
        kind: 0,
        status: 0,
        events: 0,
        links: 0,
    };
    Node { span, start: child.start, end: child.end, parent: NONE, flags: PLACEHOLDER }
}

/// Cuts each cycle at its earliest span. Returns how many there were.
fn cut_cycles(nodes: &mut [Node]) -> usize {
    // 0: not seen; otherwise the number of the walk that saw it first.
    let mut seen_by = vec![0_usize; nodes.len()];
    let mut cycles = 0;
    for first in 0..nodes.len() {
        let walk = first + 1;
        let mut at = first;
        while at != NONE && seen_by[at] == 0 {
            seen_by[at] = walk;
            at = nodes[at].parent;
        }
        if at == NONE || seen_by[at] != walk {
            continue;
        }
        // The walk came back to itself: `at` lies on a cycle.
        let (start, mut earliest) = (at, at);
        loop {
            at = nodes[at].parent;
            if at == start {
                break;
            }
            if (nodes[at].place(), at) < (nodes[earliest].place(), earliest) {
                earliest = at;
            }
        }
        nodes[earliest].parent = NONE;
        nodes[earliest].flags |= CYCLE;
        cycles += 1;
    }
    cycles
}

/// Gives spans without a start the place of the nearest ancestor that has one.
fn place_untimed(nodes: &mut [Node]) {
    let mut path = Vec::new();
    let mut is_done = vec![false; nodes.len()];
    for first in 0..nodes.len() {
        let mut at = first;
        while at != NONE && nodes[at].start == 0 && !is_done[at] {
            is_done[at] = true;
            path.push(at);
            at = nodes[at].parent;
        }
        let start = if at == NONE { 0 } else { nodes[at].start };
        for untimed in path.drain(..) {
            nodes[untimed].start = start;
            nodes[untimed].end = nodes[untimed].end.max(start);
        }
    }
}
