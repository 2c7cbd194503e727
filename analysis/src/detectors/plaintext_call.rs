//! `plaintext_call`: a call that everybody on the way can read and change.
//!
//! What goes over a network unencrypted can be read and changed by whoever is on the way: another tenant, a proxy, a
//! stolen device. Networks inside a company are networks too.
//!
//! | | |
//! |---|---|
//! | fires when | an exit span's URL or scheme says `http`, or its port is one whose protocol is not encrypted (80, 1883, 5672, 6379, 9092, 11211) |
//! | not when | an attribute tells of TLS (`tls.*`, `connection_security_policy=mutual_tls`, a mesh); the peer is the same machine or pod; a mesh encrypts by setting |
//! | also | a connection is encrypted or not, whatever is asked over it: all calls of a service to one callee are one finding, with some of their templates |
//! | severity | medium; low where only the port says so |
//! | wrong if | the network encrypts beneath, which no attribute tells |

use std::borrow::Cow;
use std::collections::BTreeMap;

use causeway_model::trace::Row;
use hashbrown::HashMap;
use serde_json::Value;

use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::{Detector, Settings, Severity, Subject, with_fields};
use crate::forms::{self, Call, Field, Fields};

/// Ports of protocols whose encrypted form has another port.
const PLAIN_PORTS: [u16; 6] = [80, 1883, 5672, 6379, 9092, 11211];
/// Templates that are listed in a finding.
const TEMPLATES_MAX: usize = 10;
/// Attributes of resources that tell pods and hosts apart; the first that both sides have decides.
const PLACES: [&str; 3] = ["k8s.pod.uid", "container.id", "host.id"];

/// Finds calls that are not encrypted.
#[derive(Debug)]
pub struct PlaintextCall;

/// Thresholds of [`PlaintextCall`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaintextCallSettings {
    /// A mesh encrypts all calls between services, whatever they tell; false.
    pub mesh_encrypts: bool,
    /// Hosts that may be called in the clear, by the beginning of their names; none.
    pub trusted_hosts: Vec<String>,
}

/// Why a call counts as readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Scheme,
    Port(u16),
}

impl Detector for PlaintextCall {
    fn id(&self) -> &'static str {
        "plaintext_call"
    }

    fn rule_version(&self) -> u32 {
        2
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsSecure
    }

    fn summary(&self) -> &'static str {
        "Calls between hosts that are not encrypted."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.plaintext_call;
        if rule.mesh_encrypts {
            return;
        }
        // A few callees of each trace; who is not known by name is known by what is called.
        let mut plain: BTreeMap<(Sign, &str, &str), Connection<'_>> = BTreeMap::new();
        // Whether two resources are one place is found out once for all their calls.
        let mut places: HashMap<(u32, u32), bool> = HashMap::new();
        for (row, sign) in subject.told.readable.iter().copied() {
            let Some(call) = subject.call(row) else { continue };
            let server = subject.server(row);
            let is_near = server.is_some_and(|server| {
                let clocks = (subject.trace.clock(row), subject.trace.clock(server));
                *places.entry(clocks).or_insert_with(|| is_one_place(subject, row, server))
            });
            if is_near || is_trusted(subject, row, rule) {
                continue;
            }
            let service = subject.trace.service_text(row);
            let to = server.map_or(call.callee.as_str(), |at| subject.trace.service_text(at));
            let of = plain.entry((sign, service, callee_or_template(call)));
            let of = of.or_insert(Connection { rows: Vec::new(), to });
            of.to = if of.to == to { to } else { "" };
            of.rows.push(row);
        }
        let mut plain: Vec<_> = plain.into_iter().collect();
        plain.sort_by_key(|(key, of)| (std::cmp::Reverse(of.rows.len()), *key));
        for (key, connection) in plain.iter().take(settings.findings_max) {
            self.report(subject, *key, connection, findings);
        }
    }
}

/// Calls of a service to one callee.
#[derive(Debug)]
struct Connection<'s> {
    rows: Vec<Row>,
    /// The service that is called; empty if there are several.
    to: &'s str,
}

/// What tells that who stands between the ends of a call can read it; `None` also where the way does not leave the machine.
pub(super) fn sign(fields: &Fields<'_>) -> Option<Sign> {
    let is_established = match fields.value(Field::TlsEstablished) {
        Some(forms::Value::Text(text)) => text != "false",
        told => told.is_some(),
    };
    let is_mutual = fields.text(Field::SecurityPolicy) == Some("mutual_tls");
    if is_established || is_mutual || fields.has(Field::TlsProtocol) {
        return None;
    }
    let sign = sign_of(fields)?;
    (!host(fields).is_some_and(is_loopback)).then_some(sign)
}

fn host<'a>(fields: &Fields<'a>) -> Option<&'a str> {
    fields.peer_address().or_else(|| host_of(fields.text(Field::UrlFull)?))
}

/// Whether the callee may be called in the clear, by setting.
fn is_trusted(subject: &Subject<'_, '_>, row: Row, rule: &PlaintextCallSettings) -> bool {
    !rule.trusted_hosts.is_empty()
        && with_fields(subject.trace, row, |fields| {
            let begins = |host: &str| {
                rule.trusted_hosts.iter().any(|trusted| host.starts_with(trusted.as_str()))
            };
            host(fields).is_some_and(begins)
        })
}

fn sign_of(fields: &Fields<'_>) -> Option<Sign> {
    if let Some(scheme) = fields.url_scheme() {
        let is_plain = ["http", "ws"].iter().any(|plain| plain.eq_ignore_ascii_case(scheme));
        return is_plain.then_some(Sign::Scheme);
    }
    let port = fields.port().filter(|port| PLAIN_PORTS.contains(port))?;
    Some(Sign::Port(port))
}

fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit('@').next()
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[');
    let is_name = |name: &str| {
        bare.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ']']))
    };
    bare.starts_with("127.") || bare.starts_with('/') || is_name("localhost") || is_name("::1")
}

/// Whether two spans come from one pod, container or host.
fn is_one_place(subject: &Subject<'_, '_>, row: Row, other: Row) -> bool {
    let both = PLACES
        .into_iter()
        .find_map(|key| subject.resource_text(row, key).zip(subject.resource_text(other, key)));
    both.is_some_and(|(one, other)| one == other)
}

/// What the calls of one connection have in common.
fn callee_or_template(call: &Call) -> &str {
    if call.callee.is_empty() { &call.template } else { &call.callee }
}

impl PlaintextCall {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        (sign, service, to): (Sign, &str, &str),
        Connection { rows, to: called }: &Connection<'_>,
        findings: &mut Findings,
    ) {
        let Some(first) = rows.first().copied() else { return };
        let Some(call) = subject.call(first) else { return };
        let how: Cow<'static, str> = match sign {
            Sign::Scheme => "by http".into(),
            Sign::Port(port) => format!("at port {port}").into(),
        };
        let mut calls: Vec<&Call> =
            rows.iter().filter_map(|row| subject.call(*row).map(AsRef::as_ref)).collect();
        calls.sort_unstable_by_key(|call| call.key);
        calls.dedup_by_key(|call| call.key);
        let title = match calls.len() {
            // Formatting takes several times as long, and this is the most frequent finding of all.
            1 => {
                let gap = if call.callee.is_empty() { "" } else { " " };
                let (callee, template) = (call.callee.as_str(), call.template.as_str());
                [service, " calls ", callee, gap, template, " ", &how, ", not encrypted"].concat()
            }
            several => {
                format!("{service} makes {several} different calls to {to} {how}, not encrypted")
            }
        };
        let templates: Value =
            calls.iter().take(TEMPLATES_MAX).map(|call| call.template.as_str()).collect();
        let evidence = evidence(
            title.clone(),
            "Who can listen on the way can read what is sent, and change it.",
            "Call by TLS, or let a mesh encrypt and say so.".to_owned(),
            "The network encrypts beneath what spans tell.",
            [
                ("templates", templates),
                ("callee", call.callee.as_str().into()),
                ("sign", how.as_ref().into()),
                ("calls", rows.len().into()),
            ],
        );
        let severity = if sign == Sign::Scheme { Severity::Medium } else { Severity::Low };
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![service, to],
                caller: subject.caller(first),
                rows,
                edge: Some((service, called)),
                severity: Some(severity),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const NAME: &str = "plaintext_call";

    fn call(attributes: &str) -> Vec<String> {
        let text = format!("web page server 0..9\n web c client 1..8 {attributes}");
        of_detector(&text, NAME).into_iter().map(|finding| finding.title).collect()
    }

    #[test]
    fn http_and_ports_tell() {
        let title = "web calls stores:8080 GET /stores by http, not encrypted";
        assert_eq!(call("http.request.method=GET url.full=\"http://stores:8080/stores\""), [title]);
        assert_eq!(
            call("db.system=redis server.address=cache server.port=6379 db.statement=\"GET a\"")
                .len(),
            1
        );
    }

    #[test]
    fn calls_to_one_callee_are_one_finding() {
        let call = |path: &str, host: &str| {
            format!("\n web c client 1..8 http.request.method=GET url.full=http://{host}/{path}")
        };
        let text = format!(
            "web page server 0..9{}{}{}",
            call("stores", "stores"),
            call("hours", "stores"),
            call("stores", "carts")
        );
        let found = of_detector(&text, NAME);
        let titles: Vec<_> = found.iter().map(|finding| finding.title.as_str()).collect();
        let expected = [
            "web makes 2 different calls to stores by http, not encrypted",
            "web calls carts GET /stores by http, not encrypted",
        ];
        assert_eq!(titles, expected);
        let templates = found[0].evidence.value()["templates"].as_array().map(Vec::len);
        assert_eq!((templates, found[0].count), (Some(2), 2));
    }

    #[test]
    fn encrypted_and_local_calls_are_none() {
        for host in ["localhost:8080", "127.0.0.1", "[::1]:80"] {
            let url = format!("http.request.method=GET url.full=\"http://{host}/stores\"");
            assert_eq!(call(&url), Vec::<String>::new(), "{host}");
        }
        let get = "http.request.method=GET";
        assert!(call(&format!("{get} url.full=\"https://stores/stores\"")).is_empty());
        assert!(
            call(&format!("{get} url.full=\"http://stores/x\" tls.protocol.version=1.3"))
                .is_empty()
        );
        assert!(
            call(&format!(
                "{get} url.full=\"http://stores/x\" connection_security_policy=mutual_tls"
            ))
            .is_empty()
        );
        assert!(
            call("db.system=postgresql server.port=5432 db.statement=\"SELECT a FROM t\"")
                .is_empty()
        );
    }

    #[test]
    fn urls_that_are_none_are_none() {
        assert!(call("http.request.method=GET url.full=\"://\" server.port=-80").is_empty());
    }
}
