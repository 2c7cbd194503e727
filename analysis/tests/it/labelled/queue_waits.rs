//! Cases of `queue_wait` over windows: consumers in traces of their own that link to their producers.
//!
//! Nothing but the messages connects the clocks, so one that was quick tells what the others waited. Where waits grow, work
//! takes so long that none is long for its work.

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
    cases.near_in(
        "all wait alike, or clocks are apart",
        &waiting(MESSAGES[0], &[5_000; 20], 10, 50),
    );
    for (at, message) in MESSAGES.into_iter().enumerate() {
        growing(&mut cases, message, at as i64);
        not_growing(&mut cases, message, at as i64);
    }
    cases
}

/// Messages a second apart, unless it says otherwise.
const GROWING: usize = 100;
/// Work on one of them, ms.
const WORK: i64 = 700;

fn growing(cases: &mut Labelled, message: &str, at: i64) {
    let mut fires = |what: &str, gap: i64, rise: &str, wait: &dyn Fn(i64) -> i64| {
        let waits: Vec<i64> = (0..GROWING as i64).map(wait).collect();
        let over = (GROWING as i64 - 1) * gap / 1_000;
        cases.fires_in(
            format!("{what}: {message}"),
            &waiting(message, &waits, WORK, gap),
            &[&format!("w falls behind with paid: messages wait {rise} ms longer after {over} s")],
        );
    };
    // Three quarters of the whole but for 200 parts in a million of the time.
    let rise = (5 + at) * 75 * 1_000 - 20 * 990;
    fires("longer with each", 1_000, &(rise / 1_000).to_string(), &|nth| nth * (5 + at));
    fires("longer in stairs", 1_000, "*", &|nth| 3_000 + nth / 25 * (50 + 10 * at));
    fires("longer and uneven", 1_000, "*", &|nth| nth * 12 + noise(nth + at, 300));
    fires("longer slowly", 20_000 + at, "*", &|nth| 12 * nth + noise(nth + at, 20));
}

fn not_growing(cases: &mut Labelled, message: &str, at: i64) {
    let mut near = |what: &str, gap: i64, count: usize, wait: &dyn Fn(i64) -> i64| {
        let waits: Vec<i64> = (0..count as i64).map(wait).collect();
        cases.near_in(format!("{what}: {message}"), &waiting(message, &waits, WORK, gap));
    };
    near("uneven", 1_000, GROWING, &|nth| noise(nth + at, 900));
    near("long but steady", 1_000, GROWING, &|nth| 8_000 + noise(nth + at, 50));
    near("one burst", 1_000, GROWING, &|nth| if nth / 25 == at % 4 { 2_500 } else { nth % 7 });
    near("a clock drifts", 20_000, GROWING, &|nth| 100 + nth * (4 - at % 2));
    near("a clock steps", 1_000, GROWING, &|nth| if nth < 40 + at * 5 { 0 } else { 900 });
    near("too few", 1_000, 76, &|nth| nth * 5);
    near("too short", 600, GROWING, &|nth| nth * 5);
    near("shorter with each", 1_000, GROWING, &|nth| (GROWING as i64 - nth) * 5);
    let waits: Vec<i64> = (0..GROWING as i64).map(|nth| nth * 5).collect();
    let unknown = waiting(&format!("nobody=true {message}"), &waits, WORK, 1_000);
    cases.near_in(format!("nobody tells who it is: {message}"), &unknown);
}

/// Numbers without a pattern below a bound.
fn noise(nth: i64, bound: i64) -> i64 {
    nth.wrapping_mul(0x5851_f42d_4c95_7f2d).rotate_left(23).rem_euclid(bound)
}

/// Producers and consumers by turns; the first message is taken at once.
fn traces(message: &str, wait: i64, work: i64, count: usize) -> Vec<String> {
    // Clocks may drift apart by less than the millisecond more.
    let waits = (0..count).map(|nth| if nth == 0 { 0 } else { wait + 1 });
    waiting(message, &waits.collect::<Vec<_>>(), work, 50)
}

/// The same with a wait for each, a gap apart; a consumer links to the producer of the trace before its own.
fn waiting(message: &str, waits: &[i64], work: i64, gap: i64) -> Vec<String> {
    let one = |(nth, wait): (usize, &i64)| {
        let at = nth as i64 * gap;
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
