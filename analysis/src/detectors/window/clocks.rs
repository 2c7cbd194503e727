//! `clock_offset`, `clock_step`, `clock_drift`, `coarse_clock`: what reports of clocks show of each.
//!
//! | detector | fires when | not when |
//! |---|---|---|
//! | `clock_offset` | in at least 5 windows bounded from both sides the offset against the reference is more than 1 ms for sure | messages do not bound it, or only from one side; the interval holds less than 1 ms |
//! | `clock_step` | the clock must have stepped between two moments | the intervals can be explained without |
//! | `clock_drift` | every rate that explains all intervals is beyond 100 ppm | some rate within explains them, or none does: then it stepped |
//! | `coarse_clock` | readings show steps of 1 ms or more | too few readings |
//!
//! Severity: medium from an offset or step of 10 ms, low below and for rates and steps of counting. Wrong if the clock of
//! reference is the one that is off: then all others show the same.

use causeway_clock::offsets::{ClockReport, State};
use serde_json::{Map, Value};

use super::{Examples, Rule, WindowDraft};
use crate::detectors::finding::evidence;
use crate::detectors::{Fallacy, Finding, Severity};

/// Offsets and steps from here on matter to people.
const MEDIUM_NS_MIN: i64 = 10_000_000;
/// Steps that are listed in a finding.
const STEPS_MAX: usize = 20;

const OFFSET: Rule = rule("clock_offset", "Clocks that are off for sure.");
const STEP: Rule = rule("clock_step", "Clocks that were set.");
const DRIFT: Rule = rule("clock_drift", "Clocks that run too fast or too slow.");
const COARSE: Rule = rule("coarse_clock", "Clocks that count in milliseconds.");

/// The detectors of clocks.
pub const CLOCK_DETECTORS: [Rule; 4] = [OFFSET, STEP, DRIFT, COARSE];

const fn rule(id: &'static str, summary: &'static str) -> Rule {
    Rule { id, rule_version: 1, fallacy: Fallacy::OneClock, summary }
}

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
    for clock in clocks {
        found.extend(offset(clock, settings));
        found.extend(step(clock));
        found.extend(drift(clock, settings));
        found.extend(coarse(clock, settings));
    }
    found
}

/// The offset that is nearest to none among windows in which it is not within the limit.
fn offset(clock: &ClockSeen<'_>, settings: &ClockSettings) -> Option<Finding> {
    let limit_ns = settings.offset_ns_min;
    let certain =
        clock.report.windows.iter().filter(|window| window.bounds.state == State::TwoSided);
    let intervals: Vec<(i64, i64, i64)> = certain
        .filter_map(|window| Some((window.start_ns, window.bounds.lo_ns?, window.bounds.hi_ns?)))
        .filter(|(_, lo_ns, hi_ns)| *lo_ns > limit_ns || *hi_ns < limit_ns.saturating_neg())
        .collect();
    if intervals.len() < settings.windows_min.max(1) {
        return None;
    }
    let least_ns = |(_, lo_ns, hi_ns): &(i64, i64, i64)| if *lo_ns > 0 { *lo_ns } else { *hi_ns };
    let mut sure: Vec<i64> = intervals.iter().map(least_ns).collect();
    sure.sort_unstable();
    let median_ns = sure.get(sure.len() / 2).copied()?;
    let mut seen = Examples { count: intervals.len() as u64, ..Examples::default() };
    intervals.iter().for_each(|(at_ns, ..)| seen.see_times(*at_ns, *at_ns));
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

fn step(clock: &ClockSeen<'_>) -> Option<Finding> {
    let steps = &clock.report.steps;
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
        let texts = evidence(
            self.title.clone(),
            "Times of this clock beside those of others show waits, overlaps and an order that never were.",
            self.remedy.to_owned(),
            "The clock of reference is the one that is wrong: then all others show the same.",
            [("instance", clock.instance.into())],
        );
        let figures = self.figures.into_iter().map(|(key, value)| (key.to_owned(), value));
        let all: Map<String, Value> = texts.into_iter().chain(figures).collect();
        let draft = WindowDraft {
            title: self.title,
            group: vec![clock.service, clock.instance],
            entry: ("", ""),
            severity: self.severity,
            examples: seen,
            wasted_ns: 0,
            evidence: all,
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
}
