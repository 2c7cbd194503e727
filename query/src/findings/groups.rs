//! Findings that are about the same thing in several traces, as one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;

use causeway_analysis::detectors::{Finding, Severity};
use causeway_model::TraceId;
use serde::Serialize;

use super::states::{Decision, State, States};
use super::table::span_text;
use crate::error::{QueryError, Result};

/// Traces that a group shows, those that lose most.
const EXAMPLES_MAX: usize = 5;
/// Most groups of an answer.
const GROUPS_MAX: usize = 1_000;

/// Which findings are asked for; nothing is asked of what is `None`.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupFilter {
    pub(crate) detector: Option<String>,
    pub(crate) fallacy: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) version: Option<String>,
    /// Last seen at this time or later, Unix nanoseconds.
    pub(crate) start: Option<i64>,
    /// First seen at this time or earlier.
    pub(crate) end: Option<i64>,
    /// States of groups; any where there are none.
    pub(crate) states: Vec<State>,
}

impl GroupFilter {
    fn matches(&self, finding: &Finding) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|w| w == text);
        is(&self.detector, finding.detector)
            && is(&self.fallacy, finding.fallacy.label())
            && is(&self.service, &finding.entry_service)
            && is(&self.severity, finding.severity.label())
            && is(&self.version, &finding.service_version)
            && self.start.is_none_or(|start| finding.last_seen_unix_nano >= start)
            && self.end.is_none_or(|end| finding.first_seen_unix_nano <= end)
    }
}

/// A finding of one trace.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FindingAnswer {
    finding_id: String,
    detector: &'static str,
    rule_version: u32,
    fallacy: &'static str,
    severity: &'static str,
    title: String,
    trace_id: String,
    group_key: String,
    entry_service: String,
    entry_operation: String,
    caller_service: String,
    callee_service: String,
    service_version: String,
    parent_span_id: Option<String>,
    span_ids: Vec<String>,
    count: u64,
    wasted_ns: i64,
    saving_ns: i64,
    critical_path_ns: i64,
    evidence: serde_json::Value,
    first_seen_unix_nano: i64,
    last_seen_unix_nano: i64,
}

impl From<&Finding> for FindingAnswer {
    fn from(finding: &Finding) -> Self {
        Self {
            finding_id: finding.finding_id.to_string(),
            detector: finding.detector,
            rule_version: finding.rule_version,
            fallacy: finding.fallacy.label(),
            severity: finding.severity.label(),
            title: finding.title.clone(),
            trace_id: finding.trace_id.to_string(),
            group_key: finding.group_key.to_string(),
            entry_service: finding.entry_service.clone(),
            entry_operation: finding.entry_operation.clone(),
            caller_service: finding.caller_service.clone(),
            callee_service: finding.callee_service.clone(),
            service_version: finding.service_version.clone(),
            parent_span_id: span_text(finding.parent_span_id),
            span_ids: finding.span_ids.iter().map(|id| format!("{id:016x}")).collect(),
            count: finding.count,
            wasted_ns: finding.wasted_ns,
            saving_ns: finding.saving_ns,
            critical_path_ns: finding.critical_path_ns,
            evidence: finding.evidence.value(),
            first_seen_unix_nano: finding.first_seen_unix_nano,
            last_seen_unix_nano: finding.last_seen_unix_nano,
        }
    }
}

/// Findings of one group, together.
#[derive(Debug, Serialize)]
pub(crate) struct GroupAnswer {
    group_key: String,
    detector: &'static str,
    fallacy: &'static str,
    severity: &'static str,
    /// Of the finding that loses most.
    title: String,
    entry_service: String,
    entry_operation: String,
    /// Of the finding that loses most; empty where it does not tell.
    caller_service: String,
    callee_service: String,
    findings: usize,
    pub(crate) traces: usize,
    wasted_ns: i64,
    pub(crate) saving_ns: i64,
    /// What half of the findings save at least.
    saving_median_ns: i64,
    first_seen_unix_nano: i64,
    last_seen_unix_nano: i64,
    example_traces: Vec<String>,
    /// Versions it was found in, and in how many traces.
    versions: BTreeMap<String, usize>,
    state: State,
    /// What somebody decided, if anybody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    /// In an answer with several groups, over the same time in all of them.
    trend: Trend,
}

impl GroupAnswer {
    /// What tells it from others in metrics.
    pub(crate) fn labels(&self) -> [(&'static str, String); 6] {
        [
            ("group", self.group_key.clone()),
            ("detector", self.detector.to_owned()),
            ("severity", self.severity.to_owned()),
            ("service", self.entry_service.clone()),
            ("operation", self.entry_operation.clone()),
            ("state", self.state.label().to_owned()),
        ]
    }
}

/// Groups, those that lose most first.
#[derive(Debug, Serialize)]
pub(crate) struct GroupsAnswer {
    pub(crate) groups: Vec<GroupAnswer>,
    /// How many there are.
    total: usize,
}

/// All groups of the findings that match.
pub(crate) fn groups<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    filter: &GroupFilter,
    states: &States,
) -> GroupsAnswer {
    let mut by_group: HashMap<_, Vec<&Finding>> = HashMap::new();
    for finding in findings.filter(|finding| filter.matches(finding)) {
        by_group.entry(finding.group_key).or_default().push(finding);
    }
    let time = time_of(by_group.values().flatten());
    let mut groups: Vec<(Severity, GroupAnswer)> = by_group
        .into_values()
        .filter_map(|findings| one(findings, &time, states))
        .filter(|(_, group)| filter.states.is_empty() || filter.states.contains(&group.state))
        .collect();
    groups.sort_by(|(severity_a, a), (severity_b, b)| {
        let rank = |severity: &Severity, of: &GroupAnswer| (*severity, of.saving_ns, of.traces);
        rank(severity_b, b).cmp(&rank(severity_a, a)).then_with(|| a.group_key.cmp(&b.group_key))
    });
    let total = groups.len();
    let groups = groups.into_iter().take(GROUPS_MAX).map(|(_, group)| group);
    GroupsAnswer { groups: groups.collect(), total }
}

/// From the first to the last of when findings were first seen.
fn time_of<'a>(findings: impl Iterator<Item = &'a &'a Finding>) -> RangeInclusive<i64> {
    let seen = findings.map(|finding| finding.first_seen_unix_nano);
    let (first, last) =
        seen.fold((i64::MAX, i64::MIN), |(first, last), at| (first.min(at), last.max(at)));
    first..=last
}

fn one(
    mut findings: Vec<&Finding>,
    time: &RangeInclusive<i64>,
    states: &States,
) -> Option<(Severity, GroupAnswer)> {
    findings.sort_by_key(|finding| std::cmp::Reverse((finding.saving_ns, finding.finding_id)));
    let worst = *findings.first()?;
    let severity = findings.iter().map(|finding| finding.severity).max()?;
    let traces: BTreeSet<_> = findings.iter().map(|finding| finding.trace_id).collect();
    let total = |ns: fn(&Finding) -> i64| {
        findings.iter().fold(0_i64, |sum, finding| sum.saturating_add(ns(finding)))
    };
    let mut examples = Vec::new();
    for finding in &findings {
        let trace = finding.trace_id.to_string();
        if examples.len() < EXAMPLES_MAX && !examples.contains(&trace) {
            examples.push(trace);
        }
    }
    let mut versions: BTreeMap<String, BTreeSet<TraceId>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| !finding.service_version.is_empty()) {
        versions.entry(finding.service_version.clone()).or_default().insert(finding.trace_id);
    }
    let group_key = worst.group_key.to_string();
    let (state, decision) = states.of(&group_key, &findings);
    let group = GroupAnswer {
        versions: versions.into_iter().map(|(version, traces)| (version, traces.len())).collect(),
        state,
        decision: decision.cloned(),
        group_key,
        detector: worst.detector,
        fallacy: worst.fallacy.label(),
        severity: severity.label(),
        title: worst.title.clone(),
        entry_service: worst.entry_service.clone(),
        entry_operation: worst.entry_operation.clone(),
        caller_service: worst.caller_service.clone(),
        callee_service: worst.callee_service.clone(),
        findings: findings.len(),
        traces: traces.len(),
        wasted_ns: total(|finding| finding.wasted_ns),
        saving_ns: total(|finding| finding.saving_ns),
        saving_median_ns: findings.get(findings.len() / 2).map_or(0, |middle| middle.saving_ns),
        first_seen_unix_nano: findings.iter().map(|f| f.first_seen_unix_nano).min()?,
        last_seen_unix_nano: findings.iter().map(|f| f.last_seen_unix_nano).max()?,
        example_traces: examples,
        trend: Trend::of(&findings, time),
    };
    Some((severity, group))
}

/// One group and its findings, the newest first.
#[derive(Debug, Serialize)]
pub(crate) struct WholeGroup {
    #[serde(flatten)]
    group: GroupAnswer,
    recent: Vec<FindingAnswer>,
}

impl WholeGroup {
    /// Versions it was found in.
    pub(crate) fn into_versions(self) -> BTreeSet<String> {
        self.group.versions.into_keys().collect()
    }
}

/// Findings of a group that are shown.
const RECENT_MAX: usize = 100;

/// Stretches of time of a trend.
const TREND_STEPS: i64 = 48;

/// Findings of a group over time, in stretches of one length.
#[derive(Debug, Serialize)]
struct Trend {
    start_unix_nano: i64,
    step_ns: i64,
    findings: Vec<u64>,
    saving_ns: Vec<i64>,
}

impl Trend {
    fn of(findings: &[&Finding], time: &RangeInclusive<i64>) -> Self {
        let (first, last) = (*time.start(), *time.end());
        let step_ns = (last.saturating_sub(first) / TREND_STEPS).saturating_add(1).max(1);
        let steps = usize::try_from(last.saturating_sub(first) / step_ns + 1).unwrap_or(0);
        let mut trend = Self {
            start_unix_nano: first,
            step_ns,
            findings: vec![0; steps],
            saving_ns: vec![0; steps],
        };
        for finding in findings {
            let at = finding.first_seen_unix_nano.saturating_sub(first) / step_ns;
            let at = usize::try_from(at).unwrap_or(0);
            trend.findings.get_mut(at).into_iter().for_each(|count| *count += 1);
            let saving = trend.saving_ns.get_mut(at);
            saving.into_iter().for_each(|sum| *sum = sum.saturating_add(finding.saving_ns));
        }
        trend
    }
}

/// One group.
///
/// # Errors
/// There is none with this key.
pub(crate) fn group<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    key: &str,
    states: &States,
) -> Result<WholeGroup> {
    let of_group: Vec<&Finding> =
        findings.filter(|finding| finding.group_key.to_string() == key).collect();
    let mut recent: Vec<&Finding> = of_group.clone();
    recent.sort_by_key(|finding| {
        std::cmp::Reverse((finding.last_seen_unix_nano, finding.finding_id))
    });
    let unknown = || QueryError::NotFound(format!("group {key} is not known"));
    let time = time_of(of_group.iter());
    let (_, group) = one(of_group, &time, states).ok_or_else(unknown)?;
    Ok(WholeGroup { group, recent: recent.into_iter().take(RECENT_MAX).map(From::from).collect() })
}
