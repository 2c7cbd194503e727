//! Files that left the table, until they are deleted from disk.
//!
//! Inside this process a snapshot holds the `Arc` of every file it names; readers of other
//! processes are given time instead.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::table::{DAY, DataFile, TableFolder};

/// Files that left the table, with the time (Unix milliseconds) when they did.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Vec<(Arc<DataFile>, i64)>);

impl Waiting {
    pub(crate) fn add(&mut self, files: impl IntoIterator<Item = Arc<DataFile>>, at_unix_ms: i64) {
        self.0.extend(files.into_iter().map(|file| (file, at_unix_ms)));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Deletes what left at least `retention` ago and nobody holds; gives how many files went.
    pub(crate) fn sweep(
        &mut self,
        folder: &TableFolder,
        now_unix_ms: i64,
        retention: Duration,
    ) -> std::io::Result<u64> {
        let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let mut deleted = 0;
        let mut failed = Ok(());
        self.0.retain(|(file, left_ms)| {
            let is_due = now_unix_ms.saturating_sub(*left_ms) >= retention_ms;
            // Only this list holds it, so nobody can take hold of it again.
            if !is_due || Arc::strong_count(file) > 1 {
                return true;
            }
            match folder.remove_with_summary(&file.path) {
                Ok(()) => deleted += 1,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    failed = Err(error);
                    return true;
                }
            }
            false
        });
        failed.map(|()| deleted)
    }
}

/// Parquet files on disk that are not part of the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Those that left it, with the time (Unix milliseconds) when they did.
    pub(crate) left: Vec<(String, i64)>,
    /// Those that no commit names: an interrupted flush or merge wrote them.
    pub(crate) unnamed: Vec<String>,
}

/// Compares the folders of the days with what the table knows.
pub(crate) fn survey(
    table_dir: &Path,
    live: &[Arc<DataFile>],
    tombstones: Vec<(String, i64)>,
) -> std::io::Result<Survey> {
    let live: HashSet<&str> = live.iter().map(|file| file.path.as_str()).collect();
    let tombstones: HashMap<String, i64> = tombstones.into_iter().collect();
    let mut survey = Survey::default();
    for day in fs::read_dir(table_dir)? {
        let day = day?;
        let folder = day.file_name().to_string_lossy().into_owned();
        if !folder.starts_with(DAY) || !day.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(day.path())? {
            let name = file?.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            if !name.ends_with(".parquet") || live.contains(path.as_str()) {
                continue;
            }
            match tombstones.get(&path) {
                Some(left_ms) => survey.left.push((path, *left_ms)),
                None => survey.unnamed.push(path),
            }
        }
    }
    Ok(survey)
}
