//! Stamps survive the log, flushes and restarts; what has none costs no column.

use causeway_model::columns::COLUMNS;
use causeway_model::{SpanRows, SpanStamps};
use causeway_store::Store;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::{NOW, TestResult, append, close_without_flush, open};

type Found = Vec<(u8, i32, SpanStamps)>;

fn key_value(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn stamp(node: u8, after_ns: i64) -> String {
    format!("{:016x}:{:016x}+{:x}", node, NOW + after_ns, 1 + i64::from(node))
}

/// A span with the stamps that the bits of `id` ask for, and something wrong in some.
fn span(id: u8) -> Span {
    let text = |text: String| Value::StringValue(text);
    let start = NOW - i64::from(id) * 1_000;
    let mut attributes = Vec::new();
    if id & 1 != 0 {
        attributes.push(key_value("hlc.start", text(stamp(id, -1_000))));
    }
    if id & 2 != 0 {
        attributes.push(key_value("hlc.end", text(stamp(id, i64::from(id) - 1_005))));
    }
    if id & 8 != 0 {
        let values = (0..id % 5).map(|n| AnyValue { value: Some(text(stamp(n + 1, 0))) });
        let list = ArrayValue { values: values.collect() };
        attributes.push(key_value("hlc.resp", Value::ArrayValue(list)));
    }
    if id & 16 != 0 {
        attributes.push(key_value("hlc.reject", text(stamp(200, i64::from(id) << 32))));
    }
    if id.is_multiple_of(7) {
        attributes.push(key_value("hlc.end", text("garbage".to_owned())));
    }
    let trace_state = if id & 4 != 0 { format!("hlc=1:{}", stamp(100, 0)) } else { String::new() };
    Span {
        trace_id: vec![id % 5 + 1; 16],
        span_id: vec![id.max(1); 8],
        trace_state,
        start_time_unix_nano: start.cast_unsigned(),
        end_time_unix_nano: NOW.cast_unsigned(),
        attributes,
        ..Span::default()
    }
}

fn request(spans: impl IntoIterator<Item = Span>) -> Vec<u8> {
    let spans = spans.into_iter().collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

async fn found(store: &Store) -> Result<Found, Box<dyn std::error::Error>> {
    let (mut found, mut broken) = (Vec::new(), None);
    store.snapshot().await?.read(&mut |batch| match SpanRows::new(batch) {
        Ok(rows) => found.extend((0..rows.len).map(|row| {
            (rows.span_id.value(row)[0], rows.clock_flags.value(row), rows.stamps.get(row))
        })),
        Err(error) => broken = Some(error),
    })?;
    if let Some(error) = broken {
        return Err(error.into());
    }
    found.sort_by_key(|(id, ..)| *id);
    Ok(found)
}

/// How many optional columns each file and batch has, sorted.
async fn optional_columns(store: &Store) -> Result<Vec<usize>, Box<dyn std::error::Error>> {
    let mut counts = Vec::new();
    store.snapshot().await?.read(&mut |batch| {
        let is_there = |name| batch.column_by_name(name).is_some();
        counts.push(COLUMNS.iter().filter(|c| c.is_optional && is_there(c.name)).count());
    })?;
    counts.sort_unstable();
    Ok(counts)
}

/// Scenario: spans with all combinations of stamps, good and bad, are seen while recent, after a
/// crash from the log, in a file, and after another start; batches without any are among them.
/// Guarantee: stamps and flags are the same everywhere, and files without stamps have no columns
/// for them.
#[tokio::test]
async fn stamps_survive_replay_and_flush() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    append(&store, request([span(32), span(64)])).await?;
    assert_eq!(optional_columns(&store).await?, [0]);
    store.flush().await?;
    assert_eq!(optional_columns(&store).await?, [0]);
    append(&store, request([span(96), span(128)])).await?;
    assert_eq!(optional_columns(&store).await?, [0, 0]);
    append(&store, request((1..32).map(span))).await?;
    let expected = found(&store).await?;
    assert_eq!(optional_columns(&store).await?, [0, 0, 11]);
    assert_eq!(expected.len(), 35);
    assert!(expected.iter().filter(|(_, flags, _)| *flags != 0).count() >= 4);
    assert!(expected.iter().filter(|(.., stamps)| !stamps.is_empty()).count() >= 31);

    close_without_flush(store).await?;
    let store = open(dir.path()).await?;
    assert_eq!(found(&store).await?, expected, "from the log");
    store.flush().await?;
    assert_eq!(found(&store).await?, expected, "from a file");
    assert_eq!(optional_columns(&store).await?, [0, 11]);
    close_without_flush(store).await?;
    let store = open(dir.path()).await?;
    assert_eq!(found(&store).await?, expected, "after another start");
    close_without_flush(store).await?;
    let verified = causeway_store::verify(dir.path()).await?;
    assert!(verified.is_sound(), "{verified:?}");
    Ok(())
}
