//! Cases of `duplicate_execution`: one write carried out several times, and repeats that do no harm.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, READS, WRITES};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("duplicate_execution", Level::Trace);
    retried(&mut cases);
    redelivered(&mut cases);
    cases
}

fn writes() -> impl Iterator<Item = Dialect> {
    WRITES.into_iter().filter(|dialect| dialect.is_answered)
}

/// Attempts, all but the last of which failed for the caller; servers end as told.
fn attempts(dialect: Dialect, client: &str, servers: &[&str], caller: &str) -> String {
    let mut text = format!("web page server 0..900{caller}");
    for (at, server) in servers.iter().enumerate() {
        let (start, status) = (at * 100, if at + 1 == servers.len() { "" } else { "error" });
        let call = dialect.same("web", &format!("{start}..{}", start + 50));
        text += &format!(
            "\n {call} {status} {client}\n  pay serve server {}..{} {server}",
            start + 5,
            start + 45
        );
    }
    text
}

fn retried(cases: &mut Labelled) {
    for dialect in writes() {
        let all = |servers: &[&str]| attempts(dialect, "", servers, " caller=1");
        let name = dialect.name;
        cases.fires(format!("a lost answer: {name}"), &all(&["hit=1", "hit=1"]));
        cases.fires(format!("two lost answers: {name}"), &all(&["hit=1", "ok hit=1", "hit=1"]));
        cases.fires(format!("one attempt did nothing: {name}"), &all(&["hit=1", "error", "hit=1"]));
        let near = |client: &str, servers: &[&str]| attempts(dialect, client, servers, "");
        cases.near(
            format!("a key: {name}"),
            &near("http.request.header.idempotency-key=a", &["", ""]),
        );
        cases.near(format!("an old key: {name}"), &near("idempotency_key=a", &["", "", ""]));
        cases.near(format!("only the last worked: {name}"), &near("", &["error", "error", ""]));
        let sound = near("", &["", ""]).replace(" error", "");
        cases.near(format!("twice on purpose: {name}"), &sound);
    }
    for dialect in READS.into_iter().filter(|dialect| dialect.is_answered) {
        cases.near(format!("a read: {}", dialect.name), &attempts(dialect, "", &["", ""], ""));
    }
}

/// A message that is delivered twice; what its consumers do, and how they call it.
fn deliveries(conventions: &str, work: &str, second: &str, mark: &str) -> String {
    let (operation, id) = match conventions {
        "old" => (
            "messaging.system=rabbitmq messaging.destination=paid messaging.operation=process",
            "messaging.message_id",
        ),
        _ => (
            "messaging.system=kafka messaging.destination.name=paid messaging.operation.type=process",
            "messaging.message.id",
        ),
    };
    let take = |times: &str, told: &str| {
        format!("\n w process consumer {times} {operation} {told}{mark}\n  {work}")
    };
    format!(
        "pay send producer 0..5 messaging.system=kafka messaging.destination.name=paid{}{}",
        take("10..20", &format!("{id}=m1")),
        take("30..40", second).replace(" 11..15 ", " 31..35 "),
    )
}

fn redelivered(cases: &mut Labelled) {
    for (at, write) in WRITES.iter().enumerate() {
        let work = write.same("w", "11..15");
        let (conventions, id) =
            [("new", "messaging.message.id=m1"), ("old", "messaging.message_id=m1")][at % 2];
        let name = write.name;
        cases.fires(
            format!("taken twice, {conventions}: {name}"),
            &deliveries(conventions, &work, id, " hit=1"),
        );
        let (what, second) = match at % 4 {
            0 => ("another message", "messaging.message.id=m2".to_owned()),
            1 => ("no id", String::new()),
            2 => (
                "another group",
                "messaging.message.id=m1 messaging.consumer.group.name=audit".to_owned(),
            ),
            _ => ("the second fails", format!("{id} error")),
        };
        cases.near(format!("{what}: {name}"), &deliveries(conventions, &work, &second, ""));
    }
    for read in [READS[0], READS[4], READS[8], READS[11]] {
        let work = read.same("w", "11..15");
        cases.near(
            format!("only read: {}", read.name),
            &deliveries("new", &work, "messaging.message.id=m1", ""),
        );
    }
    let insert = WRITES[4].same("w", "11..15");
    cases.near(
        "a write that failed",
        &deliveries("new", &format!("{insert} error"), "messaging.message.id=m1", ""),
    );
    let keyed = deliveries("new", &insert, "messaging.message.id=m1", "")
        .replace("pay send producer 0..5", "pay send producer 0..5 idempotency.key=a");
    cases.near("sent with a key", &keyed);
}
