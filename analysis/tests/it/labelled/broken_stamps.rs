//! Cases of `broken_stamps`: stamps that are cloned, not merged, replayed or refused, and stamps that are sound.
//!
//! Stamps carry the readings of their clocks, so every case brings its own clocks.

use causeway_testkit::notation::EPOCH_NS;

use super::Labelled;
use super::case::Level;

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("broken_stamps", Level::Trace).with_clocks();
    for nth in 0..6 {
        broken(&mut cases, nth);
        sound(&mut cases, nth);
    }
    malformed(&mut cases);
    cases
}

fn hlc(at_us: i64) -> String {
    format!("{:016x}", EPOCH_NS + at_us * 1_000)
}

/// A stamp of a node at so many microseconds.
fn stamp(node: u64, at_us: i64) -> String {
    format!("{node:016x}:{}", hlc(at_us))
}

/// Times and stamps of a span, in milliseconds by its own clock.
fn span(times: (i64, i64), node: u64) -> String {
    let (from, to) = times;
    format!(
        "{from}..{to} hlc.start=\"{}\" hlc.end=\"{}\"",
        stamp(node, from * 1_000),
        stamp(node, to * 1_000)
    )
}

/// What a span received of another node.
fn received(node: u64, at_us: i64) -> String {
    format!("tracestate=\"hlc=1:{}\"", stamp(node, at_us))
}

/// The same faults at other nodes, times and depths.
fn broken(cases: &mut Labelled, nth: i64) {
    let (a, b) = (0xa0 + nth as u64, 0xb0 + nth as u64);
    let (from, to) = (nth * 7, 90 + nth * 11);
    let above = format!("a x client {}", span((from, to), a));
    let below =
        |node: u64, told: &str| format!(" b y server {} {told}", span((from + 10, to - 10), node));
    cases.fires(
        format!("refused, {nth}"),
        &format!("{above}\n{} hit=1", below(b, &format!("hlc.reject=\"{}\"", stamp(a, 9_000_000)))),
    );
    let cloned = format!(
        "a/1 x server {} hit=1\n a/2 y server {} hit=1",
        span((from, to), a),
        span((from + 10, to - 10), a)
    );
    cases.fires(
        format!("cloned, {nth}"),
        &cloned.replacen(" hit=1", " hit=1 caller=9", 1).replace(" caller=9", ""),
    );
    // The receiver's clock stands 50 ms behind what it received, and it went on from its own.
    let deaf = below(b, &received(a, (from + 60) * 1_000));
    cases.fires(format!("not merged, {nth}"), &format!("{above}\n{deaf} hit=1"));
    let replayed = below(b, &received(a, (from - 500) * 1_000));
    cases.fires(format!("replayed, {nth}"), &format!("{above}\n{replayed} hit=1"));
}

fn sound(cases: &mut Labelled, nth: i64) {
    let (a, b) = (0xa0 + nth as u64, 0xb0 + nth as u64);
    let (from, to) = (nth * 7, 90 + nth * 11);
    let above = format!("a x client {}", span((from, to), a));
    let below = format!(" b y server {}", span((from + 10, to - 10), b));
    cases.near(format!("two nodes, {nth}"), &format!("{above}\n{below}"));
    cases.near(
        format!("received and merged, {nth}"),
        &format!("{above}\n{below} {}", received(a, (from + 1) * 1_000)),
    );
    let local = format!(" a z internal {}", span((from + 10, to - 10), a));
    cases.near(format!("one process, {nth}"), &format!("{above}\n{local}"));
    let answered = format!("{above} hlc.resp=\"{}\"\n{below}", stamp(b, (to - 10) * 1_000));
    cases.near(format!("answered, {nth}"), &answered);
}

fn malformed(cases: &mut Labelled) {
    cases.near("no stamps", "a x server 0..9\n b y server 1..5");
    cases.near(
        "no stamps that can be read",
        "a x server 0..9 hlc.start=nonsense hlc.end=\"\" hlc.reject=7",
    );
    cases.near(
        "a tracestate of others",
        &format!("a x server {} tracestate=\"ot=th:0\"", span((0, 9), 7)),
    );
    cases.near("a start alone", &format!("a x server 0..9 hlc.start=\"{}\"", stamp(7, 0)));
    cases.near("without times", &format!("a x server ?..? hlc.start=\"{}\"", stamp(7, 5)));
}
