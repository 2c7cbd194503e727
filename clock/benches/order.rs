//! How long the order of a trace takes: building it, and the questions asked of it. Prints the best of several runs.

use std::hint::black_box;
use std::io::Write;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use causeway_clock::order::{Event, Kind, Order, OrderSettings, Span};
use causeway_clock::{ClockId, NodeId, Stamp};

const NODES: u64 = 12;
const RUNS: usize = 7;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (name, tagged) in [("tagged", true), ("untagged", false)] {
        for spans in [1_000, 10_000, 100_000] {
            let trace = calls(spans, tagged);
            let build = || Order::build(&trace, &[], &OrderSettings::default());
            let Ok(order) = build() else { continue };
            let times: Vec<i64> = trace.iter().flat_map(|s| [s.start_ns, s.end_ns]).collect();
            let last = spans as u32 - 1;
            let rows: [(&str, Duration); 6] = [
                ("build", best(|| build().is_ok())),
                ("causal order", best(|| order.causal_order(&times))),
                ("cone", best(|| order.cone(last / 2))),
                ("cut", best(|| order.open_at(trace.len() as i64))),
                ("one pair", best(|| order.precedes(Event::Start(0), Event::End(last)))),
                ("prepare pairs", best(|| order.clone().prepare())),
            ];
            for (what, took) in rows {
                writeln!(out, "{name:>9} {spans:>7} spans  {what:<13} {:>9.3} ms", ms(took))?;
            }
        }
    }
    Ok(())
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

fn best<T>(mut run: impl FnMut() -> T) -> Duration {
    let took = (0..RUNS).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    });
    took.min().unwrap_or_default()
}

/// A trace of nested calls: one true time that every step advances, so that clocks and stamps agree.
fn calls(spans: usize, tagged: bool) -> Vec<Span> {
    let mut trace: Vec<Span> = Vec::with_capacity(spans);
    let mut open: Vec<u32> = Vec::new();
    let (mut now, mut seed) = (1_000i64, 1u64);
    loop {
        now += 1_000;
        // The finaliser of SplitMix64.
        seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).wrapping_add(now as u64);
        let is_full = trace.len() == spans;
        if !is_full && (open.len() < 2 || (open.len() < 12 && !seed.is_multiple_of(3))) {
            open.push(trace.len() as u32);
            trace.push(started(&trace, open.iter().rev().nth(1).copied(), seed, now));
            continue;
        }
        let Some(index) = open.pop() else { return trace };
        let stamp = end_span(&mut trace[index as usize], now);
        if let Some(parent) = open.last() {
            trace[*parent as usize].responses.push(stamp);
        }
        if !tagged {
            let span = &mut trace[index as usize];
            (span.start, span.end, span.received, span.responses) = (None, None, None, Vec::new());
        }
    }
}

fn started(trace: &[Span], parent: Option<u32>, seed: u64, now: i64) -> Span {
    let sender = parent.and_then(|p| trace[p as usize].start).map(|s| s.node);
    let node = match sender {
        Some(sender) if trace.len() % 2 == 1 => sender,
        _ => NodeId(NonZeroU64::MIN.saturating_add((seed >> 32) % NODES)),
    };
    Span {
        parent,
        kind: if trace.len() % 2 == 1 { Kind::Client } else { Kind::Server },
        instance: Some(node.0.get()),
        wall: Some(ClockId::Instance(node.0.get())),
        start_ns: now,
        start: Some(Stamp { node, hlc: now, lead: 0 }),
        received: sender.map(|node| Stamp { node, hlc: now - 500, lead: 0 }),
        responded: true,
        ..Span::default()
    }
}

/// Ends a span; what it answers with.
fn end_span(span: &mut Span, now: i64) -> Stamp {
    let node = span.start.map_or(NodeId(NonZeroU64::MIN), |s| s.node);
    span.end_ns = now;
    span.end = Some(Stamp { node, hlc: now, lead: 0 });
    Stamp { node, hlc: now + 100, lead: 0 }
}
