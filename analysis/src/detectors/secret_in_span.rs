//! `secret_in_span`: credentials that whoever reads traces can read.
//!
//! Spans are read by developers, kept for months, exported and pasted into tickets. A password or token in one of them
//! is known to all who can read traces.
//!
//! | | |
//! |---|---|
//! | fires when | an attribute of a span, or of an event of it, holds a password, token, key or other credential, as [`find_secrets`](crate::forms::find_secrets) knows them |
//! | not when | the value is masked, a placeholder, a hash or an id |
//! | severity | high |
//! | wrong if | the value is an example or was revoked |
//!
//! A finding tells kind and place, never the value.

use std::collections::BTreeMap;

use causeway_model::trace::Row;

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::{Detector, Settings, Severity, Subject};
use crate::forms::SecretKind;

/// Finds credentials in spans.
#[derive(Debug)]
pub struct SecretInSpan;

/// Thresholds of [`SecretInSpan`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretInSpanSettings {
    /// Attributes that are not searched, by their names; none.
    pub ignored_keys: Vec<String>,
}

impl Detector for SecretInSpan {
    fn id(&self) -> &'static str {
        "secret_in_span"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsSecure
    }

    fn summary(&self) -> &'static str {
        "Credentials in URLs, statements or attributes."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let trace = subject.trace;
        let ignored = &settings.secret_in_span.ignored_keys;
        let is_searched = |key: &str| !ignored.iter().any(|ignored| ignored == key);
        let mut places: BTreeMap<Place<'_>, Vec<Row>> = BTreeMap::new();
        let mut add = |row, key: String, kind| {
            let service = trace.service_text(row);
            places.entry(Place { service, key, kind: label(kind) }).or_default().push(row);
        };
        for (row, key, kind) in subject.told.secrets.iter().copied() {
            if is_searched(key) {
                add(row, key.to_owned(), kind);
            }
        }
        for (row, event, key, kind) in &subject.told.event_secrets {
            if is_searched(key) {
                add(*row, format!("{event}: {key}"), *kind);
            }
        }
        let mut places: Vec<_> = places.into_iter().collect();
        for (_, rows) in &mut places {
            rows.sort_unstable();
            rows.dedup();
        }
        places.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
        for (place, rows) in places.iter().take(settings.findings_max) {
            self.report(subject, place, rows, findings);
        }
    }
}

/// Where secrets of a kind are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    service: &'a str,
    key: String,
    kind: &'static str,
}

/// What people call a kind of secret.
fn label(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::UrlPassword => "password in a URL",
        SecretKind::Password => "password or key parameter",
        SecretKind::BearerToken => "bearer token",
        SecretKind::BasicCredentials => "basic credentials",
        SecretKind::AwsAccessKey => "AWS access key",
        SecretKind::Jwt => "JSON web token",
        SecretKind::PrivateKey => "private key",
        SecretKind::ServiceKey => "service key",
        SecretKind::NamedAttribute => "secret attribute",
    }
}

impl SecretInSpan {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        place: &Place<'_>,
        rows: &[Row],
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let Place { service, key, kind } = place;
        let name = rows.first().map_or("", |row| trace.name_text(*row));
        let title = format!("{service} records a {kind} in {key}");
        let evidence = evidence(
            title.clone(),
            "Traces are read by many, kept for long and copied often; so is whatever is in them.",
            "Take it out where the span is made, pass it in a header that is not recorded, and revoke it.".to_owned(),
            "The value is an example or does not work any more.",
            [("attribute", key.as_str().into()), ("kind", (*kind).into()), ("operation", name.into())],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![service, key, kind],
                caller: rows.first().and_then(|row| trace.parent(*row)),
                rows,
                edge: Some((service, "")),
                severity: Some(Severity::High),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const NAME: &str = "secret_in_span";

    #[test]
    fn the_place_is_told_and_the_value_is_not() {
        let text =
            "web GET client 0..9 url.full=\"https://feed/x?api_key=sk_live_0123456789abcdef01\"";
        let found = of_detector(text, NAME);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].title.starts_with("web records a ")
                && found[0].title.ends_with(" in url.full")
        );
        assert_eq!(found[0].evidence.value()["attribute"], "url.full");
        assert!(!format!("{found:?}").contains("0123456789"));
    }

    #[test]
    fn masked_values_are_none() {
        let text = "web GET client 0..9 url.full=\"https://feed/x?api_key=****&page=3\" db.statement=\"SELECT a FROM t WHERE password = ?\"";
        assert_eq!(of_detector(text, NAME), []);
    }

    #[test]
    fn broken_values_are_none() {
        let text = "web GET client 9..1 url.full=\"https://user:@\" authorization=\"\" token=7";
        assert_eq!(of_detector(text, NAME), []);
    }
}
