//! `n_plus_one`: one call for each item of a list, one after another.
//!
//! A list is fetched with one call, and then each of its items with one more: 101 calls for 100 orders. Each is quick,
//! so nobody notices until lists get long or the way to the callee does.
//!
//! | | |
//! |---|---|
//! | fires when | at least 5 exit spans of one template under one caller, mostly one after another (neighbours overlap less than 20 %), that together take 20 ms or 5 % of the entry span, which is the one by which the work came into the caller's process |
//! | not when | calls repeat one that failed (retries do not count); gaps grow from call to call (polling); the calls are housekeeping (pings, transactions, connections); only the span's name is the same, not the template or the callee |
//! | also | says which call came before (1+N), as it probably gave the list; what the called services do for each of the calls belongs to the same finding (MxN); repeats without usable times are reported with that said |
//! | change | one call with all items: the longest of the calls and [`Settings::batch_item_ns`] an item |
//! | wrong if | each call needs what the one before answered |

use causeway_model::trace::Row;
use hashbrown::HashMap;
use serde_json::{Value, json};

use super::attempts::retries;
use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::repeats::{Repeat, Spread, is_polling, percent};
use super::{Detector, Settings, Subject};
use crate::forms::CallKey;
use crate::what_if::{Change, saving_ns};

/// Calls below others that are listed in a finding.
const NESTED_MAX: usize = 10;

/// Finds one call for each item of a list, one after another.
#[derive(Debug)]
pub struct NPlusOne;

/// Thresholds of [`NPlusOne`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NPlusOneSettings {
    /// Calls at least, 5.
    pub calls_min: usize,
    /// Overlap of neighbours below which calls are one after another, 20 %.
    pub overlap_percent_max: i64,
    /// What they take together, 20 ms.
    pub total_ns_min: i64,
    /// Or what they take of the entry span, 5 %.
    pub entry_percent_min: i64,
}

impl Default for NPlusOneSettings {
    fn default() -> Self {
        Self {
            calls_min: 5,
            overlap_percent_max: 20,
            total_ns_min: 20_000_000,
            entry_percent_min: 5,
        }
    }
}

impl Detector for NPlusOne {
    fn id(&self) -> &'static str {
        "n_plus_one"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::LatencyIsZero
    }

    fn summary(&self) -> &'static str {
        "One call for each item of a list, one after another."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.n_plus_one;
        let fires = |repeat: &&Repeat| fires(subject, repeat, rule);
        let mut outer = outermost(subject, subject.repeats.iter().filter(fires));
        // Replays cost a pass over the trace each, so only the worst are made.
        outer.sort_by_cached_key(|repeat| {
            let spread = Spread::of(subject, &repeat.rows);
            std::cmp::Reverse((spread.total_ns, repeat.rows.len()))
        });
        for repeat in outer.into_iter().take(settings.findings_max) {
            self.report(subject, repeat, settings, findings);
        }
    }
}

fn fires(subject: &Subject<'_, '_>, repeat: &Repeat, rule: &NPlusOneSettings) -> bool {
    let rows = &repeat.rows;
    if rows.len() < rule.calls_min || rows.len() - retries(subject, rows) < rule.calls_min {
        return false;
    }
    let spread = Spread::of(subject, rows);
    if !spread.has_times {
        return true;
    }
    let entry_ns = subject.trace.duration_ns(subject.entry(repeat.caller));
    let is_long = spread.busy_ns >= rule.total_ns_min
        || percent(spread.busy_ns, entry_ns) >= rule.entry_percent_min;
    is_long && spread.overlap_percent < rule.overlap_percent_max && !is_polling(subject, rows)
}

/// Those that no other is about: what happens below repeated calls belongs to them. Repeats come by caller, and callers
/// above others come first.
fn outermost<'r>(
    subject: &Subject<'_, '_>,
    repeats: impl Iterator<Item = &'r Repeat>,
) -> Vec<&'r Repeat> {
    let mut is_below: Vec<bool> = Vec::new();
    let mut outer = Vec::new();
    for repeat in repeats {
        is_below.resize(subject.trace.len(), false);
        let below = |row: &Row| is_below.get(row.idx()).copied().unwrap_or(false);
        if repeat.rows.iter().all(below) {
            continue;
        }
        for row in &repeat.rows {
            for below in subject.trace.subtree(*row).skip(1) {
                match is_below.get_mut(below.idx()) {
                    // Everything below was marked by the call that marked this.
                    Some(true) | None => {}
                    Some(is_below) => *is_below = true,
                }
            }
        }
        outer.push(repeat);
    }
    outer
}

impl NPlusOne {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        repeat: &Repeat,
        settings: &Settings,
        findings: &mut Findings,
    ) {
        let Repeat { caller, call, rows } = repeat;
        let trace = subject.trace;
        let spread = Spread::of(subject, rows);
        let change = Change::Batch { calls: rows.clone(), per_item_ns: settings.batch_item_ns };
        let saving_ns = saving_ns(trace, &[change]);
        let (caller_service, caller_name) = (trace.service_text(*caller), trace.name_text(*caller));
        let count = rows.len();
        let seen = format!(
            "{caller_service} {caller_name} calls {}{} {count} times one after another",
            callee(call.callee.as_str()),
            call.template,
        );
        let source = source(subject, repeat);
        let calls_after = 1 + usize::from(source.is_some());
        let remedy = format!(
            "Ask for all items at once: {} calls become {calls_after}.",
            count + usize::from(source.is_some()),
        );
        let evidence = evidence(
            seen.clone(),
            "Each call waits for the one before, so the caller pays the way there and back for each item.",
            remedy,
            "Each call needs what the one before answered.",
            [
                ("template", call.template.as_str().into()),
                ("callee", call.callee.as_str().into()),
                ("calls", count.into()),
                ("retries", retries(subject, rows).into()),
                ("calls_after", calls_after.into()),
                ("total_ns", spread.total_ns.into()),
                ("longest_ns", spread.longest_ns.into()),
                ("overlap_percent", spread.overlap_percent.into()),
                ("times_usable", spread.has_times.into()),
                ("source", source.map_or(Value::Null, |row| source_evidence(subject, row))),
                ("nested", nested(subject, rows)),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title: seen,
                group: vec![&call.template, &call.callee, caller_service, caller_name],
                caller: Some(*caller),
                rows,
                wasted_ns: spread.total_ns - spread.longest_ns,
                saving_ns,
                evidence,
                ..Draft::default()
            },
        );
    }
}

/// A callee before a template.
pub(super) fn callee(callee: &str) -> String {
    if callee.is_empty() { String::new() } else { format!("{callee} ") }
}

/// The call that probably gave the list: the last other one of the same caller that ended before the first.
fn source(subject: &Subject<'_, '_>, repeat: &Repeat) -> Option<Row> {
    let trace = subject.trace;
    let first = *repeat.rows.first()?;
    let first_ns = trace.start_ns(first);
    let exits = subject.exits_of(repeat.caller).iter().map(|(_, row)| *row);
    let before = exits.take_while(|row| trace.start_ns(*row) <= first_ns).filter(|row| {
        let call = subject.call(*row);
        trace.end_ns(*row) <= first_ns
            && *row != first
            && call.is_some_and(|call| call.key != repeat.call.key && !call.is_housekeeping)
    });
    before.max_by_key(|row| (trace.end_ns(*row), *row))
}

fn source_evidence(subject: &Subject<'_, '_>, row: Row) -> Value {
    let template = subject.call(row).map_or("", |call| call.template.as_str());
    json!({"span_id": format!("{:016x}", subject.trace.span_id(row)), "template": template})
}

/// What the repeated calls lead to, the most frequent first.
fn nested(subject: &Subject<'_, '_>, rows: &[Row]) -> Value {
    let mut counts: HashMap<CallKey, (usize, Row)> = HashMap::new();
    for row in rows {
        for below in subject.trace.subtree(*row).skip(1).filter(|row| subject.is_exit(*row)) {
            let Some(call) = subject.call(below).filter(|call| !call.is_housekeeping) else {
                continue;
            };
            counts.entry(call.key).or_insert((0, below)).0 += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(key, (count, _))| (std::cmp::Reverse(*count), *key));
    let one = |(_, (count, row)): &(CallKey, (usize, Row))| {
        let call = subject.call(*row)?;
        let service = subject.trace.service_text(*row);
        Some(
            json!({"service": service, "template": call.template, "callee": call.callee, "calls": count}),
        )
    };
    counts.iter().take(NESTED_MAX).filter_map(one).collect()
}
