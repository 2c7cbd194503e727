//! Which rows of a trace are shown where it is too large for one answer: those that take longest in a stretch of time.
//!
//! A row counts for as much as the row of its subtree that lasts longest in that time, so that no row is shown without
//! the rows above it.

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use causeway_model::trace::{Flags, MergedTrace, Row};

/// Rows of a trace that are shown, in its order.
#[derive(Debug)]
pub(crate) struct Part {
    rows: Vec<Row>,
    /// Of each row of the trace, and of its end, how many rows before it are shown.
    before: Vec<u32>,
}

impl Part {
    /// At most `rows_max` rows of a trace that reach into a stretch of time, Unix nanoseconds as sent, and what is above
    /// them; all of a trace that has no more rows than that.
    pub(crate) fn new(
        trace: &MergedTrace<'_>,
        time: &RangeInclusive<i64>,
        rows_max: usize,
    ) -> Self {
        let rows = match trace.len() <= rows_max {
            true => trace.rows().collect(),
            false => longest(trace, time, rows_max),
        };
        let mut before = Vec::with_capacity(trace.len() + 1);
        let mut shown = rows.iter().peekable();
        let mut count = 0;
        for row in trace.rows() {
            before.push(count);
            count += u32::from(shown.next_if(|next| **next == row).is_some());
        }
        before.push(count);
        Self { rows, before }
    }

    /// The rows.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = Row> + '_ {
        self.rows.iter().copied()
    }

    /// Where a row of the trace is among those shown.
    pub(crate) fn position(&self, row: Row) -> Option<u32> {
        let [at, after] = [row.idx(), row.idx() + 1].map(|row| self.before.get(row).copied());
        at.filter(|at| after.is_some_and(|after| after > *at))
    }

    /// How many rows of a subtree are shown, of those that it has.
    pub(crate) fn shown_of(&self, trace: &MergedTrace<'_>, row: Row) -> (u32, u32) {
        let all = trace.subtree_len(row);
        let before = |row: usize| self.before.get(row).copied().unwrap_or(0);
        (before(row.idx() + all as usize).saturating_sub(before(row.idx())), all)
    }
}

fn longest(trace: &MergedTrace<'_>, time: &RangeInclusive<i64>, rows_max: usize) -> Vec<Row> {
    let mut weights: Vec<i64> = trace.rows().map(|row| weight(trace, row, time)).collect();
    for row in trace.rows().rev() {
        let own = weights.get(row.idx()).copied().unwrap_or(0);
        let above = trace.parent(row).and_then(|parent| weights.get_mut(parent.idx()));
        above.into_iter().for_each(|weight| *weight = own.max(*weight));
    }
    let weighed = trace.rows().zip(weights);
    let mut ranked: Vec<(Reverse<i64>, Row)> = weighed
        .filter(|(_, weight)| *weight > 0)
        .map(|(row, weight)| (Reverse(weight), row))
        .collect();
    // Of two rows that count for as much the first is taken, which is the one above if one of them is.
    if ranked.len() > rows_max {
        ranked.select_nth_unstable(rows_max);
        ranked.truncate(rows_max);
    }
    let mut rows: Vec<Row> = ranked.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    if rows.is_empty() {
        rows.extend(trace.root());
    }
    rows
}

/// How long a row lasts in a stretch of time, and one more; 0 for one that lies outside. Where a row has no usable time,
/// it lies everywhere.
fn weight(trace: &MergedTrace<'_>, row: Row, time: &RangeInclusive<i64>) -> i64 {
    if trace.flags(row).contains(Flags::NO_TIME) {
        return 1;
    }
    let start = trace.start_ns(row).max(*time.start());
    let end = trace.end_ns(row).max(trace.start_ns(row)).min(*time.end());
    end.saturating_sub(start).saturating_add(1).max(0)
}
