//! What order and offsets claim about the shop's spans, against the truth: nothing proven and nothing bounded is wrong.

use causeway_clock::NodeId;
use causeway_clock::offsets::{Estimator, OffsetSettings, Solver, observe};
use causeway_clock::order::{
    Class, Event, EventOrder, Fault as SpanFault, Order, OrderSettings, Span,
};

use super::order_spans::{read, true_ns};
use super::sent::{Sent, by_trace, open_for, settings, spans};
use crate::shop::{Fault, Faults};
use crate::traffic::random::Random;

pub(super) fn order_of(spans: &[Span]) -> Order {
    let mut order = Order::build(spans, &[], &OrderSettings::default()).expect("few spans");
    order.prepare();
    order
}

/// Traces with their spans read for the order, and all evidence of offsets in them.
pub(super) fn evidence(traces: &[Vec<Sent>]) -> (Vec<(Vec<Span>, Order)>, Estimator) {
    let mut table = Estimator::new(OffsetSettings::default());
    let mut ordered = Vec::new();
    for (nth, trace) in (0u64..).zip(traces) {
        let spans = read(trace);
        let order = order_of(&spans);
        observe(&mut table, &spans, &order, |span| nth << 32 | u64::from(span));
        ordered.push((spans, order));
    }
    (ordered, table)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    asked: u64,
    proven: u64,
    bounded: u64,
    wrong_proven: u64,
    wrong_bounded: u64,
}

fn ask(
    trace: &[Sent],
    order: &Order,
    solver: &mut Solver<'_>,
    random: &mut Random,
    tally: &mut Tally,
) {
    let any = |random: &mut Random| {
        let span = random.between(0, trace.len() as u64) as u32;
        if random.chance(500) { Event::Start(span) } else { Event::End(span) }
    };
    for _ in 0..40 {
        let (a, b) = (any(random), any(random));
        let (at_a, at_b) = (true_ns(trace, a), true_ns(trace, b));
        let instance = |event| match event {
            Event::Start(span) | Event::End(span) => trace[span as usize].truth.instance,
            Event::Tick(_) => usize::MAX,
        };
        if at_a == at_b || instance(a) == instance(b) {
            continue;
        }
        let is_right = |order| match order {
            EventOrder::Before => at_a < at_b,
            EventOrder::After => at_b < at_a,
            EventOrder::Same | EventOrder::Undecided => true,
        };
        tally.asked += 1;
        let relation = order.relation(a, b, Some(solver));
        match relation.class {
            Class::Proven => {
                tally.proven += 1;
                tally.wrong_proven += u64::from(!is_right(relation.order));
            }
            Class::Bounded => {
                tally.bounded += 1;
                tally.wrong_bounded += u64::from(!is_right(relation.order));
            }
            Class::Inferred | Class::Guessed | Class::Unknown => {}
        }
    }
}

#[test]
fn nothing_proven_and_nothing_bounded_is_wrong() {
    let mut tally = Tally::default();
    for seed in 20..23 {
        let (exports, _) = open_for(settings(seed, Faults::all()), 60);
        let traces = by_trace(spans(&exports));
        let (ordered, table) = evidence(&traces);
        let mut solver = Solver::new(&table);
        let mut random = Random::new(seed);
        for (trace, (_, order)) in traces.iter().zip(&ordered) {
            ask(trace, order, &mut solver, &mut random, &mut tally);
        }
    }
    assert_eq!((tally.wrong_proven, tally.wrong_bounded), (0, 0), "{tally:?}");
    // The test could fail: it asked much, and much was decided.
    assert!(tally.asked > 30_000, "{tally:?}");
    assert!(tally.proven * 100 > tally.asked * 40, "{tally:?}");
    assert!(tally.bounded > 1_000, "{tally:?}");
}

#[test]
fn nothing_proven_is_wrong_across_traces() {
    let (exports, _) = open_for(settings(24, Faults::all()), 30);
    let all: Vec<Sent> = by_trace(spans(&exports)).into_iter().flatten().collect();
    let order = order_of(&read(&all));
    let mut random = Random::new(24);
    let mut proven = 0;
    for _ in 0..50_000 {
        let mut any = || {
            let span = random.between(0, all.len() as u64) as u32;
            if random.chance(500) { Event::Start(span) } else { Event::End(span) }
        };
        let (a, b) = (any(), any());
        if order.precedes(a, b) {
            proven += 1;
            assert!(true_ns(&all, a) <= true_ns(&all, b), "{a:?} {b:?}");
        }
    }
    assert!(proven > 10_000, "{proven}");
}

/// Faults of spans, by who is at fault.
fn violations(faults: Faults) -> Vec<(String, SpanFault)> {
    let (exports, _) = open_for(settings(25, faults), 60);
    let mut found = Vec::new();
    for trace in by_trace(spans(&exports)) {
        let order = order_of(&read(&trace));
        for violation in order.violations() {
            found.push((trace[violation.span as usize].instance().to_owned(), violation.fault));
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn clones_and_deaf_propagators_are_flagged_and_nobody_else() {
    let expected = |name: &str, fault| (name.to_owned(), fault);
    let stamps = Faults::NONE.with(Fault::ClockOffset).with(Fault::DeafPropagator);
    assert_eq!(
        violations(stamps.with(Fault::ClonedNode)),
        [
            expected("search-1", SpanFault::Clash),
            expected("search-2", SpanFault::Clash),
            expected("shipping-2", SpanFault::Order),
        ]
    );
    assert_eq!(violations(Faults::NONE), []);
}

#[test]
fn refused_stamps_are_those_of_the_clock_that_is_ahead() {
    let (exports, truth) = open_for(settings(26, Faults::all()), 60);
    let ahead = truth.clocks.iter().find(|clock| clock.instance.name == "inventory-2");
    let nodes: Vec<NodeId> = ahead.expect("there is one").nodes.iter().map(|n| n.node).collect();
    let mut refused = 0;
    for trace in by_trace(spans(&exports)) {
        for (span, sent) in read(&trace).iter().zip(&trace) {
            let Some(stamp) = span.rejected else { continue };
            refused += 1;
            assert!(nodes.contains(&stamp.node) && sent.service() == "catalogue");
            assert_eq!(span.received, Some(stamp));
        }
    }
    let on_record = truth.faults.iter().find(|f| f.fault() == Fault::RefusedStamps);
    assert_eq!(Some(refused), on_record.map(|f| f.sighting.traces));
}

#[test]
fn by_its_own_clock_a_service_answers_before_it_was_asked() {
    let (exports, truth) = open_for(settings(27, Faults::all()), 60);
    let mut impossible = 0;
    for trace in by_trace(spans(&exports)) {
        let read = read(&trace);
        let order = order_of(&read);
        for (nth, sent) in (0u32..).zip(&trace).filter(|(_, sent)| sent.instance() == "shipping-2")
        {
            let span = &read[nth as usize];
            let Some(parent) = span.parent.filter(|p| trace[*p as usize].service() == "gateway")
            else {
                continue;
            };
            assert!(order.precedes(Event::Start(parent), Event::Start(nth)));
            assert!(
                sent.span.start_time_unix_nano < trace[parent as usize].span.start_time_unix_nano
            );
            impossible += 1;
        }
    }
    let on_record = truth.faults.iter().find(|f| f.fault() == Fault::ImpossibleOrder);
    assert_eq!(Some(impossible), on_record.map(|f| f.sighting.traces));
}
