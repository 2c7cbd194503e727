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
        minutes.entry(start_ns / (600 * SECOND)).or_insert(start_ns);
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

/// Intervals of all pairs of services on one node, as if nobody knew that they share its clock, that do not hold zero.
fn false_skews(traces: &[Trace], settings: OffsetSettings) -> (usize, Vec<String>) {
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
    let (mut asked, mut wrong) = (0, Vec::new());
    for window in windows {
        for (node, services) in &on_node {
            for (a, b) in services.iter().flat_map(|a| services.iter().map(move |b| (a, b))) {
                if a >= b {
                    continue;
                }
                let of = |service: &str| clock(&format!("{service}@{node}"));
                let pair = solver.pair_in(of(a), of(b), window);
                asked += usize::from(pair.state != State::None);
                let is_wrong = pair.lo_ns.is_some_and(|lo| lo > 0)
                    || pair.hi_ns.is_some_and(|hi| hi < 0)
                    || pair.likely_ns.is_some_and(|(lo, hi)| lo > 0 || hi < 0);
                if is_wrong {
                    wrong.push(format!("{node} {a} {b} {pair:?}"));
                }
            }
        }
    }
    (asked, wrong)
}

#[test]
fn late_servers_and_whole_milliseconds_show_no_skew_on_one_node() {
    let Some(path) = shared("nezha-trainticket/otlp.jsonl.gz") else { return };
    let traces = read(&path, |service, host| format!("{service}@{host}"));
    for settings in [OffsetSettings::default(), one_rate()] {
        let (asked, wrong) = false_skews(&traces, settings);
        eprintln!("TrainTicket: {asked} pairs and windows on one node, {} wrong", wrong.len());
        wrong.iter().take(5).for_each(|wrong| eprintln!("{wrong}"));
        assert!(asked > 0 && wrong.is_empty());
    }
}
