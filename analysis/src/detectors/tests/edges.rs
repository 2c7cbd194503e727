//! Which two services a finding is about.

use super::{found, of_detector};

/// Caller and callee of each finding of a detector.
fn edges(text: &str, detector: &str) -> Vec<(String, String)> {
    let found = found(text).into_iter().chain(of_detector(text, detector));
    let mut edges: Vec<_> = found
        .filter(|finding| finding.detector == detector)
        .map(|finding| (finding.caller_service, finding.callee_service))
        .collect();
    edges.dedup();
    edges
}

fn check(text: &str, detector: &str, caller: &str, callee: &str) {
    let expected = (caller.to_owned(), callee.to_owned());
    assert_eq!(edges(text, detector), [expected], "{detector} of\n{text}");
}

#[test]
fn a_database_is_called_by_its_name() {
    let query = "orders q client 0..10 x6/12 db.system=mysql db.statement=\"SELECT a FROM t WHERE id = %i\"";
    let named = format!("orders list server 0..90\n {query} server.address=orders-db");
    check(&named, "n_plus_one", "orders", "orders-db");
    check(&format!("orders list server 0..90\n {query}"), "n_plus_one", "orders", "mysql");
}

#[test]
fn a_service_goes_by_its_own_name_and_a_stranger_by_its_address() {
    let calls = |below: &str| {
        format!(
            "web page server 0..900\n web get client 0..90 x20/1 http.request.method=GET url.full=\"http://users.local/users/%i\"{below}"
        )
    };
    check(&calls("\n  users get server 5..80"), "fan_out", "web", "users");
    check(&calls(""), "fan_out", "web", "users.local");
}

#[test]
fn calls_to_several_callees_name_none() {
    let call = |at: u32, host: &str| {
        format!(
            "\n web c{at} client {at}..{} http.request.method=GET url.full=http://{host}/x",
            at + 90
        )
    };
    let calls = |hosts: [&str; 3]| {
        let calls: String =
            hosts.iter().zip([0, 100, 200]).map(|(host, at)| call(at, host)).collect();
        format!("web page server 0..300{}", calls.replacen("/x", "/y", 1).replacen("/x", "/z", 1))
    };
    check(&calls(["a", "b", "c"]), "sequential_calls", "web", "");
    check(&calls(["a", "a", "a"]), "sequential_calls", "web", "a");
}

#[test]
fn a_secret_is_where_it_was_recorded() {
    let url = "url.full=\"https://feed/x?api_key=sk_live_0123456789abcdef01\"";
    let text = format!(
        "gate in server 0..20\n gate GET client 1..19\n  web x server 2..9\n   web GET client 3..8 {url}"
    );
    check(&text, "secret_in_span", "web", "");
}

#[test]
fn inner_layers_of_a_storm_are_between_its_ends() {
    let text = "web page server 0..2000
        web GET client 0..100 error x3/200 http.request.method=GET url.full=\"http://pay/pay\"
          pay pay server 5..95 error
            pay POST client 10..15 error x3/20 http.request.method=POST url.full=\"https://bank/x\"";
    check(text, "retry_storm", "web", "bank");
    check(text, "error_origin", "pay", "bank");
}
