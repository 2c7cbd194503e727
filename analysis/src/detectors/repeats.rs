//! Calls that repeat: exit spans of one caller that make the same call.

use std::sync::Arc;

use causeway_model::trace::{Flags, Row};

use super::Subject;
use crate::forms::{Call, CallKey};

/// Exit spans of one caller that make the same call.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// Who calls.
    pub caller: Row,
    /// What is called.
    pub call: Arc<Call>,
    /// The spans, by start; two at least.
    pub rows: Vec<Row>,
}

/// All repeats of a trace, by caller and first span. Housekeeping is none.
pub(super) fn repeats(subject: &Subject<'_, '_>) -> Vec<Repeat> {
    // Exit spans come by caller, so each caller's are sorted by themselves; most callers have but one or two.
    let mut calls: Vec<(CallKey, usize, Row)> = Vec::new();
    let mut repeats: Vec<Repeat> = Vec::new();
    for exits in subject.exits.chunk_by(|a, b| a.0 == b.0).filter(|exits| exits.len() > 1) {
        let place = |(at, (_, row)): (usize, &(Row, Row))| {
            let call = subject.call(*row).filter(|call| !call.is_housekeeping)?;
            Some((call.key, at, *row))
        };
        calls.clear();
        calls.extend(exits.iter().enumerate().filter_map(place));
        calls.sort_unstable();
        let first_of_caller = repeats.len();
        for group in calls.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let first = group.first().map(|(_, _, row)| *row);
            let (Some(call), Some((caller, _))) =
                (first.and_then(|row| subject.call(row)), exits.first())
            else {
                continue;
            };
            let rows = group.iter().map(|(_, _, row)| *row).collect();
            repeats.push(Repeat { caller: *caller, call: Arc::clone(call), rows });
        }
        if let Some(of_caller) = repeats.get_mut(first_of_caller..) {
            of_caller.sort_by_key(|repeat| repeat.rows.first().copied());
        }
    }
    repeats
}

/// How calls lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    /// Sum of their durations.
    pub(super) total_ns: i64,
    /// Time at which at least one runs.
    pub(super) busy_ns: i64,
    /// The longest.
    pub(super) longest_ns: i64,
    /// How much of the calls runs beside the one before, in percent of what could.
    pub(super) overlap_percent: i64,
    /// Whether times tell anything: most are usable, and some call lasts.
    pub(super) has_times: bool,
}

impl Spread {
    pub(super) fn of(subject: &Subject<'_, '_>, rows: &[Row]) -> Self {
        let trace = subject.trace;
        let timed = || {
            let is_timed = |row: &Row| !trace.flags(*row).contains(Flags::NO_TIME);
            rows.iter().copied().filter(is_timed)
        };
        let (mut total_ns, mut busy_ns, mut longest_ns) = (0i64, 0i64, 0);
        let (mut beside_ns, mut could_ns) = (0i64, 0i64);
        let mut until: Option<(i64, i64)> = None;
        for row in timed() {
            let (start, end) = (trace.start_ns(row), trace.end_ns(row));
            let lasted_ns = end - start;
            total_ns = total_ns.saturating_add(lasted_ns);
            longest_ns = longest_ns.max(lasted_ns);
            let (covered, before_ns) = until.unwrap_or((start, 0));
            busy_ns += (end - covered.max(start)).max(0);
            beside_ns += (covered.min(end) - start).max(0);
            could_ns += if until.is_some() { lasted_ns.min(before_ns) } else { 0 };
            until = Some((covered.max(end), lasted_ns));
        }
        Self {
            total_ns,
            busy_ns,
            longest_ns,
            overlap_percent: percent(beside_ns.min(could_ns), could_ns),
            has_times: total_ns > 0 && timed().count() * 2 >= rows.len(),
        }
    }
}

/// A part of a whole in percent; 0 of nothing.
pub(super) fn percent(part: i64, whole: i64) -> i64 {
    if whole <= 0 { 0 } else { (i128::from(part) * 100 / i128::from(whole)) as i64 }
}

/// What is shorter is the caller's own work, not a pause, 1 ms.
const PAUSE_NS_MIN: i64 = 1_000_000;

/// Whether calls look like polling: four or more with pauses of which nearly all are a fifth longer than the one before.
pub(super) fn is_polling(subject: &Subject<'_, '_>, rows: &[Row]) -> bool {
    let trace = subject.trace;
    let gap = |(a, b): (&Row, &Row)| trace.start_ns(*b).saturating_sub(trace.end_ns(*a));
    let gaps: Vec<i64> = rows.iter().zip(rows.iter().skip(1)).map(gap).collect();
    let grows = |pair: &[i64]| matches!(pair, [a, b] if *a >= PAUSE_NS_MIN && b.saturating_mul(5) >= a.saturating_mul(6));
    let growing = gaps.windows(2).filter(|pair| grows(pair)).count();
    gaps.len() >= 3 && growing * 5 >= (gaps.len() - 1) * 4
}
