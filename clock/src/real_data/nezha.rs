//! Two applications on eight and ten nodes: one clock that drifts, and servers that end late where nothing is skewed.

use std::collections::{BTreeMap, BTreeSet};

use super::otlp::{Trace, clock, read};
use super::{SECOND, US, learn, one_rate, shared};
use crate::offsets::{OffsetSettings, Solver, State};

#[test]
fn drift_of_the_node_of_the_adservice_is_found() {
    let Some(path) = shared("nezha-onlineboutique/otlp.jsonl.gz") else { return };
    let traces = read(&path, |_, host| host.to_owned());
    let table = learn(&traces, one_rate());
    let mut solver = Solver::new(&table);
    let mut minutes: BTreeMap<i64, i64> = BTreeMap::new();
    for trace in &traces {
        let start_ns = trace.spans[0].start_ns;
        minutes.entry(start_ns / (3_600 * SECOND)).or_insert(start_ns);
    }
    let (frontend, ads) = ("33.33.33.167", "33.33.33.76");
    let mut found = Vec::new();
    for at_ns in minutes.values() {
        let pair = solver.pair(clock(frontend), clock(ads), *at_ns);
        eprintln!("Online Boutique at {}: {:?} {:?}", at_ns / SECOND, pair.state, pair.likely_ns);
        found.extend(pair.likely_ns);
    }
    let hosts: BTreeSet<&String> = traces.iter().flat_map(|trace| &trace.hosts).collect();
    for host in hosts.iter().filter(|host| ![frontend, ads, ""].contains(&host.as_str())) {
        for at_ns in minutes.values() {
            let pair = solver.pair(clock(frontend), clock(host), *at_ns);
            let bounds = pair.likely_ns;
            assert!(bounds.is_none_or(|(lo, hi)| lo <= 0 && 0 <= hi), "{host} {bounds:?}");
        }
    }
    let known = [(-511, -180), (-544, -186), (-550, -342), (-989, -605)];
    assert_eq!(found.len(), known.len());
    for ((lo, hi), known) in found.iter().zip(known) {
        // What is known was rounded to microseconds.
        assert!(*lo >= (known.0 - 1) * US && *hi <= (known.1 + 1) * US, "{lo} {hi} {known:?}");
        assert!(lo < hi && *hi < 0);
    }
    assert!(found[3].1 < found[0].0, "the first and last do not meet, so the clock drifted");
}

/// What was found of pairs of services on one node, as if nobody knew that they share its clock.
#[derive(Debug, Default)]
struct OneNode {
    pairs: usize,
    /// Certain bounds that exclude zero: false skew.
    certain_wrong: usize,
    likely: usize,
    /// Likely bounds that exclude zero, of pairs that call each other in the window and of others.
    likely_wrong: [usize; 2],
}

fn on_one_node(traces: &[Trace], settings: OffsetSettings) -> OneNode {
    let table = learn(traces, settings);
    let mut on_node: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for trace in traces {
        for (service, host) in trace.services.iter().zip(&trace.hosts) {
            on_node.entry(host).or_default().insert(service);
        }
    }
    on_node.remove("");
    let mut solver = Solver::new(&table);
    let windows: BTreeSet<i64> = table.rows().map(|row| row.window).collect();
    let mut found = OneNode::default();
    for (window, (node, services)) in
        windows.iter().flat_map(|window| on_node.iter().map(move |of| (*window, of)))
    {
        for (a, b) in services.iter().flat_map(|a| services.iter().map(move |b| (a, b))) {
            let of = |service: &str| clock(&format!("{service}@{node}"));
            if a >= b {
                continue;
            }
            let pair = solver.pair_in(of(a), of(b), window);
            found.pairs += usize::from(pair.state != State::None);
            let is_wrong =
                pair.lo_ns.is_some_and(|lo| lo > 0) || pair.hi_ns.is_some_and(|hi| hi < 0);
            found.certain_wrong += usize::from(is_wrong);
            found.likely += usize::from(pair.likely_ns.is_some());
            let is_wrong = pair.likely_ns.is_some_and(|(lo, hi)| lo > 0 || hi < 0);
            found.likely_wrong[usize::from(pair.messages == 0)] += usize::from(is_wrong);
        }
    }
    found
}

#[test]
fn late_servers_and_whole_milliseconds_show_no_skew_on_one_node() {
    let Some(path) = shared("nezha-trainticket/otlp.jsonl.gz") else { return };
    let traces = read(&path, |service, host| format!("{service}@{host}"));
    for settings in [OffsetSettings::default(), one_rate()] {
        let found = on_one_node(&traces, settings);
        eprintln!("TrainTicket: {found:?}");
        assert!(found.pairs > 0 && found.certain_wrong == 0);
        // Bounds that are likely only do go wrong, perhaps because a server that ends late by less than the way takes
        // does not show it. 11 of 18,341 with the defaults, 9 of 411 with one rate; guesses and drawings use them.
        assert_eq!(found.likely_wrong[0], 0, "no pair that calls each other");
        assert!(found.likely_wrong[1] * 20 < found.likely, "{found:?}");
    }
}
