//! Nanoseconds to form a span, by kind of span: `cargo bench -p causeway-analysis --bench forms`.
//!
//! Each line forms the same 1,000 spans again and again, as a trace of repeated calls does, and tells the
//! best round, which other work on the machine disturbs least: first with the names of attributes known, as where
//! they are looked up once a column, then with looking them up. "new" lines have statements, URLs and keys
//! that never come twice.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use causeway_analysis::forms::{Fields, Former, Kind, Name, Value, find_secrets, sql};

const SPANS: usize = 1000;
const ROUNDS: usize = 60;

type Span = (Kind, String, Vec<(&'static str, String)>);

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (what, repeats, make) in CASES {
        let mut former = Former::default();
        let mut best = [f64::INFINITY; 2];
        for round in 0..ROUNDS {
            let first = if *repeats { 0 } else { round * SPANS };
            let spans: Vec<Span> = (first..first + SPANS).map(make).collect();
            let at = round % 2;
            best[at] = best[at].min(round_ns(&mut former, &spans, at == 0));
        }
        writeln!(out, "{:7.0} {:7.0} ns/span  {what}", best[0], best[1])?;
    }
    secrets(&mut out)?;
    statement(&mut out)
}

type Case = (&'static str, bool, fn(usize) -> Span);

const CASES: &[Case] = &[
    ("no call: internal span, 4 attributes", true, internal),
    ("SQL, parameters, 12 attributes", true, |_| {
        sql_span("SELECT u.id, u.name, u.email FROM users u JOIN accounts a ON a.user_id = u.id WHERE u.id = ? AND a.state = ? ORDER BY u.name LIMIT ?".to_owned())
    }),
    ("SQL, new text each time", false, |at| {
        sql_span(format!(
            "SELECT u.id, u.name, u.email FROM users u JOIN accounts a ON a.user_id = u.id WHERE u.id = {at} AND a.state = 'open' ORDER BY u.name LIMIT 10"
        ))
    }),
    ("HTTP client, URL with id, new text each time", false, http_span),
    ("HTTP server, route, 14 attributes", true, server_span),
    ("RPC, 9 attributes", true, |_| rpc_span()),
    ("Redis, new key each time", false, redis_span),
    ("messaging, 10 attributes", true, |_| kafka_span()),
    ("name alone: SELECT ts.orders", true, |_| {
        (Kind::Unspecified, "SELECT ts.orders".to_owned(), Vec::new())
    }),
];

fn round_ns(former: &mut Former, spans: &[Span], names_known: bool) -> f64 {
    let known: Vec<Vec<Option<Name>>> = spans
        .iter()
        .map(|(_, _, attributes)| attributes.iter().map(|(key, _)| Name::of(key)).collect())
        .collect();
    let start = Instant::now();
    let mut fields = Fields::default();
    for ((kind, name, attributes), known) in spans.iter().zip(&known) {
        fields.clear();
        for ((key, value), known) in attributes.iter().zip(known) {
            let name = if names_known { *known } else { Name::of(key) };
            if let Some(name) = name {
                fields.set(name, Value::Text(value));
            }
        }
        black_box(former.form(*kind, name, &fields));
    }
    per(start, spans.len())
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a bench are far below 2^52")]
fn per(start: Instant, count: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

fn secrets(out: &mut impl Write) -> std::io::Result<()> {
    let best = (0..ROUNDS)
        .map(|round| {
            let spans: Vec<Span> = (round * SPANS..(round + 1) * SPANS)
                .map(|at| sql_span(format!("SELECT u.id, u.name FROM users u WHERE u.id = {at} AND u.state = 'open' ORDER BY u.name")))
                .collect();
            let start = Instant::now();
            for (key, value) in spans.iter().flat_map(|(_, _, attributes)| attributes) {
                black_box(find_secrets(key, value));
            }
            per(start, spans.len())
        })
        .fold(f64::INFINITY, f64::min);
    writeln!(out, "{best:7.0} ns/span  secrets: 12 attributes")
}

fn statement(out: &mut impl Write) -> std::io::Result<()> {
    for bytes in [1_000, 4_000, 16_000, 1_000_000] {
        let rows = "(1, 'a', NULL), ".repeat(bytes / 16);
        let text = format!("INSERT INTO t (a, b, c) VALUES {rows}(2, 'b', NULL)");
        let best = (0..10)
            .map(|_| {
                let start = Instant::now();
                black_box(sql::Statement::of(&text, sql::Dialect::Standard));
                per(start, text.len())
            })
            .fold(f64::INFINITY, f64::min);
        writeln!(out, "{best:7.1} ns/byte  statement of {} bytes", text.len())?;
    }
    Ok(())
}

fn internal(_: usize) -> Span {
    let attributes = [
        ("thread.id", "17"),
        ("thread.name", "main"),
        ("code.function", "f"),
        ("code.namespace", "a.b"),
    ];
    (Kind::Internal, "OrderRepository.findById".to_owned(), own(&attributes))
}

fn own(attributes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    attributes.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
}

fn sql_span(text: String) -> Span {
    let mut attributes = own(&[
        ("db.system.name", "postgresql"),
        ("db.namespace", "shop"),
        ("db.operation.name", "SELECT"),
        ("db.collection.name", "users"),
        ("server.address", "pg.shop.svc"),
        ("server.port", "5432"),
        ("network.peer.address", "10.1.2.3"),
        ("network.peer.port", "5432"),
        ("thread.id", "17"),
        ("thread.name", "worker-7"),
        ("db.response.returned_rows", "1"),
    ]);
    attributes.push(("db.query.text", text));
    (Kind::Client, "SELECT shop.users".to_owned(), attributes)
}

fn http_span(at: usize) -> Span {
    let mut attributes = own(&[
        ("http.request.method", "GET"),
        ("server.address", "users.shop.svc"),
        ("server.port", "8080"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("thread.id", "17"),
        ("thread.name", "worker-7"),
        ("user_agent.original", "x"),
    ]);
    attributes
        .push(("url.full", format!("http://users.shop.svc:8080/api/v1/users/{at}/orders?page=2")));
    (Kind::Client, "GET".to_owned(), attributes)
}

fn server_span(at: usize) -> Span {
    let mut attributes = own(&[
        ("http.request.method", "GET"),
        ("server.address", "users.shop.svc"),
        ("server.port", "8080"),
        ("http.response.status_code", "200"),
        ("http.route", "/api/v1/users/{id}/orders"),
        ("url.scheme", "http"),
        ("client.address", "10.1.2.3"),
        ("network.peer.address", "10.1.2.3"),
        ("network.peer.port", "41234"),
        ("network.protocol.version", "1.1"),
        ("thread.id", "17"),
        ("thread.name", "w"),
        ("user_agent.original", "x"),
    ]);
    attributes.push(("url.path", format!("/api/v1/users/{at}/orders")));
    (Kind::Server, "GET /api/v1/users/{id}/orders".to_owned(), attributes)
}

fn rpc_span() -> Span {
    let attributes = [
        ("rpc.system", "grpc"),
        ("rpc.service", "hipstershop.ProductCatalogService"),
        ("rpc.method", "GetProduct"),
        ("rpc.grpc.status_code", "0"),
        ("server.address", "catalog"),
        ("server.port", "3550"),
        ("network.peer.address", "10.1.2.3"),
        ("network.type", "ipv4"),
        ("thread.id", "1"),
    ];
    (Kind::Client, "hipstershop.ProductCatalogService/GetProduct".to_owned(), own(&attributes))
}

fn redis_span(at: usize) -> Span {
    let mut attributes = own(&[
        ("db.system", "redis"),
        ("net.peer.name", "redis"),
        ("net.peer.port", "6379"),
        ("db.redis.database_index", "0"),
    ]);
    attributes.push(("db.statement", format!("HGET cart:{at} items")));
    (Kind::Client, "HGET".to_owned(), attributes)
}

fn kafka_span() -> Span {
    let attributes = [
        ("messaging.system", "kafka"),
        ("messaging.operation.type", "send"),
        ("messaging.operation.name", "publish"),
        ("messaging.destination.name", "orders"),
        ("messaging.destination.partition.id", "3"),
        ("messaging.kafka.offset", "17"),
        ("messaging.client_id", "producer-1"),
        ("server.address", "kafka"),
        ("thread.id", "1"),
        ("thread.name", "x"),
    ];
    (Kind::Producer, "orders publish".to_owned(), own(&attributes))
}
