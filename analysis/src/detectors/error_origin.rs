//! `error_origin`: where a failure began, and what it took down.
//!
//! When one call fails, so does what waited for it, and what waited for that: a trace full of errors has mostly one
//! cause. This names it, and all that went down with it.
//!
//! | | |
//! |---|---|
//! | fires when | a span failed and at least one span above it failed with it; of the failed spans that hang together, the first one without a failed cause below is the origin |
//! | not when | nobody above failed with it; the failed span outlived its caller, so that it cannot be the reason; a consumer failed: its producer waits for nobody |
//! | severity | high when the root failed, low otherwise |
//! | wrong if | a span above failed for a reason of its own at the same time |
//!
//! Causes come from parent links alone. Whether a callee outlived its caller is judged by ends on one clock and by
//! durations across clocks, so offsets of clocks change nothing.

use std::collections::BTreeMap;

use causeway_model::trace::{Kind, Row, Status};
use serde_json::{Value, json};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::{Detector, Settings, Severity, Subject};

/// Finds where failures begin.
#[derive(Debug)]
pub struct ErrorOrigin;

/// Thresholds of [`ErrorOrigin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorOriginSettings {
    /// Spans above the origin that failed with it, at least, 1.
    pub taken_down_min: usize,
    /// How much longer than its caller a callee may last and still be the reason, 1 ms.
    pub outlived_ns_max: i64,
}

impl Default for ErrorOriginSettings {
    fn default() -> Self {
        Self { taken_down_min: 1, outlived_ns_max: 1_000_000 }
    }
}

/// Failed spans that hang together.
#[derive(Debug, Default)]
struct Failure {
    /// Failed spans without a failed cause.
    origins: Vec<Row>,
    /// The others.
    taken_down: Vec<Row>,
}

impl Detector for ErrorOrigin {
    fn id(&self) -> &'static str {
        "error_origin"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "The first failing span, with everything it took down."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.error_origin;
        let failures = failures(subject, rule.outlived_ns_max);
        let mut wide: Vec<&Failure> = failures
            .values()
            .filter(|failure| failure.taken_down.len() >= rule.taken_down_min)
            .collect();
        wide.sort_by_key(|failure| std::cmp::Reverse(failure.taken_down.len()));
        for failure in wide.into_iter().take(settings.findings_max) {
            self.report(subject, failure, findings);
        }
    }
}

/// Failures by their topmost span.
fn failures(subject: &Subject<'_, '_>, outlived_ns_max: i64) -> BTreeMap<Row, Failure> {
    let trace = subject.trace;
    let failed = |row: Row| trace.status(row) == Status::Error;
    if !trace.rows().any(failed) {
        return BTreeMap::new();
    }
    // Parents stand before their children, so one pass down finds the top of each, one up whether there is a cause below.
    let mut tops: Vec<Option<Row>> = vec![None; trace.len()];
    let mut has_cause = vec![false; trace.len()];
    for row in trace.rows().filter(|row| failed(*row)) {
        let above = trace.parent(row).filter(|above| failed(*above));
        let above = above.filter(|above| is_reason(subject, row, *above, outlived_ns_max));
        let top = above.and_then(|above| tops.get(above.idx()).copied().flatten());
        if let Some(place) = tops.get_mut(row.idx()) {
            *place = Some(top.unwrap_or(row));
        }
        if let Some(place) = above.and_then(|above| has_cause.get_mut(above.idx())) {
            *place = true;
        }
    }
    let mut failures: BTreeMap<Row, Failure> = BTreeMap::new();
    for row in trace.rows() {
        let Some(top) = tops.get(row.idx()).copied().flatten() else { continue };
        let failure = failures.entry(top).or_default();
        let is_taken_down = has_cause.get(row.idx()).copied().unwrap_or(false);
        if is_taken_down { failure.taken_down.push(row) } else { failure.origins.push(row) }
    }
    failures
}

/// Whether a failed span can be the reason that the one above failed.
fn is_reason(subject: &Subject<'_, '_>, row: Row, above: Row, outlived_ns_max: i64) -> bool {
    let trace = subject.trace;
    let outlived_ns = if trace.clock(row) == trace.clock(above) {
        trace.end_ns(row).saturating_sub(trace.end_ns(above))
    } else {
        trace.duration_ns(row).saturating_sub(trace.duration_ns(above))
    };
    trace.kind(row) != Kind::Consumer && outlived_ns <= outlived_ns_max
}

impl ErrorOrigin {
    fn report(&self, subject: &Subject<'_, '_>, failure: &Failure, findings: &mut Findings) {
        let trace = subject.trace;
        // Rows stand by their starts below each caller, whose own clock tells that order.
        let mut origins = failure.origins.clone();
        let Some(origin) = origins.first().copied() else { return };
        let what = subject.call(origin).map_or(trace.name_text(origin), |call| &call.template);
        // Attempts at the same thing are one origin.
        origins.retain(|row| {
            (trace.service(*row), trace.name(*row)) == (trace.service(origin), trace.name(origin))
        });
        let service = trace.service_text(origin);
        let mut by_service: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &failure.taken_down {
            *by_service.entry(trace.service_text(*row)).or_default() += 1;
        }
        let root_failed = subject.root().is_some_and(|root| failure.taken_down.contains(&root));
        let title =
            format!("{service} {what} fails and {} spans fail with it", failure.taken_down.len());
        let services: Vec<Value> = by_service
            .iter()
            .map(|(service, spans)| json!({"service": service, "spans": spans}))
            .collect();
        let message = trace.status_message(origin).unwrap_or_default();
        let evidence = evidence(
            title.clone(),
            "Everything that waited for it failed as well; what failed above is a consequence, not a fault of its own.",
            format!(
                "Look at {service} {what} first; callers that can do without it may answer without."
            ),
            "A span above failed for a reason of its own at the same time.",
            [
                ("template", what.into()),
                ("message", message.chars().take(200).collect::<String>().into()),
                ("attempts", origins.len().into()),
                ("other_origins", (failure.origins.len() - origins.len()).into()),
                ("taken_down", failure.taken_down.len().into()),
                ("services", services.into()),
                ("root_failed", root_failed.into()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![service, what],
                caller: trace.parent(origin),
                rows: &origins,
                severity: Some(if root_failed { Severity::High } else { Severity::Low }),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    #[test]
    fn the_lowest_failed_span_is_the_origin() {
        let text = "web page server 0..100 error
            web get client 5..90 error
              users \"GET /users\" server 10..80 error
                users query client 20..70 error db.system=mysql db.statement=\"SELECT a FROM t\"
            web log client 91..95";
        let found = of_detector(text, "error_origin");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].title, "users SELECT a FROM t fails and 3 spans fail with it");
        assert_eq!(found[0].severity.label(), "high");
        assert_eq!(found[0].evidence.value()["services"][1]["spans"], 2);
    }

    #[test]
    fn clocks_do_not_move_the_origin() {
        let text = "%clock users +10s\nweb page server 0..100 error\n web get client 5..90 error\n  users serve server 10..80 error";
        let found = of_detector(text, "error_origin");
        assert_eq!(found[0].title, "users serve fails and 2 spans fail with it");
    }

    #[test]
    fn the_first_of_two_is_told_by_their_caller() {
        let call = |to: &str, from: i64| {
            format!(
                "\n web get client {from}..{} error\n  {to} serve server {}..{} error",
                from + 80,
                from + 5,
                from + 70
            )
        };
        let text = format!(
            "%clock a +10s\nweb page server 0..300 error{}{}",
            call("a", 10),
            call("b", 200)
        );
        assert_eq!(
            of_detector(&text, "error_origin")[0].title,
            "a serve fails and 3 spans fail with it"
        );
    }

    #[test]
    fn what_was_handled_or_came_later_is_none() {
        // Nobody above failed; the callee failed long after its caller had given up.
        let handled = "web page server 0..100\n web get client 5..90 error";
        assert_eq!(of_detector(handled, "error_origin"), []);
        let late = "web get client 5..40\n users serve server 10..90 error";
        assert_eq!(of_detector(late, "error_origin"), []);
        let late = "web get client 5..40 error\n users serve server 10..90 error";
        assert_eq!(of_detector(late, "error_origin"), []);
        let consumer = "web send producer 0..5 error\n worker process consumer 1..4 error";
        assert_eq!(of_detector(consumer, "error_origin"), []);
    }

    #[test]
    fn cycles_and_missing_times_are_none_the_worse() {
        let text = "a x - ?..? error #1 ^2\na y - 5..1 error #2 ^1\na z - 0..9 error #3 ^3";
        assert!(of_detector(text, "error_origin").len() <= 1);
    }
}
