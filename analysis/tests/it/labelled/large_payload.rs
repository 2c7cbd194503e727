//! Cases of `large_payload`: bodies by all names of their sizes, and bodies that are small or no bodies.

use super::Labelled;
use super::case::Level;

const GET: &str = "http.request.method=GET url.full=https://cat/export";

/// Attributes that tell the size of a body, with a call that has them.
const SIZES: [(&str, &str); 18] = [
    ("http.request.body.size", GET),
    ("http.request.size", GET),
    ("http.request_content_length", GET),
    ("http.request_content_length_uncompressed", GET),
    ("http.request.header.content-length", GET),
    ("http.response.body.size", GET),
    ("http.response.size", GET),
    ("http.response_content_length", "http.method=GET http.url=https://cat/export"),
    ("http.response_content_length_uncompressed", GET),
    ("http.response.header.content-length", GET),
    ("rpc.request.size", "rpc.system=grpc rpc.service=cat.Cat rpc.method=Export"),
    ("rpc.response.size", "rpc.system.name=grpc rpc.method=cat.Cat/Export"),
    ("messaging.message.body.size", "messaging.system=kafka messaging.destination.name=exports"),
    (
        "messaging.message.envelope.size",
        "messaging.system=kafka messaging.destination.name=exports",
    ),
    (
        "messaging.message.payload_size_bytes",
        "messaging.system=rabbitmq messaging.destination=exports",
    ),
    (
        "messaging.message_payload_size_bytes",
        "messaging.system=rabbitmq messaging.destination=exports",
    ),
    ("http.response.body.size", "http.request.method=GET url.template=/export server.address=cat"),
    ("http.request.body.size", "http.request.method=POST url.full=https://cat/import"),
];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("large_payload", Level::Trace);
    for (at, (size, call)) in SIZES.into_iter().enumerate() {
        let bytes = 300_000 + at as i64 * 77_777;
        cases.fires(
            format!("{bytes} by {size}"),
            &format!(
                "web page server 0..99 caller=1\n web call client 1..90 {call} {size}={bytes} hit=1"
            ),
        );
        let told = ["299999", "0", "-400000", "\"many\"", "\"\""][at % 5];
        cases.near(
            format!("{told} by {size}"),
            &format!("web page server 0..99\n web call client 1..90 {call} {size}={told}"),
        );
    }
    shapes(&mut cases);
    near(&mut cases);
    cases
}

fn both(client: &str, server: &str) -> String {
    format!(
        "web page server 0..99 caller=1\n web GET client 1..90 {GET} {client}\n  cat \"GET /export\" server 2..80 caller=2 http.request.method=GET http.route=/export {server}"
    )
}

fn shapes(cases: &mut Labelled) {
    let size = "http.response.body.size";
    cases.fires(
        "told by both ends",
        &both(&format!("{size}=300000 hit=1"), &format!("{size}=300000")).replace(" caller=2", ""),
    );
    let served = both("", &format!("{size}=400000 hit=1"))
        .replace(" caller=2", "")
        .replace(" caller=1", "")
        .replace("client 1..90", "client 1..90 caller=1");
    cases.fires("told by the callee alone", &served);
    cases.fires("as text", &both(&format!("{size}=\"300000\" hit=1"), "").replace(" caller=2", ""));
    cases.fires(
        "several of one call",
        &format!(
            "web page server 0..99 caller=1\n web GET client 1..20 x3/25 {GET} {size}=500000 hit=1"
        ),
    );
    let two = format!(
        "web page server 0..99 caller=1 caller=2\n web GET client 1..20 {GET} {size}=500000 hit=1\n web GET client 30..40 http.request.method=GET url.full=https://img/big {size}=600000 hit=2"
    );
    cases.fires("of two calls", &two);
    cases.fires("the answer to the root", &format!("web \"GET /export\" server 0..99 http.request.method=GET http.route=/export {size}=900000 hit=1"));
}

fn near(cases: &mut Labelled) {
    cases.near("many small ones", &format!("web page server 0..900\n web GET client 1..2 x99/3 {GET} http.response.body.size=299999"));
    cases.near("of work inside", "web page server 0..99\n web zip internal 1..90 http.response.body.size.before=900000 bytes=900000");
    cases.near("rows, not bytes", "web page server 0..99\n web q client 1..90 db.system=mysql db.statement=\"SELECT a FROM t\" db.response.returned_rows=900000");
    cases.near(
        "a length of time",
        &format!("web page server 0..99\n web GET client 1..90 {GET} http.duration=900000"),
    );
}
