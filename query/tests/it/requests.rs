//! Services over time and the calls between them, changes tried on a trace, and traces as they come.

use axum::body::Body;
use causeway_testkit::proto::trace::v1::{Span, Status};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::world::{MS, T0, World, WorldBuilder, request, span};

/// A thousand requests of `web`, one every 10 ms; each calls `db` for 10 ms of its 12 + n / 100 ms. Every tenth call fails.
fn shop() -> World {
    let (mut web, mut db) = (Vec::new(), Vec::new());
    for n in 0..1_000_u64 {
        let (trace, start) = (n + 1, n * 10);
        let root = Span { kind: 2, ..span(trace, 1, 0, "GET /", start, 14) };
        let ending = T0 + (start + 13) * MS + n * 10_000;
        web.push(Span { end_time_unix_nano: ending, ..root });
        let client = Span { kind: 3, ..span(trace, 2, 1, "query", start, 12) };
        web.push(client);
        let code = if n % 10 == 0 { 2 } else { 0 };
        let status = Some(Status { code, ..Status::default() });
        db.push(Span { kind: 2, status, ..span(trace, 3, 2, "SELECT", start + 1, 10) });
    }
    let (late_web, late_db) = (web.split_off(500), db.split_off(700));
    WorldBuilder::new()
        .file(&[request("web", web), request("db", db)])
        .recent(&[request("web", late_web), request("db", late_db)])
        .build()
}

fn near(found: &Value, expected_ns: u64) -> bool {
    found.as_u64().is_some_and(|found| found.abs_diff(expected_ns) * 50 < expected_ns)
}

#[tokio::test]
async fn calls_between_services_make_a_graph() {
    let world = shop();
    let all = format!("start={T0}&end={}", T0 + 60_000 * MS);
    let (status, graph) = world.get(&format!("/graph?{all}")).await;
    assert_eq!((status, &graph["share"]), (200, &json!(1.0)));
    let nodes = graph["nodes"].as_array().expect("nodes");
    let names: Vec<_> = nodes.iter().map(|node| &node["service"]).collect();
    assert_eq!(names, [&json!("db"), &json!("web")]);
    assert_eq!((&nodes[0]["requests"], &nodes[0]["errors"]), (&json!(1_000), &json!(100)));
    assert!(near(&nodes[1]["p50_ns"], 18 * MS), "{nodes:?}");
    let [edge] = graph["edges"].as_array().expect("edges").as_slice() else { panic!("{graph}") };
    assert_eq!((&edge["caller"], &edge["callee"]), (&json!("web"), &json!("db")));
    assert_eq!((&edge["calls"], &edge["errors"]), (&json!(1_000), &json!(100)));
    assert_eq!((&edge["p50_ns"], &edge["network_p50_ns"]), (&json!(10 * MS), &json!(2 * MS)));
    let none = format!("/graph?start=1&end={}", T0 - 1);
    assert_eq!(world.get(&none).await.1["nodes"], json!([]));
    assert_eq!(world.get("/graph?start=now&end=-1h").await.0, 400);
    let minutes =
        "SELECT caller, callee, sum(calls), sum(errors), min(p50_ns) FROM edges GROUP BY 1, 2";
    assert_eq!(world.sql(minutes).await, format!("web,db,1000,100,{}", 10 * MS));
}

#[tokio::test]
async fn a_service_is_seen_over_time() {
    let world = shop();
    let asked = |more: &str| format!("/red?start={T0}&end={}&step=1s{more}", T0 + 10_000 * MS);
    let (status, red) = world.get(&asked("&service=db")).await;
    assert_eq!((status, &red["step_ns"]), (200, &json!(1_000 * MS)));
    assert_eq!((&red["total"]["requests"], &red["total"]["errors"]), (&json!(1_000), &json!(100)));
    let points = red["points"].as_array().expect("points");
    assert_eq!(points.len(), 10);
    assert_eq!(points[0]["start_unix_nano"], json!(T0.to_string()));
    assert_eq!(red["operations"][0]["name"], json!("SELECT"));
    // All take equally long; any may stand for them.
    for point in points {
        let trace = point["exemplar"]["trace_id"].as_str().expect("an id");
        let nth = u64::from_str_radix(trace, 16).expect("a number") - 1;
        assert_eq!(point["exemplar"]["is_error"], json!(nth % 10 == 0));
    }
    let (_, red) = world.get(&asked("&service=web")).await;
    let slowest = &red["points"][9]["exemplar"];
    // Starts of `db` lie a millisecond later, those of `web` on whole seconds: the last of a second is the slowest.
    assert_eq!(slowest["trace_id"], json!(format!("{:032x}", 1_000)));
    assert_eq!(slowest["span_id"], json!(format!("{:016x}", 1)));
    let (_, one) = world.get(&asked("&service=web&operation=query")).await;
    assert_eq!((&one["total"]["requests"], one.get("operations")), (&json!(1_000), None));
    let (_, nobody) = world.get(&asked("&service=nobody")).await;
    assert_eq!((&nobody["total"]["requests"], &nobody["points"]), (&json!(0), &json!([])));
    let (status, answer) =
        world.get(&format!("/red?service=web&start={T0}&end={}&step=1ms", T0 + 10_000 * MS)).await;
    assert_eq!((status, &answer["code"]), (422, &json!("limit")));
}

async fn post(world: &World, body: Value) -> (u16, Value) {
    let request = http::Request::post("/traces/1/what-if")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    let (status, answer) = world.request(request.expect("a request")).await;
    (status, serde_json::from_slice(&answer).expect("JSON"))
}

#[tokio::test]
async fn changes_are_tried_on_a_trace() {
    let world = shop();
    let span = |id: u64| json!([format!("{id:016x}")]);
    let faster = json!({"changes": [{"kind": "faster", "spans": span(3), "percent": 50}]});
    let (status, answer) = post(&world, faster).await;
    assert_eq!((status, &answer["saving_ns"]), (200, &json!(5 * MS)));
    assert_eq!(answer["duration_ns"], json!(13 * MS));
    assert_eq!(answer["new_duration_ns"], json!(8 * MS));
    assert_eq!(answer["spans"]["duration_ns"], json!([8 * MS, 7 * MS, 5 * MS]));
    let gone = json!({"changes": [{"kind": "remove", "spans": span(2)}]});
    let (_, answer) = post(&world, gone).await;
    assert_eq!(answer["spans"]["is_gone"], json!([false, true, true]));
    for (changes, status) in [
        (json!({"changes": [{"kind": "remove", "spans": span(9)}]}), 404),
        (json!({"changes": [{"kind": "wish", "spans": []}]}), 400),
        (json!({"changes": [{"kind": "faster", "spans": [], "percent": 101}]}), 400),
        (json!({"changes": vec![json!({"kind": "remove", "spans": []}); 101]}), 422),
    ] {
        assert_eq!(post(&world, changes.clone()).await.0, status, "{changes}");
    }
}

#[tokio::test]
async fn a_tail_tells_of_traces_that_match() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("later");
    let start_ms = (now.as_nanos() as u64 - T0) / MS;
    let old = span(1, 1, 0, "old", start_ms - 3_600_000, 1);
    let new = span(2, 1, 0, "new", start_ms, 1);
    let spans = request("web", vec![old, new]);
    let world =
        WorldBuilder::new().recent(&[spans, request("db", vec![span(3, 1, 0, "x", start_ms, 1)])]);
    let world = world.build();
    let tail = http::Request::get("/tail?service=web").body(Body::empty()).expect("a request");
    let response = tower::ServiceExt::oneshot(world.query.router(), tail).await.expect("answers");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut events = response.into_body().into_data_stream();
    let first = events.next().await.expect("an event").expect("sent");
    let text = String::from_utf8(first.to_vec()).expect("UTF-8");
    let line = text.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert!(text.contains("event: trace"), "{text}");
    assert_eq!((&line["root_name"], &line["spans"]), (&json!("new"), &json!(1)));
    assert_eq!(world.get("/tail?limit=5").await.0, 400);
}
