//! `missing_timeout`: somebody waited for an answer as if there were no end.
//!
//! A caller that waits without a limit waits for as long as the callee takes, forever if it must. Threads and
//! connections that wait like that run out, and a slow callee takes its callers down with it.
//!
//! | | |
//! |---|---|
//! | fires when | an exit span waited more than 5 s and 10 times the other calls of its template in the trace, where there are any, and was neither cancelled nor timed out; or a span has no end, and what is below it went on for more than 1 min after its start, by one clock, or lasted as long by another |
//! | not when | a call below it waited as long: that one is named; streams, long polls, messages and model calls, which are meant to last |
//! | severity | high from 5 s of wasted time on the critical path, medium otherwise |
//! | wrong if | the call is meant to take that long, and its caller says so by a deadline |
//!
//! The usual time of a template over many traces is left to findings over windows.

use causeway_model::trace::{Flags, Row, Status};
use hashbrown::HashMap;

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::n_plus_one::callee;
use super::{Detector, Settings, Severity, Subject, with_fields};
use crate::forms::{Call, CallKey, Field, System};
use crate::what_if::{Change, saving_ns};

/// What in a template or attribute tells a call that is meant to last.
const LASTING: [&str; 7] = ["stream", "watch", "subscribe", "poll", "websocket", "sse", "listen"];

/// Finds waits without an end.
#[derive(Debug)]
pub struct MissingTimeout;

/// Thresholds of [`MissingTimeout`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingTimeoutSettings {
    /// A wait at least, 5 s.
    pub wait_ns_min: i64,
    /// And how many times as long as the other calls of the template, 10.
    pub usual_times_min: i64,
    /// How long a span without an end is open at least, 1 min.
    pub open_ns_min: i64,
}

impl Default for MissingTimeoutSettings {
    fn default() -> Self {
        Self { wait_ns_min: 5_000_000_000, usual_times_min: 10, open_ns_min: 60_000_000_000 }
    }
}

impl Detector for MissingTimeout {
    fn id(&self) -> &'static str {
        "missing_timeout"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "A wait for an answer that nobody ended."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.missing_timeout;
        let mut waits = waits(subject, rule);
        waits.sort_by_key(|(row, wait_ns)| (std::cmp::Reverse(*wait_ns), *row));
        for (row, wait_ns) in waits.into_iter().take(settings.findings_max) {
            self.report(subject, row, wait_ns, rule, findings);
        }
    }
}

/// Waits that are too long, none above another.
fn waits(subject: &Subject<'_, '_>, rule: &MissingTimeoutSettings) -> Vec<(Row, i64)> {
    let trace = subject.trace;
    let mut found = Vec::new();
    let may_fire = |row: Row| {
        trace.duration_ns(row) > rule.wait_ns_min || trace.flags(row).contains(Flags::NO_TIME)
    };
    if !trace.rows().any(may_fire) {
        return found;
    }
    // Whether a long wait lies below; rows are walked from the leaves up.
    let mut has_below = vec![false; trace.len()];
    let mut usual = Usual::default();
    let mut below_ns: Vec<Below> = trace.rows().map(|row| Below::of(subject, row)).collect();
    for row in trace.rows().rev() {
        let has_wait_below = has_below.get(row.idx()).copied().unwrap_or(false);
        let Some(below) = below_ns.get(row.idx()).copied() else { continue };
        let wait_ns = wait_ns(subject, row, below, &mut usual, rule).filter(|_| !has_wait_below);
        found.extend(wait_ns.map(|ns| (row, ns)));
        let Some(parent) = trace.parent(row) else { continue };
        if let Some(flag) = has_below.get_mut(parent.idx()) {
            *flag |= has_wait_below || wait_ns.is_some();
        }
        if let Some(of_parent) = below_ns.get_mut(parent.idx()) {
            of_parent.longest_ns = of_parent.longest_ns.max(below.longest_ns);
            if trace.clock(parent) == trace.clock(row) {
                of_parent.last_end_ns = of_parent.last_end_ns.max(below.last_end_ns);
            }
        }
    }
    found
}

/// What is known of a row and all below it, whatever clocks are off.
#[derive(Debug, Clone, Copy)]
struct Below {
    /// The last end by the row's own clock, as sent.
    last_end_ns: i64,
    /// The longest span of any clock.
    longest_ns: i64,
}

impl Below {
    fn of(subject: &Subject<'_, '_>, row: Row) -> Self {
        let (start_ns, lasted_ns) =
            (subject.trace.raw_start_ns(row), subject.trace.raw_duration_ns(row));
        Self { last_end_ns: start_ns.saturating_add(lasted_ns), longest_ns: lasted_ns }
    }
}

/// How long a row waited, if that is too long.
fn wait_ns(
    subject: &Subject<'_, '_>,
    row: Row,
    below: Below,
    usual: &mut Usual,
    rule: &MissingTimeoutSettings,
) -> Option<i64> {
    let trace = subject.trace;
    let flags = trace.flags(row);
    if flags.contains(Flags::PLACEHOLDER) {
        return None;
    }
    if flags.contains(Flags::NO_TIME) {
        let start_ns = trace.raw_start_ns(row);
        let open_ns = below.last_end_ns.saturating_sub(start_ns).max(below.longest_ns);
        return (start_ns > 0 && open_ns > rule.open_ns_min).then_some(open_ns);
    }
    let wait_ns = trace.duration_ns(row);
    let call = subject.call(row).filter(|call| call.is_exit && wait_ns > rule.wait_ns_min)?;
    let is_ended = trace.status(row) == Status::Error;
    if is_ended || is_meant_to_last(subject, row, call) {
        return None;
    }
    let others_ns = usual.others_ns(subject, row, call);
    let is_unusual =
        others_ns.is_none_or(|usual| wait_ns > usual.saturating_mul(rule.usual_times_min));
    is_unusual.then_some(wait_ns)
}

/// Calls of a caller that are looked at to learn how long they usually take.
const USUAL_CALLS_MAX: usize = 1_000;

/// How long calls under a caller usually take, found out once for all of them.
#[derive(Debug, Default)]
struct Usual {
    /// Calls of each caller, by what is called and how long it took.
    calls: HashMap<Row, Vec<(CallKey, i64, Row)>>,
}

impl Usual {
    /// The median of the other calls of a template.
    fn others_ns(&mut self, subject: &Subject<'_, '_>, row: Row, call: &Call) -> Option<i64> {
        let caller = subject.caller(row)?;
        let calls = self.calls.entry(caller).or_insert_with(|| {
            let rows = subject.exits_of(caller).iter().take(USUAL_CALLS_MAX).map(|(_, row)| *row);
            let timed = |row| Some((subject.call(row)?.key, subject.trace.duration_ns(row), row));
            let mut calls: Vec<_> = rows.filter_map(timed).collect();
            calls.sort_unstable();
            calls
        });
        let first = calls.partition_point(|(key, ..)| *key < call.key);
        let same = calls.get(first..)?;
        let same = same.get(..same.partition_point(|(key, ..)| *key == call.key))?;
        let own = same.binary_search(&(call.key, subject.trace.duration_ns(row), row)).ok();
        let middle = (same.len() - usize::from(own.is_some())) / 2;
        let middle = middle + usize::from(own.is_some_and(|own| own <= middle));
        same.get(middle).map(|(_, ns, _)| *ns)
    }
}

fn is_meant_to_last(subject: &Subject<'_, '_>, row: Row, call: &Call) -> bool {
    if matches!(call.system, System::Messaging | System::GenAi) {
        return true;
    }
    let protocol = with_fields(subject.trace, row, |fields| {
        fields.text(Field::NetworkProtocol).map(str::to_ascii_lowercase)
    });
    let template = call.template.to_ascii_lowercase();
    let is_told = |text: &str| LASTING.iter().any(|word| text.contains(word));
    is_told(&template) || protocol.is_some_and(|protocol| is_told(&protocol))
}

impl MissingTimeout {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        row: Row,
        wait_ns: i64,
        rule: &MissingTimeoutSettings,
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let is_open = trace.flags(row).contains(Flags::NO_TIME);
        let (service, name) = (trace.service_text(row), trace.name_text(row));
        let call = subject.call(row);
        let what = call.map_or_else(
            || name.to_owned(),
            |call| format!("{}{}", callee(&call.callee), call.template),
        );
        let title = if is_open {
            format!(
                "{service} {what} never ended, though what is below it went on for more than a minute"
            )
        } else {
            format!("{service} waits {:.1} s for {what}, and nobody gives up", wait_ns as f64 / 1e9)
        };
        let wasted_ns = wait_ns.saturating_sub(rule.wait_ns_min).max(0);
        // What a limit at the threshold would have cut off.
        let percent =
            (i128::from(wasted_ns) * 100 / i128::from(wait_ns.max(1))).clamp(0, 100) as u8;
        let saving_ns = saving_ns(trace, &[Change::Faster { spans: vec![row], percent }]);
        let group = format!("{service} {what}");
        let is_felt = subject.path_below_ns(&[row]) >= rule.wait_ns_min;
        let evidence = evidence(
            title.clone(),
            "Whoever waits holds a thread, a connection and the patience of its own caller.",
            "Give the call a deadline a few times its usual length, and pass on what is left of the caller's.".to_owned(),
            "The call is meant to take that long, and its caller set a deadline beyond it.",
            [
                ("template", call.map_or(name, |call| call.template.as_str()).into()),
                ("wait_ns", wait_ns.into()),
                ("is_open", is_open.into()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![&group],
                caller: subject.caller(row),
                rows: &[row],
                wasted_ns,
                saving_ns,
                severity: Some(if is_felt { Severity::High } else { Severity::Medium }),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const NAME: &str = "missing_timeout";
    const SQL: &str = "db.system=mysql db.statement=\"SELECT a FROM t FOR UPDATE\"";

    #[test]
    fn the_deepest_long_wait_is_named() {
        let text = format!("web page server 0..7s\n web get client 0..7s url.full=http://stock/x http.request.method=GET
              stock serve server 1..6999\n                stock q client 2..6900 {SQL}");
        let found = of_detector(&text, NAME);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].title,
            "stock waits 6.9 s for mysql SELECT a FROM t FOR UPDATE, and nobody gives up"
        );
        assert_eq!((found[0].wasted_ns, found[0].severity.label()), (1_898_000_000, "high"));
        assert!(found[0].saving_ns > 1_500_000_000);
    }

    #[test]
    fn ended_usual_and_lasting_waits_are_none() {
        let page = "web page server 0..60s\n web q client";
        assert_eq!(of_detector(&format!("{page} 0..5s {SQL}"), NAME), []);
        assert_eq!(of_detector(&format!("{page} 0..7s error {SQL}"), NAME), []);
        assert_eq!(of_detector(&format!("{page} 0..7s x5/8s {SQL}"), NAME), []);
        let stream = "http.request.method=GET url.full=http://feed/events/stream";
        assert_eq!(of_detector(&format!("{page} 0..7s {stream}"), NAME), []);
    }

    #[test]
    fn a_span_without_an_end_is_found_by_what_is_below() {
        let text = "web page server 0..?\n web work internal 10s..70s";
        assert_eq!(of_detector(text, NAME).len(), 1);
        assert_eq!(of_detector(&text.replace("70s", "59s"), NAME), []);
        assert_eq!(of_detector(&text.replace("0..?", "?..?"), NAME), []);
        // What another clock says of when it ended tells nothing; how long it took does.
        let below = "web page server 0..?\n web call client 1..2 error peer.service=b\n  b serve server 40s..70s";
        assert_eq!(of_detector(below, NAME), []);
        assert_eq!(of_detector(&below.replace("40s", "9s"), NAME).len(), 1);
    }
}
