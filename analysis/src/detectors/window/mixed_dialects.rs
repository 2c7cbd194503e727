//! `mixed_dialects`: one edge between services speaks several dialects.
//!
//! One edge that is spoken over in several protocol versions, conventions or SDKs behaves in several ways: attributes
//! have other names, contexts are carried otherwise, and whoever compares spans compares unlike things.
//!
//! | | |
//! |---|---|
//! | fires when | what one service is asked by another is served in several protocol versions, generations of semantic conventions, or SDK versions, each with at least 5 % of at least 50 requests |
//! | not when | caller and callee differ, but each is of one kind; a value is not told |
//! | severity | low |
//! | wrong if | a change from one to the other is under way |

use std::collections::BTreeMap;

use causeway_model::trace::Row;
use serde_json::{Map, Value};

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject, with_fields};
use crate::forms::{Field, Generation};

/// Pairs of services at most; about 1 kB each.
const EDGES_MAX: usize = 10_000;
/// Values of a trait that are told apart; what comes later counts as `other`.
const VALUES_MAX: usize = 8;

/// Thresholds of [`MixedDialects`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixedDialectsSettings {
    /// Share of each dialect at least, 5 %.
    pub share_percent_min: u64,
    /// Requests at least, 50.
    pub calls_min: u64,
}

impl Default for MixedDialectsSettings {
    fn default() -> Self {
        Self { share_percent_min: 5, calls_min: 50 }
    }
}

/// What dialects are told apart by.
const TRAITS: [&str; 3] = ["protocol version", "conventions", "SDK"];

#[derive(Debug, Default)]
struct Edge {
    seen: Examples,
    /// By trait and value.
    counts: [BTreeMap<String, u64>; 3],
}

/// Dialects by caller and callee.
#[derive(Debug)]
pub struct MixedDialects {
    settings: MixedDialectsSettings,
    edges: BTreeMap<(String, String), Edge>,
    left_out: u64,
}

impl MixedDialects {
    /// Nothing seen yet.
    pub fn new(settings: MixedDialectsSettings) -> Self {
        Self { settings, edges: BTreeMap::new(), left_out: 0 }
    }
}

impl WindowDetector for MixedDialects {
    fn rule(&self) -> Rule {
        Rule {
            id: "mixed_dialects",
            rule_version: 1,
            fallacy: Fallacy::NetworkIsHomogeneous,
            summary: "An edge between services with several protocol versions, conventions or SDKs.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        for (_, call) in &subject.exits {
            let Some(server) = subject.server(*call) else { continue };
            let pair = (trace.service_text(*call), trace.service_text(server));
            if pair.0 == pair.1 {
                continue;
            }
            let key = (pair.0.to_owned(), pair.1.to_owned());
            if self.edges.len() >= EDGES_MAX && !self.edges.contains_key(&key) {
                self.left_out += 1;
                continue;
            }
            let edge = self.edges.entry(key).or_default();
            edge.seen.see(subject, server);
            for (counts, value) in edge.counts.iter_mut().zip(traits(subject, server)) {
                let Some(value) = value else { continue };
                let is_full = counts.len() >= VALUES_MAX && !counts.contains_key(&value);
                *counts.entry(if is_full { "other".to_owned() } else { value }).or_default() += 1;
            }
        }
    }

    fn finish(&self) -> Vec<Finding> {
        let mixed =
            self.edges.iter().filter(|(_, edge)| edge.seen.count >= self.settings.calls_min);
        mixed.filter_map(|(key, edge)| self.report(key, edge)).collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// The traits of a span that serves, in the order of [`TRAITS`].
fn traits(subject: &Subject<'_, '_>, server: Row) -> [Option<String>; 3] {
    let trace = subject.trace;
    let (protocol, generation) = with_fields(trace, server, |fields| {
        let protocol = fields.value(Field::NetworkProtocolVersion).map(|value| match value {
            crate::forms::Value::Text(text) => text.to_owned(),
            other => format!("{other:?}"),
        });
        let generation = fields.generation().and_then(|generation| match generation {
            Generation::Old => Some("old"),
            Generation::New => Some("new"),
            Generation::Shared => Some("both"),
            Generation::Foreign => None,
        });
        (protocol, generation.map(str::to_owned))
    });
    let language = subject.resource_text(server, "telemetry.sdk.language");
    let version = subject.resource_text(server, "telemetry.sdk.version");
    let sdk = language.zip(version).map(|(language, version)| format!("{language} {version}"));
    [protocol, generation, sdk]
}

impl MixedDialects {
    fn report(&self, (caller, callee): &(String, String), edge: &Edge) -> Option<Finding> {
        let mut shares = Map::new();
        let mut mixed = Vec::new();
        for (name, counts) in TRAITS.iter().zip(&edge.counts) {
            let total: u64 = counts.values().sum();
            let is_common =
                |count: &&u64| **count * 100 >= total.max(1) * self.settings.share_percent_min;
            if counts.values().filter(is_common).count() > 1 {
                mixed.push(*name);
                let of = counts.iter().map(|(value, count)| (value.clone(), Value::from(*count)));
                shares.insert((*name).to_owned(), Value::Object(of.collect()));
            }
        }
        if mixed.is_empty() {
            return None;
        }
        let title = format!("{caller} reaches {callee} in several dialects: {}", mixed.join(", "));
        let evidence = evidence(
            title.clone(),
            "What works with one instance may fail with another, and queries miss what is named otherwise.",
            format!(
                "Bring the instances of {callee} to one SDK, one generation of conventions and one protocol."
            ),
            "A change from one to the other is under way.",
            [("requests", edge.seen.count.into()), ("shares", Value::Object(shares))],
        );
        let draft = WindowDraft {
            title,
            group: vec![caller, callee],
            entry: ("", ""),
            edge: (caller, callee),
            severity: Severity::Low,
            examples: &edge.seen,
            wasted_ns: 0,
            evidence,
        };
        Some(draft.finding(self.rule()))
    }
}
