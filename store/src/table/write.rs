//! Recent batches to Parquet files: joined, split by day, sorted by trace and start, fsynced.
//!
//! Blocking CPU and disk work. Sorting moves row numbers, not rows; each column is gathered once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use causeway_model::{SpanRows, columns};
use chrono::DateTime;
use deltalake::kernel::Add;
use parquet::arrow::ArrowWriter;

use super::file::{DAY, add_action};
use super::layout::writer_properties;
use crate::StoreError;

/// Most days one flush may spread over. Spans of further days, which only clocks far off produce,
/// are kept under the day they were received.
const DAYS_PER_FLUSH_MAX: usize = 64;

/// Files that are durable but not committed yet.
#[derive(Debug)]
pub(crate) struct WrittenFiles {
    pub(crate) adds: Vec<Add>,
    paths: Vec<PathBuf>,
}

impl WrittenFiles {
    /// Removes the files again, after a commit that did not happen. What cannot be removed stays
    /// unreferenced and harmless.
    pub(crate) fn discard(self) {
        for path in self.paths {
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes `batches` as one file a day below `table_dir`; names begin with `stem`.
pub(crate) fn write_sorted(
    table_dir: &Path,
    stem: &str,
    batches: &[RecordBatch],
    now_unix_ms: i64,
) -> Result<WrittenFiles, StoreError> {
    let arrow = |error| StoreError::failing("join recent spans", error);
    let batch = concat_batches(&columns::schema(), batches).map_err(arrow)?;
    let rows = SpanRows::new(&batch).map_err(|e| StoreError::failing("read recent spans", e))?;
    let mut written = WrittenFiles { adds: Vec::new(), paths: Vec::new() };
    for (day, mut order) in rows_by_day(&rows) {
        let traces = sort(&rows, &mut order);
        let sorted = take_record_batch(&batch, &UInt32Array::from(order)).map_err(arrow)?;
        let path = format!("{DAY}={day}/{stem}.parquet");
        match write_file(&table_dir.join(&path), &sorted, traces) {
            Ok(bytes) => {
                written.paths.push(table_dir.join(&path));
                written.adds.push(add_action(path, bytes, day, now_unix_ms, &sorted));
            }
            Err(error) => {
                let _ = fs::remove_file(table_dir.join(&path));
                written.discard();
                return Err(StoreError::failing("write a file of the table", error));
            }
        }
    }
    Ok(written)
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

fn day_number(unix_nano: i64) -> i64 {
    unix_nano.div_euclid(86_400_000_000_000)
}

fn day_text(day: i64) -> String {
    let date = DateTime::from_timestamp(day * 86_400, 0).unwrap_or_default();
    date.format("%Y-%m-%d").to_string()
}

/// Sorts row numbers by (trace id, start); gives the number of distinct traces.
fn sort(rows: &SpanRows<'_>, order: &mut [u32]) -> u64 {
    let trace = |row: u32| -> u128 {
        let id = rows.trace_id.value(row as usize);
        id.first_chunk().copied().map_or(0, u128::from_be_bytes)
    };
    let start = |row: u32| rows.start_time_unix_nano.value(row as usize);
    order.sort_by_cached_key(|row| (trace(*row), start(*row)));
    let boundaries = order.windows(2).filter(|pair| match pair {
        [a, b] => trace(*a) != trace(*b),
        _ => false,
    });
    boundaries.count() as u64 + u64::from(!order.is_empty())
}

/// Writes and fsyncs one file and the folders that name it; gives its size.
fn write_file(path: &Path, batch: &RecordBatch, traces: u64) -> Result<u64, std::io::Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if !folder.exists() {
        fs::create_dir_all(folder)?;
        sync_folder(folder.parent().unwrap_or(Path::new(".")))?;
    }
    let mut writer =
        ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(writer_properties(traces)))?;
    writer.write(batch)?;
    let file = writer.into_inner()?;
    file.sync_all()?;
    sync_folder(folder)?;
    Ok(file.metadata()?.len())
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_utc_and_before_1970_too() {
        assert_eq!(day_text(day_number(0)), "1970-01-01");
        assert_eq!(day_text(day_number(86_400_000_000_000 - 1)), "1970-01-01");
        assert_eq!(day_text(day_number(-1)), "1969-12-31");
        assert_eq!(day_text(day_number(i64::MAX)), "2262-04-11");
    }
}
