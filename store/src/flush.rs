//! Moves recent spans into the table, in the background.
//!
//! ```text
//! chunks through sequence S -> sort, Parquet, fsync -> commit (writer, S) -> swap -> release log through S
//! ```
//!
//! A flush may be interrupted anywhere: before the commit the spans are still in the log and in
//! memory, after it the commit's version says that they must not be written again.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::FieldRef;
use tokio::time::Instant;

use crate::StoreError;
use crate::store::Inner;
use crate::table::{SpansTable, write_sorted};

/// How often the flusher looks whether there is something to do.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Spans are sealed in the background when this many bytes wait; a query seals what it needs.
const SEAL_BYTES: u64 = 24 << 20;

/// Pause after a failed flush; doubles up to the second value.
const RETRY_PAUSE_FIRST: Duration = Duration::from_millis(500);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(15);

/// Seals and flushes until the store is closed.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut pause = RETRY_PAUSE_FIRST;
    let mut not_before = Instant::now();
    while !inner.is_closing() {
        tokio::time::sleep(LOOK_INTERVAL).await;
        if inner.recent.pending_bytes() >= SEAL_BYTES
            && let Err(error) = seal(&inner).await
        {
            tracing::error!(%error, "recent spans cannot be sealed");
        }
        if Instant::now() < not_before || !is_due(&inner) {
            continue;
        }
        match flush(&inner).await {
            Ok(()) => pause = RETRY_PAUSE_FIRST,
            Err(error) => {
                tracing::warn!(%error, retry_in = ?pause, "flush failed; spans stay in the log and in memory");
                inner.metrics.flush_failures.inc();
                not_before = Instant::now() + pause;
                pause = (pause * 2).min(RETRY_PAUSE_MAX);
            }
        }
    }
}

fn is_due(inner: &Inner) -> bool {
    let sizes = inner.recent.sizes();
    let is_old = sizes.oldest.is_some_and(|at| at.elapsed() >= inner.settings.flush_interval);
    is_old || sizes.bytes >= inner.settings.flush_bytes
}

/// Seals what is pending, on a blocking thread.
pub(crate) async fn seal(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let worker = Arc::clone(inner);
    blocking(move || worker.recent.seal().map_err(|e| StoreError::failing("seal spans", e))).await
}

/// Loads what the index of files lacks, in the background, so that lookups do not wait for it.
pub(crate) fn warm_index(inner: &Arc<Inner>) {
    let worker = Arc::clone(inner);
    tokio::task::spawn_blocking(move || {
        let files = worker.recent.files();
        worker.recent.index.warm(&files, &|| !worker.is_closing());
    });
}

/// Runs CPU or disk work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::failing("finish background work", error)),
    }
}

/// Writes everything recent to the table. One flush at a time.
pub(crate) async fn flush(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let mut table = inner.table.lock().await;
    // An earlier commit may have happened although its answer was an error.
    table.refresh().await?;
    show(inner, &mut table).await?;
    let worker = Arc::clone(inner);
    let sealed =
        move || worker.recent.seal_for_flush().map_err(|e| StoreError::failing("seal spans", e));
    let chunks = blocking(sealed).await?;
    let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else {
        return Ok(());
    };
    let started = Instant::now();
    let last_sequence = last.last_sequence;
    let batches: Vec<_> =
        chunks.iter().map(|c| c.batch.clone()).filter(|batch| batch.num_rows() > 0).collect();
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    let stem = format!("{}-{:020}-{last_sequence:020}", inner.writer, first.first_sequence);
    if batches.is_empty() {
        // Only copies: the log must still learn that nothing of them is missing.
        table.append(&inner.writer, last_sequence, &[]).await?;
    } else {
        write_and_commit(inner, &mut table, stem, batches, last_sequence).await?;
    }
    show(inner, &mut table).await?;
    warm_index(inner);
    inner.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
    tracing::debug!(spans = rows, elapsed = ?started.elapsed(), "flushed");
    Ok(())
}

/// Shows the table as it is now: its files, in place of the recent spans that they hold.
pub(crate) async fn show(inner: &Inner, table: &mut SpansTable) -> Result<(), StoreError> {
    let committed = table.committed(&inner.writer).await?;
    inner.recent.show_files(table.files()?, table.attribute_columns()?, committed);
    inner.log.release(committed);
    Ok(())
}

/// The columns that any of the batches has.
fn columns_of(batches: &[RecordBatch]) -> Vec<FieldRef> {
    let mut columns: Vec<FieldRef> = Vec::new();
    for field in batches.iter().flat_map(|batch| batch.schema_ref().fields()) {
        if columns.iter().all(|known| known.name() != field.name()) {
            columns.push(Arc::clone(field));
        }
    }
    columns
}

async fn write_and_commit(
    inner: &Arc<Inner>,
    table: &mut SpansTable,
    stem: String,
    batches: Vec<RecordBatch>,
    version: u64,
) -> Result<(), StoreError> {
    table.add_columns(&columns_of(&batches)).await?;
    let folder = inner.folder.clone();
    let now_unix_ms = (inner.settings.clock)() / 1_000_000;
    let written = blocking(move || write_sorted(&folder, &stem, &batches, now_unix_ms)).await?;
    let adds: Vec<_> = written.iter().map(|file| file.add.clone()).collect();
    let committed = table.append(&inner.writer, version, &adds).await;
    // An error may hide a commit that happened: files go only when it surely did not.
    if committed.is_err()
        && table.refresh().await.is_ok()
        && matches!(table.committed(&inner.writer).await, Ok(at) if at < version)
    {
        written.into_iter().for_each(|file| file.discard(&inner.folder));
    }
    committed
}
