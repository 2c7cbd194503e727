//! One window, closed: all that can be said about offsets in it, ready to be asked for pair by pair.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::closure::{Bound, Closure, Source};
use super::estimate::Estimates;
use super::history::{Aged, History};
use super::repair::{close, tie_bounds};
use super::solver::StepFound;
use super::table::Estimator;
use crate::ClockId;

/// One closed window. Its numbers count through its clocks.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) clocks: Arc<[ClockId]>,
    closure: Closure,
    /// Distances from and to the clocks that were asked for.
    rows: HashMap<u32, [Vec<Option<i64>>; 2]>,
    /// Bounds that hold if servers end before their clients, by server and client, ascending.
    likely: Vec<((u32, u32), i64)>,
    pub(super) estimates: Estimates,
    void: HashSet<u32>,
    pub(super) steps: Vec<StepFound>,
    pub(super) quarantined: Vec<u64>,
    /// Revision of the table up to which nothing that bears on the window has changed.
    pub(super) revision: u64,
}

impl Window {
    pub(super) fn empty(revision: u64) -> Self {
        close_window(&History::default(), 0, Vec::new(), Vec::new(), revision)
    }

    /// How much is remembered, in bounds and distances.
    pub(super) fn size(&self) -> usize {
        let clocks = self.clocks.len();
        let rows = self.rows.len() * clocks * 2;
        let bounds = self.closure.bounds().len() + self.likely.len();
        clocks + bounds + rows + self.estimates.size()
    }

    pub(super) fn number(&self, clock: ClockId) -> Option<u32> {
        self.clocks.binary_search(&clock).ok().map(|place| place as u32)
    }

    /// Whether the evidence of a clock contradicts itself.
    pub(super) fn is_void(&self, clock: u32) -> bool {
        self.void.contains(&clock)
    }

    /// Least and largest offset of `b` minus `a`.
    pub(super) fn between(&mut self, a: u32, b: u32) -> (Option<i64>, Option<i64>) {
        // Rows of either clock tell both directions.
        let has_row = |clock: u32| self.rows.contains_key(&clock);
        let (own, other) = if !has_row(a) && has_row(b) { (b, a) } else { (a, b) };
        let closure = &self.closure;
        let rows = self
            .rows
            .entry(own)
            .or_insert_with(|| [closure.distances_from(own), closure.distances_to(own)]);
        let [from, to] = rows.each_ref().map(|row| row.get(other as usize).copied().flatten());
        let (forward, backward) = if own == a { (from, to) } else { (to, from) };
        (backward.map(i64::saturating_neg), forward)
    }

    /// Tightens an interval by what is likely from answers that the two gave each other; `None` without such, or if they
    /// contradict it.
    ///
    /// Likely bounds are not carried over other clocks: a server that ends its spans late by less than messages take does
    /// not show it, and on a way over several of them what they are late adds up.
    pub(super) fn likely(
        &self,
        (a, b): (u32, u32),
        (lo, hi): (Option<i64>, Option<i64>),
    ) -> Option<(i64, i64)> {
        let direct = |from: u32, to: u32| {
            let at = self.likely.binary_search_by_key(&(from, to), |(pair, _)| *pair).ok()?;
            self.likely.get(at).map(|(_, bound_ns)| *bound_ns)
        };
        let (forward, backward) = (direct(a, b), direct(b, a).map(i64::saturating_neg));
        forward.or(backward)?;
        let lo = lo.into_iter().chain(backward).max()?;
        let hi = hi.into_iter().chain(forward).min()?;
        (lo <= hi).then_some((lo, hi))
    }

    /// The bounds that together make the tightest one from one clock to another.
    pub(super) fn path(&self, from: u32, to: u32) -> Vec<Bound> {
        self.closure.path(from, to)
    }
}

/// Closes a run of windows together.
pub(super) fn close_run(table: &Estimator, windows: RangeInclusive<i64>) -> Vec<(i64, Window)> {
    let history = History::around(table, windows.clone());
    let runs: Vec<[Vec<Option<Aged>>; 2]> = history
        .pairs
        .iter()
        .map(|pair| {
            [&pair.certain, &pair.likely].map(|entries| history.run(entries, windows.clone()))
        })
        .collect();
    let ties: Vec<Bound> =
        (0u32..).zip(&history.ties).flat_map(|(index, tie)| tie_bounds(index, tie)).collect();
    let close_one = |(place, window): (usize, i64)| {
        let mut certain = ties.clone();
        let mut likely = Vec::new();
        for ((index, pair), [run, run_likely]) in (0u32..).zip(&history.pairs).zip(&runs) {
            let at = |run: &[Option<Aged>]| run.get(place).copied().flatten();
            let bound_ns = |aged: Aged| aged.bound_ns.saturating_add(pair.slack_ns);
            certain.extend(at(run).map(|aged| Bound {
                from: pair.from,
                to: pair.to,
                bound_ns: bound_ns(aged),
                source: Source::Message { pair: index, window: aged.window, witness: aged.witness },
            }));
            let of_likely = at(run_likely).filter(|_| !history.is_late(pair.from, window));
            likely.extend(of_likely.map(|aged| ((pair.from, pair.to), bound_ns(aged))));
        }
        (window, close_window(&history, window, certain, likely, table.revision()))
    };
    windows.enumerate().map(close_one).collect()
}

fn close_window(
    history: &History<'_>,
    window: i64,
    certain: Vec<Bound>,
    likely: Vec<((u32, u32), i64)>,
    revision: u64,
) -> Window {
    let repaired = close(history, window, certain);
    let clocks = Arc::clone(&history.clocks);
    let steps = repaired.steps.into_iter().filter_map(|(clock, windows)| {
        Some(StepFound { clock: *clocks.get(clock as usize)?, windows })
    });
    Window {
        closure: repaired.closure,
        rows: HashMap::new(),
        likely,
        estimates: Estimates::of(history, window),
        void: repaired.void,
        steps: steps.collect(),
        quarantined: repaired.quarantined,
        clocks: Arc::clone(&history.clocks),
        revision,
    }
}
