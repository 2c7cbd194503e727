//! `single_instance`: an operation depends on one process.
//!
//! An operation that always goes through one process is as available as that process: each restart, move or crash is an
//! outage.
//!
//! | | |
//! |---|---|
//! | fires when | a service is on at least 90 % of an entry operation's critical paths, over at least 50 traces, and one instance served it whenever it was seen in the window |
//! | not when | instances do not tell who they are (`service.instance.id`, `k8s.pod.name`, `host.name`); every service of the operation has one instance, as on a developer's machine |
//! | severity | medium |
//! | wrong if | others stand by without traffic |

use std::collections::{BTreeMap, BTreeSet};

use causeway_model::trace::Kind;

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject};

/// Services at most.
const SERVICES_MAX: usize = 10_000;
/// Instances of a service that are told apart; two would do.
const INSTANCES_MAX: usize = 8;
/// Pairs of an entry operation and a service at most.
const OPERATIONS_MAX: usize = 20_000;
/// What tells instances apart, best first.
pub(super) const IDENTITIES: [&str; 3] = ["service.instance.id", "k8s.pod.name", "host.name"];

/// Thresholds of [`SingleInstance`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleInstanceSettings {
    /// Share of the critical paths that the service is on, at least, 90 %.
    pub path_percent_min: u64,
    /// Traces of the operation at least, 50.
    pub traces_min: u64,
}

impl Default for SingleInstanceSettings {
    fn default() -> Self {
        Self { path_percent_min: 90, traces_min: 50 }
    }
}

/// Entry service, entry operation, service on the path.
type Key = (String, String, String);

/// Who is on critical paths, and which instances there are.
#[derive(Debug)]
pub struct SingleInstance {
    settings: SingleInstanceSettings,
    instances: BTreeMap<String, BTreeSet<String>>,
    traces: BTreeMap<(String, String), u64>,
    on_path: BTreeMap<Key, Examples>,
    left_out: u64,
}

impl SingleInstance {
    /// Nothing seen yet.
    pub fn new(settings: SingleInstanceSettings) -> Self {
        let (instances, traces, on_path) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { settings, instances, traces, on_path, left_out: 0 }
    }

    fn see_instances(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        let mut clocks = BTreeSet::new();
        for row in trace.rows().filter(|row| clocks.insert(trace.clock(*row))) {
            let identity = IDENTITIES.into_iter().find_map(|key| subject.resource_text(row, key));
            let service = trace.service_text(row);
            let Some(identity) = identity.filter(|_| !service.is_empty()) else { continue };
            if self.instances.len() >= SERVICES_MAX && !self.instances.contains_key(service) {
                self.left_out += 1;
                continue;
            }
            let of = self.instances.entry(service.to_owned()).or_default();
            if of.len() < INSTANCES_MAX {
                of.insert(identity.into_owned());
            }
        }
    }
}

impl WindowDetector for SingleInstance {
    fn rule(&self) -> Rule {
        Rule {
            id: "single_instance",
            rule_version: 1,
            fallacy: Fallacy::TopologyDoesNotChange,
            summary: "A service on nearly all critical paths of an operation that one instance serves.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        self.see_instances(subject);
        let trace = subject.trace;
        let Some(root) = subject.root() else { return };
        let on_path: BTreeSet<&str> = trace
            .rows()
            .filter(|row| !matches!(trace.kind(*row), Kind::Consumer))
            .filter(|row| subject.path_ns(*row) > 0)
            .map(|row| trace.service_text(row))
            .collect();
        let entry = (subject.entry_service().to_owned(), subject.entry_operation().to_owned());
        if self.traces.len() >= OPERATIONS_MAX && !self.traces.contains_key(&entry) {
            self.left_out += 1;
            return;
        }
        *self.traces.entry(entry.clone()).or_default() += 1;
        for service in on_path {
            let key = (entry.0.clone(), entry.1.clone(), service.to_owned());
            if self.on_path.len() >= OPERATIONS_MAX && !self.on_path.contains_key(&key) {
                self.left_out += 1;
                continue;
            }
            self.on_path.entry(key).or_default().see(subject, root);
        }
    }

    fn finish(&self) -> Vec<Finding> {
        let is_single = |service: &str| self.instances.get(service).map(|of| of.len() == 1);
        if !self.instances.values().any(|of| of.len() > 1) {
            return Vec::new();
        }
        let single = self.on_path.iter().filter(|((service, operation, on_path), seen)| {
            let entry = (service.clone(), operation.clone());
            let traces = self.traces.get(&entry).copied().unwrap_or(0);
            traces >= self.settings.traces_min
                && seen.count * 100 >= traces * self.settings.path_percent_min
                && is_single(on_path) == Some(true)
        });
        single.map(|(key, seen)| self.report(key, seen)).collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl SingleInstance {
    fn report(&self, (entry_service, entry_operation, service): &Key, seen: &Examples) -> Finding {
        let traces = self.traces.get(&(entry_service.clone(), entry_operation.clone()));
        let instance = self.instances.get(service).and_then(|of| of.first()).cloned();
        let title =
            format!("one instance of {service} is on the critical path of {entry_operation}");
        let evidence = evidence(
            title.clone(),
            "When that instance restarts, moves or fails, the operation does.",
            format!("Run at least two instances of {service}, in different zones."),
            "Other instances stand by without traffic.",
            [
                ("service", service.as_str().into()),
                ("instance", instance.into()),
                ("traces", traces.copied().unwrap_or(0).into()),
                ("on_path", seen.count.into()),
            ],
        );
        let draft = WindowDraft {
            title,
            group: vec![service],
            entry: (entry_service, entry_operation),
            edge: (service, ""),
            severity: Severity::Medium,
            examples: seen,
            wasted_ns: 0,
            evidence,
        };
        draft.finding(self.rule())
    }
}
