//! What traces show: critical paths and findings, over SQL and HTTP.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use causeway_testkit::proto::trace::v1::Span;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::world::{MS, T0, World, WorldBuilder, kv, request, span, text};

/// One query for ten products, then one for the brand of each: 10 ms each, one after another.
fn shop() -> World {
    shop_at(0, None)
}

fn shop_that_learns(learnt_dir: &Path) -> World {
    shop_at(0, Some(learnt_dir))
}

/// The same, so many milliseconds after [`T0`].
fn shop_at(begin: u64, learnt_dir: Option<&Path>) -> World {
    let mut spans = vec![Span { kind: 2, ..span(1, 0x1, 0, "GET /products", begin, 120) }];
    let query = |id: u64, start: u64, statement: &str| {
        let mut query = Span { kind: 3, ..span(1, id, 0x1, "SELECT", begin + start, 10) };
        query.attributes =
            vec![kv("db.system.name", text("postgresql")), kv("db.query.text", text(statement))];
        query
    };
    spans.push(query(0x2, 0, "SELECT * FROM products LIMIT 10"));
    for n in 0..10_u64 {
        let statement = format!("SELECT * FROM brands WHERE id = {n}");
        spans.push(query(0x10 + n, 11 + n * 10, &statement));
    }
    let late = spans.split_off(6);
    let quick = Span { kind: 2, ..span(2, 0x1, 0, "GET /health", begin + 500, 1) };
    WorldBuilder::new()
        .settings(|settings| settings.learnt_dir = learnt_dir.map(Path::to_owned))
        .file(&[request("catalogue", spans)])
        .recent(&[request("catalogue", late), request("catalogue", vec![quick])])
        .build()
}

async fn look_at_everything(world: &World) {
    let traces = world.query.analyze("1", |_, _| {}).await.expect("looks");
    assert_eq!(traces, 2);
}

#[tokio::test]
async fn the_critical_path_adds_up_to_the_root() {
    let world = shop();
    let sum = "SELECT sum(duration_ns), count(*), max(end_unix_nano) - min(start_unix_nano) \
               FROM critical_path('1')";
    assert_eq!(world.sql(sum).await, format!("{0},13,{0}", 120 * MS));
    let first = "SELECT seq, span_id, service_name, name, start_unix_nano, duration_ns, certainty \
                 FROM critical_path('1', 'raw') ORDER BY seq LIMIT 2";
    assert_eq!(
        world.sql(first).await,
        format!(
            "0,0000000000000002,catalogue,SELECT,{T0},{},measured\n\
             1,0000000000000001,catalogue,GET /products,{},{},measured",
            10 * MS,
            T0 + 10 * MS,
            MS
        )
    );
    let (status, path) = world.get("/traces/1/critical-path?time=raw").await;
    assert_eq!((status, &path["duration_ns"]), (200, &json!(120 * MS)));
    assert_eq!(path["root_span_id"], json!("0000000000000001"));
    assert_eq!(path["segments"].as_array().map(Vec::len), Some(13));
    assert_eq!(world.get("/traces/1/critical-path?time=soon").await.0, 400);
    assert_eq!(world.get("/traces/7/critical-path").await.0, 404);
    assert!(world.sql("SELECT * FROM critical_path('1', 'x')").await.starts_with("error"));
}

#[tokio::test]
async fn repeated_queries_are_a_finding() {
    let world = shop();
    let (status, found) = world.get("/traces/1/findings").await;
    assert_eq!(status, 200);
    let finding = &found["findings"][0];
    assert_eq!(finding["detector"], json!("n_plus_one"), "{found}");
    assert_eq!((&finding["count"], &finding["fallacy"]), (&json!(10), &json!("latency_is_zero")));
    assert_eq!(finding["parent_span_id"], json!("0000000000000001"));
    assert_eq!(finding["span_ids"].as_array().map(Vec::len), Some(10));
    assert!(finding["saving_ns"].as_u64() > Some(80 * MS), "{found}");
    assert_eq!(world.get("/traces/7/findings").await.0, 404);
    // Nothing watches here: groups come from traces as they arrive.
    assert_eq!(world.get("/findings").await.1, json!({"groups": [], "total": 0}));
    assert_eq!(world.get("/findings/0").await.0, 404);
    assert_eq!(world.get("/findings?severity=high&start=-1h").await.0, 200);
    assert_eq!(world.get("/findings?colour=red").await.0, 400);
    assert_eq!(world.sql("SELECT count(*) FROM findings").await, "0");
}

#[tokio::test]
async fn history_is_looked_at_and_searched_by_what_was_found() {
    let world = shop();
    look_at_everything(&world).await;
    let (_, groups) = world.get("/findings?detector=n_plus_one").await;
    assert_eq!(groups["total"], json!(1), "{groups}");
    let group = &groups["groups"][0];
    let key = group["group_key"].as_str().expect("a key");
    assert_eq!(group["trend"]["findings"], json!([1]));
    assert_eq!(
        (&group["caller_service"], &group["callee_service"]),
        (&json!("catalogue"), &json!("postgresql"))
    );
    for asked in
        ["finding=n_plus_one", "finding=*&order=worst", "order=worst", &format!("finding={key}")]
    {
        let (status, page) = world.get(&format!("/traces?{asked}")).await;
        assert_eq!((status, &page["total"]["value"]), (200, &json!(1)), "{asked}: {page}");
        let found = &page["traces"][0]["findings"][0];
        assert_eq!((&found["detector"], &found["count"]), (&json!("n_plus_one"), &json!(1)));
    }
    assert_eq!(world.get("/traces?finding=fan_out").await.1["traces"], json!([]));
    let none = world.get("/traces?finding=n_plus_one&operation=DELETE").await.1;
    assert_eq!(none["traces"], json!([]));
    let (_, all) = world.get("/traces").await;
    assert_eq!(all["traces"][0]["findings"], json!([]), "a healthy one");
    let (_, group) = world.get(&format!("/findings/{key}")).await;
    assert_eq!(group["trend"]["findings"], json!([1]));
}

/// What a tail looks for is found while it runs.
#[tokio::test]
async fn a_tail_tells_of_findings_that_come_after_its_start() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("later");
    let world = shop_at((now.as_nanos() as u64 - T0) / MS - 1_000, None);
    let tail = http::Request::get("/tail?finding=n_plus_one").body(Body::empty());
    let tail = tail.expect("a request");
    let response = tower::ServiceExt::oneshot(world.query.router(), tail).await.expect("answers");
    look_at_everything(&world).await;
    let mut events = response.into_body().into_data_stream();
    let traces = async {
        loop {
            let event = events.next().await.expect("an event").expect("sent");
            let event = String::from_utf8(event.to_vec()).expect("UTF-8");
            if event.contains("event: trace") {
                break event;
            }
        }
    };
    let event = tokio::time::timeout(Duration::from_secs(60), traces).await.expect("found");
    assert!(event.contains("GET /products"), "{event}");
}

async fn send(world: &World, method: &str, uri: &str, body: Value) -> (u16, Value) {
    let request = http::Request::builder().method(method).uri(uri);
    let request =
        request.header("content-type", "application/json").body(Body::from(body.to_string()));
    let (status, answer) = world.request(request.expect("a request")).await;
    (status, serde_json::from_slice(&answer).expect("JSON"))
}

#[tokio::test]
async fn findings_and_decisions_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = shop_that_learns(folder.path());
    look_at_everything(&world).await;
    let (_, groups) = world.get("/findings?detector=n_plus_one").await;
    let group = &groups["groups"][0];
    assert_eq!(group["state"], json!("open"));
    let total = async |states: &str| {
        world.get(&format!("/findings?detector=n_plus_one&state={states}")).await.1["total"].clone()
    };
    assert_eq!([total("open").await, total("resolved,regressed").await], [json!(1), json!(0)]);
    assert_eq!(world.get("/findings?state=closed").await.0, 400);
    let uri = format!("/findings/{}/state", group["group_key"].as_str().expect("a key"));
    let decided = json!({"state": "resolved", "version": "2.0", "note": "batched"});
    let (status, answer) = send(&world, "PUT", &uri, decided).await;
    assert_eq!((status, &answer["state"]), (200, &json!("resolved")), "{answer}");
    for (body, status) in [(json!({"state": "regressed"}), 400), (json!({"state": "gone"}), 400)] {
        assert_eq!(send(&world, "PUT", &uri, body).await.0, status);
    }
    assert_eq!(send(&world, "PUT", "/findings/0/state", json!({"state": "open"})).await.0, 404);
    let simple = http::Request::put(&uri).body(Body::from("{}")).expect("a request");
    assert_eq!(world.request(simple).await.0, 400, "a form of another site");
    let before = world.sql("SELECT * FROM findings ORDER BY finding_id").await;
    assert!(before.contains("n_plus_one"));
    drop(world);

    let world = shop_that_learns(folder.path());
    assert_eq!(world.sql("SELECT * FROM findings ORDER BY finding_id").await, before);
    let (_, groups) = world.get("/findings?detector=n_plus_one").await;
    let group = &groups["groups"][0];
    assert_eq!(
        (&group["state"], &group["decision"]["note"]),
        (&json!("resolved"), &json!("batched"))
    );
    let (status, progress) =
        send(&world, "POST", "/findings/analyze", json!({"since": "7d"})).await;
    assert_eq!((status, &progress["is_running"]), (200, &json!(true)));
    assert_eq!(
        world.get("/findings/analyze").await.1["is_running"],
        json!(true),
        "nobody watches here"
    );
    let (status, _) = send(&world, "POST", "/findings/analyze", json!({"since": "7d"})).await;
    assert_eq!(status, 503, "one at a time");
}
