//! Cases of `work_after_giving_up`: callees that work on, and callees that stop, answer, or were never given up.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, all};

const GAVE_UP: [&str; 4] =
    ["", " error.type=timeout", " error.type=DEADLINE_EXCEEDED", " rpc.grpc.status_code=4"];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("work_after_giving_up", Level::Trace);
    for (at, dialect) in answered().enumerate() {
        for (why, longer) in [(at % 4, 101), (2 + at % 2, 5_000)] {
            let text = page(
                dialect,
                &format!("error{} hit=1", GAVE_UP[why]),
                100 + longer,
                " caller=1",
                "",
            );
            cases.fires(format!("{longer} ms longer{}: {}", GAVE_UP[why], dialect.name), &text);
        }
        let (name, text) = match at % 3 {
            0 => ("100 ms longer", page(dialect, "error", 200, "", "")),
            1 => ("the caller did not fail", page(dialect, "", 900, "", "")),
            _ => ("stopped in time", page(dialect, "error error.type=timeout", 95, "", "")),
        };
        cases.near(format!("{name}: {}", dialect.name), &text);
        let status = ["http.response.status_code=504", "http.status_code=500"][at % 2];
        let answer = page(dialect, &format!("error {status}"), 900, "", "");
        cases.near(format!("an answer came, {status}: {}", dialect.name), &answer);
    }
    shapes(&mut cases);
    cases
}

fn answered() -> impl Iterator<Item = Dialect> {
    all().filter(|dialect| dialect.is_answered)
}

/// A call of 100 ms whose server works so many.
fn page(dialect: Dialect, client: &str, works: i64, caller: &str, below: &str) -> String {
    let call = dialect.same("web", "10..110");
    format!(
        "web page server 0..300{caller}\n {call} {client}\n  slow serve server 12..{}{below}",
        12 + works
    )
}

fn shapes(cases: &mut Labelled) {
    let Some(get) = answered().next() else { return };
    let works = "\n   slow q client 20..800 db.system=mysql db.statement=\"SELECT a FROM t\"";
    cases.fires("with work below", &page(get, "error hit=1", 900, " caller=1", works));
    cases.fires(
        "the callee fails in the end",
        &page(get, "error hit=1", 900, " caller=1", " error"),
    );
    cases.fires(
        "behind its caller by the clock",
        &format!("{}\n%clock slow -7s", page(get, "error hit=1", 900, " caller=1", "")),
    );
    let two = format!(
        "web page server 0..900 caller=1 caller=2\n {} error hit=1\n  slow a server 5..505\n {} error hit=2\n  late b server 205..905",
        get.same("web", "0..100"),
        get.same("web", "200..300")
    );
    cases.fires("two of one page", &two);
    cases.near(
        "nobody answers",
        &format!("web page server 0..300\n {} error", get.same("web", "10..110")),
    );
    cases.near("a message's consumer", "web page server 0..300\n web send producer 10..12 error messaging.system=kafka messaging.destination.name=a\n  w take consumer 20..900");
    cases.near(
        "the callee's end is missing",
        &page(get, "error", 900, "", "").replace("..912", "..?"),
    );
    cases.near(
        "the caller's end is missing",
        &page(get, "error", 900, "", "")
            .replace("10..110", "10..?")
            .replace("server 12..912", "server 12..60"),
    );
}
