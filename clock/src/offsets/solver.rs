//! Answers how far two clocks are apart at a moment. Windows are closed when they are first asked for and remembered.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use super::closure::{Bound, Closure, Source};
use super::history::{Aged, History};
use super::repair::{close, close_likely, tie_bounds};
use super::table::Estimator;
use crate::ClockId;
use crate::order::{Margin, Reading};

/// Bounds and distances that are remembered, some 100 MB of them; when there are more, all are forgotten.
const HELD_MAX: usize = 2_000_000;
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

    /// The upper bound an order may rest on.
    pub fn bound_ns(&self) -> Option<i64> {
        self.hi_ns.filter(|_| self.state == State::TwoSided)
    }

    /// The best estimate there is, and half the width of what it was taken from.
    pub fn estimate_ns(&self) -> Option<(i64, i64)> {
        let half_width = |lo: i64, hi: i64| hi.saturating_sub(lo) / 2;
        let certain = self.point_ns.zip(self.lo_ns.zip(self.hi_ns));
        let certain = certain.map(|(point, (lo, hi))| (point, half_width(lo, hi)));
        let likely = || self.likely_ns.map(|(lo, hi)| (middle(lo, hi), half_width(lo, hi)));
        certain.or_else(likely)
    }

    /// How far readings are apart once the offset is taken out, where it can be estimated.
    pub fn margin(&self, apart_ns: i64) -> Option<Margin> {
        let (offset_ns, half_width_ns) = self.estimate_ns()?;
        let margin_ns = apart_ns.saturating_sub(offset_ns);
        Some(Margin { margin_ns, half_width_ns: Some(half_width_ns) })
    }

    fn reversed(self) -> Self {
        let negated = |value: Option<i64>| value.map(i64::saturating_neg);
        Self {
            lo_ns: negated(self.hi_ns),
            hi_ns: negated(self.lo_ns),
            point_ns: negated(self.point_ns),
            likely_ns: self.likely_ns.map(|(lo, hi)| (hi.saturating_neg(), lo.saturating_neg())),
            ..self
        }
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
    /// Id of the message that shows it; `None` where the two are thought to be one clock.
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

/// Answers questions about offsets from one table.
#[derive(Debug)]
pub struct Solver<'a> {
    table: &'a Estimator,
    windows: HashMap<i64, Window>,
    /// Size of what is remembered.
    held: usize,
}

/// One closed window.
#[derive(Debug)]
struct Window {
    clocks: Vec<ClockId>,
    certain: Rows,
    likely: Option<Rows>,
    void: HashSet<u32>,
    steps: Vec<StepFound>,
    quarantined: Vec<u64>,
}

/// A closure with the distances that were asked for.
#[derive(Debug)]
struct Rows {
    closure: Closure,
    from: HashMap<u32, Vec<Option<i64>>>,
    to: HashMap<u32, Vec<Option<i64>>>,
}

impl Rows {
    fn new(closure: Closure) -> Self {
        Self { closure, from: HashMap::new(), to: HashMap::new() }
    }

    /// Least and largest offset of `b` minus `a`.
    fn between(&mut self, a: u32, b: u32) -> (Option<i64>, Option<i64>) {
        let from = self.from.entry(a).or_insert_with(|| self.closure.distances_from(a));
        let hi = from.get(b as usize).copied().flatten();
        let to = self.to.entry(a).or_insert_with(|| self.closure.distances_to(a));
        (to.get(b as usize).copied().flatten().map(i64::saturating_neg), hi)
    }

    fn size(&self, clocks: usize) -> usize {
        self.closure.bounds().len() + (self.from.len() + self.to.len()) * clocks
    }
}

impl<'a> Solver<'a> {
    /// A solver that knows nothing yet.
    pub fn new(table: &'a Estimator) -> Self {
        Self { table, windows: HashMap::new(), held: 0 }
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
            let zero = Some(0);
            let state = State::TwoSided;
            return PairBounds {
                lo_ns: zero,
                hi_ns: zero,
                point_ns: zero,
                state,
                ..PairBounds::NONE
            };
        }
        // Rows are kept for the first clock, so both directions of a pair share them.
        let (a, b) = (from.min(to), from.max(to));
        let bounds = self.ascending(a, b, window);
        if from == a { bounds } else { bounds.reversed() }
    }

    /// The bounds that make up the upper bound of the offset of `to` minus `from`, with who shows them.
    pub fn explain(&mut self, from: ClockId, to: ClockId, axis_ns: i64) -> Vec<Hop> {
        let window = self.closed(self.table.settings().window(axis_ns));
        let Some((a, b)) = window.number(from).zip(window.number(to)) else { return Vec::new() };
        let hop = |bound: Bound| {
            let clock = |number: u32| window.clocks.get(number as usize).copied();
            let witness = match bound.source {
                Source::Message { witness, .. } | Source::Likely { witness, .. } => Some(witness),
                Source::Tie { .. } => None,
            };
            let (from, to) = clock(bound.from).zip(clock(bound.to))?;
            Some(Hop { from, to, bound_ns: bound.bound_ns, witness })
        };
        window.certain.closure.path(a, b).into_iter().filter_map(hop).collect()
    }

    /// Clocks that must have stepped around a window.
    pub fn steps(&mut self, window: i64) -> &[StepFound] {
        &self.closed(window).steps
    }

    /// Witnesses that were taken for wrong in a window.
    pub fn quarantined(&mut self, window: i64) -> &[u64] {
        &self.closed(window).quarantined
    }

    /// Clocks with evidence in or around a window.
    pub fn clocks(&mut self, window: i64) -> &[ClockId] {
        &self.closed(window).clocks
    }

    /// Closes a run of windows together, which is cheaper than one by one. If they are more than can be remembered, the
    /// last ones are.
    pub fn close_windows(&mut self, windows: RangeInclusive<i64>) {
        let pairs = self.table.pairs_max().max(1);
        let run = (RUN_BOUNDS_MAX / pairs).clamp(1, RUN_WINDOWS_MAX) as i64;
        let mut first = *windows.start();
        while first <= *windows.end() {
            let last = first.saturating_add(run - 1).min(*windows.end());
            let closed = close_run(self.table, first..=last);
            let size: usize = closed.iter().map(|(_, window)| window.size()).sum();
            self.forget_beyond(HELD_MAX.saturating_sub(size));
            self.held += size;
            self.windows.extend(closed);
            let Some(next) = last.checked_add(1) else { break };
            first = next;
        }
    }

    /// Size of what is remembered, in bounds and distances.
    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    fn forget_beyond(&mut self, held_max: usize) {
        if self.held > held_max {
            self.windows.clear();
            self.held = 0;
        }
    }

    fn closed(&mut self, window: i64) -> &mut Window {
        self.forget_beyond(HELD_MAX);
        if !self.windows.contains_key(&window) {
            self.close_windows(window..=window);
        }
        self.windows.entry(window).or_insert_with(Window::empty)
    }

    fn ascending(&mut self, a: ClockId, b: ClockId, window: i64) -> PairBounds {
        let table = self.table;
        let closed = self.closed(window);
        let messages = [(a, b), (b, a)]
            .iter()
            .filter_map(|(from, to)| table.evidence_of(*from, *to, window))
            .fold(0u64, |sum, evidence| sum.saturating_add(evidence.messages));
        let none = PairBounds { messages, ..PairBounds::NONE };
        let Some((number_a, number_b)) = closed.number(a).zip(closed.number(b)) else {
            return none;
        };
        if closed.void.contains(&number_a) || closed.void.contains(&number_b) {
            return PairBounds { state: State::Inconsistent, ..none };
        }
        let size = closed.size();
        let (lo_ns, hi_ns) = closed.certain.between(number_a, number_b);
        let likely = closed.likely.as_mut().map(|likely| likely.between(number_a, number_b));
        let grown = closed.size() - size;
        self.held += grown;
        let likely_ns = likely.and_then(|(lo, hi)| lo.zip(hi));
        let state = match (lo_ns, hi_ns) {
            (Some(_), Some(_)) => State::TwoSided,
            (None, None) => State::None,
            _ => State::OneSided,
        };
        let point_ns = lo_ns.zip(hi_ns).map(|(lo, hi)| {
            let point = median_of_midpoints(table, a, b, window).unwrap_or(middle(lo, hi));
            point.clamp(lo, hi.max(lo))
        });
        PairBounds { lo_ns, hi_ns, point_ns, likely_ns, state, messages }
    }
}

impl Window {
    fn empty() -> Self {
        let closure = close(&History::default(), 0, Vec::new()).closure;
        Self {
            clocks: Vec::new(),
            certain: Rows::new(closure),
            likely: None,
            void: HashSet::new(),
            steps: Vec::new(),
            quarantined: Vec::new(),
        }
    }

    fn size(&self) -> usize {
        let clocks = self.clocks.len();
        let likely = self.likely.as_ref().map_or(0, |likely| likely.size(clocks));
        clocks + self.certain.size(clocks) + likely
    }

    fn number(&self, clock: ClockId) -> Option<u32> {
        self.clocks.binary_search(&clock).ok().map(|place| place as u32)
    }
}

fn close_run(table: &Estimator, windows: RangeInclusive<i64>) -> Vec<(i64, Window)> {
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
            let bound = |aged: Aged, source| Bound {
                from: pair.from,
                to: pair.to,
                bound_ns: aged.bound_ns.saturating_add(pair.slack_ns),
                source,
            };
            certain.extend(at(run).map(|aged| {
                let Aged { window, witness, .. } = aged;
                bound(aged, Source::Message { pair: index, window, witness })
            }));
            let of_likely = at(run_likely).filter(|_| !history.is_late(pair.from, window));
            likely
                .extend(of_likely.map(|aged| {
                    bound(aged, Source::Likely { pair: index, witness: aged.witness })
                }));
        }
        (window, close_window(&history, window, certain, likely))
    };
    windows.clone().enumerate().map(close_one).collect()
}

fn close_window(history: &History, window: i64, certain: Vec<Bound>, likely: Vec<Bound>) -> Window {
    let repaired = close(history, window, certain);
    let clocks = history.clocks.clone();
    let is_sound = |b: &Bound| !repaired.void.contains(&b.from) && !repaired.void.contains(&b.to);
    let likely: Vec<Bound> = likely.into_iter().filter(is_sound).collect();
    let likely = (!likely.is_empty())
        .then(|| close_likely(clocks.len(), repaired.closure.bounds(), likely))
        .flatten();
    let steps = repaired.steps.into_iter().filter_map(|(clock, windows)| {
        Some(StepFound { clock: *clocks.get(clock as usize)?, windows })
    });
    Window {
        certain: Rows::new(repaired.closure),
        likely: likely.map(Rows::new),
        void: repaired.void,
        steps: steps.collect(),
        quarantined: repaired.quarantined,
        clocks,
    }
}

/// The median of sampled round trips of the nearest windows that have any, as offset of `b` minus `a`.
fn median_of_midpoints(table: &Estimator, a: ClockId, b: ClockId, window: i64) -> Option<i64> {
    let in_window = |window: i64| {
        let evidence = table.evidence_of(a, b, window);
        evidence.map_or(&[][..], |evidence| &evidence.midpoints)
    };
    for away in 0..=table.settings().reach() {
        let mut sample: Vec<i64> =
            in_window(window.saturating_sub(away)).iter().map(|(_, middle)| *middle).collect();
        if away > 0 {
            let later = in_window(window.saturating_add(away));
            sample.extend(later.iter().map(|(_, middle)| *middle));
        }
        sample.sort_unstable();
        let upper = sample.get(sample.len() / 2).copied();
        let lower = sample.get(sample.len().saturating_sub(1) / 2).copied();
        if let Some((lower, upper)) = lower.zip(upper) {
            return Some(middle(lower, upper));
        }
    }
    None
}

/// The middle of two values, whatever they are.
fn middle(lo: i64, hi: i64) -> i64 {
    ((i128::from(lo) + i128::from(hi)) / 2) as i64
}
