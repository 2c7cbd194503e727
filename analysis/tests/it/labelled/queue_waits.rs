//! Cases of `queue_wait` over windows: consumers in traces of their own that link to their producers.
//!
//! Nothing but the messages connects the clocks, so one that was quick tells what the others waited.

use super::Labelled;
use super::case::Level;

const MESSAGES: [&str; 5] = [
    "messaging.system=kafka messaging.destination.name=paid messaging.operation.type=OP",
    "messaging.system=rabbitmq messaging.destination=paid messaging.operation=OP",
    "messaging.system=aws_sqs messaging.destination.name=paid messaging.operation.type=OP",
    "messaging.system=jms jms.queue=paid messaging.operation=OP",
    "messaging.system=kafka kafka.topic=paid messaging.operation.type=OP",
];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("queue_wait", Level::Window);
    for (at, message) in MESSAGES.into_iter().enumerate() {
        for (wait, work, count) in
            [(200, 40, 10 + at), (100, 1, 12), (900, 150, 10), (5_000, 700, 20)]
        {
            let title =
                format!("w takes messages of paid after at least {wait} ms for {work} ms of work");
            cases.fires_in(
                format!("{count} wait {wait} ms for {work} ms: {message}"),
                &traces(message, wait, work, count),
                &[&title],
            );
        }
        for (wait, work, count) in [(200, 40, 9), (99, 1, 12), (199, 40, 15), (0, 0, 30)] {
            cases.near_in(
                format!("{count} wait {wait} ms for {work} ms: {message}"),
                &traces(message, wait, work, count),
            );
        }
    }
    let lonely: Vec<String> =
        traces(MESSAGES[0], 900, 10, 20).into_iter().filter(|text| text.starts_with('w')).collect();
    cases.near_in("the producers never came", &lonely);
    let mixed = [traces(MESSAGES[0], 900, 10, 9), traces(MESSAGES[0], 5, 10, 11)].concat();
    let renumbered: Vec<String> =
        mixed.iter().enumerate().map(|(at, text)| renumber(text, at)).collect();
    cases.near_in("most do not wait", &renumbered);
    cases.near_in("all wait alike, or clocks are apart", &waiting(MESSAGES[0], &[5_000; 20], 10));
    cases
}

/// Producers and consumers by turns; the first message is taken at once.
fn traces(message: &str, wait: i64, work: i64, count: usize) -> Vec<String> {
    // Clocks may drift apart by less than the millisecond more.
    let waits = (0..count).map(|nth| if nth == 0 { 0 } else { wait + 1 });
    waiting(message, &waits.collect::<Vec<_>>(), work)
}

/// The same with a wait for each; a consumer links to the producer of the trace before its own.
fn waiting(message: &str, waits: &[i64], work: i64) -> Vec<String> {
    let one = |(nth, wait): (usize, &i64)| {
        let at = nth as i64 * 50;
        let sent =
            format!("shop send producer {at}..{} #7 {}", at + 5, message.replace("OP", "publish"));
        let start = at + 5 + wait;
        let taken = format!(
            "w take consumer {start}..{} link=\"{}:7\" {}",
            start + work,
            nth * 2,
            message.replace("OP", "process")
        );
        [sent, taken]
    };
    waits.iter().enumerate().flat_map(one).collect()
}

/// Points a consumer to the producer of the trace before it.
fn renumber(text: &str, at: usize) -> String {
    let Some((before, link)) = text.split_once("link=\"") else { return text.to_owned() };
    let after = link.split_once(':').map_or("", |(_, after)| after);
    format!("{before}link=\"{}:{after}", at.saturating_sub(1))
}
