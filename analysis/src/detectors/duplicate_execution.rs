//! `duplicate_execution`: one logical write was carried out several times.
//!
//! A caller that gets no answer asks again, and a broker that gets no acknowledgement delivers again. Where the first
//! time had worked all the same, the order is placed twice.
//!
//! | | |
//! |---|---|
//! | fires when | a write was repeated after its caller saw a failure, and the callee's spans of two attempts ended well; or a consumer group processed one message (`messaging.message.id`) several times with success, and wrote each time |
//! | not when | an idempotency key was sent; only one execution ended well; the message was read, not written on; other consumer groups process it as well |
//! | severity | high |
//! | wrong if | the callee recognises repeats by what the request says |

use std::cell::OnceCell;
use std::collections::BTreeMap;

use causeway_model::trace::{Kind, Row, Status};

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::n_plus_one::callee;
use super::{Detector, Settings, Severity, Subject, with_fields};
use crate::forms::{Effect, Field};

/// Finds writes that happened several times.
#[derive(Debug)]
pub struct DuplicateExecution;

/// Thresholds of [`DuplicateExecution`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateExecutionSettings {
    /// Successful executions at least, 2.
    pub executions_min: usize,
}

impl Default for DuplicateExecutionSettings {
    fn default() -> Self {
        Self { executions_min: 2 }
    }
}

/// What was carried out several times.
struct Repeated {
    rows: Vec<Row>,
    caller: Option<Row>,
    what: String,
    after: &'static str,
}

impl Detector for DuplicateExecution {
    fn id(&self) -> &'static str {
        "duplicate_execution"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "One logical write that was carried out several times."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let executions_min = settings.duplicate_execution.executions_min.max(1);
        let mut found = retried(subject);
        found.extend(redelivered(subject));
        found.retain(|repeated| repeated.rows.len() >= executions_min);
        found.sort_by_key(|repeated| std::cmp::Reverse(repeated.rows.len()));
        for repeated in found.iter().take(settings.findings_max) {
            self.report(subject, repeated, findings);
        }
    }
}

/// Writes that were repeated though an attempt before had been carried out.
fn retried(subject: &Subject<'_, '_>) -> Vec<Repeated> {
    let groups = subject.attempts.iter().filter(|group| group.call.effect == Effect::Write);
    let groups = groups.filter_map(|group| {
        if group.rows.iter().any(|row| has_key(subject, *row)) {
            return None;
        }
        let servers = group.rows.iter().filter_map(|row| subject.server(*row));
        let rows = servers.filter(|row| ended_well(subject, *row)).collect();
        let what = format!("{}{}", callee(&group.call.callee), group.call.template);
        Some(Repeated { rows, caller: Some(group.caller), what, after: "a retry" })
    });
    groups.collect()
}

/// Messages that one consumer group processed several times.
fn redelivered(subject: &Subject<'_, '_>) -> Vec<Repeated> {
    let trace = subject.trace;
    let consumers = trace.rows().filter(|row| trace.kind(*row) == Kind::Consumer);
    let writes = OnceCell::new();
    let mut deliveries: BTreeMap<[String; 3], Vec<Row>> = BTreeMap::new();
    for row in consumers.filter(|row| ended_well(subject, *row)) {
        let Some(call) = subject.call(row).filter(|call| call.operation == "process") else {
            continue;
        };
        let of = with_fields(trace, row, |fields| {
            let id = fields
                .text(Field::MessagingMessageId)
                .filter(|_| fields.idempotency_key().is_none())?;
            let group =
                fields.text(Field::MessagingConsumerGroup).unwrap_or(trace.service_text(row));
            Some((id.to_owned(), group.to_owned()))
        });
        let writes = || writes.get_or_init(|| Writes::of(subject)).any_below(subject, row);
        let Some((id, group)) = of.filter(|_| writes()) else { continue };
        deliveries.entry([call.target.clone(), group, id]).or_default().push(row);
    }
    let repeated = deliveries.into_iter().filter_map(|([target, ..], rows)| {
        let first = rows.first().copied()?;
        let caller = trace.parent(first);
        if caller.is_some_and(|caller| has_key(subject, caller)) {
            return None;
        }
        let what = format!("{} process {target}", trace.service_text(first));
        Some(Repeated { rows, caller, what, after: "a redelivery" })
    });
    repeated.collect()
}

fn ended_well(subject: &Subject<'_, '_>, row: Row) -> bool {
    subject.trace.status(row) != Status::Error
}

fn has_key(subject: &Subject<'_, '_>, row: Row) -> bool {
    with_fields(subject.trace, row, |fields| fields.idempotency_key().is_some())
}

/// Which rows have something below that writes, with success.
struct Writes {
    /// How many such writes all rows before each are. A subtree is a range of rows.
    before: Vec<u32>,
}

impl Writes {
    fn of(subject: &Subject<'_, '_>) -> Self {
        let is_write = |row: Row| {
            let call = subject.call(row);
            call.is_some_and(|call| call.is_exit && call.effect == Effect::Write)
                && ended_well(subject, row)
        };
        let mut count = 0;
        let mut before = vec![0];
        before.extend(subject.trace.rows().map(|row| {
            count += u32::from(is_write(row));
            count
        }));
        Self { before }
    }

    fn any_below(&self, subject: &Subject<'_, '_>, row: Row) -> bool {
        let before = |row: u32| self.before.get(row as usize).copied().unwrap_or(0);
        let end = row.0.saturating_add(subject.trace.subtree_len(row));
        before(end) > before(row.0.saturating_add(1))
    }
}

impl DuplicateExecution {
    fn report(&self, subject: &Subject<'_, '_>, repeated: &Repeated, findings: &mut Findings) {
        let trace = subject.trace;
        let Repeated { rows, caller, what, after } = repeated;
        let title = format!("{what} was carried out {} times after {after}", rows.len());
        let wasted_ns = rows.iter().skip(1).map(|row| trace.duration_ns(*row)).sum();
        let evidence = evidence(
            title.clone(),
            "Whoever repeats cannot know whether the first time had worked; what is not idempotent happens twice.",
            "Send a key with the write that stays the same for each attempt, and let the callee remember it."
                .to_owned(),
            "The callee recognises repeats by what the request says.",
            [("executions", rows.len().into()), ("after", (*after).into()), ("what", what.as_str().into())],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![what, after],
                caller: *caller,
                rows,
                wasted_ns,
                severity: Some(Severity::High),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const NAME: &str = "duplicate_execution";

    fn retried(key: &str, status: &str) -> String {
        format!("web page server 0..500
            web POST client 0..50 error http.request.method=POST url.full=\"http://pay/refunds\" {key}
              pay refund server 5..40 {status}
            web POST client 60..99 http.request.method=POST url.full=\"http://pay/refunds\"
              pay refund server 65..90")
    }

    #[test]
    fn a_write_repeated_after_a_lost_answer_is_found() {
        let found = of_detector(&retried("", ""), NAME);
        assert_eq!(found[0].title, "pay POST /refunds was carried out 2 times after a retry");
        assert_eq!(found[0].wasted_ns, 25_000_000);
    }

    #[test]
    fn keys_and_failed_attempts_are_none() {
        assert_eq!(of_detector(&retried("idempotency.key=a", ""), NAME), []);
        assert_eq!(of_detector(&retried("", "error"), NAME), []);
        assert_eq!(of_detector(&retried("", "").replace("POST", "GET"), NAME), []);
    }

    fn delivered(second: &str, write: &str) -> String {
        format!("pay send producer 0..5 messaging.system=kafka messaging.destination.name=paid
            w process consumer 10..20 messaging.system=kafka messaging.destination.name=paid messaging.operation.type=process messaging.message.id=m1
             w q client 11..15 db.system=mysql db.statement=\"{write}\"
            w process consumer 30..40 messaging.system=kafka messaging.destination.name=paid messaging.operation.type=process messaging.message.id={second}
             w q client 31..35 db.system=mysql db.statement=\"{write}\"")
    }

    #[test]
    fn a_message_booked_twice_is_found() {
        let text = delivered("m1", "INSERT INTO ledger VALUES (1)");
        let found = of_detector(&text, NAME);
        assert_eq!(found[0].title, "w process paid was carried out 2 times after a redelivery");
        assert_eq!(of_detector(&delivered("m2", "INSERT INTO ledger VALUES (1)"), NAME), []);
        assert_eq!(of_detector(&delivered("m1", "SELECT a FROM ledger"), NAME), []);
    }

    #[test]
    fn malformed_consumers_are_none() {
        let text = "w process consumer 9..1 messaging.message.id=m1 #5 ^5\nw process consumer ?..? messaging.message.id=m1 ^5";
        assert_eq!(of_detector(text, NAME), []);
    }
}
