//! What is merged when, as pure decisions.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::super::plan::{Merge, expired, next_merge};
use super::{HOUR, NOON};
use crate::DataFile;

const NOON_MS: i64 = NOON / 1_000_000;
const HOUR_MS: i64 = HOUR / 1_000_000;

fn file(path: &str, rows: u64) -> Arc<DataFile> {
    let bytes = rows * 20;
    let start_time_range = Some((NOON, NOON));
    Arc::new(DataFile {
        path: path.to_owned(),
        bytes,
        rows,
        start_time_range,
        modified_ms: NOON_MS,
    })
}

fn flushes(count: usize, rows: u64) -> Vec<Arc<DataFile>> {
    (0..count).map(|at| file(&format!("day=2026-09-21/w-{at:03}.parquet"), rows)).collect()
}

fn next(files: &[Arc<DataFile>], now_ms: i64) -> Option<Merge> {
    next_merge(files, now_ms, 32, &HashSet::new())
}

#[test]
fn few_small_files_of_a_day_that_goes_on_are_left() {
    assert_eq!(next(&flushes(31, 100), NOON_MS), None);
    assert_eq!(next(&flushes(1, 5_000_000), NOON_MS), None);
    assert_eq!(next(&flushes(4, 999_999), NOON_MS), None);
}

#[test]
fn many_files_or_many_spans_are_merged_and_large_ones_are_final() {
    let merge = next(&flushes(32, 100), NOON_MS).expect("32 files are enough");
    assert_eq!((merge.inputs.len(), merge.level), (32, 1));
    let merge = next(&flushes(4, 1_000_000), NOON_MS).expect("4 M spans are enough");
    assert_eq!((merge.inputs.len(), merge.level), (4, 2));
}

#[test]
fn a_merge_is_bounded_in_files_and_spans() {
    let merge = next(&flushes(100, 100), NOON_MS).expect("many files");
    assert_eq!(merge.inputs.len(), 32);
    let merge = next(&flushes(30, 1_000_000), NOON_MS).expect("many spans");
    assert_eq!(merge.inputs.len(), 20);
}

#[test]
fn days_are_never_mixed_and_final_files_never_merged() {
    let mut files = flushes(31, 100);
    files.push(file("day=2026-09-20/w-000.parquet", 100));
    files.extend((0..40).map(|at| file(&format!("day=2026-09-21/merged-2-{at}.parquet"), 9)));
    assert_eq!(next(&files, NOON_MS), None);
}

#[test]
fn a_day_that_is_over_and_quiet_is_merged_once() {
    let midnight_ms = NOON_MS + 12 * HOUR_MS;
    let mut files = flushes(3, 100);
    files.push(file("day=2026-09-21/merged-1-0.parquet", 1_000));
    assert_eq!(next(&files, midnight_ms + HOUR_MS - 1), None);
    let merge = next(&files, midnight_ms + HOUR_MS).expect("the day is over");
    assert_eq!((merge.inputs.len(), merge.level), (4, 2));
    let merged = [file("day=2026-09-21/merged-2-0.parquet", 1_300)];
    assert_eq!(next(&merged, midnight_ms + 100 * HOUR_MS), None);
}

#[test]
fn a_file_set_aside_is_left() {
    let files = flushes(32, 100);
    let aside = HashSet::from([files[0].path.clone()]);
    assert_eq!(next_merge(&files, NOON_MS, 32, &aside), None);
}

/// Scenario: days of flushes of many sizes, each with what is due merged at once, and the days'
/// ends. Guarantee: no span is written more than three times, and few files are left.
#[test]
fn a_span_is_written_at_most_three_times() {
    for rows in [10, 5_000, 100_000, 900_000, 3_000_000] {
        let mut files: Vec<Arc<DataFile>> = Vec::new();
        // How often the spans of a file were written at most.
        let mut writes: BTreeMap<String, u32> = BTreeMap::new();
        let mut names = 0..;
        for flush in 0..2_880 {
            let new = file(&format!("day=2026-09-21/w-{flush:05}.parquet"), rows);
            writes.insert(new.path.clone(), 1);
            files.push(new);
            while let Some(merge) =
                next(&files, NOON_MS + if flush < 2_879 { 0 } else { 24 * HOUR_MS })
            {
                let written = merge.inputs.iter().map(|file| writes[&file.path]).max();
                let rows = merge.inputs.iter().map(|file| file.rows).sum();
                let name = format!("{}-{}", merge.level, names.next().unwrap_or(0));
                let merged = file(&format!("day={}/merged-{name}.parquet", merge.day), rows);
                writes.insert(merged.path.clone(), written.unwrap_or(0) + 1);
                files.retain(|file| !merge.inputs.contains(file));
                files.push(merged);
            }
        }
        assert_eq!(files.iter().map(|file| file.rows).sum::<u64>(), rows * 2_880);
        assert!(writes.values().all(|writes| *writes <= 3), "{rows} rows");
        let full = rows * 2_880 / 4_000_000;
        assert!(files.len() as u64 <= 2 * full + 5, "{rows} rows leave {} files", files.len());
    }
}

#[test]
fn files_expire_by_their_newest_span_then_by_size() {
    let old = |hours: i64| {
        let start = NOON - hours * HOUR;
        let path = format!("day=2026-09-21/{hours}.parquet");
        Arc::new(DataFile {
            path,
            start_time_range: Some((0, start)),
            ..file("", 5).as_ref().clone()
        })
    };
    let files: Vec<_> = [3, 1, 2].map(old).to_vec();
    let hours = |expired: Vec<Arc<DataFile>>| -> Vec<String> {
        expired.iter().map(|file| file.path[15..16].to_owned()).collect()
    };
    let two_hours = Some(Duration::from_secs(7_200));
    assert_eq!(hours(expired(&files, NOON_MS, None, None)), [""; 0]);
    assert_eq!(hours(expired(&files, NOON_MS, two_hours, None)), ["3"]);
    assert_eq!(hours(expired(&files, NOON_MS + 1, two_hours, None)), ["3", "2"]);
    assert_eq!(hours(expired(&files, NOON_MS, None, Some(300))), [""; 0]);
    assert_eq!(hours(expired(&files, NOON_MS, None, Some(299))), ["3"]);
    assert_eq!(hours(expired(&files, NOON_MS, None, Some(100))), ["3", "2"]);
}

#[test]
fn a_file_without_usable_times_expires_by_its_own_age() {
    let file = |start_time_range| {
        vec![Arc::new(DataFile { start_time_range, ..file("a", 1).as_ref().clone() })]
    };
    for range in [None, Some((-5, -1)), Some((0, 0))] {
        let hour = Some(Duration::from_secs(3_600));
        assert_eq!(expired(&file(range), NOON_MS + HOUR_MS, hour, None), []);
        assert_eq!(expired(&file(range), NOON_MS + HOUR_MS + 1, hour, None).len(), 1);
    }
}
