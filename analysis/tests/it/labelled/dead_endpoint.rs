//! Cases of `dead_endpoint`: addresses that are tried after their last sign of life, and addresses that live.

use super::Labelled;
use super::case::Level;

/// What tells that nobody is there.
const NOBODY: [&str; 12] = [
    "error.type=ECONNREFUSED",
    "error.type=java.net.ConnectException",
    "message=\"dial tcp 10.0.0.3:80: connect: connection refused\"",
    "error.type=java.net.UnknownHostException",
    "error.type=ENOTFOUND",
    "error.type=EAI_AGAIN",
    "message=\"lookup cart: no such host\"",
    "message=\"Temporary failure in name resolution\"",
    "error.type=EHOSTUNREACH",
    "message=\"no route to host\"",
    "error.type=NXDOMAIN",
    "exception.type=ConnectException",
];

/// How the address is told, and how it is named then.
const ADDRESSES: [(&str, &str); 4] = [
    ("network.peer.address=10.0.0.3 network.peer.port=80", "10.0.0.3:80 (cart)"),
    ("net.sock.peer.addr=10.0.0.3 net.sock.peer.port=80", "10.0.0.3:80 (cart)"),
    ("net.peer.ip=10.0.0.3", "10.0.0.3 (cart)"),
    ("server.address=cart server.port=8080", "cart:8080 (cart:8080)"),
];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("dead_endpoint", Level::Window);
    for (at, nobody) in NOBODY.into_iter().enumerate() {
        let (told, address) = ADDRESSES[at % 4];
        for (nth, tries) in [3 + at, 20].into_iter().enumerate() {
            let mut texts = calls(0, 5 * nth, 100, "", told);
            texts.extend(calls(1_000, tries, 600, &format!("error {nobody}"), told));
            let title = format!("nobody answers at {address}, yet it was tried {tries} times");
            cases.fires_in(
                format!("{tries} after {} answers: {nobody}", 5 * nth),
                &texts,
                &[&title],
            );
        }
        let dead = |from: i64, count: usize, every: i64| {
            calls(from, count, every, &format!("error {nobody}"), told)
        };
        let (name, texts) = match at % 4 {
            0 => ("twice", dead(0, 2, 1_500)),
            1 => ("within a second", dead(0, 9, 100)),
            2 => ("it came back", [dead(0, 5, 600), calls(9_000, 1, 1, "", told)].concat()),
            _ => {
                ("it answers in between", [dead(0, 5, 600), calls(1_500, 1, 1, "", told)].concat())
            }
        };
        cases.near_in(format!("{name}: {nobody}"), &texts);
    }
    for (told, _) in ADDRESSES {
        for other in [
            "error.type=timeout",
            "http.response.status_code=503",
            "message=\"connection reset by peer\"",
        ] {
            cases.near_in(
                format!("{other} at {told}"),
                &calls(0, 9, 600, &format!("error {other}"), told),
            );
        }
    }
    cases
}

fn calls(from: i64, count: usize, every: i64, how: &str, told: &str) -> Vec<String> {
    let url =
        if told.contains("server.address") { "url.template=/c" } else { "url.full=https://cart/c" };
    let one = |nth: usize| {
        let at = from + nth as i64 * every;
        format!(
            "web page server {at}..{}\n web GET client {}..{} http.request.method=GET {url} {told} {how}",
            at + 9,
            at + 1,
            at + 8
        )
    };
    (0..count).map(one).collect()
}
