//! Directed graphs as two arrays, with the few algorithms that order and offsets need. All are linear and none
//! recurses: a trace may be a chain of a million spans.
//!
//! ```text
//! edges (from, to, label) ─ counting sort ─► offsets: where the edges of a vertex begin
//!                                           ends:    (other vertex, label), grouped by vertex
//! ```

/// An edge between two vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge<L> {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) label: L,
}

/// Edges grouped by the vertex they leave.
#[derive(Debug, Clone)]
pub(crate) struct Adjacency<L> {
    offsets: Vec<u32>,
    ends: Vec<(u32, L)>,
}

impl<L: Copy> Adjacency<L> {
    /// Groups edges by where they come from.
    pub(crate) fn outgoing(vertices: usize, edges: &[Edge<L>]) -> Self {
        let mut offsets = vec![0u32; vertices + 1];
        for edge in edges {
            if let Some(count) = offsets.get_mut(edge.from as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for offset in &mut offsets {
            sum += *offset;
            *offset = sum;
        }
        let mut next = offsets.clone();
        let mut ends: Vec<(u32, L)> = edges.iter().map(|edge| (0, edge.label)).collect();
        for edge in edges {
            let Some(place) = next.get_mut(edge.from as usize) else { continue };
            if let Some(slot) = ends.get_mut(*place as usize) {
                *slot = (edge.to, edge.label);
            }
            *place += 1;
        }
        Self { offsets, ends }
    }

    /// The other ends of a vertex' edges.
    pub(crate) fn of(&self, vertex: u32) -> &[(u32, L)] {
        let at = vertex as usize;
        match (self.offsets.get(at), self.offsets.get(at + 1)) {
            (Some(from), Some(to)) => self.ends.get(*from as usize..*to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    pub(crate) fn vertices(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// How many edges there are.
    pub(crate) fn edge_count(&self) -> usize {
        self.ends.len()
    }
}

/// The vertices in an order that no edge contradicts; shorter than their number if there is a cycle. All graphs have the
/// same vertices.
pub(crate) fn topological<L: Copy>(graphs: &[&Adjacency<L>]) -> Vec<u32> {
    let vertices = graphs.first().map_or(0, |graph| graph.vertices());
    let mut waiting = vec![0u32; vertices];
    for (end, _) in graphs.iter().flat_map(|graph| &graph.ends) {
        if let Some(count) = waiting.get_mut(*end as usize) {
            *count += 1;
        }
    }
    let mut sorted: Vec<u32> = Vec::with_capacity(vertices);
    sorted.extend((0u32..).zip(&waiting).filter(|(_, count)| **count == 0).map(|(v, _)| v));
    let mut done = 0;
    while let Some(vertex) = sorted.get(done).copied() {
        done += 1;
        for (end, _) in graphs.iter().flat_map(|graph| graph.of(vertex)) {
            let Some(count) = waiting.get_mut(*end as usize) else { continue };
            *count -= 1;
            if *count == 0 {
                sorted.push(*end);
            }
        }
    }
    sorted
}

/// Numbers the strongly connected components (Tarjan 1972, with a stack of its own instead of recursion). Two vertices
/// have one number exactly when each can reach the other. All graphs have the same vertices.
pub(crate) fn components<L: Copy>(graphs: &[&Adjacency<L>]) -> Vec<u32> {
    const NEW: u32 = u32::MAX;
    let vertices = graphs.first().map_or(0, |graph| graph.vertices());
    let mut tarjan = Tarjan {
        component: vec![NEW; vertices],
        number: vec![NEW; vertices],
        low: vec![0; vertices],
        stack: Vec::new(),
        components: 0,
        numbers: 0,
    };
    let mut work: Vec<(u32, usize)> = Vec::new();
    for root in (0u32..).take(vertices) {
        if at(&tarjan.number, root) != NEW {
            continue;
        }
        tarjan.open(root);
        work.push((root, 0));
        while let Some((vertex, next)) = work.pop() {
            let Some(end) = nth_end(graphs, vertex, next) else {
                tarjan.close(vertex, work.last().map(|(parent, _)| *parent));
                continue;
            };
            work.push((vertex, next + 1));
            if at(&tarjan.number, end) == NEW {
                tarjan.open(end);
                work.push((end, 0));
            } else if at(&tarjan.component, end) == NEW {
                tarjan.lower(vertex, at(&tarjan.number, end));
            }
        }
    }
    tarjan.component
}

/// The other end of a vertex' nth edge, counted through all graphs.
fn nth_end<L: Copy>(graphs: &[&Adjacency<L>], vertex: u32, mut nth: usize) -> Option<u32> {
    for graph in graphs {
        let ends = graph.of(vertex);
        if let Some((end, _)) = ends.get(nth) {
            return Some(*end);
        }
        nth -= ends.len();
    }
    None
}

struct Tarjan {
    component: Vec<u32>,
    number: Vec<u32>,
    low: Vec<u32>,
    stack: Vec<u32>,
    components: u32,
    numbers: u32,
}

impl Tarjan {
    fn open(&mut self, vertex: u32) {
        set(&mut self.number, vertex, self.numbers);
        set(&mut self.low, vertex, self.numbers);
        self.numbers += 1;
        self.stack.push(vertex);
    }

    fn lower(&mut self, vertex: u32, to: u32) {
        if let Some(low) = self.low.get_mut(vertex as usize) {
            *low = (*low).min(to);
        }
    }

    fn close(&mut self, vertex: u32, parent: Option<u32>) {
        let low = at(&self.low, vertex);
        if low == at(&self.number, vertex) {
            while let Some(member) = self.stack.pop() {
                set(&mut self.component, member, self.components);
                if member == vertex {
                    break;
                }
            }
            self.components += 1;
        }
        if let Some(parent) = parent {
            self.lower(parent, low);
        }
    }
}

/// The value of a vertex; `u32::MAX` for one that is not there.
pub(crate) fn at(values: &[u32], vertex: u32) -> u32 {
    values.get(vertex as usize).copied().unwrap_or(u32::MAX)
}

fn set(values: &mut [u32], vertex: u32, value: u32) {
    if let Some(slot) = values.get_mut(vertex as usize) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(vertices: usize, edges: &[(u32, u32)]) -> Adjacency<()> {
        let edges: Vec<Edge<()>> =
            edges.iter().map(|(from, to)| Edge { from: *from, to: *to, label: () }).collect();
        Adjacency::outgoing(vertices, &edges)
    }

    #[test]
    fn an_order_respects_every_edge() {
        let edges = [(4, 1), (1, 0), (4, 0), (3, 2)];
        let order = topological(&[&graph(5, &edges)]);
        let place = |v: u32| order.iter().position(|o| *o == v);
        assert_eq!(order.len(), 5);
        assert!(edges.iter().all(|(from, to)| place(*from) < place(*to)));
    }

    #[test]
    fn a_cycle_stays_out_of_the_order() {
        assert_eq!(topological(&[&graph(4, &[(0, 1), (1, 2), (2, 1), (2, 3)])]), [0]);
    }

    #[test]
    fn components_are_the_cycles() {
        let found = components(&[&graph(6, &[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3)])]);
        assert_eq!(found.first(), found.get(1));
        assert_eq!(found.first(), found.get(2));
        assert_eq!(found.get(3), found.get(4));
        assert_ne!(found.first(), found.get(3));
        assert_ne!(found.get(5), found.get(4));
    }

    #[test]
    fn a_chain_of_a_million_needs_no_stack() {
        let edges: Vec<(u32, u32)> = (0..999_999).map(|v| (v, v + 1)).collect();
        let chain = graph(1_000_000, &edges);
        assert_eq!(topological(&[&chain]).len(), 1_000_000);
        let mut numbers = components(&[&chain]);
        numbers.dedup();
        assert_eq!(numbers.len(), 1_000_000);
    }
}
