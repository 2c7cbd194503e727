//! Cases of `latency_floor`: paths that mostly wait for the way, and ways that are short, unknown, or off the path.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("latency_floor", Level::Trace);
    for (at, dialect) in answered().enumerate() {
        // Of 80 ms of the call the callee works 20 to 40.
        let works = 20 + at as i64 * 2;
        cases.fires(
            format!("{works} ms of work: {}", dialect.name),
            &page(dialect, works, " hit=1"),
        );
        let far =
            page(dialect, 10, " hit=1").replace("..100", "..1000").replace("10..90", "10..900");
        cases.fires(format!("far away: {}", dialect.name), &far);
        cases.near(format!("mostly work: {}", dialect.name), &page(dialect, 51, ""));
        let lost = page(dialect, 20, "").replace("\n  users", " error\n  users");
        cases.near(format!("no answer came: {}", dialect.name), &lost);
        let aside = page(dialect, 20, "").replace("\n web", "\n web work internal 0..100\n web");
        cases.near(format!("off the path: {}", dialect.name), &aside);
    }
    for dialect in all().filter(|dialect| !dialect.is_answered) {
        cases.near(
            format!("the callee is unknown: {}", dialect.name),
            &format!("web page server 0..100\n {}", dialect.same("web", "10..90")),
        );
    }
    shapes(&mut cases);
    cases
}

fn answered() -> impl Iterator<Item = Dialect> {
    all().filter(|dialect| dialect.is_answered)
}

/// A page of 100 ms that calls for 80; the callee works so many in the middle.
fn page(dialect: Dialect, works: i64, mark: &str) -> String {
    let caller = if mark.is_empty() { "" } else { " caller=1" };
    let (from, to) = (50 - works / 2, 50 + works - works / 2);
    format!(
        "web page server 0..100{caller}\n {}{mark}\n  users serve server {from}..{to}",
        dialect.same("web", "10..90")
    )
}

fn shapes(cases: &mut Labelled) {
    let Some(get) = answered().next() else { return };
    let region = page(get, 20, " hit=1")
        .replace("0..100", "0..100 @cloud.region=eu")
        .replace("hit=1", "hit=1 @cloud.region=eu")
        + " @cloud.region=us";
    cases.fires("to another region", &region);
    cases.fires(
        "many calls",
        &format!(
            "web page server 0..220 caller=1\n {} x4/50 hit=1\n  users serve server 15..35",
            get.same("web", "5..45")
        ),
    );
    let two = format!(
        "web page server 0..220 caller=1\n {} hit=1\n  a serve server 20..60\n {} hit=1\n  b serve server 130..180",
        get.same("web", "0..90"),
        get.same("web", "100..210")
    );
    cases.fires("two callees", &two);
    let deep = format!(
        "web page server 0..400 caller=1\n {} hit=1\n  a serve server 50..350\n   {} hit=1\n    b serve server 150..250",
        get.same("web", "10..390"),
        get.same("a", "60..340")
    );
    cases.fires("hop by hop", &deep);
    cases.near("microseconds", "web page server 0..1\n web call client 0.1..0.9 peer.service=users\n  users page server 0.4..0.6");
    cases.near("nothing but itself", "web page server 0..100\n web work internal 5..95");
    cases.near("longer at the callee", "web page server 0..100\n web call client 10..50 peer.service=users\n  users page server 5..95");
    cases.near("without times", "web page server 0..100\n web call client ?..? peer.service=users\n  users page server 40..60");
}
