//! Shortest paths over the bounds of one window: the tightest bounds between any two clocks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::{Adjacency, Edge};

/// Looks at bounds while testing whether they agree. Sensible windows need a few per bound; ten thousand clocks in a line
/// that was made up for it would need a hundred million, and count as a contradiction.
const RELAXATIONS_MAX: usize = 50_000_000;

/// What shows a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Evidence of the pair with this index, in this window, by this witness.
    Message { pair: u32, window: i64, witness: u64 },
    /// Two clocks that are thought to be one, or as near as declared.
    Tie { tie: u32 },
}

/// `offset of to - offset of from <= bound_ns`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) bound_ns: i64,
    pub(super) source: Source,
}

/// Bounds that do not contradict each other, ready for shortest paths.
#[derive(Debug)]
pub(super) struct Closure {
    bounds: Vec<Bound>,
    potentials: Vec<i128>,
    outgoing: Adjacency<u32>,
    incoming: Adjacency<u32>,
}

/// Bounds on a cycle of negative length, in order; they cannot all be true. Empty if testing took too long.
pub(super) type Contradiction = Vec<Bound>;

impl Closure {
    /// Tests whether bounds are consistent (Bellman and Ford), from all clocks at once.
    pub(super) fn build(clocks: usize, bounds: Vec<Bound>) -> Result<Self, Contradiction> {
        let potentials = potentials(clocks, &bounds)?;
        let edges = |reverse: bool| -> Vec<Edge<u32>> {
            let ends = |b: &Bound| if reverse { (b.to, b.from) } else { (b.from, b.to) };
            let edge = |(label, bound)| {
                let (from, to) = ends(bound);
                Edge { from, to, label }
            };
            (0u32..).zip(&bounds).map(edge).collect()
        };
        let outgoing = Adjacency::outgoing(clocks, &edges(false));
        let incoming = Adjacency::outgoing(clocks, &edges(true));
        Ok(Self { bounds, potentials, outgoing, incoming })
    }

    /// What paths are made of.
    pub(super) fn bounds(&self) -> &[Bound] {
        &self.bounds
    }

    /// The tightest bound of each clock's offset against this one's.
    pub(super) fn distances_from(&self, clock: u32) -> Vec<Option<i64>> {
        self.dijkstra(clock, &self.outgoing, false).0
    }

    /// The tightest bound of this clock's offset against each clock's.
    pub(super) fn distances_to(&self, clock: u32) -> Vec<Option<i64>> {
        self.dijkstra(clock, &self.incoming, true).0
    }

    /// The bounds that together make the tightest one from one clock to another.
    pub(super) fn path(&self, from: u32, to: u32) -> Vec<Bound> {
        let (_, came) = self.dijkstra(from, &self.outgoing, false);
        let mut path = Vec::new();
        let mut clock = to;
        while clock != from && path.len() < came.len() {
            let index = came.get(clock as usize).copied().flatten();
            let Some(bound) = index.and_then(|i| self.bounds.get(i as usize)) else { break };
            path.push(*bound);
            clock = bound.from;
        }
        path.reverse();
        path
    }

    /// Shortest paths with lengths made non-negative by the potentials; distances and by which bound each was reached.
    fn dijkstra(
        &self,
        source: u32,
        edges: &Adjacency<u32>,
        reverse: bool,
    ) -> (Vec<Option<i64>>, Vec<Option<u32>>) {
        let sign = if reverse { -1 } else { 1 };
        let potential =
            |clock: u32| sign * self.potentials.get(clock as usize).copied().unwrap_or(0);
        let mut reduced: Vec<Option<i128>> = vec![None; self.potentials.len()];
        let mut came: Vec<Option<u32>> = vec![None; self.potentials.len()];
        let mut heap = BinaryHeap::from([Reverse((0i128, source, None))]);
        while let Some(Reverse((length, clock, by))) = heap.pop() {
            let Some(slot) = reduced.get_mut(clock as usize).filter(|slot| slot.is_none()) else {
                continue;
            };
            *slot = Some(length);
            if let Some(came) = came.get_mut(clock as usize) {
                *came = by;
            }
            for (end, index) in edges.of(clock) {
                let is_open = reduced.get(*end as usize).is_some_and(Option::is_none);
                let Some(bound) = self.bounds.get(*index as usize).filter(|_| is_open) else {
                    continue;
                };
                let step = i128::from(bound.bound_ns) + potential(clock) - potential(*end);
                heap.push(Reverse((length + step, *end, Some(*index))));
            }
        }
        let from = potential(source);
        let real = |(length, clock): (Option<i128>, u32)| {
            i64::try_from(length? - from + potential(clock)).ok()
        };
        (reduced.into_iter().zip(0u32..).map(real).collect(), came)
    }
}

/// Whether bounds do not contradict each other.
pub(super) fn is_consistent(clocks: usize, bounds: &[Bound]) -> bool {
    potentials(clocks, bounds).is_ok()
}

/// For each clock a number such that no bound is below the difference of its ends', or the bounds of a contradiction.
fn potentials(clocks: usize, bounds: &[Bound]) -> Result<Vec<i128>, Contradiction> {
    let mut potentials = vec![0i128; clocks];
    let mut came: Vec<Option<u32>> = vec![None; clocks];
    // Without a contradiction every shortest path has fewer bounds than there are clocks.
    for _ in 0..=clocks.min(RELAXATIONS_MAX / bounds.len().max(1)) {
        let mut changed = false;
        for (index, bound) in (0u32..).zip(bounds) {
            let Some(from) = potentials.get(bound.from as usize).copied() else { continue };
            let Some(to) = potentials.get_mut(bound.to as usize) else { continue };
            if from + i128::from(bound.bound_ns) < *to {
                *to = from + i128::from(bound.bound_ns);
                came.get_mut(bound.to as usize).into_iter().for_each(|c| *c = Some(index));
                changed = true;
            }
        }
        if !changed {
            return Ok(potentials);
        }
        if let Some(cycle) = cycle(&came, bounds) {
            return Err(cycle);
        }
    }
    Err(Contradiction::new())
}

/// A cycle among the bounds by which clocks were last reached; it has negative length.
fn cycle(came: &[Option<u32>], bounds: &[Bound]) -> Option<Contradiction> {
    let before =
        |clock: u32| -> Option<&Bound> { bounds.get((*came.get(clock as usize)?)? as usize) };
    // From which start each clock was seen first.
    let mut seen = vec![u32::MAX; came.len()];
    for start in (0u32..).take(came.len()) {
        let mut clock = start;
        while let Some(slot) = seen.get_mut(clock as usize).filter(|slot| **slot == u32::MAX) {
            *slot = start;
            clock = before(clock).map_or(clock, |bound| bound.from);
        }
        if seen.get(clock as usize) != Some(&start) || before(clock).is_none() {
            continue;
        }
        let mut cycle = Contradiction::new();
        let mut at = clock;
        while let Some(bound) = before(at) {
            cycle.push(*bound);
            at = bound.from;
            if at == clock {
                break;
            }
        }
        cycle.reverse();
        return Some(cycle);
    }
    None
}
