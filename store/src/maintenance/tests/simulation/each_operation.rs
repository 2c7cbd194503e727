//! What can go wrong, operation by operation: small scenarios in which each operation fails once or is
//! the last before a power cut. What random schedules found is here too.

use super::super::HOUR;
use super::faults::{Armed, Done, Fault, Faults, Target, WHOLE};
use super::random::Random;
use super::reading::Reader;
use super::schedule::Outcome;
use super::spans::Seen;
use super::world::World;
use crate::maintenance::survey;

/// More operations than any scenario has.
const OPERATIONS_MAX: u64 = 200;

/// How much of an operation is done, and whether the power fails with it.
const ENDS: [(Done, bool); 6] =
    [(0, false), (100, false), (WHOLE, false), (0, true), (100, true), (WHOLE, true)];

/// Ways in which a power cut can end.
const POWER_CUTS: u64 = 4;

async fn running() -> Outcome<World> {
    let mut world = World::new()?;
    world.start(Faults::default()).await?;
    Ok(world)
}

fn span(world: &World, span: u8) -> Seen {
    Seen { trace: 1, span, name: 'a', start: world.now() - i64::from(span) * HOUR }
}

fn arm(world: &World, target: Target, after: u64, times: u64, fault: Fault) {
    world.faults.arm(Armed { target, after, times, fault });
}

/// All that is visible.
async fn visible(world: &World) -> Outcome<Vec<Seen>> {
    Ok(Reader::default().ask(&world.store().snapshot().await?)?.spans)
}

/// Scenario: a start is ended at each operation, with and without the power.
/// Guarantee: the next start works.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_may_die_at_any_operation() -> Outcome {
    for after in 0..OPERATIONS_MAX {
        for (done, loses_power) in ENDS {
            let mut world = World::new()?;
            let faults = Faults::default();
            let fault = Fault::Die(done);
            faults.arm(Armed { target: Target::All, after, times: 1, fault });
            if world.start(faults).await.is_ok() {
                return Ok(());
            }
            if loses_power {
                world.lose_power(&mut Random::new(after)).await?;
            }
            let started = world.start(Faults::default()).await;
            started.map_err(|error| format!("died at {after}, {done} done: {error}"))?;
        }
    }
    Err("it never gets through".into())
}

/// Scenario: each operation of a flush fails once, before or after it took effect; the flush is tried
/// again; the power fails. Guarantee: every span is there once, at any time.
#[tokio::test(flavor = "multi_thread")]
async fn a_flush_may_fail_at_any_operation() -> Outcome {
    each_operation_of_a_flush(Fault::Fail).await
}

/// Scenario: each operation of a flush is the last before a crash or a power cut; the flush is tried
/// again; the power fails. Guarantee: the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_flush_may_die_at_any_operation() -> Outcome {
    each_operation_of_a_flush(Fault::Die).await
}

async fn each_operation_of_a_flush(fault: fn(Done) -> Fault) -> Outcome {
    for after in 0..OPERATIONS_MAX {
        for (done, loses_power) in ENDS {
            let mut world = running().await?;
            let spans = [span(&world, 1), span(&world, 2)];
            world.append(&spans).await?;
            let mut spans = spans.to_vec();
            spans.sort();
            arm(&world, Target::Table, after, 1, fault(done));
            let flushed = world.store().flush().await;
            if !world.faults.has_struck() {
                return Ok(());
            }
            let at = || format!("{fault:?} at {after}", fault = fault(done));
            if world.faults.is_dead() {
                if loses_power {
                    world.lose_power(&mut Random::new(after)).await?;
                } else {
                    world.die().await;
                }
                world.start(Faults::default()).await.map_err(|e| format!("{}: {e}", at()))?;
            }
            for step in ["first", "again", "power cut"] {
                match step {
                    "again" => world.store().flush().await?,
                    "power cut" => {
                        world.lose_power(&mut Random::new(after)).await?;
                        world.start(Faults::default()).await?;
                    }
                    _ => {}
                }
                let seen = visible(&world).await?;
                if seen != spans {
                    return Err(format!("{}, {flushed:?}, {step}: {seen:?}", at()).into());
                }
            }
        }
    }
    Err("it never gets through".into())
}

/// Scenario: a flush is committed, but the answer is lost, and so is what the table says next.
/// Guarantee: its spans are seen once, and the next flush does not write them again.
#[tokio::test(flavor = "multi_thread")]
async fn a_flush_whose_answer_was_lost_is_not_repeated() -> Outcome {
    let mut world = running().await?;
    let spans = [span(&world, 3), span(&world, 2), span(&world, 1)];
    let visible_spans = |count: usize| {
        let mut spans = spans[..count].to_vec();
        spans.sort();
        spans
    };
    world.append(&spans[..1]).await?;
    world.store().flush().await?;
    world.append(&spans[1..2]).await?;
    // All from the moment of the commit on: before it are the fsync of what was there, and those of
    // the new file.
    arm(&world, Target::DeltaLog, 4, 60, Fault::Fail(WHOLE));
    assert!(world.store().flush().await.is_err());
    world.faults.disarm();
    assert_eq!(visible(&world).await?, visible_spans(2));
    world.append(&spans[2..]).await?;
    world.store().maintain().await?;
    assert_eq!(visible(&world).await?, visible_spans(3));
    world.store().flush().await?;
    assert_eq!(visible(&world).await?, visible_spans(3));
    Ok(())
}

/// Scenario: a process dies right after its commit was visible; the next one reads it, and the power
/// fails. Guarantee: the log was not released for a commit that is gone.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_start_reads_of_the_table_is_durable() -> Outcome {
    for power_cut in 0..POWER_CUTS {
        let mut world = running().await?;
        let spans = [span(&world, 1)];
        world.append(&spans).await?;
        world.store().flush().await?;
        let later = [span(&world, 2)];
        world.append(&later).await?;
        arm(&world, Target::Commit, 0, 1, Fault::Die(WHOLE));
        assert!(world.store().flush().await.is_err());
        world.die().await;
        world.start(Faults::default()).await?;
        world.lose_power(&mut Random::new(power_cut)).await?;
        world.start(Faults::default()).await?;
        assert_eq!(visible(&world).await?, [spans, later].concat(), "{power_cut}");
    }
    Ok(())
}

/// Scenario: merged files cannot be committed for a while. Guarantee: none of them stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_cannot_be_committed_leaves_no_file() -> Outcome {
    let mut world = running().await?;
    for at in 1..4 {
        let spans = [Seen { start: world.now(), ..span(&world, at) }];
        world.append(&spans).await?;
        world.store().flush().await?;
    }
    arm(&world, Target::Commit, 0, 60, Fault::Fail(0));
    assert!(world.store().maintain().await.is_err());
    world.faults.disarm();
    let inner = &world.store().inner;
    let found = survey(inner.folder.root(), &inner.recent.files(), Vec::new())?;
    assert_eq!(found.unnamed, Vec::<String>::new());
    world.store().maintain().await?;
    assert_eq!(world.store().inner.recent.files().len(), 1);
    Ok(())
}
