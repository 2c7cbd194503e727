//! Whether one event reaches another, and by which edges.
//!
//! One question costs a search over what lies between the two events. For many questions `prepare` computes, for every
//! event, how far of each chain precedes it (a vector clock per event), which makes each of them one comparison.

use super::build::{Adjacency, Order};
use super::edge_kind::EdgeKind;
use super::span::Event;

/// Entries of all vectors together, 80 MB of them; orders that would need more answer by searching.
const VECTOR_ENTRIES_MAX: usize = 20_000_000;

/// One step of a proof, or of an argument that uses inferences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The earlier event.
    pub from: Event,
    /// The later event.
    pub to: Event,
    /// Why it is later.
    pub kind: EdgeKind,
}

/// Which edges may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Using {
    Proofs,
    ProofsAndInferences,
}

impl Order {
    /// Makes questions about pairs cheap, at the price of memory, unless that would take more than 80 MB; answers stay
    /// the same. Returns whether it did.
    pub fn prepare(&mut self) -> bool {
        self.vectors = Vectors::build(&self.proofs, &self.sorted, &self.rank, VECTOR_ENTRIES_MAX);
        self.vectors.is_some()
    }

    /// Whether `earlier` is proven to precede `later`.
    pub fn precedes(&self, earlier: Event, later: Event) -> bool {
        let (Some(from), Some(to)) = (self.vertex(earlier), self.vertex(later)) else {
            return false;
        };
        match &self.vectors {
            Some(vectors) => from != to && vectors.reaches(self.rank_of(from), self.rank_of(to)),
            None => self.search(from, to, Using::Proofs).is_some(),
        }
    }

    /// Whether proofs and inferences together say that `earlier` precedes `later`.
    pub(super) fn is_inferred(&self, earlier: Event, later: Event) -> bool {
        let ends = self.vertex(earlier).zip(self.vertex(later));
        ends.is_some_and(|(from, to)| self.search(from, to, Using::ProofsAndInferences).is_some())
    }

    /// The edges that prove `earlier` to precede `later`, or `None` if it is not proven. Runs of ticks of one node are
    /// one step.
    pub fn proof(&self, earlier: Event, later: Event) -> Option<Vec<Step>> {
        self.argument(earlier, later, Using::Proofs)
    }

    /// The edges, some of them inferences, that say `earlier` precedes `later`.
    pub fn inference(&self, earlier: Event, later: Event) -> Option<Vec<Step>> {
        self.argument(earlier, later, Using::ProofsAndInferences)
    }

    fn argument(&self, earlier: Event, later: Event, using: Using) -> Option<Vec<Step>> {
        let (from, to) = (self.vertex(earlier)?, self.vertex(later)?);
        let mut steps: Vec<Step> = Vec::new();
        let mut start = from;
        for (reached, kind) in self.search(from, to, using)? {
            // Gates are no events: what enters one leaves it by the same kind of edge.
            let Some(reached_event) = self.event(reached) else { continue };
            let run = steps.last_mut().filter(|s| s.kind == kind && kind == EdgeKind::SameNode);
            match run {
                Some(step) => step.to = reached_event,
                None => steps.push(Step { from: self.event(start)?, to: reached_event, kind }),
            }
            start = reached;
        }
        Some(steps)
    }

    /// The shortest way from one vertex to another, as the vertices reached and by which kind of edge. Looks only at
    /// vertices between the two in `sorted`.
    fn search(&self, from: u32, to: u32, using: Using) -> Option<Vec<(u32, EdgeKind)>> {
        let (first, last) = (self.rank_of(from), self.rank_of(to));
        if first >= last {
            return None;
        }
        // Where each vertex between was reached from; its own rank where it was not.
        let mut came: Vec<(u32, EdgeKind)> =
            vec![(u32::MAX, EdgeKind::Program); (last - first) as usize + 1];
        let mut queue = vec![from];
        let mut done = 0;
        while let Some(vertex) = queue.get(done).copied() {
            done += 1;
            if vertex == to {
                return Some(self.walk_back(from, to, &came));
            }
            for (end, kind) in self.steps_from(vertex, using) {
                let Some(place) = self.rank_of(end).checked_sub(first) else { continue };
                let Some(slot) = came.get_mut(place as usize) else { continue };
                if slot.0 == u32::MAX {
                    *slot = (vertex, kind);
                    queue.push(end);
                }
            }
        }
        None
    }

    fn walk_back(&self, from: u32, to: u32, came: &[(u32, EdgeKind)]) -> Vec<(u32, EdgeKind)> {
        let first = self.rank_of(from);
        let mut way = Vec::new();
        let mut vertex = to;
        while vertex != from {
            let place = self.rank_of(vertex).wrapping_sub(first) as usize;
            let Some((before, kind)) = came.get(place).copied() else { break };
            way.push((vertex, kind));
            vertex = before;
        }
        way.reverse();
        way
    }

    /// The edges that leave a vertex.
    pub(super) fn steps_from(
        &self,
        vertex: u32,
        using: Using,
    ) -> impl Iterator<Item = (u32, EdgeKind)> {
        let inferences = match using {
            Using::Proofs => &[],
            Using::ProofsAndInferences => self.inferences.of(vertex),
        };
        self.proofs.of(vertex).iter().chain(inferences).copied()
    }

    pub(super) fn rank_of(&self, vertex: u32) -> u32 {
        self.rank.get(vertex as usize).copied().unwrap_or(0)
    }
}

/// For each event how far of each chain precedes it. Events are cut into chains: the ticks of a node are one, events
/// without ticks follow whatever led to them first.
#[derive(Debug, Clone)]
pub(super) struct Vectors {
    chains: usize,
    /// Chain of each vertex and its place there, counted from 1; by rank.
    places: Vec<(u32, u32)>,
    /// One row a vertex, by rank: the last place of each chain that precedes it or is it.
    rows: Vec<u32>,
}

impl Vectors {
    fn build(proofs: &Adjacency, sorted: &[u32], rank: &[u32], entries_max: usize) -> Option<Self> {
        let (places, chains) = cut_into_chains(proofs, sorted, rank);
        let entries = chains.checked_mul(sorted.len()).filter(|entries| *entries <= entries_max)?;
        let mut rows = vec![0u32; entries];
        for (place, (vertex, (chain, at))) in sorted.iter().zip(&places).enumerate() {
            let (before, after) = rows.split_at_mut((place + 1) * chains);
            let Some(row) = before.get_mut(place * chains..) else { continue };
            if let Some(own) = row.get_mut(*chain as usize) {
                *own = *at;
            }
            for (end, _) in proofs.of(*vertex) {
                let place_of_end = rank.get(*end as usize).map_or(0, |rank| *rank as usize);
                let Some(skip) = place_of_end.checked_sub(place + 1) else { continue };
                let later = after.get_mut(skip * chains..(skip + 1) * chains).unwrap_or_default();
                for (known, known_before) in later.iter_mut().zip(row.iter()) {
                    *known = (*known).max(*known_before);
                }
            }
        }
        Some(Self { chains, places, rows })
    }

    fn reaches(&self, from_rank: u32, to_rank: u32) -> bool {
        let Some((chain, at)) = self.places.get(from_rank as usize) else { return false };
        let entry = to_rank as usize * self.chains + *chain as usize;
        self.rows.get(entry).is_some_and(|known| known >= at)
    }
}

/// The chain and place of each vertex by rank, and how many chains there are.
fn cut_into_chains(proofs: &Adjacency, sorted: &[u32], rank: &[u32]) -> (Vec<(u32, u32)>, usize) {
    const NONE: u32 = u32::MAX;
    let rank_of = |vertex: u32| rank.get(vertex as usize).map_or(0, |rank| *rank as usize);
    // By rank: the vertex whose chain this one continues.
    let mut continues = vec![NONE; sorted.len()];
    let mut places = vec![(NONE, 0); sorted.len()];
    let mut chains = 0u32;
    for (place, vertex) in sorted.iter().enumerate() {
        let before = continues.get(place).filter(|before| **before != NONE);
        let own = match before.and_then(|before| places.get(*before as usize)) {
            Some((chain, at)) => (*chain, at + 1),
            None => {
                chains += 1;
                (chains - 1, 1)
            }
        };
        if let Some(slot) = places.get_mut(place) {
            *slot = own;
        }
        // The next tick of the node continues the chain; else the first successor that continues none yet.
        let ends = proofs.of(*vertex);
        let next_tick = ends.iter().find(|(_, kind)| *kind == EdgeKind::SameNode);
        let is_free = |end: u32| continues.get(rank_of(end)) == Some(&NONE);
        let next = next_tick.or_else(|| ends.iter().find(|(end, _)| is_free(*end)));
        if let Some(slot) = next.and_then(|(end, _)| continues.get_mut(rank_of(*end))) {
            *slot = place as u32;
        }
    }
    (places, chains as usize)
}
