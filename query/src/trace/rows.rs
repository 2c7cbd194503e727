//! Rows of a trace in depth-first order, column by column: what a timeline draws.

use serde::Serialize;

use super::tree::{CLIENT, NO_TIME, NONE, Node, PLACEHOLDER, STARTS_BEFORE_PARENT};

/// Rows of a trace, column by column.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rows {
    #[serde(serialize_with = "hex_ids")]
    pub(crate) span_id: Vec<u64>,
    pub(crate) parent: Vec<i64>,
    pub(crate) depth: Vec<u32>,
    /// Rows of the subtree, the row itself included.
    pub(crate) subtree: Vec<u32>,
    /// Nanoseconds after the trace's start.
    pub(crate) start_ns: Vec<i64>,
    pub(crate) duration_ns: Vec<i64>,
    pub(crate) service: Vec<u32>,
    pub(crate) name: Vec<u32>,
    pub(crate) kind: Vec<i32>,
    pub(crate) status: Vec<i32>,
    pub(crate) events: Vec<u32>,
    pub(crate) links: Vec<u32>,
    pub(crate) flags: Vec<u8>,
    /// Position of the span among those merged; placeholders come after them.
    #[serde(skip)]
    pub(crate) node: Vec<usize>,
    /// Earliest usable start of the trace; 0 when no span has one.
    #[serde(skip)]
    pub(crate) start_unix_nano: i64,
    #[serde(skip)]
    pub(crate) envelope_ns: i64,
    /// The earliest parentless span; the first row when there is none.
    #[serde(skip)]
    pub(crate) root_row: usize,
    #[serde(skip)]
    pub(crate) has_root: bool,
}

fn hex_ids<S: serde::Serializer>(ids: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(|id| format!("{id:016x}")))
}

/// Children of every node, sorted by start, in one array; tops stand at the end.
pub(super) struct Children {
    offsets: Vec<usize>,
    sorted: Vec<usize>,
}

impl Children {
    pub(super) fn of(nodes: &[Node]) -> Self {
        let slot = |node: &Node| {
            if node.parent == NONE { nodes.len() } else { node.parent }
        };
        let mut offsets = vec![0; nodes.len() + 2];
        for node in nodes {
            offsets[slot(node) + 1] += 1;
        }
        for at in 1..offsets.len() {
            offsets[at] += offsets[at - 1];
        }
        // Sorted once for all; ids break ties, so that the order does not depend on arrival.
        let mut by_start: Vec<usize> = (0..nodes.len()).collect();
        by_start.sort_by_key(|at| {
            let node = &nodes[*at];
            (node.place(), node.span.span_id, node.span.kind != CLIENT, *at)
        });
        let mut next = offsets.clone();
        let mut sorted = vec![0; nodes.len()];
        for at in by_start {
            let place = &mut next[slot(&nodes[at])];
            sorted[*place] = at;
            *place += 1;
        }
        Self { offsets, sorted }
    }

    fn get(&self, at: usize) -> &[usize] {
        &self.sorted[self.offsets[at]..self.offsets[at + 1]]
    }
}

/// Walks the tree from its tops.
pub(super) fn rows(nodes: &mut [Node], children: &Children) -> Rows {
    let mut rows = Rows::default();
    let starts = nodes.iter().map(|node| node.start).filter(|start| *start > 0);
    rows.start_unix_nano = starts.min().unwrap_or(0);
    let ends = nodes.iter().map(|node| node.end);
    rows.envelope_ns = ends.max().unwrap_or(0).saturating_sub(rows.start_unix_nano).max(0);

    // (node, row of its parent, depth); pushed in reverse so that the earliest comes out first.
    let mut stack: Vec<(usize, i64, u32)> =
        children.get(nodes.len()).iter().rev().map(|top| (*top, -1, 0)).collect();
    while let Some((at, parent, depth)) = stack.pop() {
        let row = rows.span_id.len() as i64;
        mark_early(nodes, at);
        rows.node.push(at);
        rows.push(&nodes[at], parent, depth);
        stack.extend(children.get(at).iter().rev().map(|child| (*child, row, depth + 1)));
    }
    for row in (0..rows.parent.len()).rev() {
        if let Ok(parent) = usize::try_from(rows.parent[row]) {
            rows.subtree[parent] += rows.subtree[row];
        }
    }
    rows
}

fn mark_early(nodes: &mut [Node], at: usize) {
    let parent = nodes[at].parent;
    let is_early = parent != NONE
        && nodes[parent].span.start_time_unix_nano > 0
        && nodes[at].span.start_time_unix_nano > 0
        && nodes[at].start < nodes[parent].start;
    if is_early {
        nodes[at].flags |= STARTS_BEFORE_PARENT;
    }
}

impl Rows {
    fn push(&mut self, node: &Node, parent: i64, depth: u32) {
        let is_placeholder = node.flags & PLACEHOLDER != 0;
        let is_root = !is_placeholder && node.span.parent_span_id == 0 && parent == -1;
        if is_root && !self.has_root {
            (self.root_row, self.has_root) = (self.span_id.len(), true);
        }
        self.span_id.push(node.span.span_id);
        self.parent.push(parent);
        self.depth.push(depth);
        self.subtree.push(1);
        let has_start = node.start > 0;
        self.start_ns.push(if has_start { node.start - self.start_unix_nano } else { 0 });
        self.duration_ns.push(match node.flags & NO_TIME {
            0 if is_placeholder => node.end - node.start,
            // As sent, so negative when the end lies before the start.
            0 => node.span.duration_ns,
            _ => 0,
        });
        self.service.push(node.span.service);
        self.name.push(node.span.name);
        self.kind.push(node.span.kind);
        self.status.push(node.span.status);
        self.events.push(node.span.events);
        self.links.push(node.span.links);
        self.flags.push(node.flags);
    }
}
