//! Aligned times: moved by the estimate, pushed by proofs, never more than that.

use super::*;
use crate::offsets::{Estimator, Message, OffsetSettings, Solver};
use crate::order::{Aligned, Fault};

const NOW_NS: i64 = 1_780_000_000_000_000_001;

/// B is 5 ms ahead of A, known to within 300 ns.
fn table() -> Estimator {
    let settings = OffsetSettings { rho_ppm: 0, ..OffsetSettings::default() };
    let mut table = Estimator::new(settings);
    let (a, b) = (ClockId::Node(node(A)), ClockId::Node(node(B)));
    for (from, to, bound_ns) in [(a, b, 5_000_300), (b, a, -4_999_700)] {
        let (sent_ns, received_ns) = (NOW_NS, NOW_NS + bound_ns);
        let (axis_ns, slack_ns, witness) = (NOW_NS, 0, 1);
        table.add(&Message { from, to, sent_ns, received_ns, slack_ns, axis_ns, witness });
    }
    table
}

fn aligned(spans: &[Span]) -> Vec<Aligned> {
    let (order, table) = (order(spans), table());
    order.aligned(spans, &mut Solver::new(&table), ClockId::Node(node(A)))
}

fn on(id: u64, start: i64, end: i64) -> Span {
    tagged(id, NOW_NS + start, NOW_NS + end)
}

#[test]
fn spans_move_by_the_estimate_and_raw_times_stay() {
    let spans = [on(A, 1_000, 9_000), child(0, on(B, 5_002_000, 5_004_000))];
    let found = aligned(&spans);
    let root = Aligned {
        start_ns: NOW_NS + 1_000,
        end_ns: NOW_NS + 9_000,
        shift_ns: 0,
        half_width_ns: Some(0),
        is_pushed: false,
    };
    let moved = Aligned {
        start_ns: NOW_NS + 2_000,
        end_ns: NOW_NS + 4_000,
        shift_ns: -5_000_000,
        half_width_ns: Some(300),
        is_pushed: false,
    };
    assert_eq!(found, [root, moved]);
}

#[test]
fn a_proof_pushes_a_start_and_its_end_goes_along() {
    let spans = [on(A, 1_000, 9_000), child(0, on(B, 5_000_900, 5_004_000))];
    let found = aligned(&spans);
    assert_eq!((found[1].start_ns, found[1].end_ns), (NOW_NS + 1_000, NOW_NS + 4_100));
    assert!(found[1].is_pushed && !found[0].is_pushed);
}

#[test]
fn a_response_that_arrived_before_the_end_stretches_the_span() {
    let response = at(B, NOW_NS + 5_009_500);
    let spans = [
        Span { responses: vec![response], ..on(A, 1_000, 9_000) },
        child(0, on(B, 5_002_000, 5_009_300)),
    ];
    let found = aligned(&spans);
    assert_eq!((found[0].start_ns, found[0].end_ns), (NOW_NS + 1_000, NOW_NS + 9_300));
    assert!(found[0].is_pushed);
}

#[test]
fn clocks_of_which_nothing_is_known_are_only_pushed() {
    let spans = [on(A, 1_000, 9_000), child(0, untagged(0xc, 50, 90))];
    let found = aligned(&spans);
    assert_eq!((found[1].start_ns, found[1].end_ns), (NOW_NS + 1_000, NOW_NS + 1_040));
    assert_eq!((found[1].half_width_ns, found[1].is_pushed), (None, true));
}

#[test]
fn a_clock_of_which_nothing_is_known_is_pushed_as_a_whole() {
    let calls = [child(1, untagged(0xc, 60, 70)), child(1, untagged(0xc, 75, 85))];
    let spans = [vec![on(A, 1_000, 9_000), child(0, untagged(0xc, 50, 90))], calls.to_vec()];
    let found = aligned(&spans.concat());
    let starts: Vec<i64> = found.iter().map(|span| span.start_ns - NOW_NS).collect();
    assert_eq!(starts, [1_000, 1_000, 1_010, 1_025]);
    assert!(found[3].is_pushed && found[3].half_width_ns.is_none());
}

#[test]
fn a_backdated_start_keeps_its_claim() {
    let backdated = Span { start_ns: NOW_NS - 50_000_000, ..on(A, 2_000, 3_000) };
    let spans = [on(A, 1_000, 9_000), child(0, backdated)];
    assert!(order(&spans).faults(1).contains(Fault::Backdated));
    assert_eq!(aligned(&spans)[1].start_ns, NOW_NS - 50_000_000);
}

#[test]
fn aligned_times_make_a_line() {
    let spans = [on(A, 1_000, 9_000), child(0, on(B, 5_002_000, 5_004_000)), on(A, 3_000, 3_500)];
    let order = order(&spans);
    let times = order.times_ns(&aligned(&spans));
    let expected = [start(0), start(1), start(2), end(2), end(1), end(0)];
    assert_eq!(order.causal_order(&times), expected);
}
