//! The vectors of the specification.

use super::*;
use crate::Stamp;
use crate::offsets::{ClockRow, Granularity, State};
use crate::order::{Class, Event, EventOrder, Margin, Order, OrderSettings, Relation, Span};

const US: i64 = 1_000;

fn round_trip() -> RoundTrip {
    RoundTrip {
        client: clock(1),
        server: clock(2),
        sent_ns: NOW_NS + 1_000 * US,
        arrived_ns: NOW_NS + 1_250 * US,
        answered_ns: NOW_NS + 1_450 * US,
        returned_ns: NOW_NS + 1_600 * US,
        axis_ns: NOW_NS,
        witness: 7,
    }
}

#[test]
fn a_round_trip_bounds_both_ways_and_its_middle_is_the_point() {
    let mut table = table(steady(), &[message(1, 2, 250 * US), message(2, 1, 150 * US)]);
    table.add_round_trip(&round_trip());
    let pair = Solver::new(&table).pair(clock(1), clock(2), NOW_NS);
    assert_eq!((pair.lo_ns, pair.hi_ns), (Some(-150 * US), Some(250 * US)));
    assert_eq!((pair.point_ns, pair.state), (Some(50 * US), State::TwoSided));
    let back = Solver::new(&table).pair(clock(2), clock(1), NOW_NS);
    assert_eq!((back.lo_ns, back.hi_ns), (Some(-250 * US), Some(150 * US)));
    assert_eq!(back.point_ns, Some(-50 * US));
}

#[test]
fn each_direction_keeps_its_own_tightest_message() {
    let messages = [(1, 2, 250), (2, 1, 150), (1, 2, 180), (2, 1, 300), (1, 2, 400), (2, 1, 120)];
    let table = table(steady(), &messages.map(|(from, to, us)| message(from, to, us * US)));
    assert_eq!(bounds(&table, 1, 2), (Some(-120 * US), Some(180 * US)));
}

#[test]
fn a_way_over_another_clock_bounds_too() {
    let messages = [(1, 2, 300), (2, 1, 100), (2, 3, 250), (3, 2, 50)];
    let table = table(steady(), &messages.map(|(from, to, ns)| message(from, to, ns)));
    assert_eq!(bounds(&table, 1, 3), (Some(-150), Some(550)));
    let hops = Solver::new(&table).explain(clock(1), clock(3), NOW_NS);
    let shown: Vec<_> = hops.iter().map(|hop| (hop.bound_ns, hop.witness)).collect();
    assert_eq!(shown, [(300, Some(1_002)), (250, Some(2_003))]);
}

#[test]
fn one_side_alone_bounds_nothing_that_order_may_rest_on() {
    let table = table(steady(), &[message(1, 2, -5_000 * US)]);
    let pair = Solver::new(&table).pair(clock(1), clock(2), NOW_NS);
    assert_eq!((pair.lo_ns, pair.hi_ns), (None, Some(-5_000 * US)));
    assert_eq!((pair.state, pair.point_ns, pair.bound_ns()), (State::OneSided, None, None));
    assert_eq!(Solver::new(&table).pair(clock(1), clock(9), NOW_NS).state, State::None);
}

#[test]
fn a_negative_cycle_is_a_contradiction() {
    let table = table(steady(), &[message(1, 2, -5_000 * US), message(2, 1, 1_000 * US)]);
    let pair = Solver::new(&table).pair(clock(1), clock(2), NOW_NS);
    assert_eq!((pair.state, pair.lo_ns, pair.hi_ns), (State::Inconsistent, None, None));
}

#[test]
fn bounds_age_by_what_clocks_may_drift() {
    let settings = OffsetSettings::default();
    let window_ns = settings.window_ns;
    let table = table(settings, &[message(1, 2, 100 * US)]);
    let hi = |windows: i64| {
        let at = NOW_NS + windows * window_ns;
        Solver::new(&table).pair(clock(1), clock(2), at).hi_ns
    };
    assert_eq!(hi(0), Some(150 * US));
    assert_eq!(hi(4), Some(350 * US));
    assert_eq!(hi(-4), Some(350 * US));
    assert_eq!(hi(40), Some(2_150 * US));
    assert_eq!(hi(41), None);
}

#[test]
fn a_receiver_that_counts_milliseconds_adds_one() {
    let mut table = Estimator::new(steady());
    for ms in 0..25 {
        let sent_ns = NOW_NS + ms * 1_000_000;
        let received_ns = NOW_NS - 1 + (ms + 3) * 1_000_000;
        table.add(&Message { sent_ns, received_ns, ..message(1, 2, 0) });
    }
    let pair = Solver::new(&table).pair(clock(1), clock(2), NOW_NS);
    assert_eq!(pair.hi_ns, Some(3_000_000 - 1 + 1_000_000));
    assert_eq!(table.clock(clock(2)).step_ns(), Some(1_000_000));
    assert_eq!(table.clock(clock(1)).step_ns(), Some(1));
}

#[test]
fn server_spans_that_start_on_whole_milliseconds_show_no_skew() {
    let mut table = Estimator::new(steady());
    for nth in 0..30 {
        // Requests take 300 us; starts of server spans are cut off, all else counts in nanoseconds.
        let sent_ns = NOW_NS + nth * 1_234_567;
        let received_ns = (sent_ns + 300_000) / 1_000_000 * 1_000_000;
        table.add(&Message { sent_ns, received_ns, ..message(1, 2, 0) });
        let (sent_ns, received_ns) = (sent_ns + 900_001, sent_ns + 1_300_002);
        table.add(&Message { sent_ns, received_ns, ..message(2, 3, 0) });
    }
    let hi_ns = Solver::new(&table).pair(clock(1), clock(2), NOW_NS).hi_ns;
    assert!(hi_ns.is_some_and(|hi| (300_000..=400_000).contains(&hi)), "{hi_ns:?}");
}

/// A at 10 ms, B at some time, where `o_B - o_A` lies in [-150, 250] us with its middle at 50 us.
fn related(b_us: i64) -> Relation {
    let mut table = table(steady(), &[message(1, 2, 250 * US), message(2, 1, 150 * US)]);
    table.add_round_trip(&round_trip());
    let tick = |clock: u64, us: i64| Stamp {
        node: NodeId(NonZeroU64::MIN.saturating_add(clock - 1)),
        hlc: NOW_NS + us * US,
        lead: 0,
    };
    let ticks = [tick(1, 10_000), tick(2, b_us)];
    let order = Order::build(&[], &ticks, &OrderSettings::default()).expect("two ticks");
    order.relation(Event::Tick(0), Event::Tick(1), Some(&mut Solver::new(&table)))
}

#[test]
fn readings_further_apart_than_clocks_are_bounded() {
    let relation = related(10_400);
    assert_eq!((relation.order, relation.class), (EventOrder::Before, Class::Bounded));
    let relation = related(9_800);
    assert_eq!((relation.order, relation.class), (EventOrder::After, Class::Bounded));
    assert_eq!(related(10_250).class, Class::Guessed);
    assert_eq!(related(10_251).class, Class::Bounded);
    assert_eq!(related(9_849).class, Class::Bounded);
    assert_eq!(related(9_850).class, Class::Guessed);
}

#[test]
fn a_proof_that_bounds_contradict_is_listed_and_wins() {
    let table = table(steady(), &[message(1, 2, 250 * US), message(2, 1, 150 * US)]);
    let span = |id: u64, parent, us: i64| {
        let node = NodeId(NonZeroU64::MIN.saturating_add(id - 1));
        let start_ns = NOW_NS + us * US;
        let start = Some(Stamp { node, hlc: start_ns, lead: 0 });
        Span { parent, start, start_ns, end_ns: start_ns + 10, ..Span::default() }
    };
    let listed = |child_us: i64| {
        let spans = [span(1, None, 10_000), span(2, Some(0), child_us)];
        let order = Order::build(&spans, &[], &OrderSettings::default()).expect("two spans");
        let mut solver = Solver::new(&table);
        let (a, b) = (Event::Start(0), Event::Start(1));
        assert_eq!(order.relation(a, b, Some(&mut solver)).class, Class::Proven);
        order.contradicted_proofs(&mut solver).len()
    };
    assert_eq!(listed(9_850), 0);
    assert_eq!(listed(9_800), 1);
}

#[test]
fn closer_readings_are_guessed_with_their_margin() {
    let relation = related(10_200);
    assert_eq!((relation.order, relation.class), (EventOrder::Before, Class::Guessed));
    let margin = Margin { margin_ns: 150 * US, half_width_ns: Some(200 * US) };
    assert_eq!(relation.margin, Some(margin));
}

/// Some tracers write down a start and a duration and cut both to microseconds, so that an end may be nearly two late.
#[test]
fn an_end_that_was_cut_twice_bounds_nothing_that_is_wrong() {
    let wall = |id: u64, start_ns: i64, end_ns: i64| Span {
        wall: Some(ClockId::Instance(id)),
        instance: Some(id),
        start_ns,
        end_ns,
        ..Span::default()
    };
    let us = NOW_NS / US * US;
    // Truly from 0.9 us to 12.8 us; 11.9 us long, which is cut to 11.
    let cut = wall(1, us, us + 11 * US);
    let relation = |later_ns: i64| {
        let spans = [cut.clone(), wall(2, us + later_ns, us + later_ns + 1)];
        let order = Order::build(&spans, &[], &OrderSettings::default()).expect("two spans");
        let clocks = [1, 2].map(ClockId::Instance);
        let mut table = Estimator::new(steady());
        for (clock, is_fine) in clocks.into_iter().zip([false, true]) {
            let mut step = Granularity::default();
            step.add(us + if is_fine { 1 } else { US });
            table.merge_clock(&ClockRow { clock, sent: step, received: step });
        }
        // The second clock is right to the nanosecond against the first.
        for (from, to, sent_ns, received_ns) in [(0, 1, us, us + 1), (1, 0, us + 1, us - US)] {
            let (from, to) = (clocks[from], clocks[to]);
            table.add(&Message { from, to, sent_ns, received_ns, ..message(1, 2, 0) });
        }
        order.relation(Event::End(0), Event::Start(1), Some(&mut Solver::new(&table)))
    };
    assert_eq!(relation(12_700).class, Class::Guessed, "it was earlier");
    assert_eq!(relation(13_002).class, Class::Bounded);
    assert_eq!(relation(13_002).order, EventOrder::Before);
}
