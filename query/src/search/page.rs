//! The best traces of a page.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use causeway_model::TraceId;

use super::Search;

/// Where a trace stands in the list: smaller comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) rank: Reverse<i64>,
    pub(crate) id: TraceId,
}

impl Position {
    pub(super) fn new(rank: i64, id: [u8; 16]) -> Self {
        Self { rank: Reverse(rank), id: TraceId(id) }
    }
}

/// Keeps the first places after the cursor, one more than the page holds.
#[derive(Debug)]
pub(super) struct Page {
    kept: BinaryHeap<Position>,
    after: Option<Position>,
    places_max: usize,
}

impl Page {
    pub(super) fn new(search: &Search) -> Self {
        let places_max = search.limit + 1;
        Self { kept: BinaryHeap::new(), after: search.after, places_max }
    }

    pub(super) fn offer(&mut self, place: Position) {
        if self.after.is_some_and(|after| place <= after) {
            return;
        }
        self.kept.push(place);
        if self.kept.len() > self.places_max {
            self.kept.pop();
        }
    }

    /// The rank of the last place, once there are as many as asked for.
    pub(super) fn last_rank(&self) -> Option<i64> {
        let is_full = self.kept.len() == self.places_max;
        self.kept.peek().filter(|_| is_full).map(|last| last.rank.0)
    }

    pub(super) fn into_places(self) -> Vec<Position> {
        self.kept.into_sorted_vec()
    }
}
