//! `chatty_edge`: two services that talk too much for what they say.
//!
//! Each call pays for its way, whatever it asks. Two services that need many calls to do one thing pay more for the
//! network between them than for the work.
//!
//! | | |
//! |---|---|
//! | fires when | traces of one entry operation in which a service calls another make 10 calls or more in a twentieth of cases (p95), over at least 20 traces; or over at least 100 calls most took longer on the way than at the callee |
//! | not when | the callee's span is unknown: then nobody knows what of a call is the way |
//! | severity | medium |
//! | wrong if | the calls go to different owners or partitions |
//!
//! The way is the client's duration minus the server's, so no clock's offset matters.

use std::collections::BTreeMap;

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject};

/// Pairs of services, each with an entry operation, at most; about 600 bytes each.
const EDGES_MAX: usize = 10_000;
/// Calls of a trace that are told apart; more count as so many.
const CALLS_MAX: usize = 64;

/// Thresholds of [`ChattyEdge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChattyEdgeSettings {
    /// Calls of a trace at p95, at least, 10.
    pub calls_min: usize,
    /// Traces with the pair at least, 20.
    pub traces_min: u64,
    /// Calls at least, from which transport is compared with work, 100.
    pub transport_calls_min: u64,
}

impl Default for ChattyEdgeSettings {
    fn default() -> Self {
        Self { calls_min: 10, traces_min: 20, transport_calls_min: 100 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    entry_service: String,
    entry_operation: String,
    caller: String,
    callee: String,
}

#[derive(Debug, Default)]
struct Edge {
    /// Traces by how many calls they make.
    traces_by_calls: Vec<u64>,
    traces: Examples,
    calls: u64,
    /// Calls that were longer on the way than at the callee.
    on_the_way: u64,
    way_ns: i64,
    work_ns: i64,
}

/// Calls between services, by entry operation.
#[derive(Debug)]
pub struct ChattyEdge {
    settings: ChattyEdgeSettings,
    edges: BTreeMap<Key, Edge>,
    left_out: u64,
}

impl ChattyEdge {
    /// Nothing seen yet.
    pub fn new(settings: ChattyEdgeSettings) -> Self {
        Self { settings, edges: BTreeMap::new(), left_out: 0 }
    }
}

/// Calls of one trace over one edge.
#[derive(Debug, Default)]
struct Calls {
    count: usize,
    on_the_way: u64,
    way_ns: i64,
    work_ns: i64,
}

impl WindowDetector for ChattyEdge {
    fn rule(&self) -> Rule {
        Rule {
            id: "chatty_edge",
            rule_version: 1,
            fallacy: Fallacy::TransportCostIsZero,
            summary: "Two services that make many calls, or spend more on the way than on the work.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        let Some(root) = subject.root() else { return };
        let mut edges: BTreeMap<(&str, &str), Calls> = BTreeMap::new();
        for (_, call) in &subject.exits {
            let Some(server) = subject.server(*call) else { continue };
            let pair = (trace.service_text(*call), trace.service_text(server));
            if pair.0 == pair.1 {
                continue;
            }
            let work_ns = trace.duration_ns(server);
            let way_ns = trace.duration_ns(*call).saturating_sub(work_ns).max(0);
            let calls = edges.entry(pair).or_default();
            calls.count += 1;
            calls.on_the_way += u64::from(way_ns > work_ns);
            calls.way_ns = calls.way_ns.saturating_add(way_ns);
            calls.work_ns = calls.work_ns.saturating_add(work_ns);
        }
        for ((caller, callee), calls) in edges {
            let key = Key {
                entry_service: subject.entry_service().to_owned(),
                entry_operation: subject.entry_operation().to_owned(),
                caller: caller.to_owned(),
                callee: callee.to_owned(),
            };
            if self.edges.len() >= EDGES_MAX && !self.edges.contains_key(&key) {
                self.left_out += 1;
                continue;
            }
            let edge = self.edges.entry(key).or_default();
            edge.traces_by_calls.resize(CALLS_MAX + 1, 0);
            if let Some(traces) = edge.traces_by_calls.get_mut(calls.count.min(CALLS_MAX)) {
                *traces += 1;
            }
            edge.traces.see(subject, root);
            edge.calls += calls.count as u64;
            edge.on_the_way += calls.on_the_way;
            edge.way_ns = edge.way_ns.saturating_add(calls.way_ns);
            edge.work_ns = edge.work_ns.saturating_add(calls.work_ns);
        }
    }

    fn finish(&self) -> Vec<Finding> {
        let mut chatty: Vec<_> = self
            .edges
            .iter()
            .filter_map(|(key, edge)| {
                let p95 = edge.calls_at(95);
                let is_many =
                    p95 >= self.settings.calls_min && edge.traces.count >= self.settings.traces_min;
                let is_far = edge.calls >= self.settings.transport_calls_min
                    && edge.on_the_way * 2 > edge.calls;
                (is_many || is_far).then_some((key, edge, p95, is_many))
            })
            .collect();
        // Merging or batching saves what calls spend on the way.
        chatty.sort_by_key(|(key, edge, ..)| (std::cmp::Reverse(edge.way_ns), *key));
        chatty
            .into_iter()
            .map(|(key, edge, p95, is_many)| self.report(key, edge, p95, is_many))
            .collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl Edge {
    /// How many calls a trace makes at a percentile.
    fn calls_at(&self, percent: u64) -> usize {
        let rank = (self.traces.count * percent).div_ceil(100);
        let mut seen = 0;
        let reached = self.traces_by_calls.iter().position(|traces| {
            seen += traces;
            seen >= rank
        });
        reached.unwrap_or(0)
    }
}

impl ChattyEdge {
    fn report(&self, key: &Key, edge: &Edge, p95: usize, is_many: bool) -> Finding {
        let Key { entry_service, entry_operation, caller, callee } = key;
        let title = if is_many {
            format!("{caller} calls {callee} {p95} times in one {entry_operation}")
        } else {
            format!(
                "{caller} spends more time on the way to {callee} than {callee} works, in {entry_operation}"
            )
        };
        let way_ns_of_a_call = edge.way_ns / i64::try_from(edge.calls).unwrap_or(i64::MAX).max(1);
        let evidence = evidence(
            title.clone(),
            "Each call pays for its way, its serialising and its place in a queue, however little it asks.",
            "Ask for more at once, move the work to where the data are, or merge the two."
                .to_owned(),
            "The calls go to different owners or partitions, or run side by side at no cost.",
            [
                ("traces", edge.traces.count.into()),
                ("calls", edge.calls.into()),
                ("calls_p50", edge.calls_at(50).into()),
                ("calls_p95", p95.into()),
                ("calls_mostly_on_the_way", edge.on_the_way.into()),
                ("way_ns_mean", way_ns_of_a_call.into()),
                ("work_ns", edge.work_ns.into()),
            ],
        );
        let draft = WindowDraft {
            title,
            group: vec![caller, callee],
            entry: (entry_service, entry_operation),
            edge: (caller, callee),
            severity: Severity::Medium,
            examples: &edge.traces,
            wasted_ns: edge.way_ns,
            evidence,
        };
        draft.finding(self.rule())
    }
}
