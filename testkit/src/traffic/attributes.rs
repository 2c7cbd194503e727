//! Attributes by the semantic conventions, for each kind of span.

use causeway_clock::Stamp;

use super::random::Random;
use super::shop::{Language, Query};
use crate::proto::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};

pub(crate) const USER_AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
    "shop-android/8.14.2 (Android 16; Pixel 9; build 20261104) okhttp/5.1.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];

pub(crate) fn value(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

pub(crate) fn text(key: &str, text: impl Into<String>) -> KeyValue {
    value(key, Value::StringValue(text.into()))
}

/// A list of stamps, as spans carry those of responses.
pub(crate) fn stamps(key: &str, stamps: &[Stamp]) -> KeyValue {
    let text = |stamp: &Stamp| AnyValue { value: Some(Value::StringValue(stamp.to_string())) };
    value(key, Value::ArrayValue(ArrayValue { values: stamps.iter().map(text).collect() }))
}

pub(crate) fn int(key: &str, int: u64) -> KeyValue {
    value(key, Value::IntValue(int.cast_signed()))
}

/// A route with its parameters filled in.
pub(crate) fn path(route: &str, random: &mut Random) -> String {
    let segments: Vec<String> = route
        .split('/')
        .map(|segment| match segment.starts_with('{') {
            true => (10_000 + random.popular(50_000)).to_string(),
            false => segment.to_owned(),
        })
        .collect();
    segments.join("/")
}

/// What both ends of an HTTP exchange know.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) path: String,
    pub(super) server: String,
    pub(super) status: u64,
    /// Called by a browser or an app, not by another service.
    pub(super) public: bool,
}

pub(super) fn http_server(exchange: &Exchange, random: &mut Random) -> Vec<KeyValue> {
    let agent = if exchange.public { *random.pick(USER_AGENTS) } else { "shop-internal/3.2" };
    let client =
        format!("10.{}.{}.{}", random.between(0, 32), random.popular(256), random.between(1, 255));
    let mut attributes = vec![
        text("http.request.method", exchange.method),
        text("url.scheme", if exchange.public { "https" } else { "http" }),
        text("url.path", exchange.path.clone()),
        text("http.route", exchange.route),
        int("http.response.status_code", exchange.status),
        text("network.protocol.version", if exchange.public { "2" } else { "1.1" }),
        text("server.address", exchange.server.clone()),
        int("server.port", if exchange.public { 443 } else { 8080 }),
        text("network.peer.address", client.clone()),
        int("network.peer.port", random.between(32_768, 60_999)),
        text("user_agent.original", agent),
    ];
    if exchange.public {
        attributes.push(text("client.address", client));
        attributes.push(text("enduser.id", format!("cust_{:08}", random.popular(2_000_000))));
    }
    if exchange.route == "/search" {
        let words = random.pick(&["shoes", "rain+jacket", "desk+lamp", "usb-c+cable", "tea"]);
        attributes.push(text("url.query", format!("q={words}&page={}", random.popular(9))));
    }
    attributes
}

pub(super) fn http_client(exchange: &Exchange, random: &mut Random) -> Vec<KeyValue> {
    vec![
        text("http.request.method", exchange.method),
        text("url.full", format!("http://{}:8080{}", exchange.server, exchange.path)),
        text("server.address", exchange.server.clone()),
        int("server.port", 8080),
        text("url.template", exchange.route),
        int("http.response.status_code", exchange.status),
        text("network.protocol.version", "1.1"),
        text("network.peer.address", peer(random)),
        int("network.peer.port", 8080),
        int("http.response.body.size", random.between(180, 24_000)),
    ]
}

/// The attributes of either end of a call of a remote procedure.
pub(super) fn rpc(
    service: &str,
    method: &str,
    server: &str,
    grpc_status: u64,
    random: &mut Random,
) -> Vec<KeyValue> {
    vec![
        text("rpc.system", "grpc"),
        text("rpc.service", service),
        text("rpc.method", method),
        int("rpc.grpc.status_code", grpc_status),
        text("server.address", server),
        int("server.port", 9090),
        text("network.peer.address", peer(random)),
        int("network.peer.port", random.between(32_768, 60_999)),
        text("network.transport", "tcp"),
        text("network.type", "ipv4"),
        int("rpc.request.body.size", random.between(20, 900)),
        int("rpc.response.body.size", random.between(20, 9_000)),
    ]
}

pub(super) fn database(query: &Query, service: &str, random: &mut Random) -> Vec<KeyValue> {
    let (kind, port) = match query.system {
        "mongodb" => ("mongo", 27_017),
        "elasticsearch" => ("search", 9_200),
        "microsoft.sql_server" => ("mssql", 1_433),
        _ => ("postgres", 5_432),
    };
    let mut attributes = vec![
        text("db.system.name", query.system),
        text("db.namespace", service),
        text("db.operation.name", query.operation),
        text("db.collection.name", query.table),
        text("db.query.summary", format!("{} {}", query.operation, query.table)),
        text("db.query.text", query.text),
        text("server.address", format!("{kind}-{service}-rw.data.svc.cluster.local")),
        int("server.port", port),
        text("network.peer.address", peer(random)),
    ];
    if query.operation == "SELECT" || query.operation == "find" {
        attributes.push(int("db.response.returned_rows", random.popular(25)));
    }
    attributes
}

pub(super) fn cache(command: &str, key: &str, service: &str, random: &mut Random) -> Vec<KeyValue> {
    vec![
        text("db.system.name", "redis"),
        text("db.namespace", "0"),
        text("db.operation.name", command),
        text("db.query.text", format!("{command} {service}:{key}:{} ?", random.popular(2_000_000))),
        text("server.address", format!("redis-{service}-primary.data.svc.cluster.local")),
        int("server.port", 6_379),
        text("network.peer.address", peer(random)),
        int("network.peer.port", 6_379),
        text("network.transport", "tcp"),
    ]
}

/// What producer and consumer of a message know.
pub(super) fn messaging(topic: &str, operation: &str, random: &mut Random) -> Vec<KeyValue> {
    vec![
        text("messaging.system", "kafka"),
        text("messaging.destination.name", topic),
        text("messaging.operation.name", operation),
        text("messaging.operation.type", operation),
        text("messaging.client.id", format!("{topic}-{}", random.between(1, 5))),
        text("messaging.destination.partition.id", random.between(0, 12).to_string()),
        text("messaging.kafka.message.key", format!("{:016x}", random.bits())),
        int("messaging.kafka.offset", random.between(1_000_000, 90_000_000)),
        int("messaging.message.body.size", random.between(200, 4_000)),
        text("server.address", format!("kafka-{}.data.svc.cluster.local", random.between(0, 3))),
        int("server.port", 9_092),
    ]
}

/// The thread that a span ran on, as the agents of some languages record it.
pub(super) fn thread(language: Language, random: &mut Random) -> Vec<KeyValue> {
    let number = random.between(1, 48);
    match language {
        Language::Java => vec![
            int("thread.id", 40 + number),
            text("thread.name", format!("http-nio-8080-exec-{number}")),
        ],
        Language::DotNet => vec![int("thread.id", number), text("thread.name", ".NET TP Worker")],
        Language::Python => vec![
            int("thread.id", 139_872_000_000_000 + number * 8_392_704),
            text("thread.name", format!("ThreadPoolExecutor-0_{number}")),
        ],
        Language::Rust => vec![
            int("thread.id", number),
            text("thread.name", "tokio-rt-worker"),
            text("code.file.path", "src/service/handler.rs"),
            int("code.line.number", 40 + random.popular(200)),
            text("code.function.name", "session::service::handler::Handler::serve"),
        ],
        Language::Go | Language::Node => vec![],
    }
}

/// What code that calls nobody records.
pub(super) fn work(service: &str, name: &str, random: &mut Random) -> Vec<KeyValue> {
    let function = name.replace([' ', '.'], "_");
    vec![
        text("code.function.name", format!("shop.{service}.internal.{function}.run")),
        text("code.file.path", format!("/srv/app/{service}/internal/{function}/{function}_impl")),
        int("code.line.number", 17 + random.popular(400)),
        text("app.tenant", *random.pick(&["eu-retail", "eu-business", "us-retail", "apac-retail"])),
        text("app.experiment.variant", *random.pick(&["control", "treatment-a", "treatment-b"])),
        text("app.correlation_id", random.uuid()),
        int("app.items", random.popular(40)),
    ]
}

fn peer(random: &mut Random) -> String {
    format!("10.64.{}.{}", random.popular(64), random.between(1, 255))
}
