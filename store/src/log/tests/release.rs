//! Releasing: only what the table holds goes, numbers are never used again, and crashes in between do no harm.

use std::path::PathBuf;

use super::faulty_disk::{Faults, Names};
use super::{Surroundings, TestResult, replayed, stored, until};
use crate::log::Appended::Duplicate;

#[tokio::test]
async fn only_fully_released_segments_go() -> TestResult {
    let mut around = Surroundings::new();
    // Two records a segment.
    around.settings.segment_bytes_max = 48 + 2 * 49;
    let (log, _) = around.open()?;
    for text in ["a", "b", "c", "d", "e"] {
        around.append(&log, text).await?;
    }
    assert_eq!((around.files(".log").len(), log.size_bytes()), (3, 2 * 146 + 97));
    log.release(1);
    log.release(3);
    until(|| log.size_bytes() == 146 + 97).await?;
    log.release(3);
    drop(log);
    let (log, replay) = around.open()?;
    assert_eq!(
        replayed(replay)?,
        [(4, "d".to_owned()), (5, "e".to_owned())],
        "what was released is not replayed, although its segment stays"
    );
    log.release(5);
    drop(log);
    assert_eq!(around.files(".log"), Vec::<PathBuf>::new());
    Ok(())
}

#[tokio::test]
async fn numbers_are_never_used_again() -> TestResult {
    let around = Surroundings::new();
    for expected in 1..6 {
        let (log, replay) = around.open()?;
        assert_eq!(replayed(replay)?, []);
        assert_eq!(around.append(&log, &format!("{expected}")).await?, stored(expected));
        log.release(expected);
    }
    assert_eq!(around.files(".log"), Vec::<PathBuf>::new());
    Ok(())
}

#[tokio::test]
async fn release_beyond_the_end_does_not_skip_numbers() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    around.append(&log, "a").await?;
    log.release(u64::MAX);
    drop(log);
    let (log, _) = around.open()?;
    assert_eq!(around.append(&log, "b").await?, stored(2));
    Ok(())
}

#[tokio::test]
async fn replay_passes_over_what_is_released_meanwhile() -> TestResult {
    let around = Surroundings::with_small_segments();
    let (log, _) = around.open()?;
    for text in ["a", "b", "c", "d"] {
        around.append(&log, text).await?;
    }
    drop(log);
    let (log, mut replay) = around.open()?;
    assert_eq!(replay.next().ok_or("nothing")??.sequence, 1);
    log.release(3);
    until(|| around.files(".log").len() == 1).await?;
    assert_eq!(replayed(replay)?, [(4, "d".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn a_release_that_fails_is_made_up_for() -> TestResult {
    for faults in [
        Faults { syncs_fail: true, ..Faults::default() },
        Faults { removals_fail: true, ..Faults::default() },
        Faults { space_left: Some(30), ..Faults::default() },
        Faults { dir_syncs_fail: true, ..Faults::default() },
    ] {
        let around = Surroundings::with_small_segments();
        let (log, _) = around.open()?;
        for text in ["a", "b", "c"] {
            around.append(&log, text).await?;
        }
        around.disk.set(faults);
        log.release(2);
        drop(log);
        around.disk.set(Faults::default());
        let (log, _) = around.open()?;
        log.release(2);
        for text in ["a", "b", "c"] {
            assert_eq!(around.append(&log, text).await?, Duplicate);
        }
        drop(log);
        let (log, _) = around.open()?;
        assert_eq!(around.files(".log").len(), 1);
        for text in ["a", "b", "c"] {
            assert_eq!(around.append(&log, text).await?, Duplicate);
        }
    }
    Ok(())
}

/// Scenario: the process dies at any operation of a release. Guarantee: no digest is forgotten, what was not
/// released is replayed, and the next start finishes the work.
#[tokio::test]
async fn dying_at_any_operation_of_a_release_forgets_nothing() -> TestResult {
    for operations in 0..12 {
        let cuts = [
            (0, Names::Confirmed),
            (0, Names::Latest),
            (0, Names::Removals),
            (200, Names::Confirmed),
            (255, Names::Latest),
        ];
        for (kept_of_256, names) in cuts {
            let around = Surroundings::with_small_segments();
            let (log, _) = around.open()?;
            for text in ["a", "b", "c"] {
                around.append(&log, text).await?;
            }
            around.disk.set(Faults { operations_left: Some(operations), ..Faults::default() });
            log.release(2);
            drop(log);
            around.disk.lose_power(kept_of_256, names);
            let (log, replay) = around.open()?;
            assert_eq!(replay.report().damaged, []);
            let records = replayed(replay)?;
            assert_eq!(records.last(), Some(&(3, "c".to_owned())));
            for text in ["a", "b", "c"] {
                assert_eq!(around.append(&log, text).await?, Duplicate, "died after {operations}");
            }
        }
    }
    Ok(())
}
