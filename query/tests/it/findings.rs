//! What traces show: critical paths and findings, over SQL and HTTP.

use causeway_testkit::proto::trace::v1::Span;
use serde_json::json;

use crate::world::{MS, T0, World, WorldBuilder, kv, request, span, text};

/// One query for ten products, then one for the brand of each: 10 ms each, one after another.
fn shop() -> World {
    let mut spans = vec![Span { kind: 2, ..span(1, 0x1, 0, "GET /products", 0, 120) }];
    let query = |id: u64, start: u64, statement: &str| {
        let mut query = Span { kind: 3, ..span(1, id, 0x1, "SELECT", start, 10) };
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
    WorldBuilder::new()
        .file(&[request("catalogue", spans)])
        .recent(&[request("catalogue", late)])
        .build()
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
