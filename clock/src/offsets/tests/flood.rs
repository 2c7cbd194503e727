//! Senders that make up clocks and times: memory stays bounded, what others said stays, and what goes is counted.

use super::*;
use crate::offsets::{Forgotten, PairBounds, Refused};
use crate::order::{Order, OrderSettings, Span};

const WINDOW_NS: i64 = 250_000_000;
const HEALTHY: u64 = 5;

/// What healthy clocks say to each other in a window.
fn talk(table: &mut Estimator, window: i64) {
    for (from, to) in (1..=HEALTHY).flat_map(|a| (1..=HEALTHY).map(move |b| (a, b))) {
        if from != to {
            table.add(&message_at(NOW_NS + window * WINDOW_NS, from, to, 300_000));
        }
    }
}

/// Bounds of all healthy pairs in some windows.
fn healthy(table: &Estimator, windows: std::ops::Range<i64>) -> Vec<PairBounds> {
    let mut solver = Solver::new(table);
    let pairs = (1..=HEALTHY).flat_map(|a| (1..a).map(move |b| (a, b)));
    let all = pairs.flat_map(|pair| windows.clone().map(move |window| (pair, window)));
    all.map(|((a, b), window)| solver.pair(clock(a), clock(b), NOW_NS + window * WINDOW_NS))
        .collect()
}

#[test]
fn a_flood_of_made_up_clocks_pushes_out_nobody_who_is_heard_often() {
    const WINDOWS: i64 = 400;
    const EACH: i64 = 500;
    let settings = OffsetSettings { clocks_max: 10_000, ..OffsetSettings::default() };
    let mut alone = Estimator::new(settings);
    let mut flooded = Estimator::new(settings);
    for window in 0..WINDOWS {
        talk(&mut alone, window);
        talk(&mut flooded, window);
        for nth in 0..EACH {
            let id = 1_000 + (window * EACH + nth) as u64;
            let victim = id % HEALTHY + 1;
            flooded.add(&message_at(NOW_NS + window * WINDOW_NS, id, victim, 900_000));
            assert!(flooded.clocks().count() <= 10_000);
        }
    }
    assert_eq!(healthy(&flooded, 0..WINDOWS), healthy(&alone, 0..WINDOWS));
    assert_eq!(flooded.refused(), Refused::default());
    // 200,000 made-up clocks came with one piece of evidence each; those that are not here any more were counted.
    let here = flooded.clocks().count() as u64 - HEALTHY;
    let gone = (WINDOWS * EACH) as u64 - here;
    assert_eq!(flooded.forgotten(), Forgotten { clocks: gone, evidence: gone });
}

#[test]
fn a_clock_that_is_new_in_a_flood_is_heard() {
    let mut table = Estimator::new(OffsetSettings { clocks_max: 100, ..steady() });
    for id in 1_000..3_000 {
        table.add(&message(id, 1, 900_000));
        if id > 2_000 {
            table.add(&message(2, 1, 700));
            table.add(&message(1, 2, 500));
        }
    }
    assert_eq!(bounds(&table, 1, 2), (Some(-700), Some(500)));
    assert!(table.clocks().count() <= 100);
}

#[test]
fn claims_of_the_next_century_push_out_nothing_of_today() {
    let settings = OffsetSettings { evidence_max: 2_000, ..OffsetSettings::default() };
    let order = |spans: &[Span]| Order::build(spans, &[], &OrderSettings::default()).expect("few");
    let call = |at_ns: i64, received_ns: i64| {
        let span = |clock_id: u64, parent, start_ns: i64| Span {
            parent,
            wall: Some(ClockId::Instance(clock_id)),
            instance: Some(clock_id),
            start_ns,
            end_ns: start_ns + 1_000,
            received_at_ns: Some(received_ns),
            ..Span::default()
        };
        [span(1, None, at_ns), span(2, Some(0), at_ns + 300)]
    };
    let mut table = Estimator::new(settings);
    let observe = |table: &mut Estimator, at_ns: i64, received_ns: i64| {
        let spans = call(at_ns, received_ns);
        super::super::observe(table, &spans, &order(&spans), u64::from);
    };
    let now = |nth: i64| NOW_NS + nth * WINDOW_NS;
    let century = |nth: i64| NOW_NS + 100 * 365 * 86_400_000_000_000 + nth * WINDOW_NS;
    for nth in 0..1_000 {
        observe(&mut table, now(nth), now(nth) + 1_000_000);
        for made_up in 0..5 {
            observe(&mut table, century(nth * 5 + made_up), now(nth) + 1_000_000);
        }
    }
    let first = table.settings().window(NOW_NS);
    let of_today = table.rows().filter(|row| row.window < first + 1_000).count();
    assert_eq!((of_today, table.rows().count()), (1_000, 2_000));
    // What was refused at once and what went later are all the others.
    let (refused, forgotten) = (table.refused(), table.forgotten());
    assert_eq!(refused.too_new + forgotten.evidence, 4_000);
    assert_eq!(refused, Refused { too_new: refused.too_new, ..Refused::default() });
}
