//! Which spans are evidence of what.

use super::*;
use crate::Stamp;
use crate::offsets::{PairRow, State, observe};
use crate::order::{Kind, Order, OrderSettings, Span};

fn tick(id: u64, after_ns: i64) -> Stamp {
    let node = NodeId(NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN));
    Stamp { node, hlc: NOW_NS + after_ns, lead: 0 }
}

fn wall(id: u64) -> ClockId {
    ClockId::Instance(id)
}

fn untagged(id: u64, parent: Option<u32>, start: i64, end: i64) -> Span {
    Span {
        parent,
        instance: Some(id),
        wall: Some(wall(id)),
        start_ns: NOW_NS + start,
        end_ns: NOW_NS + end,
        ..Span::default()
    }
}

fn tagged(id: u64, parent: Option<u32>, start: i64, end: i64) -> Span {
    Span {
        start: Some(tick(id, start)),
        end: Some(tick(id, end)),
        ..untagged(id, parent, start, end)
    }
}

fn observed(spans: &[Span]) -> Estimator {
    let mut table = Estimator::new(steady());
    let order = Order::build(spans, &[], &OrderSettings::default()).expect("few spans");
    observe(&mut table, spans, &order, |span| u64::from(span) + 100);
    table
}

/// Sender, receiver and bound of all messages.
fn bounds_of(spans: &[Span]) -> Vec<(ClockId, ClockId, i64)> {
    let bound = |row: PairRow| Some((row.from, row.to, row.certain?.bound_ns));
    let mut bounds: Vec<_> = observed(spans).rows().filter_map(bound).collect();
    bounds.sort_unstable();
    bounds
}

#[test]
fn requests_and_responses_bound_both_ways_and_inherited_stamps_count_once() {
    let client = Span { responses: vec![tick(2, 400)], ..tagged(1, None, 0, 1_000) };
    let server = Span { received: Some(tick(1, 50)), ..tagged(2, Some(0), 300, 600) };
    let inner = Span { received: Some(tick(1, 50)), ..tagged(2, Some(1), 310, 320) };
    let spans = [client, server, inner];
    assert_eq!(bounds_of(&spans), [(clock(1), clock(2), 250), (clock(2), clock(1), 600)]);
    let messages: Vec<u64> = observed(&spans).rows().map(|row| row.messages).collect();
    assert_eq!(messages, [1, 1]);
}

#[test]
fn a_send_counts_by_the_reading_not_by_the_value_of_the_hybrid_clock() {
    let sent = Stamp { lead: 40, ..tick(1, 50) };
    let spans =
        [tagged(1, None, 0, 900), Span { received: Some(sent), ..tagged(2, Some(0), 300, 600) }];
    assert_eq!(bounds_of(&spans), [(clock(1), clock(2), 290)]);
}

#[test]
fn doubted_stamps_are_no_evidence() {
    let received = |stamp| Span { received: Some(stamp), ..tagged(2, Some(0), 300, 600) };
    let not_merged = [tagged(1, None, 0, 900), received(tick(1, 350))];
    assert_eq!(bounds_of(&not_merged), []);
    let future = Stamp { hlc: i64::MAX, ..tick(1, 0) };
    let late = Span { rejected: Some(future), received_at_ns: Some(NOW_NS), ..received(future) };
    assert_eq!(bounds_of(&[tagged(1, None, 0, 900), late]), []);
    let clone = Span { instance: Some(7), ..tagged(1, None, 5, 6) };
    assert_eq!(bounds_of(&[tagged(1, None, 0, 900), received(tick(1, 50)), clone]), []);
}

#[test]
fn untagged_children_start_after_their_parents_and_synchronous_returns_are_only_likely() {
    let client = Span { kind: Kind::Client, responded: true, ..untagged(1, None, 0, 1_000) };
    let server = Span { kind: Kind::Server, ..untagged(2, Some(0), 300, 600) };
    let spans = [client, server];
    assert_eq!(bounds_of(&spans), [(wall(1), wall(2), 300)]);
    let table = observed(&spans);
    let pair = Solver::new(&table).pair(wall(1), wall(2), NOW_NS);
    assert_eq!((pair.state, pair.likely_ns), (State::OneSided, Some((-400, 300))));
    let nobody_answered = [untagged(1, None, 0, 1_000), spans[1].clone()];
    let table = observed(&nobody_answered);
    assert_eq!(Solver::new(&table).pair(wall(1), wall(2), NOW_NS).likely_ns, None);
}

#[test]
fn a_process_that_stamps_messages_but_no_spans_has_one_clock() {
    let sender = untagged(1, None, 0, 1_000);
    let receiver = |stamp| Span { received: Some(stamp), ..tagged(2, Some(0), 300, 600) };
    let state = |spans: &[Span]| {
        let table = observed(spans);
        Solver::new(&table).pair(clock(9), wall(1), NOW_NS).state
    };
    assert_eq!(state(&[sender.clone(), receiver(tick(9, 50))]), State::TwoSided);
    // Who only passes on what it received says nothing about its own clock.
    let passed_on = Span { received: Some(tick(9, 50)), ..sender };
    assert_ne!(state(&[passed_on, receiver(tick(9, 50))]), State::TwoSided);
}

/// A stock service between tagged ones: whom it calls gets a stamp that is not its own, and still shows its clock.
#[test]
fn a_service_that_passes_stamps_on_is_bounded_by_its_own_calls() {
    let caller = tagged(9, None, 0, 1_000);
    let stock = Span { received: Some(tick(9, 50)), ..untagged(1, Some(0), 100, 900) };
    let called = Span { received: Some(tick(9, 50)), ..tagged(2, Some(1), 300, 600) };
    assert_eq!(
        bounds_of(&[caller, stock, called]),
        [(clock(9), clock(2), 250), (clock(9), wall(1), 50), (wall(1), clock(2), 200)]
    );
}

#[test]
fn bounds_between_clocks_that_disagree_about_the_time_are_wider() {
    let settings = OffsetSettings::default();
    let bound = |refused_ns: i64| {
        let stamp = tick(1, refused_ns);
        let client = tagged(1, None, refused_ns - 10, refused_ns + 900);
        let refusing =
            Span { received: Some(stamp), rejected: Some(stamp), ..tagged(2, Some(0), 300, 600) };
        let spans = [client, refusing];
        let mut table = Estimator::new(settings);
        let order = Order::build(&spans, &[], &OrderSettings::default()).expect("few spans");
        observe(&mut table, &spans, &order, u64::from);
        let least = table.rows().find_map(|row| row.certain);
        least.map(|least| least.bound_ns + refused_ns - 300)
    };
    assert_eq!(bound(2_000_000_300), Some(400_000), "2 s apart, 200 ppm");
    assert_eq!(bound(300), Some(0));
}
