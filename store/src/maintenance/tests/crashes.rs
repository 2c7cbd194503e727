//! Dying at every step: each span is there once after the next start.

use super::super::round;
use super::super::run::Step;
use super::{HOUR, TestResult, World, span};

const STEPS: [Step; 4] = [Step::Planned, Step::Written, Step::Committed, Step::Swapped];

/// Scenario: the process dies at each step of a merge, before the files are deleted and after.
/// Guarantee: every span is there once, no file is left that nobody names.
#[tokio::test]
async fn a_merge_may_die_anywhere() -> TestResult {
    for step in STEPS {
        let mut world = World::open(|_| ()).await?;
        world.file(&[span(1, 1, "a"), span(2, 1, "b")]).await?;
        world.file(&[span(1, 2, "c"), span(3, 1, "d")]).await?;
        world.append(&[span(3, 2, "in the log")]).await?;
        let expected = world.spans().await?;
        world.store.inner.maintenance.faults.die_at(step);
        assert!(round(&world.store.inner).await.is_err(), "{step:?}");
        assert_eq!(world.spans().await?, expected, "{step:?}, still running");
        world.crash().await?;
        assert_eq!(world.spans().await?, expected, "{step:?}");
        world.store.maintain().await?;
        assert_eq!(world.spans().await?, expected, "{step:?}");
        assert_eq!(world.on_disk()?, world.live(), "{step:?}");
        assert_eq!(world.levels(), [0, 1, 0], "{step:?}");
    }
    Ok(())
}

/// Scenario: the same for retention. Guarantee: what expired is gone after the next round, what
/// did not is there once.
#[tokio::test]
async fn retention_may_die_anywhere() -> TestResult {
    for step in [Step::Planned, Step::Committed, Step::Swapped] {
        let mut world = World::open(|settings| {
            settings.retention_age = Some(std::time::Duration::from_secs(3600));
        })
        .await?;
        let (old, new) = (span(1, 1, "a"), (2, 2, "b".to_owned(), super::NOON + HOUR));
        world.file(&[old]).await?;
        world.file(std::slice::from_ref(&new)).await?;
        world.advance(HOUR + 1_000_000);
        world.store.inner.maintenance.faults.die_at(step);
        assert!(round(&world.store.inner).await.is_err(), "{step:?}");
        world.crash().await?;
        world.store.maintain().await?;
        assert_eq!(world.spans().await?, [new], "{step:?}");
        assert_eq!(world.on_disk()?, world.live(), "{step:?}");
    }
    Ok(())
}
