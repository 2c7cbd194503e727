//! What happened before what, through SQL and HTTP.

use causeway_testkit::proto::common::v1::{AnyValue, ArrayValue, any_value::Value};
use causeway_testkit::proto::trace::v1::Span;
use serde_json::json;

use crate::world::{MS, T0, World, WorldBuilder, kv, request, span, text};

const SERVER: i32 = 2;
const CLIENT: i32 = 3;

/// A tick of a node, nanoseconds after [`T0`].
fn stamp(node: u64, ns: u64) -> String {
    format!("{node:016x}:{:016x}", T0 + ns)
}

fn tagged(mut span: Span, node: u64, start: u64, end: u64) -> Span {
    span.attributes.push(kv("hlc.start", text(&stamp(node, start))));
    span.attributes.push(kv("hlc.end", text(&stamp(node, end))));
    (span.start_time_unix_nano, span.end_time_unix_nano) = (T0 + start, T0 + end);
    span
}

/// The call of clocks.md: A starts at 100, sends at 110 and ends at 500; B receives at 120.
fn call(response: Option<u64>) -> World {
    let mut client = tagged(Span { kind: CLIENT, ..span(1, 0xa, 0, "get", 0, 0) }, 0xa, 100, 500);
    client.attributes.push(kv("http.response.status_code", Value::IntValue(200)));
    if let Some(tick) = response {
        let stamps = vec![AnyValue { value: Some(text(&stamp(0xb, tick))) }];
        client.attributes.push(kv("hlc.resp", Value::ArrayValue(ArrayValue { values: stamps })));
    }
    let mut server =
        tagged(Span { kind: SERVER, ..span(1, 0xb, 0xa, "serve", 0, 0) }, 0xb, 120, 300);
    server.trace_state = format!("hlc=1:{}", stamp(0xa, 110));
    WorldBuilder::new()
        .file(&[request("front", vec![client])])
        .recent(&[request("back", vec![server])])
        .build()
}

#[tokio::test]
async fn answers_prove_as_much_as_stamps_show() {
    let relation = "SELECT relation, class FROM span_relation('1', 'a', 'b')";
    // A server may end after it answered: only a stamp made at its end proves that the client ended later.
    for (response, expected) in [
        (Some(310), "contains,proven"),
        (Some(250), "overlaps,proven"),
        (None, "contains,inferred"),
    ] {
        assert_eq!(call(response).sql(relation).await, expected, "{response:?}");
    }
    let world = call(Some(310));
    let (status, order) = world.get("/traces/1/order?from=a&to=b").await;
    assert_eq!((status, &order["relation"]), (200, &json!("contains")));
    let steps = &order["because"][1]["steps"];
    assert_eq!(steps[0]["from"]["event"], json!("end"));
    assert_eq!(
        steps.as_array().and_then(|s| s.last()).map(|s| &s["edge"]),
        Some(&json!("response"))
    );
    assert_eq!(order["assumptions"]["rho_ppm"], json!(100));
}

#[tokio::test]
async fn events_stand_in_causal_order() {
    let world = call(Some(310));
    let line = "SELECT span_id, event FROM causal_order('1') ORDER BY seq";
    let expected = ["a,start", "b,start", "b,end", "a,end"].map(|l| format!("{l:0>22}"));
    let found = world.sql(line).await;
    for (line, expected) in found.lines().zip(expected) {
        assert!(line.ends_with(expected.trim_start_matches('0')), "{found}");
    }
    let cone = "SELECT name, relation FROM cone('1', 'b') ORDER BY name";
    assert_eq!(world.sql(cone).await, "get,inside\nserve,same");
    let (status, cone) = world.get("/traces/1/cone?span=a").await;
    assert_eq!((status, &cone["relation"]), (200, &json!(["same", "contains"])), "row by row");
    let (_, order) = world.get("/traces/1/order").await;
    assert_eq!(order["event"], json!(["start", "start", "end", "end"]));
}

#[tokio::test]
async fn what_was_open_at_a_moment() {
    let world = call(None);
    for (at, open) in [(50, ""), (105, "get"), (200, "get\nserve"), (400, "get"), (600, "")] {
        let sql = format!("SELECT name FROM open_at({}) ORDER BY name", T0 + at);
        assert_eq!(world.sql(&sql).await, open, "{at}");
    }
    let at = "SELECT name FROM open_at(TIMESTAMP '2023-11-14T22:13:20.000000105Z')";
    assert_eq!(world.sql(at).await, "get");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_told() {
    let world = call(None);
    for (sql, message) in [
        ("SELECT * FROM span_relation('1', 'a')", "span_relation(trace_id, span_id, span_id)"),
        ("SELECT * FROM span_relation('1', 'a', 'c')", "span 000000000000000c is not in the trace"),
        ("SELECT * FROM cone('9', 'a')", "is not known"),
        ("SELECT * FROM causal_order('x')", "is not an id"),
        ("SELECT * FROM spans AS s, cone('1', s.span_id)", "cone takes constants"),
        ("SELECT * FROM clock_offset('moon', 'utc', 'now')", "is not a clock"),
        ("SELECT * FROM open_at('soon')", "is not a time"),
    ] {
        let error = world.sql(sql).await;
        assert!(error.contains(message), "{sql}: {error}");
    }
    for (uri, status) in [
        ("/traces/1/order?from=a", 400),
        ("/traces/1/order?from=a&to=c", 404),
        ("/traces/9/order", 404),
        ("/traces/1/cone", 400),
        ("/traces/1/cone?span=zz", 400),
        ("/clocks?start=soon", 400),
        ("/clocks?reference=moon", 400),
    ] {
        assert_eq!(world.get(uri).await.0, status, "{uri}");
    }
}

/// Forty calls from `front` to `back`, whose clock is 50 ms behind: there in 1 ms, back in 1 ms.
fn skewed() -> World {
    let mut fronts = Vec::new();
    let mut backs = Vec::new();
    for n in 0..40_u64 {
        let (trace, at) = (n + 1, n * 100 * MS);
        let sent = T0 + at;
        let mut client = Span { kind: CLIENT, ..span(trace, 1, 0, "get", 0, 0) };
        (client.start_time_unix_nano, client.end_time_unix_nano) = (sent + n, sent + 12 * MS);
        client.attributes.push(kv("http.response.status_code", Value::IntValue(200)));
        let mut server = Span { kind: SERVER, ..span(trace, 2, 1, "serve", 0, 0) };
        let behind = 50 * MS;
        server.start_time_unix_nano = sent + MS - behind + n;
        server.end_time_unix_nano = sent + 11 * MS - behind + n;
        fronts.push(client);
        backs.push(server);
    }
    WorldBuilder::new().recent(&[request("front", fronts), request("back", backs)]).build()
}

#[tokio::test]
async fn times_are_aligned_by_what_messages_tell() {
    let world = skewed();
    // A trace that is looked at counts from then on.
    let (_, first) = world.get("/traces/1").await;
    assert_eq!(first["order"]["clocks"].as_array().map(Vec::len), Some(2));
    for trace in 2..=40 {
        world.get(&format!("/traces/{trace:x}")).await;
    }
    let (status, trace) = world.get("/traces/14").await;
    assert_eq!(status, 200);
    let order = &trace["order"];
    let server = trace["spans"]["parent"].as_array().and_then(|p| p.iter().position(|p| p == 0));
    let server = server.expect("a child");
    let starts = |at: usize| order["aligned_start_ns"][at].as_i64().expect("a time");
    let apart = starts(server) - starts(1 - server);
    assert!((0..=2_000_000).contains(&apart), "{apart} ns after the client: {trace}");
    assert_eq!(order["messages"]["class"][0], json!("proven"), "{order}");
    // Only the way there is bounded for certain: a server may end late.
    let (_, clocks) = world.get("/clocks").await;
    assert_eq!(clocks["clocks"].as_array().map(Vec::len), Some(2), "{clocks}");
    assert_eq!(clocks["pairs"][0]["messages"], json!(40), "{clocks}");
    let names = "SELECT count(DISTINCT clock), count(DISTINCT service_name) FROM clocks";
    assert_eq!(world.sql(names).await, "2,2");
    let state = "SELECT DISTINCT state FROM clock_pairs";
    assert_eq!(world.sql(state).await, "one-sided");
    let none = "SELECT count(*) FROM clocks WHERE window_start > '2023-11-15T00:00:00Z'";
    assert_eq!(world.sql(none).await, "0");
    assert_eq!(
        world.sql("SELECT hlc_time(1700000000000000001)").await,
        "2023-11-14T22:13:20.000000001Z"
    );
}

#[tokio::test]
async fn clocks_are_told_against_universal_time_and_the_collector() {
    let mut front = request("front", vec![span(1, 1, 0, "get", 0, 12)]);
    let resource = front.resource_spans[0].resource.as_mut().expect("a resource");
    resource.attributes.push(kv("hlc.clock_error_ns", text("5000000")));
    let back = request("back", vec![span(1, 2, 1, "serve", 1, 10)]);
    let world = WorldBuilder::new().recent(&[front, back]).build();
    world.get("/traces/1").await;
    let (_, clocks) = world.get("/clocks?reference=utc").await;
    assert_eq!(clocks["assumptions"]["declared_clocks"], json!(1));
    let of = |service: &str| {
        let clocks = clocks["clocks"].as_array().expect("clocks").iter();
        let known = clocks.filter(|clock| clock["service_name"] == json!(service));
        known.map(|clock| (clock["lo_ns"][0].as_i64(), clock["hi_ns"][0].as_i64())).next()
    };
    // What is declared, and the millisecond that the clock counts in.
    assert_eq!(of("front"), Some((Some(-6_000_000), Some(6_000_000))), "{clocks}");
    // The child starts after its parent, which bounds its clock on one side.
    let Some((Some(_), None) | (None, Some(_))) = of("back") else { panic!("{clocks}") };
    let (_, clocks) = world.get("/clocks?reference=collector").await;
    let states = clocks["clocks"].as_array().expect("clocks").iter();
    let states: Vec<_> = states.map(|clock| clock["state"][0].clone()).collect();
    assert!(states.contains(&json!("one-sided")), "{clocks}");
    let listed = "SELECT count(DISTINCT clock) FROM clocks";
    assert_eq!(world.sql(listed).await, "2", "neither of them is a clock of the system");
}

/// Whether a caller got its answer is told by an attribute, which may have a column of its own.
#[tokio::test]
async fn a_trace_looks_the_same_when_it_is_known() {
    let calls = (1..=41).map(|trace| {
        let mut client = Span { kind: CLIENT, ..span(trace, 1, 0, "get", 0, 12) };
        client.attributes.push(kv("http.response.status_code", Value::IntValue(200)));
        (client, Span { kind: SERVER, ..span(trace, 2, 1, "serve", 1, 10) })
    });
    let (fronts, backs) = calls.unzip();
    let world = WorldBuilder::new()
        .file(&[request("front", fronts)])
        .recent(&[request("back", backs)])
        .build();
    let columns = "SELECT count(*) FROM attribute_columns WHERE key = 'http.response.status_code'";
    assert_eq!(world.sql(columns).await, "1");
    let (_, first) = world.get("/traces/1").await;
    assert_eq!(first["order"]["messages"]["class"], json!(["proven", "inferred"]), "{first}");
    assert_eq!(world.get("/traces/1").await.1, first);
}
