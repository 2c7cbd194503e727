//! `version_skew`: a service runs in several versions at once, and they behave differently.
//!
//! While a new version is rolled out, and long after where an instance was forgotten, requests meet one version or the
//! other by chance. Where they behave differently, users get errors that nobody can repeat.
//!
//! | | |
//! |---|---|
//! | fires when | instances of two versions (`service.version`) served one operation in overlapping times, at least 30 times each, and their error rates differ by 5 points and by two standard errors, or the median of one is twice the other's and 5 ms longer |
//! | not when | versions follow each other; they behave alike |
//! | severity | medium |
//! | wrong if | the versions serve different customers or loads on purpose |
//!
//! Durations are of one server span each, so clocks do not matter. Medians come from buckets a quarter apart.

use std::collections::BTreeMap;

use causeway_model::trace::{Kind, Status};
use serde_json::{Value, json};

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject};

/// Versions of operations at most; about 300 bytes each.
const VERSIONS_MAX: usize = 20_000;
/// Quarters of powers of two, up to 2^63 ns.
const BUCKETS: usize = 256;

/// Thresholds of [`VersionSkew`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSkewSettings {
    /// Requests of each version at least, 30.
    pub calls_min: u64,
    /// Difference of error rates at least, in points of a hundred, 5.
    pub error_points_min: u64,
    /// Median of the slower in percent of the faster at least, 200.
    pub slower_percent_min: i64,
    /// And how much longer at least, 5 ms.
    pub slower_ns_min: i64,
}

impl Default for VersionSkewSettings {
    fn default() -> Self {
        Self {
            calls_min: 30,
            error_points_min: 5,
            slower_percent_min: 200,
            slower_ns_min: 5_000_000,
        }
    }
}

#[derive(Debug, Default)]
struct Served {
    seen: Examples,
    errors: u64,
    /// Requests by bucket of duration.
    durations: BTreeMap<u16, u64>,
}

impl Served {
    fn median_ns(&self) -> i64 {
        let mut left = self.seen.count.div_ceil(2);
        for (bucket, count) in &self.durations {
            if *count >= left {
                return bucket_ns(*bucket);
            }
            left -= count;
        }
        0
    }

    fn error_rate(&self) -> f64 {
        self.errors as f64 / self.seen.count.max(1) as f64
    }
}

/// Requests by service, operation and version.
#[derive(Debug)]
pub struct VersionSkew {
    settings: VersionSkewSettings,
    served: BTreeMap<(String, String), BTreeMap<String, Served>>,
    versions: usize,
    left_out: u64,
}

impl VersionSkew {
    /// Nothing seen yet.
    pub fn new(settings: VersionSkewSettings) -> Self {
        Self { settings, served: BTreeMap::new(), versions: 0, left_out: 0 }
    }
}

impl WindowDetector for VersionSkew {
    fn rule(&self) -> Rule {
        Rule {
            id: "version_skew",
            rule_version: 1,
            fallacy: Fallacy::OneAdministrator,
            summary: "Versions of a service that run at once and behave differently.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        for row in trace.rows() {
            if !matches!(trace.kind(row), Kind::Server | Kind::Consumer) {
                continue;
            }
            let Some(version) = subject.resource_text(row, "service.version") else { continue };
            let key = (trace.service_text(row).to_owned(), trace.name_text(row).to_owned());
            let known = self.served.get(&key).is_some_and(|of| of.contains_key(&*version));
            if !known && self.versions >= VERSIONS_MAX {
                self.left_out += 1;
                continue;
            }
            self.versions += usize::from(!known);
            let served =
                self.served.entry(key).or_default().entry(version.into_owned()).or_default();
            served.seen.see(subject, row);
            served.errors += u64::from(trace.status(row) == Status::Error);
            *served.durations.entry(bucket_of(trace.duration_ns(row))).or_default() += 1;
        }
    }

    fn finish(&self) -> Vec<Finding> {
        // A service is told once, by the operation in which most requests show it.
        let mut worst: BTreeMap<&str, Finding> = BTreeMap::new();
        for ((service, operation), versions) in &self.served {
            let Some(finding) = self.skew(service, operation, versions) else { continue };
            let known = worst.get(service.as_str());
            if known.is_none_or(|known| known.count < finding.count) {
                worst.insert(service, finding);
            }
        }
        worst.into_values().collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl VersionSkew {
    /// The finding about the two versions that differ most.
    fn skew(
        &self,
        service: &str,
        operation: &str,
        versions: &BTreeMap<String, Served>,
    ) -> Option<Finding> {
        let many: Vec<_> =
            versions.iter().filter(|(_, of)| of.seen.count >= self.settings.calls_min).collect();
        let worst = many.iter().max_by(|a, b| a.1.error_rate().total_cmp(&b.1.error_rate()))?;
        let best = many.iter().min_by(|a, b| a.1.error_rate().total_cmp(&b.1.error_rate()))?;
        let slowest = many.iter().max_by_key(|(_, of)| of.median_ns())?;
        let fastest = many.iter().min_by_key(|(_, of)| of.median_ns())?;
        let fails_more = self.fails_more(worst.1, best.1) && overlap(worst.1, best.1);
        let is_slower = self.is_slower(slowest.1, fastest.1) && overlap(slowest.1, fastest.1);
        let (bad, good) = match (fails_more, is_slower) {
            (true, _) => (worst, best),
            (_, true) => (slowest, fastest),
            _ => return None,
        };
        let (bad_version, good_version) = (bad.0.as_str(), good.0.as_str());
        let title = format!(
            "{service} runs {bad_version} beside {good_version}, and they behave differently"
        );
        let figures: Value = many
            .iter()
            .map(|(version, of)| json!({"version": version, "requests": of.seen.count, "errors": of.errors, "median_ns": of.median_ns()}))
            .collect();
        let evidence = evidence(
            title.clone(),
            "Which of them answers is a matter of luck, so the same request fails or lags now and then.",
            format!("Bring all instances of {service} to one version, or take {bad_version} out."),
            "The versions serve different customers or loads on purpose.",
            [
                ("operation", operation.into()),
                ("fails_more", fails_more.into()),
                ("is_slower", is_slower.into()),
                ("versions", figures),
            ],
        );
        let draft = WindowDraft {
            title,
            group: vec![service, bad_version, good_version],
            entry: ("", ""),
            edge: (service, ""),
            severity: Severity::Medium,
            examples: &bad.1.seen,
            wasted_ns: 0,
            evidence,
        };
        Some(draft.finding(self.rule()))
    }

    fn fails_more(&self, bad: &Served, good: &Served) -> bool {
        let apart = bad.error_rate() - good.error_rate();
        let variance =
            |of: &Served| of.error_rate() * (1.0 - of.error_rate()) / of.seen.count.max(1) as f64;
        let error = (variance(bad) + variance(good)).sqrt();
        apart * 100.0 >= self.settings.error_points_min as f64 && apart >= 2.0 * error
    }

    fn is_slower(&self, slow: &Served, fast: &Served) -> bool {
        let (slow_ns, fast_ns) = (slow.median_ns(), fast.median_ns());
        slow_ns.saturating_sub(fast_ns) >= self.settings.slower_ns_min
            && i128::from(slow_ns) * 100
                >= i128::from(fast_ns) * i128::from(self.settings.slower_percent_min)
    }
}

/// Whether two versions ran at the same time.
fn overlap(a: &Served, b: &Served) -> bool {
    let both = a.seen.times_ns().zip(b.seen.times_ns());
    both.is_some_and(|((a_first, a_last), (b_first, b_last))| a_first < b_last && b_first < a_last)
}

/// Buckets are a quarter of a power of two wide.
fn bucket_of(duration_ns: i64) -> u16 {
    let ns = duration_ns.max(4).unsigned_abs();
    let power = ns.ilog2();
    let quarter = (ns >> (power - 2)) & 3;
    u16::try_from(u64::from(power) * 4 + quarter).unwrap_or(0).min(BUCKETS as u16 - 1)
}

/// The least duration of a bucket.
fn bucket_ns(bucket: u16) -> i64 {
    let (power, quarter) = (u32::from(bucket / 4), i64::from(bucket % 4));
    let width = 1i64.checked_shl(power.saturating_sub(2)).unwrap_or(i64::MAX);
    width.saturating_mul(4 + quarter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(requests: u64, errors: u64, duration_ns: i64) -> Served {
        let mut seen = Examples { count: requests, ..Examples::default() };
        seen.see_times(0, 1_000);
        Served { seen, errors, durations: BTreeMap::from([(bucket_of(duration_ns), requests)]) }
    }

    fn is_found(old: Served, new: Served) -> bool {
        let mut skew = VersionSkew::new(VersionSkewSettings::default());
        let versions = BTreeMap::from([("1".to_owned(), old), ("2".to_owned(), new)]);
        skew.served.insert(("cart".to_owned(), "GET /".to_owned()), versions);
        !skew.finish().is_empty()
    }

    #[test]
    fn versions_that_behave_differently_are_found() {
        assert!(is_found(served(100, 15, 1_000_000), served(100, 0, 1_000_000)));
        assert!(is_found(served(30, 0, 26_000_000), served(30, 0, 6_500_000)));
    }

    #[test]
    fn chance_few_requests_and_small_differences_are_none() {
        assert!(!is_found(served(29, 29, 1), served(100, 0, 1)));
        assert!(!is_found(served(30, 2, 1), served(100, 0, 1)));
        assert!(!is_found(served(30, 0, 6_000_000), served(30, 0, 2_000_000)));
        let mut later = served(100, 50, 1);
        later.seen = Examples { count: 100, ..Examples::default() };
        later.seen.see_times(1_000, 2_000);
        assert!(!is_found(later, served(100, 0, 1)));
    }

    #[test]
    fn buckets_hold_what_they_are_named_by() {
        for ns in [4, 5, 1_000, 26_000_000, i64::MAX] {
            let least_ns = bucket_ns(bucket_of(ns));
            assert!(least_ns <= ns && ns - least_ns <= ns / 4, "{ns} {least_ns}");
        }
        assert_eq!(bucket_of(-1), bucket_of(0));
    }
}
