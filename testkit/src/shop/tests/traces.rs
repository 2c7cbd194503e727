//! Traces are whole and the same for the same seed; every fault is there as often as it says, and nowhere when it is
//! left out.

use std::collections::{HashMap, HashSet};

use prost::Message;

use super::sent::{SECOND_NS, START_NS, Sent, by_trace, only, open_for, settings, spans};
use crate::proto::trace::v1::span::SpanKind;
use crate::shop::{Fault, Faults, Shop, ShopSettings};

fn bytes(settings: ShopSettings, exports: usize) -> Vec<u8> {
    Shop::new(settings).take(exports).flat_map(|export| export.request.encode_to_vec()).collect()
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let first = bytes(settings(7, Faults::all()), 300);
    assert_eq!(first, bytes(settings(7, Faults::all()), 300));
    assert_ne!(first, bytes(settings(8, Faults::all()), 300));
}

#[test]
fn another_start_moves_times_and_nothing_else() {
    let later =
        ShopSettings { start_unix_ns: START_NS + 77 * SECOND_NS, ..settings(7, Faults::all()) };
    let told = |settings: ShopSettings| {
        let exports: Vec<_> = Shop::new(settings).take(200).collect();
        let of = |sent: Sent| {
            let start_ns = sent.truth.start_ns - settings.start_unix_ns;
            let shown_ns = sent.span.start_time_unix_nano.cast_signed() - settings.start_unix_ns;
            (sent.span.trace_id, sent.span.span_id, sent.span.name, start_ns, shown_ns)
        };
        spans(&exports).into_iter().map(of).collect::<Vec<_>>()
    };
    // A clock of whole milliseconds rounds otherwise where the start is no whole number of them: 77 s are.
    assert_eq!(told(settings(7, Faults::all())), told(later));
}

#[test]
fn a_closed_shop_sends_what_is_under_way_and_ends() {
    let (exports, truth) = open_for(settings(3, Faults::all()), 20);
    assert!(truth.journeys > 150, "{}", truth.journeys);
    let sent = spans(&exports);
    let roots =
        sent.iter().filter(|s| s.service() == "storefront" && s.span.parent_span_id.is_empty());
    assert_eq!(roots.count() as u64, truth.journeys);
    assert!(exports.is_sorted_by_key(|export| export.at_ns));
}

#[test]
fn every_trace_is_one_tree_in_true_time() {
    let (exports, _) = open_for(settings(4, Faults::all()), 30);
    for trace in by_trace(spans(&exports)) {
        let by_id: HashMap<&[u8], &Sent> =
            trace.iter().map(|sent| (&sent.span.span_id[..], sent)).collect();
        assert_eq!(by_id.len(), trace.len(), "span ids are unique");
        let roots = trace.iter().filter(|sent| sent.span.parent_span_id.is_empty()).count();
        assert_eq!(roots, 1);
        for sent in &trace {
            assert_eq!(sent.span.span_id, sent.truth.span_id);
            assert!(sent.truth.start_ns < sent.truth.end_ns && sent.truth.end_ns < sent.at_ns);
            assert!(!sent.span.name.is_empty() && sent.span.kind() != SpanKind::Unspecified);
            if sent.span.parent_span_id.is_empty() {
                continue;
            }
            let parent = by_id.get(&sent.span.parent_span_id[..]).expect("its parent was sent");
            assert!(parent.truth.start_ns < sent.truth.start_ns);
            let is_remote = parent.truth.instance != sent.truth.instance;
            let crosses = matches!(sent.span.kind(), SpanKind::Server | SpanKind::Consumer);
            assert_eq!(is_remote, crosses, "{} beneath {}", sent.span.name, parent.span.name);
        }
    }
}

#[test]
fn spans_of_a_trace_arrive_in_many_requests_and_not_in_order() {
    let (exports, _) = open_for(settings(5, Faults::all()), 20);
    let traces = by_trace(spans(&exports));
    let requests = |trace: &[Sent]| trace.iter().map(|s| s.at_ns).collect::<HashSet<_>>().len();
    let is_shuffled = |trace: &&Vec<Sent>| !trace.is_sorted_by_key(|s| s.truth.start_ns);
    assert!(traces.iter().all(|trace| requests(trace) <= trace.len()));
    let spread = traces.iter().filter(|trace| requests(trace) >= 3).count();
    assert!(spread * 2 > traces.len(), "{spread} of {}", traces.len());
    assert!(traces.iter().filter(is_shuffled).count() * 2 > traces.len());
}

#[test]
fn every_fault_is_there_as_often_as_it_says() {
    let (_, truth) = open_for(settings(6, Faults::all()), 240);
    for fault in &truth.faults {
        let (line, seen, asked) = (fault.line, fault.sighting.traces, fault.asked);
        assert!(seen > 0 && asked > 20, "{}: {seen} of {asked}", line.name);
        if line.per_mille == 0 {
            continue;
        }
        // Four standard deviations of that many draws, and one to round.
        let expected = asked as f64 * line.per_mille as f64 / 1e3;
        let deviation = (expected * (1.0 - line.per_mille as f64 / 1e3)).sqrt();
        let off = (seen as f64 - expected).abs();
        assert!(off <= 4.0 * deviation + 1.0, "{}: {seen} of {asked}", line.name);
    }
}

#[test]
fn a_fault_that_is_left_out_is_nowhere() {
    let (exports, truth) = open_for(settings(9, Faults::NONE), 40);
    assert!(truth.faults.is_empty());
    assert!(
        spans(&exports).iter().all(|sent| sent.span.status.is_none()),
        "nothing fails by itself"
    );
}

#[test]
fn a_fault_is_there_without_the_others() {
    for fault in Fault::all() {
        let seconds = if fault == Fault::MissingTimeout { 240 } else { 25 };
        let (_, truth) = open_for(settings(9, only(fault)), seconds);
        for found in &truth.faults {
            assert!(found.sighting.traces > 0, "{fault:?} does not bring {}", found.line.name);
        }
        assert!(truth.faults.iter().any(|found| found.fault() == fault));
        assert!(truth.faults.len() <= 4, "{fault:?} brings others");
    }
}

#[test]
fn examples_are_traces_that_were_sent() {
    let (exports, truth) = open_for(settings(10, Faults::all()), 60);
    let known: HashSet<Vec<u8>> = spans(&exports).into_iter().map(|s| s.span.trace_id).collect();
    for fault in truth.faults {
        let examples = &fault.sighting.examples;
        assert!(examples.len() <= 5);
        assert!(examples.iter().all(|id| known.contains(id)), "{}", fault.line.name);
    }
}
