//! A finding, and the bounded list detectors add to.

use std::fmt;

use causeway_model::TraceId;
use causeway_model::trace::Row;
use xxhash_rust::xxh3::xxh3_128;

use super::{Detector, Evidence, Subject};

/// Span ids of one finding at most; [`Finding::count`] counts all.
pub const SPAN_IDS_MAX: usize = 1_000;

/// What people believe of networks that is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the fallacies of distributed computing")]
pub enum Fallacy {
    LatencyIsZero,
    TransportCostIsZero,
    NetworkIsReliable,
    BandwidthIsInfinite,
    NetworkIsSecure,
    TopologyDoesNotChange,
    OneAdministrator,
    NetworkIsHomogeneous,
    OneClock,
    Queues,
}

impl Fallacy {
    /// The word for it in answers.
    pub fn label(self) -> &'static str {
        match self {
            Self::LatencyIsZero => "latency_is_zero",
            Self::TransportCostIsZero => "transport_cost_is_zero",
            Self::NetworkIsReliable => "the_network_is_reliable",
            Self::BandwidthIsInfinite => "bandwidth_is_infinite",
            Self::NetworkIsSecure => "the_network_is_secure",
            Self::TopologyDoesNotChange => "topology_does_not_change",
            Self::OneAdministrator => "there_is_one_administrator",
            Self::NetworkIsHomogeneous => "the_network_is_homogeneous",
            Self::OneClock => "there_is_one_clock",
            Self::Queues => "queues",
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a change.
    Medium,
    /// Users feel it.
    High,
}

impl Severity {
    /// By what a change would save: high from 100 ms and a tenth of the trace, medium from 20 ms or a twentieth.
    pub fn of_saving(saving_ns: i64, root_ns: i64) -> Self {
        let share = |of: i64| saving_ns > 0 && saving_ns >= root_ns / of;
        if saving_ns >= 100_000_000 && share(10) {
            Self::High
        } else if saving_ns >= 20_000_000 || (saving_ns >= 1_000_000 && share(20)) {
            Self::Medium
        } else {
            Self::Low
        }
    }

    /// The word for it in answers.
    pub fn label(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Identity of a finding: the same for the same caller, group and trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FindingId(pub u128);

/// Identity of findings of several traces that are about the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKey(pub u128);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What a detector found in a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Identity.
    pub finding_id: FindingId,
    /// [`Detector::id`].
    pub detector: &'static str,
    /// [`Detector::rule_version`].
    pub rule_version: u32,
    /// [`Detector::fallacy`].
    pub fallacy: Fallacy,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, in a line.
    pub title: String,
    /// The trace.
    pub trace_id: TraceId,
    /// Revision of the trace the finding is about; later ones replace it.
    pub revision: u64,
    /// Service of the trace's root.
    pub entry_service: String,
    /// Name of the trace's root.
    pub entry_operation: String,
    /// Version of the service of the caller, or of the first offending span; empty when it does not tell.
    pub service_version: String,
    /// Service that calls, or that the offending spans are of; empty when they do not tell.
    pub caller_service: String,
    /// Service, database or peer that is called; empty when there is none, several, or they do not tell.
    pub callee_service: String,
    /// What it is grouped by.
    pub group_key: GroupKey,
    /// The caller; 0 for none.
    pub parent_span_id: u64,
    /// The offending spans, the first [`SPAN_IDS_MAX`].
    pub span_ids: Vec<u64>,
    /// How many offending spans there are.
    pub count: u64,
    /// Time spent on what need not be.
    pub wasted_ns: i64,
    /// What a change would save of the root's duration, by the what-if model.
    pub saving_ns: i64,
    /// Time on the critical path of the offending spans and all below them.
    pub critical_path_ns: i64,
    /// What was seen, why it costs, what to do, what would prove it wrong, and figures.
    pub evidence: Evidence,
    /// Start of the first offending span as sent, nanoseconds since 1970.
    pub first_seen_unix_nano: i64,
    /// End of the last one.
    pub last_seen_unix_nano: i64,
}

/// What a detector says; the rest of a finding follows from it.
#[derive(Debug, Clone, Default)]
pub struct Draft<'a> {
    /// What was seen, in a line.
    pub title: String,
    /// What makes findings of several traces one group, besides detector and entry operation: template, caller, callee.
    pub group: Vec<&'a str>,
    /// The caller.
    pub caller: Option<Row>,
    /// The offending spans, by start.
    pub rows: &'a [Row],
    /// Service that calls and service that is called, where the caller and the offending spans tell it otherwise.
    pub edge: Option<(&'a str, &'a str)>,
    /// Time spent on what need not be.
    pub wasted_ns: i64,
    /// From the what-if model.
    pub saving_ns: i64,
    /// Other than [`Severity::of_saving`] says.
    pub severity: Option<Severity>,
    /// Figures and texts.
    pub evidence: Evidence,
}

/// Findings of one trace under way.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    /// Adds a finding of a detector.
    pub fn push(&mut self, detector: &dyn Detector, subject: &Subject<'_, '_>, draft: Draft<'_>) {
        let trace = subject.trace;
        let group_key = GroupKey(hash(
            [detector.id(), subject.entry_service(), subject.entry_operation()]
                .into_iter()
                .chain(draft.group.iter().copied()),
        ));
        let parent_span_id = draft.caller.map_or(0, |row| trace.span_id(row));
        let trace_id = trace.trace_id().unwrap_or(TraceId([0; 16]));
        // Callers may share an id, so the first offending span counts as well.
        let first_id = draft.rows.first().map_or(0, |row| trace.span_id(*row));
        let parts = [group_key.0, u128::from(parent_span_id), u128::from(first_id)];
        let [group, parent, first] = parts.map(u128::to_be_bytes);
        let finding_id = FindingId(xxh3_128(&[trace_id.0, group, parent, first].concat()));
        let raw_end =
            |row: &Row| trace.raw_start_ns(*row).saturating_add(trace.raw_duration_ns(*row));
        let saving = Severity::of_saving(draft.saving_ns, subject.root_ns());
        let told_by = draft.caller.or(draft.rows.first().copied());
        let (caller_service, callee_service) =
            draft.edge.unwrap_or_else(|| edge(subject, draft.caller, draft.rows));
        let version = told_by.and_then(|row| subject.resource_text(row, "service.version"));
        self.found.push(Finding {
            finding_id,
            detector: detector.id(),
            rule_version: detector.rule_version(),
            fallacy: detector.fallacy(),
            severity: draft.severity.unwrap_or(saving),
            title: draft.title,
            trace_id,
            revision: subject.revision,
            entry_service: subject.entry_service().to_owned(),
            entry_operation: subject.entry_operation().to_owned(),
            service_version: version.unwrap_or_default().into_owned(),
            caller_service: caller_service.to_owned(),
            callee_service: callee_service.to_owned(),
            group_key,
            parent_span_id,
            span_ids: draft.rows.iter().take(SPAN_IDS_MAX).map(|r| trace.span_id(*r)).collect(),
            count: draft.rows.len() as u64,
            wasted_ns: draft.wasted_ns.max(0),
            saving_ns: draft.saving_ns.max(0),
            critical_path_ns: subject.path_below_ns(draft.rows),
            evidence: draft.evidence,
            first_seen_unix_nano: draft
                .rows
                .iter()
                .map(|row| trace.raw_start_ns(*row))
                .min()
                .unwrap_or(0),
            last_seen_unix_nano: draft.rows.iter().map(raw_end).max().unwrap_or(0),
        });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Keeps the worst, and sorts them so.
    pub(super) fn truncate(&mut self, findings_max: usize) {
        self.found.sort_by(|a, b| {
            let rank = |finding: &Finding| (finding.severity, finding.saving_ns, finding.count);
            rank(b).cmp(&rank(a)).then_with(|| a.finding_id.cmp(&b.finding_id))
        });
        self.found.truncate(findings_max);
    }

    /// Adds those of another list.
    pub(super) fn extend(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// The findings.
    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}

/// Who calls and who is called: by the first offending span, if the others go to the same place.
fn edge<'s>(subject: &'s Subject<'_, '_>, caller: Option<Row>, rows: &[Row]) -> (&'s str, &'s str) {
    let Some((first, others)) = rows.split_first() else { return ("", "") };
    let (from, to) = subject.edge(caller, *first);
    let is_same = others.iter().all(|row| subject.edge(caller, *row).1 == to);
    (from, if is_same { to } else { "" })
}

/// A hash of texts that do not run into each other.
pub(super) fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> u128 {
    let mut bytes = Vec::with_capacity(256);
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
        // No valid UTF-8 holds this byte.
        bytes.push(0xff);
    }
    xxh3_128(&bytes)
}
