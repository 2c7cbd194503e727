//! `queue_wait`: messages wait far longer than their work takes.
//!
//! A queue hides that its consumers are late: producers see nothing, and consumers look fast. What users feel is the
//! time between the two.
//!
//! | | |
//! |---|---|
//! | fires when | from the end of a producer to the start of a consumer that hangs below it or links to it, at least 5 times the consumer's duration and at least 100 ms passed, whatever their clocks may still be off |
//! | not when | nothing bounds the clocks of producer and consumer against each other; the message was meant to be late |
//! | severity | medium |
//! | wrong if | the message was scheduled for later |
//!
//! Consumers in traces of their own are matched with their producers over windows
//! ([`QueueWaits`](super::window::QueueWaits)).

use std::collections::BTreeMap;

use causeway_model::trace::{Flags, Kind, Row};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::{Detector, Settings, Severity, Subject};
use crate::waiting::{Certainty, blur_ns, certainty};

/// Finds messages that wait.
#[derive(Debug)]
pub struct QueueWait;

/// Thresholds of [`QueueWait`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueWaitSettings {
    /// How many times as long as the work a message waits at least, 5.
    pub work_times_min: i64,
    /// And how long at least, 100 ms.
    pub wait_ns_min: i64,
}

impl Default for QueueWaitSettings {
    fn default() -> Self {
        Self { work_times_min: 5, wait_ns_min: 100_000_000 }
    }
}

/// From the end of a producer to the start of a consumer.
#[derive(Debug, Clone, Copy)]
struct Wait {
    producer: Row,
    wait_ns: i64,
    /// By how much the clocks may be off against each other.
    blur_ns: i64,
}

/// Waits of one consumer service at one destination.
#[derive(Debug)]
struct Waits {
    rows: Vec<Row>,
    /// The longest.
    wait: Wait,
    work_ns: i64,
    /// The producer of the first.
    producer: Row,
}

impl Detector for QueueWait {
    fn id(&self) -> &'static str {
        "queue_wait"
    }

    fn rule_version(&self) -> u32 {
        2
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::Queues
    }

    fn summary(&self) -> &'static str {
        "Messages that wait far longer than their work takes."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.queue_wait;
        let trace = subject.trace;
        let mut waits: BTreeMap<(&str, &str), Waits> = BTreeMap::new();
        for row in trace.rows().filter(|row| trace.kind(*row) == Kind::Consumer) {
            let Some(wait) = wait(subject, row) else { continue };
            let work_ns = trace.duration_ns(row);
            let least_ns = wait.wait_ns.saturating_sub(wait.blur_ns);
            let is_long = least_ns >= rule.wait_ns_min
                && least_ns >= work_ns.saturating_mul(rule.work_times_min);
            if !is_long {
                continue;
            }
            let target = subject.call(row).map_or(trace.name_text(row), |call| &call.target);
            let producer = wait.producer;
            let first = Waits { rows: Vec::new(), wait, work_ns, producer };
            let of = waits.entry((trace.service_text(row), target)).or_insert(first);
            of.rows.push(row);
            of.wait = if wait.wait_ns > of.wait.wait_ns { wait } else { of.wait };
            of.work_ns = of.work_ns.max(work_ns);
        }
        let mut waits: Vec<_> = waits.into_iter().collect();
        waits.sort_by_key(|(key, waits)| (std::cmp::Reverse(waits.wait.wait_ns), *key));
        for ((service, target), waits) in waits.iter().take(settings.findings_max) {
            self.report(subject, (service, target), waits, findings);
        }
    }
}

/// How long the message of a consumer waited; `None` where nothing bounds the clocks.
fn wait(subject: &Subject<'_, '_>, row: Row) -> Option<Wait> {
    let trace = subject.trace;
    let is_producer = |row: &Row| trace.kind(*row) == Kind::Producer;
    let linked = || {
        let trace_id = trace.trace_id();
        let links =
            trace.links(row).filter(|link| trace_id.is_some_and(|id| link.trace_id == id.0));
        links.flat_map(|link| trace.find(link.span_id)).filter(is_producer).max()
    };
    let producer = trace.parent(row).filter(is_producer).or_else(linked)?;
    let is_timed = |row: Row| !trace.flags(row).contains(Flags::NO_TIME);
    let is_guessed = certainty(trace, producer, row) == Certainty::Guessed;
    if is_guessed || !is_timed(row) || !is_timed(producer) {
        return None;
    }
    let wait_ns = trace.start_ns(row).saturating_sub(trace.end_ns(producer));
    Some(Wait { producer, wait_ns, blur_ns: blur_ns(trace, producer, row) })
}

impl QueueWait {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        (service, target): (&str, &str),
        waits: &Waits,
        findings: &mut Findings,
    ) {
        let ms = |ns: i64| ns / 1_000_000;
        let title = format!(
            "{service} takes messages of {target} after {} ms for {} ms of work",
            ms(waits.wait.wait_ns),
            ms(waits.work_ns),
        );
        let evidence = evidence(
            title.clone(),
            "What comes out of the queue is late by that much, however fast the work is.",
            "Look more often or let the broker push; add consumers or partitions if they are busy."
                .to_owned(),
            "The message was scheduled for later.",
            [
                ("wait_ns", waits.wait.wait_ns.into()),
                ("unsure_ns", waits.wait.blur_ns.into()),
                ("work_ns", waits.work_ns.into()),
                ("messages", waits.rows.len().into()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![service, target],
                caller: Some(waits.producer),
                rows: &waits.rows,
                wasted_ns: waits.wait.wait_ns,
                severity: Some(Severity::Medium),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use causeway_model::trace::SpanTimes;
    use causeway_testkit::notation;

    use crate::detectors::tests::of_detector;
    use crate::detectors::{Finding, Settings, detect};
    use crate::forms::Former;
    use crate::testing::{MS, with_owned};

    const NAME: &str = "queue_wait";
    const PAID: &str = "messaging.system=kafka messaging.destination.name=paid";

    fn text(consumer: &str) -> String {
        format!(
            "shop send producer 0..5 #7 {PAID}\n w process consumer {consumer} messaging.operation.type=process {PAID}"
        )
    }

    /// What is found where clocks are known within so many milliseconds each.
    fn bounded(text: &str, half_width_ms: i64) -> Vec<Finding> {
        with_owned(&notation::parse(text).expect("notation"), |trace| {
            let times = |row| SpanTimes {
                start_ns: trace.start_ns(row),
                end_ns: trace.end_ns(row),
                half_width_ns: Some(half_width_ms * MS),
            };
            let times: Vec<SpanTimes> = trace.rows().map(times).collect();
            let trace = trace.aligned(&times);
            let found = detect(&trace, 1, &Settings::default(), &mut Former::default());
            found.into_iter().filter(|finding| finding.detector == NAME).collect()
        })
    }

    #[test]
    fn a_long_wait_for_little_work_is_found() {
        let found = bounded(&text("505..605"), 0);
        assert_eq!(found[0].title, "w takes messages of paid after 500 ms for 100 ms of work");
        let linked = bounded(&text("505..605 ^0 ->7"), 0);
        assert_eq!((linked.len(), linked[0].parent_span_id), (1, 7));
        // A span that serves is called by the one above.
        assert_eq!(
            (found[0].caller_service.as_str(), found[0].callee_service.as_str()),
            ("shop", "w")
        );
    }

    #[test]
    fn only_what_is_certain_of_a_wait_counts() {
        assert_eq!(of_detector(&text("505..605"), NAME), []);
        assert_eq!(of_detector(&text("505..605").replace("shop", "w"), NAME).len(), 1);
        assert_eq!(bounded(&text("505..596"), 20).len(), 1);
        assert_eq!(bounded(&text("505..596"), 23), []);
        assert_eq!(bounded(&text("505..506"), 200).len(), 1);
        assert_eq!(bounded(&text("505..506"), 201), []);
    }

    #[test]
    fn short_waits_and_long_work_are_none() {
        assert_eq!(bounded(&text("504..604"), 0), []);
        assert_eq!(bounded(&text("104..105"), 0), []);
        assert_eq!(bounded(&text("504..505").replace("producer", "client"), 0), []);
    }

    #[test]
    fn missing_times_are_none() {
        assert_eq!(bounded(&text("?..605"), 0), []);
        assert_eq!(bounded(&text("505..?"), 0), []);
    }
}
