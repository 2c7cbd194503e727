//! `work_after_giving_up`: the callee works on though nobody waits for the answer.
//!
//! A caller that timed out is gone, but the callee does not know and goes on working on an answer that nobody will
//! read, just when it has too much to do.
//!
//! | | |
//! |---|---|
//! | fires when | the caller's span failed without an answer, and the callee's span is more than 100 ms longer than the caller's; lengths need no common clock |
//! | not when | an answer came; the caller did not fail: then it did not wait from the start |
//! | change | none of the trace: the caller was gone |
//! | wrong if | the work is wanted whether or not the caller waits |

use causeway_model::trace::{Row, Status};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings, Severity};
use super::{Detector, Settings, Subject, with_fields};

/// Finds work that goes on after its caller gave up.
#[derive(Debug)]
pub struct WorkAfterGivingUp;

/// Thresholds of [`WorkAfterGivingUp`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkAfterGivingUpSettings {
    /// How much longer than the caller the callee worked, 100 ms.
    pub longer_ns_min: i64,
}

impl Default for WorkAfterGivingUpSettings {
    fn default() -> Self {
        Self { longer_ns_min: 100_000_000 }
    }
}

impl Detector for WorkAfterGivingUp {
    fn id(&self) -> &'static str {
        "work_after_giving_up"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "The callee works on though nobody waits for the answer."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let trace = subject.trace;
        let rule = &settings.work_after_giving_up;
        let mut orphaned: Vec<(i64, Row, Row, Row)> = subject
            .exits
            .iter()
            .filter(|(_, row)| trace.status(*row) == Status::Error)
            .filter_map(|(caller, row)| {
                let server = subject.server(*row)?;
                let longer_ns = trace.duration_ns(server).saturating_sub(trace.duration_ns(*row));
                let has_answer =
                    || with_fields(trace, *row, |fields| fields.http_status().is_some());
                let fires = longer_ns > rule.longer_ns_min && !has_answer();
                fires.then_some((longer_ns, *caller, *row, server))
            })
            .collect();
        orphaned.sort_by_key(|(longer_ns, _, row, _)| (std::cmp::Reverse(*longer_ns), *row));
        for (longer_ns, caller, row, server) in orphaned.into_iter().take(settings.findings_max) {
            let (from, to) = (trace.service_text(row), trace.service_text(server));
            let name = trace.name_text(server);
            let seen = format!(
                "{to} {name} worked {} ms longer than {from} waited",
                longer_ns / 1_000_000
            );
            let evidence = evidence(
                seen.clone(),
                "The work takes capacity from calls whose callers still wait, just when the callee is slow.",
                "Pass the caller's deadline on and stop when it is over.".to_owned(),
                "The work is wanted whether or not the caller waits.",
                [
                    ("waited_ns", trace.duration_ns(row).into()),
                    ("worked_ns", trace.duration_ns(server).into()),
                    ("callee_span_id", format!("{:016x}", trace.span_id(server)).into()),
                ],
            );
            findings.push(
                self,
                subject,
                Draft {
                    title: seen,
                    group: vec![from, to, name],
                    caller: Some(caller),
                    rows: &[row],
                    wasted_ns: longer_ns,
                    severity: Some(Severity::Medium),
                    evidence,
                    ..Draft::default()
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::found;

    fn wasted_ms(client: &str, server_end: u32) -> Vec<i64> {
        let text = format!(
            "web page server 0..300
            web call client 10..210 http.request.method=GET url.full=http://slow/x {client}
              slow \"GET /x\" server 12..{server_end}
            %clock slow -7s"
        );
        let found = found(&text).into_iter().filter(|f| f.detector == "work_after_giving_up");
        found.map(|found| found.wasted_ns / 1_000_000).collect()
    }

    #[test]
    fn work_after_a_timeout_is_found_whatever_the_clocks_say() {
        assert_eq!(wasted_ms("error error.type=timeout", 912), [700]);
    }

    #[test]
    fn short_work_answers_and_successes_are_none() {
        assert!(wasted_ms("error", 312).is_empty());
        assert!(wasted_ms("error http.response.status_code=500", 912).is_empty());
        assert!(wasted_ms("", 912).is_empty());
    }
}
