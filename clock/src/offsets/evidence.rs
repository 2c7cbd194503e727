//! Turns the spans of a trace into messages and round trips between clocks.
//!
//! | what | sent | received |
//! |---|---|---|
//! | a stamp in the tracestate | reading of the stamp | start of the span that received it |
//! | a stamp of a response or link | reading of the stamp | end tick of the span |
//! | a parent on another clock that stamps no spans, or sent no stamp | start of the parent | start of the child |
//! | a call that was answered | round trip: starts and ends of both spans, or their stamps where there are | |
//! | a span that was received, to the collector's clock | end of the span | when it was received |
//!
//! A process that stamps messages but not spans shows two clocks, of its node and of its wall; they are tied.
//!
//! Windows are chosen on an axis that clocks share, but do not share exactly: hybrid clocks that refuse each other's
//! stamps, and untagged clocks far apart, disagree where on it they are. A bound is therefore as old as its window says
//! or that much older, and is widened by what clocks may drift meanwhile.
//!
//! Never used: stamps that are doubted, ticks of a node that two clocks share, claimed times that cannot be.

use super::message::{Message, RoundTrip};
use super::table::Estimator;
use crate::order::{Event, Fault, Kind, Order, Reading, Span};
use crate::{ClockId, Stamp};

/// Takes all messages of a trace into account; `witness` gives the id under which a span is shown as evidence. The order
/// must be that of the same spans.
pub fn observe(table: &mut Estimator, spans: &[Span], order: &Order, witness: impl Fn(u32) -> u64) {
    let received_ns = spans.iter().filter_map(|span| span.received_at_ns).max();
    received_ns.into_iter().for_each(|received_ns| table.note_received(received_ns));
    let started = local_starts(spans);
    for (index, span) in (0u32..).zip(spans) {
        let seen = Seen { spans, order, span, index, witness: witness(index) };
        let Some(arrival) = seen.reading(Event::Start(index)) else { continue };
        let parent = seen.parent();
        seen.own_clock().into_iter().for_each(|(node, wall)| table.tie(node, wall));
        let fresh = span.received.filter(|stamp| !seen.is_inherited(*stamp));
        let stamped = fresh.and_then(|stamp| seen.stamped(stamp, arrival, table));
        stamped.into_iter().for_each(|message| table.add(&message));
        // A sender that tags no spans may only have passed on the stamp; its own clock shows in the start of its span.
        let is_own = |sender: &Span| span.received.is_none() || sender.start.is_none();
        let unstamped = parent.filter(|(_, sender)| is_own(sender)).and_then(|(at, _)| {
            seen.unstamped(at, arrival, started.get(at as usize).copied(), table)
        });
        unstamped.into_iter().for_each(|message| table.add(&message));
        if let Some(end) = seen.reading(Event::End(index)).filter(|_| span.end.is_some()) {
            let links = span.links.iter().filter_map(|link| link.stamp);
            for stamp in span.responses.iter().copied().chain(links) {
                seen.stamped(stamp, end, table).into_iter().for_each(|message| table.add(&message));
            }
        }
        let trip = parent.and_then(|(at, parent)| seen.round_trip(at, parent));
        trip.into_iter().for_each(|trip| table.add_round_trip(&trip));
    }
}

/// Takes what arrivals of spans tell of the collector's clock into account: a span had ended when it was received. That
/// bounds one side only, and is as loose as spans are kept back; clocks do not bound each other by it.
pub fn observe_arrivals(
    table: &mut Estimator,
    spans: &[Span],
    order: &Order,
    witness: impl Fn(u32) -> u64,
) {
    let started = local_starts(spans);
    for ((index, span), root_ns) in (0u32..).zip(spans).zip(started) {
        let seen = Seen { spans, order, span, index, witness: witness(index) };
        let arrival = seen.arrived(root_ns, table);
        arrival.into_iter().for_each(|message| table.add(&message));
    }
}

/// A span as evidence.
struct Seen<'a> {
    spans: &'a [Span],
    order: &'a Order,
    span: &'a Span,
    index: u32,
    witness: u64,
}

impl Seen<'_> {
    /// A reading that may be used as evidence.
    fn reading(&self, event: Event) -> Option<Reading> {
        let (Event::Start(span) | Event::End(span)) = event else { return None };
        let faults = self.order.faults(span);
        let is_doubted = faults.contains(Fault::Clash) || faults.contains(Fault::Order);
        let reading = self.order.reading(event).filter(|_| !is_doubted)?;
        let of = self.spans.get(span as usize)?;
        let stamp = if matches!(event, Event::Start(_)) { of.start } else { of.end };
        (!stamp.is_some_and(|stamp| self.order.is_future(stamp, of))).then_some(reading)
    }

    /// The parent, if it is known which span that is.
    fn parent(&self) -> Option<(u32, &Span)> {
        let index = self.span.parent.filter(|parent| *parent != self.index)?;
        let parent = self.spans.get(index as usize)?;
        (!parent.duplicate).then_some((index, parent))
    }

    /// Whether the stamp came to an ancestor in the same process, which is better evidence.
    fn is_inherited(&self, stamp: Stamp) -> bool {
        let is_local = |parent: &Span| match (self.span.start, parent.start) {
            (Some(own), Some(of_parent)) => own.node == of_parent.node,
            _ => self.span.wall.is_some() && self.span.wall == parent.wall,
        };
        self.parent().is_some_and(|(_, parent)| parent.received == Some(stamp) && is_local(parent))
    }

    /// The node that stamped the message this span received, with the wall clock of the untagged span that sent it. A
    /// sender that only passes tracestate on passes on what it received; one that has a clock of its own does not.
    fn own_clock(&self) -> Option<(ClockId, ClockId)> {
        let (_, parent) = self.parent()?;
        let stamp = self.span.received?;
        let wall = parent.wall.filter(|wall| Some(*wall) != self.span.wall)?;
        let is_own = parent.start.is_none()
            && parent.received != Some(stamp)
            && !self.order.is_clashed(stamp.node)
            && !self.order.is_future(stamp, self.span);
        is_own.then_some((ClockId::Node(stamp.node), wall))
    }

    fn stamped(&self, stamp: Stamp, arrival: Reading, table: &Estimator) -> Option<Message> {
        let is_doubted =
            self.order.is_future(stamp, self.span) || self.order.is_clashed(stamp.node);
        let gap_ns = stamp.hlc.abs_diff(arrival.axis_ns).saturating_add(arrival.axis_gap_ns());
        (!is_doubted).then(|| Message {
            from: ClockId::Node(stamp.node),
            to: arrival.clock,
            sent_ns: stamp.hlc.saturating_sub(stamp.lead),
            received_ns: arrival.at_ns,
            slack_ns: table.settings().drift_over_ns(gap_ns),
            axis_ns: arrival.axis_ns,
            witness: self.witness,
        })
    }

    /// A child cannot start before its parent. SDKs that read the wall clock once a trace and count on from there are off
    /// by what it drifted since.
    fn unstamped(
        &self,
        parent: u32,
        arrival: Reading,
        parent_root_ns: Option<i64>,
        table: &Estimator,
    ) -> Option<Message> {
        let sent = self.reading(Event::Start(parent))?;
        let gap_ns = sent.axis_gap_ns().saturating_add(arrival.axis_gap_ns());
        (sent.clock != arrival.clock).then(|| Message {
            from: sent.clock,
            to: arrival.clock,
            sent_ns: sent.at_ns,
            received_ns: arrival.at_ns,
            slack_ns: table.settings().drift_over_ns(gap_ns).saturating_add(counting_ns(
                sent,
                parent_root_ns,
                table,
            )),
            axis_ns: arrival.axis_ns,
            witness: self.witness,
        })
    }

    fn arrived(&self, root_ns: i64, table: &Estimator) -> Option<Message> {
        let received_ns = self.span.received_at_ns?;
        let sent = self.reading(Event::End(self.index))?;
        let gap_ns = received_ns.abs_diff(sent.axis_ns).saturating_add(sent.axis_gap_ns());
        Some(Message {
            from: sent.clock,
            to: ClockId::Collector,
            sent_ns: sent.at_ns,
            received_ns,
            slack_ns: table.settings().drift_over_ns(gap_ns).saturating_add(counting_ns(
                sent,
                Some(root_ns),
                table,
            )),
            axis_ns: sent.axis_ns,
            witness: self.witness,
        })
    }

    fn round_trip(&self, parent: u32, client: &Span) -> Option<RoundTrip> {
        let is_call =
            client.responded && client.kind != Kind::Producer && self.span.kind != Kind::Consumer;
        let sent = self.reading(Event::Start(parent)).filter(|_| is_call)?;
        let returned = self.reading(Event::End(parent))?;
        let arrived = self.reading(Event::Start(self.index))?;
        let answered = self.reading(Event::End(self.index))?;
        let is_between_two = sent.clock == returned.clock
            && arrived.clock == answered.clock
            && sent.clock != arrived.clock;
        let shown_by = |stamp: &Stamp, clock: ClockId| {
            (ClockId::Node(stamp.node) == clock).then(|| stamp.hlc.saturating_sub(stamp.lead))
        };
        let sent_ns = self.span.received.and_then(|stamp| shown_by(&stamp, sent.clock));
        let responses = client.responses.iter();
        let answered_ns = responses.filter_map(|stamp| shown_by(stamp, answered.clock)).next_back();
        is_between_two.then(|| RoundTrip {
            client: sent.clock,
            server: arrived.clock,
            sent_ns: sent_ns.unwrap_or(sent.at_ns),
            arrived_ns: arrived.at_ns,
            answered_ns: answered_ns.unwrap_or(answered.at_ns),
            returned_ns: returned.at_ns,
            axis_ns: arrived.axis_ns,
            witness: self.witness,
        })
    }
}

/// By how much an untagged reading may be off because its SDK read the wall clock at the start of the trace only.
fn counting_ns(sent: Reading, root_ns: Option<i64>, table: &Estimator) -> i64 {
    let is_anchored = !matches!(sent.clock, ClockId::Node(_));
    let root_ns = root_ns.filter(|_| is_anchored).unwrap_or(sent.at_ns);
    let counted_ns = sent.at_ns.saturating_sub(root_ns).max(0).unsigned_abs();
    table.settings().drift_over_ns(counted_ns) / 2
}

/// For each span the claimed start of the first span of its process on the way from the root.
fn local_starts(spans: &[Span]) -> Vec<i64> {
    let mut starts: Vec<Option<i64>> = vec![None; spans.len()];
    let mut way: Vec<usize> = Vec::new();
    for index in 0..spans.len() {
        let mut at = index;
        let start = loop {
            if let Some(known) = starts.get(at).copied().flatten() {
                break known;
            }
            let Some(span) = spans.get(at) else { break 0 };
            way.push(at);
            let parent = span.parent.map(|parent| parent as usize);
            let local = parent.filter(|parent| {
                spans.get(*parent).is_some_and(|p| p.wall.is_some() && p.wall == span.wall)
            });
            match local {
                // A walk longer than there are spans goes round in a cycle.
                Some(parent) if way.len() <= spans.len() => at = parent,
                _ => break span.start_ns,
            }
        };
        for at in way.drain(..) {
            starts.get_mut(at).into_iter().for_each(|slot| *slot = Some(start));
        }
    }
    starts.into_iter().map(Option::unwrap_or_default).collect()
}
