//! Cases of `error_origin`: where failures began, and failures that took nobody down.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, READS, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("error_origin", Level::Trace);
    for (at, dialect) in all().enumerate() {
        let depth = 1 + at % 4;
        cases.fires(
            format!("{depth} services above: {}", dialect.name),
            &chain(dialect, depth, "error hit=1", "error"),
        );
        let (name, text) = match at % 3 {
            0 => ("handled", chain(dialect, depth, "error", "")),
            1 => ("nobody fails below", chain(dialect, 0, "", "error")),
            _ => ("outlived its caller", late(dialect)),
        };
        cases.near(format!("{name}: {}", dialect.name), &text);
    }
    shapes(&mut cases);
    none(&mut cases);
    cases
}

/// Services that call each other; the last one makes two calls, of which the second ends as told and fails the others.
fn chain(dialect: Dialect, depth: usize, last: &str, above: &str) -> String {
    let mut text = format!("s0 page server 0..1000 {above}");
    for level in 0..depth {
        let (from, to) = (10 + level * 20, 990 - level * 20);
        let indent = " ".repeat(level * 2 + 1);
        text += &format!(
            "\n{indent}s{level} GET client {from}..{to} {above} http.request.method=GET url.full=https://s{}/x\n{indent} s{} x server {}..{} {above}",
            level + 1,
            level + 1,
            from + 5,
            to - 5,
        );
    }
    let indent = " ".repeat(depth * 2 + 1);
    let service = format!("s{depth}");
    text += &format!(
        "\n{indent}{service} q client 200..210 db.system=mysql db.statement=\"SELECT a FROM t\""
    );
    text + &format!("\n{indent}{} {last}", dialect.same(&service, "300..400"))
}

fn late(dialect: Dialect) -> String {
    format!("{} error\n b serve server 10..90 error", dialect.same("a", "10..40"))
}

fn shapes(cases: &mut Labelled) {
    let get = |service: &str, times: &str| READS[0].same(service, times);
    let attempts =
        format!("web page server 0..900 error\n {} x3/100 error hit=1", get("web", "0..50"));
    cases.fires("attempts are one origin", &attempts);
    cases.fires(
        "an exception inside",
        "web page server 0..100 error\n web work internal 10..90 error hit=1 !exception@50",
    );
    cases.fires("a consumer's work", "w take consumer 0..100 error\n w q client 10..90 error hit=1 db.system=mysql db.statement=\"INSERT INTO t VALUES (1)\"");
    cases.fires(
        "ends with its caller",
        "web page server 0..100 error\n web c client 0..100 error hit=1 peer.service=x",
    );
    cases.fires("the root handles it", "web page server 0..100\n web a internal 0..90 error\n  web c client 5..80 error hit=1 peer.service=x");
    let ahead = format!(
        "%clock users +10s\nweb page server 0..100 error\n {} error\n  users serve server 10..80 error hit=1",
        get("web", "5..90")
    );
    cases.fires("the callee's clock is ahead", &ahead);
    cases.fires(
        "without times",
        "web page server 0..100 error\n web c client ?..? error hit=1 peer.service=x",
    );
    let two = "web page server 0..900\n web a server 0..300 error\n  web c client 5..90 error hit=1 peer.service=x\n web b server 400..700 error\n  web d client 405..490 error hit=2 peer.service=y";
    cases.fires("two failures apart", two);
    let first = format!(
        "web page server 0..900 error\n {} error\n  a serve server 15..80 error hit=1\n {} error\n  b serve server 215..280 error",
        get("web", "10..90"),
        get("web", "210..290")
    );
    cases.fires("the first of two callees", &first);
}

fn none(cases: &mut Labelled) {
    cases.near("a message's consumer", "web send producer 0..5 error messaging.system=kafka messaging.destination.name=a\n w take consumer 10..40 error");
    cases
        .near("the root alone", "web page server 0..100 error\n web c client 5..90 peer.service=x");
    cases.near(
        "many that were handled",
        "web page server 0..900\n web c client 0..20 x9/40 error peer.service=x",
    );
    cases.near(
        "beside each other",
        "web page server 0..900\n web a internal 0..100 error\n web b internal 100..200 error",
    );
    cases.near("a parent of its own", "web x - 0..9 error #3 ^3");
    cases.near(
        "its caller is missing",
        "web page server 0..900\nweb c client 0..20 error ^77 peer.service=x",
    );
}
