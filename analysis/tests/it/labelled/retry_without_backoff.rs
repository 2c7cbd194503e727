//! Cases of `retry_without_backoff`: attempts at one pace, and attempts that slow down or are none.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, READS, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("retry_without_backoff", Level::Trace);
    for (at, dialect) in all().enumerate() {
        let starts: Vec<i64> = match at % 4 {
            0 => (0..3 + at as i64 % 5).map(|nth| nth * 30).collect(),
            1 => vec![0, 100, 150, 180],
            2 => vec![0, 30, 60 + at as i64 % 10],
            _ => vec![0, 10, 20, 30],
        };
        let text = page(dialect, &starts, at % 2 == 0, " hit=1");
        cases.fires(format!("{starts:?}: {}", dialect.name), &text);
        let starts: Vec<i64> = match at % 4 {
            0 => vec![0, 30],
            1 => vec![0, 30, 70],
            2 => vec![0, 20, 50, 100, 190],
            _ => vec![0, 40, 85 + at as i64, 180 + 2 * at as i64],
        };
        cases.near(
            format!("{starts:?}: {}", dialect.name),
            &page(dialect, &starts, at % 2 == 0, ""),
        );
    }
    shapes(&mut cases);
    none(&mut cases);
    cases
}

/// Attempts of 10 ms that start at these times; the last one works or fails.
fn page(dialect: Dialect, starts: &[i64], works: bool, mark: &str) -> String {
    let caller = if mark.is_empty() { "" } else { " caller=1" };
    let mut text = format!("web page server 0..2000{caller}");
    for (at, start) in starts.iter().enumerate() {
        let status = if works && at + 1 == starts.len() { "ok" } else { "error" };
        let call = dialect.same("web", &format!("{start}..{}", start + 10));
        text += &format!("\n {call} {status}{mark}");
    }
    text
}

fn shapes(cases: &mut Labelled) {
    let get = "http.request.method=GET url.full=https://users/users";
    let counted = |nth: i64| {
        format!(
            " web GET client {}..{} error hit=1 {get}/{nth} http.request.resend_count={nth}",
            nth * 30,
            nth * 30 + 10
        )
    };
    let counted: Vec<String> = (0..4).map(counted).collect();
    cases.fires(
        "counted, though each asks otherwise",
        &format!("web page server 0..2000 caller=1\n{}", counted.join("\n")),
    );
    cases.fires(
        "without times",
        &format!(
            "web page server 0..2000 caller=1\n {} x4/0 error hit=1",
            READS[0].same("web", "?..?")
        ),
    );
    cases.fires(
        "overlapping",
        &format!(
            "web page server 0..2000 caller=1\n {} x4/5 error hit=1",
            READS[0].same("web", "0..10")
        ),
    );
    let below = format!(
        "web page server 0..2000 caller=1\n web try internal 0..10 x4/30\n  {} error hit=1",
        READS[4].same("web", "0..10")
    );
    cases.fires("each below an internal span", &below);
    let second = format!(
        "web page server 0..2000\n web c client 1..1999 http.request.method=POST url.full=https://shop/x\n  shop x server 5..1995 caller=1\n   {} x3/30 error hit=1",
        READS[8].same("shop", "10..20")
    );
    cases.fires("in the second service", &second);
    let two = format!(
        "web page server 0..2000 caller=1 caller=2\n {} x3/30 error hit=1\n {} x3/30 error hit=2",
        READS[0].same("web", "0..10"),
        READS[4].same("web", "500..510")
    );
    cases.fires("at two calls", &two);
}

fn none(cases: &mut Labelled) {
    for dialect in [READS[0], READS[1], READS[3], READS[4], READS[5], READS[15]] {
        let items =
            format!("web page server 0..2000\n {} x9/30 error", dialect.call("web", "0..10"));
        cases.near(format!("items that fail: {}", dialect.name), &items);
        let works = format!("web page server 0..2000\n {} x9/30 ok", dialect.same("web", "0..10"));
        cases.near(format!("polls that work: {}", dialect.name), &works);
    }
    let two = format!(
        "web page server 0..900\n web a server 0..400\n  {} x2/30 error\n web b server 400..800\n  {} x2/30 error",
        READS[0].same("web", "0..10"),
        READS[0].same("web", "400..410")
    );
    cases.near("two attempts of each of two callers", &two);
    let turns = format!(
        "web page server 0..900\n {} x2/200 error\n {} x2/200 ok",
        READS[0].same("web", "0..10"),
        READS[0].same("web", "100..110")
    );
    cases.near("every second one works", &turns);
}
