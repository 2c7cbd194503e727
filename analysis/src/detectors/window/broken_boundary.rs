//! `broken_boundary`: the context is lost on the way, and the callee's traces start anew.
//!
//! A trace is as long as its context travels. Where a proxy, a library or a service drops it, one request becomes two
//! traces, and nobody sees that one caused the other.
//!
//! | | |
//! |---|---|
//! | fires when | at least 10 traces of a service begin with a span that serves just what another service's exit span without a server span asks for, within its time, and that is so for at least 80 % of the service's traces that begin with that |
//! | not when | the callee is not instrumented: then no trace starts anew; callers of that template have their server spans; times do not fit |
//! | severity | medium |
//! | wrong if | somebody else calls the same at the same time, without being traced |
//!
//! Fits in time allow for the offset of the two clocks by a setting. A call takes part once.

use std::collections::{BTreeMap, VecDeque};

use causeway_model::trace::{Flags, Kind, Row};

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject};

/// Lone calls and beginnings of traces that are remembered, each; about 200 bytes each. The oldest are forgotten.
const SEEN_MAX: usize = 20_000;
/// Namespaces and clusters are told by these, account and environment too.
const PLACES: [&str; 5] = [
    "service.namespace",
    "k8s.namespace.name",
    "k8s.cluster.name",
    "cloud.account.id",
    "deployment.environment.name",
];

/// Thresholds of [`BrokenBoundary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenBoundarySettings {
    /// Traces that fit a call at least, 10.
    pub traces_min: usize,
    /// And what share of those that begin alike, 80 %.
    pub fit_percent_min: usize,
    /// How far the clocks of caller and callee may be apart, 5 ms.
    pub apart_ns_max: i64,
}

impl Default for BrokenBoundarySettings {
    fn default() -> Self {
        Self { traces_min: 10, fit_percent_min: 80, apart_ns_max: 5_000_000 }
    }
}

/// A call without a server span, or a span that begins a trace.
#[derive(Debug, Clone)]
struct Seen {
    service: String,
    place: [String; 5],
    start_ns: i64,
    end_ns: i64,
    example: Examples,
}

/// Lone calls and beginnings of traces, by template.
#[derive(Debug)]
pub struct BrokenBoundary {
    settings: BrokenBoundarySettings,
    calls: VecDeque<(String, Seen)>,
    beginnings: VecDeque<(String, Seen)>,
    left_out: u64,
}

impl BrokenBoundary {
    /// Nothing seen yet.
    pub fn new(settings: BrokenBoundarySettings) -> Self {
        Self { settings, calls: VecDeque::new(), beginnings: VecDeque::new(), left_out: 0 }
    }
}

impl WindowDetector for BrokenBoundary {
    fn rule(&self) -> Rule {
        Rule {
            id: "broken_boundary",
            rule_version: 1,
            fallacy: Fallacy::OneAdministrator,
            summary: "A boundary at which the context of traces is lost.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        for (_, row) in &subject.exits {
            let is_lone = trace.kind(*row) == Kind::Client && trace.first_child(*row).is_none();
            let call = subject.call(*row).filter(|call| is_lone && call.target_known);
            let Some(call) = call else { continue };
            self.left_out += push(&mut self.calls, call.template.clone(), seen(subject, *row));
        }
        let begins =
            |row: &Row| trace.kind(*row) == Kind::Server && trace.parent_span_id(*row) == 0;
        for row in trace.tops().filter(begins) {
            let Some(call) = subject.call(row) else { continue };
            self.left_out += push(&mut self.beginnings, call.template.clone(), seen(subject, row));
        }
    }

    fn finish(&self) -> Vec<Finding> {
        let mut calls: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
        for (template, call) in &self.calls {
            calls.entry(template).or_default().push(call);
        }
        calls.values_mut().for_each(|calls| calls.sort_by_key(|call| (call.start_ns, call.end_ns)));
        let mut beginnings: BTreeMap<(&str, &str), Vec<&Seen>> = BTreeMap::new();
        for (template, beginning) in &self.beginnings {
            beginnings.entry((template, &beginning.service)).or_default().push(beginning);
        }
        let reported =
            beginnings.into_iter().filter_map(|((template, service), mut beginnings)| {
                beginnings.sort_by_key(|beginning| (beginning.start_ns, beginning.end_ns));
                let fits = self.fits(calls.get(template)?, &beginnings);
                let is_enough = fits.len() >= self.settings.traces_min
                    && fits.len() * 100 >= beginnings.len() * self.settings.fit_percent_min;
                is_enough.then(|| self.report(template, service, &fits, beginnings.len())).flatten()
            });
        reported.collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Remembers what was seen; gives how much was forgotten for it.
fn push(of: &mut VecDeque<(String, Seen)>, template: String, seen: Option<Seen>) -> u64 {
    let Some(seen) = seen else { return 0 };
    let is_full = of.len() >= SEEN_MAX;
    if is_full {
        of.pop_front();
    }
    of.push_back((template, seen));
    u64::from(is_full)
}

fn seen(subject: &Subject<'_, '_>, row: Row) -> Option<Seen> {
    let trace = subject.trace;
    if trace.flags(row).contains(Flags::NO_TIME) {
        return None;
    }
    let mut example = Examples::default();
    example.see(subject, row);
    let place = PLACES.map(|key| subject.resource_text(row, key).unwrap_or_default().into_owned());
    let service = trace.service_text(row).to_owned();
    let (start_ns, end_ns) = (trace.start_ns(row), trace.end_ns(row));
    Some(Seen { service, place, start_ns, end_ns, example })
}

impl BrokenBoundary {
    /// Beginnings that lie within a call of another service, each with its call; both sorted by start.
    fn fits<'a>(&self, calls: &[&'a Seen], beginnings: &[&'a Seen]) -> Vec<(&'a Seen, &'a Seen)> {
        let apart_ns = self.settings.apart_ns_max;
        let mut open: VecDeque<&Seen> = VecDeque::new();
        let mut rest = calls.iter().copied().peekable();
        let mut fits = Vec::new();
        for beginning in beginnings {
            while let Some(call) =
                rest.next_if(|call| call.start_ns <= beginning.start_ns.saturating_add(apart_ns))
            {
                open.push_back(call);
            }
            open.retain(|call| call.end_ns.saturating_add(apart_ns) >= beginning.start_ns);
            let lasted_ns = beginning.end_ns.saturating_sub(beginning.start_ns);
            let holds = |call: &&Seen| {
                call.service != beginning.service
                    && call.end_ns.saturating_add(apart_ns) >= beginning.end_ns
                    && call.end_ns.saturating_sub(call.start_ns) >= lasted_ns
            };
            // A thousand calls at once tell nothing of which is meant.
            let place = open.iter().take(1_000).position(holds);
            if let Some(call) = place.and_then(|place| open.remove(place)) {
                fits.push((call, *beginning));
            }
        }
        fits
    }

    fn report(
        &self,
        template: &str,
        service: &str,
        fits: &[(&Seen, &Seen)],
        beginnings: usize,
    ) -> Option<Finding> {
        let (call, beginning) = fits.first()?;
        let mut examples = Examples::default();
        fits.iter().for_each(|(call, _)| examples.merge(&call.example));
        let places = PLACES.iter().zip(call.place.iter().zip(&beginning.place));
        let crossed: Vec<String> = places
            .filter(|(_, (from, to))| !from.is_empty() && !to.is_empty() && from != to)
            .map(|(key, (from, to))| format!("{key}: {from} to {to}"))
            .collect();
        let caller = call.service.as_str();
        let title =
            format!("{service} starts traces of its own when {caller} calls its {template}");
        let evidence = evidence(
            title.clone(),
            "Nobody sees what a request causes beyond this call, nor what caused the work there.",
            format!(
                "Let {service} read the traceparent it gets, and whatever stands between pass it on."
            ),
            "Somebody else, who is not traced, calls the same at the same times.",
            [
                ("template", template.into()),
                ("caller", caller.into()),
                ("callee", service.into()),
                ("fits", fits.len().into()),
                ("traces_that_begin_alike", beginnings.into()),
                ("crosses", crossed.into()),
            ],
        );
        let draft = WindowDraft {
            title,
            group: vec![template, caller, service],
            entry: ("", ""),
            edge: (caller, service),
            severity: Severity::Medium,
            examples: &examples,
            wasted_ns: 0,
            evidence,
        };
        Some(draft.finding(self.rule()))
    }
}
