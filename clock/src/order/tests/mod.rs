//! Vectors of the specification, what R5 says about doubtful stamps, and traces that nobody meant well.

mod adverse;
mod aligned;
mod answers;
mod vectors;

use std::num::NonZeroU64;

use super::{Event, Link, Order, OrderSettings, Span};
use crate::{ClockId, NodeId, Stamp};

pub(super) const A: u64 = 0xa;
pub(super) const B: u64 = 0xb;

pub(super) fn node(id: u64) -> NodeId {
    NodeId(NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN))
}

/// A tick without lead.
pub(super) fn at(id: u64, hlc: i64) -> Stamp {
    Stamp { node: node(id), hlc, lead: 0 }
}

/// A tagged span on its own instance, whose clock claims what it ticked.
pub(super) fn tagged(id: u64, start: i64, end: i64) -> Span {
    Span { start: Some(at(id, start)), end: Some(at(id, end)), ..untagged(id, start, end) }
}

pub(super) fn untagged(instance: u64, start_ns: i64, end_ns: i64) -> Span {
    Span {
        instance: Some(instance),
        wall: Some(ClockId::Instance(instance)),
        start_ns,
        end_ns,
        ..Span::default()
    }
}

pub(super) fn child(parent: u32, span: Span) -> Span {
    Span { parent: Some(parent), ..span }
}

pub(super) fn received(stamp: Stamp, span: Span) -> Span {
    Span { received: Some(stamp), ..span }
}

pub(super) fn linked(to: u32, span: Span) -> Span {
    Span { links: vec![Link { span: Some(to), stamp: None }], ..span }
}

pub(super) fn order(spans: &[Span]) -> Order {
    order_with(spans, &[])
}

/// The order, checked against itself: both ways to answer agree wherever the trace is small enough to ask all pairs.
pub(super) fn order_with(spans: &[Span], ticks: &[Stamp]) -> Order {
    let order = Order::build(spans, ticks, &OrderSettings::default()).expect("few spans");
    let mut prepared = order.clone();
    assert!(prepared.prepare());
    if order.events().count() <= 40 {
        for (a, b) in order.events().flat_map(|a| order.events().map(move |b| (a, b))) {
            assert_eq!(order.precedes(a, b), prepared.precedes(a, b), "{a:?} {b:?}");
            assert!(!order.precedes(a, b) || !order.precedes(b, a), "{a:?} {b:?}");
        }
    }
    order
}

pub(super) const fn start(span: u32) -> Event {
    Event::Start(span)
}

pub(super) const fn end(span: u32) -> Event {
    Event::End(span)
}
