//! `distributed_monolith`: services that are several processes and one program.
//!
//! Services that need each other for everything cannot be changed, scaled or repaired alone. They have the costs of a
//! network and none of its freedom.
//!
//! | | |
//! |---|---|
//! | fires when | two services appear together in at least 90 % of the traces with either, over at least 50, call each other both ways at least 20 times each, and at least half of at least 5 traces in which one fails show the other failing too; pairs with a service in common are one group |
//! | not when | one merely calls the other; one is used by others alone as well |
//! | severity | medium |
//! | wrong if | the calls back are webhooks that the first does not wait for |

use std::collections::{BTreeMap, BTreeSet};

use causeway_model::trace::Status;

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject};

/// Services at most.
const SERVICES_MAX: usize = 2_000;
/// Pairs of services that call each other at most; about 250 bytes each.
const PAIRS_MAX: usize = 20_000;

/// Thresholds of [`DistributedMonolith`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributedMonolithSettings {
    /// Share of the traces with either in which both are, at least, 90 %.
    pub together_percent_min: u64,
    /// Traces with both at least, 50.
    pub traces_min: u64,
    /// Calls in each direction at least, 20.
    pub calls_min: u64,
    /// Share of the traces in which one fails where both do, at least, 50 %.
    pub fail_percent_min: u64,
    /// Traces in which one fails at least, 5.
    pub failures_min: u64,
}

impl Default for DistributedMonolithSettings {
    fn default() -> Self {
        Self {
            together_percent_min: 90,
            traces_min: 50,
            calls_min: 20,
            fail_percent_min: 50,
            failures_min: 5,
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    traces: u64,
    failed: u64,
}

/// Two services, the first by name first.
#[derive(Debug, Default)]
struct Pair {
    together: Examples,
    failed_both: u64,
    calls: u64,
    calls_back: u64,
}

/// Services and the pairs that call each other.
#[derive(Debug)]
pub struct DistributedMonolith {
    settings: DistributedMonolithSettings,
    services: BTreeMap<String, Seen>,
    pairs: BTreeMap<(String, String), Pair>,
    left_out: u64,
}

impl DistributedMonolith {
    /// Nothing seen yet.
    pub fn new(settings: DistributedMonolithSettings) -> Self {
        Self { settings, services: BTreeMap::new(), pairs: BTreeMap::new(), left_out: 0 }
    }
}

impl WindowDetector for DistributedMonolith {
    fn rule(&self) -> Rule {
        Rule {
            id: "distributed_monolith",
            rule_version: 1,
            fallacy: Fallacy::TransportCostIsZero,
            summary: "Services that always appear together, call each other both ways and fail together.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        let Some(root) = subject.root() else { return };
        let mut present: BTreeMap<&str, bool> = BTreeMap::new();
        for row in trace.rows() {
            let service = trace.service_text(row);
            if !service.is_empty() {
                *present.entry(service).or_default() |= trace.status(row) == Status::Error;
            }
        }
        for (service, failed) in &present {
            if self.services.len() >= SERVICES_MAX && !self.services.contains_key(*service) {
                self.left_out += 1;
                continue;
            }
            let of = self.services.entry((*service).to_owned()).or_default();
            of.traces += 1;
            of.failed += u64::from(*failed);
        }
        let mut called: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for (_, call) in &subject.exits {
            let Some(server) = subject.server(*call) else { continue };
            let (caller, callee) = (trace.service_text(*call), trace.service_text(server));
            match caller.cmp(callee) {
                std::cmp::Ordering::Less => called.entry((caller, callee)).or_default().0 += 1,
                std::cmp::Ordering::Greater => called.entry((callee, caller)).or_default().1 += 1,
                std::cmp::Ordering::Equal => {}
            }
        }
        for ((one, other), (calls, calls_back)) in called {
            let key = (one.to_owned(), other.to_owned());
            if self.pairs.len() >= PAIRS_MAX && !self.pairs.contains_key(&key) {
                self.left_out += 1;
                continue;
            }
            let pair = self.pairs.entry(key).or_default();
            pair.together.see(subject, root);
            let failed = |service| present.get(service).copied().unwrap_or(false);
            pair.failed_both += u64::from(failed(one) && failed(other));
            pair.calls += calls;
            pair.calls_back += calls_back;
        }
    }

    fn finish(&self) -> Vec<Finding> {
        let bound = self.pairs.iter().filter(|(key, pair)| self.is_bound(key, pair));
        // Groups grow by pairs that share a service; pairs come sorted, so groups do too.
        let mut groups: Vec<(BTreeSet<&str>, Examples)> = Vec::new();
        for ((one, other), pair) in bound {
            let mut merged: BTreeSet<&str> = BTreeSet::from([one.as_str(), other.as_str()]);
            let mut examples = pair.together.clone();
            groups.retain(|(group, seen)| {
                let is_apart = group.is_disjoint(&merged);
                if !is_apart {
                    merged.extend(group);
                    examples.merge(seen);
                }
                is_apart
            });
            groups.push((merged, examples));
        }
        groups.iter().map(|(group, examples)| self.report(group, examples)).collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl DistributedMonolith {
    fn is_bound(&self, (one, other): &(String, String), pair: &Pair) -> bool {
        let rule = &self.settings;
        let of = |service: &String| self.services.get(service).copied().unwrap_or_default();
        let (one, other) = (of(one), of(other));
        let together = pair.together.count;
        let either = (one.traces + other.traces).saturating_sub(together);
        let failed = (one.failed + other.failed).saturating_sub(pair.failed_both);
        together >= rule.traces_min
            && together * 100 >= either * rule.together_percent_min
            && pair.calls.min(pair.calls_back) >= rule.calls_min
            && failed >= rule.failures_min
            && pair.failed_both * 100 >= failed * rule.fail_percent_min
    }

    fn report(&self, group: &BTreeSet<&str>, examples: &Examples) -> Finding {
        let names: Vec<&str> = group.iter().copied().collect();
        let title = format!("{} are one program in {} services", names.join(", "), names.len());
        let evidence = evidence(
            title.clone(),
            "They cannot be deployed, scaled or fail apart, and pay for a network between their parts.",
            "Merge them, or find what both ask each other for and give it one owner.".to_owned(),
            "Calls back are messages that nobody waits for.",
            [("services", names.iter().copied().collect()), ("traces", examples.count.into())],
        );
        let draft = WindowDraft {
            title,
            group: names,
            entry: ("", ""),
            edge: ("", ""),
            severity: Severity::Medium,
            examples,
            wasted_ns: 0,
            evidence,
        };
        draft.finding(self.rule())
    }
}
