//! Cases of `n_plus_one`: one call for each item, and what only looks like it.

use super::Labelled;
use super::case::Level;
use super::dialects::{READS, all};

const SQL: &str = "db.system=mysql db.statement=";

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("n_plus_one", Level::Trace);
    every_kind(&mut cases);
    shapes(&mut cases);
    few_short_or_side_by_side(&mut cases);
    other_calls(&mut cases);
    cases
}

/// Five calls of each kind and more, each of them 5 ms.
fn every_kind(cases: &mut Labelled) {
    for (at, dialect) in all().enumerate() {
        let count = 5 + at;
        let call = dialect.call("web", "1..6");
        let text =
            format!("web page server 0..{} caller=1\n {call} x{count}/6 hit=1", count * 6 + 2);
        cases.fires(format!("{count} calls: {}", dialect.name), &text);
    }
}

/// Where the calls stand, and what stands between them.
fn shapes(cases: &mut Labelled) {
    let get = |times: &str| READS[0].call("web", times);
    let page = "web page server 0..900 caller=1";
    for depth in 1..=3 {
        let mut text = page.to_owned();
        for level in 0..depth {
            let repeat = if level == 0 { "x7/50" } else { "" };
            text += &format!("\n{}web step{level} internal 0..30 {repeat}", " ".repeat(level + 1));
        }
        text += &format!("\n{}{} hit=1", " ".repeat(depth + 1), get("5..25"));
        cases.fires(format!("below {depth} internal spans"), &text);
    }
    let ping = format!("web ping client 22..24 x6/30 {SQL}\"SELECT 1\"");
    cases.fires("pings between", &format!("{page}\n {} x6/30 hit=1\n {ping}", get("0..20")));
    let begin =
        format!("web q client 21..22 x6/30 {SQL}BEGIN\n web q client 28..29 x6/30 {SQL}COMMIT");
    cases
        .fires("transactions between", &format!("{page}\n {} x6/30 hit=1\n {begin}", get("0..20")));
    let hit =
        "web HGET client 21..22 x6/30 db.system=redis db.statement=\"HGET a b\" cache.hit=true"
            .to_owned();
    // Six reads of the cache are a second finding.
    cases.fires(
        "hits of a cache between",
        &format!("{page}\n {} x6/30 hit=1\n {}", get("0..20"), hit.replace("x6", "x4")),
    );
    cases.fires("items that fail", &format!("{page}\n {} x6/30 error hit=1", get("0..20")));
    cases.fires("a neighbour overlaps a little", &format!("{page}\n {} x6/17 hit=1", get("0..20")));
    cases.fires(
        "little, but much of a short page",
        &format!("web page server 0..10 caller=1\n {} x5/0.5 hit=1", get("0..0.2")),
    );
    cases.fires("without times", &format!("{page}\n {} x6/0 hit=1", get("?..?")));
    cases.fires(
        "the caller is missing",
        &format!("web other server 0..900\n{} ^77 x6/30 hit=1", get("0..20")),
    );
    cases.fires(
        "more than are named",
        &format!("web page server 0..9000 caller=1\n {} x1500/6 hit=1", get("0..5")),
    );
    let orders = format!("web query client 0..10 {SQL}\"SELECT * FROM orders\"");
    cases.fires("a query before", &format!("{page}\n {orders}\n {} x6/30 hit=1", get("20..30")));
    let roles =
        format!("users query client 10..14 x3/5 {SQL}\"SELECT * FROM roles WHERE id = %i\"");
    let nested =
        format!("{page}\n {} x9/60 hit=1\n  users serve server 5..45\n   {roles}", get("0..50"));
    cases.fires("what the callee does for each", &nested);
    let deep = format!(
        "web page server 0..900\n web call client 5..890 http.request.method=POST url.full=https://shop/buy\n  shop buy server 10..880 caller=1\n   {} x8/90 hit=1",
        READS[4].call("shop", "20..90")
    );
    cases.fires("in the second service", &deep);
    let two = format!(
        "{page} caller=2\n {} x6/30 hit=1\n {} x5/40 hit=2",
        get("0..20"),
        READS[4].call("web", "400..430")
    );
    cases.fires("two at once", &two);
    // As Online Boutique's frontend does under load.
    let starts = [0.0, 20.01, 40.03, 60.06, 80.1, 110.0, 160.0, 250.0];
    let call = |at: f64| format!("\n {} hit=1", get(&format!("{at}..{}", at + 20.0)));
    cases.fires("own work between that grows", &format!("{page}{}", starts.map(call).concat()));
    cases.fires(
        "neighbours without an end",
        &format!(
            "{page}\n {} x6/30 hit=1\n web lost internal 5..?\n web lost - ?..?",
            get("0..20")
        ),
    );
}

/// Below the thresholds of count, time and overlap, with a kind of call each.
fn few_short_or_side_by_side(cases: &mut Labelled) {
    for (at, dialect) in all().enumerate() {
        let call = |times: &str| dialect.call("web", times);
        let (what, text) = match at % 4 {
            0 => ("four calls", format!("web page server 0..200\n {} x4/40", call("0..30"))),
            1 => (
                "4 % of a page, 19 ms",
                format!("web page server 0..475\n {} x{}/20", call("0..1"), 19),
            ),
            2 => ("a fifth overlaps", format!("web page server 0..900\n {} x9/40", call("0..50"))),
            _ => ("side by side", format!("web page server 0..200\n {} x12/2", call("0..100"))),
        };
        cases.near(format!("{what}: {}", dialect.name), &text);
    }
}

/// Calls of one span name that differ, `TABLE` standing for how.
const OTHERS: [(&str, &str); 6] = [
    (
        "tables",
        "query client TIMES db.system=mysql db.statement=\"SELECT * FROM TABLE WHERE id = 1\"",
    ),
    ("routes", "GET client TIMES http.request.method=GET url.full=https://shop/TABLE/7"),
    ("hosts", "GET client TIMES http.request.method=GET url.full=https://TABLE.example.com/x"),
    ("methods", "call client TIMES rpc.system=grpc rpc.service=shop.Shop rpc.method=TABLE"),
    ("topics", "send producer TIMES messaging.system=kafka messaging.destination.name=TABLE"),
    ("servers below", "\"HTTP GET\" client TIMES\n  TABLE list server TIMES"),
];

/// One name, but not one call.
fn other_calls(cases: &mut Labelled) {
    let page = "web page server 0..900";
    let times = |at: usize| format!("{}..{}", at * 40, at * 40 + 20);
    let tables = ["users", "orders", "items", "carts", "roles", "mails", "files", "tags"];
    for (name, call) in OTHERS {
        let one = |(at, table): (usize, &&str)| {
            format!("\n web {}", call.replace("TIMES", &times(at)).replace("TABLE", table))
        };
        let calls: String = tables.iter().enumerate().map(one).collect();
        cases.near(format!("other {name}"), &format!("{page}{calls}"));
    }
    for dialect in READS.iter().take(6) {
        let attempts = format!("{page}\n {} x6/100 error", dialect.same("web", "0..50"));
        cases.near(format!("attempts at one call: {}", dialect.name), &attempts);
    }
    let poll = |at: i32| format!("\n {}", READS[0].same("web", &format!("{at}..{}", at + 10)));
    let polls: String = [0, 30, 80, 170, 340, 670].map(poll).concat();
    cases.near("polling with growing gaps", &format!("{page}{polls}"));
    for (name, statement) in [("pings", "\"SELECT 1\""), ("commits", "COMMIT")] {
        cases.near(name, &format!("{page}\n web q client 0..20 x9/30 {SQL}{statement}"));
    }
    let get = |times: &str| READS[0].call("web", times);
    let two = format!(
        "{page}\n web a server 0..400\n  {} x4/40\n web b server 400..800\n  {} x4/40",
        get("0..30"),
        get("400..430")
    );
    cases.near("four calls of each of two callers", &two);
    let cycle = format!(
        "{page}\n {} x4/40\nweb x internal 0..9 #7 ^8\nweb y internal 0..9 #8 ^7\n {} ^8",
        get("0..30"),
        get("1..31")
    );
    cases.near("four calls and one of a cycle", &cycle);
    let same = |at: usize| format!("\n {} #2{at}", READS[0].same("web", &times(at)));
    let four: String = (0..4).map(same).collect();
    cases.near("four calls, sent twice", &format!("{page}{four}{four}"));
    cases.near("work inside the process", &format!("{page}\n web load internal 0..30 x20/40"));
}
