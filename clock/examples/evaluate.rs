//! Measures what order and offsets claim in worlds whose truth is known, and prints the page about it.
//!
//! `cargo run --release -p causeway-clock --features sim --example evaluate > docs/clocks-evaluation.md`

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use causeway_clock::offsets::{Estimator, OffsetSettings, Solver, observe};
use causeway_clock::order::{Event, Order, OrderSettings, Span};
use causeway_clock::sim::{
    Ahead, DISTANCES_NS, Level, Measure, Measured, Method, Run, Scope, Shape, Step, World,
};

const HEAD: &str = "\
# Evaluation of order and offsets

Generated; do not edit. `cargo run --release -p causeway-clock --features sim --example evaluate > docs/clocks-evaluation.md`

A simulator plays worlds in true time, lets their clocks stamp what happens, and hides the truth from everything it asks.
Unless a line says otherwise: 12 nodes, 60 s, offsets with a standard deviation of 20 ms, rates up to 30 ppm off, base delays of 60 to 640 us that differ by direction, exponential
queues, 1 % of messages with a Pareto tail, 2 % of responses lost, a timeout of 60 ms with one retry, 12 % of calls as messages nobody waits for (0 to 200 ms), 5 % of servers that
end their span late. L0 is a stock SDK, L1 stamps messages, L2 spans too, L3 responses too. Bounds assume rates within 100 ppm a clock, windows of 250 ms, a horizon of 10 s.

The test `nothing_proven_is_wrong_and_nothing_bounded_where_assumptions_hold` plays 300 further worlds, with clocks that drift up to 99 ppm, on every run of the tests.
";

/// What another harness measured: see there.
const PROCESSES: &str = include_str!("processes.md");

fn main() -> std::io::Result<()> {
    let worlds: Vec<(String, Measured, Measured)> =
        worlds().into_iter().filter_map(measured).collect();
    let mut page = String::from(HEAD);
    pairs(&mut page, &worlds);
    distances(&mut page, &worlds);
    intervals(&mut page, &worlds);
    times(&mut page);
    page.push_str(PROCESSES);
    std::io::stdout().lock().write_all(page.as_bytes())
}

/// The worlds, those that break what bounds assume last.
fn worlds() -> Vec<(&'static str, World)> {
    let world = World::default();
    let layered = World { shape: Shape::Layered, ..world.clone() };
    let level = |level: Level, world: &World| World { levels: vec![level], ..world.clone() };
    let ahead = Some(Ahead { node: 3, by_ns: 10_000_000_000 });
    let step = |by_ns: i64, is_noticed: bool| World {
        step: Some(Step { node: 3, at_ns: 30_000_000_000, by_ns, is_noticed }),
        ..world.clone()
    };
    let mixed = vec![Level::Responds, Level::Tags, Level::Propagates, Level::Stock];
    vec![
        ("L3 mesh", world.clone()),
        ("L3 mesh, offsets of 1 ms", World { offset_sd_ns: 1e6, ..world.clone() }),
        ("L3 mesh, offsets of 500 ms", World { offset_sd_ns: 500e6, ..world.clone() }),
        ("L3 layered", layered.clone()),
        ("L2 mesh", level(Level::Tags, &world)),
        ("L2 layered", level(Level::Tags, &layered)),
        ("L1 mesh", level(Level::Propagates, &world)),
        ("L0 mesh", level(Level::Stock, &world)),
        ("L0 layered", level(Level::Stock, &layered)),
        ("L0 to L3 mixed, mesh", World { levels: mixed, ..world.clone() }),
        ("L3 mesh, 1 ms clocks on 40 %", World { coarse_share: 0.4, ..world.clone() }),
        ("L3 mesh, 20 % of servers end late", World { late_share: 0.2, ..world.clone() }),
        (
            "L0 layered, 20 % of servers end late",
            World { late_share: 0.2, ..level(Level::Stock, &layered) },
        ),
        (
            "L0 layered, nobody answers, offsets of 500 ms",
            World { async_share: 1.0, offset_sd_ns: 500e6, ..level(Level::Stock, &layered) },
        ),
        (
            "L0 mesh, 20 % of servers end late",
            World { late_share: 0.2, ..level(Level::Stock, &world) },
        ),
        ("L3 mesh, a step of 30 ms, noticed", step(30_000_000, true)),
        ("L3 mesh, one clock +10 s, refused", World { ahead, ..world.clone() }),
        (
            "L3 mesh, one clock +10 s, accepted",
            World { ahead, offset_ns_max: i64::MAX, ..world.clone() },
        ),
        ("* L3 mesh, a step of 30 ms, unnoticed", step(30_000_000, false)),
        ("* L3 mesh, a step of 0.6 ms, unnoticed", step(600_000, false)),
        (
            "* L0 layered, a step of 30 ms",
            World { shape: Shape::Layered, ..level(Level::Stock, &step(30_000_000, false)) },
        ),
        ("* L3 mesh, rates up to 1000 ppm", World { rate_ppm_max: 1_000.0, ..world.clone() }),
        ("* L3 mesh, two nodes with one id", World { clones: Some((3, 4)), ..world }),
    ]
}

/// A world measured trace by trace, and with all traces together.
fn measured((name, world): (&'static str, World)) -> Option<(String, Measured, Measured)> {
    let run = Run::play(&world);
    let alone = Measure::default().run(&run).ok()?;
    let together = Measure { scope: Scope::World, ..Measure::default() }.run(&run).ok()?;
    Some((name.to_owned(), alone, together))
}

fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        _ => format!("{:.1}", 100.0 * part as f64 / whole as f64),
    }
}

fn decided(measured: &Measured, method: Method) -> String {
    let tally = measured.total(method);
    percent(tally.decided, tally.asked)
}

fn wrong(measured: &Measured, method: Method) -> String {
    let tally = measured.total(method);
    percent(tally.wrong, tally.decided)
}

fn pairs(page: &mut String, worlds: &[(String, Measured, Measured)]) {
    page.push_str(
        "
## Pairs of events of one trace on different nodes

Per cent decided, and of those per cent wrong. \"with other traces\" is the order of all traces together: their messages prove order in each other. A line with * breaks what bounds
assume, so BOUNDED may be wrong there; PROVEN assumes nothing about clocks. Inferred and guessed are what only they decide. Drawn are times as they are shown, aligned, all of them
compared as if they were right.

| world | spans | wall wrong | Jaeger wrong | drawn wrong | HLC wrong | PROVEN | with other traces | BOUNDED | PROVEN or BOUNDED | wrong PROVEN | wrong BOUNDED | inferred / wrong | guessed / wrong |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
",
    );
    for (name, alone, together) in worlds {
        let wrong_proofs = alone.total(Method::Proven).wrong + together.total(Method::Proven).wrong;
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {wrong_proofs} | {} | {} / {} | {} / {} |",
            alone.spans,
            wrong(alone, Method::Wall),
            wrong(alone, Method::Jaeger),
            wrong(alone, Method::Aligned),
            wrong(alone, Method::Hlc),
            decided(alone, Method::Proven),
            decided(together, Method::Proven),
            decided(alone, Method::Bounded),
            decided(together, Method::ProvenOrBounded),
            alone.total(Method::Bounded).wrong,
            decided(alone, Method::Inferred),
            wrong(alone, Method::Inferred),
            decided(alone, Method::Guessed),
            wrong(alone, Method::Guessed),
        );
    }
}

fn distances(page: &mut String, worlds: &[(String, Measured, Measured)]) {
    page.push_str(
        "
## The same by distance in true time

Close pairs are the hard ones. Per cent decided / of those wrong.

| world | method | below 0.1 ms | below 1 ms | below 10 ms | further |
|---|---|---|---|---|---|
",
    );
    let shown = ["L3 mesh", "L3 layered", "L0 mesh"];
    for (name, alone, together) in worlds.iter().filter(|(name, ..)| shown.contains(&name.as_str()))
    {
        for method in Method::ALL {
            let is_proof = matches!(method, Method::Proven | Method::ProvenOrBounded);
            let measured = if is_proof { together } else { alone };
            let Some(tallies) = measured.tallies.get(&method) else { continue };
            let _ = write!(page, "| {name} | {method:?} |");
            for tally in tallies.iter().take(DISTANCES_NS.len()) {
                let decided = percent(tally.decided, tally.asked);
                let _ = write!(page, " {decided} / {} |", percent(tally.wrong, tally.decided));
            }
            page.push('\n');
        }
    }
}

fn intervals(page: &mut String, worlds: &[(String, Measured, Measured)]) {
    page.push_str(
        "
## Intervals of offsets

Pairs of clocks and windows in which one of the two was read. The limit is what messages between two nodes alone could give at best: half of the least delays of both directions,
median over pairs. Flagged are windows that were given up because the evidence contradicts itself.

| world | pairs and windows | two-sided % | one-sided % | flagged % | holds the truth % | median half-width us | limit us | ratio | clocks that stepped |
|---|---|---|---|---|---|---|---|---|---|
",
    );
    for (name, alone, _) in worlds {
        let found = &alone.intervals;
        let all = found.two_sided + found.one_sided + found.inconsistent + found.unknown;
        let median =
            |sorted: &[i64]| sorted.get(sorted.len() / 2).map_or(0.0, |ns| *ns as f64 / 1e3);
        let (half_width, limit) = (median(&found.half_widths_ns), median(&found.limits_ns));
        let ratio = match limit > 0.0 && half_width > 0.0 {
            true => format!("{:.2}", half_width / limit),
            false => "-".to_owned(),
        };
        let held = match found.two_sided - found.contained {
            0 => percent(found.contained, found.two_sided),
            _ => format!("{:.3}", 100.0 * found.contained as f64 / found.two_sided as f64),
        };
        let _ = writeln!(
            page,
            "| {name} | {all} | {} | {} | {} | {held} | {half_width:.0} | {limit:.0} | {ratio} | {} |",
            percent(found.two_sided, all),
            percent(found.one_sided, all),
            percent(found.inconsistent, all),
            alone.steps,
        );
    }
}

fn times(page: &mut String) {
    page.push_str(
        "
## Time

One thread, best of five, L3 mesh, all traces as one. Building includes verifying stamps; lining up includes aligned times; a window is closed for all pairs of clocks.

| spans | build order ms | prepare pairs ms | line up ms | cone ms | cut ms | one pair without preparing us | with us | offsets per span ns | a window ms |
|---|---|---|---|---|---|---|---|---|---|
",
    );
    let run = Run::play(&World { duration_ns: 90_000_000_000, ..World::default() });
    let (all, _) = run.together();
    for count in [1_000, 10_000, 100_000] {
        let spans = all.get(..count).unwrap_or(&all);
        if let Some(row) = times_of(spans) {
            page.push_str(&row);
        }
    }
}

fn times_of(spans: &[Span]) -> Option<String> {
    let build = || Order::build(spans, &[], &OrderSettings::default()).ok();
    let order = build()?;
    let mut prepared = order.clone();
    prepared.prepare();
    let mut table = Estimator::new(OffsetSettings::default());
    observe(&mut table, spans, &order, u64::from);
    let (first, last) = table.window_range()?;
    let root = order.reading(Event::Start(0))?.clock;
    let mut solver = Solver::new(&table);
    let aligned = order.aligned(spans, &mut solver, root);
    let middle = spans.len() as u32 / 2;
    let far = (Event::Start(0), Event::End(spans.len() as u32 - 1));
    let learn = best(|| {
        let mut table = Estimator::new(OffsetSettings::default());
        observe(&mut table, spans, &order, u64::from);
    });
    let close = best(|| Solver::new(&table).close_windows(first..=last));
    let line =
        best(|| order.causal_order(&order.times_ns(&order.aligned(spans, &mut solver, root))));
    black_box(aligned);
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    Some(format!(
        "| {} | {:.1} | {:.1} | {:.1} | {:.2} | {:.2} | {:.1} | {:.2} | {:.0} | {:.2} |\n",
        spans.len(),
        ms(best(build)),
        ms(best(|| order.clone().prepare())),
        ms(line),
        ms(best(|| order.cone(middle))),
        ms(best(|| order.open_at(order.hlc(Event::Start(middle)).unwrap_or(0)))),
        1e3 * ms(best(|| order.precedes(far.0, far.1))),
        1e3 * ms(best(|| prepared.precedes(far.0, far.1))),
        1e6 * ms(learn) / spans.len() as f64,
        ms(close) / (last - first + 1) as f64,
    ))
}

fn best<T>(mut run: impl FnMut() -> T) -> Duration {
    let took = (0..5).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    });
    took.min().unwrap_or_default()
}
