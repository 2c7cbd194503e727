//! `impossible_order`: by their own clocks, effects begin before their causes.
//!
//! A call cannot be received before it is sent. Where times say so, the clocks of the two machines differ by at least
//! that much, and so do all waits and overlaps that are read from their times.
//!
//! | | |
//! |---|---|
//! | fires when | a span of one clock starts, as sent, before its parent of another clock does, or a span with a link starts before the linked span; which parent and link prove impossible |
//! | not when | the difference is within what the two clocks count in, and within 1 ms, by setting; times are missing; the spans share a clock |
//! | severity | low below 10 ms, else medium |
//! | wrong if | the parent was chosen after the fact |
//!
//! Uses times as sent, not aligned ones: it tells that a clock is wrong, which aligning hides.

use std::collections::BTreeMap;

use causeway_model::trace::{Flags, Row};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::{Detector, Settings, Severity, Subject};

/// From here on drawings and durations across clocks mislead people.
const MEDIUM_NS_MIN: i64 = 10_000_000;

/// Finds effects before their causes.
#[derive(Debug)]
pub struct ImpossibleOrder;

/// Thresholds of [`ImpossibleOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpossibleOrderSettings {
    /// By how much an effect comes first at least, 1 ms.
    pub before_ns_min: i64,
}

impl Default for ImpossibleOrderSettings {
    fn default() -> Self {
        Self { before_ns_min: 1_000_000 }
    }
}

/// Effects of one clock before causes of another.
#[derive(Debug, Default)]
struct Reversed {
    effects: Vec<Row>,
    cause: Option<Row>,
    before_ns: i64,
}

impl Detector for ImpossibleOrder {
    fn id(&self) -> &'static str {
        "impossible_order"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::OneClock
    }

    fn summary(&self) -> &'static str {
        "Effects that begin before their causes, by their own clocks."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let trace = subject.trace;
        // Few effects come first at all, so only then it is found out what clocks count in.
        let mut early: Vec<(Row, Row, i64)> = Vec::new();
        for row in trace.rows() {
            for cause in causes(subject, row) {
                let before_ns = trace.raw_start_ns(cause).saturating_sub(trace.raw_start_ns(row));
                let is_early = before_ns > settings.impossible_order.before_ns_min
                    && trace.clock(cause) != trace.clock(row)
                    && is_timed(subject, row)
                    && is_timed(subject, cause);
                early.extend(is_early.then_some((row, cause, before_ns)));
            }
        }
        if early.is_empty() {
            return;
        }
        let steps_ns = steps_ns(subject);
        let step_ns = |row: Row| steps_ns.get(&trace.clock(row)).copied().unwrap_or(0);
        let mut reversed: BTreeMap<(u32, u32), Reversed> = BTreeMap::new();
        for (row, cause, before_ns) in early {
            if before_ns <= step_ns(row).saturating_add(step_ns(cause)) {
                continue;
            }
            let of = reversed.entry((trace.clock(cause), trace.clock(row))).or_default();
            of.effects.push(row);
            if before_ns > of.before_ns {
                (of.before_ns, of.cause) = (before_ns, Some(cause));
            }
        }
        let mut reversed: Vec<_> = reversed.into_values().collect();
        reversed.sort_by_key(|of| (std::cmp::Reverse(of.before_ns), of.cause));
        for of in reversed.iter().take(settings.findings_max) {
            self.report(subject, of, findings);
        }
    }
}

/// What must have begun before a row did: its parent, and what it links to in this trace.
fn causes<'a>(subject: &'a Subject<'_, '_>, row: Row) -> impl Iterator<Item = Row> + 'a {
    let trace = subject.trace;
    let trace_id = trace.trace_id();
    // A cycle was cut at this row, so its parent proves nothing.
    let parent = trace.parent(row).filter(|_| !trace.flags(row).contains(Flags::CYCLE));
    let links =
        trace.links(row).filter(move |link| trace_id.is_some_and(|id| link.trace_id == id.0));
    // Which span is meant by an id of several is not known.
    let linked = links.filter_map(|link| {
        let mut found = trace.find(link.span_id);
        found.next().filter(|_| found.next().is_none())
    });
    parent.into_iter().chain(linked)
}

fn is_timed(subject: &Subject<'_, '_>, row: Row) -> bool {
    let flags = subject.trace.flags(row);
    let is_doubtful =
        [Flags::NO_TIME, Flags::PLACEHOLDER, Flags::ENDS_BEFORE_START, Flags::DUPLICATE_ID];
    !is_doubtful.into_iter().any(|flag| flags.contains(flag))
}

/// What each clock counts in, as far as the trace shows: milliseconds, microseconds, or less.
fn steps_ns(subject: &Subject<'_, '_>) -> BTreeMap<u32, i64> {
    let trace = subject.trace;
    let mut steps: BTreeMap<u32, i64> = BTreeMap::new();
    for row in trace.rows() {
        let step = steps.entry(trace.clock(row)).or_insert(1_000_000);
        while *step > 1 && trace.raw_start_ns(row) % *step != 0 {
            *step /= 1_000;
        }
    }
    steps
}

impl ImpossibleOrder {
    fn report(&self, subject: &Subject<'_, '_>, of: &Reversed, findings: &mut Findings) {
        let trace = subject.trace;
        let Some(cause) = of.cause else { return };
        let Some(effect) = of.effects.first().copied() else { return };
        let instance = |row| subject.resource_text(row, "service.instance.id").unwrap_or_default();
        let instances = (instance(cause), instance(effect));
        let (from, to) = (trace.service_text(cause), trace.service_text(effect));
        let title = format!(
            "by its own clock, {to} begins {:.1} ms before {from} asks it",
            of.before_ns as f64 / 1e6
        );
        let evidence = evidence(
            title.clone(),
            "Whatever compares times of the two, such as network time, queueing and drawings, is wrong by that much.",
            format!(
                "Synchronise the clocks of {from} and {to}; until then trust proven order, not times."
            ),
            "The parent or link was chosen after the fact.",
            [
                ("before_ns", of.before_ns.into()),
                ("spans", of.effects.len().into()),
                ("cause_instance", instances.0.as_ref().into()),
                ("effect_instance", instances.1.as_ref().into()),
            ],
        );
        let severity = if of.before_ns < MEDIUM_NS_MIN { Severity::Low } else { Severity::Medium };
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![from, &instances.0, to, &instances.1],
                caller: Some(cause),
                rows: &of.effects,
                edge: Some((from, to)),
                severity: Some(severity),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const NAME: &str = "impossible_order";

    fn pair(behind: &str, parent: &str, child: &str) -> String {
        format!("%clock ship -{behind}\nweb quote client {parent}\n ship quote server {child}")
    }

    #[test]
    fn a_child_before_its_parent_is_found() {
        let found = of_detector(&pair("90ms", "0.5..100", "45..55"), NAME);
        assert_eq!(found[0].title, "by its own clock, ship begins 45.5 ms before web asks it");
        assert_eq!(found[0].severity.label(), "medium");
        let linked = "web a - 20..30 #7\nship b - 5..9 ->7";
        assert_eq!(of_detector(linked, NAME).len(), 1);
    }

    #[test]
    fn what_clocks_cannot_tell_is_none() {
        assert_eq!(of_detector(&pair("40ms", "0.5..100", "45..55"), NAME), []);
        // Whole milliseconds on both sides: two of them are nothing.
        assert_eq!(of_detector(&pair("4ms", "2..100", "4..55"), NAME), []);
        assert_eq!(of_detector(&pair("4ms", "2.5..100", "4.6..55"), NAME).len(), 1);
        let one_clock = "web a - 20..30\n web b - 5..9";
        assert_eq!(of_detector(one_clock, NAME), []);
    }

    #[test]
    fn cycles_shared_ids_and_missing_times_prove_nothing() {
        let cycle = "a x - 0..9 #1 ^2\nb y - 50..60 #2 ^1";
        assert!(of_detector(cycle, NAME).len() <= 1);
        assert_eq!(of_detector("a x - 20..30\n b y - ?..9", NAME), []);
        assert_eq!(of_detector("a x - 20..30\n b y - 9..5", NAME), []);
    }
}
