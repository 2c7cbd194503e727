//! `queue_wait`: messages wait far longer than their work takes.
//!
//! A queue hides that its consumers are late: producers see nothing, and consumers look fast. What users feel is the
//! time between the two.
//!
//! | | |
//! |---|---|
//! | fires when | from the end of a producer to the start of a consumer that hangs below it or links to it, at least 5 times the consumer's duration and at least 100 ms passed |
//! | not when | the message was meant to be late; the wait is shorter than the clocks are uncertain, where that is known |
//! | severity | medium |
//! | wrong if | the clocks of producer and consumer are off by that much; the message was scheduled for later |
//!
//! Consumers in traces of their own are matched with their producers over windows
//! ([`QueueWaits`](super::window::QueueWaits)).

use std::collections::BTreeMap;

use causeway_model::trace::{Flags, Kind, Row};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::{Detector, Settings, Severity, Subject};

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

/// Waits of one consumer service at one destination.
#[derive(Debug, Default)]
struct Waits {
    rows: Vec<Row>,
    wait_ns: i64,
    work_ns: i64,
}

impl Detector for QueueWait {
    fn id(&self) -> &'static str {
        "queue_wait"
    }

    fn rule_version(&self) -> u32 {
        1
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
            let Some(wait_ns) = wait_ns(subject, row) else { continue };
            let work_ns = trace.duration_ns(row);
            let is_long = wait_ns >= rule.wait_ns_min
                && wait_ns >= work_ns.saturating_mul(rule.work_times_min);
            if !is_long {
                continue;
            }
            let target = subject.call(row).map_or(trace.name_text(row), |call| &call.target);
            let of = waits.entry((trace.service_text(row), target)).or_default();
            of.rows.push(row);
            of.wait_ns = of.wait_ns.max(wait_ns);
            of.work_ns = of.work_ns.max(work_ns);
        }
        let mut waits: Vec<_> = waits.into_iter().collect();
        waits.sort_by_key(|(key, waits)| (std::cmp::Reverse(waits.wait_ns), *key));
        for ((service, target), waits) in waits.iter().take(settings.findings_max) {
            self.report(subject, (service, target), waits, findings);
        }
    }
}

/// From the end of the producer to the start of the consumer; `None` where the clocks cannot tell.
fn wait_ns(subject: &Subject<'_, '_>, row: Row) -> Option<i64> {
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
    if !is_timed(row) || !is_timed(producer) {
        return None;
    }
    let wait_ns = trace.start_ns(row).saturating_sub(trace.end_ns(producer));
    let half_width = |row| trace.half_width_ns(row).unwrap_or(0);
    let unsure_ns = half_width(row).saturating_add(half_width(producer));
    (wait_ns > unsure_ns).then_some(wait_ns)
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
            ms(waits.wait_ns),
            ms(waits.work_ns),
        );
        let aligned = waits.rows.iter().all(|row| subject.trace.half_width_ns(*row).is_some());
        let evidence = evidence(
            title.clone(),
            "What comes out of the queue is late by that much, however fast the work is.",
            "Look more often or let the broker push; add consumers or partitions if they are busy."
                .to_owned(),
            "The clocks of producer and consumer are off by that much, or the message was scheduled.",
            [
                ("wait_ns", waits.wait_ns.into()),
                ("work_ns", waits.work_ns.into()),
                ("messages", waits.rows.len().into()),
                ("clocks_bounded", aligned.into()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![service, target],
                caller: waits.rows.first().and_then(|row| subject.trace.parent(*row)),
                rows: &waits.rows,
                wasted_ns: waits.wait_ns,
                severity: Some(Severity::Medium),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const NAME: &str = "queue_wait";
    const PAID: &str = "messaging.system=kafka messaging.destination.name=paid";

    fn text(consumer: &str) -> String {
        format!(
            "shop send producer 0..5 #7 {PAID}\n w process consumer {consumer} messaging.operation.type=process {PAID}"
        )
    }

    #[test]
    fn a_long_wait_for_little_work_is_found() {
        let found = of_detector(&text("505..605"), NAME);
        assert_eq!(found[0].title, "w takes messages of paid after 500 ms for 100 ms of work");
        let linked = text("505..605 ^0 ->7");
        assert_eq!(of_detector(&linked, NAME).len(), 1);
    }

    #[test]
    fn short_waits_and_long_work_are_none() {
        assert_eq!(of_detector(&text("504..604"), NAME), []);
        assert_eq!(of_detector(&text("104..105"), NAME), []);
        assert_eq!(of_detector(&text("104..105").replace("producer", "client"), NAME), []);
    }

    #[test]
    fn missing_times_are_none() {
        assert_eq!(of_detector(&text("?..605"), NAME), []);
        assert_eq!(of_detector(&text("505..?"), NAME), []);
    }
}
