//! Findings about many traces: what a detector says, and examples of where.

use causeway_model::TraceId;
use causeway_model::trace::{Flags, Row};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::Rule;
use crate::detectors::finding::hash;
use crate::detectors::{Evidence, Finding, FindingId, GroupKey, Severity, Subject};

/// Traces that are named as examples.
pub const EXAMPLES_MAX: usize = 5;

/// Some of the traces that show something, how many there are, and when.
///
/// The examples are those with the least ids, so that they do not depend on the order in which traces come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examples {
    /// Ids, ascending.
    pub(super) ids: Vec<TraceId>,
    /// How often it was seen.
    pub count: u64,
    pub(super) first_ns: Option<i64>,
    pub(super) last_ns: Option<i64>,
}

impl Examples {
    /// Adds a row of a trace.
    pub fn see(&mut self, subject: &Subject<'_, '_>, row: Row) {
        let trace = subject.trace;
        self.count += 1;
        if let Some(id) = trace.trace_id() {
            let place = self.ids.partition_point(|known| known.0 < id.0);
            if self.ids.get(place) != Some(&id) && place < EXAMPLES_MAX {
                self.ids.insert(place, id);
                self.ids.truncate(EXAMPLES_MAX);
            }
        }
        if !trace.flags(row).contains(Flags::NO_TIME) {
            let start_ns = trace.raw_start_ns(row);
            let end_ns = start_ns.saturating_add(trace.raw_duration_ns(row));
            self.see_times(start_ns, end_ns);
        }
    }

    /// Adds what others saw.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.ids.extend(&other.ids);
        self.ids.sort_unstable_by_key(|id| id.0);
        self.ids.dedup();
        self.ids.truncate(EXAMPLES_MAX);
        if let Some((first_ns, last_ns)) = other.times_ns() {
            self.see_times(first_ns, last_ns);
        }
    }

    /// Adds a time without a trace.
    pub fn see_times(&mut self, start_ns: i64, end_ns: i64) {
        self.first_ns = Some(self.first_ns.map_or(start_ns, |first| first.min(start_ns)));
        self.last_ns = Some(self.last_ns.map_or(end_ns, |last| last.max(end_ns)));
    }

    /// First and last time at which it was seen.
    pub fn times_ns(&self) -> Option<(i64, i64)> {
        self.first_ns.zip(self.last_ns)
    }
}

/// What a detector over windows says; the rest of a finding follows from it.
#[derive(Debug, Clone)]
pub struct WindowDraft<'a> {
    /// What was seen, in a line.
    pub title: String,
    /// What makes findings of several windows one group, besides the detector.
    pub group: Vec<&'a str>,
    /// Service and operation it shows in; empty for many.
    pub entry: (&'a str, &'a str),
    /// Service that calls, or that it is about, and service that is called; empty for none or many.
    pub edge: (&'a str, &'a str),
    /// How much it matters.
    pub severity: Severity,
    /// Where it was seen.
    pub examples: &'a Examples,
    /// Time spent on what need not be, in all traces of the window.
    pub wasted_ns: i64,
    /// Figures and texts.
    pub evidence: Evidence,
}

impl WindowDraft<'_> {
    /// The finding of a rule.
    pub fn finding(self, rule: Rule) -> Finding {
        let (entry_service, entry_operation) = self.entry;
        let texts = [rule.id, entry_service, entry_operation].into_iter();
        let group_key = GroupKey(hash(texts.chain(self.group.iter().copied())));
        let (first_ns, last_ns) = self.examples.times_ns().unwrap_or((0, 0));
        // A later window that shows the same has a finding of its own.
        let bytes = [group_key.0.to_be_bytes(), i128::from(first_ns).to_be_bytes()].concat();
        let mut evidence = self.evidence;
        let examples: Value = self.examples.ids.iter().map(TraceId::to_string).collect();
        evidence.extend([("examples", examples)]);
        Finding {
            finding_id: FindingId(xxh3_128(&bytes)),
            detector: rule.id,
            rule_version: rule.rule_version,
            fallacy: rule.fallacy,
            severity: self.severity,
            title: self.title,
            trace_id: self.examples.ids.first().copied().unwrap_or(TraceId([0; 16])),
            revision: 0,
            entry_service: entry_service.to_owned(),
            entry_operation: entry_operation.to_owned(),
            service_version: String::new(),
            caller_service: self.edge.0.to_owned(),
            callee_service: self.edge.1.to_owned(),
            group_key,
            parent_span_id: 0,
            span_ids: Vec::new(),
            count: self.examples.count,
            wasted_ns: self.wasted_ns.max(0),
            saving_ns: 0,
            critical_path_ns: 0,
            evidence,
            first_seen_unix_nano: first_ns,
            last_seen_unix_nano: last_ns,
        }
    }
}
