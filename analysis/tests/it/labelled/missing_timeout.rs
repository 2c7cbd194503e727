//! Cases of `missing_timeout`: waits that nobody ended, and waits that were ended, usual, or meant to last.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, READS, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("missing_timeout", Level::Trace);
    for (at, dialect) in ending().enumerate() {
        let wait = 5_001 + at * 900;
        cases.fires(
            format!("{wait} ms: {}", dialect.name),
            &page(
                &format!("{} hit=1", dialect.same("web", &format!("10..{}", wait + 10))),
                " caller=1",
            ),
        );
        let (name, text) = match at % 4 {
            0 => ("5 s", dialect.same("web", "10..5010")),
            1 => ("ended", format!("{} error", dialect.same("web", "10..9010"))),
            2 => ("as long as the others", format!("{} x5/10s", dialect.call("web", "10..7010"))),
            _ => (
                "less than ten times the others",
                format!(
                    "{} x5/1s\n {}",
                    dialect.call("web", "10..710"),
                    dialect.same("web", "10s..17s")
                ),
            ),
        };
        cases.near(format!("{name}: {}", dialect.name), &page(&text, ""));
    }
    shapes(&mut cases);
    lasting(&mut cases);
    cases
}

/// Calls that are not meant to last.
fn ending() -> impl Iterator<Item = Dialect> {
    all().filter(|dialect| !dialect.name.contains("message") && !dialect.name.contains("model"))
}

fn page(call: &str, caller: &str) -> String {
    format!("web page server 0..60s{caller}\n {call}")
}

fn shapes(cases: &mut Labelled) {
    let get = |service: &str, times: &str| READS[0].same(service, times);
    let deep = format!(
        "web page server 0..7s\n {}\n  users serve server 1..6999 caller=1\n   {} hit=1",
        get("web", "0..7s"),
        READS[5].same("users", "2..6900")
    );
    cases.fires("the deepest of three", &deep);
    let others = page(
        &format!("{} x5/1s\n {} hit=1", READS[0].call("web", "0..300"), get("web", "10s..17s")),
        " caller=1",
    );
    cases.fires("far longer than the others", &others);
    cases.fires("an open root", "web page server 0..? hit=1\n web work internal 10s..71s");
    cases.fires(
        "an open call",
        &format!(
            "web page server 0..1s caller=1\n {} hit=1\n  web work internal 1s..80s",
            get("web", "1..?")
        ),
    );
    cases.fires("an open consumer", "w take consumer 0..? hit=1\n w q client 65s..66s db.system=mysql db.statement=\"SELECT a FROM t\"");
    let foreign =
        "web page server 0..? hit=1\n web work internal 0..80s\n  users serve server 1..79s";
    cases.fires("open above another service", foreign);
    cases.fires("open above a long call alone", "web page server 0..? hit=1\n web c client 1..2s error peer.service=users\n  users serve server 2..79s");
    cases.near("open for less", "web page server 0..?\n web work internal 10s..59s");
    cases.near("open above nothing", "web page server 0..?");
    cases.near("neither start nor end", "web page server ?..?\n web work internal 10s..90s");
    cases.near("long work inside", "web page server 0..90s\n web work internal 10s..80s");
    cases.near("open while another service is ahead", "%clock users +9s\nweb page server 0..?\n web c client 1..40s error peer.service=users\n  users serve server 2..39s");
}

/// What tells that it takes its time.
fn lasting(cases: &mut Labelled) {
    let get = "http.request.method=GET url.full=https://feed";
    for path in ["events/stream", "jobs/poll", "rooms/subscribe", "changes/watch", "queue/listen"] {
        cases.near(path, &page(&format!("web GET client 0..30s {get}/{path}"), ""));
    }
    for protocol in ["websocket", "WebSocket", "sse"] {
        cases.near(
            protocol,
            &page(&format!("web GET client 0..30s {get}/x network.protocol.name={protocol}"), ""),
        );
    }
    cases.near("a model", &page(&READS[19].same("web", "0..30s"), ""));
    cases.near("a tool of a model", &page(&READS[18].same("web", "0..30s"), ""));
    cases.near("a message", &page("web receive client 0..30s messaging.system=kafka messaging.destination.name=a messaging.operation.type=receive", ""));
    cases.near(
        "a streaming procedure",
        &page(
            "web call client 0..30s rpc.system=grpc rpc.service=shop.Feed rpc.method=StreamPrices",
            "",
        ),
    );
}
