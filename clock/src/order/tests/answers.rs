//! Cone, cut and line, compared with what pairs of events say.

use super::*;
use crate::order::{Class, SpanOrder};

/// A shop: gateway A calls B, then C; B sends a message that C consumes later; C calls D, which is untagged.
fn shop() -> Vec<Span> {
    vec![
        tagged(A, 10, 70),
        child(0, Span { responses: vec![at(B, 31)], ..tagged(A, 15, 33) }),
        child(1, received(at(A, 20), tagged(B, 21, 30))),
        child(0, Span { responses: vec![at(0xc, 61)], ..tagged(A, 38, 65) }),
        child(3, received(at(A, 40), tagged(0xc, 41, 60))),
        linked(2, received(at(B, 25), tagged(0xc, 80, 90))),
        child(4, untagged(0xd, 1_045, 1_055)),
    ]
}

#[test]
fn a_cone_says_what_pairs_say() {
    use SpanOrder::{Before, Contains, Inside, Overlaps, Same};
    let order = order(&shop());
    for (a, b) in (0..7).flat_map(|a| (0..7).map(move |b| (a, b))) {
        let pair = order.span_relation(a, b, None);
        let is_proven = pair.class == Class::Proven;
        let proven = if is_proven { pair.order } else { SpanOrder::Undecided };
        assert_eq!(order.cone(a).get(b as usize), Some(&proven), "{a} {b}");
    }
    assert_eq!(order.cone(2), [Inside, Inside, Same, Before, Before, Before, Before]);
    assert_eq!(order.cone(4)[..5], [Inside, SpanOrder::After, SpanOrder::After, Inside, Same]);
    assert_eq!(order.cone(4)[5..], [Before, SpanOrder::Undecided]);
    assert_eq!(order.cone(0)[1], Contains);
    assert!(!order.cone(0).contains(&Overlaps));
}

#[test]
fn a_cut_of_tagged_clocks_pulls_nothing() {
    let mut spans = shop();
    spans.truncate(6);
    let order = order(&spans);
    let cut = order.open_at(45);
    assert_eq!((cut.open, cut.events, cut.pulled, cut.by_claim), (vec![0, 3, 4], 7, 0, 0));
    assert_eq!(order.open_at(9), crate::order::Cut::default());
    assert_eq!(order.open_at(i64::MAX).open, [] as [u32; 0]);
}

#[test]
fn a_cut_is_closed_under_proofs_and_says_how_much_it_pulled() {
    // B refused A's stamp, which is far ahead, so B's span counts at 45 although what caused it does not.
    let spans = [
        tagged(A, 1_000, 2_000),
        Span {
            rejected: Some(at(A, 1_010)),
            ..child(0, received(at(A, 1_010), tagged(B, 40, 50)))
        },
    ];
    let cut = order(&spans).open_at(45);
    assert_eq!((cut.open, cut.pulled), (vec![0, 1], 1));
}

#[test]
fn untagged_spans_are_cut_by_their_place_under_the_parent() {
    let cut = order(&shop()).open_at(50);
    assert_eq!(cut.open, [0, 3, 4, 6]);
    assert_eq!(cut.by_claim, 1);
}

#[test]
fn a_line_goes_by_time_where_nothing_is_proven() {
    let order = order(&[tagged(A, 10, 20), untagged(B, 30, 40), child(0, untagged(0xc, 5, 15))]);
    let times = [10, 20, 30, 40, 5, 15];
    assert_eq!(order.causal_order(&times), [start(0), start(2), end(2), end(0), start(1), end(1)]);
    assert_eq!(order.causal_order(&times), order.causal_order(&times));
}

#[test]
fn pushing_forward_moves_only_what_a_proof_moves() {
    let order = order(&shop());
    let mut times = vec![10, 70, 15, 30, 12, 25, 38, 65, 41, 60, 12, 90, 100, 110];
    order.push_forward(&mut times);
    assert_eq!(times, [10, 70, 15, 30, 15, 25, 38, 65, 41, 60, 60, 90, 100, 110]);
}
