//! What spans and resources say is said in the words of the semantic conventions, of the generation each instance speaks.

use std::collections::BTreeSet;

use super::sent::{Sent, int, open_for, settings, spans, text};
use crate::proto::trace::v1::span::SpanKind;
use crate::proto::trace::v1::status::StatusCode;
use crate::shop::{Fault, Faults};

fn sent() -> Vec<Sent> {
    spans(&open_for(settings(40, Faults::all()), 40).0)
}

fn is_old(sent: &Sent) -> bool {
    matches!(sent.instance(), "user-1" | "loyalty-1" | "loyalty-2")
}

#[test]
fn resources_say_who_sends_from_where() {
    const KEYS: [&str; 17] = [
        "service.name",
        "service.namespace",
        "service.version",
        "service.instance.id",
        "telemetry.sdk.name",
        "telemetry.sdk.language",
        "telemetry.sdk.version",
        "process.runtime.name",
        "host.name",
        "host.id",
        "host.arch",
        "os.type",
        "k8s.cluster.name",
        "k8s.namespace.name",
        "k8s.pod.name",
        "cloud.region",
        "cloud.availability_zone",
    ];
    let all = sent();
    for sent in &all {
        for key in KEYS {
            assert!(
                text(&sent.resource.attributes, key).is_some(),
                "{} has no {key}",
                sent.instance()
            );
        }
        assert!(int(&sent.resource.attributes, "process.pid") > Some(0));
    }
    let distinct = |key: &str| {
        let values = all.iter().filter_map(|sent| text(&sent.resource.attributes, key));
        values.collect::<BTreeSet<_>>().len()
    };
    assert_eq!((distinct("service.instance.id"), distinct("host.id")), (30, 27));
    assert_eq!((distinct("cloud.region"), distinct("telemetry.sdk.language")), (2, 6));
}

#[test]
fn requests_have_scopes_with_versions_and_schemas() {
    let (exports, _) = open_for(settings(41, Faults::all()), 20);
    for resource_spans in exports.iter().flat_map(|export| &export.request.resource_spans) {
        assert!(resource_spans.schema_url.starts_with("https://opentelemetry.io/schemas/1."));
        for scope_spans in &resource_spans.scope_spans {
            let scope = scope_spans.scope.as_ref().expect("a scope");
            assert!(!scope.name.is_empty() && !scope.version.is_empty());
        }
    }
}

/// The keys a span of each kind has to have, by what it does.
fn required(sent: &Sent) -> &'static [&'static str] {
    let has = |key: &str| sent.span.attributes.iter().any(|attribute| attribute.key == key);
    match sent.span.kind() {
        _ if has("rpc.system") => &["rpc.service", "rpc.method", "server.address", "server.port"],
        _ if has("db.system.name") => &["db.operation.name", "db.query.text", "server.address"],
        _ if has("db.system") => &["db.operation", "db.statement", "net.peer.name"],
        SpanKind::Server if is_old(sent) => &[
            "http.method",
            "http.scheme",
            "http.target",
            "http.route",
            "http.status_code",
            "net.host.name",
        ],
        SpanKind::Server => &[
            "http.request.method",
            "url.scheme",
            "url.path",
            "http.route",
            "http.response.status_code",
            "server.address",
        ],
        SpanKind::Client if is_old(sent) => &["http.method", "http.url", "net.peer.name"],
        SpanKind::Client => {
            &["http.request.method", "url.full", "url.template", "server.address", "server.port"]
        }
        SpanKind::Producer | SpanKind::Consumer => {
            &["messaging.system", "messaging.destination.name", "messaging.operation.name"]
        }
        SpanKind::Internal | SpanKind::Unspecified => &["code.function.name"],
    }
}

#[test]
fn spans_say_what_they_did_in_one_generation_of_words() {
    for sent in sent() {
        let keys: Vec<&str> = sent.span.attributes.iter().map(|a| &a.key[..]).collect();
        for key in required(&sent) {
            assert!(
                keys.contains(key),
                "{} {} has no {key}: {keys:?}",
                sent.instance(),
                sent.span.name
            );
        }
        let distinct: BTreeSet<&&str> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "{keys:?}");
        let speaks = |words: &[&str]| keys.iter().any(|key| words.contains(key));
        let old = [
            "http.method",
            "http.status_code",
            "http.url",
            "db.system",
            "db.statement",
            "net.peer.name",
        ];
        let new = [
            "http.request.method",
            "http.response.status_code",
            "url.full",
            "db.system.name",
            "server.address",
        ];
        assert!(!speaks(if is_old(&sent) { &new } else { &old }), "{}: {keys:?}", sent.instance());
    }
}

#[test]
fn failures_say_what_failed() {
    let mut exceptions = 0;
    for sent in sent() {
        let status = sent.span.status.clone().unwrap_or_default();
        assert_eq!(status.code() == StatusCode::Error, !status.message.is_empty());
        if status.code() == StatusCode::Error && !is_old(&sent) {
            assert!(sent.text("error.type").is_some(), "{}", sent.span.name);
        }
        for event in sent.span.events.iter().filter(|event| event.name == "exception") {
            assert!(text(&event.attributes, "exception.type").is_some());
            assert!(
                (sent.span.start_time_unix_nano..=sent.span.end_time_unix_nano)
                    .contains(&event.time_unix_nano)
            );
            exceptions += 1;
        }
    }
    assert!(exceptions > 10);
}

#[test]
fn what_is_sent_is_encrypted_and_says_so_unless_that_is_the_fault() {
    let faults = Faults::all().without(Fault::PlaintextCall);
    for sent in spans(&open_for(settings(42, faults), 40).0) {
        let ports = ["server.port", "net.peer.port", "net.host.port"].map(|key| sent.int(key));
        assert!(ports.iter().flatten().all(|port| ![80, 8080, 6379, 9092].contains(port)));
        let is_encrypted = sent.span.attributes.iter().any(|a| a.key == "tls.established");
        let url = ["url.full", "http.url", "url.scheme", "http.scheme"].map(|key| sent.text(key));
        let is_https = url.iter().flatten().any(|url| url.starts_with("https"));
        let is_inside = sent.span.kind() == SpanKind::Internal;
        // The old generation had no word for it.
        assert!(is_encrypted || is_https || is_inside || is_old(&sent), "{}", sent.span.name);
    }
}
