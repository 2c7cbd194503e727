//! `ambiguous_outcome`: the caller does not know that what it asked for was done.
//!
//! The caller waited, gave up or lost the connection, and reports a failure; the callee went on and ended well. A
//! payment was booked, and who asked for it believes that it was not.
//!
//! | | |
//! |---|---|
//! | fires when | the caller's span failed without an answer (no HTTP status, and no status of a remote procedure but cancelled, deadline exceeded or unavailable), while the callee's span ended well |
//! | not when | an answer came, such as 404, which is an error to the client and none to the server; the callee failed as well; the call only reads |
//! | change | none: nothing would be faster |
//! | wrong if | the callee undid its work after its span ended |
//!
//! The two generals: no protocol tells the caller. It needs an idempotency key to ask again, or a way to ask whether it was
//! done.

use causeway_model::trace::{Row, Status};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings, Severity};
use super::{Detector, Settings, Subject, with_fields};
use crate::forms::{Effect, Field};

/// Statuses of remote procedures that say that no answer came: cancelled, deadline exceeded, unavailable.
const NO_ANSWER: [i64; 3] = [1, 4, 14];

/// Finds calls that failed for the caller and not for the callee.
#[derive(Debug)]
pub struct AmbiguousOutcome;

impl Detector for AmbiguousOutcome {
    fn id(&self) -> &'static str {
        "ambiguous_outcome"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "The caller does not know that what it asked for was done."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let failed = |row: Row| subject.trace.status(row) == Status::Error;
        let failed = subject.exits.iter().filter(|(_, row)| failed(*row));
        let ambiguous = failed.filter_map(|(caller, row)| {
            let server = subject.server(*row)?;
            fires(subject, *row, server).then_some((*caller, *row, server))
        });
        for (caller, row, server) in ambiguous.take(settings.findings_max) {
            self.report(subject, caller, row, server, findings);
        }
    }
}

/// Whether a call that failed left its caller in doubt.
fn fires(subject: &Subject<'_, '_>, call: Row, server: Row) -> bool {
    let trace = subject.trace;
    let may_write = subject.call(call).is_some_and(|call| call.effect != Effect::Read);
    may_write
        && trace.status(server) != Status::Error
        && with_fields(trace, call, |fields| {
            let has_answer = |status: i64| !NO_ANSWER.contains(&status);
            fields.http_status().is_none() && !fields.int(Field::RpcStatus).is_some_and(has_answer)
        })
}

impl AmbiguousOutcome {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        caller: Row,
        row: Row,
        server: Row,
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let Some(call) = subject.call(row) else { return };
        let (from, to) = (trace.service_text(row), trace.service_text(server));
        let seen = format!("{from} got no answer of {to} for {}, which was done", call.template);
        let has_key = with_fields(trace, row, |fields| fields.idempotency_key().is_some());
        let evidence = evidence(
            seen.clone(),
            "The caller cannot tell this from a call that never arrived: asking again may do it twice, not asking may lose it.",
            "Send an idempotency key, so that asking again is safe, or let the caller ask whether it was done.".to_owned(),
            "The callee undid its work after its span ended.",
            [
                ("template", call.template.as_str().into()),
                ("writes", (call.effect == Effect::Write).into()),
                ("has_idempotency_key", has_key.into()),
                ("callee_span_id", format!("{:016x}", trace.span_id(server)).into()),
            ],
        );
        let severity = match (has_key, call.effect) {
            (true, _) => Severity::Low,
            (false, Effect::Write) => Severity::High,
            (false, _) => Severity::Medium,
        };
        findings.push(
            self,
            subject,
            Draft {
                title: seen,
                group: vec![&call.template, from, to],
                caller: Some(caller),
                rows: &[row],
                severity: Some(severity),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::found;

    fn severities(client: &str, server: &str) -> Vec<&'static str> {
        let text = format!(
            "web page server 0..100
            web call client 10..60 url.full=http://pay/payments {client}
              pay \"POST /payments\" server 12..58 {server}"
        );
        let found = found(&text).into_iter().filter(|found| found.detector == "ambiguous_outcome");
        found.map(|found| found.severity.label()).collect()
    }

    #[test]
    fn a_write_that_was_done_without_an_answer_is_found() {
        assert_eq!(severities("http.request.method=POST error error.type=timeout", ""), ["high"]);
        assert_eq!(severities("http.request.method=POST error", "ok"), ["high"]);
    }

    #[test]
    fn answers_failures_and_reads_are_none() {
        let answered = "http.request.method=POST error http.response.status_code=409";
        assert!(severities(answered, "").is_empty());
        assert!(severities("http.request.method=POST error", "error").is_empty());
        assert!(severities("http.request.method=POST", "").is_empty());
        assert!(severities("http.request.method=GET error", "").is_empty());
    }
}
