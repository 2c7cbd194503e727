//! What spans say by the semantic conventions. The transport is encrypted and says so, unless that is the fault.

use super::cast::Service;
use super::resource::Instance;
use crate::proto::common::v1::{KeyValue, any_value::Value};
use crate::traffic::attributes::{USER_AGENTS, int, text, value};
use crate::traffic::random::Random;

/// What both ends of a call know.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) method: &'static str,
    /// Route of HTTP, or method of gRPC.
    pub(super) route: &'static str,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) server: Service,
    pub(super) status: u64,
    pub(super) is_plaintext: bool,
    pub(super) request_bytes: u64,
    pub(super) response_bytes: u64,
    pub(super) resend_count: u64,
}

impl Exchange {
    fn scheme(&self) -> &'static str {
        if self.is_plaintext { "http" } else { "https" }
    }

    fn port(&self) -> u64 {
        if self.is_plaintext { 8080 } else { 8443 }
    }

    fn host(&self) -> String {
        format!("{}.shop.internal", self.server.name())
    }
}

pub(super) fn http_client(of: &Exchange, version: &str, peer: Option<&Instance>) -> Vec<KeyValue> {
    let question = if of.query.is_empty() { "" } else { "?" };
    let (scheme, host, port) = (of.scheme(), of.host(), of.port());
    let url = format!("{scheme}://{host}:{port}{}{question}{}", of.path, of.query);
    let mut attributes = vec![
        text("http.request.method", of.method),
        text("url.full", url),
        text("url.template", of.route),
        text("server.address", host),
        int("server.port", port),
        text("network.protocol.version", version),
    ];
    if of.status > 0 {
        attributes.push(int("http.response.status_code", of.status));
        attributes.push(int("http.response.body.size", of.response_bytes));
    }
    if of.resend_count > 0 {
        attributes.push(int("http.request.resend_count", of.resend_count));
    }
    attributes.extend(peer_of(peer, port));
    attributes
}

pub(super) fn http_server(
    of: &Exchange,
    version: &str,
    caller: &str,
    random: &mut Random,
) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("http.request.method", of.method),
        text("url.scheme", of.scheme()),
        text("url.path", of.path.clone()),
        text("http.route", of.route),
        int("http.response.status_code", of.status),
        int("http.response.body.size", of.response_bytes),
        text("network.protocol.version", version),
        text("server.address", of.host()),
        int("server.port", of.port()),
        text("network.peer.address", caller),
        int("network.peer.port", random.between(32_768, 60_999)),
        text("user_agent.original", "shop-internal/3.2"),
    ];
    if of.request_bytes > 0 {
        attributes.push(int("http.request.body.size", of.request_bytes));
    }
    if !of.query.is_empty() {
        attributes.push(text("url.query", of.query.clone()));
    }
    attributes
}

/// The request of a browser or an app, at the edge.
pub(super) fn public(of: &Exchange, random: &mut Random) -> Vec<KeyValue> {
    let client = format!("203.0.113.{}", random.between(1, 255));
    vec![
        text("http.request.method", of.method),
        text("url.scheme", "https"),
        text("url.path", of.path.clone()),
        text("http.route", of.route),
        int("http.response.status_code", of.status),
        int("http.response.body.size", of.response_bytes),
        text("network.protocol.version", "2"),
        text("server.address", "www.shop.example"),
        int("server.port", 443),
        text("client.address", client.clone()),
        text("network.peer.address", client),
        int("network.peer.port", random.between(32_768, 60_999)),
        text("user_agent.original", *random.pick(USER_AGENTS)),
    ]
}

/// Either end of a call by gRPC.
pub(super) fn grpc(of: &Exchange, service: &str, peer: Option<&Instance>) -> Vec<KeyValue> {
    let status = if of.status < 400 { 0 } else { 14 };
    let mut attributes = vec![
        text("rpc.system", "grpc"),
        text("rpc.service", service),
        text("rpc.method", of.route),
        text("server.address", of.host()),
        int("server.port", of.port()),
        text("network.transport", "tcp"),
        int("rpc.response.body.size", of.response_bytes),
    ];
    if of.status > 0 {
        attributes.push(int("rpc.grpc.status_code", status));
    }
    attributes.extend(peer_of(peer, of.port()));
    attributes.extend(encrypted());
    attributes
}

fn peer_of(peer: Option<&Instance>, port: u64) -> impl Iterator<Item = KeyValue> {
    let address = peer.map(|peer| text("network.peer.address", peer.address.clone()));
    address.into_iter().chain(peer.map(|_| int("network.peer.port", port)))
}

fn encrypted() -> [KeyValue; 2] {
    [value("tls.established", Value::BoolValue(true)), text("tls.protocol.version", "1.3")]
}

/// A statement that is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    pub(super) operation: &'static str,
    pub(super) table: &'static str,
    pub(super) text: &'static str,
}

impl Sql {
    pub(super) const fn new(
        operation: &'static str,
        table: &'static str,
        text: &'static str,
    ) -> Self {
        Self { operation, table, text }
    }
}

pub(super) fn sql(of: &Sql, service: Service, random: &mut Random) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("db.system.name", "postgresql"),
        text("db.namespace", service.name()),
        text("db.operation.name", of.operation),
        text("db.collection.name", of.table),
        text("db.query.summary", format!("{} {}", of.operation, of.table)),
        text("db.query.text", of.text),
        text("server.address", format!("pg-{}.data.internal", service.name())),
        int("server.port", 5432),
    ];
    if of.operation == "SELECT" {
        attributes.push(int("db.response.returned_rows", 1 + random.popular(25)));
    }
    attributes.extend(encrypted());
    attributes
}

pub(super) fn cache(
    command: &str,
    key: &str,
    service: Service,
    random: &mut Random,
) -> Vec<KeyValue> {
    let text_of = format!("{command} {key}:{}", random.popular(200_000));
    let mut attributes = vec![
        text("db.system.name", "redis"),
        text("db.namespace", "0"),
        text("db.operation.name", command),
        text("db.query.text", text_of),
        text("server.address", format!("redis-{}.data.internal", service.name())),
        int("server.port", 6380),
    ];
    attributes.extend(encrypted());
    attributes
}

pub(super) fn search(index: &str, random: &mut Random) -> Vec<KeyValue> {
    let query = "{\"query\":{\"multi_match\":{\"query\":\"?\",\"fields\":[\"title^3\",\"brand\"]}},\"size\":24}";
    let mut attributes = vec![
        text("db.system.name", "elasticsearch"),
        text("db.operation.name", "search"),
        text("db.collection.name", index),
        text("db.query.text", query),
        text("http.request.method", "POST"),
        text("url.full", format!("https://es.data.internal:9243/{index}/_search")),
        text("server.address", "es.data.internal"),
        int("server.port", 9243),
        int("db.response.returned_rows", random.between(0, 25)),
    ];
    attributes.extend(encrypted());
    attributes
}

/// A call of somebody else's service, which is not instrumented.
pub(super) fn external(host: &str, template: &'static str, status: u64) -> Vec<KeyValue> {
    vec![
        text("http.request.method", "POST"),
        text("url.full", format!("https://{host}{template}")),
        text("url.template", template),
        text("server.address", host),
        int("server.port", 443),
        text("network.protocol.version", "2"),
        int("http.response.status_code", status),
    ]
}

/// What producer and consumer of a message know.
pub(super) fn messaging(topic: &str, operation: &str, kind: &str) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("messaging.system", "kafka"),
        text("messaging.destination.name", topic),
        text("messaging.operation.name", operation),
        text("messaging.operation.type", kind),
        text("server.address", "kafka-1.data.internal"),
        int("server.port", 9093),
    ];
    attributes.extend(encrypted());
    attributes
}
