//! What expires goes, what is read stays until it was read.

use std::sync::Arc;
use std::time::Duration;

use super::{HOUR, NOON, TestResult, World, read, span};
use crate::table::{Change, SpansTable};

fn keep_a_day(settings: &mut crate::StoreSettings) {
    settings.retention_age = Some(Duration::from_secs(24 * 3600));
    settings.compaction_cpu_share = 0.0;
}

#[tokio::test]
async fn old_files_go_by_age() -> TestResult {
    let mut world = World::open(keep_a_day).await?;
    world.file(&[(1, 1, "old".to_owned(), NOON - 25 * HOUR)]).await?;
    world.file(&[(2, 2, "new".to_owned(), NOON - 23 * HOUR)]).await?;
    let before = world.store.snapshot().await?;
    world.store.maintain().await?;
    assert_eq!(world.spans().await?, [(2, 2, "new".to_owned(), NOON - 23 * HOUR)]);
    assert_eq!(read(&before)?.len(), 2, "a snapshot from before still answers");
    drop(before);
    world.advance(2 * HOUR);
    world.store.maintain().await?;
    assert_eq!(world.spans().await?, []);
    assert!(world.on_disk()?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_oldest_files_go_by_size() -> TestResult {
    let mut world = World::open(|settings| {
        settings.compaction_cpu_share = 0.0;
        settings.retention_bytes = Some(30_000);
    })
    .await?;
    for at in 1..=20 {
        world.file(&[(at, at, "a".to_owned(), NOON - i64::from(at) * HOUR)]).await?;
    }
    world.store.maintain().await?;
    let sizes = world.store.inner.recent.sizes();
    assert!(sizes.file_bytes <= 30_000 && sizes.file_bytes > 15_000, "{}", sizes.file_bytes);
    let traces: Vec<u8> = world.spans().await?.iter().map(|seen| seen.0).collect();
    let newest: Vec<u8> = (1..=sizes.files as u8).collect();
    assert_eq!(traces, newest);
    Ok(())
}

/// Scenario: retention commits between the look at the table and the commit of a flush.
/// Guarantee: the flush is tried again and succeeds.
#[tokio::test]
async fn a_flush_that_races_with_retention_succeeds() -> TestResult {
    let mut world = World::open(keep_a_day).await?;
    world.file(&[span(1, 1, "a")]).await?;
    let mut other = SpansTable::open(world.folder()).await?;
    let files = other.files()?;
    assert!(other.replace(&files, &[], Change::Expire, 1).await?);
    world.file(&[span(2, 2, "b")]).await?;
    assert_eq!(world.spans().await?, [span(2, 2, "b")]);
    Ok(())
}

/// Scenario: a file left the table a while ago, seen by the same and by the next process.
/// Guarantee: it is deleted when the time for other readers is over, not before.
#[tokio::test]
async fn other_readers_are_given_time_also_after_a_restart() -> TestResult {
    let mut world = World::open(|settings| {
        settings.vacuum_retention = Duration::from_secs(600);
    })
    .await?;
    world.file(&[span(1, 1, "a")]).await?;
    world.file(&[span(2, 2, "b")]).await?;
    world.store.maintain().await?;
    assert_eq!((world.live().len(), world.on_disk()?.len()), (1, 3));
    for _ in 0..2 {
        world.advance(299_000_000_000);
        world.store.maintain().await?;
        assert_eq!(world.on_disk()?.len(), 3);
        world.crash().await?;
        assert_eq!(world.store.inner.maintenance.waiting(), 2);
    }
    let report = crate::verify(world.dir.path()).await?;
    assert!(report.is_sound() && report.findings.len() == 1, "{:?}", report.findings);
    world.advance(2_000_000_000);
    world.store.maintain().await?;
    assert_eq!(world.on_disk()?, world.live());
    Ok(())
}

/// Scenario: files that no commit names lie in the table at start: ours and another tool's.
/// Guarantee: ours go, the other tool's stays, `verify` tells both and calls neither damage.
#[tokio::test]
async fn leftovers_go_at_start_and_foreign_files_stay() -> TestResult {
    let mut world = World::open(|_| ()).await?;
    world.file(&[span(1, 1, "a")]).await?;
    let day = world.table().join("day=2026-09-21");
    let flushed = format!("{}-1-2.parquet", world.store.inner.writer);
    for name in [flushed.as_str(), "merged-1-0a.parquet", "part-0.parquet"] {
        std::fs::write(day.join(name), b"half a file")?;
    }
    let report = crate::verify(world.dir.path()).await?;
    assert!(report.is_sound() && report.findings.len() == 1, "{:?}", report.findings);
    world.crash().await?;
    let mut expected = world.live();
    expected.insert("day=2026-09-21/part-0.parquet".to_owned());
    assert_eq!(world.on_disk()?, expected);
    assert_eq!(Arc::strong_count(&world.store.inner.recent.files()), 2);
    Ok(())
}
