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

/// What was found of pairs of services on one node.
#[derive(Debug, Default)]
struct OneNode {
    pairs: usize,
    /// Certain bounds that exclude zero: false skew.
    certain_wrong: usize,
    likely: usize,
    /// Likely bounds that exclude zero.
    likely_wrong: usize,
}

/// Whether it is known which services share a host, as it is from `host.name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hosts {
    Known,
    Unknown,
}

fn on_one_node(traces: &[Trace], settings: OffsetSettings, hosts: Hosts) -> OneNode {
    let mut table = learn(traces, settings);
    let mut on_node: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for trace in traces {
        for (service, host) in trace.services.iter().zip(&trace.hosts) {
            on_node.entry(host).or_default().insert(service);
            if hosts == Hosts::Known && !host.is_empty() {
                table.tie(clock(&format!("{service}@{host}")), clock(host));
            }
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
            let excludes_zero = |(lo, hi): (Option<i64>, Option<i64>)| {
                lo.is_some_and(|lo| lo > 0) || hi.is_some_and(|hi| hi < 0)
            };
            found.pairs += usize::from(pair.state != State::None);
            found.certain_wrong += usize::from(excludes_zero((pair.lo_ns, pair.hi_ns)));
            found.likely += usize::from(pair.likely_ns.is_some());
            let likely = pair.likely_ns.map(|(lo, hi)| (Some(lo), Some(hi)));
            found.likely_wrong += usize::from(likely.is_some_and(excludes_zero));
        }
    }
    found
}

#[test]
fn late_servers_and_whole_milliseconds_show_no_skew_on_one_node() {
    let Some(path) = shared("nezha-trainticket/otlp.jsonl.gz") else { return };
    let traces = read(&path, |service, host| format!("{service}@{host}"));
    for settings in [OffsetSettings::default(), one_rate()] {
        for hosts in [Hosts::Unknown, Hosts::Known] {
            let found = on_one_node(&traces, settings, hosts);
            eprintln!("TrainTicket, hosts {hosts:?}: {found:?}");
            assert!(found.pairs > 0 && found.certain_wrong == 0 && found.likely_wrong == 0);
            assert!(found.likely > 0);
        }
    }
}
