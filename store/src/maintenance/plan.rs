//! Decides what to merge and what to drop: pure functions of the live files and the time.
//!
//! ```text
//! level 0 (flushes) --4 M spans or 32 files--> level 1 (below 2 M spans) --same--> level 2 (final)
//!                   '------------- 2 M spans and more ------------------------------^
//! ```
//!
//! So a span is written once by its flush and at most twice more. A day that is over and quiet for
//! an hour has what is left merged too, at the same price.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;

use crate::table::DataFile;

/// Files of a level are merged when they hold this many spans together ...
const MERGE_ROWS_MIN: u64 = 4_000_000;

/// A merged file of this many spans is final: another merge would gain little.
const FINAL_ROWS_MIN: u64 = 2_000_000;

/// The level that is never merged again.
const FINAL_LEVEL: u8 = 2;

/// Most spans and bytes of a merged file, by those of its inputs.
const MERGED_ROWS_MAX: u64 = 20_000_000;
const MERGED_BYTES_MAX: u64 = 512 << 20;

/// Most files of one merge: each takes about 8 MB of memory.
const MERGE_FILES_MAX: usize = 32;

/// A day's leftovers are merged when it is over, and its newest file written, this long ago.
const QUIET: Duration = Duration::from_secs(3600);

/// Files of one day that become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) day: String,
    /// Oldest first.
    pub(crate) inputs: Vec<Arc<DataFile>>,
    /// The level of the merged file.
    pub(crate) level: u8,
}

/// The next merge, of the newest day that needs one. `files_min` files of a level are enough
/// whatever their size; files in `aside` are left alone.
pub(crate) fn next_merge(
    files: &[Arc<DataFile>],
    now_unix_ms: i64,
    files_min: usize,
    aside: &HashSet<String>,
) -> Option<Merge> {
    let mut days: BTreeMap<&str, Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in files.iter().filter(|f| f.level() < FINAL_LEVEL && !aside.contains(&f.path)) {
        days.entry(file.day()).or_default().push(file);
    }
    days.into_iter().rev().find_map(|(day, mut files)| {
        files.sort_by_key(|file| (file.modified_ms, &file.path));
        let of_level = |level| files.iter().copied().filter(move |file| file.level() == level);
        let is_due = |level| {
            let rows: u64 = of_level(level).map(|file| file.rows).sum();
            rows >= MERGE_ROWS_MIN || of_level(level).count() >= files_min
        };
        let due = [0, 1].into_iter().find(|level| is_due(*level));
        let due = due.map(|level| merge(day, of_level(level)));
        due.flatten().or_else(|| {
            is_quiet(day, &files, now_unix_ms).then(|| merge(day, files.iter().copied()))?
        })
    })
}

/// As many files as fit into one; `None` if that is not at least two.
fn merge<'a>(day: &str, files: impl Iterator<Item = &'a Arc<DataFile>>) -> Option<Merge> {
    let (mut rows, mut bytes) = (0, 0);
    let fitting = files.take(MERGE_FILES_MAX).take_while(|file| {
        rows += file.rows;
        bytes += file.bytes;
        rows <= MERGED_ROWS_MAX && bytes <= MERGED_BYTES_MAX
    });
    let inputs: Vec<_> = fitting.cloned().collect();
    let rows: u64 = inputs.iter().map(|file| file.rows).sum();
    let was_merged = inputs.iter().any(|file| file.level() > 0);
    let level = if was_merged || rows >= FINAL_ROWS_MIN { FINAL_LEVEL } else { 1 };
    (inputs.len() >= 2).then(|| Merge { day: day.to_owned(), inputs, level })
}

fn is_quiet(day: &str, files: &[&Arc<DataFile>], now_unix_ms: i64) -> bool {
    let quiet_ms = i64::try_from(QUIET.as_millis()).unwrap_or(i64::MAX);
    let end = day.parse::<NaiveDate>().ok().and_then(|day| day.succ_opt());
    let Some(end) = end.and_then(|end| end.and_hms_opt(0, 0, 0)) else {
        return false;
    };
    let newest_ms = files.iter().map(|file| file.modified_ms).max().unwrap_or(i64::MAX);
    end.and_utc().timestamp_millis().max(newest_ms).saturating_add(quiet_ms) <= now_unix_ms
}

/// Files to drop: those whose newest span is older than `age`, then the oldest while all together
/// take more than `bytes_max`.
pub(crate) fn expired(
    files: &[Arc<DataFile>],
    now_unix_ms: i64,
    age: Option<Duration>,
    bytes_max: Option<u64>,
) -> Vec<Arc<DataFile>> {
    let mut by_age: Vec<_> = files.iter().map(|file| (newest_span_ms(file), file)).collect();
    by_age.sort_by_key(|(newest_ms, file)| (*newest_ms, &file.path));
    let age_ms = age.map_or(i64::MAX, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
    by_age
        .into_iter()
        .take_while(|(newest_ms, file)| {
            let is_old = now_unix_ms.saturating_sub(*newest_ms) > age_ms;
            let is_over = bytes_max.is_some_and(|bytes_max| bytes > bytes_max);
            bytes -= file.bytes;
            is_old || is_over
        })
        .map(|(_, file)| Arc::clone(file))
        .collect()
}

/// When the newest span of a file started, as far as its clock can be used; else when the file
/// was written.
fn newest_span_ms(file: &DataFile) -> i64 {
    match file.start_time_range {
        Some((_, newest)) if newest > 0 => newest / 1_000_000,
        _ => file.modified_ms,
    }
}
