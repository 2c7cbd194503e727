//! One window, closed: all that can be said about offsets in it, ready to be asked for pair by pair.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::closure::{Bound, Closure, Source};
use super::estimate::Estimates;
use super::history::{Aged, History, Pair};
use super::repair::{close, tie_bounds};
use super::solver::StepFound;
use super::table::Estimator;
use crate::ClockId;

/// What a window takes that nothing is known of, in bounds.
const EMPTY_SIZE: usize = size_of::<Window>().div_ceil(size_of::<Bound>());

/// One closed window.
#[derive(Debug)]
pub(super) struct Window {
    /// Clocks with evidence in or around it, ascending.
    pub(super) clocks: Arc<[ClockId]>,
    /// The clocks that numbers count through: all those of the run it was closed in.
    pub(super) numbered: Arc<[ClockId]>,
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
        let history = History::default();
        close_window(&history, Near::default(), revision)
    }

    /// How much is remembered, in bounds and distances.
    pub(super) fn size(&self) -> usize {
        let clocks = self.numbered.len();
        let rows = self.rows.len() * clocks * 2;
        let bounds = self.closure.bounds().len() + self.likely.len();
        EMPTY_SIZE + clocks + bounds + rows + self.estimates.size()
    }

    pub(super) fn number(&self, clock: ClockId) -> Option<u32> {
        self.clocks.binary_search(&clock).ok()?;
        self.numbered.binary_search(&clock).ok().map(|place| place as u32)
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
    let close_one = |(place, window): (usize, i64)| {
        let mut near = Near { window, heard: vec![false; history.clocks.len()], ..Near::default() };
        for ((index, pair), [run, run_likely]) in (0u32..).zip(&history.pairs).zip(&runs) {
            let at = |run: &[Option<Aged>]| run.get(place).copied().flatten();
            near.add(&history, (index, pair), [at(run), at(run_likely)]);
        }
        near.add_ties(&history);
        (window, close_window(&history, near, table.revision()))
    };
    windows.enumerate().map(close_one).collect()
}

/// The evidence that bears on one window of a run.
#[derive(Debug, Default)]
struct Near {
    window: i64,
    certain: Vec<Bound>,
    likely: Vec<((u32, u32), i64)>,
    /// By clock whether any of it is about it.
    heard: Vec<bool>,
    /// Ties of clocks of which there is none.
    far_ties: HashSet<u32>,
}

impl Near {
    fn add(
        &mut self,
        history: &History<'_>,
        (index, pair): (u32, &Pair<'_>),
        [certain, likely]: [Option<Aged>; 2],
    ) {
        let bound_ns = |aged: Aged| aged.bound_ns.saturating_add(pair.slack_ns);
        self.certain.extend(certain.map(|aged| Bound {
            from: pair.from,
            to: pair.to,
            bound_ns: bound_ns(aged),
            source: Source::Message { pair: index, window: aged.window, witness: aged.witness },
        }));
        let punctual = likely.filter(|_| !history.is_late(pair.from, self.window));
        self.likely.extend(punctual.map(|aged| ((pair.from, pair.to), bound_ns(aged))));
        if certain.is_some() || likely.is_some() || history.has_midpoints(pair, self.window) {
            self.hear([pair.from, pair.to]);
        }
    }

    fn add_ties(&mut self, history: &History<'_>) {
        let is_heard = |clock: u32| self.heard.get(clock as usize).copied().unwrap_or(false);
        let ties = (0u32..).zip(&history.ties);
        let (near, far): (Vec<_>, Vec<_>) =
            ties.partition(|(_, tie)| is_heard(tie.a) || is_heard(tie.b));
        self.far_ties.extend(far.into_iter().map(|(index, _)| index));
        for (index, tie) in near {
            self.hear([tie.a, tie.b]);
            self.certain.extend(tie_bounds(index, tie));
        }
    }

    fn hear(&mut self, clocks: [u32; 2]) {
        for clock in clocks {
            self.heard.get_mut(clock as usize).into_iter().for_each(|heard| *heard = true);
        }
    }

    /// The clocks it is about; shared with the whole run where it is about all.
    fn clocks(&self, all: &Arc<[ClockId]>) -> Arc<[ClockId]> {
        if self.heard.iter().all(|heard| *heard) {
            return Arc::clone(all);
        }
        let heard = all.iter().zip(&self.heard).filter(|(_, heard)| **heard);
        heard.map(|(clock, _)| *clock).collect()
    }
}

fn close_window(history: &History<'_>, near: Near, revision: u64) -> Window {
    let clocks = near.clocks(&history.clocks);
    let numbered = Arc::clone(&history.clocks);
    let estimates = Estimates::of(history, near.window);
    let repaired = close(history, near.window, near.certain, near.far_ties);
    let steps = repaired.steps.into_iter().filter_map(|(clock, windows)| {
        Some(StepFound { clock: *numbered.get(clock as usize)?, windows })
    });
    Window {
        steps: steps.collect(),
        closure: repaired.closure,
        rows: HashMap::new(),
        likely: near.likely,
        estimates,
        void: repaired.void,
        quarantined: repaired.quarantined,
        clocks,
        numbered,
        revision,
    }
}
