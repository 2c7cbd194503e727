//! `fan_out`: many calls of one kind at once.
//!
//! The caller starts a call for each item of a list and waits for all of them. That is as slow as the slowest, which
//! with hundred calls is nearly always a slow one, and it takes hundred places in the callee's queue at one moment.
//!
//! | | |
//! |---|---|
//! | fires when | at least 20 exit spans of one template under one caller, mostly side by side (half of what could overlap does) |
//! | not when | they follow each other: that is [`NPlusOne`](super::NPlusOne); retries of calls that failed do not count |
//! | change | one call with all items: the longest of the calls and [`Settings::batch_item_ns`] an item |
//! | wrong if | the calls go to different shards or partitions that no single call could ask |

use super::attempts::retries;
use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::n_plus_one::callee;
use super::repeats::{Repeat, Spread};
use super::{Detector, Settings, Subject};
use crate::what_if::{Change, saving_ns};

/// Finds many calls of one kind at once.
#[derive(Debug)]
pub struct FanOut;

/// Thresholds of [`FanOut`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FanOutSettings {
    /// Calls at least, 20.
    pub calls_min: usize,
    /// Overlap of neighbours from which calls are side by side, 50 %.
    pub overlap_percent_min: i64,
}

impl Default for FanOutSettings {
    fn default() -> Self {
        Self { calls_min: 20, overlap_percent_min: 50 }
    }
}

impl Detector for FanOut {
    fn id(&self) -> &'static str {
        "fan_out"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::LatencyIsZero
    }

    fn summary(&self) -> &'static str {
        "Many calls of one kind at once."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.fan_out;
        let fires = |repeat: &&Repeat| {
            repeat.rows.len() >= rule.calls_min
                && repeat.rows.len() - retries(subject, &repeat.rows) >= rule.calls_min
                && Spread::of(subject, &repeat.rows).overlap_percent >= rule.overlap_percent_min
        };
        let mut wide: Vec<&Repeat> = subject.repeats.iter().filter(fires).collect();
        wide.sort_by_key(|repeat| std::cmp::Reverse(repeat.rows.len()));
        for repeat in wide.into_iter().take(settings.findings_max) {
            self.report(subject, repeat, settings, findings);
        }
    }
}

impl FanOut {
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
        let (caller_service, caller_name) = (trace.service_text(*caller), trace.name_text(*caller));
        let (callee, count) = (callee(&call.callee), rows.len());
        let seen = format!(
            "{caller_service} {caller_name} calls {callee}{} {count} times at once",
            call.template,
        );
        let evidence = evidence(
            seen.clone(),
            "The caller waits for the slowest of them, and the callee takes them all at one moment.",
            format!("Ask for all items at once: {count} calls become 1."),
            "The calls go to partitions that no single call could ask.",
            [
                ("template", call.template.as_str().into()),
                ("callee", call.callee.as_str().into()),
                ("calls", count.into()),
                ("total_ns", spread.total_ns.into()),
                ("longest_ns", spread.longest_ns.into()),
                ("overlap_percent", spread.overlap_percent.into()),
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
                saving_ns: saving_ns(trace, &[change]),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::{check, found};

    #[test]
    fn many_calls_at_once_are_a_fan_out() {
        let text = "web page server 0..100
            web get client 10..90 x20/1 http.request.method=GET url.full=\"http://users/users/%i\"";
        check(text, &["fan_out 20 web page calls users GET /users/{id} 20 times at once"]);
        let finding = &found(text)[0];
        // One call of 80 ms that is as long as the longest, and 19 items more; the last call ended at 109 ms, after the page.
        assert_eq!(finding.evidence.value()["overlap_percent"], 98);
    }

    #[test]
    fn fewer_or_one_after_another_are_none() {
        let get = "http.request.method=GET url.full=\"http://users/users/%i\"";
        check(&format!("web page server 0..100\n web get client 10..60 x19/1 {get}"), &[]);
        let turns = format!("web page server 0..900\n web get client 10..40 x20/40 {get}");
        let fan_outs = found(&turns).into_iter().filter(|finding| finding.detector == "fan_out");
        assert_eq!(fan_outs.count(), 0);
    }
}
