//! The one place where a file of the table is written: rows in order in, a durable file out.
//!
//! ```text
//! create -> write(rows in order) ... -> finish: footer, fsync of file and folder -> Add action
//!             '- one part a trace -------> its summary file, durable before
//! ```
//!
//! Flush and compaction both write through here. Blocking CPU and disk work. A file that is not
//! finished is removed again.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use causeway_model::parts::SPAN_COLUMNS;
use deltalake::kernel::Add;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::file::DAY;
use super::folder::TableFolder;
use super::gather::Gather;
use super::layout::{ROW_GROUP_ROWS_MIN, writer_properties};
use super::row_group::RowGroup;
use super::statistics::Statistics;
use super::traces::{SummaryWriter, summary_of};
use crate::StoreError;
use crate::disk::DiskFile;

/// A file of the table that is being written.
pub(crate) struct SortedFileWriter {
    day: String,
    relative_path: String,
    unfinished: Unfinished,
    schema: SchemaRef,
    file: SerializedFileWriter<Box<dyn DiskFile>>,
    factory: ArrowRowGroupWriterFactory,
    /// The one under construction, if it has begun.
    row_group: Option<RowGroup>,
    row_groups: usize,
    rows_max: usize,
    statistics: Statistics,
    synced_bytes: usize,
    summary: SummaryWriter,
}

/// A large file is synced on the way, so that its end, which cannot be interrupted, is short.
const SYNC_EVERY_BYTES: usize = 64 << 20;

/// A durable file that no commit names yet.
#[derive(Debug)]
pub(crate) struct FinishedFile {
    /// The action that adds it to the table.
    pub(crate) add: Add,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// Its summary file.
    summary: PathBuf,
}

/// Removes the file unless it was finished.
#[derive(Debug)]
pub(super) struct Unfinished {
    folder: TableFolder,
    path: Option<PathBuf>,
}

impl Unfinished {
    pub(super) fn create(
        folder: &TableFolder,
        path: &Path,
    ) -> io::Result<(Box<dyn DiskFile>, Self)> {
        let file = folder.create(path)?;
        Ok((file, Self { folder: folder.clone(), path: Some(path.to_owned()) }))
    }

    pub(super) fn sync_name(&self) -> io::Result<()> {
        self.path.as_deref().map_or(Ok(()), |path| self.folder.sync_name(path))
    }

    fn finish(mut self) -> PathBuf {
        self.path.take().unwrap_or_default()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let _ = self.folder.remove(&path);
        }
    }
}

impl FinishedFile {
    /// Removes the file again, after a commit that did not happen. What cannot be removed stays
    /// unreferenced and harmless.
    pub(crate) fn discard(self, folder: &TableFolder) {
        let _ = folder.remove(&self.summary);
        let _ = folder.remove(&self.path);
    }
}

impl fmt::Debug for SortedFileWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SortedFileWriter")
            .field("path", &self.relative_path)
            .finish_non_exhaustive()
    }
}

impl SortedFileWriter {
    /// Starts the file `stem` of a day. `rows_max` is the most rows it may get.
    pub(crate) fn create(
        folder: &TableFolder,
        day: &str,
        stem: &str,
        rows_max: u64,
        schema: &SchemaRef,
    ) -> Result<Self, StoreError> {
        let relative_path = format!("{DAY}={day}/{stem}.parquet");
        let (file, unfinished) = Unfinished::create(folder, &folder.root().join(&relative_path))
            .map_err(|error| StoreError::failing("create a file of the table", error))?;
        let failed = |error| StoreError::failing("start a file of the table", error);
        let properties = writer_properties(rows_max, schema);
        // Gives the file the Arrow schema, which says what is a dictionary.
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties));
        let (file, factory) =
            writer.and_then(ArrowWriter::into_serialized_writer).map_err(failed)?;
        let summary = summary_of(folder.root(), &relative_path);
        let summary = SummaryWriter::create(folder, &summary)?;
        Ok(Self {
            day: day.to_owned(),
            relative_path,
            unfinished,
            schema: SchemaRef::clone(schema),
            file,
            factory,
            row_group: None,
            row_groups: 0,
            rows_max: usize::try_from(rows_max).unwrap_or(usize::MAX),
            statistics: Statistics::new(),
            synced_bytes: 0,
            summary,
        })
    }

    /// Appends rows, which must not come before those already written and fit into a row group.
    /// `column` gives the arrays that a column is gathered from: one column is in memory at a time.
    pub(crate) fn write<E: From<StoreError>>(
        &mut self,
        gather: &Gather,
        mut column: impl FnMut(usize) -> Result<Vec<ArrayRef>, E>,
    ) -> Result<(), E> {
        let failed = |error| StoreError::failing("write a file of the table", error);
        let mut row_group = match self.row_group.take() {
            Some(row_group) => row_group,
            None => self.start_row_group().map_err(failed)?,
        };
        self.statistics.add_rows(gather.len());
        let (mut fields, mut summed_up) = (Vec::new(), Vec::new());
        for (at, field) in self.schema.fields().iter().enumerate() {
            let arrays = column(at)?;
            let is_repeated = matches!(field.data_type(), DataType::Dictionary(..));
            let is_summed_up = SPAN_COLUMNS.contains(&field.name().as_str());
            if is_repeated {
                row_group.write_repeated(at, &arrays, gather.places()).map_err(failed)?;
            }
            if !is_repeated || is_summed_up || self.statistics.has(field.name()) {
                let array = gather.array(&arrays).map_err(not_gathered)?;
                self.statistics.add(field.name(), array.as_ref());
                if !is_repeated {
                    row_group.write(at, &array).map_err(failed)?;
                }
                if is_summed_up {
                    fields.push(Arc::clone(field));
                    summed_up.push(array);
                }
            }
        }
        let summed_up = RecordBatch::try_new(Arc::new(Schema::new(fields)), summed_up);
        self.summary.write(&summed_up.map_err(not_gathered)?)?;
        row_group.add_rows(gather.len());
        if row_group.rows() >= ROW_GROUP_ROWS_MIN {
            self.end_row_group(row_group).map_err(failed)?;
        } else {
            self.row_group = Some(row_group);
        }
        Ok(())
    }

    fn start_row_group(&self) -> Result<RowGroup, ParquetError> {
        RowGroup::new(&self.file, &self.factory, &self.schema, self.row_groups, self.rows_max)
    }

    fn end_row_group(&mut self, row_group: RowGroup) -> Result<(), ParquetError> {
        self.row_groups += 1;
        row_group.finish(&mut self.file)?;
        let bytes = self.file.bytes_written();
        if bytes - self.synced_bytes >= SYNC_EVERY_BYTES {
            self.file.inner_mut().sync()?;
            self.synced_bytes = bytes;
        }
        Ok(())
    }

    /// Ends the file and makes it and its name durable.
    /// `modified_unix_ms` tells how new its spans are.
    pub(crate) fn finish(mut self, modified_unix_ms: i64) -> Result<FinishedFile, StoreError> {
        let failed = |error| StoreError::failing("end a file of the table", error);
        if let Some(row_group) = self.row_group.take() {
            self.end_row_group(row_group).map_err(failed)?;
        }
        let summary = self.summary.finish()?;
        self.file.finish().map_err(failed)?;
        let bytes = self.file.bytes_written() as u64;
        let synced = self.file.inner_mut().sync().and_then(|()| self.unfinished.sync_name());
        synced.map_err(|error| StoreError::failing("sync a file of the table", error))?;
        let add = Add {
            path: self.relative_path,
            partition_values: HashMap::from([(DAY.to_owned(), Some(self.day))]),
            size: i64::try_from(bytes).unwrap_or(i64::MAX),
            modification_time: modified_unix_ms,
            data_change: true,
            stats: Some(self.statistics.to_json().to_string()),
            ..Add::default()
        };
        let (path, summary) = (self.unfinished.finish(), summary.finish());
        Ok(FinishedFile { add, path, bytes, summary })
    }
}

fn not_gathered(error: ArrowError) -> StoreError {
    StoreError::failing("gather spans in order", error)
}
