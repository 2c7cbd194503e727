//! The best guess of how far clocks are apart, from round trips.
//!
//! Of a request and its answer the middle is near the truth if both took about equally long; a median of several is not
//! moved by single slow ones, nor by a server that now and then ends its span late. Clocks that exchanged no round trips are
//! compared over others that did, on the way with the fewest of them.
//!
//! A guess proves nothing: it only tells where in its bounds an offset probably is, or where readings probably belong if
//! there are no bounds.

use std::collections::VecDeque;

use super::history::History;
use crate::graph::{Adjacency, Edge};

/// Medians of round trips between the clocks of one window.
#[derive(Debug, Default)]
pub(super) struct Estimates {
    clocks: usize,
    /// Ascending by pair, the smaller clock first: offset of the second minus that of the first.
    medians: Vec<((u32, u32), i64)>,
    /// Where each clock lies against the first of those it is connected with; made when first asked for.
    places: Option<Vec<Place>>,
}

/// Where a clock lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    against: u32,
    offset_ns: i64,
}

impl Estimates {
    /// The medians of a window, each from the nearest windows in which the pair had round trips.
    pub(super) fn of(history: &History<'_>, window: i64) -> Self {
        let median = |pair: &super::history::Pair<'_>| {
            Some(((pair.from, pair.to), nearest_median(&pair.midpoints, window, history.reach)?))
        };
        let medians = history.pairs.iter().filter_map(median).collect();
        Self { clocks: history.clocks.len(), medians, places: None }
    }

    /// How much is remembered.
    pub(super) fn size(&self) -> usize {
        self.medians.len() + self.places.as_ref().map_or(0, Vec::len)
    }

    /// Probable offset of `b` minus `a`, `None` where no round trips connect them.
    pub(super) fn between(&mut self, a: u32, b: u32) -> Option<i64> {
        if let Some(direct_ns) = self.direct(a, b) {
            return Some(direct_ns);
        }
        if self.places.is_none() {
            self.places = Some(self.find_places());
        }
        let places = self.places.as_ref()?;
        let (a, b) = (places.get(a as usize)?, places.get(b as usize)?);
        (a.against == b.against).then(|| b.offset_ns.saturating_sub(a.offset_ns))
    }

    /// The same from round trips of the two themselves.
    pub(super) fn direct(&self, a: u32, b: u32) -> Option<i64> {
        let at = self.medians.binary_search_by_key(&(a.min(b), a.max(b)), |(pair, _)| *pair);
        let (_, offset_ns) = self.medians.get(at.ok()?)?;
        Some(if a <= b { *offset_ns } else { offset_ns.saturating_neg() })
    }

    /// Walks outwards from the clock with most neighbours, so that ways are short; what it does not reach has a first clock
    /// of its own. Linear in pairs, but for sorting clocks.
    fn find_places(&self) -> Vec<Place> {
        let both = self.medians.iter().flat_map(|((a, b), offset_ns)| {
            [(*a, *b, *offset_ns), (*b, *a, offset_ns.saturating_neg())]
        });
        let edges: Vec<Edge<i64>> =
            both.map(|(from, to, label)| Edge { from, to, label }).collect();
        let neighbours = Adjacency::outgoing(self.clocks, &edges);
        let mut firsts: Vec<u32> = (0u32..).take(self.clocks).collect();
        firsts.sort_by_key(|clock| usize::MAX - neighbours.of(*clock).len());
        let mut places: Vec<Option<Place>> = vec![None; self.clocks];
        let mut queue = VecDeque::new();
        for first in firsts {
            place(&mut places, first, Place { against: first, offset_ns: 0 }, &mut queue);
            while let Some((clock, from)) = queue.pop_front() {
                for (next, offset_ns) in neighbours.of(clock) {
                    let offset_ns = from.offset_ns.saturating_add(*offset_ns);
                    place(&mut places, *next, Place { offset_ns, ..from }, &mut queue);
                }
            }
        }
        let alone = (0u32..).map(|against| Place { against, offset_ns: 0 });
        places.into_iter().zip(alone).map(|(place, alone)| place.unwrap_or(alone)).collect()
    }
}

/// Places a clock, unless it has its place already.
fn place(
    places: &mut [Option<Place>],
    clock: u32,
    found: Place,
    queue: &mut VecDeque<(u32, Place)>,
) {
    if let Some(slot) = places.get_mut(clock as usize).filter(|slot| slot.is_none()) {
        *slot = Some(found);
        queue.push_back((clock, found));
    }
}

/// The median of the samples of the nearest windows that have any; of two equally near ones together.
fn nearest_median(samples: &[(i64, &[(u64, i64)])], window: i64, reach: i64) -> Option<i64> {
    let next = samples.partition_point(|(of, _)| *of < window);
    let earlier = next.checked_sub(1).and_then(|place| samples.get(place));
    let near = [samples.get(next), earlier].into_iter().flatten();
    let away = |of: i64| of.abs_diff(window);
    let nearest = near.clone().map(|(of, _)| away(*of)).min()?;
    if nearest > reach.unsigned_abs() {
        return None;
    }
    let near = near.filter(|(of, _)| away(*of) == nearest);
    let mut values: Vec<i64> = near.flat_map(|(_, of)| of.iter().map(|(_, ns)| *ns)).collect();
    values.sort_unstable();
    let upper = values.get(values.len() / 2).copied();
    let lower = values.get(values.len().saturating_sub(1) / 2).copied();
    lower.zip(upper).map(|(lower, upper)| middle(lower, upper))
}

/// The middle of two values, whatever they are.
pub(super) fn middle(lo: i64, hi: i64) -> i64 {
    ((i128::from(lo) + i128::from(hi)) / 2) as i64
}
