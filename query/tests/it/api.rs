//! The HTTP API as the UI uses it.

use axum::body::Body;
use serde_json::{Value, json};

use causeway_testkit::proto::common::v1::any_value::Value as AnyKind;

use crate::world::{World, WorldBuilder, kv, request, shop, span, text};

async fn post(world: &World, uri: &str, accept: &str, body: &str) -> (u16, Vec<u8>) {
    let content_type = if body.starts_with('{') { "application/json" } else { "text/plain" };
    let request = http::Request::post(uri)
        .header("accept", accept)
        .header("content-type", content_type)
        .body(Body::from(body.to_owned()))
        .expect("a request");
    world.request(request).await
}

async fn sql(world: &World, uri: &str, body: &str) -> (u16, Value) {
    let (status, body) = post(world, uri, "application/json", body).await;
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn sql_answers_in_the_format_asked_for() {
    let world = shop();
    let (status, answer) = sql(&world, "/sql", "SELECT span_id, duration_ns, start_time_unix_nano, attributes FROM spans WHERE span_id = '12'").await;
    assert_eq!(status, 200);
    assert_eq!(answer["columns"][1], json!({"name": "duration_ns", "type": "Int64"}));
    assert_eq!(
        answer["rows"],
        json!([["0000000000000012", 20_000_000, 1_700_000_000_010_000_000_u64,
            {"http.status": "500", "note": "404 is not 500"}]])
    );
    assert_eq!(answer["truncated"], json!(false));
    assert!(answer["elapsed_ms"].is_number());

    let statement = "SELECT count(*) AS n FROM spans";
    let (_, csv) = post(&world, "/sql", "text/csv", statement).await;
    assert_eq!(csv, b"n\r\n6\r\n");
    let (_, lines) = post(&world, "/sql", "application/x-ndjson", statement).await;
    assert_eq!(lines, b"{\"n\":6}\n");
    let (_, arrow) =
        post(&world, "/sql", "application/vnd.apache.arrow.stream", "SELECT * FROM spans").await;
    let reader = arrow::ipc::reader::StreamReader::try_new(arrow.as_slice(), None).expect("opens");
    assert_eq!(reader.map(|batch| batch.expect("reads").num_rows()).sum::<usize>(), 6);
    let (_, file) =
        post(&world, "/sql", "application/vnd.apache.parquet", "SELECT * FROM spans").await;
    assert_eq!(&file[..4], b"PAR1");
    assert_eq!(post(&world, "/sql", "image/png", statement).await.0, 400);
}

#[tokio::test]
async fn integers_are_exact_and_limits_hold() {
    let world = shop();
    let (_, answer) = sql(
        &world,
        "/sql?bigint=string",
        "SELECT start_time_unix_nano, kind FROM spans WHERE name = 'odd'",
    )
    .await;
    assert_eq!(answer["rows"], json!([["18446744073709551615", 1]]));
    let (_, answer) = sql(&world, "/sql?limit=2", "SELECT name FROM spans").await;
    assert_eq!(answer["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["truncated"], json!(true));
    let (_, answer) = sql(&world, "/sql?limit=6", "SELECT name FROM spans").await;
    assert_eq!(answer["truncated"], json!(false));
}

#[tokio::test]
async fn statements_take_parameters() {
    let world = shop();
    let count = |body: Value| {
        let world = &world;
        async move { sql(world, "/sql", &body.to_string()).await.1["rows"][0][0].clone() }
    };
    let statement =
        "SELECT count(*) FROM spans WHERE trace_id = $1 AND attributes['http.status'] = $2";
    assert_eq!(count(json!({"sql": statement, "params": ["1", 404]})).await, json!(1));
    let named = "SELECT count(*) FROM spans WHERE service_name = $service";
    assert_eq!(count(json!({"sql": named, "params": {"service": "db"}})).await, json!(2));
}

#[tokio::test]
async fn errors_have_a_code_a_message_and_an_id() {
    let world = shop();
    for (body, status) in [
        ("SELEC 1", 400),
        ("SELECT nope FROM spans", 400),
        ("DROP TABLE spans", 400),
        ("SELECT 1/0", 400),
        // Evaluated while a file is read.
        ("SELECT 1 FROM spans WHERE CAST(resource_attributes['service.name'] AS BIGINT) = 1", 400),
    ] {
        let (got, answer) = sql(&world, "/sql", body).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert_eq!(answer["code"], json!("bad_request"));
        assert!(answer["request_id"].is_string() && answer["message"].is_string());
    }
    let (status, answer) = world.get("/traces/abcdef").await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")));
    assert_eq!(answer["message"], json!("trace 00000000000000000000000000abcdef is not known"));
    assert_eq!(world.get("/traces/xyz").await.0, 400);
    assert_eq!(world.get("/nowhere").await.0, 404);
    assert_eq!(world.get("/traces?order=best").await.0, 400);
    assert_eq!(world.get("/traces?limit=0").await.0, 400);
    assert_eq!(world.get("/traces?cursor=AAAA").await.0, 400);
}

#[tokio::test]
async fn services_and_operations_are_counted() {
    let world = shop();
    assert_eq!(
        world.get("/services").await.1,
        json!({"services": [{"name": "db", "spans": 2}, {"name": "web", "spans": 4}]})
    );
    assert_eq!(
        world.get("/services/web/operations").await.1,
        json!({"operations": [{"name": "GET /cart", "spans": 1}, {"name": "GET /checkout", "spans": 2}, {"name": "odd", "spans": 1}]})
    );
    assert_eq!(world.get("/services/none/operations").await.1, json!({"operations": []}));
}

#[tokio::test]
async fn a_trace_comes_as_columns() {
    let world = shop();
    let (status, mut trace) = world.get("/traces/1").await;
    assert_eq!(status, 200);
    let order = trace.as_object_mut().and_then(|trace| trace.remove("order")).expect("an order");
    assert_eq!(order["aligned_start_ns"], json!([0, 10_000_000]));
    assert_eq!((&order["clock"], &order["faults"]), (&json!([0, 1]), &json!([0, 0])));
    assert_eq!(order["clocks"][1]["service_name"], json!("db"));
    assert_eq!(
        order["messages"],
        json!({"from": [0], "from_event": ["start"], "to": [1], "to_event": ["start"], "class": ["proven"]})
    );
    assert_eq!(
        trace,
        json!({
            "trace_id": "00000000000000000000000000000001",
            "start_unix_nano": "1700000000000000000",
            "duration_ns": 100_000_000, "root_duration_ns": 100_000_000, "root_row": 0,
            "total_rows": 2,
            "services": ["web", "db"], "names": ["GET /checkout", "SELECT"],
            "spans": {
                "span_id": ["0000000000000011", "0000000000000012"],
                "parent": [-1, 0], "depth": [0, 1], "subtree": [2, 1],
                "start_ns": [0, 10_000_000], "duration_ns": [100_000_000, 20_000_000],
                "service": [0, 1], "name": [0, 1], "kind": [2, 3], "status": [0, 2],
                "events": [1, 0], "links": [0, 1], "flags": [0, 0],
            },
            "completeness": {"missing_parents": 0, "roots": 1, "cycles": 0, "duplicate_ids": 0, "copies": 0, "unusable_times": 0, "ends_before_start": 0, "dropped": 0},
        })
    );
    let (_, split) = world.get("/traces/3").await;
    assert_eq!(
        split["spans"]["span_id"],
        json!(["0000000000000031", "0000000000000099", "0000000000000032"])
    );
    assert_eq!(split["spans"]["flags"], json!([0, 1, 64]), "a placeholder and its orphan");
    let (_, found) = world.get("/traces/1/spans/12").await;
    let span = &found["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["status"]["message"], json!("timeout"));
    assert_eq!(span["links"][0]["traceId"], json!("00000000000000000000000000000002"));
    assert_eq!(world.get("/traces/1/spans/99").await.0, 404);
}

#[tokio::test]
async fn a_trace_too_large_for_an_answer_comes_in_parts() {
    let spans =
        [("web", 1, 0, 0, 100), ("db", 2, 1, 10, 5), ("db", 3, 1, 40, 20), ("db", 4, 1, 80, 3)];
    let one = |(service, id, parent, start, length)| {
        request(service, vec![span(1, id, parent, "op", start, length)])
    };
    let world = WorldBuilder::new()
        .settings(|settings| settings.trace_rows_max = 3)
        .recent(&spans.map(one))
        .build();
    let (_, whole) = world.get("/traces/1").await;
    let ids = |trace: &Value| trace["spans"]["span_id"].to_string().replace("00000000", "");
    assert_eq!(ids(&whole), r#"["00000001","00000002","00000003"]"#);
    assert_eq!((&whole["total_rows"], &whole["spans"]["hidden"]), (&json!(4), &json!([1, 0, 0])));
    assert_eq!(whole["order"]["messages"]["to"], json!([1, 2]));
    assert_eq!(whole["order"]["aligned_start_ns"].as_array().map(Vec::len), Some(3));
    let start = whole["start_unix_nano"].as_str().and_then(|text| text.parse::<i64>().ok());
    let late = start.expect("a time") + 70_000_000;
    let (_, part) = world.get(&format!("/traces/1?start={late}")).await;
    assert_eq!(ids(&part), r#"["00000001","00000004"]"#);
    assert_eq!(part["order"]["messages"]["to"], json!([1]));
    assert_eq!((&part["duration_ns"], &part["root_row"]), (&whole["duration_ns"], &json!(0)));
    assert_eq!(world.get("/traces/1?start=soon").await.0, 400);
    assert_eq!(world.get("/traces/1?rows=5").await.0, 400);
}

#[tokio::test]
async fn equal_spans_are_one() {
    let once = || request("web", vec![span(1, 1, 0, "a", 0, 10), span(1, 2, 1, "b", 1, 2)]);
    let other = request("web", vec![span(1, 2, 1, "c", 1, 2)]);
    let world = WorldBuilder::new().file(&[once()]).recent(&[once(), once(), other]).build();
    let (_, trace) = world.get("/traces/1").await;
    assert_eq!(trace["spans"]["flags"], json!([0, 4, 4]));
    assert_eq!(trace["completeness"]["duplicate_ids"], json!(1));
    let (_, otlp) = world.get("/traces/1/otlp").await;
    assert_eq!(otlp.to_string().matches("\"spanId\"").count(), 3);
}

#[tokio::test]
async fn a_search_finds_traces_by_one_span() {
    let world = shop();
    let ids = |uri: &'static str| {
        let world = &world;
        async move {
            let (status, page) = world.get(uri).await;
            assert_eq!(status, 200, "{uri}: {page}");
            let traces = page["traces"].as_array().cloned().unwrap_or_default();
            assert_eq!(page["total"], json!({"value": traces.len(), "exact": true}), "{uri}");
            let id = |t: &Value| {
                t["trace_id"].as_str().unwrap_or_default().trim_start_matches('0').to_owned()
            };
            traces.iter().map(id).collect::<Vec<_>>().join(" ")
        }
    };
    assert_eq!(ids("/traces").await, "3 2 1 4");
    assert_eq!(ids("/traces?service=db").await, "3 1");
    assert_eq!(ids("/traces?service=web&status=error").await, "");
    assert_eq!(ids("/traces?service=db&status=error").await, "1");
    assert_eq!(ids("/traces?operation=GET+%2Fcheckout").await, "3 1");
    assert_eq!(ids("/traces?attr=http.status=404").await, "1");
    assert_eq!(ids("/traces?attr=http.status=404&attr=note=404+is+not+500").await, "");
    assert_eq!(ids("/traces?attr=service.version=1.2&service=db").await, "3 1");
    assert_eq!(ids("/traces?min_duration=40ms").await, "3 1");
    assert_eq!(ids("/traces?min_duration=25ms&max_duration=40ms").await, "2");
    assert_eq!(ids("/traces?start=2023-11-14T22:13:21Z").await, "3 2");
    assert_eq!(ids("/traces?start=-1h").await, "");
    assert_eq!(ids("/traces?end=1700000000500000000").await, "1");
    assert_eq!(ids("/traces?order=slowest&end=now").await, "1 3 2");
    assert_eq!(ids("/traces?order=most_errors&service=db").await, "1 3");
    let (_, page) = world.get("/traces?service=db&status=error").await;
    assert_eq!(
        page["traces"][0],
        json!({
            "trace_id": "00000000000000000000000000000001", "root_span_id": "0000000000000011",
            "root_service": "web", "root_name": "GET /checkout", "start_unix_nano": "1700000000000000000",
            "duration_ns": 100_000_000, "envelope_ns": 100_000_000, "spans": 2, "errors": 1,
            "services": [{"name": "db", "spans": 1, "errors": 1}, {"name": "web", "spans": 1, "errors": 0}],
            "missing_parents": 0, "complete": true, "findings": [],
        })
    );
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let spans = (1..=25_u64).map(|n| span(n, n, 0, "op", n / 3, n % 4)).collect();
    let world = WorldBuilder::new().recent(&[request("web", spans)]).build();
    for order in ["newest", "slowest", "most_spans", "most_errors"] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let (_, page) =
                world.get(&format!("/traces?order={order}&limit=10&cursor={cursor}")).await;
            assert_eq!(page["total"]["value"], json!(25));
            for trace in page["traces"].as_array().expect("a list") {
                seen.push(trace["trace_id"].to_string());
            }
            pages += 1;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!((pages, seen.len()), (3, 25), "{order}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25, "{order}");
    }
}

#[tokio::test]
async fn otlp_comes_back_as_it_was_sent() {
    use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message;

    let mut first = span(1, 1, 0, "a", 0, 10);
    first.attributes = vec![
        kv("same", text("1")),
        kv("same", AnyKind::IntValue(1)),
        kv("nan", AnyKind::DoubleValue(f64::NAN)),
        kv("bytes", AnyKind::BytesValue(vec![0, 255])),
    ];
    first.end_time_unix_nano = u64::MAX;
    let in_file = request("web", vec![first, span(9, 9, 0, "other trace", 0, 1)]);
    let recent = request("db", vec![span(1, 2, 1, "b", 1, 2)]);
    let world = WorldBuilder::new()
        .file(std::slice::from_ref(&in_file))
        .recent(std::slice::from_ref(&recent))
        .build();
    let ask = http::Request::get("/traces/1/otlp")
        .header("accept", "application/x-protobuf")
        .body(Body::empty())
        .expect("a request");
    let (status, body) = world.request(ask).await;
    assert_eq!(status, 200);
    let answer = ExportTraceServiceRequest::decode(body.as_slice()).expect("decodes");
    let mut sent = in_file;
    sent.resource_spans[0].scope_spans[0].spans.pop();
    sent.resource_spans.extend(recent.resource_spans);
    assert_eq!(causeway_testkit::flat::sorted(&answer), causeway_testkit::flat::sorted(&sent));
    let (status, json) = world.get("/traces/1/otlp").await;
    assert_eq!(status, 200);
    assert!(json["resourceSpans"].is_array());
}
