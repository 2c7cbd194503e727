//! Queries over a real store: what it flushed and what it did not.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use causeway_model::ids::hex;
use causeway_model::otlp;
use causeway_query::{Query, QuerySettings, format};
use causeway_store::{Request, Store, StoreSettings, summary_path};
use prometheus_client::registry::Registry;
use prost::Message;

use crate::model::{Line, Sent, adopt, by_trace, random_span};
use crate::world::{Dice, T0, request};

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
