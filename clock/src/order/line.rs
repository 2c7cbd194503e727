//! One sequence of all events that contradicts no proof: partial order drawn as a line.

use super::build::Order;
use super::span::Event;

impl Order {
    /// Moves times forward where a proof says that something else came first: no event is left before one that is proven
    /// to precede it, and what needs no move stays. `times_ns` has one entry for each event, as in `events`.
    pub fn push_forward(&self, times_ns: &mut [i64]) {
        for vertex in &self.sorted {
            let Some(own) = times_ns.get(*vertex as usize).copied() else { continue };
            for (end, _) in self.proofs.of(*vertex) {
                if let Some(later) = times_ns.get_mut(*end as usize) {
                    *later = (*later).max(own);
                }
            }
        }
    }

    /// All events in a causal order: nothing stands before what is proven to precede it, and what is not proven stands by
    /// time. `times_ns` has one entry for each event, as in `events`; events without one come first.
    pub fn causal_order(&self, times_ns: &[i64]) -> Vec<Event> {
        let events = self.spans * 2 + self.ticks;
        let mut times: Vec<i64> = times_ns.iter().copied().take(events).collect();
        times.resize(events, i64::MIN);
        self.push_forward(&mut times);
        let mut line: Vec<(i64, u32)> =
            times.into_iter().zip(&self.rank).map(|(time, rank)| (time, *rank)).collect();
        line.sort_unstable();
        line.iter().filter_map(|(_, rank)| self.event(*self.sorted.get(*rank as usize)?)).collect()
    }
}
