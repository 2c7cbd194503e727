//! The one place where a file of the table is written: sorted batches in, a durable file out.
//!
//! ```text
//! create -> write(sorted batch) ... -> finish: footer, fsync of file and folder -> Add action
//!             '- one part a trace -------> its summary file, durable before
//! ```
//!
//! Flush and compaction both write through here. Blocking CPU and disk work. A file that is not
//! finished is removed again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use causeway_model::columns;
use deltalake::kernel::Add;
use parquet::arrow::ArrowWriter;

use super::file::DAY;
use super::layout::writer_properties;
use super::statistics::Statistics;
use super::traces::{SummaryWriter, summary_of};
use crate::StoreError;

/// A file of the table that is being written.
#[derive(Debug)]
pub(crate) struct SortedFileWriter {
    day: String,
    relative_path: String,
    unfinished: Unfinished,
    writer: ArrowWriter<File>,
    statistics: Statistics,
    summary: SummaryWriter,
    synced_bytes: usize,
}

/// A large file is synced on the way, so that its end, which cannot be interrupted, is short.
const SYNC_EVERY_BYTES: usize = 64 << 20;

/// A durable file that no commit names yet.
#[derive(Debug)]
pub(crate) struct FinishedFile {
    /// The action that adds it to the table.
    pub(crate) add: Add,
    pub(crate) path: PathBuf,
    /// Its summary file.
    summary: PathBuf,
    pub(crate) bytes: u64,
}

/// Removes the file unless it was finished.
#[derive(Debug)]
pub(super) struct Unfinished(pub(super) Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let _ = fs::remove_file(path);
        }
    }
}

impl FinishedFile {
    /// Removes the file again, after a commit that did not happen. What cannot be removed stays
    /// unreferenced and harmless.
    pub(crate) fn discard(self) {
        let _ = fs::remove_file(self.summary);
        let _ = fs::remove_file(self.path);
    }
}

impl SortedFileWriter {
    /// Starts the file `stem` of a day below `table_dir`. `rows_max` is the most rows it may get.
    pub(crate) fn create(
        table_dir: &Path,
        day: &str,
        stem: &str,
        rows_max: u64,
    ) -> Result<Self, StoreError> {
        let relative_path = format!("{DAY}={day}/{stem}.parquet");
        let path = table_dir.join(&relative_path);
        let failed = |error| StoreError::failing("create a file of the table", error);
        create_folder(&path).map_err(failed)?;
        let file = File::create(&path).map_err(failed)?;
        let unfinished = Unfinished(Some(path));
        let properties = writer_properties(rows_max);
        let writer = ArrowWriter::try_new(file, columns::schema(), Some(properties))
            .map_err(|error| StoreError::failing("start a file of the table", error))?;
        let statistics = Statistics::new();
        let summary = SummaryWriter::create(&summary_of(table_dir, &relative_path))?;
        let day = day.to_owned();
        Ok(Self { day, relative_path, unfinished, writer, statistics, summary, synced_bytes: 0 })
    }

    /// Appends rows, which must not come before those already written.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.statistics.add(batch);
        self.summary.write(batch)?;
        let failed =
            |error: &dyn std::fmt::Display| StoreError::failing("write a file of the table", error);
        self.writer.write(batch).map_err(|error| failed(&error))?;
        let bytes = self.writer.bytes_written();
        if bytes - self.synced_bytes >= SYNC_EVERY_BYTES {
            self.writer.inner().sync_data().map_err(|error| failed(&error))?;
            self.synced_bytes = bytes;
        }
        Ok(())
    }

    /// Ends the file and makes it and its name durable.
    /// `modified_unix_ms` tells how new its spans are.
    pub(crate) fn finish(mut self, modified_unix_ms: i64) -> Result<FinishedFile, StoreError> {
        let mut summary = self.summary.finish()?;
        let file = self
            .writer
            .into_inner()
            .map_err(|error| StoreError::failing("end a file of the table", error))?;
        let folder = self.unfinished.0.as_deref().and_then(Path::parent);
        let bytes = sync(&file, folder.unwrap_or(Path::new(".")))
            .map_err(|error| StoreError::failing("sync a file of the table", error))?;
        let add = Add {
            path: self.relative_path,
            partition_values: HashMap::from([(DAY.to_owned(), Some(self.day))]),
            size: i64::try_from(bytes).unwrap_or(i64::MAX),
            modification_time: modified_unix_ms,
            data_change: true,
            stats: Some(self.statistics.to_json().to_string()),
            ..Add::default()
        };
        let path = self.unfinished.0.take().unwrap_or_default();
        let summary = summary.0.take().unwrap_or_default();
        Ok(FinishedFile { add, path, summary, bytes })
    }
}

pub(super) fn create_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    sync_folder(folder.parent().unwrap_or(Path::new(".")))
}

/// Makes a file and its name durable; gives its size.
pub(super) fn sync(file: &File, folder: &Path) -> std::io::Result<u64> {
    file.sync_all()?;
    sync_folder(folder)?;
    Ok(file.metadata()?.len())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
