//! Cases of `broken_boundary`: traces that start anew within calls, and traces that begin by themselves.
//!
//! Beginnings are matched with calls by time, so clocks that are more than 5 ms apart hide it: the rule needs clocks.

use super::Labelled;
use super::case::Level;

/// How caller and callee name what is called.
const CALLS: [(&str, &str, &str); 5] = [
    (
        "http.request.method=GET url.template=/points",
        "http.request.method=GET http.route=/points",
        "GET /points",
    ),
    (
        "http.method=GET http.url=https://points/points",
        "http.method=GET http.target=/points",
        "GET /points",
    ),
    (
        "http.request.method=POST url.full=https://points/users/7/points",
        "http.request.method=POST http.route=/users/{id}/points",
        "POST /users/{id}/points",
    ),
    (
        "rpc.system=grpc rpc.service=shop.Points rpc.method=Get",
        "rpc.system=grpc rpc.service=shop.Points rpc.method=Get",
        "shop.Points/Get",
    ),
    (
        "rpc.system.name=grpc rpc.method=shop.Points/Add",
        "rpc.system.name=grpc rpc.method=shop.Points/Add",
        "shop.Points/Add",
    ),
];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("broken_boundary", Level::Window).with_clocks();
    for (at, call) in CALLS.into_iter().enumerate() {
        let title = format!("points starts traces of its own when web calls its {}", call.2);
        let named = |what: &str| format!("{what}: {}", call.0);
        let pairs = |count: usize, shift: i64| traces(call, count, shift);
        cases.fires_in(named("ten"), &pairs(10 + at, 0), &[&title]);
        cases.fires_in(named("the callee is 4 ms behind"), &pairs(12, -4), &[&title]);
        cases.fires_in(named("the callee is 4 ms ahead"), &pairs(12, 4), &[&title]);
        let own = |count: usize| {
            (0..count).map(|nth| begun(call, 60_000 + nth as i64 * 100)).collect::<Vec<_>>()
        };
        cases.fires_in(
            named("some begin by themselves"),
            &[pairs(20, 0), own(4)].concat(),
            &[&title],
        );
        cases.near_in(named("nine"), &pairs(9, 0));
        cases.near_in(named("many begin by themselves"), &[pairs(12, 0), own(5)].concat());
        cases.near_in(named("at other times"), &pairs(15, 60_000));
        let answered: Vec<String> = pairs(15, 0)
            .iter()
            .map(|text| {
                if text.starts_with("web") {
                    format!("{text}\n  points x server 6..7 ^4097")
                } else {
                    text.clone()
                }
            })
            .collect();
        cases.near_in(named("the calls have their servers"), &answered);
    }
    cases.near_in(
        "nothing begins: the callee is not instrumented",
        &traces(CALLS[0], 15, 0)
            .into_iter()
            .filter(|text| text.starts_with("web"))
            .collect::<Vec<_>>(),
    );
    let one: Vec<String> = traces(CALLS[0], 15, 0)
        .iter()
        .map(|text| text.replace("points \"serve\"", "web \"serve\""))
        .collect();
    cases.near_in("a service calls itself", &one);
    cases
}

/// Calls of 40 ms and the traces that begin within, the callee's clock so many milliseconds ahead.
fn traces(call: (&str, &str, &str), count: usize, ahead: i64) -> Vec<String> {
    let one = |nth: usize| {
        let at = nth as i64 * 100;
        let page = format!(
            "web page server {at}..{}\n web call client {}..{} {}",
            at + 50,
            at + 5,
            at + 45,
            call.0
        );
        [page, begun(call, at + ahead)]
    };
    (0..count).flat_map(one).collect()
}

fn begun(call: (&str, &str, &str), at: i64) -> String {
    format!("points \"serve\" server {}..{} {}", at + 10, at + 40, call.1)
}
