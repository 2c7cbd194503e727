//! Storing, publishing, grouping, limits and closing.

use std::sync::{Arc, mpsc};

use bytes::Bytes;
use proptest::prelude::*;

use super::{Surroundings, TestResult, replayed, stored, until};
use crate::log::{Log, LogCounters, LogError, NewRecord, RECORD_PAYLOAD_BYTES_MAX, Record};

#[tokio::test]
async fn appended_records_are_published_and_replayed_in_order() -> TestResult {
    let around = Surroundings::with_small_segments();
    let (log, replay) = around.open()?;
    assert_eq!(replayed(replay)?, []);
    for (text, sequence) in [("a", 1), ("", 2), ("a longer text", 3)] {
        assert_eq!(around.append(&log, text).await?, stored(sequence));
    }
    assert_eq!(around.published_texts(), ["a", "", "a longer text"]);
    log.close();

    let published: Vec<Record> = std::mem::take(&mut *around.published.lock());
    let (_log, replay) = around.open()?;
    assert_eq!(replay.report().records, 3);
    assert!(replay.report().segments > 1);
    let records: Vec<Record> = replay.collect::<Result<_, _>>()?;
    assert_eq!(records, published);
    assert!(around.published.lock().is_empty(), "replay is the caller's to publish");
    Ok(())
}

#[tokio::test]
async fn requests_that_wait_share_one_fsync() -> TestResult {
    const WAITING: u64 = 100;
    let around = Surroundings::new();
    let (open_gate, gate) = mpsc::channel::<()>();
    let publish = Box::new(move |_| {
        let _ = gate.recv();
    });
    let (log, _) = Log::open_on(around.disk(), around.settings.clone(), 1, publish)?;
    let log = Arc::new(log);
    let mut tasks = Vec::new();
    let mut append = |text: String| {
        let log = Arc::clone(&log);
        let record = around.record(&text);
        tasks.push(tokio::spawn(async move { log.append(record).await }));
    };
    // The first holds the writer in `publish` while the others queue up.
    append("first".to_owned());
    until(|| log.counters().groups == 1).await?;
    let syncs_before = around.disk.syncs();
    for i in 0..WAITING {
        append(format!("{i:04}"));
    }
    let bytes = 48 + 5 + 100 * (48 + 4);
    until(|| log.queued_bytes() == bytes).await?;
    open_gate.send(())?;
    open_gate.send(())?;
    for (sequence, task) in (1..).zip(tasks) {
        assert_eq!(task.await??, stored(sequence));
    }
    assert_eq!(around.disk.syncs() - syncs_before, 1);
    let counters = LogCounters {
        records: WAITING + 1,
        groups: 2,
        digests: WAITING + 1,
        ..LogCounters::default()
    };
    until(|| log.counters() == counters).await?;
    assert_eq!(log.queued_bytes(), 0);
    Ok(())
}

#[tokio::test]
async fn a_group_is_bounded_but_takes_one_record_of_any_size() -> TestResult {
    let mut around = Surroundings::new();
    around.settings.group_bytes_max = 10;
    around.settings.queue_bytes_max = 10;
    let (log, _) = around.open()?;
    assert_eq!(around.append(&log, "much longer than ten bytes").await?, stored(1));
    assert_eq!(log.counters().groups, 1);
    Ok(())
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() -> TestResult {
    let mut around = Surroundings::new();
    around.settings.queue_bytes_max = 100;
    let (open_gate, gate) = mpsc::channel::<()>();
    let publish = Box::new(move |_| {
        let _ = gate.recv();
    });
    let (log, _) = Log::open_on(around.disk(), around.settings.clone(), 1, publish)?;
    let log = Arc::new(log);
    let holder = Arc::clone(&log);
    let first = around.record("0123456789");
    let first = tokio::spawn(async move { holder.append(first).await });
    until(|| log.queued_bytes() == 58).await?;
    let second = around.append(&log, "more").await;
    let Err(error @ LogError::Full { queued_bytes: 58, limit_bytes: 100 }) = second else {
        return Err(format!("{second:?}").into());
    };
    assert!(error.is_retryable());
    open_gate.send(())?;
    assert_eq!(first.await??, stored(1));
    Ok(())
}

#[tokio::test]
async fn payload_limit() -> TestResult {
    let mut around = Surroundings::new();
    around.settings.group_bytes_max = 64;
    let (log, _) = around.open()?;
    let with_payload = |bytes: usize, digest| NewRecord {
        payload: Bytes::from(vec![7; bytes]),
        decoded: None,
        digest,
        ..around.record("")
    };
    let largest = with_payload(RECORD_PAYLOAD_BYTES_MAX, 1);
    assert_eq!(log.append(largest).await?, stored(1));
    let Err(error) = log.append(with_payload(RECORD_PAYLOAD_BYTES_MAX + 1, 2)).await else {
        return Err("one byte beyond the limit was taken".into());
    };
    assert!(matches!(error, LogError::TooLarge { .. }) && !error.is_retryable());
    drop(log);
    let (_log, mut replay) = around.open()?;
    let record = replay.next().ok_or("nothing replayed")??;
    assert_eq!(record.payload.len(), RECORD_PAYLOAD_BYTES_MAX);
    Ok(())
}

#[tokio::test]
async fn closing_stores_what_waits_and_takes_no_more() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    let log = Arc::new(log);
    let appender = Arc::clone(&log);
    let record = around.record("last");
    let last = tokio::spawn(async move { appender.append(record).await });
    until(|| log.queued_bytes() > 0 || log.counters().records > 0).await?;
    log.close();
    log.close();
    assert_eq!(last.await??, stored(1));
    assert!(matches!(around.append(&log, "late").await, Err(LogError::Closed)));
    Ok(())
}

#[tokio::test]
async fn a_panic_in_publish_closes_the_log_and_shows() -> TestResult {
    let around = Surroundings::new();
    let publish = Box::new(|_| std::panic::resume_unwind(Box::new("broken")));
    let (log, _) = Log::open_on(around.disk(), around.settings.clone(), 1, publish)?;
    assert!(matches!(around.append(&log, "a").await, Err(LogError::Closed)));
    until(|| log.state() != crate::log::LogState::Healthy).await?;
    assert!(matches!(around.append(&log, "b").await, Err(LogError::Closed)));
    Ok(())
}

#[tokio::test]
async fn numbering_starts_where_asked() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open_from(41)?;
    assert_eq!(around.append(&log, "a").await?, stored(41));
    drop(log);
    let (log, _) = around.open_from(7)?;
    assert_eq!(around.append(&log, "b").await?, stored(42));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any payloads come back as they were sent, whatever the segment size.
    #[test]
    fn round_trip(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..20),
        segment_bytes_max in 50_u64..600,
    ) {
        let mut around = Surroundings::new();
        around.settings.segment_bytes_max = segment_bytes_max;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let (log, _) = around.open()?;
        for (idx, payload) in payloads.iter().enumerate() {
            let record = NewRecord {
                received_at_unix_ns: i64::MIN,
                digest: u128::MAX - idx as u128,
                payload: Bytes::from(payload.clone()),
                decoded: None,
            };
            runtime.block_on(log.append(record))?;
        }
        drop(log);
        let (_log, replay) = around.open()?;
        prop_assert_eq!(&replay.report().damaged, &Vec::new());
        let records: Vec<Record> = replay.collect::<Result<_, _>>()?;
        prop_assert_eq!(&records, &*around.published.lock());
        let replayed: Vec<Vec<u8>> = records.iter().map(|record| record.payload.to_vec()).collect();
        prop_assert_eq!(replayed, payloads);
    }
}
