//! `sequential_calls`: independent calls made one after another.
//!
//! A page asks several services that have nothing to do with each other, and asks each only once the one before has
//! answered. Asked together, they take as long as the slowest.
//!
//! | | |
//! |---|---|
//! | fires when | at least 3 exit spans of different templates under one caller, none overlapping the one before, where side by side they would save 50 ms and 10 % of the entry span |
//! | not when | one of them may change what the next one sees: a write ends a run, and so does a call that failed; a later call or what is below it links to an earlier one; calls that repeat often enough for [`NPlusOne`](super::NPlusOne) are left to it |
//! | severity | medium at most, as independence is not proven |
//! | change | the calls of the run side by side, [`Settings::parallel_calls`] at a time |
//! | wrong if | a call needs what an earlier one answered |

use causeway_model::trace::{Flags, Link, Row, Status};
use hashbrown::{HashMap, HashSet};
use serde_json::Value;

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings, Severity};
use super::repeats::percent;
use super::{Detector, Settings, Subject};
use crate::forms::{CallKey, Effect};
use crate::what_if::{Change, saving_ns};

/// Templates that are listed in a finding.
const TEMPLATES_MAX: usize = 20;
/// Spans of one id that a link may mean.
const SAME_ID_MAX: usize = 8;

/// Finds independent calls made one after another.
#[derive(Debug)]
pub struct SequentialCalls;

/// Thresholds of [`SequentialCalls`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequentialCallsSettings {
    /// Different calls at least, 3.
    pub calls_min: usize,
    /// What is saved at least, 50 ms.
    pub saving_ns_min: i64,
    /// And what share of the entry span, 10 %.
    pub saving_percent_min: i64,
}

impl Default for SequentialCallsSettings {
    fn default() -> Self {
        Self { calls_min: 3, saving_ns_min: 50_000_000, saving_percent_min: 10 }
    }
}

impl Detector for SequentialCalls {
    fn id(&self) -> &'static str {
        "sequential_calls"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::LatencyIsZero
    }

    fn summary(&self) -> &'static str {
        "Independent calls made one after another."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let trace = subject.trace;
        let total = |run: &Vec<Row>| -> i64 { run.iter().map(|row| trace.duration_ns(*row)).sum() };
        let rule = &settings.sequential_calls;
        // Side by side saves at most all but the longest.
        let is_long = |exits: &&[(Row, Row)]| {
            let total_ns: i64 = exits.iter().map(|(_, row)| trace.duration_ns(*row)).sum();
            exits.len() >= rule.calls_min && total_ns >= rule.saving_ns_min
        };
        let mut callers = subject.exits.chunk_by(|a, b| a.0 == b.0).filter(is_long).peekable();
        if callers.peek().is_none() {
            return;
        }
        let often = settings.n_plus_one.calls_min;
        let repeated: HashSet<(Row, CallKey)> = subject
            .repeats
            .iter()
            .filter(|repeat| repeat.rows.len() >= often)
            .map(|repeat| (repeat.caller, repeat.call.key))
            .collect();
        let needed = Needed::of(subject);
        let mut runs: Vec<Vec<Row>> = callers
            .flat_map(|exits| runs(subject, exits, &repeated, &needed))
            .filter(|run| templates(subject, run).len() >= rule.calls_min)
            .filter(|run| total(run) >= rule.saving_ns_min)
            .collect();
        runs.sort_by_key(|run| std::cmp::Reverse(total(run)));
        for run in runs.iter().take(settings.findings_max) {
            self.report(subject, run, settings, findings);
        }
    }
}

/// Exit spans of one caller that follow each other and could as well run side by side.
fn runs(
    subject: &Subject<'_, '_>,
    exits: &[(Row, Row)],
    repeated: &HashSet<(Row, CallKey)>,
    needed: &Needed,
) -> Vec<Vec<Row>> {
    let mut runs = Vec::new();
    let mut run: Vec<Row> = Vec::new();
    let mut end_ns = i64::MIN;
    let mut ids: HashSet<u64> = HashSet::new();
    for (caller, row) in exits {
        let trace = subject.trace;
        let Some(call) = subject.call(*row).filter(|call| !call.is_housekeeping) else { continue };
        let follows = trace.start_ns(*row) >= end_ns;
        let stands_alone = call.effect == Effect::Write
            || trace.status(*row) == Status::Error
            || trace.flags(*row).contains(Flags::NO_TIME);
        if !follows || stands_alone || needed.any(*row, &ids) {
            runs.push(std::mem::take(&mut run));
            ids.clear();
        }
        end_ns = end_ns.max(trace.end_ns(*row));
        if !stands_alone && !repeated.contains(&(*caller, call.key)) {
            run.push(*row);
            ids.insert(trace.span_id(*row));
        }
    }
    runs.push(run);
    runs.retain(|run| run.len() > 1);
    runs
}

/// What calls declare to need: they, or what is below them, link to other calls of their caller.
struct Needed {
    /// Span ids of other calls, by the call that needs them.
    ids: HashMap<Row, Vec<u64>>,
}

impl Needed {
    fn of(subject: &Subject<'_, '_>) -> Self {
        let trace = subject.trace;
        let trace_id = trace.trace_id();
        let mut ids: HashMap<Row, Vec<u64>> = HashMap::new();
        let mut by_row: Vec<(Row, Row)> = Vec::new();
        for row in trace.rows() {
            let is_here = |link: &Link<'_>| trace_id.is_some_and(|id| link.trace_id == id.0);
            for link in trace.links(row).filter(is_here) {
                if by_row.is_empty() {
                    by_row.clone_from(&subject.exits);
                    by_row.sort_unstable();
                }
                let linked = trace.find(link.span_id).take(SAME_ID_MAX);
                for caller in linked.filter_map(|other| subject.caller(other)) {
                    if let Some(call) = call_above(subject, &by_row, caller, row) {
                        ids.entry(call).or_default().push(link.span_id);
                    }
                }
            }
        }
        Self { ids }
    }

    /// Whether a call needs one of others.
    fn any(&self, call: Row, others: &HashSet<u64>) -> bool {
        self.ids.get(&call).is_some_and(|ids| ids.iter().any(|id| others.contains(id)))
    }
}

/// The exit span of a caller that a row is, or lies below: the last before it, as those of one caller are not below each
/// other.
fn call_above(
    subject: &Subject<'_, '_>,
    by_row: &[(Row, Row)],
    caller: Row,
    row: Row,
) -> Option<Row> {
    let after = by_row.partition_point(|exit| *exit <= (caller, row));
    let (of, call) = *by_row.get(after.checked_sub(1)?)?;
    let end = call.0.saturating_add(subject.trace.subtree_len(call));
    (of == caller && row.0 < end).then_some(call)
}

/// What would start together: the calls, or what stands between the caller and them where that differs.
fn branches(subject: &Subject<'_, '_>, caller: Row, run: &[Row]) -> Vec<Row> {
    let trace = subject.trace;
    let parent = |row: &Row| trace.parent(*row);
    let first = run.first().and_then(parent);
    if run.iter().all(|row| parent(row) == first) {
        return run.to_vec();
    }
    let below_caller = |row: &Row| {
        let mut above = trace.ancestors(*row).take_while(|above| *above != caller);
        above.by_ref().last().unwrap_or(*row)
    };
    let mut branches: Vec<Row> = run.iter().map(below_caller).collect();
    branches.dedup();
    branches
}

/// The different calls of a run.
fn templates(subject: &Subject<'_, '_>, run: &[Row]) -> HashSet<CallKey> {
    run.iter().filter_map(|row| Some(subject.call(*row)?.key)).collect()
}

impl SequentialCalls {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        run: &[Row],
        settings: &Settings,
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let rule = &settings.sequential_calls;
        let Some(caller) = run.first().and_then(|row| subject.caller(*row)) else { return };
        let calls = branches(subject, caller, run);
        let change = Change::Parallel { calls, limit: settings.parallel_calls };
        let saving_ns = saving_ns(trace, &[change]);
        let share = percent(saving_ns, subject.root_ns());
        if saving_ns < rule.saving_ns_min || share < rule.saving_percent_min {
            return;
        }
        let (service, name) = (trace.service_text(caller), trace.name_text(caller));
        let different = templates(subject, run).len();
        let seen = format!("{service} {name} makes {} calls one after another", run.len());
        let mut listed: Vec<&str> =
            run.iter().filter_map(|row| Some(subject.call(*row)?.template.as_str())).collect();
        listed.sort_unstable();
        listed.dedup();
        let total_ns: i64 = run.iter().map(|row| trace.duration_ns(*row)).sum();
        let longest_ns = run.iter().map(|row| trace.duration_ns(*row)).max().unwrap_or(0);
        let templates: Value = listed.iter().copied().take(TEMPLATES_MAX).collect();
        let evidence = evidence(
            seen.clone(),
            "Each call waits for the one before, though none is known to need its answer.",
            format!(
                "Start the calls together; the caller then waits {} ms less.",
                saving_ns / 1_000_000
            ),
            "A call needs what an earlier one answered.",
            [
                ("calls", run.len().into()),
                ("different", different.into()),
                ("templates", templates),
                ("total_ns", total_ns.into()),
                ("longest_ns", longest_ns.into()),
                ("saving_percent", share.into()),
            ],
        );
        let group = [service, name].into_iter().chain(listed.iter().copied()).collect();
        findings.push(
            self,
            subject,
            Draft {
                title: seen,
                group,
                caller: Some(caller),
                rows: run,
                wasted_ns: total_ns - longest_ns,
                saving_ns,
                severity: Some(
                    Severity::of_saving(saving_ns, subject.root_ns()).min(Severity::Medium),
                ),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::check;

    const TITLE: &str = "sequential_calls 3 web page makes 3 calls one after another";

    fn page(calls: [&str; 3]) -> String {
        let lines = (0..).zip(calls).map(|(at, call)| {
            format!(" web call client {}..{} http.request.method={call}", at * 50, at * 50 + 50)
        });
        std::iter::once("web page server 0..160".to_owned())
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn independent_calls_in_turn_are_found() {
        let text = page([
            "GET url.full=http://a/one",
            "GET url.full=http://b/two",
            "GET url.full=http://c/three",
        ]);
        check(&text, &[TITLE]);
    }

    #[test]
    fn calls_below_internal_spans_of_their_own_are_found() {
        let text = page([
            "GET url.full=http://a/one",
            "GET url.full=http://b/two",
            "GET url.full=http://c/three",
        ]);
        let steps = ["0..50", "50..100", "100..150"]
            .iter()
            .fold(text.replace("\n web", "\n web step internal TIMES\n  web"), |text, times| {
                text.replacen("TIMES", times, 1)
            });
        check(&steps, &[TITLE]);
    }

    #[test]
    fn what_may_depend_is_not() {
        let write = [
            "GET url.full=http://a/one",
            "POST url.full=http://b/two",
            "GET url.full=http://c/three",
        ];
        check(&page(write), &[]);
        let linked = [
            "GET url.full=http://a/one #7",
            "GET url.full=http://b/two",
            "GET url.full=http://c/three ->7",
        ];
        check(&page(linked), &[]);
        let failed = [
            "GET url.full=http://a/one",
            "GET url.full=http://b/two error",
            "GET url.full=http://c/three",
        ];
        check(&page(failed), &[]);
        let same =
            ["GET url.full=http://a/one", "GET url.full=http://b/two", "GET url.full=http://b/two"];
        check(&page(same), &[]);
    }

    #[test]
    fn what_saves_little_or_overlaps_is_not() {
        let text = "web page server 0..100\n web a client 0..20 peer.service=a http.request.method=GET
            \n web b client 20..40 peer.service=b http.request.method=GET\n web c client 40..60 peer.service=c http.request.method=GET";
        check(text, &[]);
        let text = text.replace("20..40", "10..40").replace("0..100", "0..60");
        check(&text, &[]);
    }
}
