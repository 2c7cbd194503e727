//! What is one call for each item, and what only looks like it.

use crate::detectors::tests::{check, found};

const USER: &str = "http.request.method=GET url.full=\"http://users/users/%i\"";

#[test]
fn the_fifty_calls_of_a_dashboard() {
    let text =
        format!("web \"GET /dashboard\" server 0..3000\n web GET client 0..60 x50/60 {USER}");
    let title =
        "n_plus_one 50 web GET /dashboard calls users GET /users/{id} 50 times one after another";
    check(&text, &[title]);
    let finding = &found(&text)[0];
    // 3,000 ms become one call of 60 ms and 49 items of 20 us.
    assert_eq!(finding.saving_ns, 2_940_000_000 - 49 * 20_000);
    assert_eq!(finding.wasted_ns, 2_940_000_000);
    assert_eq!(finding.critical_path_ns, 3_000_000_000);
    assert_eq!(finding.severity.label(), "high");
}

#[test]
fn the_hundred_orders_and_their_query() {
    let text = "shop \"GET /orders\" server 0..1030
        shop query client 0..10 db.system=mysql db.statement=\"SELECT * FROM orders\"
        shop query client 15..25 x100/10 db.system=mysql db.statement=\"SELECT * FROM customers WHERE id = %i\"";
    let found = found(text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].evidence.value()["source"]["template"], "SELECT * FROM orders");
    assert_eq!(
        found[0].evidence.value()["remedy"],
        "Ask for all items at once: 101 calls become 2."
    );
    assert_eq!(found[0].count, 100);
    // 1,000 ms become one query of 10 ms and 99 items of 20 us.
    assert_eq!(found[0].saving_ns, 990_000_000 - 99 * 20_000);
}

#[test]
fn the_ten_calls_of_a_page() {
    let text = format!("web page server 0..520\n web GET client 10..60 x10/50 {USER}");
    let title = "n_plus_one 10 web page calls users GET /users/{id} 10 times one after another";
    check(&text, &[title]);
    let finding = &found(&text)[0];
    assert_eq!(finding.saving_ns, 450_000_000 - 9 * 20_000);
    assert_eq!(finding.evidence.value()["remedy"], "Ask for all items at once: 10 calls become 1.");
}

#[test]
fn ten_different_calls_of_a_page_could_run_side_by_side() {
    let calls = (0..10).map(|at| {
        let (from, to) = (10 + at * 50, 60 + at * 50);
        let name = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][at];
        format!(
            " web GET client {from}..{to} http.request.method=GET url.full=http://{name}/{name}"
        )
    });
    let lines: Vec<_> = std::iter::once("web page server 0..520".to_owned()).chain(calls).collect();
    let found = found(&lines.join("\n"));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].detector, found[0].count), ("sequential_calls", 10));
    assert_eq!(found[0].saving_ns, 450_000_000);
    let remedy = "Start the calls together; the caller then waits 450 ms less.";
    assert_eq!(found[0].evidence.value()["remedy"], remedy);
}

#[test]
fn what_the_callee_does_for_each_call_is_the_same_finding() {
    let text = format!(
        "web page server 0..1000
        web GET client 0..80 x10/100 {USER}
          users \"GET /users/{{id}}\" server 5..75
            users query client 10..18 x6/10 db.system=mysql db.statement=\"SELECT * FROM roles WHERE id = %i\""
    );
    let found = found(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    let nested = found[0].evidence.value()["nested"][0].clone();
    assert_eq!((nested["service"].as_str(), nested["calls"].as_u64()), (Some("users"), Some(60)));
}

#[test]
fn calls_below_internal_spans_have_one_caller() {
    let text = format!(
        "web page server 0..1000\n web load internal 0..30 x6/40\n  web GET client 5..25 {USER}"
    );
    check(&text, &["n_plus_one 6 web page calls users GET /users/{id} 6 times one after another"]);
}

#[test]
fn other_calls_between_do_not_break_a_run() {
    let text = format!(
        "web page server 0..1000
        web GET client 0..20 x6/100 {USER}
        web ping client 20..30 x6/100 db.system=mysql db.statement=\"SELECT 1\"
        web HGET client 30..35 x6/100 db.system=redis db.statement=\"HGET a b\""
    );
    let found = found(&text);
    let users = found.iter().filter(|finding| finding.title.contains("GET /users/{id} 6 times"));
    assert_eq!(users.count(), 1);
    assert!(found.iter().all(|finding| !finding.title.contains("SELECT 1")), "{found:?}");
}

fn none(text: &str) {
    let found: Vec<_> = found(text).into_iter().filter(|f| f.detector == "n_plus_one").collect();
    assert_eq!(found, []);
}

#[test]
fn near_misses_are_none() {
    let page = "web page server 0..1000\n web GET client";
    // Four calls; little time of a long page; side by side.
    none(&format!("{page} 0..50 x4/100 {USER}"));
    none(&format!("{page} 0..1 x10/2 {USER}"));
    none(&format!("{page} 0..100 x10/20 {USER}"));
    // One name, but other callees, routes or tables.
    let other = "http.request.method=GET url.full=\"http://host-%i.example.com/x\"";
    none(&format!("{page} 0..40 x8/100 {other}"));
    let tables = (0..8).map(|at| {
        let table = ["users", "orders", "items", "carts", "roles", "mails", "files", "tags"][at];
        let (from, to) = (at * 20, at * 20 + 6);
        format!(" web query client {from}..{to} db.system=mysql db.statement=\"SELECT * FROM {table} WHERE id = 1\"")
    });
    let tables: Vec<_> =
        std::iter::once("web page server 0..1000".to_owned()).chain(tables).collect();
    none(&tables.join("\n"));
    // Attempts of one call.
    let same = "http.request.method=GET url.full=http://users/users/7";
    none(&format!("{page} 0..50 x6/100 error {same}"));
}

#[test]
fn items_that_fail_are_still_items() {
    let text = format!("web page server 0..1000\n web GET client 0..50 x6/100 error {USER}");
    check(&text, &["n_plus_one 6 web page calls users GET /users/{id} 6 times one after another"]);
}

#[test]
fn polling_with_growing_gaps_is_none() {
    let starts = [0, 30, 80, 170, 340, 670];
    let calls = starts.map(|at| {
        format!(
            " web GET client {at}..{} http.request.method=GET url.full=http://jobs/jobs/7",
            at + 10
        )
    });
    let text = format!("web page server 0..1000\n{}", calls.join("\n"));
    check(&text, &[]);
}

#[test]
fn repeats_without_times_are_said_to_be_so() {
    let text = format!("web page server 0..100\n web GET client ?..? x6/0 {USER}");
    let found = found(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].evidence.value()["times_usable"], false);
    assert_eq!((found[0].saving_ns, found[0].severity.label()), (0, "low"));
}

#[test]
fn clocks_that_are_off_change_nothing() {
    let text = format!(
        "web page server 0..1000
        web GET client 0..80 x10/100 {USER}
          users \"GET /users/{{id}}\" server 5..75"
    );
    let (straight, skewed) = (found(&text), found(&format!("%clock users +10s\n{text}")));
    assert_eq!(straight.len(), 1);
    assert_eq!(straight, skewed);
}

#[test]
fn a_missing_caller_is_still_one_caller() {
    let text = format!("web other server 0..1000\nweb GET client 0..80 x10/100 {USER} ^77");
    let found = found(&text);
    assert_eq!((found.len(), found[0].parent_span_id, found[0].count), (1, 77, 10));
}
