//! The maintenance of one process: one round after the other, until the store is closed.
//!
//! The long work happens without any lock. Commit and swap of the visible files happen together
//! under the table's lock, so that a flush waits for one commit at most and the lists of files
//! become visible in the order in which they were committed.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::merge::{MergeError, Merged, merge};
use super::pace::Pace;
use super::plan::{self, Merge};
use super::vacuum::{Waiting, survey};
use crate::StoreError;
use crate::flush::{blocking, show};
use crate::settings::StoreSettings;
use crate::store::Inner;
use crate::table::{Change, DataFile, MERGED_PREFIX, checkpoint_version};

/// How often it is looked whether there is something to do.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How soon the end of the store is noticed.
const NAP: Duration = Duration::from_millis(100);

/// Pause after a failed round; doubles up to the second value.
const RETRY_PAUSE_FIRST: Duration = Duration::from_secs(2);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(300);

/// Commits between two checkpoints: opening costs about 1 ms a commit since the last one.
const COMMITS_PER_CHECKPOINT: u64 = 50;

/// What maintenance remembers from round to round.
#[derive(Debug)]
pub(crate) struct Maintenance {
    /// One round at a time.
    turn: tokio::sync::Mutex<()>,
    waiting: Mutex<Waiting>,
    /// Files that cannot be merged, until the next start.
    aside: Mutex<HashSet<String>>,
    /// Version of the newest checkpoint.
    checkpoint: AtomicU64,
    #[cfg(test)]
    pub(super) faults: super::tests::Faults,
}

impl Maintenance {
    pub(crate) fn new(settings: &StoreSettings) -> Self {
        Self {
            turn: tokio::sync::Mutex::default(),
            waiting: Mutex::default(),
            aside: Mutex::default(),
            checkpoint: AtomicU64::new(checkpoint_version(&settings.table_dir())),
            #[cfg(test)]
            faults: super::tests::Faults::default(),
        }
    }

    /// Files that left the table and are still on disk.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Where tests let the process die.
    #[cfg(test)]
    fn reach(&self, step: Step) -> Result<(), StoreError> {
        self.faults.reach(step)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests let the process die here")]
    fn reach(&self, _step: Step) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Moments between which a crash leaves different things behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Planned,
    Written,
    Committed,
    Swapped,
}

/// Keeps the table in shape until the store is closed.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut pause = RETRY_PAUSE_FIRST;
    let mut next = Instant::now() + LOOK_INTERVAL;
    while !inner.is_closing() {
        if Instant::now() < next {
            tokio::time::sleep(NAP).await;
            continue;
        }
        match round(&inner).await {
            Ok(is_more) => {
                pause = RETRY_PAUSE_FIRST;
                next = Instant::now() + if is_more { NAP } else { LOOK_INTERVAL };
            }
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, retry_in = ?pause, "maintenance failed; nothing is lost");
                inner.metrics.maintenance.failures.inc();
                next = Instant::now() + pause;
                pause = (pause * 2).min(RETRY_PAUSE_MAX);
            }
        }
    }
}

/// Does what is due, at most one merge; `true` if there may be more to do.
pub(crate) async fn round(inner: &Arc<Inner>) -> Result<bool, StoreError> {
    let _turn = inner.maintenance.turn.lock().await;
    write_checkpoint(inner).await?;
    expire(inner).await?;
    let has_merged = compact(inner).await?;
    sweep(inner).await?;
    Ok(has_merged)
}

fn now_unix_ms(inner: &Inner) -> i64 {
    (inner.settings.clock)() / 1_000_000
}

async fn write_checkpoint(inner: &Inner) -> Result<(), StoreError> {
    let (version, checkpointer) = {
        let table = inner.table.lock().await;
        (table.version(), table.checkpointer())
    };
    let newest = &inner.maintenance.checkpoint;
    if version < newest.load(Ordering::Relaxed) + COMMITS_PER_CHECKPOINT {
        return Ok(());
    }
    checkpointer.write().await?;
    newest.store(version, Ordering::Relaxed);
    Ok(())
}

/// Drops the files that retention lets go.
async fn expire(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let settings = &inner.settings;
    let (age, bytes) = (settings.retention_age, settings.retention_bytes);
    let files = plan::expired(&inner.recent.files(), now_unix_ms(inner), age, bytes);
    if files.is_empty() {
        return Ok(());
    }
    inner.maintenance.reach(Step::Planned)?;
    let (count, spans) = (files.len(), files.iter().map(|file| file.rows).sum());
    if replace(inner, files, &[], Change::Expire).await? {
        inner.metrics.maintenance.expired_files.inc_by(count as u64);
        inner.metrics.maintenance.expired_spans.inc_by(spans);
        tracing::info!(files = count, spans, "dropped what is beyond retention");
    }
    Ok(())
}

/// Merges the files that are due first; `false` if there is nothing to merge.
async fn compact(inner: &Arc<Inner>) -> Result<bool, StoreError> {
    let settings = &inner.settings;
    if settings.compaction_cpu_share <= 0.0 {
        return Ok(false);
    }
    let plan = {
        let aside = inner.maintenance.aside.lock();
        let (files, now) = (inner.recent.files(), now_unix_ms(inner));
        plan::next_merge(&files, now, settings.compaction_files.max(2), &aside)
    };
    let Some(plan) = plan else {
        return Ok(false);
    };
    inner.maintenance.reach(Step::Planned)?;
    let (merged, plan) = match merge_in_background(inner, plan).await {
        (Ok(merged), plan) => (merged, plan),
        (Err(MergeError::Stopped), _) => return Err(StoreError::Closed),
        (Err(MergeError::Store(error)), _) => return Err(error),
        (Err(MergeError::Input { path, reason }), _) => {
            tracing::error!(
                path,
                reason,
                "a file of the table cannot be merged and is left as it is"
            );
            inner.metrics.maintenance.failures.inc();
            inner.maintenance.aside.lock().insert(path);
            return Ok(true);
        }
    };
    inner.maintenance.reach(Step::Written)?;
    let inputs = plan.inputs.len();
    let added = std::slice::from_ref(&merged.file.add);
    match replace(inner, plan.inputs, added, Change::Rewrite).await {
        Ok(true) => report(inner, &merged, inputs, plan.level),
        Ok(false) => {
            tracing::warn!("files changed during their merge, which is left out");
            merged.file.discard(&inner.folder);
        }
        Err(error) => {
            // It may hide a commit that happened: the file goes only when it surely did not.
            let mut table = inner.table.lock().await;
            if table.refresh().await.is_ok() && !table.are_live(added)? {
                merged.file.discard(&inner.folder);
            }
            return Err(error);
        }
    }
    Ok(true)
}

async fn merge_in_background(
    inner: &Arc<Inner>,
    plan: Merge,
) -> (Result<Merged, MergeError>, Merge) {
    let worker = Arc::clone(inner);
    let spare = plan.clone();
    let done = blocking(move || {
        let settings = &worker.settings;
        let is_crowded = || worker.recent.bytes() > settings.recent_bytes_max / 2;
        let is_stopped = || worker.is_closing();
        let mut pace = Pace::new(settings.compaction_cpu_share, &is_stopped, &is_crowded);
        Ok((merge(&worker.folder, &plan, &mut pace), plan))
    });
    done.await.unwrap_or_else(|error| (Err(error.into()), spare))
}

/// Commits and shows the new list of files, in one step for flushes and queries. `false`: another
/// process changed the files before, and nothing was committed.
async fn replace(
    inner: &Inner,
    removed: Vec<Arc<DataFile>>,
    added: &[deltalake::kernel::Add],
    change: Change,
) -> Result<bool, StoreError> {
    let now_unix_ms = now_unix_ms(inner);
    let mut table = inner.table.lock().await;
    let is_done = table.replace(&removed, added, change, now_unix_ms).await?;
    inner.maintenance.reach(Step::Committed)?;
    show(inner, &mut table).await?;
    drop(table);
    inner.maintenance.reach(Step::Swapped)?;
    if is_done {
        inner.maintenance.waiting.lock().add(removed, now_unix_ms);
    }
    Ok(is_done)
}

fn report(inner: &Inner, merged: &Merged, files: usize, level: u8) {
    let metrics = &inner.metrics.maintenance;
    let written = merged.rows - merged.copies;
    metrics.compactions.inc();
    metrics.compaction_spans.inc_by(written);
    metrics.compaction_bytes.inc_by(merged.file.bytes);
    metrics.compaction_busy_seconds.inc_by(merged.busy.as_secs_f64());
    metrics.compaction_copies.inc_by(merged.copies);
    metrics.compaction_conflicts.inc_by(merged.conflicts);
    tracing::info!(
        files,
        level,
        spans = written,
        copies = merged.copies,
        conflicts = merged.conflicts,
        bytes = merged.file.bytes,
        busy = ?merged.busy,
        ns_per_span = merged.busy.as_nanos() as u64 / merged.rows.max(1),
        "merged files"
    );
}

/// Deletes files that left the table and that nobody reads.
async fn sweep(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let worker = Arc::clone(inner);
    blocking(move || {
        let settings = &worker.settings;
        let mut waiting = worker.maintenance.waiting.lock();
        let deleted = waiting
            .sweep(&worker.folder, now_unix_ms(&worker), settings.vacuum_retention)
            .map_err(|error| StoreError::failing("delete a file that left the table", error))?;
        worker.metrics.maintenance.files_deleted.inc_by(deleted);
        Ok(())
    })
    .await
}

/// At start: finds the files that left the table earlier, and deletes what an interrupted flush or
/// merge of this folder wrote. Nothing else writes to the table yet.
pub(crate) async fn clean_up(inner: &Inner) -> Result<(), StoreError> {
    let mut table = inner.table.lock().await;
    // Another process may have ended between the opening of the table and that of the log.
    table.refresh().await?;
    show(inner, &mut table).await?;
    let files = table.files()?;
    let folder = &inner.folder;
    let found = survey(folder.root(), &files, table.tombstones().await?)
        .map_err(|error| StoreError::failing("list the table's folder", error))?;
    let mut waiting = inner.maintenance.waiting.lock();
    for (path, left_ms) in found.left {
        waiting.add([Arc::new(DataFile::from_log(path, 0, 0, None))], left_ms);
    }
    for path in found.unnamed {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(MERGED_PREFIX) && !name.starts_with(&inner.writer) {
            continue;
        }
        tracing::info!(path, "deleting what an interrupted flush or merge left");
        match folder.remove_with_summary(&path) {
            Ok(()) => _ = inner.metrics.maintenance.files_deleted.inc(),
            Err(error) => tracing::warn!(path, %error, "cannot delete a leftover"),
        }
    }
    Ok(())
}
