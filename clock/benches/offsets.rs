//! What a message costs the estimator of offsets, from a thousand to a million of them and for few and many clocks, and
//! what answers cost: one pair, a report of five minutes, both again. Where the system tells, time is that of the processor,
//! so that whatever else runs does not count.

use std::hint::black_box;
use std::io::Write;
use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use causeway_clock::offsets::{Estimator, Message, OffsetSettings, Solver, report};
use causeway_clock::{ClockId, NodeId};

const RUNS: usize = 5;
/// Messages that are measured together at least.
const MEASURED_MIN: u32 = 1_000_000;
const START_NS: i64 = 1_780_000_000_000_000_001;
/// Times that a question is asked which is answered fast.
const ASKED: u32 = 100;
/// Messages a second, so that a million last 200 s.
const RATE: i64 = 5_000;
const WINDOW_NS: i64 = 250_000_000;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for clocks in [10, 100, 1_000, 10_000] {
        for count in [1_000u32, 10_000, 100_000, 1_000_000] {
            let messages = messages(count.into(), clocks);
            let took = each(MEASURED_MIN.div_ceil(count), || learn(&messages));
            writeln!(
                out,
                "{clocks:>6} clocks, {count:>8} messages: {:>5} ns a message, {:>7} pairs and windows kept",
                took.as_nanos() / u128::from(count),
                learn(&messages).rows().count(),
            )?;
        }
    }
    for clocks in [10, 30, 100] {
        answers(&mut out, clocks)?;
    }
    Ok(())
}

/// What answers about five minutes cost, five thousand messages a second.
fn answers(out: &mut impl Write, clocks: u64) -> std::io::Result<()> {
    let table = learn(&messages(1_500_000, clocks));
    let Some((first, last)) = table.window_range() else { return Ok(()) };
    let middle = first + (last - first) / 2;
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    let pair = each(ASKED, || Solver::new(&table).pair_in(clock(0), clock(1), middle));
    // Five minutes, or what is left of them where there is more than is kept.
    let windows = last - first + 1;
    let mut solver = Solver::new(&table);
    let began = time_run();
    let reports = report(&mut solver, clock(0), first..=last);
    let fresh = time_run().saturating_sub(began);
    let mut resumed = Solver::resume(&table, solver.into_closed());
    let again = best(RUNS, || report(&mut resumed, clock(0), first..=last));
    let known = each(ASKED, || {
        (last - 499..=last).map(|at| resumed.pair_in(clock(0), clock(1), at).messages).sum::<u64>()
    });
    let thinned = each(ASKED, || {
        reports.iter().map(|report| report.thinned(WINDOW_NS, 300).len()).sum::<usize>()
    });
    writeln!(
        out,
        "{clocks:>6} clocks, {:>7} pairs and windows: one pair {:.3} ms, remembered {:.2} us; report of {windows} windows \
         {:.0} ms, again {:.0} ms, {} closed anew, thinned in {:.1} ms",
        table.rows().count(),
        ms(pair),
        ms(known) * 2.0,
        ms(fresh),
        ms(again),
        resumed.closings(),
        ms(thinned),
    )
}

fn learn(messages: &[Message]) -> Estimator {
    let mut table = Estimator::new(OffsetSettings::default());
    messages.iter().for_each(|message| table.add(message));
    table
}

/// Time this thread has run, or time that has passed.
fn time_run() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let began = BEGAN.get_or_init(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran_ns = told.and_then(|text| text.split(' ').next()?.parse().ok());
    ran_ns.map_or_else(|| began.elapsed(), Duration::from_nanos)
}

/// What one of many times takes: the system tells the time a thread has run in steps of some milliseconds.
fn each<T>(times: u32, mut run: impl FnMut() -> T) -> Duration {
    best(RUNS, || (0..times).for_each(|_| drop(black_box(run())))) / times
}

fn best<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    let took = (0..runs).map(|_| {
        let start = time_run();
        black_box(run());
        time_run().saturating_sub(start)
    });
    took.min().unwrap_or_default()
}

fn clock(number: u64) -> ClockId {
    ClockId::Node(NodeId(NonZeroU64::MIN.saturating_add(number)))
}

/// Messages between clocks that are all right, delayed by some 100 us; each clock talks to ten others.
fn messages(count: u64, clocks: u64) -> Vec<Message> {
    (0..count).map(|nth| message(nth, clocks)).collect()
}

fn message(nth: u64, clocks: u64) -> Message {
    let bits = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let from = (bits >> 40) % clocks;
    let to = (from + 1 + (bits >> 20) % (clocks - 1).min(10)) % clocks;
    let sent_ns = START_NS + nth as i64 * (1_000_000_000 / RATE);
    let received_ns = sent_ns + 100_000 + (bits >> 50) as i64;
    let (from, to, axis_ns) = (clock(from), clock(to), received_ns);
    Message { from, to, sent_ns, received_ns, slack_ns: 0, axis_ns, witness: nth }
}
