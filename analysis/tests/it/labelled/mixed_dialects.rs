//! Cases of `mixed_dialects`: edges with several protocols, conventions or SDKs, and edges where each end has one.

use super::Labelled;
use super::case::Level;

/// What differs, and what the callee's spans tell of it: one way, the other.
const TRAITS: [(&str, &str, &str); 7] = [
    ("protocol version", "network.protocol.version=one", "network.protocol.version=two"),
    ("protocol version", "network.protocol.version=1.1", "network.protocol.version=2"),
    ("protocol version", "http.flavor=1.1", "http.flavor=2.0"),
    ("conventions", "http.method=GET", "http.request.method=GET"),
    ("conventions", "http.status_code=200", "http.response.status_code=200"),
    (
        "SDK",
        "@telemetry.sdk.language=java @telemetry.sdk.version=1.2.0",
        "@telemetry.sdk.language=java @telemetry.sdk.version=1.9.0",
    ),
    (
        "SDK",
        "@telemetry.sdk.language=go @telemetry.sdk.version=1.2.0",
        "@telemetry.sdk.language=rust @telemetry.sdk.version=1.2.0",
    ),
];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("mixed_dialects", Level::Window);
    for (at, (what, one, other)) in TRAITS.into_iter().enumerate() {
        let title = format!("web reaches price in several dialects: {what}");
        for (ones, others) in [(25, 25), (3, 47 + at), (50, 6)] {
            cases.fires_in(
                format!("{ones} and {others}: {one}, {other}"),
                &both((one, ones), (other, others)),
                &[&title],
            );
        }
        for (ones, others) in [(20, 29), (2, 58), (60, 0)] {
            cases.near_in(
                format!("{ones} and {others}: {one}, {other}"),
                &both((one, ones), (other, others)),
            );
        }
        // Each end has its own.
        let apart: Vec<String> = both((one, 55), (one, 0))
            .iter()
            .map(|text| {
                text.replace(
                    "\n web GET client 10..80",
                    &format!(
                        "\n web GET client 10..80 {}",
                        if other.starts_with('@') { "" } else { other }
                    ),
                )
            })
            .collect();
        cases.near_in(format!("the caller differs: {one}, {other}"), &apart);
    }
    let two = both(
        ("network.protocol.version=one http.method=GET", 30),
        ("network.protocol.version=two http.request.method=GET", 30),
    );
    cases.fires_in(
        "two traits",
        &two,
        &["web reaches price in several dialects: protocol version, conventions"],
    );
    cases.near_in("half of it is not told", &both(("network.protocol.version=one", 30), ("", 30)));
    cases
}

fn both((one, ones): (&str, usize), (other, others): (&str, usize)) -> Vec<String> {
    let page = |told: &str| {
        format!("web page server 0..90\n web GET client 10..80\n  price p server 15..75 {told}")
    };
    let instance = |nth: usize, text: String| text.replace("price p", &format!("price/{nth} p"));
    [vec![instance(1, page(one)); ones], vec![instance(2, page(other)); others]].concat()
}
