//! Repetitions: in one group, later, after a restart, after a release, beyond the window.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::faulty_disk::{Faults, Names};
use super::{Surroundings, TestResult, WINDOW, replayed, stored, until};
use crate::log::{Appended::Duplicate, Log};

#[tokio::test]
async fn a_repetition_is_a_duplicate_within_the_window() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    assert_eq!(around.append(&log, "a").await?, stored(1));
    assert_eq!(around.append(&log, "a").await?, Duplicate);
    around.pass(WINDOW);
    assert_eq!(around.append(&log, "a").await?, Duplicate);
    around.pass(Duration::from_secs(1));
    assert_eq!(around.append(&log, "a").await?, stored(2));
    assert_eq!(around.published_texts(), ["a", "a"]);
    drop(log);
    let (_log, replay) = around.open()?;
    assert_eq!(replay.report().duplicates, 0, "they were a window apart");
    assert_eq!(replayed(replay)?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_repetition_in_the_same_group_is_a_duplicate() -> TestResult {
    let around = Surroundings::new();
    let (open_gate, gate) = std::sync::mpsc::channel::<()>();
    let publish = Box::new(move |_| {
        let _ = gate.recv();
    });
    let (log, _) = Log::open_on(around.disk(), around.settings.clone(), 1, publish)?;
    let log = Arc::new(log);
    let mut tasks = Vec::new();
    for (text, queued) in [("first", 53), ("a", 102), ("a", 151), ("b", 200), ("first", 253)] {
        let record = around.record(text);
        let appender = Arc::clone(&log);
        tasks.push(tokio::spawn(async move { appender.append(record).await }));
        until(|| log.queued_bytes() == queued).await?;
        until(|| log.counters().groups == 1).await?;
    }
    open_gate.send(())?;
    open_gate.send(())?;
    let expected = [stored(1), stored(2), Duplicate, stored(3), Duplicate];
    for (task, expected) in tasks.into_iter().zip(expected) {
        assert_eq!(task.await??, expected);
    }
    assert_eq!(log.counters().duplicates, 2);
    Ok(())
}

#[tokio::test]
async fn a_repetition_is_known_after_restarts_and_releases() -> TestResult {
    let around = Surroundings::with_small_segments();
    let (log, _) = around.open()?;
    for text in ["a", "b", "c"] {
        around.append(&log, text).await?;
    }
    log.release(2);
    drop(log);
    for _ in 0..2 {
        // a and b are known from digest files, c from its segment.
        let (log, replay) = around.open()?;
        assert_eq!(replayed(replay)?, [(3, "c".to_owned())]);
        for text in ["a", "b", "c"] {
            assert_eq!(around.append(&log, text).await?, Duplicate);
        }
    }
    let (log, _) = around.open()?;
    log.release(3);
    drop(log);
    assert_eq!(around.files(".log"), Vec::<PathBuf>::new());
    let (log, _) = around.open()?;
    for text in ["a", "b", "c"] {
        assert_eq!(around.append(&log, text).await?, Duplicate);
    }
    around.pass(WINDOW + Duration::from_secs(1));
    drop(log);
    let (log, _) = around.open()?;
    assert_eq!(around.append(&log, "a").await?, stored(4));
    Ok(())
}

#[tokio::test]
async fn too_many_digests_push_the_oldest_out() -> TestResult {
    let mut around = Surroundings::new();
    around.settings.digests_max = 2;
    let (log, _) = around.open()?;
    for text in ["a", "b", "c"] {
        around.append(&log, text).await?;
    }
    assert_eq!(log.counters().digests_evicted_early, 1);
    assert_eq!(log.counters().digests, 2);
    assert_eq!(around.append(&log, "b").await?, Duplicate);
    assert_eq!(around.append(&log, "a").await?, stored(4));
    Ok(())
}

#[tokio::test]
async fn a_record_that_is_in_the_log_twice_is_replayed_once() -> TestResult {
    let mut around = Surroundings::new();
    around.settings.digests_max = 1;
    let (log, _) = around.open()?;
    for text in ["a", "b", "a"] {
        around.append(&log, text).await?;
    }
    drop(log);
    around.settings.digests_max = 100;
    let (_log, replay) = around.open()?;
    assert_eq!(replay.report().duplicates, 1);
    assert_eq!(replayed(replay)?, [(1, "a".to_owned()), (2, "b".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn expired_digest_files_go_but_the_newest_stays() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    let mut through = 0;
    for i in 0..4 {
        through += 1;
        assert_eq!(around.append(&log, &format!("{i}")).await?, stored(through));
        log.release(through);
        until(|| log.size_bytes() == 0).await?;
        around.pass(WINDOW / 2 + Duration::from_secs(1));
    }
    assert_eq!(around.files(".digests").len(), 2);
    drop(log);
    around.pass(WINDOW * 100);
    let (log, _) = around.open()?;
    assert_eq!(around.append(&log, "after").await?, stored(5));
    log.release(5);
    drop(log);
    assert_eq!(around.files(".digests").len(), 1);
    let (log, _) = around.open()?;
    assert_eq!(
        around.append(&log, "later").await?,
        stored(6),
        "numbers live in the newest file's mark"
    );
    Ok(())
}

#[tokio::test]
async fn a_flipped_byte_in_a_digest_file_costs_one_digest() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    for text in ["a", "b", "c"] {
        around.append(&log, text).await?;
    }
    log.release(3);
    drop(log);
    let path = around.files(".digests").pop().ok_or("no digest file")?;
    let bytes = around.disk.bytes(&path)?;
    assert_eq!(bytes.len(), 24 * 5, "header, three digests, mark");
    for offset in 0..bytes.len() {
        let mut flipped = bytes.clone();
        if let Some(byte) = flipped.get_mut(offset) {
            *byte ^= 0x10;
        }
        around.disk.put(&path, &flipped);
        let (log, replay) = around.open()?;
        let report = replay.report();
        let is_digest = (24..96).contains(&offset);
        assert_eq!(
            (report.damaged.len(), report.digests),
            (1, 3 - u64::from(is_digest)),
            "flip at {offset}"
        );
        drop(log);
    }
    for cut in 0..bytes.len() {
        around.disk.put(&path, bytes.get(..cut).unwrap_or_default());
        let (_log, replay) = around.open()?;
        let whole = (cut / 24).saturating_sub(1).min(3) as u64;
        assert_eq!(
            (replay.report().damaged.len(), replay.report().digests),
            (0, whole),
            "cut at {cut}"
        );
    }
    Ok(())
}

/// Scenario: the fsync of a digest file fails, the process is restarted and finishes the release from what it can
/// read of that file, then the power fails. Guarantee: the digests are still known.
#[tokio::test]
async fn digests_of_a_failed_release_are_written_again() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.append(&log, "a").await?;
    around.disk.set(Faults { syncs_fail: true, ..Faults::default() });
    log.release(1);
    drop(log);
    around.disk.set(Faults::default());
    let (log, _) = around.open()?;
    log.release(1);
    drop(log);
    assert_eq!(around.files(".log"), Vec::<PathBuf>::new());
    around.disk.lose_power(0, Names::Confirmed);
    let (log, _) = around.open()?;
    assert_eq!(around.append(&log, "a").await?, Duplicate);
    Ok(())
}
