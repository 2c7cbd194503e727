//! `clock_offset`, `clock_step`, `clock_drift`, `coarse_clock`: what reports of clocks show of each.
//!
//! Machines read time from clocks of their own. What is measured across two of them is wrong by as much as their clocks
//! differ, and a clock that is set while work is under way makes durations that never were.
//!
//! | detector | fires when | not when |
//! |---|---|---|
//! | `clock_offset` | in at least 5 windows bounded from both sides the offset against the reference is more than 1 ms for sure | messages do not bound it, or only from one side; the interval holds less than 1 ms |
//! | `clock_step` | the clock must have stepped between two moments; or an instance changed its node id, as clocks that are set do, and its offset with it by more than 1 ms and what clocks drift in between | the intervals can be explained without |
//! | `clock_drift` | every rate that explains all intervals is beyond 100 ppm | some rate within explains them, or none does: then it stepped |
//! | `coarse_clock` | readings show steps of 1 ms or more | too few readings |
//!
//! Severity: medium from an offset or step of 10 ms, low below and for rates and steps of counting. Wrong if the clock of
//! reference is the one that is off: then all others show the same.

use std::collections::BTreeMap;

use causeway_clock::offsets::{ClockReport, State};
use serde_json::Value;

use super::{Examples, Rule, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity};

/// Offsets and steps from here on matter to people.
const MEDIUM_NS_MIN: i64 = 10_000_000;
/// Steps that are listed in a finding.
const STEPS_MAX: usize = 20;

const OFFSET: Rule = Rule {
    id: "clock_offset",
    rule_version: 1,
    fallacy: Fallacy::OneClock,
    summary: "Clocks that are off for sure.",
};
const STEP: Rule = Rule {
    id: "clock_step",
    rule_version: 1,
    fallacy: Fallacy::OneClock,
    summary: "Clocks that were set.",
};
const DRIFT: Rule = Rule {
    id: "clock_drift",
    rule_version: 1,
    fallacy: Fallacy::OneClock,
    summary: "Clocks that run too fast or too slow.",
};
const COARSE: Rule = Rule {
    id: "coarse_clock",
    rule_version: 1,
    fallacy: Fallacy::OneClock,
    summary: "Clocks that count in milliseconds.",
};

/// The detectors of clocks.
pub const CLOCK_DETECTORS: [Rule; 4] = [OFFSET, STEP, DRIFT, COARSE];

/// Thresholds of detectors of clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockSettings {
    /// Offset that must be exceeded for sure, 1 ms.
    pub offset_ns_min: i64,
    /// Windows in which it is, at least, 5.
    pub windows_min: usize,
    /// Rate that must be exceeded for sure, 100 parts in a million.
    pub rate_ppb_min: i64,
    /// Steps of counting from which a clock is coarse, 1 ms.
    pub granularity_ns_min: i64,
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self {
            offset_ns_min: 1_000_000,
            windows_min: 5,
            rate_ppb_min: 100_000,
            granularity_ns_min: 1_000_000,
        }
    }
}

/// A clock, what is known of it, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct ClockSeen<'a> {
    /// What its readings tell.
    pub report: &'a ClockReport,
    /// The service that reads it; empty for unknown.
    pub service: &'a str,
    /// What tells the instance or host apart.
    pub instance: &'a str,
}

/// What reports of clocks show; at most four findings a clock. The reference is to be left out.
pub fn detect_clocks(clocks: &[ClockSeen<'_>], settings: &ClockSettings) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut changes = changes_of_node(clocks, settings);
    for clock in clocks {
        found.extend(offset(clock, settings));
        let changes = changes.remove(&(clock.service, clock.instance)).unwrap_or_default();
        found.extend(step(clock, changes));
        found.extend(drift(clock, settings));
        found.extend(coarse(clock, settings));
    }
    found
}

/// An offset beyond doubt: the median of what it is at least.
fn offset(clock: &ClockSeen<'_>, settings: &ClockSettings) -> Option<Finding> {
    let limit_ns = settings.offset_ns_min;
    let intervals: Vec<Interval> = certain(clock)
        .into_iter()
        .filter(|of| of.lo_ns > limit_ns || of.hi_ns < limit_ns.saturating_neg())
        .collect();
    if intervals.len() < settings.windows_min.max(1) {
        return None;
    }
    let least_ns = |of: &Interval| if of.lo_ns > 0 { of.lo_ns } else { of.hi_ns };
    let mut sure: Vec<i64> = intervals.iter().map(least_ns).collect();
    sure.sort_unstable();
    let median_ns = sure.get(sure.len() / 2).copied()?;
    let mut seen = Examples { count: intervals.len() as u64, ..Examples::default() };
    intervals.iter().for_each(|of| seen.see_times(of.at_ns, of.at_ns));
    let direction = if median_ns < 0 { "behind" } else { "ahead" };
    let ms = median_ns.unsigned_abs() as f64 / 1e6;
    let told = Told {
        rule: OFFSET,
        title: format!("the clock of {} is at least {ms:.1} ms {direction}", clock.name()),
        remedy: "Let the host synchronise its clock, and look why it does not.",
        severity: severity(median_ns),
        figures: vec![
            ("offset_ns_at_least_median", median_ns.into()),
            ("windows", intervals.len().into()),
        ],
    };
    Some(told.finding(clock, &seen))
}

/// Between which moments instances changed their node ids and their offsets with them. A clock that is set goes on under
/// another id, so each id alone shows no step. Told with the first report of the instance.
fn changes_of_node<'a>(
    clocks: &[ClockSeen<'a>],
    settings: &ClockSettings,
) -> BTreeMap<(&'a str, &'a str), Vec<(i64, i64)>> {
    let mut lives: BTreeMap<(&str, &str), Vec<Vec<Interval>>> = BTreeMap::new();
    for clock in clocks.iter().filter(|clock| !clock.instance.is_empty()) {
        let life = certain(clock);
        if !life.is_empty() {
            lives.entry((clock.service, clock.instance)).or_default().push(life);
        }
    }
    let mut changes: BTreeMap<(&str, &str), Vec<(i64, i64)>> = BTreeMap::new();
    for (whose, mut lives) in lives {
        lives.sort_by_key(|life| life.first().map(|interval| interval.at_ns));
        for (before, after) in lives.iter().zip(lives.iter().skip(1)) {
            // Windows reach into each other where evidence is carried, so the middles of both are compared.
            let middle = |life: &[Interval]| life.get(life.len() / 2).copied();
            let Some((a, b)) = middle(before).zip(middle(after)) else { continue };
            let apart_ns = a.lo_ns.saturating_sub(b.hi_ns).max(b.lo_ns.saturating_sub(a.hi_ns));
            let drift_ns = i128::from(a.at_ns.abs_diff(b.at_ns))
                * i128::from(settings.rate_ppb_min)
                / 1_000_000_000;
            if i128::from(apart_ns) > i128::from(settings.offset_ns_min) + drift_ns {
                changes
                    .entry(whose)
                    .or_default()
                    .push((a.at_ns.min(b.at_ns), a.at_ns.max(b.at_ns)));
            }
        }
    }
    changes
}

/// An offset that is bounded from both sides.
#[derive(Debug, Clone, Copy)]
struct Interval {
    at_ns: i64,
    lo_ns: i64,
    hi_ns: i64,
}

fn certain(clock: &ClockSeen<'_>) -> Vec<Interval> {
    let windows = clock.report.windows.iter();
    let certain = windows.filter(|window| window.bounds.state == State::TwoSided);
    certain
        .filter_map(|window| {
            let (lo_ns, hi_ns) = window.bounds.lo_ns.zip(window.bounds.hi_ns)?;
            Some(Interval { at_ns: window.start_ns, lo_ns, hi_ns })
        })
        .collect()
}

fn step(clock: &ClockSeen<'_>, changes: Vec<(i64, i64)>) -> Option<Finding> {
    let mut steps = clock.report.steps.clone();
    steps.extend(changes);
    steps.sort_unstable();
    if steps.is_empty() {
        return None;
    }
    let mut seen = Examples { count: steps.len() as u64, ..Examples::default() };
    steps.iter().for_each(|(from_ns, to_ns)| seen.see_times(*from_ns, *to_ns));
    let listed: Value =
        steps.iter().take(STEPS_MAX).map(|(from, to)| Value::from(vec![*from, *to])).collect();
    let told = Told {
        rule: STEP,
        title: format!("the clock of {} was set {} times", clock.name(), steps.len()),
        remedy: "Let the clock be slewed, not set; set it only before the process starts.",
        severity: Severity::Medium,
        figures: vec![("steps", steps.len().into()), ("between_unix_nano", listed)],
    };
    Some(told.finding(clock, &seen))
}

fn drift(clock: &ClockSeen<'_>, settings: &ClockSettings) -> Option<Finding> {
    let (least_ppb, most_ppb) = clock.report.rate_ppb?;
    let limit_ppb = settings.rate_ppb_min;
    let is_fast = least_ppb > limit_ppb;
    if !is_fast && most_ppb >= limit_ppb.saturating_neg() {
        return None;
    }
    let sure_ppb = if is_fast { least_ppb } else { most_ppb };
    let verb = if is_fast { "gains" } else { "loses" };
    let seen = seen_in(clock);
    let told = Told {
        rule: DRIFT,
        title: format!(
            "the clock of {} {verb} at least {} ppm",
            clock.name(),
            sure_ppb.unsigned_abs() / 1_000
        ),
        remedy: "Let the host synchronise its clock; a rate like that is a fault of the host or its virtual machine.",
        severity: Severity::Low,
        figures: vec![("rate_ppb_least", least_ppb.into()), ("rate_ppb_most", most_ppb.into())],
    };
    Some(told.finding(clock, &seen))
}

fn coarse(clock: &ClockSeen<'_>, settings: &ClockSettings) -> Option<Finding> {
    let step_ns =
        clock.report.granularity_ns.filter(|step| *step >= settings.granularity_ns_min)?;
    let told = Told {
        rule: COARSE,
        title: format!("the clock of {} counts in steps of {} us", clock.name(), step_ns / 1_000),
        remedy: "Read a finer clock; most systems have one of nanoseconds.",
        severity: Severity::Low,
        figures: vec![("step_ns", step_ns.into())],
    };
    Some(told.finding(clock, &seen_in(clock)))
}

/// All windows in which a clock was seen.
fn seen_in(clock: &ClockSeen<'_>) -> Examples {
    let windows = &clock.report.windows;
    let mut seen = Examples { count: windows.len() as u64, ..Examples::default() };
    windows.iter().for_each(|window| seen.see_times(window.start_ns, window.start_ns));
    seen
}

fn severity(off_ns: i64) -> Severity {
    if off_ns.unsigned_abs() >= MEDIUM_NS_MIN.unsigned_abs() {
        Severity::Medium
    } else {
        Severity::Low
    }
}

impl ClockSeen<'_> {
    fn name(&self) -> String {
        [self.service, self.instance]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What is told of a clock.
struct Told {
    rule: Rule,
    title: String,
    remedy: &'static str,
    severity: Severity,
    figures: Vec<(&'static str, Value)>,
}

impl Told {
    fn finding(self, clock: &ClockSeen<'_>, seen: &Examples) -> Finding {
        let mut evidence = evidence(
            self.title.clone(),
            "Times of this clock beside those of others show waits, overlaps and an order that never were.",
            self.remedy.to_owned(),
            "The clock of reference is the one that is wrong: then all others show the same.",
            [("instance", clock.instance.into())],
        );
        evidence.extend(self.figures);
        let draft = WindowDraft {
            title: self.title,
            group: vec![clock.service, clock.instance],
            entry: ("", ""),
            edge: (clock.service, ""),
            severity: self.severity,
            examples: seen,
            wasted_ns: 0,
            evidence,
        };
        draft.finding(self.rule)
    }
}

#[cfg(test)]
mod tests {
    use causeway_clock::ClockId;
    use causeway_clock::offsets::{ClockWindow, PairBounds};

    use super::*;

    const MS: i64 = 1_000_000;

    fn report(lo_ms: i64, hi_ms: i64, windows: i64) -> ClockReport {
        let bounds = PairBounds {
            lo_ns: Some(lo_ms * MS),
            hi_ns: Some(hi_ms * MS),
            point_ns: None,
            likely_ns: None,
            state: State::TwoSided,
            messages: 2,
        };
        let window = |at: i64| ClockWindow { start_ns: at * 250 * MS, bounds };
        ClockReport {
            clock: ClockId::Instance(1),
            windows: (0..windows).map(window).collect(),
            granularity_ns: Some(1),
            rate_ppb: Some((-50_000, 50_000)),
            steps: Vec::new(),
        }
    }

    fn titles(report: &ClockReport) -> Vec<String> {
        let clock = ClockSeen { report, service: "cart", instance: "cart-1" };
        let found = detect_clocks(&[clock], &ClockSettings::default());
        found.into_iter().map(|finding| format!("{} {}", finding.detector, finding.title)).collect()
    }

    #[test]
    fn offsets_beyond_doubt_are_found() {
        let title = "clock_offset the clock of cart cart-1 is at least 30.0 ms behind";
        assert_eq!(titles(&report(-40, -30, 5)), [title]);
        assert_eq!(titles(&report(2, 3, 5)).len(), 1);
        assert_eq!(titles(&report(-40, -30, 4)), Vec::<String>::new());
        assert_eq!(titles(&report(1, 30, 9)), Vec::<String>::new());
        assert_eq!(titles(&report(-40, 30, 9)), Vec::<String>::new());
    }

    #[test]
    fn one_sided_bounds_prove_nothing() {
        let mut one_sided = report(5, 6, 9);
        one_sided.windows.iter_mut().for_each(|window| window.bounds.state = State::OneSided);
        assert_eq!(titles(&one_sided), Vec::<String>::new());
    }

    #[test]
    fn steps_rates_and_coarse_clocks_are_found() {
        let mut odd = report(0, 0, 9);
        odd.steps = vec![(1, 2), (5, 6)];
        odd.rate_ppb = Some((-200_000, -100_001));
        odd.granularity_ns = Some(MS);
        assert_eq!(
            titles(&odd),
            [
                "clock_step the clock of cart cart-1 was set 2 times",
                "clock_drift the clock of cart cart-1 loses at least 100 ppm",
                "coarse_clock the clock of cart cart-1 counts in steps of 1000 us",
            ]
        );
        (odd.steps, odd.rate_ppb, odd.granularity_ns) =
            (Vec::new(), Some((-200_000, -99_999)), None);
        assert_eq!(titles(&odd), Vec::<String>::new());
    }
    #[test]
    fn a_clock_that_was_set_goes_on_under_another_node_id() {
        let (mut before, mut after) = (report(0, 0, 9), report(150, 151, 9));
        before.windows.iter_mut().for_each(|window| window.start_ns -= 9 * 250 * MS);
        after.clock = ClockId::Instance(2);
        fn seen(report: &ClockReport) -> ClockSeen<'_> {
            ClockSeen { report, service: "cart", instance: "cart-1" }
        }
        let found = |after: &ClockReport| {
            let found = detect_clocks(&[seen(&before), seen(after)], &ClockSettings::default());
            found.iter().filter(|finding| finding.detector == "clock_step").count()
        };
        assert_eq!(found(&after), 1);
        assert_eq!(found(&report(1, 2, 9)), 0);
    }
}
