//! Cases of `retry_storm`: several layers repeat what failed, and layers that repeat alone or beside each other.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("retry_storm", Level::Trace);
    let answered: Vec<Dialect> = all().filter(|dialect| dialect.is_answered).collect();
    for (at, inner) in all().enumerate() {
        let outer = answered[at % answered.len()];
        let (times, inner_times) = (2 + at % 3, 2 + at / 3 % 3);
        let name = format!("{times} times {inner_times}: {} above {}", outer.name, inner.name);
        let text = two_layers(outer, times, &attempts(inner, inner_times, " hit=1"), " caller=1");
        cases.fires(name, &text);
        near(&mut cases, at, outer, inner);
    }
    three_layers(&mut cases);
    cases
}

fn attempts(dialect: Dialect, times: usize, mark: &str) -> String {
    format!("{} x{times}/20 error{mark}", dialect.same("pay", "10..15"))
}

fn two_layers(outer: Dialect, times: usize, inner: &str, caller: &str) -> String {
    let call = outer.same("web", "0..100").replace("%i", "7");
    format!(
        "web page server 0..2000{caller}\n {call} x{times}/200 error\n  pay serve server 5..95 error\n   {inner}"
    )
}

fn near(cases: &mut Labelled, at: usize, outer: Dialect, inner: Dialect) {
    let both = format!("{} above {}", outer.name, inner.name);
    let (name, text) = match at % 5 {
        0 => ("the inner layer alone", two_layers(outer, 1, &attempts(inner, 9, ""), "")),
        1 => ("the outer layer alone", two_layers(outer, 9, &attempts(inner, 1, ""), "")),
        2 => {
            let inner = attempts(inner, 3, "").replace(" error", "");
            ("the inner calls work", two_layers(outer, 3, &inner, ""))
        }
        3 => {
            // Two attempts below one of the outer ones only: two are no four.
            let call = outer.same("web", "0..100");
            let inner = attempts(inner, 3, "");
            (
                "three of one attempt",
                format!(
                    "web page server 0..2000\n {call} error\n  pay serve server 5..95 error\n   {inner}\n {} error",
                    outer.same("web", "200..300")
                ),
            )
        }
        _ => {
            let call = outer.same("web", "0..50");
            (
                "beside each other",
                format!(
                    "web page server 0..2000\n {call} x4/100 error\n {} x4/100 error",
                    inner.same("web", "1000..1050")
                ),
            )
        }
    };
    cases.near(format!("{name}: {both}"), &text);
}

fn three_layers(cases: &mut Labelled) {
    let post = |service: &str, to: &str, times: &str| {
        format!("{service} POST client {times} http.request.method=POST url.full=https://{to}/x")
    };
    let text = format!(
        "web page server 0..4000 caller=1\n {} x2/1000 error\n  shop x server 1..899 error\n   {} x2/400 error\n    pay x server 11..390 error\n     {} x2/100 error hit=1",
        post("web", "shop", "0..900"),
        post("shop", "pay", "10..400"),
        post("pay", "bank", "20..90"),
    );
    cases.fires("three layers of two", &text);
    cases.fires("without times", &text.replace("20..90", "?..?"));
    cases.fires(
        "internal spans between",
        &text.replace("     pay POST", "     pay try internal 15..380\n      pay POST"),
    );
    cases.near(
        "three layers, each once",
        &text
            .replace(" x2/1000", "")
            .replace(" x2/400", "")
            .replace(" x2/100", "")
            .replace(" hit=1", "")
            .replace(" caller=1", ""),
    );
}
