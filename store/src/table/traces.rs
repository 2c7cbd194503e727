//! The summary file beside each data file: one part for each of its traces, sorted by trace.
//!
//! ```text
//! spans/day=2026-09-21/x.parquet  ->  traces/day=2026-09-21/x.parquet
//! ```
//!
//! It is written with its data file and durable before it. Nothing names it but its data file's
//! name: who deletes that deletes the summary too. A missing one costs time and nothing else: readers
//! make the parts from the spans.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use causeway_model::parts::{self, PartsBuilder};
use parquet::arrow::ArrowWriter;

use super::file::DataFile;
use super::folder::TableFolder;
use super::layout::summary_properties;
use super::write::Unfinished;
use crate::StoreError;
use crate::disk::DiskFile;

/// Where the summary of a data file lies, for a table in `table_root`.
pub fn summary_path(table_root: &Path, file: &DataFile) -> PathBuf {
    let path = file.full_path(table_root);
    let relative = path.strip_prefix(table_root).unwrap_or(&path);
    traces_root(table_root).join(relative)
}

/// The same for a file that is being written.
pub(super) fn summary_of(table_root: &Path, relative_path: &str) -> PathBuf {
    traces_root(table_root).join(relative_path)
}

pub(super) fn traces_root(table_root: &Path) -> PathBuf {
    table_root.parent().unwrap_or(table_root).join("traces")
}

/// Parts are handed to Parquet when there are this many.
const PARTS_PER_WRITE: usize = 8_192;

/// A summary file that is being written.
#[derive(Debug)]
pub(super) struct SummaryWriter {
    unfinished: Unfinished,
    writer: ArrowWriter<Box<dyn DiskFile>>,
    parts: PartsBuilder,
}

impl SummaryWriter {
    pub(super) fn create(folder: &TableFolder, path: &Path) -> Result<Self, StoreError> {
        let (file, unfinished) = Unfinished::create(folder, path)
            .map_err(|error| StoreError::failing("create a summary file", error))?;
        let writer = ArrowWriter::try_new(file, parts::schema(), Some(summary_properties()))
            .map_err(|error| StoreError::failing("start a summary file", error))?;
        Ok(Self { unfinished, writer, parts: PartsBuilder::new() })
    }

    /// Adds spans, sorted by trace id.
    pub(super) fn write(&mut self, spans: &RecordBatch) -> Result<(), StoreError> {
        self.parts.push(spans).map_err(not_summed_up)?;
        if self.parts.len() < PARTS_PER_WRITE {
            return Ok(());
        }
        let parts = self.parts.take().map_err(not_summed_up)?;
        let written = self.writer.write(&parts);
        written.map_err(|error| StoreError::failing("write a summary file", error))
    }

    /// Ends the file and makes it durable. It is removed again unless its name is taken out.
    pub(super) fn finish(mut self) -> Result<Unfinished, StoreError> {
        let failed = |error| StoreError::failing("end a summary file", error);
        let parts = self.parts.finish().map_err(not_summed_up)?;
        self.writer.write(&parts).map_err(failed)?;
        let mut file = self.writer.into_inner().map_err(failed)?;
        let synced = file.sync().and_then(|()| self.unfinished.sync_name());
        synced.map_err(|error| StoreError::failing("sync a summary file", error))?;
        Ok(self.unfinished)
    }
}

fn not_summed_up(error: ArrowError) -> StoreError {
    StoreError::failing("sum up traces", error)
}
