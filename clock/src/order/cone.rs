//! Everything that is proven about one span: two sweeps over the events, one in each direction.

use super::build::{Adjacency, Order};
use super::span_relation::{Known, SpanOrder};
use super::vertex::{end_of, start_of};

const FROM_START: u8 = 1;
const FROM_END: u8 = 2;

impl Order {
    /// How the span relates to each span, as far as it is proven: `After` for what ended before it started, `Before` for
    /// what started after it ended. Linear in spans and edges. Empty if there is no such span.
    pub fn cone(&self, span: u32) -> Vec<SpanOrder> {
        if span as usize >= self.spans {
            return Vec::new();
        }
        let (later, earlier) = (self.later_than(span), self.earlier_than(span));
        let mask = |masks: &[u8], vertex: u32| masks.get(vertex as usize).copied().unwrap_or(0);
        let relate = |other: u32| {
            if other == span {
                return SpanOrder::Same;
            }
            let (start, end) = (start_of(other), end_of(other));
            Known {
                start_a_start_b: mask(&later, start) & FROM_START != 0,
                start_a_end_b: mask(&later, end) & FROM_START != 0,
                end_a_start_b: mask(&later, start) & FROM_END != 0,
                end_a_end_b: mask(&later, end) & FROM_END != 0,
                start_b_start_a: mask(&earlier, start) & FROM_START != 0,
                end_b_start_a: mask(&earlier, end) & FROM_START != 0,
                start_b_end_a: mask(&earlier, start) & FROM_END != 0,
                end_b_end_a: mask(&earlier, end) & FROM_END != 0,
            }
            .order()
        };
        (0u32..).take(self.spans).map(relate).collect()
    }

    /// For each vertex whether the span's start and end precede it.
    fn later_than(&self, span: u32) -> Vec<u8> {
        let mut masks = self.masks(span);
        for vertex in &self.sorted {
            let mask = masks.get(*vertex as usize).copied().unwrap_or(0);
            if mask != 0 {
                spread(&self.proofs, *vertex, mask, &mut masks);
            }
        }
        masks
    }

    /// For each vertex whether it precedes the span's start and end.
    fn earlier_than(&self, span: u32) -> Vec<u8> {
        let mut masks = self.masks(span);
        for vertex in self.sorted.iter().rev() {
            let reached = self.proofs.of(*vertex).iter().fold(0, |reached, (end, _)| {
                reached | masks.get(*end as usize).copied().unwrap_or(0)
            });
            if let Some(mask) = masks.get_mut(*vertex as usize) {
                *mask |= reached;
            }
        }
        masks
    }

    fn masks(&self, span: u32) -> Vec<u8> {
        let mut masks = vec![0; self.sorted.len()];
        for (vertex, bit) in [(start_of(span), FROM_START), (end_of(span), FROM_END)] {
            if let Some(mask) = masks.get_mut(vertex as usize) {
                *mask = bit;
            }
        }
        masks
    }
}

fn spread(edges: &Adjacency, vertex: u32, mask: u8, masks: &mut [u8]) {
    for (end, _) in edges.of(vertex) {
        if let Some(slot) = masks.get_mut(*end as usize) {
            *slot |= mask;
        }
    }
}
