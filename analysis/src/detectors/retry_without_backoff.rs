//! `retry_without_backoff`: a call that failed is repeated at once, or at even distances.
//!
//! | | |
//! |---|---|
//! | fires when | at least 3 attempts of one call under one caller, each but the last failed, and the gaps between them do not grow: fewer than half are half again as long as the one before, and with two gaps the second is not |
//! | not when | the calls ask for different things, as far as attributes tell: these are items, not attempts; the gaps grow |
//! | change | none: waiting longer makes nothing faster |
//! | wrong if | the failures do not come from load, and the next attempt goes elsewhere |
//!
//! Whether gaps have jitter shows over many traces only.

use causeway_model::trace::Row;
use serde_json::Value;

use super::finding::{Draft, Fallacy, Findings, Severity, evidence};
use super::repeats::{Repeat, attempts};
use super::{Detector, Settings, Subject};

/// Gaps that are listed in a finding.
const GAPS_MAX: usize = 20;

/// Finds calls that are repeated without waiting longer each time.
#[derive(Debug)]
pub struct RetryWithoutBackoff;

/// Thresholds of [`RetryWithoutBackoff`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryWithoutBackoffSettings {
    /// Attempts at least, the first one included, 3.
    pub attempts_min: usize,
}

impl Default for RetryWithoutBackoffSettings {
    fn default() -> Self {
        Self { attempts_min: 3 }
    }
}

impl Detector for RetryWithoutBackoff {
    fn id(&self) -> &'static str {
        "retry_without_backoff"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "A call that failed is repeated at once, or at even distances."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        // One attempt is none; and the least that has two gaps to compare is three.
        let attempts_min = settings.retry_without_backoff.attempts_min.max(3);
        let mut left = settings.findings_max;
        for repeat in &subject.repeats {
            for attempts in attempts(subject, &repeat.rows) {
                let gaps = gaps(subject, attempts);
                if attempts.len() >= attempts_min && !grows(&gaps) && left > 0 {
                    left -= 1;
                    self.report(subject, repeat, attempts, &gaps, findings);
                }
            }
        }
    }
}

fn gaps(subject: &Subject<'_, '_>, attempts: &[Row]) -> Vec<i64> {
    let trace = subject.trace;
    let next = attempts.iter().skip(1);
    let gap = |(a, b): (&Row, &Row)| trace.start_ns(*b).saturating_sub(trace.end_ns(*a)).max(0);
    attempts.iter().zip(next).map(gap).collect()
}

/// Whether at least half of the gaps are half again as long as the one before.
fn grows(gaps: &[i64]) -> bool {
    let longer = |pair: &&[i64]| matches!(pair, [a, b] if b.saturating_mul(2) >= a.saturating_mul(3) && *b > 0);
    let pairs = gaps.windows(2);
    let count = pairs.len();
    pairs.filter(longer).count() * 2 >= count
}

impl RetryWithoutBackoff {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        repeat: &Repeat,
        attempts: &[Row],
        gaps: &[i64],
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let (service, name) = (trace.service_text(repeat.caller), trace.name_text(repeat.caller));
        let call = &repeat.call;
        let count = attempts.len();
        let seen = format!(
            "{service} {name} tries {} {count} times without waiting longer each time",
            call.template
        );
        let all_but_last = attempts.split_last().map_or(&[][..], |(_, before)| before);
        let wasted_ns = all_but_last.iter().map(|row| trace.duration_ns(*row)).sum();
        let evidence = evidence(
            seen.clone(),
            "Callers that come back at once keep a callee down that is overloaded.",
            "Wait longer after each attempt, by a random part, and give up after a few.".to_owned(),
            "The failures do not come from load, and the next attempt goes elsewhere.",
            [
                ("template", call.template.as_str().into()),
                ("callee", call.callee.as_str().into()),
                ("attempts", count.into()),
                ("gaps_ns", gaps.iter().copied().take(GAPS_MAX).collect::<Value>()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title: seen,
                group: vec![&call.template, &call.callee, service, name],
                caller: Some(repeat.caller),
                rows: attempts,
                wasted_ns,
                saving_ns: 0,
                severity: Some(Severity::Medium),
                evidence,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::check;

    /// A page whose attempts start at moments and take 10 ms; all but the last fail.
    fn page(starts: &[u32], same: bool) -> String {
        let last = starts.len() - 1;
        let lines = starts.iter().enumerate().map(|(number, at)| {
            let error = if number < last { "error" } else { "" };
            let item = if same { 7 } else { number };
            format!(
                " web call client {at}..{} http.request.method=GET url.full=http://a/x/{item} {error}",
                at + 10
            )
        });
        std::iter::once("web page server 0..2000".to_owned())
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn attempts_at_once_or_at_even_distances_are_found() {
        let title = |count| {
            format!(
                "retry_without_backoff {count} web page tries GET /x/{{id}} {count} times without waiting longer each time"
            )
        };
        check(&page(&[0, 11, 22, 33], true), &[&title(4)]);
        check(&page(&[0, 110, 220], true), &[&title(3)]);
    }

    #[test]
    fn growing_gaps_two_attempts_and_other_items_are_none() {
        check(&page(&[0, 20, 60, 150], true), &[]);
        check(&page(&[0, 11], true), &[]);
        check(&page(&[0, 11, 22, 33], false), &[]);
    }
}
