//! A full disk, failing fsyncs, a segment that cannot be cut, and the way back to health.

use super::faulty_disk::{Faults, Names};
use super::{Surroundings, TestResult, replayed, stored, until};
use crate::log::{Log, LogError, LogState};

/// After the faults end, the probe finds out without traffic, and a restart finds exactly `texts` and "after".
async fn recovers(around: &Surroundings, log: Log, texts: &[&str]) -> TestResult {
    assert!(matches!(log.state(), LogState::Failing { .. }));
    around.disk.set(Faults::default());
    until(|| log.state() == LogState::Healthy).await?;
    around.append(&log, "after").await?;
    drop(log);
    let mut expected: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    expected.push("after".to_owned());
    assert_eq!(around.published_texts(), expected);
    let (_log, replay) = around.open()?;
    assert_eq!((&replay.report().torn, replay.report().damaged.len()), (&None, 0));
    let texts: Vec<String> = replayed(replay)?.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, expected);
    Ok(())
}

async fn refused(around: &Surroundings, log: &Log, text: &str) -> TestResult {
    match around.append(log, text).await {
        Err(error @ LogError::Disk { .. }) if error.is_retryable() => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

#[tokio::test]
async fn a_disk_that_is_full_at_any_byte_loses_nothing() -> TestResult {
    for space_left in 0..60 {
        let around = Surroundings::new();
        let (log, _) = around.open()?;
        around.append(&log, "before").await?;
        around.disk.set(Faults { space_left: Some(space_left), ..Faults::default() });
        refused(&around, &log, "0123456789012").await?;
        refused(&around, &log, "0123456789012").await?;
        assert_eq!(log.counters().failed, 2);
        recovers(&around, log, &["before"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_disk_that_is_full_from_the_start_recovers() -> TestResult {
    for space_left in [0, 20, 48, 60] {
        let around = Surroundings::new();
        around.disk.set(Faults { space_left: Some(space_left), ..Faults::default() });
        let (log, _) = around.open()?;
        refused(&around, &log, "a").await?;
        recovers(&around, log, &[]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_record_is_no_duplicate_when_it_comes_again() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.disk.set(Faults { syncs_fail: true, ..Faults::default() });
    refused(&around, &log, "a").await?;
    around.disk.set(Faults::default());
    until(|| log.state() == LogState::Healthy).await?;
    assert_eq!(
        around.append(&log, "a").await?,
        stored(2),
        "the failed write's number is passed over"
    );
    assert_eq!(around.published_texts(), ["a"]);
    Ok(())
}

#[tokio::test]
async fn a_repetition_of_what_is_stored_is_answered_while_the_disk_fails() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.append(&log, "a").await?;
    around.disk.set(Faults { syncs_fail: true, ..Faults::default() });
    refused(&around, &log, "b").await?;
    assert_eq!(around.append(&log, "a").await?, crate::log::Appended::Duplicate);
    recovers(&around, log, &["a"]).await
}

#[tokio::test]
async fn after_a_failed_fsync_the_segment_is_cut_and_left() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.append(&log, "before").await?;
    let segment = around.files(".log").pop().ok_or("no segment")?;
    let durable = around.disk.bytes(&segment)?;
    around.disk.set(Faults { syncs_fail: true, ..Faults::default() });
    refused(&around, &log, "lost").await?;
    assert_eq!(around.disk.bytes(&segment)?, durable);
    around.disk.set(Faults::default());
    until(|| log.state() == LogState::Healthy).await?;
    around.append(&log, "next").await?;
    assert_eq!(around.disk.bytes(&segment)?, durable);
    assert_eq!(around.files(".log").len(), 2);
    Ok(())
}

#[tokio::test]
async fn nothing_is_written_while_the_suspect_cannot_be_cut() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.append(&log, "before").await?;
    around.disk.set(Faults { syncs_fail: true, truncations_fail: true, ..Faults::default() });
    refused(&around, &log, "lost").await?;
    // Fsyncs work again, cutting does not.
    around.disk.set(Faults { truncations_fail: true, ..Faults::default() });
    let syncs = around.disk.syncs();
    for i in 0..20 {
        refused(&around, &log, &format!("{i}")).await?;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!((around.disk.syncs(), around.files(".log").len()), (syncs, 1));
    recovers(&around, log, &["before"]).await
}

#[tokio::test]
async fn a_folder_that_cannot_be_synced_or_tidied_recovers() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.disk.set(Faults { dir_syncs_fail: true, removals_fail: true, ..Faults::default() });
    refused(&around, &log, "a").await?;
    around.disk.set(Faults { removals_fail: true, ..Faults::default() });
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    refused(&around, &log, "a").await?;
    recovers(&around, log, &[]).await
}

#[tokio::test]
async fn short_writes_are_continued() -> TestResult {
    let around = Surroundings::new();
    around.disk.set(Faults { write_bytes_max: Some(7), ..Faults::default() });
    let (log, _) = around.open()?;
    assert_eq!(around.append(&log, "a somewhat longer text").await?, stored(1));
    drop(log);
    let (_log, replay) = around.open()?;
    assert_eq!(replayed(replay)?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn between_attempts_the_disk_is_left_alone() -> TestResult {
    let mut around = Surroundings::new();
    around.settings.retry_pause_first = std::time::Duration::from_secs(1000);
    let (log, _) = around.open()?;
    around.disk.set(Faults { syncs_fail: true, ..Faults::default() });
    refused(&around, &log, "a").await?;
    let syncs = around.disk.syncs();
    around.disk.set(Faults::default());
    for _ in 0..10 {
        refused(&around, &log, "a").await?;
    }
    assert_eq!(around.disk.syncs(), syncs);
    Ok(())
}

#[tokio::test]
async fn state_changes_can_be_awaited() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    let mut state = log.watch_state();
    around.disk.set(Faults { syncs_fail: true, ..Faults::default() });
    refused(&around, &log, "a").await?;
    let failing = state.wait_for(|state| *state != LogState::Healthy).await?.clone();
    assert!(
        matches!(failing, LogState::Failing { ref reason, .. } if reason.contains("fsync")),
        "{failing:?}"
    );
    around.disk.set(Faults::default());
    state.wait_for(|state| *state == LogState::Healthy).await?;
    Ok(())
}

/// Scenario: killed between write and fsync, started again, then the power fails.
/// Guarantee: what the second process replayed is there for the third.
#[tokio::test]
async fn what_is_replayed_is_durable() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.append(&log, "a").await?;
    // The write succeeds, then the process is gone.
    around.disk.set(Faults { operations_left: Some(1), ..Faults::default() });
    refused(&around, &log, "b").await?;
    drop(log);
    around.disk.set(Faults::default());
    let (log, replay) = around.open()?;
    let expected = [(1, "a".to_owned()), (2, "b".to_owned())];
    assert_eq!(replayed(replay)?, expected);
    drop(log);
    around.disk.lose_power(0, Names::Confirmed);
    let (_log, replay) = around.open()?;
    assert_eq!(replayed(replay)?, expected);
    Ok(())
}
