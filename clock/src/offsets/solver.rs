//! Answers how far two clocks are apart at a moment. Windows are closed when they are first asked for and remembered, also
//! from one solver to the next, until something changes that bears on them.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::closure::{Bound, Source};
use super::estimate::middle;
use super::table::Estimator;
use super::window::{Window, close_run};
use crate::ClockId;
use crate::order::{Margin, Reading};

/// Bounds and distances that are remembered, some 50 MB of them; when there are more, all are forgotten.
const HELD_MAX: usize = 1_000_000;
/// Bounds that are carried to a run of windows at once; runs are shorter where there are many pairs.
const RUN_BOUNDS_MAX: usize = 1_000_000;
/// Windows of a run at most.
const RUN_WINDOWS_MAX: usize = 64;

/// What is known about the offset of two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Bounded from both sides.
    TwoSided,
    /// Bounded from one side.
    OneSided,
    /// Nothing connects the clocks.
    None,
    /// The evidence of one of them contradicts itself.
    Inconsistent,
}

/// Offset of one clock against another in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairBounds {
    /// Least possible offset.
    pub lo_ns: Option<i64>,
    /// Largest possible offset.
    pub hi_ns: Option<i64>,
    /// Best estimate; only where there are bounds on both sides.
    pub point_ns: Option<i64>,
    /// Bounds on both sides that hold if servers end before their clients, where those certain are not two-sided or wider.
    pub likely_ns: Option<(i64, i64)>,
    /// What the bounds are worth.
    pub state: State,
    /// Messages between the two in the window itself, both directions.
    pub messages: u64,
}

impl PairBounds {
    const NONE: Self = Self {
        lo_ns: None,
        hi_ns: None,
        point_ns: None,
        likely_ns: None,
        state: State::None,
        messages: 0,
    };
    const OWN: Self = Self {
        lo_ns: Some(0),
        hi_ns: Some(0),
        point_ns: Some(0),
        state: State::TwoSided,
        ..Self::NONE
    };

    /// The upper bound an order may rest on.
    pub fn bound_ns(&self) -> Option<i64> {
        self.hi_ns.filter(|_| self.state == State::TwoSided)
    }

    /// The nearest value that certain bounds allow.
    fn nearest_ns(&self, offset_ns: i64) -> i64 {
        let offset_ns = self.lo_ns.map_or(offset_ns, |lo| offset_ns.max(lo));
        self.hi_ns.map_or(offset_ns, |hi| offset_ns.min(hi))
    }
}

/// Where an offset probably is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The best guess.
    pub offset_ns: i64,
    /// Half the width of the interval it lies in, certain or likely; `None` where it is not bounded on both sides.
    pub half_width_ns: Option<i64>,
}

impl Estimate {
    /// How far readings are apart once the offset is taken out.
    pub fn margin(&self, apart_ns: i64) -> Margin {
        let margin_ns = apart_ns.saturating_sub(self.offset_ns);
        Margin { margin_ns, half_width_ns: self.half_width_ns }
    }
}

/// A bound that an interval rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The sender's clock.
    pub from: ClockId,
    /// The receiver's clock.
    pub to: ClockId,
    /// How far the receiver's offset may be above the sender's.
    pub bound_ns: i64,
    /// Id of the message that shows it; `None` where the two are thought to be one clock, or one is declared to be right.
    pub witness: Option<u64>,
}

/// A clock that must have stepped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFound {
    /// The clock.
    pub clock: ClockId,
    /// First and last window the step may lie in.
    pub windows: RangeInclusive<i64>,
}

/// What solvers of one table found out, to be kept between them. Holds what [`Solver`] holds.
#[derive(Debug, Default)]
pub struct ClosedWindows {
    /// Of which table.
    of: Option<Arc<()>>,
    windows: HashMap<i64, Window>,
    /// Size of what is remembered.
    held: usize,
}

/// Answers questions about offsets from one table. Remembers closed windows, some 50 MB of them at most.
#[derive(Debug)]
pub struct Solver<'a> {
    table: &'a Estimator,
    closed: ClosedWindows,
    closings: usize,
}

impl<'a> Solver<'a> {
    /// A solver that knows nothing yet.
    pub fn new(table: &'a Estimator) -> Self {
        Self::resume(table, ClosedWindows::default())
    }

    /// A solver that knows what an earlier one of the same table found out, as far as nothing has changed that bears on
    /// it. What is known of another table, or of a copy, is dropped.
    pub fn resume(table: &'a Estimator, closed: ClosedWindows) -> Self {
        let is_own = closed.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, table.identity()));
        let closed = if is_own { closed } else { ClosedWindows::default() };
        Self { table, closed, closings: 0 }
    }

    /// What it found out, for the next one.
    pub fn into_closed(self) -> ClosedWindows {
        let of = Some(Arc::clone(self.table.identity()));
        ClosedWindows { of, ..self.closed }
    }

    /// The table that answers come from.
    pub fn table(&self) -> &'a Estimator {
        self.table
    }

    /// By how much a reading of the clock may be less than what a finer clock would show.
    pub fn granularity_ns(&self, clock: ClockId) -> i64 {
        self.table.clock(clock).slack_ns()
    }

    /// By how much an order that rests on a reading must allow for the reading itself: what the clock counts in, and what
    /// clocks drift in the time by which its place on the axis is off.
    pub fn blur_ns(&self, reading: Reading) -> i64 {
        let drift_ns = self.table.settings().drift_over_ns(reading.axis_gap_ns());
        self.granularity_ns(reading.clock).saturating_add(drift_ns)
    }

    /// Offset of `to` minus offset of `from` at a moment of the shared axis.
    pub fn pair(&mut self, from: ClockId, to: ClockId, axis_ns: i64) -> PairBounds {
        self.pair_in(from, to, self.table.settings().window(axis_ns))
    }

    /// Offset of `to` minus offset of `from` in a window.
    pub fn pair_in(&mut self, from: ClockId, to: ClockId, window: i64) -> PairBounds {
        if from == to {
            return PairBounds::OWN;
        }
        let table = self.table;
        let messages = [(from, to), (to, from)]
            .iter()
            .filter_map(|(from, to)| table.evidence_of(*from, *to, window))
            .fold(0u64, |sum, evidence| sum.saturating_add(evidence.messages));
        let none = PairBounds { messages, ..PairBounds::NONE };
        let closed = self.closed(window);
        let Some((a, b)) = closed.number(from).zip(closed.number(to)) else { return none };
        if closed.is_void(a) || closed.is_void(b) {
            return PairBounds { state: State::Inconsistent, ..none };
        }
        let size = closed.size();
        let (lo_ns, hi_ns) = closed.between(a, b);
        let likely_ns = closed.likely((a, b), (lo_ns, hi_ns));
        let state = match (lo_ns, hi_ns) {
            (Some(_), Some(_)) => State::TwoSided,
            (None, None) => State::None,
            _ => State::OneSided,
        };
        let bounds = PairBounds { lo_ns, hi_ns, point_ns: None, likely_ns, state, messages };
        let point_ns = lo_ns.zip(hi_ns).map(|(lo, hi)| {
            bounds.nearest_ns(closed.estimates.direct(a, b).unwrap_or(middle(lo, hi)))
        });
        let grown = closed.size() - size;
        self.closed.held += grown;
        PairBounds { point_ns, ..bounds }
    }

    /// Where the offset of `to` minus that of `from` probably is at a moment of the shared axis; `None` if nothing tells.
    pub fn estimate(&mut self, from: ClockId, to: ClockId, axis_ns: i64) -> Option<Estimate> {
        self.estimate_in(from, to, self.table.settings().window(axis_ns))
    }

    /// Where the offset of `to` minus that of `from` probably is in a window. Bounds are kept to, certain ones above all. Of
    /// a clock that is bounded on one side only, and whose answers tell nothing, it is taken to be as nearly right as the
    /// bound allows.
    pub fn estimate_in(&mut self, from: ClockId, to: ClockId, window: i64) -> Option<Estimate> {
        let bounds = self.pair_in(from, to, window);
        let half_width = |(lo, hi): (i64, i64)| hi.saturating_sub(lo) / 2;
        if let Some((point_ns, sides)) = bounds.point_ns.zip(bounds.lo_ns.zip(bounds.hi_ns)) {
            return Some(Estimate { offset_ns: point_ns, half_width_ns: Some(half_width(sides)) });
        }
        let closed = self.closed(window);
        let numbers = closed.number(from).zip(closed.number(to));
        let size = closed.size();
        let probable_ns = numbers.and_then(|(a, b)| closed.estimates.between(a, b));
        let grown = closed.size() - size;
        self.closed.held += grown;
        let likely = bounds.likely_ns;
        let offset_ns = match (probable_ns, likely) {
            (Some(probable), Some((lo, hi))) => probable.clamp(lo, hi),
            (Some(probable), None) => bounds.nearest_ns(probable),
            (None, Some((lo, hi))) => middle(lo, hi),
            (None, None) if bounds.state == State::OneSided => bounds.nearest_ns(0),
            (None, None) => return None,
        };
        Some(Estimate { offset_ns, half_width_ns: likely.map(half_width) })
    }

    /// The bounds that make up the upper bound of the offset of `to` minus `from`, with who shows them.
    pub fn explain(&mut self, from: ClockId, to: ClockId, axis_ns: i64) -> Vec<Hop> {
        let window = self.closed(self.table.settings().window(axis_ns));
        let Some((a, b)) = window.number(from).zip(window.number(to)) else { return Vec::new() };
        let hop = |bound: Bound| {
            let clock = |number: u32| window.numbered.get(number as usize).copied();
            let witness = match bound.source {
                Source::Message { witness, .. } => Some(witness),
                Source::Tie { .. } => None,
            };
            let (from, to) = clock(bound.from).zip(clock(bound.to))?;
            Some(Hop { from, to, bound_ns: bound.bound_ns, witness })
        };
        window.path(a, b).into_iter().filter_map(hop).collect()
    }

    /// Clocks that must have stepped around a window.
    pub fn steps(&mut self, window: i64) -> &[StepFound] {
        &self.closed(window).steps
    }

    /// Witnesses that were taken for wrong in a window.
    pub fn quarantined(&mut self, window: i64) -> &[u64] {
        &self.closed(window).quarantined
    }

    /// Clocks with evidence in or around a window, ascending.
    pub fn clocks(&mut self, window: i64) -> Arc<[ClockId]> {
        Arc::clone(&self.closed(window).clocks)
    }

    /// Closes those of a range of windows that are not, in runs, which is cheaper than one by one. If they are more than
    /// can be remembered, the last ones are.
    pub fn close_windows(&mut self, windows: RangeInclusive<i64>) {
        let run = self.run_windows();
        let (mut first, last) = windows.into_inner();
        while first <= last {
            if !self.is_closed(first) {
                let end = first.saturating_add(run - 1).min(last);
                let until = (first..=end).take_while(|window| !self.is_closed(*window)).last();
                self.close_run(first..=until.unwrap_or(first));
            }
            let Some(next) = first.checked_add(1) else { break };
            first = next;
        }
    }

    /// Closes the last of a range of windows unless it is, and with it those of the range before it that make a run.
    pub(super) fn close_back(&mut self, windows: RangeInclusive<i64>) {
        let (first, last) = windows.into_inner();
        if !self.is_closed(last) {
            let run = self.run_windows();
            self.close_windows(last.saturating_sub(run - 1).max(first)..=last);
        }
    }

    /// How many windows are closed together.
    fn run_windows(&self) -> i64 {
        let pairs = self.table.pairs_max().max(1);
        (RUN_BOUNDS_MAX / pairs).clamp(1, RUN_WINDOWS_MAX) as i64
    }

    /// Size of what is remembered, in bounds and distances.
    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.closed.held
    }

    /// How many windows this solver had to close because nothing was remembered of them.
    pub const fn closings(&self) -> usize {
        self.closings
    }

    fn close_run(&mut self, windows: RangeInclusive<i64>) {
        let closed = close_run(self.table, windows);
        self.closings = self.closings.saturating_add(closed.len());
        let size: usize = closed.iter().map(|(_, window)| window.size()).sum();
        self.forget_beyond(HELD_MAX.saturating_sub(size));
        self.closed.held += size;
        for (window, found) in closed {
            let stale = self.closed.windows.insert(window, found);
            self.closed.held -= stale.map_or(0, |stale| stale.size());
        }
    }

    /// Whether a window is closed and nothing has changed since.
    fn is_closed(&mut self, window: i64) -> bool {
        let table = self.table;
        let Some(closed) = self.closed.windows.get_mut(&window) else { return false };
        if closed.revision < table.revision() && table.is_unchanged(window, closed.revision) {
            closed.revision = table.revision();
        }
        closed.revision == table.revision()
    }

    fn forget_beyond(&mut self, held_max: usize) {
        if self.closed.held > held_max {
            self.closed.windows.clear();
            self.closed.held = 0;
        }
    }

    fn closed(&mut self, window: i64) -> &mut Window {
        self.forget_beyond(HELD_MAX);
        if !self.is_closed(window) {
            self.close_run(window..=window);
        }
        let revision = self.table.revision();
        self.closed.windows.entry(window).or_insert_with(|| Window::empty(revision))
    }
}
