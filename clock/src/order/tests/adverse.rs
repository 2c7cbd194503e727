//! Doubtful stamps: what is flagged, which proofs are void, and that nothing wrong is proven.

use super::*;
use crate::order::{Fault, Faults, SPANS_MAX, SpanOrder};

const YEAR_NS: i64 = 365 * 86_400_000_000_000;
const NOW_NS: i64 = 1_780_000_000_000_000_000;

fn only(fault: Fault) -> Faults {
    Faults::from_iter([fault])
}

#[test]
fn an_end_that_does_not_follow_its_start_voids_the_span_alone() {
    let spans =
        [tagged(A, 100, 200), Span { end_ns: 400, ..tagged(A, 300, 250) }, tagged(A, 400, 500)];
    let order = order(&spans);
    assert!(order.faults(1).contains(Fault::Order));
    assert!(order.precedes(end(0), start(2)));
    assert!(!order.precedes(end(0), start(1)) && !order.precedes(end(1), start(2)));
    assert!(order.precedes(start(1), end(1)));
}

#[test]
fn a_stamp_that_was_not_merged_voids_the_span() {
    let spans = [tagged(A, 100, 500), child(0, received(at(A, 110), tagged(B, 105, 130)))];
    let order = order(&spans);
    assert_eq!(order.faults(1), only(Fault::Order));
    assert!(order.precedes(start(0), start(1)), "the message was received all the same");
}

#[test]
fn a_node_id_of_two_processes_proves_nothing_on_that_node() {
    let clone = Span { instance: Some(B), ..tagged(A, 300, 400) };
    let spans = [tagged(A, 100, 200), clone, child(0, received(at(A, 150), tagged(B, 160, 170)))];
    let order = order(&spans);
    assert_eq!(order.faults(0), only(Fault::Clash));
    assert_eq!(order.faults(1), only(Fault::Clash));
    assert!(order.faults(2).is_empty());
    assert!(!order.precedes(end(0), start(1)));
    assert!(order.precedes(start(0), start(2)), "the parent needs no clock");
    assert_eq!(order.violations().len(), 2);
}

#[test]
fn an_equal_stamp_of_two_spans_is_a_clash_but_not_of_two_copies() {
    let order_of = |spans: [Span; 2]| order(&spans);
    let clash = order_of([tagged(A, 100, 200), tagged(A, 100, 300)]);
    assert_eq!(clash.faults(0), only(Fault::Clash));
    assert_eq!(clash.faults(1), only(Fault::Clash));
    let copy = |end| Span { duplicate: true, ..tagged(A, 100, end) };
    let copies = order_of([copy(200), copy(300)]);
    assert_eq!(copies.faults(0), only(Fault::Duplicate));
}

#[test]
fn a_child_before_its_parent_on_one_node_is_a_clash() {
    let spans = [tagged(A, 300, 400), child(0, tagged(A, 100, 200))];
    let order = order(&spans);
    assert!(order.faults(0).contains(Fault::Clash) && order.faults(1).contains(Fault::Clash));
    assert!(order.precedes(start(0), start(1)));
    assert!(!order.precedes(end(1), start(0)));
}

#[test]
fn a_duplicated_id_proves_nothing_about_who_is_meant() {
    let duplicate = |start, end| Span { duplicate: true, ..tagged(A, start, end) };
    let mut spans =
        vec![duplicate(100, 200), duplicate(1_000, 1_100), child(0, tagged(B, 150, 160))];
    spans.push(linked(1, tagged(B, 170, 180)));
    let order = order(&spans);
    assert!(!order.precedes(start(0), start(2)));
    assert!(!order.precedes(start(1), end(3)));
    assert!(order.precedes(end(0), start(1)), "their ticks still are ticks");
}

#[test]
fn a_replayed_context_is_flagged_and_what_it_carries_stays_true() {
    let spans = [
        tagged(A, 10, 20),
        tagged(A, 100, 500),
        child(1, received(at(A, 50), tagged(B, 600, 700))),
        child(1, received(at(A, 120), tagged(B, 800, 900))),
    ];
    let order = order(&spans);
    assert_eq!(order.faults(2), only(Fault::Replayed));
    assert!(order.faults(3).is_empty());
    assert!(order.precedes(end(0), start(2)));
}

#[test]
fn a_local_child_that_repeats_its_parents_stamp_is_no_replay() {
    let spans = [
        tagged(A, 10, 900),
        child(0, received(at(A, 50), tagged(A, 100, 500))),
        child(1, received(at(A, 50), tagged(A, 110, 120))),
    ];
    assert!(order(&spans).violations().is_empty());
}

fn now(span: Span) -> Span {
    Span { received_at_ns: Some(NOW_NS), ..span }
}

#[test]
fn a_clock_a_year_ahead_is_flagged_and_keeps_its_edges() {
    let ahead = NOW_NS + YEAR_NS;
    let refused =
        Span { rejected: Some(at(A, ahead + 10)), ..tagged(B, NOW_NS - 500, NOW_NS - 400) };
    let spans = [
        now(tagged(A, ahead, ahead + 100)),
        now(child(0, received(at(A, ahead + 10), refused))),
        now(tagged(A, ahead - 100, ahead - 50)),
    ];
    let order = order(&spans);
    assert_eq!(order.faults(0), only(Fault::Future));
    assert_eq!(order.faults(1), only(Fault::Future));
    assert!(order.precedes(end(2), start(1)));
    // B's span had started by now, so had what it needed; nothing else of the year ahead counts.
    let cut = order.open_at(NOW_NS);
    assert_eq!((cut.open, cut.pulled), (vec![0], 3));
}

#[test]
fn a_forged_stamp_of_the_future_orders_nothing_of_a_healthy_node() {
    let healthy = now(tagged(A, NOW_NS - 300, NOW_NS - 200));
    let forged = at(A, NOW_NS + YEAR_NS);
    let victim = Span { rejected: Some(forged), ..tagged(B, NOW_NS - 500, NOW_NS - 400) };
    let lying =
        Span { start: Some(forged), end: None, ..now(tagged(A, NOW_NS - 600, NOW_NS - 590)) };
    let order = order(&[healthy, now(received(forged, victim)), lying]);
    assert!(!order.precedes(end(0), start(1)));
    assert!(order.faults(1).contains(Fault::Future));
    assert!(order.faults(2).contains(Fault::Future) && order.faults(2).contains(Fault::Backdated));
    assert!(!order.precedes(end(0), start(2)));
}

#[test]
fn claims_that_cannot_be_are_flagged_and_not_read() {
    let zero = untagged(A, 0, 0);
    let reversed = untagged(A, 100, 50);
    let backdated = Span { start_ns: NOW_NS - 6_000_000, ..tagged(A, NOW_NS, NOW_NS + 10) };
    let late = Span { end_ns: NOW_NS + 6_000_000, ..tagged(B, NOW_NS - 10, NOW_NS) };
    let order = order(&[zero, reversed, backdated, late]);
    let flags = [0, 1, 2, 3].map(|span| order.faults(span));
    assert_eq!(flags, [Fault::Time, Fault::Time, Fault::Backdated, Fault::Time].map(only));
    assert_eq!(order.reading(start(0)), None);
    assert_eq!(order.reading(start(1)), None);
    assert_eq!(order.reading(start(2)).map(|r| r.at_ns), Some(NOW_NS));
    assert_eq!(order.reading(end(3)).map(|r| r.at_ns), Some(NOW_NS));
}

#[test]
fn ticks_that_contradict_parents_lose_and_the_cycle_is_flagged() {
    // Two clones in one process tree: B's server span is older by its ticks than what caused it.
    let spans = [tagged(A, 200, 300), child(0, tagged(B, 100, 150)), child(1, tagged(A, 50, 60))];
    let order = order(&spans);
    assert!([0, 1, 2].iter().any(|span| order.faults(*span).contains(Fault::Cycle)));
    assert!(order.precedes(start(0), start(2)));
    assert!(!order.precedes(end(2), start(0)));
}

#[test]
fn parents_in_a_cycle_prove_nothing_and_hide_nothing() {
    let spans = [
        child(1, tagged(A, 100, 200)),
        child(0, tagged(B, 110, 120)),
        child(2, untagged(B, 5, 6)),
        child(9, untagged(B, 7, 8)),
    ];
    let order = order(&spans);
    assert!(order.faults(0).contains(Fault::Cycle) && order.faults(1).contains(Fault::Cycle));
    assert!(!order.precedes(start(0), start(1)) && !order.precedes(start(1), start(0)));
    assert!(order.precedes(start(0), end(0)));
    assert_eq!(order.causal_order(&[0; 8]).len(), 8);
}

#[test]
fn extreme_values_are_no_reason_to_panic() {
    let extreme = |ns: i64, lead: i64| Span {
        start: Some(Stamp { node: node(A), hlc: i64::MAX, lead }),
        end: Some(Stamp { node: node(A), hlc: i64::MIN, lead }),
        received: Some(at(B, i64::MAX)),
        received_at_ns: Some(ns),
        ..untagged(A, ns, ns)
    };
    let spans =
        [extreme(i64::MIN, i64::MIN), extreme(i64::MAX, i64::MAX), child(u32::MAX, extreme(-1, 0))];
    let order = order_with(&spans, &[at(A, i64::MIN), at(A, i64::MAX)]);
    order.cone(0);
    order.open_at(i64::MIN);
    order.span_relation(0, 1, None);
    assert_eq!(order.cone(7), [] as [SpanOrder; 0]);
    assert!(!order.precedes(start(3), start(0)));
}

#[test]
fn too_many_spans_are_refused_by_name() {
    let ticks = vec![at(A, 1); SPANS_MAX + 1];
    let error = Order::build(&[], &ticks, &OrderSettings::default()).expect_err("too many");
    assert!(error.to_string().contains("16000000"), "{error}");
}
