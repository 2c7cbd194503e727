//! What statements see, whether a span is recent or in a file.

use crate::world::{T0, WorldBuilder, kv, request, seal, shop, span, text};
use causeway_testkit::proto::common::v1::any_value::Value;

async fn check(cases: &[(&str, &str)]) {
    let world = shop();
    for (sql, expected) in cases {
        assert_eq!(world.sql(sql).await, *expected, "{sql}");
    }
}

#[tokio::test]
async fn spans_show_what_was_sent() {
    check(&[
        (
            "SELECT trace_id, span_id, parent_span_id, name, kind, status_code, status_message, \
             service_name, service_version FROM spans WHERE span_id = '12'",
            "00000000000000000000000000000001,0000000000000012,0000000000000011,SELECT,3,2,timeout,db,1.2",
        ),
        ("SELECT parent_span_id IS NULL, status_code FROM spans WHERE span_id = '11'", "true,0"),
        (
            "SELECT start_time, end_time, duration_ns FROM spans WHERE span_id = '12'",
            "2023-11-14T22:13:20.010Z,2023-11-14T22:13:20.030Z,20000000",
        ),
        (
            "SELECT start_time, start_time_unix_nano, end_time_unix_nano, duration_ns, end_time \
             FROM spans WHERE name = 'odd'",
            ",18446744073709551615,0,,",
        ),
        ("SELECT count(*), count(start_time) FROM spans", "6,5"),
        (
            "SELECT attributes FROM spans WHERE span_id = '11'",
            "\"{\"\"http.route\"\":\"\"/checkout\"\",\"\"http.status\"\":404,\"\"ratio\"\":0.5,\"\"ok\"\":true,\"\"big\"\":9007199254740993}\"",
        ),
    ])
    .await;
}

#[tokio::test]
async fn ids_are_found_in_any_form() {
    check(&[
        ("SELECT count(*) FROM spans WHERE trace_id = '1'", "2"),
        ("SELECT count(*) FROM spans WHERE trace_id = '00000000000000000000000000000001'", "2"),
        ("SELECT count(*) FROM spans WHERE trace_id IN ('1', '02')", "3"),
        ("SELECT count(*) FROM spans WHERE trace_id <> '1'", "4"),
        ("SELECT count(*) FROM spans WHERE trace_id = 'nonsense'", "0"),
        ("SELECT sum(CASE WHEN trace_id = '1' THEN 1 ELSE 0 END) FROM spans", "2"),
        ("SELECT count(*) FROM (SELECT trace_id AS t FROM spans) WHERE t = '1'", "2"),
        ("SELECT name FROM spans WHERE parent_span_id = '11'", "SELECT"),
        ("SELECT count(*) FROM spans WHERE trace_id LIKE '%1'", "2"),
    ])
    .await;
}

#[tokio::test]
async fn times_and_numbers_are_compared_exactly() {
    check(&[
        ("SELECT count(*) FROM spans WHERE start_time >= '2023-11-14T22:13:21Z'", "3"),
        ("SELECT count(*) FROM spans WHERE start_time < '2023-11-14T22:13:21Z'", "2"),
        ("SELECT count(*) FROM spans WHERE NOT (start_time >= '2023-11-14T22:13:21Z')", "2"),
        ("SELECT count(*) FROM spans WHERE start_time < now() AND end_time > now() - INTERVAL '100 years'", "5"),
        ("SELECT count(*) FROM spans WHERE start_time_unix_nano > 1700000001000000000", "3"),
        ("SELECT count(*) FROM spans WHERE start_time_unix_nano = 18446744073709551615", "1"),
        ("SELECT count(*) FROM spans WHERE start_time_unix_nano <= 1700000001000000000", "3"),
        ("SELECT count(*) FROM spans WHERE duration_ns > 20000000", "3"),
        ("SELECT count(*) FROM spans WHERE duration_ns BETWEEN 20000000 AND 30000000", "2"),
        ("SELECT count(*) FROM spans WHERE status_code = 2", "1"),
        ("SELECT count(*) FROM spans WHERE status_code = 0", "5"),
        ("SELECT count(*) FROM spans WHERE status_code <> 2", "5"),
        ("SELECT count(*) FROM spans WHERE status_code IN (1, 2)", "1"),
        ("SELECT count(*) FROM spans WHERE service_name = 'web' AND name LIKE 'GET%'", "3"),
        ("SELECT count(*) FROM spans WHERE kind = 3 OR name = 'odd'", "2"),
    ])
    .await;
}

#[tokio::test]
async fn attributes_compare_as_numbers_with_numbers_and_as_text_with_text() {
    check(&[
        ("SELECT attributes['http.route'] FROM spans WHERE span_id = '11'", "/checkout"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] = 404", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] = '404'", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] = 500", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] > 99", "2"),
        ("SELECT count(*) FROM spans WHERE 99 < attributes['http.status']", "2"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] > 404.5", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] BETWEEN 400 AND 499", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] NOT BETWEEN 400 AND 499", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] IN (404, 500)", "2"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] NOT IN (404)", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] <> 404", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['http.status'] IS DISTINCT FROM 404", "5"),
        ("SELECT count(*) FROM spans WHERE attributes['note'] > 1", "0"),
        ("SELECT count(*) FROM spans WHERE attributes['big'] = 9007199254740993", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['big'] = 9007199254740992", "0"),
        ("SELECT count(*) FROM spans WHERE attributes['big'] > 9007199254740992.0", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['ratio'] = 0.5", "1"),
        ("SELECT count(*) FROM spans WHERE attributes['ok'] = true", "1"),
        ("SELECT count(*) FROM spans WHERE resource_attributes['host.cpus'] >= 8", "6"),
        ("SELECT count(*) FROM spans WHERE resource_attributes['service.version'] = '1.2'", "6"),
        ("SELECT count(*) FROM spans WHERE scope_attributes['x'] = 1", "0"),
    ])
    .await;
}

#[tokio::test]
async fn attributes_compare_alike_wherever_they_stand() {
    check(&[
        (
            "SELECT attribute_type(attributes, 'http.status') FROM spans WHERE trace_id = '1' ORDER BY 1",
            "int\nstring",
        ),
        ("SELECT sum(CASE WHEN attributes['http.status'] = 404 THEN 1 ELSE 0 END) FROM spans", "1"),
        ("SELECT sum(CASE attributes['http.status'] WHEN 404 THEN 10 WHEN 500 THEN 1 END) FROM spans", "11"),
        (
            "SELECT attributes['http.status'] AS s, count(*) FROM spans GROUP BY 1 \
             HAVING attributes['http.status'] > 100 ORDER BY s",
            "404,1\n500,1",
        ),
        (
            "SELECT a.name FROM spans a JOIN spans b ON a.attributes['http.status'] = b.kind * 202 \
             AND b.span_id = '11'",
            "GET /checkout",
        ),
        ("SELECT count(*) FROM (SELECT attributes['http.status'] AS s FROM spans) WHERE s < 450", "1"),
        ("SELECT count(*) FROM spans WHERE CAST(attributes['http.status'] AS BIGINT) = 404", "1"),
    ])
    .await;
}

#[tokio::test]
async fn views_are_joined_to_their_spans() {
    check(&[
        (
            "SELECT trace_id, span_id, service_name, span_name, time, time_unix_nano, name FROM events",
            "00000000000000000000000000000001,0000000000000011,web,GET /checkout,\
             2023-11-14T22:13:20.000000005Z,1700000000000000005,retry",
        ),
        ("SELECT count(*) FROM events WHERE attributes['attempt'] = 2", "1"),
        ("SELECT attributes FROM events WHERE trace_id = '1'", "\"{\"\"attempt\"\":2}\""),
        ("SELECT linked_trace_id, linked_span_id, span_name FROM links WHERE trace_id = '1'",
            "00000000000000000000000000000002,0000000000000021,SELECT"),
        ("SELECT count(*) FROM links WHERE linked_trace_id = '2'", "1"),
        (
            "SELECT root_span_id, root_service, root_name, start_time, duration_ns, envelope_ns, \
             span_count, error_count, service_count, missing_parents, complete FROM traces WHERE trace_id = '1'",
            "0000000000000011,web,GET /checkout,2023-11-14T22:13:20Z,100000000,100000000,2,1,2,0,true",
        ),
        ("SELECT missing_parents, complete, span_count FROM traces WHERE trace_id = '3'", "1,false,2"),
        ("SELECT duration_ns IS NULL, start_time IS NULL FROM traces WHERE trace_id = '4'", "true,true"),
        ("SELECT count(*) FROM traces", "4"),
        ("SELECT count(*) FROM traces WHERE error_count > 0", "1"),
        (
            "SELECT service_name, span_count, error_count, trace_count FROM services ORDER BY 1",
            "db,2,1,2\nweb,4,0,4",
        ),
        ("SELECT s.name, t.root_name FROM spans s JOIN traces t USING (trace_id) WHERE s.status_code = 2",
            "SELECT,GET /checkout"),
    ])
    .await;
}

#[tokio::test]
async fn an_empty_store_answers() {
    let world = WorldBuilder::new().build();
    assert_eq!(world.sql("SELECT count(*) FROM spans").await, "0");
    assert_eq!(world.sql("SELECT * FROM traces").await, "");
    assert_eq!(world.sql("SELECT * FROM events").await, "");
}

#[tokio::test]
async fn where_a_span_lies_changes_nothing() {
    let spans = || {
        let mut spans = Vec::new();
        for trace in 1..40 {
            for id in 1..6_u64 {
                let mut s =
                    span(trace, id, id - 1, ["a", "b", "c"][(id % 3) as usize], trace * 10, id);
                s.attributes = vec![kv("n", Value::IntValue(id as i64)), kv("t", text("x"))];
                spans.push(s);
            }
        }
        vec![request("one", spans)]
    };
    let recent = WorldBuilder::new().recent(&spans()).build();
    let file = WorldBuilder::new().file(&spans()).build();
    for sql in [
        "SELECT * FROM spans ORDER BY trace_id, span_id",
        "SELECT name, count(*), sum(duration_ns) FROM spans GROUP BY name ORDER BY name",
        "SELECT * FROM traces ORDER BY trace_id",
        "SELECT span_id FROM spans WHERE attributes['n'] > 3 AND trace_id = '5' ORDER BY 1",
        &format!("SELECT count(*) FROM spans WHERE start_time_unix_nano > {}", T0 + 100_000_000),
        "SELECT * FROM spans WHERE resource_attributes['host.cpus'] = 8 ORDER BY start_time, span_id LIMIT 3",
    ] {
        let expected = recent.sql(sql).await;
        assert!(!expected.starts_with("error") && !expected.is_empty(), "{sql}: {expected}");
        assert_eq!(file.sql(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn columns_that_an_old_file_lacks_are_null() {
    let batch = seal(&[request("web", vec![span(1, 1, 0, "old", 0, 1)])]);
    let kept: Vec<usize> = (0..batch.num_columns())
        .filter(|at| batch.schema().field(*at).name() != "resource_entity_refs")
        .collect();
    let old = batch.project(&kept).expect("columns");
    let new = request("web", vec![span(2, 2, 0, "new", 0, 1)]);
    let world = WorldBuilder::new().file_of(&old).file(&[new]).build();
    let sql = "SELECT name, resource_entity_refs FROM spans ORDER BY name";
    assert_eq!(world.sql(sql).await, "new,\nold,");
    let sql = "SELECT count(*) FROM spans WHERE resource_entity_refs IS NULL";
    assert_eq!(world.sql(sql).await, "2");
}
