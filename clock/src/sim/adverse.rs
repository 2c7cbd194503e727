//! Traces that somebody tampered with, and very large ones: flags are right, work is bounded, nothing wrong is proven.

use std::num::NonZeroU64;

use super::random::Random;
use super::run::{Run, Trace};
use super::world::{Ahead, World};
use crate::offsets::{Estimator, Message, OffsetSettings, Solver, State, observe, report};
use crate::order::{Event, Fault, Order, OrderSettings, Span, SpanOrder};
use crate::{ClockId, NodeId, Stamp};

const YEAR_NS: i64 = 365 * 86_400_000_000_000;

fn small(seed: u64) -> World {
    World { seed, nodes: 5, duration_ns: 1_500_000_000, ..World::default() }
}

fn order_of(spans: &[Span]) -> Order {
    Order::build(spans, &[], &OrderSettings::default()).expect("few spans")
}

/// Proofs about all pairs of a sample of events that contradict the truth.
fn wrong_proofs(order: &Order, trace: &Trace, random: &mut Random) -> usize {
    let any = |random: &mut Random| {
        let span = random.below(trace.spans.len() as u64) as u32;
        if random.chance(0.5) { Event::Start(span) } else { Event::End(span) }
    };
    let is_wrong = |_: &usize| {
        let (a, b) = (any(random), any(random));
        order.precedes(a, b) && trace.true_time_ns(a) > trace.true_time_ns(b)
    };
    (0..150).filter(is_wrong).count()
}

/// Plays worlds, lets somebody tamper with every trace, and returns how often each fault was found.
fn tampered(
    worlds: impl Iterator<Item = World>,
    mut tamper: impl FnMut(&mut Trace, &mut Random),
) -> [usize; Fault::ALL.len()] {
    let mut found = [0; Fault::ALL.len()];
    for world in worlds {
        let mut random = Random::new(world.seed);
        for mut trace in Run::play(&world).traces {
            tamper(&mut trace, &mut random);
            let order = order_of(&trace.spans);
            for violation in order.violations() {
                found[violation.fault as usize] += 1;
            }
            assert_eq!(wrong_proofs(&order, &trace, &mut random), 0, "seed {}", world.seed);
        }
    }
    found
}

fn any_span<'a>(trace: &'a mut Trace, random: &mut Random) -> &'a mut Span {
    let span = random.below(trace.spans.len() as u64) as usize;
    &mut trace.spans[span]
}

#[test]
fn a_clock_a_year_ahead_proves_nothing_wrong_whether_it_is_refused_or_not() {
    for offset_ns_max in [500_000_000, i64::MAX] {
        let ahead = Some(Ahead { node: 1, by_ns: YEAR_NS });
        let worlds = (0..10).map(|seed| World { ahead, offset_ns_max, ..small(seed) });
        let found = tampered(worlds, |_, _| {});
        assert!(found[Fault::Future as usize] > 1_000);
    }
}

#[test]
fn forged_stamps_a_year_ahead_prove_nothing() {
    let found = tampered((0..20).map(small), |trace, random| {
        let node = any_span(trace, random).start.map(|stamp| stamp.node);
        let ahead = |stamp: Stamp| Stamp { hlc: stamp.hlc + YEAR_NS, ..stamp };
        let victim = any_span(trace, random);
        let own = victim.start.map(ahead);
        victim.received = own.zip(node).map(|(stamp, node)| Stamp { node, ..stamp });
        victim.rejected = victim.received;
        let liar = any_span(trace, random);
        (liar.start, liar.end) = (liar.start.map(ahead), liar.end.map(ahead));
        let linked = any_span(trace, random);
        linked.responses.extend(own.zip(node).map(|(stamp, node)| Stamp { node, ..stamp }));
    });
    assert!(found[Fault::Future as usize] > 500 && found[Fault::Backdated as usize] > 200);
}

#[test]
fn clones_are_seen_and_prove_nothing_about_their_id() {
    let clones = |seed| World { clones: Some((0, 1)), ..small(seed) };
    let found = tampered((0..20).map(clones), |_, _| {});
    assert!(found[Fault::Clash as usize] > 1_000);
}

#[test]
fn replayed_contexts_prove_only_what_is_true() {
    let found = tampered((0..20).map(small), |trace, random| {
        // A stamp that some message really carried, received once more by whoever started later.
        let sent = any_span(trace, random).received;
        let sent_before_ns = trace
            .spans
            .iter()
            .zip(&trace.true_ns)
            .filter(|(span, _)| span.received == sent)
            .map(|(_, (start_ns, _))| *start_ns)
            .min();
        let span = random.below(trace.spans.len() as u64) as usize;
        if sent_before_ns.is_some_and(|ns| ns < trace.true_ns[span].0) && sent.is_some() {
            trace.spans[span].received = sent;
        }
    });
    assert!(found[Fault::Replayed as usize] > 50);
}

#[test]
fn an_id_of_two_spans_proves_nothing_about_who_is_meant() {
    let found = tampered((0..20).map(small), |trace, random| {
        let spans = trace.spans.len() as u64;
        let (a, b) = (random.below(spans) as u32, random.below(spans) as u32);
        for span in &mut trace.spans {
            span.parent = span.parent.map(|parent| if parent == a { b } else { parent });
            for link in &mut span.links {
                link.span = link.span.map(|linked| if linked == a { b } else { linked });
            }
        }
        trace.spans[a as usize].duplicate = true;
        trace.spans[b as usize].duplicate = true;
    });
    assert!(found[Fault::Duplicate as usize] > 2_000 && found[Fault::Clash as usize] == 0);
}

#[test]
fn parents_in_cycles_prove_nothing() {
    let found = tampered((0..20).map(small), |trace, random| {
        let span = random.below(trace.spans.len() as u64) as u32;
        let mut top = span;
        while let Some(parent) = trace.spans[top as usize].parent {
            top = parent;
        }
        trace.spans[top as usize].parent = Some(span);
    });
    assert!(found[Fault::Cycle as usize] > 2_000);
}

#[test]
fn a_hundred_thousand_spans_are_ordered_as_one_trace() {
    let run = Run::play(&World { duration_ns: 80_000_000_000, ..World::default() });
    let (spans, begins) = run.together();
    assert!(spans.len() > 100_000, "{}", spans.len());
    let mut order = order_of(&spans);
    assert!(order.violations().is_empty());
    assert!(order.prepare());
    let truth: Vec<(i64, i64)> =
        run.traces.iter().flat_map(|trace| trace.true_ns.clone()).collect();
    let whole = Trace { spans: Vec::new(), true_ns: truth, nodes: Vec::new() };
    let mut random = Random::new(1);
    let mut proven = 0;
    for _ in 0..20_000 {
        let mut any = || Event::Start(random.below(spans.len() as u64) as u32);
        let (a, b) = (any(), any());
        if order.precedes(a, b) {
            proven += 1;
            assert!(whole.true_time_ns(a) < whole.true_time_ns(b));
        }
    }
    assert!(proven > 5_000, "{proven}");
    let middle = begins[begins.len() / 2];
    assert_eq!(order.cone(middle).len(), spans.len());
    assert!(order.open_at(order.hlc(Event::Start(middle)).unwrap_or(0)).pulled == 0);
}

/// A trace of which every span lies: parents go round in one cycle through all, two node ids are shared by all, every stamp
/// comes twice, and each span shows stamps of the next year and of its descendants.
#[test]
fn a_hundred_thousand_spans_that_all_lie_are_ordered_in_bounded_work() {
    const SPANS: u32 = 100_000;
    let now = 1_780_000_000_000_000_001;
    let stamp = |node: u64, hlc: i64| Stamp {
        node: NodeId(NonZeroU64::MIN.saturating_add(node % 2)),
        hlc,
        lead: 0,
    };
    let span = |nth: u32| {
        let at = now + i64::from(nth / 2) * 1_000;
        let node = u64::from(nth / 3);
        Span {
            parent: Some((nth + 1) % SPANS),
            instance: Some(u64::from(nth % 5)),
            start: Some(stamp(node, at)),
            end: Some(stamp(node, at + if nth.is_multiple_of(7) { -1 } else { 500 })),
            received: Some(stamp(
                node + 1,
                if nth.is_multiple_of(2) { at + YEAR_NS } else { at + 9_000 },
            )),
            responses: (0..8).map(|later| stamp(node + later, at + later as i64 * 700)).collect(),
            start_ns: at,
            end_ns: at + 500,
            received_at_ns: Some(now + 1_000_000_000),
            ..Span::default()
        }
    };
    let spans: Vec<Span> = (0..SPANS).map(span).collect();
    let order = order_of(&spans);
    let flagged =
        |fault: Fault| (0..SPANS).filter(|span| order.faults(*span).contains(fault)).count() as u32;
    assert_eq!((flagged(Fault::Clash), flagged(Fault::Cycle)), (SPANS, SPANS));
    assert!(flagged(Fault::Future) >= SPANS / 2 && flagged(Fault::Order) >= SPANS / 2);
    // Of all this only each span's own start and end can be right.
    assert_eq!(order.cone(SPANS / 2).iter().filter(|o| **o != SpanOrder::Undecided).count(), 1);
    assert!(order.precedes(Event::Start(7), Event::End(7)));
    let mut table = Estimator::new(OffsetSettings::default());
    observe(&mut table, &spans, &order, u64::from);
    assert_eq!(table.rows().count(), 0, "nothing is learnt from doubted stamps");
}

fn clock(id: u64) -> ClockId {
    ClockId::Node(NodeId(NonZeroU64::MIN.saturating_add(id)))
}

#[test]
fn ten_thousand_clocks_are_ordered_and_bounded() {
    const CLOCKS: u64 = 10_000;
    let now = 1_780_000_000_000_000_001;
    let node = |id: u64| NodeId(NonZeroU64::MIN.saturating_add(id));
    // A message goes round through all of them, and back.
    let spans: Vec<Span> = (0..CLOCKS * 2)
        .map(|nth| {
            let at = |nth: u64, after: i64| Stamp {
                node: node(nth.min(CLOCKS * 2 - 1 - nth)),
                hlc: now + nth as i64 * 1_000 + after,
                lead: 0,
            };
            Span {
                parent: nth.checked_sub(1).map(|before| before as u32),
                start: Some(at(nth, 0)),
                end: Some(at(nth, 900)),
                received: nth.checked_sub(1).map(|before| at(before, 500)),
                start_ns: at(nth, 0).hlc,
                end_ns: at(nth, 900).hlc,
                ..Span::default()
            }
        })
        .collect();
    let mut order = order_of(&spans);
    assert!(!order.prepare(), "10,000 chains of 40,000 events are beyond the limit");
    assert!(order.precedes(Event::Start(0), Event::Start(CLOCKS as u32 * 2 - 1)));
    assert!(!order.precedes(Event::End(5), Event::Start(6)));

    let mut table = Estimator::new(OffsetSettings::default());
    observe(&mut table, &spans, &order, u64::from);
    let mut solver = Solver::new(&table);
    let far = solver.pair(clock(0), clock(CLOCKS - 1), now);
    assert_eq!(far.state, State::TwoSided);
    assert_eq!(solver.explain(clock(0), clock(CLOCKS - 1), now).len() as u64, CLOCKS - 1);
    let window = table.settings().window(now);
    assert_eq!(report(&mut solver, clock(0), window..=window).len() as u64, CLOCKS);
}

#[test]
fn ten_thousand_clocks_that_contradict_each_other_are_given_up_in_bounded_time() {
    let mut random = Random::new(5);
    let mut table = Estimator::new(OffsetSettings::default());
    for witness in 0..60_000 {
        let (from, to) = (clock(random.below(10_000)), clock(random.below(10_000)));
        let sent_ns = 1_780_000_000_000_000_001;
        let received_ns = sent_ns + random.between(-2e9, 3e9) as i64;
        let (axis_ns, slack_ns) = (sent_ns + random.below(5_000_000_000) as i64, 0);
        table.add(&Message { from, to, sent_ns, received_ns, slack_ns, axis_ns, witness });
    }
    let mut solver = Solver::new(&table);
    let pair = solver.pair(clock(1), clock(2), 1_780_000_002_000_000_000);
    assert_eq!(pair.state, State::Inconsistent);
}
