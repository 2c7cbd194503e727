//! Queries over a real store: what it flushed and what it did not.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use causeway_model::ids::hex;
use causeway_model::otlp;
use causeway_query::{Query, QuerySettings, format};
use causeway_store::{Request, Store, StoreSettings, summary_path};
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use prost::Message;
use tower::ServiceExt;

use crate::model::{Line, Sent, adopt, by_trace, random_span};
use crate::world::{Dice, T0, request, span};

async fn send(store: &Store, sent: &[Sent], digest: u128) {
    for service in ["web", "db"] {
        let spans = sent.iter().filter(|(s, _)| *s == service).map(|(_, span)| span.clone());
        let payload = request(service, spans.collect()).encode_to_vec();
        let (columns, _) = otlp::decode(&payload, T0 as i64).expect("decodes");
        let request = Request {
            received_at_unix_nano: T0 as i64,
            digest: digest * 2 + u128::from(service == "db"),
            payload: Bytes::from(payload),
            columns,
        };
        store.append(request).await.expect("is stored");
    }
}

async fn rows(query: &Query, sql: &str) -> Vec<String> {
    let mut out = Vec::new();
    let batches = query.sql(sql).await.expect("runs");
    let options = format::Options::default();
    format::write(batches, format::Format::Csv, options, &mut out).await.expect("writes");
    String::from_utf8(out).expect("UTF-8").lines().skip(1).map(str::to_owned).collect()
}

/// Scenario: spans of the same traces come in several flushes, children before parents, the last ones
/// are not flushed; between two flushes a summary file is lost.
/// Guarantee: `traces` tells at every moment what all spans so far tell.
#[tokio::test]
async fn summaries_are_exact_however_late_spans_come() {
    for seed in 0..3 {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = StoreSettings::new(folder.path().to_owned(), Arc::new(|| T0 as i64));
        let mut registry = Registry::default();
        let store = Store::open(settings, &mut registry).await.expect("opens");
        let query = Query::new(store.clone(), QuerySettings::default(), &mut registry);
        let query = query.expect("starts");
        let mut dice = Dice::new(seed);
        let mut all: Vec<Sent> = (0..400).map(|_| random_span(&mut dice, 30)).collect();
        // Span ids that repeat within a trace would be copies, which the store leaves out.
        all.sort_by(|a, b| (&a.1.trace_id, &a.1.span_id).cmp(&(&b.1.trace_id, &b.1.span_id)));
        all.dedup_by(|a, b| a.1.trace_id == b.1.trace_id && a.1.span_id == b.1.span_id);
        all.sort_by_key(|(_, span)| span.span_id.clone());
        adopt(&mut dice, &mut all);
        for (at, piece) in all.chunks(100).enumerate() {
            send(&store, piece, u128::from(seed) * 100 + at as u128).await;
            if at < 3 {
                store.flush().await.expect("flushes");
            }
            let snapshot = store.snapshot().await.expect("a snapshot");
            for file in snapshot.files.iter() {
                let summary = summary_path(&snapshot.table_root, file);
                assert!(summary.exists() || at > 1, "{}", summary.display());
            }
            if at == 1 {
                let first = snapshot.files.first().expect("a file");
                std::fs::remove_file(summary_path(&snapshot.table_root, first)).expect("is lost");
            }
            let sent = all.get(..(at + 1) * 100).unwrap_or(&all);
            let expected: BTreeMap<String, Line> =
                by_trace(sent).iter().map(|(id, spans)| (hex(id), Line::of(spans))).collect();
            let found = rows(
                &query,
                "SELECT trace_id, start_time_unix_nano, coalesce(duration_ns, -1), envelope_ns, \
                 span_count, error_count, missing_parents FROM traces ORDER BY trace_id",
            );
            let wanted: Vec<String> = expected
                .iter()
                .map(|(id, line)| {
                    let duration = line.duration.unwrap_or(-1);
                    let Line { start, envelope, spans, errors, missing_parents, .. } = line;
                    format!("{id},{start},{duration},{envelope},{spans},{errors},{missing_parents}")
                })
                .collect();
            assert_eq!(found.await, wanted, "seed {seed}, after piece {at}");
        }
        store.close(std::time::Duration::from_secs(10)).await.expect("closes");
    }
}

/// Scenario: thousands of traces with ids all over, half of each trace in either of two files.
/// Guarantee: lists made by several threads, each with its range of ids, miss and repeat nothing.
#[tokio::test]
async fn threads_share_all_traces_between_them() {
    const TRACES: u64 = 5_000;
    let folder = tempfile::tempdir().expect("a folder");
    let settings = StoreSettings::new(folder.path().to_owned(), Arc::new(|| T0 as i64));
    let mut registry = Registry::default();
    let store = Store::open(settings, &mut registry).await.expect("opens");
    let id = |n: u64| u128::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let spans = |from: u64| {
        (0..TRACES).flat_map(move |n| {
            (0..=n % 3).map(move |at| {
                let mut one = span(1, from + n * 10 + at + 1, 0, "op", n, 5);
                one.trace_id = id(n).to_be_bytes().to_vec();
                ("web", one)
            })
        })
    };
    for half in [0, 1_000_000] {
        send(&store, &spans(half).collect::<Vec<_>>(), u128::from(half) + 1).await;
        store.flush().await.expect("flushes");
    }
    let mut expected: Vec<(i64, String)> =
        (0..TRACES).map(|n| (-2 * (1 + (n % 3) as i64), hex(&id(n).to_be_bytes()))).collect();
    expected.sort();
    for query_threads in [1, 2, 5] {
        let settings =
            QuerySettings { query_threads, traces_page_max: 10_000, ..QuerySettings::default() };
        let query = Query::new(store.clone(), settings, &mut Registry::default());
        let query = query.expect("starts");
        let statement = "SELECT -span_count, trace_id FROM traces ORDER BY 1, 2";
        let wanted: Vec<String> = expected.iter().map(|(n, id)| format!("{n},{id}")).collect();
        assert_eq!(rows(&query, statement).await, wanted);
        let request = http::Request::get("/traces?order=most_spans&limit=10000")
            .body(axum::body::Body::empty())
            .expect("a request");
        let answer = query.router().oneshot(request).await.expect("answers");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        let page: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let ids = page["traces"].as_array().into_iter().flatten();
        let ids: Vec<&str> = ids.filter_map(|line| line["trace_id"].as_str()).collect();
        assert_eq!(ids, expected.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>());
    }
    store.close(std::time::Duration::from_secs(10)).await.expect("closes");
}

/// Names of Parquet files below a folder, sorted.
fn files(folder: &std::path::Path) -> Vec<String> {
    let days = std::fs::read_dir(folder).expect("a folder").map(|day| day.expect("a day").path());
    let days = days.filter(|day| day.is_dir() && !day.ends_with("_delta_log"));
    let names = days.flat_map(|day| std::fs::read_dir(day).expect("files"));
    let mut names: Vec<_> = names
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Scenario: traces lie in four files, which are merged and then deleted.
/// Guarantee: the lines of traces stay the same, and every data file has its summary and no other.
#[tokio::test]
async fn merging_keeps_the_lines_of_traces_and_deletes_old_summaries() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = StoreSettings {
        compaction_files: 2,
        vacuum_retention: std::time::Duration::ZERO,
        maintenance: false,
        ..StoreSettings::new(folder.path().to_owned(), Arc::new(|| T0 as i64))
    };
    let mut registry = Registry::default();
    let store = Store::open(settings, &mut registry).await.expect("opens");
    let query = Query::new(store.clone(), QuerySettings::default(), &mut registry);
    let query = query.expect("starts");
    let mut dice = Dice::new(7);
    let mut all: Vec<Sent> = (0..400).map(|_| random_span(&mut dice, 30)).collect();
    all.sort_by(|a, b| (&a.1.trace_id, &a.1.span_id).cmp(&(&b.1.trace_id, &b.1.span_id)));
    all.dedup_by(|a, b| a.1.trace_id == b.1.trace_id && a.1.span_id == b.1.span_id);
    all.sort_by_key(|(_, span)| span.span_id.clone());
    adopt(&mut dice, &mut all);
    for (at, piece) in all.chunks(100).enumerate() {
        send(&store, piece, at as u128).await;
        store.flush().await.expect("flushes");
    }
    let statement = "SELECT trace_id, root_span_id, root_service, root_name, duration_ns, \
                     envelope_ns, span_count, error_count, missing_parents FROM traces ORDER BY 1";
    let before = rows(&query, statement).await;
    let tenant = folder.path().join("tenants").join("default");
    let (spans, traces) = (tenant.join("spans"), tenant.join("traces"));
    assert_eq!(files(&spans), files(&traces));
    let flushed = files(&spans);
    store.maintain().await.expect("merges");
    store.maintain().await.expect("deletes");
    let merged = files(&spans);
    assert!(merged.iter().all(|name| !flushed.contains(name)), "{merged:?}");
    assert_eq!(merged, files(&traces));
    assert_eq!(rows(&query, statement).await, before);
    store.close(std::time::Duration::from_secs(10)).await.expect("closes");
}
