//! Cases of `plaintext_call`: calls that can be read on the way, and calls that are encrypted, near, or not told.

use super::Labelled;
use super::case::Level;

const GET: &str = "http.request.method=GET";

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("plaintext_call", Level::Trace);
    let page = |call: &str, mark: &str| {
        let caller = if mark.is_empty() { "" } else { " caller=1" };
        format!("web page server 0..99{caller}\n web c client 1..90 {call}{mark}")
    };
    for call in PLAIN {
        cases.fires(call, &page(call, " hit=1"));
    }
    for call in SAFE {
        cases.near(call, &page(call, ""));
    }
    let url = "url.full=http://stores/x";
    cases.fires(
        "several of one call",
        &format!("web page server 0..99 caller=1\n web c client 1..9 x4/10 {GET} {url} hit=1"),
    );
    cases.fires("with an answer", &format!("web page server 0..99 caller=1\n web c client 1..9 {GET} {url} hit=1\n  stores x server 2..8"));
    cases.fires("from host to host", &format!("web page server 0..99 caller=1\n web c client 1..9 @host.id=h1 {GET} {url} hit=1\n  stores x server 2..8 @host.id=h2").replace("99 caller", "99 @host.id=h1 caller"));
    cases.fires("two calls", &format!("web page server 0..99 caller=1 caller=2\n web c client 1..9 {GET} {url} hit=1\n web c client 11..19 {GET} url.full=http://carts/x hit=2"));
    for place in ["k8s.pod.uid", "container.id", "host.id"] {
        cases.near(format!("within one by {place}"), &format!("web page server 0..99 @{place}=p\n web c client 1..9 @{place}=p {GET} {url}\n  stores x server 2..8 @{place}=p"));
    }
    cases.near(
        "what is served",
        &format!("web page server 0..99 {GET} url.scheme=http http.route=/x server.port=80"),
    );
    cases.near("work inside", "web page server 0..99\n web c internal 1..90 note=http://stores/x");
    cases
}

const PLAIN: [&str; 20] = [
    "http.request.method=GET url.full=http://stores/stores",
    "http.request.method=GET url.full=http://stores:8080/stores",
    "http.method=GET http.url=http://stores/stores",
    "http.request.method=POST url.full=HTTP://stores/stores",
    "http.request.method=GET url.scheme=http url.path=/x server.address=stores",
    "http.method=GET http.scheme=http http.target=/x net.peer.name=stores",
    "http.request.method=GET url.full=http://10.1.2.3/x",
    "http.request.method=GET url.full=http://[fd00::3]:80/x",
    "http.request.method=GET url.full=ws://stores/x",
    "http.request.method=GET url.template=/x server.address=stores server.port=80",
    "db.system=redis server.address=cache server.port=6379 db.statement=\"GET a\"",
    "db.system.name=redis server.address=cache server.port=6379 db.operation.name=GET",
    "db.system=memcached net.peer.name=cache net.peer.port=11211 db.operation=get",
    "messaging.system=kafka messaging.destination.name=a server.address=kafka server.port=9092",
    "messaging.system=rabbitmq messaging.destination=a net.peer.name=mq net.peer.port=5672",
    "messaging.system=mqtt messaging.destination.name=a server.address=mq server.port=1883",
    "http.request.method=GET url.full=http://localhost.example.com/x",
    "http.request.method=GET url.full=http://127.example.com.evil/x server.address=evil.example.com",
    "http.request.method=GET url.full=http://stores/x tls.established=false",
    "http.request.method=GET url.full=http://stores/x connection_security_policy=none",
];

const SAFE: [&str; 22] = [
    "http.request.method=GET url.full=https://stores/stores",
    "http.method=GET http.url=https://stores:8080/stores",
    "http.request.method=GET url.scheme=https url.path=/x server.address=stores server.port=80",
    "http.request.method=GET url.full=wss://stores/x",
    "http.request.method=GET url.full=http://localhost:8080/x",
    "http.request.method=GET url.full=http://127.0.0.1/x",
    "http.request.method=GET url.full=http://[::1]:80/x",
    "http.request.method=GET url.scheme=http url.path=/x server.address=localhost",
    "http.request.method=GET url.scheme=http url.path=/x network.peer.address=127.0.0.1",
    "http.request.method=GET url.path=/x server.address=/var/run/app.sock server.port=80",
    "http.request.method=GET url.full=http://stores/x tls.protocol.version=1.3",
    "http.request.method=GET url.full=http://stores/x tls.protocol.name=tls",
    "http.request.method=GET url.full=http://stores/x tls.established=true",
    "http.request.method=GET url.full=http://stores/x tls.cipher=TLS_AES_128_GCM_SHA256",
    "http.request.method=GET url.full=http://stores/x connection_security_policy=mutual_tls",
    "db.system=postgresql server.address=db server.port=5432 db.statement=\"SELECT a FROM t\"",
    "db.system=redis server.address=cache server.port=6380 db.statement=\"GET a\"",
    "db.system=redis server.address=cache db.statement=\"GET a\"",
    "messaging.system=kafka messaging.destination.name=a server.address=kafka server.port=9093",
    "http.request.method=GET url.template=/x server.address=stores server.port=443",
    "http.request.method=GET url.full=\"://\" server.port=-80",
    "http.request.method=GET url.full=\"\" url.path=/x",
];
