//! Cases of `queue_wait` within a trace: messages that wait long for little work, and messages that do not.
//!
//! Every case comes with traces of calls both ways between all its services, as a server has seen many: from these it
//! learns what their clocks are off, so that waits are right though clocks are not.

use super::Labelled;
use super::case::Level;

/// What is sent and taken, by system and conventions.
const MESSAGES: [(&str, &str); 6] = [
    ("messaging.system=kafka messaging.destination.name=paid", "messaging.operation.type=process"),
    ("messaging.system=rabbitmq messaging.destination=paid", "messaging.operation=process"),
    (
        "messaging.system=aws_sqs messaging.destination.name=paid",
        "messaging.operation.type=receive",
    ),
    ("messaging.system=nats messaging.destination.name=paid", "messaging.operation.name=deliver"),
    ("messaging.system=jms jms.queue=paid", "messaging.operation=process"),
    ("kafka.topic=paid messaging.system=kafka", "messaging.operation.type=process"),
];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("queue_wait", Level::Trace).with_alignment();
    for (at, (message, take)) in MESSAGES.into_iter().enumerate() {
        for (nth, (wait, work)) in
            [(160, 30), (500, 90), (112, 1), (9_000, 700)].into_iter().enumerate()
        {
            let is_linked = (at + nth) % 2 == 0;
            fires(
                &mut cases,
                format!("{wait} ms for {work} ms: {message}"),
                &sent(message, take, (wait, work), is_linked, " hit=1"),
            );
        }
        for (nth, (wait, work)) in
            [(90, 1), (500, 110), (0, 0), (2_000, 500)].into_iter().enumerate()
        {
            let is_linked = (at + nth) % 2 == 0;
            near(
                &mut cases,
                format!("{wait} ms for {work} ms: {message}"),
                &sent(message, take, (wait, work), is_linked, ""),
            );
        }
    }
    shapes(&mut cases);
    cases
}

/// Calls both ways, from which clocks are learnt.
fn calls() -> Vec<String> {
    let call = |from: &str, to: &str, at: i64| {
        format!(
            "{from} page server {at}..{}\n {from} GET client {}..{} http.request.method=GET url.full=https://{to}/x\n  {to} x server {}.1..{}.9",
            at + 12,
            at + 1,
            at + 11,
            at + 1,
            at + 10,
        )
    };
    let both = |at: i64| [call("shop", "w", at), call("w", "shop", at + 20)];
    (0..4).flat_map(|nth| both(nth * 300)).collect()
}

fn with_calls(text: &str) -> Vec<String> {
    std::iter::once(text.to_owned()).chain(calls()).collect()
}

fn fires(cases: &mut Labelled, name: String, text: &str) {
    cases.fires_in(name, &with_calls(text), &[]);
}

fn near(cases: &mut Labelled, name: String, text: &str) {
    cases.near_in(name, &with_calls(text));
}

/// A message that waits and is worked on so many milliseconds; its consumer hangs below the producer or links to it.
fn sent(
    message: &str,
    take: &str,
    (wait, work): (i64, i64),
    is_linked: bool,
    mark: &str,
) -> String {
    let times = format!("{}..{}", 10 + wait, 10 + wait + work);
    let consumer = format!("w \"paid process\" consumer {times} {message} {take}{mark}");
    let consumer = if is_linked { format!("{consumer} ^0 ->7") } else { consumer };
    let caller = mark.replace("hit", "caller");
    format!(
        "shop page server 0..12\n shop \"paid send\" producer 5..10 #7 {message}{caller}\n  {consumer}"
    )
}

fn shapes(cases: &mut Labelled) {
    let (message, take) = MESSAGES[0];
    let long = sent(message, take, (500, 50), false, " hit=1");
    fires(
        cases,
        "with work below".to_owned(),
        &format!("{long}\n   w q client 515..550 db.system=mysql db.statement=\"SELECT a FROM t\""),
    );
    fires(cases, "three of one queue".to_owned(), &long.replace(" hit=1", " x3/60 hit=1"));
    let near_long = long.replace(" hit=1", "").replace(" caller=1", "");
    near(
        cases,
        "a call, no message".to_owned(),
        &near_long.replace("producer", "client").replace("consumer", "server"),
    );
    cases.near("nothing bounds the clocks", &near_long);
    cases.fires("one clock", &long.replace("  w ", "  shop "));
    near(cases, "without a start".to_owned(), &near_long.replace("510..", "?.."));
    near(cases, "without an end".to_owned(), &near_long.replace("..560", "..?"));
    near(cases, "the producer's end is missing".to_owned(), &near_long.replace("5..10", "5..?"));
}
