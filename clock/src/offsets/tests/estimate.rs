//! Guesses where bounds do not decide: they keep to bounds of one side, and to what round trips tell.

use super::*;
use crate::offsets::{Estimate, State};

const US: i64 = 1_000;

/// A call whose both ways take as long as said, of a server that is ahead by `offset_ns`.
fn call(client: u64, server: u64, offset_ns: i64, ways_ns: [i64; 2], witness: u64) -> RoundTrip {
    let arrived_ns = NOW_NS + ways_ns[0] + offset_ns;
    RoundTrip {
        client: clock(client),
        server: clock(server),
        sent_ns: NOW_NS,
        arrived_ns,
        answered_ns: arrived_ns + 500 * US,
        returned_ns: NOW_NS + ways_ns[0] + 500 * US + ways_ns[1],
        axis_ns: NOW_NS,
        witness,
    }
}

fn estimate(table: &Estimator, from: u64, to: u64) -> Option<Estimate> {
    Solver::new(table).estimate(clock(from), clock(to), NOW_NS)
}

fn at(offset_us: i64) -> Option<Estimate> {
    Some(Estimate { offset_ns: offset_us * US, half_width_ns: None })
}

#[test]
fn a_clock_bounded_on_one_side_is_as_nearly_right_as_the_bound_allows() {
    let far = table(steady(), &[message(1, 2, -5_000 * US)]);
    assert_eq!(estimate(&far, 1, 2), at(-5_000));
    assert_eq!(estimate(&far, 2, 1), at(5_000));
    let near = table(steady(), &[message(1, 2, 300 * US)]);
    assert_eq!(estimate(&near, 1, 2), at(0));
    assert_eq!(estimate(&near, 1, 9), None);
}

#[test]
fn round_trips_over_another_clock_tell_where_an_offset_probably_is() {
    let mut table = table(steady(), &[message(1, 2, 20_400 * US), message(1, 3, -7_700 * US)]);
    // One slow answer of five, and a server that is late: neither moves the median.
    for (nth, back_us) in [(1, 300), (2, 320), (3, 9_000), (4, 290), (5, -4_000)] {
        table.add_round_trip(&call(1, 2, 20_000 * US, [300 * US, back_us * US], nth));
        table.add_round_trip(&call(1, 3, -8_000 * US, [300 * US, 300 * US], nth));
    }
    assert_eq!(Solver::new(&table).pair(clock(2), clock(3), NOW_NS).state, State::None);
    let offset_ns = estimate(&table, 2, 3).expect("connected").offset_ns;
    assert!((offset_ns + 28_000 * US).abs() < 20 * US, "{offset_ns}");
    assert_eq!(estimate(&table, 3, 2).map(|e| e.offset_ns), Some(-offset_ns));
}

#[test]
fn an_estimate_never_leaves_what_is_certain() {
    // The middle of this answer says 20 ms, which a message shows to be too much.
    let mut table = table(steady(), &[message(1, 2, 300 * US)]);
    table.add_round_trip(&call(1, 2, 0, [40_000 * US, 10 * US], 1));
    assert_eq!(estimate(&table, 1, 2).map(|estimate| estimate.offset_ns), Some(300 * US));
}

#[test]
fn likely_bounds_are_of_pairs_that_answered_each_other() {
    let mut table = table(steady(), &[message(1, 2, 300 * US), message(1, 3, 300 * US)]);
    table.add_round_trip(&call(1, 2, 0, [300 * US, 200 * US], 1));
    table.add_round_trip(&call(1, 3, 0, [300 * US, 200 * US], 2));
    let mut solver = Solver::new(&table);
    let likely = |solver: &mut Solver<'_>, a, b| solver.pair(clock(a), clock(b), NOW_NS).likely_ns;
    assert_eq!(likely(&mut solver, 1, 2), Some((-200 * US, 300 * US)));
    assert_eq!(likely(&mut solver, 2, 3), None, "two servers that may both end late");
}
