//! A span that is sent again counts once; a span that only claims to be another is kept and flagged.

use causeway_model::{SpanRows, columns};
use causeway_store::Appended;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::{TestResult, append, close_without_flush, open, spans};

fn span(id: u8, name: &str) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        name: name.to_owned(),
        start_time_unix_nano: 1_790_000_000_000_000_000,
        end_time_unix_nano: 1_790_000_000_000_000_001,
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// Scenario: one request is sent three times: at once again, after a flush, after a restart.
/// Guarantee: it is acknowledged each time and stored once.
#[tokio::test]
async fn a_resent_request_counts_once_also_after_a_restart() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    let payload = request(vec![span(1, "a"), span(2, "b")]);
    assert_eq!(append(&store, payload.clone()).await?, Appended::Stored);
    assert_eq!(append(&store, payload.clone()).await?, Appended::Duplicate);
    store.flush().await?;
    assert_eq!(append(&store, payload.clone()).await?, Appended::Duplicate);
    close_without_flush(store).await?;
    let store = open(dir.path()).await?;
    assert_eq!(append(&store, payload).await?, Appended::Duplicate);
    assert_eq!(spans(&store).await?.len(), 2);
    Ok(close_without_flush(store).await?)
}

/// Scenario: the same spans come in requests that are cut differently, before and after a flush
/// and a restart. Guarantee: each span is visible once, and the copies are counted.
#[tokio::test]
async fn copies_in_other_batches_count_once() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    append(&store, request(vec![span(1, "a"), span(2, "b")])).await?;
    append(&store, request(vec![span(2, "b"), span(3, "c")])).await?;
    assert_eq!(spans(&store).await?.len(), 3);
    store.flush().await?;
    append(&store, request(vec![span(1, "a")])).await?;
    assert_eq!(spans(&store).await?.len(), 3);
    assert_eq!(store.span_copies(), 2);
    close_without_flush(store).await?;
    let store = open(dir.path()).await?;
    append(&store, request(vec![span(3, "c"), span(4, "d")])).await?;
    assert_eq!(spans(&store).await?.len(), 4);
    Ok(close_without_flush(store).await?)
}

/// Scenario: a flush finds nothing but copies. Guarantee: it succeeds, and the log lets go of them.
#[tokio::test]
async fn a_flush_of_copies_only_releases_the_log() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    append(&store, request(vec![span(1, "a"), span(2, "b")])).await?;
    store.flush().await?;
    append(&store, request(vec![span(1, "a")])).await?;
    store.flush().await?;
    assert_eq!(spans(&store).await?.len(), 2);
    close_without_flush(store).await?;
    let report = causeway_store::verify(dir.path()).await?;
    assert_eq!((report.log_requests, report.table_spans, report.is_sound()), (0, 2, true));
    Ok(())
}

/// Scenario: two different spans use one id. Guarantee: both are kept; the later one is flagged.
#[tokio::test]
async fn equal_ids_with_other_content_are_kept_and_flagged() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    append(&store, request(vec![span(1, "a")])).await?;
    append(&store, request(vec![span(1, "z")])).await?;
    store.flush().await?;
    let mut flags = Vec::new();
    store.snapshot().await?.read(&mut |batch| {
        let rows = SpanRows::new(batch).expect("schema");
        for row in 0..rows.len {
            flags.push((rows.name.get(row).map(str::to_owned), rows.clock_flags.value(row)));
        }
    })?;
    flags.sort();
    assert_eq!(flags, [(Some("a".to_owned()), 0), (Some("z".to_owned()), columns::FLAG_DUP)]);
    Ok(close_without_flush(store).await?)
}

/// Scenario: the process ends between a flush's commit and the release of the log, so that the log
/// still holds what the table has. Guarantee: nothing is counted twice.
#[tokio::test]
async fn what_is_in_log_and_table_counts_once() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    append(&store, request(vec![span(1, "a"), span(2, "b")])).await?;
    close_without_flush(store).await?;
    // The log as it is before the flush, put back after it.
    let before: Vec<_> = std::fs::read_dir(dir.path().join("log"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    let saved: Vec<_> = before.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let store = open(dir.path()).await?;
    store.flush().await?;
    close_without_flush(store).await?;
    for (path, bytes) in before.iter().zip(saved) {
        std::fs::write(path, bytes)?;
    }
    let store = open(dir.path()).await?;
    assert_eq!(spans(&store).await?.len(), 2);
    Ok(close_without_flush(store).await?)
}
