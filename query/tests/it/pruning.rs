//! Conditions must reach the storage: plans and counters show it.

use causeway_testkit::proto::trace::v1::Status;

use crate::world::{World, WorldBuilder, kv, request, span, text};

/// Three files of 2,000 spans each, an hour apart, traces spread over all.
fn world() -> World {
    let mut builder = WorldBuilder::new();
    for hour in 0..3_u64 {
        let spans = (0..2_000_u64).map(|n| {
            let trace = (n * 7_919 + hour) % 100_000 + 1;
            span(trace, n + 1, 0, "op", hour * 3_600_000 + n, 5)
        });
        builder = builder.file(&[request("web", spans.collect())]);
    }
    builder.recent(&[request("web", vec![span(1, 99, 0, "late", 10_800_000, 1)])]).build()
}

#[tokio::test]
async fn files_outside_the_time_range_are_not_opened() {
    let world = world();
    for (condition, files) in [
        ("start_time < '2023-11-14T23:00:00Z'", "files=1 of 3"),
        ("start_time >= '2023-11-14T23:00:00Z'", "files=2 of 3"),
        ("start_time BETWEEN '2023-11-14T23:00:00Z' AND '2023-11-14T23:59:00Z'", "files=1 of 3"),
        ("start_time_unix_nano < 1700000100000000000 AND start_time_unix_nano > 5", "files=1 of 3"),
        ("start_time = '2030-01-01T00:00:00Z'", "files=0 of 3"),
        ("name = 'op'", "files=3 of 3"),
    ] {
        for table in ["spans", "(SELECT * FROM spans) AS s"] {
            let plan =
                world.sql(&format!("EXPLAIN SELECT count(*) FROM {table} WHERE {condition}")).await;
            assert!(plan.contains(files), "{condition}: {plan}");
        }
    }
}

#[tokio::test]
async fn a_trace_id_prunes_row_groups_and_pages_of_spans() {
    let world = world();
    let id = format!("{:032x}", 7_919 * 3 + 1);
    for table in ["spans", "events", "links"] {
        let sql = format!("EXPLAIN ANALYZE SELECT * FROM {table} WHERE trace_id = '{id}'");
        let plan = world.sql(&sql).await;
        assert!(!plan.contains("FilterExec: id_hex"), "{plan}");
        let scan = plan.lines().find(|line| line.contains("file_groups")).unwrap_or(&plan);
        assert!(scan.contains("predicate=trace_id@0 = "), "{table}: {scan}");
        // Six row groups of 1,000 spans, ten pages each: the id is in one page of one of them.
        for (counter, most) in [
            ("row_groups_pruned_statistics", 3),
            ("row_groups_pruned_bloom_filter", 1),
            ("page_index_pages_pruned", 1),
        ] {
            let left = matched(scan, counter).unwrap_or(u64::MAX);
            assert!(left <= most, "{table}: {counter} leaves {left}: {scan}");
        }
    }
}

#[tokio::test]
async fn files_without_the_trace_are_not_opened() {
    let world = world();
    let in_first = format!("{:032x}", 7_919 * 3 + 1);
    let nowhere = format!("{:032x}", 777_777);
    for (condition, files) in [
        (format!("trace_id = '{in_first}'"), "files=1 of 3, by_time=3, by_bloom=1, recent_rows=1"),
        (format!("trace_id = '{nowhere}'"), "files=0 of 3, by_time=3, by_bloom=0, recent_rows=1"),
        (format!("trace_id IN ('{in_first}', '{nowhere}')"), "files=1 of 3, by_time=3, by_bloom=1"),
        (
            format!("trace_id = '{in_first}' AND start_time >= '2023-11-14T23:00:00Z'"),
            "files=0 of 3, by_time=2, by_bloom=0",
        ),
        (format!("trace_id <> '{in_first}'"), "files=3 of 3, by_time=3, by_bloom=3"),
    ] {
        for table in ["spans", "events", "(SELECT * FROM spans) AS s"] {
            if table == "events" && condition.contains("start_time") {
                continue;
            }
            let plan = world.sql(&format!("EXPLAIN SELECT * FROM {table} WHERE {condition}")).await;
            assert!(plan.contains(files), "{condition}: {plan}");
        }
    }
}

#[tokio::test]
async fn traces_are_read_by_id_and_only_the_columns_asked_for() {
    let world = world();
    let in_first = format!("{:032x}", 7_919 * 3 + 1);
    for (statement, expected) in [
        (
            format!("SELECT root_name FROM traces WHERE trace_id = '{in_first}'"),
            "TracesExec: files=1 of 3, by_bloom=1, recent_rows=1, \
             columns=[trace_id, root_name], trace_ids=1",
        ),
        (
            "SELECT max(span_count) FROM traces".to_owned(),
            "TracesExec: files=3 of 3, by_bloom=3, recent_rows=1, columns=[span_count]",
        ),
    ] {
        let plan = world.sql(&format!("EXPLAIN {statement}")).await;
        assert!(plan.contains(expected), "{plan}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM traces").await, "6000");
}

#[tokio::test]
async fn only_needed_columns_are_read() {
    let world = world();
    let plan = world.sql("EXPLAIN SELECT trace_id FROM spans WHERE duration_ns > 3000000").await;
    let scan = plan.lines().find(|line| line.contains("file_groups")).unwrap_or(&plan);
    assert!(scan.contains("projection=[trace_id]"), "{plan}");
    assert!(scan.contains("duration_ns@"), "{plan}");
}

/// The number of matches in `name=6 total → 1 matched`.
fn matched(line: &str, name: &str) -> Option<u64> {
    let (_, rest) = line.split_once(&format!("{name}="))?;
    rest.split(" matched").next()?.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn an_aggregation_by_service_reads_its_columns_as_they_are_stored() {
    let world = world();
    let statement = "SELECT service_name, count(*), sum(duration_ns) FROM spans GROUP BY 1";
    let plan = world.sql(&format!("EXPLAIN {statement}")).await;
    let read = "projection=[start_time_unix_nano, duration_ns, service_name]";
    assert!(plan.contains(read) && !plan.contains("CAST"), "{plan}");
}

#[tokio::test]
async fn row_groups_without_the_value_are_not_read() {
    let spans = |name, hour: u64| {
        let one = |n: u64| {
            let mut span = span(hour * 10_000 + n + 1, n + 1, 0, name, hour * 3_600_000 + n, 5);
            let message = format!("failed {n}");
            span.status = (n % 2 == 1).then(|| Status { message, ..Default::default() });
            span
        };
        (0..2_000_u64).map(one).collect::<Vec<_>>()
    };
    // Two row groups each.
    let world = WorldBuilder::new()
        .file(&[request("web", spans("list", 0))])
        .file(&[request("shop", spans("order", 1))])
        .recent(&[request("web", vec![span(1, 99, 0, "late", 10_800_000, 1)])])
        .build();
    for (condition, extent, count) in [
        (
            "name = 'order'",
            "files=1 of 2, by_time=2, by_bloom=2, recent_rows=1, row_groups_by_dictionary=2 of 4",
            "2000",
        ),
        ("name LIKE 'l%'", "row_groups_by_dictionary=2 of 4", "2001"),
        ("name IN ('nothing', 'late')", "files=0 of 2", "1"),
        ("name = 'list' AND service_name = 'shop'", "row_groups_by_dictionary=0 of 4", "0"),
        ("name = 'list' OR service_name = 'shop'", "row_groups_by_dictionary=4 of 4", "4000"),
        ("name = 'list' OR duration_ns < 3", "files=2 of 2", "2000"),
        ("upper(name) = 'ORDER' AND duration_ns > 3", "row_groups_by_dictionary=2 of 4", "2000"),
        ("name <> 'list'", "row_groups_by_dictionary=2 of 4", "2001"),
        ("status_message IS NULL AND name = 'list'", "row_groups_by_dictionary=2 of 4", "1000"),
        ("status_message = 'failed 1777'", "row_groups_by_dictionary=2 of 4", "2"),
        ("status_message = 'failed 1776'", "files=0 of 2", "0"),
        ("status_message LIKE '%ed 1777'", "files=2 of 2", "2"),
        ("attributes['none'] IS NULL", "files=2 of 2", "4001"),
        ("resource_attributes['service.name'] = 'shop'", "row_groups_by_dictionary=2 of 4", "2000"),
    ] {
        let plan = world.sql(&format!("EXPLAIN SELECT * FROM spans WHERE {condition}")).await;
        assert!(plan.contains(extent), "{condition}: {plan}");
        let sql = format!("SELECT count(*) FROM spans WHERE {condition}");
        assert_eq!(world.sql(&sql).await, count, "{condition}");
    }
}

#[tokio::test]
async fn values_of_attributes_are_looked_up_whatever_they_hold() {
    let value = |n: u64| match n % 4 {
        0 => format!("/item/{n}?q=ü"),
        1 => format!("7/{n}"),
        2 => format!("\"{n}\""),
        _ => format!("a\\{n}\tb"),
    };
    let one = |n: u64| {
        let mut span = span(n + 1, n + 1, 0, "get", n, 5);
        span.attributes.push(kv("url.path", text(&value(n))));
        span
    };
    let condition = |value: &str| format!("attributes['url.path'] = '{value}'");
    // With a column of its own, and in the map.
    for (spans, extent) in [(2_001, "row_groups_by_dictionary=1 of 3"), (2_000, "files=1 of 1")] {
        let world =
            WorldBuilder::new().file(&[request("web", (0..spans).map(one).collect())]).build();
        for n in 1_500..1_504 {
            let condition = condition(&value(n));
            let plan = world.sql(&format!("EXPLAIN SELECT * FROM spans WHERE {condition}")).await;
            assert!(plan.contains(extent), "{condition}: {plan}");
            let sql = format!("SELECT span_id FROM spans WHERE {condition}");
            assert_eq!(world.sql(&sql).await, format!("{:016x}", n + 1), "{condition}");
        }
        for other in ["/item/1501?q=ü", "7/1500", "1502", "\"7/1501\"", "a\\\\1503\\tb"] {
            let sql = format!("SELECT count(*) FROM spans WHERE {}", condition(other));
            assert_eq!(world.sql(&sql).await, "0", "{other}");
        }
    }
}
