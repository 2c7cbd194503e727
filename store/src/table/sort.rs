//! Recent batches to files of the table: joined, split by day, sorted by trace, start and span.
//!
//! Blocking CPU and disk work. Sorting moves row numbers, not rows; each column is gathered once.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use causeway_model::{SpanRows, columns};

use super::file::{day_number, day_text};
use super::write::{FinishedFile, SortedFileWriter};
use crate::StoreError;

/// Most days one flush may spread over. Spans of further days, which only clocks far off produce,
/// are kept under the day they were received.
const DAYS_PER_FLUSH_MAX: usize = 64;

/// Writes `batches` as one file a day below `table_dir`; names begin with `stem`.
pub(crate) fn write_sorted(
    table_dir: &Path,
    stem: &str,
    batches: &[RecordBatch],
    now_unix_ms: i64,
) -> Result<Vec<FinishedFile>, StoreError> {
    let arrow = |error| StoreError::failing("join recent spans", error);
    let batch = concat_batches(&columns::schema(), batches).map_err(arrow)?;
    let rows = SpanRows::new(&batch).map_err(|e| StoreError::failing("read recent spans", e))?;
    let mut written = Vec::new();
    for (day, mut order) in rows_by_day(&rows) {
        sort(&rows, &mut order);
        let sorted = take_record_batch(&batch, &UInt32Array::from(order)).map_err(arrow)?;
        match write_file(table_dir, &day, stem, &sorted, now_unix_ms) {
            Ok(file) => written.push(file),
            Err(error) => {
                written.into_iter().for_each(FinishedFile::discard);
                return Err(error);
            }
        }
    }
    Ok(written)
}

fn write_file(
    table_dir: &Path,
    day: &str,
    stem: &str,
    sorted: &RecordBatch,
    now_unix_ms: i64,
) -> Result<FinishedFile, StoreError> {
    let mut writer = SortedFileWriter::create(table_dir, day, stem, sorted.num_rows() as u64)?;
    writer.write(sorted)?;
    writer.finish(now_unix_ms)
}

/// Row numbers by UTC day of start, or of receipt where the start is not usable.
fn rows_by_day(rows: &SpanRows<'_>) -> BTreeMap<String, Vec<u32>> {
    let mut days: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for row in 0..rows.len {
        let received = day_number(rows.received_at_unix_nano.value(row));
        let started = rows.start_time_unix_nano.value(row);
        let day = if started > 0 { day_number(started) } else { received };
        let is_one_too_many = days.len() >= DAYS_PER_FLUSH_MAX && !days.contains_key(&day);
        // A sealed batch is far below 2^32 rows.
        days.entry(if is_one_too_many { received } else { day }).or_default().push(row as u32);
    }
    days.into_iter().map(|(day, order)| (day_text(day), order)).collect()
}

/// Sorts row numbers by (trace id, start, span id).
fn sort(rows: &SpanRows<'_>, order: &mut [u32]) {
    let trace = |row: usize| -> u128 {
        let id = rows.trace_id.value(row);
        id.first_chunk().copied().map_or(0, u128::from_be_bytes)
    };
    let span = |row: usize| -> u64 {
        let id = rows.span_id.value(row);
        id.first_chunk().copied().map_or(0, u64::from_be_bytes)
    };
    order.sort_by_cached_key(|row| {
        let row = *row as usize;
        (trace(row), rows.start_time_unix_nano.value(row), span(row))
    });
}
