//! Merging changes files and no answer.

use std::sync::Arc;

use causeway_testkit::nasty;

use super::super::merge::{MergeError, merge};
use super::super::pace::Pace;
use super::super::plan::Merge;
use super::super::round;
use super::{NOON, Seen, TestResult, World, read, span};
use crate::table::{Change, SpansTable};

/// Scenario: files are merged and deleted while snapshots from before are held.
/// Guarantee: every snapshot answers the same before, during and after; its files stay until it
/// is dropped and go then.
#[tokio::test]
async fn a_snapshot_answers_the_same_before_and_after() -> TestResult {
    let mut world = World::open(|_| ()).await?;
    world.file(&[span(1, 1, "a"), span(2, 1, "b"), span(9, 1, "z")]).await?;
    world.file(&[span(2, 2, "c"), span(3, 1, "d")]).await?;
    let before = world.store.snapshot().await?;
    let expected = read(&before)?;
    assert_eq!(expected.len(), 5);
    world.append(&[span(4, 4, "late")]).await?;
    world.store.maintain().await?;
    assert_eq!(world.levels(), [0, 1, 0]);
    assert_eq!(read(&before)?, expected);
    assert_eq!(world.on_disk()?.len(), 3, "the snapshot holds the merged files' inputs");
    drop(before);
    world.store.maintain().await?;
    assert_eq!(world.on_disk()?, world.live());
    assert_eq!(world.spans().await?.len(), 6);
    Ok(())
}

/// Scenario: the generated requests with every value OTLP allows, in many files of many days, are
/// merged. Guarantee: the same bytes come back.
#[tokio::test]
async fn merging_keeps_every_value() -> TestResult {
    let mut world = World::open(|settings| settings.compaction_files = 3).await?;
    for request in nasty::requests().take(30) {
        let payload = prost::Message::encode_to_vec(&request);
        let (columns, _) = causeway_model::otlp::decode(&payload, NOON)?;
        world.requests += 1;
        let digest = world.requests;
        let payload = payload.into();
        let request = crate::Request { received_at_unix_nano: NOON, digest, payload, columns };
        world.store.append(request).await?;
        world.store.flush().await?;
    }
    let written = |snapshot: crate::Snapshot| -> Result<Vec<_>, Box<dyn std::error::Error>> {
        let mut out = Vec::new();
        snapshot.read(&mut |batch| {
            causeway_model::otlp::write_protobuf(std::slice::from_ref(batch), &mut out)
                .expect("writes");
        })?;
        let all = prost::Message::decode(out.as_slice())?;
        Ok(causeway_testkit::flat::sorted(&all))
    };
    let before = written(world.store.snapshot().await?)?;
    world.store.maintain().await?;
    assert!(world.levels()[1] + world.levels()[2] > 0);
    assert_eq!(written(world.store.snapshot().await?)?, before);
    world.crash().await?;
    assert!(crate::verify(world.dir.path()).await?.is_sound());
    Ok(())
}

fn forget_everything(settings: &mut crate::StoreSettings) {
    settings.span_dedup_max = 1;
    settings.compaction_files = 4;
}

/// Scenario: copies and conflicts that the window of spans did not recognise lie in several files.
/// Guarantee: the merge keeps one of each copy, and of spans with equal ids but one is flagged.
#[tokio::test]
async fn a_merge_leaves_copies_out_and_flags_conflicts() -> TestResult {
    let mut world = World::open(forget_everything).await?;
    let moved = |name: &str, by| (5, 1, name.to_owned(), NOON + by);
    world.file(&[span(1, 1, "a"), span(2, 1, "b"), moved("one", 0)]).await?;
    world.file(&[span(1, 1, "a"), span(3, 3, "c"), moved("two", 7)]).await?;
    world.file(&[span(1, 1, "a"), span(2, 1, "other"), moved("two", 7)]).await?;
    world.file(&[span(1, 2, "d"), span(2, 1, "b"), moved("three", -7)]).await?;
    assert_eq!(world.spans().await?.len(), 12);
    world.store.maintain().await?;
    assert_eq!(world.levels(), [0, 1, 0]);
    let expected: Vec<Seen> = vec![
        span(1, 1, "a"),
        span(1, 2, "d"),
        span(2, 1, "b"),
        span(2, 1, "other!"),
        span(3, 3, "c"),
        moved("one!", 0),
        moved("three", -7),
        moved("two!", 7),
    ];
    assert_eq!(world.spans().await?, expected);
    let metrics = &world.store.inner.metrics.maintenance;
    assert_eq!((metrics.compaction_copies.get(), metrics.compaction_conflicts.get()), (4, 3));
    Ok(())
}

/// Scenario: one trace is much larger than what a merge holds in memory, half of it copied in a
/// second file. Guarantee: no copy survives at the borders of rounds.
#[tokio::test]
async fn copies_of_a_huge_trace_are_found_across_rounds() -> TestResult {
    let mut world = World::open(|settings| settings.span_dedup_max = 1).await?;
    let huge = |count: i64| (0..count).map(|at| (7, 7, "same".to_owned(), NOON + at));
    world.file(&huge(80_000).collect::<Vec<_>>()).await?;
    world.file(&huge(40_000).collect::<Vec<_>>()).await?;
    assert_eq!(world.spans().await?.len(), 120_000);
    world.store.maintain().await?;
    assert_eq!(world.levels(), [0, 1, 0]);
    let starts: Vec<i64> = world.spans().await?.iter().map(|seen| seen.3).collect();
    let mut distinct = starts.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((starts.len(), distinct.len()), (80_000, 80_000));
    Ok(())
}

/// Scenario: tens of thousands of spans claim the same ids and start, in two files.
/// Guarantee: they are told apart in reasonable time, and each stays once.
#[tokio::test]
async fn many_spans_with_one_key_are_told_apart() -> TestResult {
    let mut world = World::open(|settings| settings.span_dedup_max = 1).await?;
    let same: Vec<Seen> = (0..50_000).map(|at| span(7, 7, &at.to_string())).collect();
    world.file(&same).await?;
    world.file(&same).await?;
    world.store.maintain().await?;
    assert_eq!(world.levels(), [0, 1, 0]);
    assert_eq!(world.spans().await?.len(), 50_000);
    Ok(())
}

/// Scenario: two handles of the table, as of two processes, merge the same files.
/// Guarantee: the second commit is refused, on a stale and on a fresh snapshot.
#[tokio::test]
async fn files_are_merged_once() -> TestResult {
    let mut world = World::open(|_| ()).await?;
    world.file(&[span(1, 1, "a")]).await?;
    world.file(&[span(2, 2, "b")]).await?;
    let mut first = SpansTable::open(world.folder()).await?;
    let mut second = SpansTable::open(world.folder()).await?;
    let inputs = first.files()?;
    let plan = Merge { day: "2026-09-21".to_owned(), inputs, level: 1 };
    let merged = || {
        merge(&world.folder(), &plan, &mut Pace::new(1.0, &|| false, &|| false))
            .map(|merged| [merged.file.add])
    };
    let (one, two) = (merged()?, merged()?);
    assert!(first.replace(&plan.inputs, &one, Change::Rewrite, 1).await?);
    assert!(!second.replace(&plan.inputs, &two, Change::Rewrite, 1).await?);
    assert!(!second.replace(&plan.inputs, &two, Change::Rewrite, 1).await?);
    assert!(!second.replace(&plan.inputs, &[], Change::Expire, 1).await?);
    // Asked again for what was done, because the answer was lost.
    assert!(first.replace(&plan.inputs, &one, Change::Rewrite, 1).await?);
    assert_eq!(second.files()?.len(), 1);
    // The store itself learns of it with its next commit.
    assert!(round(&world.store.inner).await?);
    assert_eq!(world.spans().await?.len(), 2);
    assert_eq!(world.live().len(), 1);
    Ok(())
}

/// Scenario: one file is not a Parquet file any more. Guarantee: it is left alone and named, and
/// the others are still merged.
#[tokio::test]
async fn a_damaged_file_does_not_stop_the_others() -> TestResult {
    let mut world = World::open(|_| ()).await?;
    for at in 1..4 {
        world.file(&[span(at, at, "a")]).await?;
    }
    let files = world.store.inner.recent.files();
    std::fs::write(world.table().join(&files[0].path), b"nothing")?;
    world.store.maintain().await?;
    assert_eq!(world.levels(), [1, 1, 0]);
    assert_eq!(world.store.inner.metrics.maintenance.failures.get(), 1);
    Ok(())
}

/// Scenario: the store closes while a merge is paused by a crowd. Guarantee: the merge ends and
/// leaves no file.
#[tokio::test]
async fn a_merge_ends_with_the_store() -> TestResult {
    let mut world = World::open(|_| ()).await?;
    world.file(&[span(1, 1, "a")]).await?;
    world.file(&[span(2, 2, "b")]).await?;
    let inputs: Vec<Arc<_>> = world.store.inner.recent.files().to_vec();
    let plan = Merge { day: "2026-09-21".to_owned(), inputs, level: 1 };
    let ended = merge(&world.folder(), &plan, &mut Pace::new(0.5, &|| true, &|| true));
    assert!(matches!(ended, Err(MergeError::Stopped)));
    assert_eq!(world.on_disk()?, world.live());
    Ok(())
}

/// Scenario: the table is in use for more commits than a checkpoint apart.
/// Guarantee: a checkpoint is written, and the next start finds it.
#[tokio::test]
async fn checkpoints_are_written() -> TestResult {
    let mut world = World::open(|_| ()).await?;
    for at in 1..=51 {
        world.file(&[span(at, 1, "a")]).await?;
    }
    assert_eq!(crate::table::checkpoint_version(&world.table()), 0);
    world.store.maintain().await?;
    assert!(crate::table::checkpoint_version(&world.table()) >= 50);
    world.crash().await?;
    assert_eq!(world.spans().await?.len(), 51);
    Ok(())
}
