//! `large_payload`: a body that takes its time on the wire.
//!
//! Bodies are serialised, copied, compressed, sent and parsed, by both ends and whatever stands between. What is
//! nothing on a developer's machine takes seconds on a busy link.
//!
//! | | |
//! |---|---|
//! | fires when | a request's or response's body has at least 300 kB by its span's attributes |
//! | not when | the template begins with one of the routes that are meant for downloads or uploads, by setting |
//! | severity | medium |
//! | wrong if | the caller needs all of it at once |
//!
//! A call is told once, by the side that calls where both tell it.

use std::collections::BTreeMap;

use causeway_model::trace::Row;

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::n_plus_one::callee;
use super::{Detector, Settings, Severity, Subject};
use crate::forms::{Call, CallKey};

/// Finds large bodies.
#[derive(Debug)]
pub struct LargePayload;

/// Thresholds of [`LargePayload`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargePayloadSettings {
    /// Bytes of a body at least, 300,000.
    pub body_bytes_min: u64,
    /// What templates begin with whose bodies may be large, such as `GET /downloads`; none.
    pub download_templates: Vec<String>,
}

impl Default for LargePayloadSettings {
    fn default() -> Self {
        Self { body_bytes_min: 300_000, download_templates: Vec::new() }
    }
}

/// Calls of one template with large bodies.
#[derive(Debug, Default)]
struct Large {
    rows: Vec<Row>,
    bytes: u64,
    most_bytes: u64,
}

impl Detector for LargePayload {
    fn id(&self) -> &'static str {
        "large_payload"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::BandwidthIsInfinite
    }

    fn summary(&self) -> &'static str {
        "Bodies of requests or responses that are large."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.large_payload;
        let trace = subject.trace;
        let mut large: BTreeMap<CallKey, Large> = BTreeMap::new();
        let bodies = subject.told.bodies.iter().copied();
        for (row, bytes) in bodies.filter(|(_, bytes)| *bytes >= rule.body_bytes_min) {
            let Some(call) = subject.call(row) else { continue };
            // The other end tells the same body.
            let is_told = || {
                let caller = trace.parent(row).filter(|parent| subject.is_exit(*parent));
                let told = caller.is_some_and(|caller| bytes <= subject.told.body_bytes(caller));
                told && !call.is_exit
            };
            if is_download(call, rule) || is_told() {
                continue;
            }
            let of = large.entry(call.key).or_default();
            of.rows.push(row);
            of.bytes = of.bytes.saturating_add(bytes);
            of.most_bytes = of.most_bytes.max(bytes);
        }
        let mut large: Vec<Large> = large.into_values().collect();
        large.sort_by_key(|large| (std::cmp::Reverse(large.bytes), large.rows.first().copied()));
        for large in large.iter().take(settings.findings_max) {
            self.report(subject, large, findings);
        }
    }
}

fn is_download(call: &Call, rule: &LargePayloadSettings) -> bool {
    rule.download_templates.iter().any(|prefix| call.template.starts_with(prefix.as_str()))
}

impl LargePayload {
    fn report(&self, subject: &Subject<'_, '_>, large: &Large, findings: &mut Findings) {
        let trace = subject.trace;
        let Some(first) = large.rows.first().copied() else { return };
        let Some(call) = subject.call(first) else { return };
        let service = trace.service_text(first);
        let verb = if call.is_exit { "calls" } else { "serves" };
        let title = format!(
            "{service} {verb} {}{} with a body of {} kB",
            callee(&call.callee),
            call.template,
            large.most_bytes / 1_000,
        );
        let evidence = evidence(
            title.clone(),
            "Both ends serialise, send, hold and parse it; a lossy or busy link makes it seconds.",
            "Send less: pages, selected fields, compression, or a link to a file.".to_owned(),
            "The caller needs all of it at once.",
            [
                ("template", call.template.as_str().into()),
                ("bytes", large.bytes.into()),
                ("most_bytes", large.most_bytes.into()),
                ("calls", large.rows.len().into()),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![&call.template, &call.callee, service],
                caller: subject.caller(first),
                rows: &large.rows,
                severity: Some(Severity::Medium),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::detect;
    use crate::detectors::tests::of_detector;
    use crate::forms::Former;
    use crate::testing::with;

    const NAME: &str = "large_payload";

    fn export(bytes: &str) -> String {
        format!("web page server 0..99\n web GET client 1..90 http.request.method=GET url.full=\"http://cat/export\" http.response.body.size={bytes}
              cat \"GET /export\" server 2..80 http.request.method=GET http.route=/export http.response.body.size={bytes}")
    }

    #[test]
    fn a_large_answer_is_told_once() {
        let found = of_detector(&export("300000"), NAME);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].title, "web calls cat GET /export with a body of 300 kB");
        assert_eq!(of_detector(&export("299999"), NAME), []);
    }

    #[test]
    fn downloads_may_be_large() {
        let rule = LargePayloadSettings {
            download_templates: vec!["GET /export".to_owned()],
            ..Default::default()
        };
        let settings = Settings { large_payload: rule, ..Settings::default() };
        let found =
            with(&export("900000"), |trace| detect(trace, 1, &settings, &mut Former::default()));
        assert!(found.iter().all(|finding| finding.detector != NAME));
    }

    #[test]
    fn sizes_that_are_none_are_none() {
        assert_eq!(of_detector(&export("-400000"), NAME), []);
        assert_eq!(of_detector(&export("huge"), NAME), []);
    }
}
