//! What does not fit: broken spans, clocks that step, hosts that are not one. A fault widens or voids, it never moves.

use super::*;
use crate::offsets::{ClockReport, State, report};

const US: i64 = 1_000;
const WINDOW_NS: i64 = 250_000_000;

/// Three clocks that talk ten times a window in each direction, for 80 windows; `offset` says by how much each is ahead.
fn talk(offset_us: impl Fn(u64, i64) -> i64) -> Vec<Message> {
    let mut messages = Vec::new();
    for (window, from, to) in
        (0..80).flat_map(|w| (1..4).flat_map(move |a| (1..4).map(move |b| (w, a, b))))
    {
        for nth in 0..10 {
            let bound_us = 300 + nth * 20 + offset_us(to, window) - offset_us(from, window);
            let at = NOW_NS + window * WINDOW_NS;
            messages.push(message_at(at, from, to, bound_us * US));
        }
    }
    messages
}

fn at(table: &Estimator, from: u64, to: u64, window: i64) -> (State, Option<(i64, i64)>) {
    let pair = Solver::new(table).pair(clock(from), clock(to), NOW_NS + window * WINDOW_NS);
    (pair.state, pair.lo_ns.zip(pair.hi_ns).map(|(lo, hi)| (lo / US, hi / US)))
}

#[test]
fn a_lone_broken_span_is_put_aside() {
    let mut messages = talk(|_, _| 0);
    let healthy = table(steady(), &messages);
    let broken =
        Message { witness: 4_711, ..message_at(NOW_NS + 40 * WINDOW_NS, 1, 2, -70_000 * US) };
    messages.push(broken);
    let table = table(steady(), &messages);
    assert_eq!(at(&table, 1, 2, 40), at(&healthy, 1, 2, 40));
    let window = table.settings().window(NOW_NS) + 40;
    assert_eq!(Solver::new(&table).quarantined(window), [4_711]);
    assert_eq!(at(&healthy, 1, 2, 40), (State::TwoSided, Some((-300, 300))));
}

#[test]
fn more_broken_spans_than_one_in_a_hundred_void_the_clocks() {
    let mut messages = talk(|_, _| 0);
    for window in 0..80 {
        messages.push(message_at(NOW_NS + window * WINDOW_NS, 1, 2, -70_000 * US));
    }
    let table = table(steady(), &messages);
    assert_eq!(at(&table, 1, 2, 40).0, State::Inconsistent);
}

#[test]
fn a_step_is_found_and_each_side_keeps_its_own_evidence() {
    let step = |clock, window| if clock == 2 && window >= 40 { 30_000 } else { 0 };
    let table = table(OffsetSettings::default(), &talk(step));
    let contains = |(lo, hi): (i64, i64), offset_us: i64| lo <= offset_us && offset_us <= hi;
    for window in [5, 25, 38, 42, 60, 75] {
        let (state, bounds) = at(&table, 1, 2, window);
        assert_eq!(state, State::TwoSided, "{window}");
        assert!(contains(bounds.expect("two-sided"), step(2, window)), "{window}: {bounds:?}");
        let (state, others) = at(&table, 1, 3, window);
        assert_eq!(state, State::TwoSided, "{window}");
        assert!(others.is_some_and(|(lo, hi)| lo >= -400 && hi <= 400), "{window}: {others:?}");
    }
    let first = table.settings().window(NOW_NS);
    let mut solver = Solver::new(&table);
    let reports = report(&mut solver, clock(1), first..=first + 79);
    let steps: Vec<_> = reports.iter().map(|r| (r.clock, r.steps.len())).collect();
    assert_eq!(steps, [(clock(1), 0), (clock(2), 1), (clock(3), 0)]);
    let (since, until) = reports[1].steps[0];
    let stepped_at = (first + 40) * WINDOW_NS;
    assert!(since <= stepped_at && stepped_at <= until && until - since <= 3 * WINDOW_NS);
}

#[test]
fn a_step_between_two_clocks_alone_voids_nothing_far_away() {
    let step = |clock, window| if clock == 2 && window >= 40 { 30_000 } else { 0 };
    let mut messages = talk(step);
    messages.retain(|m| m.from != clock(3) && m.to != clock(3));
    let table = table(OffsetSettings::default(), &messages);
    assert!(at(&table, 1, 2, 20).1.is_some_and(|(lo, hi)| lo <= 0 && 0 <= hi));
    assert!(at(&table, 1, 2, 60).1.is_some_and(|(lo, hi)| lo <= 30_000 && 30_000 <= hi));
}

#[test]
fn clocks_of_one_host_share_what_is_known_until_messages_contradict_it() {
    let messages = [message(1, 2, 100), message(2, 1, 50)];
    let mut shared = table(steady(), &messages);
    shared.tie(clock(2), clock(3));
    let fine = crate::offsets::Granularity {
        readings: 1,
        below_millisecond: true,
        below_microsecond: true,
    };
    shared.merge_clock(&crate::offsets::ClockRow { clock: clock(3), sent: fine, received: fine });
    assert_eq!(bounds(&shared, 1, 3), (Some(-50), Some(100)));
    shared.add(&message(2, 3, -40));
    assert_eq!(bounds(&shared, 1, 3), (None, Some(60)));
    assert_eq!(bounds(&shared, 1, 2), (Some(-50), Some(100)));
}

#[test]
fn answers_that_end_late_move_no_certain_bound() {
    let trip = |late_ns: i64, witness: u64| RoundTrip {
        client: clock(1),
        server: clock(2),
        sent_ns: NOW_NS,
        arrived_ns: NOW_NS + 100,
        answered_ns: NOW_NS + 300 + late_ns,
        returned_ns: NOW_NS + 400,
        axis_ns: NOW_NS,
        witness,
    };
    let pair_with = |late_ns: i64| {
        let mut table = table(steady(), &[message(1, 2, 100)]);
        table.add_round_trip(&trip(late_ns, 1));
        Solver::new(&table).pair(clock(1), clock(2), NOW_NS)
    };
    let punctual = pair_with(0);
    assert_eq!((punctual.state, punctual.likely_ns), (State::OneSided, Some((-100, 100))));
    assert_eq!(punctual.point_ns, None);
    let late = pair_with(5_000);
    assert_eq!((late.state, late.hi_ns, late.likely_ns), (State::OneSided, Some(100), None));
    // A server that ended one span late, for whichever client, may have ended any of them late.
    let mut table = table(steady(), &[message(1, 2, 100)]);
    table.add_round_trip(&trip(0, 1));
    table.add_round_trip(&RoundTrip { client: clock(3), ..trip(201, 2) });
    assert_eq!(Solver::new(&table).pair(clock(1), clock(2), NOW_NS).likely_ns, None);
    let far_ns = NOW_NS + 11_000_000_000;
    table.add_round_trip(&RoundTrip { axis_ns: far_ns, ..trip(0, 3) });
    assert_eq!(Solver::new(&table).pair(clock(1), clock(2), far_ns).likely_ns, None);
    table.add(&message_at(far_ns, 1, 2, 100));
    assert!(Solver::new(&table).pair(clock(1), clock(2), far_ns).likely_ns.is_some());
}

#[test]
fn a_rate_is_the_slopes_that_fit_all_intervals() {
    // Clock 2 gains 20 us a second, which is 20 ppm; the bounds are 600 us wide over 20 s.
    let table =
        table(OffsetSettings::default(), &talk(|clock, w| if clock == 2 { w * 5 } else { 0 }));
    let first = table.settings().window(NOW_NS);
    let reports = report(&mut Solver::new(&table), clock(1), first..=first + 79);
    let rate = |report: &ClockReport| report.rate_ppb.expect("many windows");
    let (slow, fast) = rate(&reports[1]);
    assert!(slow < 20_000 && 20_000 < fast && fast - slow < 80_000, "{slow} {fast}");
    let (slow, fast) = rate(&reports[2]);
    assert!(slow < 0 && 0 < fast, "{slow} {fast}");
    assert_eq!(rate(&reports[0]), (-1, 1));
}
