//! Cases of `fan_out`: many calls of one kind at once, and calls that are fewer, others, or in turn.

use super::Labelled;
use super::case::Level;
use super::dialects::{READS, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("fan_out", Level::Trace);
    for (at, dialect) in all().enumerate() {
        let count = 20 + at;
        let text = format!(
            "web page server 0..120 caller=1\n {} x{count}/1 hit=1",
            dialect.call("web", "5..60")
        );
        cases.fires(format!("{count} calls: {}", dialect.name), &text);
        near(&mut cases, at);
    }
    shapes(&mut cases);
    others(&mut cases);
    cases
}

fn near(cases: &mut Labelled, at: usize) {
    let Some(dialect) = all().nth(at) else { return };
    let call = |times: &str| dialect.call("web", times);
    let (what, text) = match at % 3 {
        0 => ("19 calls", format!("web page server 0..120\n {} x19/1", call("5..60"))),
        1 => ("in turn", format!("web page server 0..900\n {} x25/30", call("5..30"))),
        _ => (
            "less than half overlaps",
            format!("web page server 0..900\n {} x25/11", call("5..25")),
        ),
    };
    cases.near(format!("{what}: {}", dialect.name), &text);
}

fn shapes(cases: &mut Labelled) {
    let get = |times: &str| READS[0].call("web", times);
    cases.fires(
        "half overlaps",
        &format!("web page server 0..900 caller=1\n {} x20/10 hit=1", get("0..20")),
    );
    cases.fires(
        "below internal spans",
        &format!(
            "web page server 0..90 caller=1\n web task internal 0..80 x24/0\n  {} hit=1",
            get("1..79")
        ),
    );
    cases.fires(
        "items that fail",
        &format!("web page server 0..90 caller=1\n {} x24/1 error hit=1", get("1..60")),
    );
    cases.fires(
        "with answers",
        &format!(
            "web page server 0..90 caller=1\n {} x24/1 hit=1\n  users serve server 5..55",
            get("1..60")
        ),
    );
    cases.fires(
        "of a consumer",
        &format!("w take consumer 0..90 caller=1\n {} x24/1 hit=1", READS[4].call("w", "1..60")),
    );
    cases.fires(
        "the caller is missing",
        &format!("web other server 0..90\n{} ^77 x24/1 hit=1", get("1..60")),
    );
    cases.fires("in the second service", &format!("web page server 0..99\n web c client 1..98 http.request.method=GET url.full=https://shop/x\n  shop x server 2..97 caller=1\n   {} x30/1 hit=1", READS[8].call("shop", "3..60")));
}

/// Twenty calls at once, but not of one kind or one caller.
fn others(cases: &mut Labelled) {
    let page = "web page server 0..120";
    cases.near("other hosts", &format!("{page}\n web GET client 5..60 x25/1 http.request.method=GET url.full=https://host%i.example.com/x"));
    cases.near("attempts", &format!("{page}\n {} x25/1 error", READS[0].same("web", "5..60")));
    cases.near(
        "attempts at a query",
        &format!("{page}\n {} x25/1 error", READS[5].same("web", "5..60")),
    );
    cases.near(
        "pings",
        &format!("{page}\n web ping client 5..60 x25/1 db.system=mysql db.statement=\"SELECT 1\""),
    );
    cases.near("work inside the process", &format!("{page}\n web task internal 5..60 x40/1"));
    let two = |call: &str| {
        format!(
            "{page}\n web a server 0..100\n  {call} x15/1\n web b server 0..100\n  {call} x15/1"
        )
    };
    cases.near("two callers", &two(&READS[0].call("web", "5..60")));
    cases.near(
        "two kinds",
        &format!(
            "{page}\n {} x15/1\n {} x15/1",
            READS[0].call("web", "5..60"),
            READS[4].call("web", "5..60")
        ),
    );
    cases.near("without times", &format!("{page}\n {} x25/0", READS[0].call("web", "?..?")));
}
