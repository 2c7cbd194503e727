//! The vectors of the specification, and the rules of its table of edges one by one.

use super::*;
use crate::order::{Class, EdgeKind, EventOrder, Fault, Kind, SpanOrder, Step};

/// Client on A: start 100, send 110, end 500. Server on B: start 120, end 300.
fn call(responses: Vec<Stamp>) -> Vec<Span> {
    let client = Span { kind: Kind::Client, responded: true, responses, ..tagged(A, 100, 500) };
    let server = Span { kind: Kind::Server, ..tagged(B, 120, 300) };
    vec![client, child(0, received(at(A, 110), server))]
}

#[test]
fn without_response_stamps_the_end_of_a_call_is_inferred() {
    let order = order(&call(vec![]));
    assert!(order.precedes(start(0), start(1)));
    assert!(order.precedes(start(0), end(1)));
    assert!(!order.precedes(end(1), end(0)) && !order.precedes(end(0), end(1)));
    let ends = order.relation(end(1), end(0), None);
    assert_eq!((ends.order, ends.class), (EventOrder::Before, Class::Inferred));
    let spans = order.span_relation(0, 1, None);
    assert_eq!((spans.order, spans.class), (SpanOrder::Contains, Class::Inferred));
}

#[test]
fn a_response_stamp_after_the_end_proves_the_return() {
    let order = order(&call(vec![at(B, 310)]));
    assert_eq!(order.relation(end(1), end(0), None).class, Class::Proven);
    let spans = order.span_relation(1, 0, None);
    assert_eq!((spans.order, spans.class), (SpanOrder::Inside, Class::Proven));
    assert_eq!(
        order.proof(start(0), end(0)).as_deref(),
        Some(&[Step { from: start(0), to: end(0), kind: EdgeKind::Program }][..])
    );
}

#[test]
fn a_response_stamp_before_a_late_end_proves_only_the_start() {
    let order = order(&call(vec![at(B, 250)]));
    assert!(order.precedes(start(1), end(0)));
    assert!(!order.precedes(end(1), end(0)));
    let spans = order.span_relation(0, 1, None);
    assert_eq!((spans.order, spans.class), (SpanOrder::Overlaps, Class::Proven));
    assert_eq!(spans.because, [Some((start(0), end(1))), Some((start(1), end(0)))]);
}

#[test]
fn an_event_of_another_trace_is_proven_by_a_message_sent_after_it() {
    let order = order_with(&call(vec![]), &[at(A, 105), at(A, 115)]);
    assert!(order.precedes(Event::Tick(0), start(1)));
    assert!(!order.precedes(Event::Tick(1), start(1)));
    assert!(!order.precedes(start(1), Event::Tick(1)));
    assert!(order.precedes(Event::Tick(1), end(0)));
    let proof = order.proof(start(0), start(1)).expect("parent");
    assert_eq!(proof, [Step { from: start(0), to: start(1), kind: EdgeKind::Parent }]);
    let proof = order.proof(Event::Tick(0), start(1)).expect("message");
    assert_eq!(proof, [Step { from: Event::Tick(0), to: start(1), kind: EdgeKind::Message }]);
}

#[test]
fn two_traces_are_ordered_as_one() {
    let mut spans = call(vec![]);
    spans.push(tagged(A, 50, 106));
    spans.push(tagged(B, 305, 400));
    let order = order(&spans);
    assert_eq!(
        order.cone(1),
        [SpanOrder::Undecided, SpanOrder::Same, SpanOrder::After, SpanOrder::Before]
    );
    assert_eq!(order.span_relation(2, 3, None).class, Class::Proven);
}

#[test]
fn a_refused_stamp_is_still_an_edge() {
    let mut spans = call(vec![]);
    spans[1].rejected = spans[1].received;
    spans[1].start = Some(at(B, 20));
    spans[1].start_ns = 20;
    let order = order(&spans);
    assert!(order.precedes(start(0), start(1)));
    assert!(!order.faults(1).contains(Fault::Order));
    assert!(!order.is_excluded_cause(start(0), start(1)));
}

#[test]
fn a_local_child_inherits_the_refusal() {
    let mut spans = call(vec![]);
    spans[1].rejected = spans[1].received;
    spans[1].start = Some(at(B, 20));
    spans.push(child(1, received(at(A, 110), tagged(B, 30, 40))));
    let order = order(&spans);
    assert!(order.faults(2).is_empty(), "{:?}", order.faults(2));
    assert_eq!(order.span_relation(1, 2, None).order, SpanOrder::Contains);
}

#[test]
fn a_value_excludes_causes_but_proves_no_order() {
    let order = order_with(&call(vec![]), &[at(A, 115)]);
    let relation = order.relation(Event::Tick(0), start(1), None);
    assert_eq!(relation.class, Class::Guessed);
    assert!(order.is_excluded_cause(start(1), Event::Tick(0)));
    assert!(!order.is_excluded_cause(Event::Tick(0), start(1)));
}

#[test]
fn a_link_is_needed_by_the_end_alone() {
    let producer = Span { kind: Kind::Producer, ..tagged(A, 100, 150) };
    let consumer = Span { kind: Kind::Consumer, ..linked(0, tagged(B, 90, 400)) };
    let order = order(&[producer, consumer]);
    assert!(order.precedes(start(0), end(1)));
    assert!(!order.precedes(start(0), start(1)));
}

#[test]
fn a_stamp_in_a_link_orders_what_the_sender_did_before() {
    let mut consumer = tagged(B, 90, 400);
    consumer.links = vec![Link { span: None, stamp: Some(at(A, 180)) }];
    let order = order(&[tagged(A, 100, 150), tagged(A, 200, 250), consumer]);
    assert!(order.precedes(end(0), end(2)));
    assert!(!order.precedes(start(1), end(2)));
    assert_eq!(order.cone(2)[0], SpanOrder::Undecided);
}

#[test]
fn a_consumer_that_processes_starts_after_the_message_was_sent_by_convention() {
    let mut consumer = Span { kind: Kind::Consumer, ..linked(0, untagged(B, 90, 400)) };
    let producer = Span { kind: Kind::Producer, ..untagged(A, 100, 150) };
    let order_of = |consumer: &Span| order(&[producer.clone(), consumer.clone()]);
    assert_eq!(order_of(&consumer).relation(start(0), start(1), None).order, EventOrder::After);
    consumer.processes = true;
    let relation = order_of(&consumer).relation(start(0), start(1), None);
    assert_eq!((relation.order, relation.class), (EventOrder::Before, Class::Inferred));
}

#[test]
fn untagged_spans_keep_edges_of_creation_and_stamps_that_passed_through() {
    let spans = [
        tagged(A, 100, 500),
        child(0, received(at(A, 110), untagged(B, 7, 9))),
        tagged(A, 90, 105),
    ];
    let order = order(&spans);
    assert!(order.precedes(start(0), start(1)));
    assert!(order.precedes(end(2), end(1)));
}

#[test]
fn one_wall_clock_infers_order_but_equal_readings_say_nothing() {
    let spans =
        [untagged(A, 10, 20), untagged(A, 20, 30), untagged(A, 20, 40), untagged(B, 50, 60)];
    let order = order(&spans);
    let class_of = |a, b| {
        let relation = order.relation(a, b, None);
        (relation.order, relation.class)
    };
    assert_eq!(class_of(start(0), start(1)), (EventOrder::Before, Class::Inferred));
    assert_eq!(class_of(end(0), end(2)), (EventOrder::Before, Class::Inferred));
    assert_eq!(class_of(end(0), start(1)), (EventOrder::Undecided, Class::Guessed));
    assert_eq!(class_of(start(1), start(2)), (EventOrder::Undecided, Class::Guessed));
    assert_eq!(class_of(end(2), end(1)), (EventOrder::After, Class::Inferred));
    assert_eq!(class_of(start(0), start(3)), (EventOrder::Before, Class::Guessed));
    let steps = order.inference(start(0), end(2)).expect("through the gate");
    assert!(steps.windows(2).all(|pair| pair[0].to == pair[1].from));
}

#[test]
fn a_local_child_ends_first_if_its_times_say_so() {
    let spans = [untagged(A, 10, 50), child(0, untagged(A, 20, 40)), child(0, untagged(A, 30, 90))];
    let order = order(&spans);
    assert_eq!(order.span_relation(0, 1, None).order, SpanOrder::Contains);
    assert_eq!(order.span_relation(0, 2, None).order, SpanOrder::Overlaps);
}
