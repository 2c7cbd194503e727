//! Clocks do what the truth says, and the offsets that are learnt from spans contain it.

use std::collections::BTreeMap;

use causeway_clock::ClockId;
use causeway_clock::offsets::{Solver, State, report};
use causeway_clock::order::Event;

use super::order::evidence;
use super::order_spans::true_ns;
use super::sent::{SECOND_NS, START_NS, by_trace, open_for, settings, spans};
use crate::shop::{Faults, Level, Truth};

/// How far the clock of an id is truly ahead.
fn offset_ns(truth: &Truth, clock: ClockId, at_ns: i64) -> Option<i64> {
    match clock {
        ClockId::Node(id) => truth.clocks.iter().find_map(|clock| {
            let node = clock.nodes.iter().find(|node| node.node == id)?;
            Some(clock.offset_of_ns(*node, at_ns))
        }),
        ClockId::Instance(nth) => {
            Some(truth.clocks.get(usize::try_from(nth).ok()?)?.wall.offset_ns(at_ns))
        }
        ClockId::Utc | ClockId::Collector => None,
    }
}

#[test]
fn spans_show_what_their_clocks_do() {
    let (exports, truth) = open_for(settings(30, Faults::all()), 50);
    for sent in spans(&exports) {
        let clock = &truth.clocks[sent.truth.instance];
        assert_eq!(clock.instance.name, sent.instance());
        let shown = clock.wall.shows_ns(sent.truth.start_ns).unsigned_abs();
        assert_eq!(sent.span.start_time_unix_nano, shown);
        let is_tagged = sent.text("hlc.start").is_some() && sent.text("hlc.end").is_some();
        assert_eq!(is_tagged, clock.level >= Level::Tags, "{}", sent.instance());
        if clock.level == Level::Responds && sent.span.name == "GET /products/{id}/summary" {
            assert!(!sent.span.trace_state.is_empty());
        }
    }
}

#[test]
fn clocks_are_as_wrong_as_the_answer_key_says() {
    let (_, truth) = open_for(settings(31, Faults::all()), 50);
    let of = |name: &str| truth.clocks.iter().find(|c| c.instance.name == name).expect("a clock");
    let after = |name: &str, seconds: i64| of(name).wall.offset_ns(START_NS + seconds * SECOND_NS);
    for (name, expected_ms) in [
        ("recommendation-2", 10_000),
        ("inventory-2", 2_300),
        ("shipping-2", -90),
        ("payment-1", 85),
        ("cart-1", -35),
        ("checkout-1", -35),
        ("checkout-2", -180),
    ] {
        assert_eq!(after(name, 0), expected_ms * 1_000_000, "{name}");
    }
    assert_eq!(after("checkout-2", 40) - after("checkout-2", 0), 40 * 150_000);
    assert_eq!(of("user-2").wall.granularity_ns, 1_000_000);
    assert_eq!(of("cart-1").wall, of("checkout-1").wall, "one host, one clock");
    let sets: Vec<i64> = of("cart-2").nodes.iter().map(|node| node.set_by_ns).collect();
    assert_eq!(sets, [0, 150_000_000, 0]);
    assert_eq!(of("search-1").nodes[0].node, of("search-2").nodes[0].node);
    let wrong = [
        "recommendation-2",
        "inventory-2",
        "shipping-2",
        "payment-1",
        "cart-1",
        "cart-2",
        "checkout-1",
        "checkout-2",
    ];
    for clock in truth.clocks.iter().filter(|c| !wrong.contains(&&c.instance.name[..])) {
        for seconds in 0..300 {
            let off_ns = clock.wall.offset_ns(START_NS + seconds * SECOND_NS);
            assert!(off_ns.abs() < 700_000, "{} is off by {off_ns} ns", clock.instance.name);
        }
    }
}

#[test]
fn every_interval_holds_the_true_offset() {
    let (mut two_sided, mut narrow) = (0, 0);
    for seed in 32..34 {
        let (exports, truth) = open_for(settings(seed, Faults::all()), 50);
        let traces = by_trace(spans(&exports));
        let (ordered, table) = evidence(&traces);
        let mut solver = Solver::new(&table);
        let mut moments: BTreeMap<(i64, ClockId), (i64, i64)> = BTreeMap::new();
        for (trace, (read, order)) in traces.iter().zip(&ordered) {
            for span in 0..read.len() as u32 {
                for event in [Event::Start(span), Event::End(span)] {
                    let Some(reading) = order.reading(event) else { continue };
                    let window = table.settings().window(reading.axis_ns);
                    let drift_ns = table.settings().drift_over_ns(reading.axis_gap_ns());
                    moments.insert((window, reading.clock), (true_ns(trace, event), drift_ns));
                }
            }
        }
        for ((window, clock), (at_ns, drift_ns)) in moments {
            for other in solver.clocks(window).to_vec() {
                let pair = solver.pair_in(clock, other, window);
                let Some((lo, hi)) = pair.lo_ns.zip(pair.hi_ns).filter(|_| other != clock) else {
                    continue;
                };
                if pair.state != State::TwoSided {
                    continue;
                }
                let of = |clock| offset_ns(&truth, clock, at_ns).expect("a clock of the shop");
                let true_offset_ns = of(other) - of(clock);
                two_sided += 1;
                narrow += u64::from(hi - lo < 4_000_000);
                let slack_ns = drift_ns + 2;
                assert!(
                    (lo - slack_ns..=hi + slack_ns).contains(&true_offset_ns),
                    "seed {seed}: {clock:?} {other:?}: {true_offset_ns} is not in {lo}..{hi}"
                );
            }
        }
    }
    assert!(two_sided > 20_000 && narrow * 2 > two_sided, "{two_sided} {narrow}");
}

/// What `clock_offset`, `clock_step`, `clock_drift` and `coarse_clock` are to find can be told from the spans.
#[test]
fn wrong_clocks_can_be_told_from_the_spans() {
    let (exports, truth) = open_for(settings(35, Faults::all()), 90);
    let (_, table) = evidence(&by_trace(spans(&exports)));
    let mut solver = Solver::new(&table);
    let of = |name: &str| {
        let (nth, clock) =
            (0..).zip(&truth.clocks).find(|(_, c)| c.instance.name == name).expect("a clock");
        let tagged = clock.nodes.first().filter(|_| clock.level >= Level::Tags);
        tagged.map_or(ClockId::Instance(nth), |node| ClockId::Node(node.node))
    };
    let (first, last) = table.window_range().expect("evidence");
    let reports = report(&mut solver, of("gateway-2"), first..=last);
    let found = |name: &str| reports.iter().find(|r| r.clock == of(name)).expect("a report");
    let excludes_a_millisecond = |name: &str| {
        let windows = found(name).windows.iter().filter(|w| w.bounds.state == State::TwoSided);
        let is_off = |(lo, hi): (i64, i64)| lo > 1_000_000 || hi < -1_000_000;
        windows
            .filter_map(|w| w.bounds.lo_ns.zip(w.bounds.hi_ns))
            .filter(|range| is_off(*range))
            .count()
    };
    for name in
        ["recommendation-2", "inventory-2", "payment-1", "cart-1", "checkout-1", "checkout-2"]
    {
        assert!(excludes_a_millisecond(name) > 20, "{name}");
    }
    for clock in
        truth.clocks.iter().filter(|clock| clock.wall.offset_ns(START_NS).abs() < 1_000_000)
    {
        let is_seen = reports.iter().any(|report| report.clock == of(&clock.instance.name));
        let is_stepping = clock.wall.step_ns != 0;
        if is_seen && !is_stepping {
            assert_eq!(excludes_a_millisecond(&clock.instance.name), 0, "{}", clock.instance.name);
        }
    }
    let rate = found("checkout-2").rate_ppb.expect("one constant rate explains it");
    assert!(rate.0 > 100_000 && rate.0 <= 155_000 && rate.1 >= 145_000, "{rate:?}");
    assert_eq!(found("user-2").granularity_ns, Some(1_000_000));
    assert_eq!(found("user-1").granularity_ns, Some(1));
}
