//! Cases of `ambiguous_outcome`: done, though the caller got no answer; and answers, failures, reads.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, READS, WRITES};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("ambiguous_outcome", Level::Trace);
    let how = [
        "error",
        "error error.type=timeout",
        "error error.type=ECONNRESET",
        "error rpc.grpc.status_code=14",
        "error rpc.grpc.status_code=4",
    ];
    for (at, dialect) in writes().enumerate() {
        for (nth, how) in how.iter().enumerate() {
            let server = if (at + nth) % 2 == 0 { "" } else { "ok" };
            let text = page(dialect, &format!("{how} hit=1"), server, " caller=1");
            cases.fires(format!("{how}, {server}: {}", dialect.name), &text);
        }
        let answers = [
            "error http.response.status_code=409",
            "error http.status_code=500",
            "error rpc.grpc.status_code=3",
            "ok",
            "",
        ];
        for answer in answers {
            cases.near(format!("{answer}: {}", dialect.name), &page(dialect, answer, "", ""));
        }
        cases.near(
            format!("failed on both sides: {}", dialect.name),
            &page(dialect, "error", "error", ""),
        );
    }
    for dialect in READS.into_iter().filter(|dialect| dialect.is_answered) {
        cases.near(format!("a read: {}", dialect.name), &page(dialect, "error", "", ""));
    }
    shapes(&mut cases);
    cases
}

/// Writes that somebody answers, by HTTP and by procedures.
fn writes() -> impl Iterator<Item = Dialect> {
    WRITES.into_iter().filter(|dialect| dialect.is_answered)
}

fn page(dialect: Dialect, client: &str, server: &str, caller: &str) -> String {
    format!(
        "web page server 0..100{caller}\n {} {client}\n  pay serve server 12..58 {server}",
        dialect.same("web", "10..60")
    )
}

fn shapes(cases: &mut Labelled) {
    let rpc = |told: &str| {
        format!(
            "web page server 0..100 caller=1\n web call client 10..60 {told} hit=1\n  pay serve server 12..58"
        )
    };
    cases.fires(
        "a procedure that writes",
        &rpc("rpc.system=grpc rpc.service=shop.Pay rpc.method=Charge rpc.grpc.status_code=1 error"),
    );
    cases.fires(
        "a procedure of which nobody knows",
        &rpc("rpc.system.name=grpc rpc.method=shop.Pay/Do error"),
    );
    cases.fires(
        "with a key",
        &rpc("http.request.method=POST url.full=https://pay/x idempotency.key=a error"),
    );
    cases.fires(
        "work below",
        &format!(
            "{}\n   pay q client 20..50 db.system=mysql db.statement=\"INSERT INTO t VALUES (1)\"",
            rpc("http.request.method=POST url.full=https://pay/x error")
        ),
    );
    cases.near(
        "nobody answers",
        &page(WRITES[0], "error", "", "").replace("pay serve server", "pay serve internal"),
    );
    cases.near("a message's consumer", "web page server 0..100\n web send producer 10..12 error messaging.system=kafka messaging.destination.name=a\n  w take consumer 20..90");
}
