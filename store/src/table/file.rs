//! One live file of the table, and what its name says.
//!
//! ```text
//! day=2026-09-21/<writer>-<first sequence>-<last sequence>.parquet   level 0: a flush
//! day=2026-09-21/merged-<level>-<random>.parquet                     level 1 and 2: merged files
//! ```

use std::path::{Path, PathBuf};

use causeway_model::columns::name;
use chrono::DateTime;
use serde_json::Value;
use url::Url;

/// The partition column: the UTC day under which spans are kept and expire.
pub(crate) const DAY: &str = "day";

/// How names of merged files begin; the level follows.
pub(crate) const MERGED_PREFIX: &str = "merged-";

/// One Parquet file of the table. Shared: a file that left the table is deleted only when nobody
/// else holds its `Arc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path relative to the table's folder.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Number of spans.
    pub rows: u64,
    /// Least and greatest `start_time_unix_nano`, both inclusive; `None` when not known.
    pub start_time_range: Option<(i64, i64)>,
    /// When it was written, Unix milliseconds.
    pub modified_ms: i64,
}

impl DataFile {
    /// Where the file lies, for a table in `table_root`.
    pub fn full_path(&self, table_root: &Path) -> PathBuf {
        // Delta writes paths as parts of URLs; ours have nothing to decode.
        let decoded = match self.path.contains('%') {
            true => Url::parse("file:///").and_then(|base| base.join(&self.path)).ok(),
            false => None,
        };
        let decoded = decoded.and_then(|url| url.to_file_path().ok());
        match decoded.as_deref().and_then(|path| path.strip_prefix("/").ok()) {
            Some(path) => table_root.join(path),
            None => table_root.join(&self.path),
        }
    }

    /// From what the Delta log says of a file.
    pub(crate) fn from_log(
        path: String,
        bytes: i64,
        modified_ms: i64,
        stats: Option<&str>,
    ) -> Self {
        let stats: Value = stats.and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default();
        let bound = |which: &str| stats.get(which)?.get(name::START_TIME_UNIX_NANO)?.as_i64();
        Self {
            path,
            bytes: u64::try_from(bytes).unwrap_or(0),
            rows: stats.get("numRecords").and_then(Value::as_u64).unwrap_or(0),
            start_time_range: bound("minValues").zip(bound("maxValues")),
            modified_ms,
        }
    }

    /// The UTC day it lies under, such as `2026-09-21`; empty if its path names none.
    pub fn day(&self) -> &str {
        let folder = self.path.split('/').next().unwrap_or_default();
        folder.strip_prefix("day=").unwrap_or_default()
    }

    /// How often its spans were merged: 0 for a flush.
    pub fn level(&self) -> u8 {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let level = name.strip_prefix(MERGED_PREFIX).and_then(|rest| rest.split('-').next());
        level.and_then(|level| level.parse().ok()).unwrap_or(0)
    }
}

/// The number of the UTC day that holds a time.
pub(crate) fn day_number(unix_nano: i64) -> i64 {
    unix_nano.div_euclid(86_400_000_000_000)
}

/// A day as folders name it.
pub(crate) fn day_text(day: i64) -> String {
    let date = DateTime::from_timestamp(day * 86_400, 0).unwrap_or_default();
    date.format("%Y-%m-%d").to_string()
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

    #[test]
    fn names_tell_day_and_level() {
        let file = |path: &str| DataFile::from_log(path.to_owned(), 0, 0, None);
        let flushed = file("day=2026-09-21/0a1b-00-01.parquet");
        assert_eq!((flushed.day(), flushed.level()), ("2026-09-21", 0));
        let merged = file("day=2026-09-21/merged-2-0a1b.parquet");
        assert_eq!((merged.day(), merged.level()), ("2026-09-21", 2));
        assert_eq!(file("foreign.parquet").day(), "");
    }
}
