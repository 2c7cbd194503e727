//! One report a clock: its offset against a reference, window by window, and what else its readings tell.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::rate::{Interval, rates_ppb};
use super::solver::{PairBounds, Solver, State};
use crate::ClockId;

/// Offsets of a clock in a window that a report looks at, some 100 MB of them: 100 clocks for 40 minutes.
const OFFSETS_MAX: usize = 1_000_000;

/// What is known of one clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockReport {
    /// The clock.
    pub clock: ClockId,
    /// Its offset against the reference; windows in which nothing is known of it are left out.
    pub windows: Vec<ClockWindow>,
    /// In which steps it counts, once there were enough readings.
    pub granularity_ns: Option<i64>,
    /// Least and largest rate against the reference that explains all its intervals, in parts of a billion; `None` if no
    /// constant rate does.
    pub rate_ppb: Option<(i64, i64)>,
    /// Between which moments of the shared axis it must have stepped.
    pub steps: Vec<(i64, i64)>,
}

/// Offset of a clock against the reference in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockWindow {
    /// Start of the window on the shared axis; windows are as long as the settings say.
    pub start_ns: i64,
    /// Offset of the clock minus that of the reference.
    pub bounds: PairBounds,
}

/// Reports all clocks with evidence in a range of windows; if those hold more than a million offsets, as many of the last
/// windows as do not. Cost grows with windows, also with empty ones, so callers bound those.
pub fn report(
    solver: &mut Solver<'_>,
    reference: ClockId,
    windows: RangeInclusive<i64>,
) -> Vec<ClockReport> {
    report_within(OFFSETS_MAX, solver, reference, windows)
}

/// The same of as many of the last windows as hold no more than `offsets_max` offsets.
pub(super) fn report_within(
    offsets_max: usize,
    solver: &mut Solver<'_>,
    reference: ClockId,
    windows: RangeInclusive<i64>,
) -> Vec<ClockReport> {
    let window_ns = solver.table().settings().window_ns.max(1);
    let first = *windows.start();
    let mut found: BTreeMap<ClockId, Vec<ClockWindow>> = BTreeMap::new();
    let mut steps: BTreeMap<ClockId, Vec<RangeInclusive<i64>>> = BTreeMap::new();
    let mut offsets = 0usize;
    for window in windows.rev() {
        solver.close_back(first..=window);
        let clocks = solver.clocks(window);
        offsets = offsets.saturating_add(clocks.len());
        if offsets > offsets_max {
            break;
        }
        for clock in clocks.iter().copied() {
            let bounds = solver.pair_in(reference, clock, window);
            let of_clock = found.entry(clock).or_default();
            if bounds.state != State::None {
                of_clock.push(ClockWindow { start_ns: window.saturating_mul(window_ns), bounds });
            }
        }
        for step in solver.steps(window) {
            steps.entry(step.clock).or_default().push(step.windows.clone());
        }
    }
    found.values_mut().for_each(|windows| windows.reverse());
    let table = solver.table();
    let one = |(clock, windows): (ClockId, Vec<ClockWindow>)| ClockReport {
        clock,
        granularity_ns: table.clock(clock).step_ns(),
        rate_ppb: rates_ppb(&intervals(&windows, window_ns)),
        steps: narrowed(steps.remove(&clock).unwrap_or_default())
            .into_iter()
            .map(|step| {
                let start_ns = step.start().saturating_mul(window_ns);
                (start_ns, step.end().saturating_add(1).saturating_mul(window_ns))
            })
            .collect(),
        windows,
    };
    found.into_iter().map(one).collect()
}

fn intervals(windows: &[ClockWindow], window_ns: i64) -> Vec<Interval> {
    let interval = |window: &ClockWindow| {
        let (lo_ns, hi_ns) = window.bounds.lo_ns.zip(window.bounds.hi_ns)?;
        Some(Interval { at_ns: window.start_ns.saturating_add(window_ns / 2), lo_ns, hi_ns })
    };
    windows.iter().filter_map(interval).collect()
}

/// Brackets of one step, seen from several windows, narrow it down; brackets apart are several steps.
fn narrowed(mut brackets: Vec<RangeInclusive<i64>>) -> Vec<RangeInclusive<i64>> {
    brackets.sort_unstable_by_key(|bracket| (*bracket.start(), *bracket.end()));
    let mut steps: Vec<RangeInclusive<i64>> = Vec::new();
    for bracket in brackets {
        match steps.last_mut().filter(|step| bracket.start() <= step.end()) {
            Some(step) => *step = *bracket.start()..=*step.end().min(bracket.end()),
            None => steps.push(bracket),
        }
    }
    steps
}
