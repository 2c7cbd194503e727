//! `retry_without_backoff`: attempts at a call follow each other at the same pace.
//!
//! An attempt right after a failed one mostly fails as well, and all callers that failed together come back together.
//! Pauses that grow, and differ by chance, let the callee recover.
//!
//! | | |
//! |---|---|
//! | fires when | at least 3 attempts at one call under one caller, where the pause before the last is less than 1.5 times the one before the first repeat |
//! | not when | pauses grow; two attempts: one prompt repeat costs little; different calls that fail one after another |
//! | wrong if | the pauses were told by the callee (`Retry-After`) |
//!
//! Whether pauses differ from trace to trace (jitter) is left to findings over windows.

use serde_json::Value;

use super::attempts::Attempts;
use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::n_plus_one::callee;
use super::{Detector, Settings, Severity, Subject};

/// Pauses that are listed in a finding.
const GAPS_MAX: usize = 20;

/// Finds retries that do not slow down.
#[derive(Debug)]
pub struct RetryWithoutBackoff;

/// Thresholds of [`RetryWithoutBackoff`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryWithoutBackoffSettings {
    /// Attempts at least, 3.
    pub attempts_min: usize,
    /// The last pause in percent of the first, from which pauses grow, 150.
    pub growth_percent_min: i64,
}

impl Default for RetryWithoutBackoffSettings {
    fn default() -> Self {
        Self { attempts_min: 3, growth_percent_min: 150 }
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
        "Attempts at a call that follow each other without growing pauses."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.retry_without_backoff;
        let mut found: Vec<(&Attempts, Vec<i64>)> = subject
            .attempts
            .iter()
            .filter(|attempts| attempts.rows.len() >= rule.attempts_min)
            .map(|attempts| {
                let gaps_ns = attempts.gaps_ns(subject);
                (attempts, gaps_ns)
            })
            .filter(|(_, gaps_ns)| !grows(gaps_ns, rule.growth_percent_min))
            .collect();
        found.sort_by_key(|(attempts, _)| std::cmp::Reverse(attempts.rows.len()));
        for (attempts, gaps_ns) in found.iter().take(settings.findings_max) {
            self.report(subject, attempts, gaps_ns, findings);
        }
    }
}

fn grows(gaps_ns: &[i64], growth_percent_min: i64) -> bool {
    let ends = gaps_ns.first().zip(gaps_ns.last());
    ends.is_some_and(|(first, last)| {
        *last > 0 && i128::from(*last) * 100 >= i128::from(*first) * i128::from(growth_percent_min)
    })
}

impl RetryWithoutBackoff {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        Attempts { caller, call, rows }: &Attempts,
        gaps_ns: &[i64],
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let (service, name) = (trace.service_text(*caller), trace.name_text(*caller));
        let title = format!(
            "{service} {name} tries {}{} {} times without growing pauses",
            callee(&call.callee),
            call.template,
            rows.len(),
        );
        let failed = rows.len().saturating_sub(1);
        let wasted_ns = rows.iter().take(failed).map(|row| trace.duration_ns(*row)).sum();
        let evidence = evidence(
            title.clone(),
            "All callers that fail come back at one pace, and keep down what is just recovering.",
            "Double the pause with each attempt, draw it at random, and limit attempts by a budget."
                .to_owned(),
            "The callee itself told when to come back.",
            [
                ("template", call.template.as_str().into()),
                ("callee", call.callee.as_str().into()),
                ("attempts", rows.len().into()),
                ("gaps_ns", gaps_ns.iter().copied().take(GAPS_MAX).collect::<Value>()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![&call.template, &call.callee, service, name],
                caller: Some(*caller),
                rows,
                wasted_ns,
                severity: Some(Severity::Medium),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const GET: &str = "http.request.method=GET url.full=\"http://users/users/7\"";
    const NAME: &str = "retry_without_backoff";

    fn page(starts: &[i64], get: &str) -> String {
        let calls =
            starts.iter().map(|at| format!(" web GET client {at}..{} error {get}", at + 10));
        let lines = std::iter::once("web page server 0..2000".to_owned()).chain(calls);
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn three_attempts_at_one_pace_are_found() {
        let found = of_detector(&page(&[0, 30, 60], GET), NAME);
        let title = "web page tries users GET /users/{id} 3 times without growing pauses";
        assert_eq!(found[0].title, title);
        assert_eq!(found[0].evidence.value()["gaps_ns"][1], 20_000_000);
        assert_eq!(found[0].wasted_ns, 20_000_000);
        assert_eq!(of_detector(&page(&[0, 10, 20], GET), NAME).len(), 1);
    }

    #[test]
    fn growing_pauses_two_attempts_and_items_are_none() {
        assert_eq!(of_detector(&page(&[0, 30, 80], GET), NAME), []);
        assert_eq!(of_detector(&page(&[0, 30], GET), NAME), []);
        let items = "web page server 0..2000\n web GET client 0..10 error x9/30 http.request.method=GET url.full=\"http://users/users/%i\"";
        assert_eq!(of_detector(items, NAME), []);
        let searches = "web page server 0..2000\n web POST client 0..10 error x9/30 db.system=elasticsearch url.full=http://es/orders/_search db.statement=\"{'user':'u%i'}\"";
        assert_eq!(of_detector(searches, NAME), []);
        assert_eq!(of_detector(&searches.replace("%i", "7"), NAME).len(), 1);
    }

    #[test]
    fn attempts_without_times_are_found_once() {
        let text = format!("web page server 0..2000\n web GET client ?..? error x4/0 {GET}");
        assert_eq!(of_detector(&text, NAME).len(), 1);
    }
}
