//! The columns of a row group under construction: repeated text by our writer, the rest by the
//! general one.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::EnabledStatistics;
use parquet::file::writer::SerializedFileWriter;

use super::gather::Place;
use super::repeated::{PageCompressor, RepeatedWriter};
use crate::disk::DiskFile;

/// One row group.
pub(super) struct RowGroup {
    columns: Vec<Column>,
    compressor: PageCompressor,
    rows: usize,
}

enum Column {
    Repeated(Box<RepeatedWriter>),
    General { field: FieldRef, leaves: Vec<ArrowColumnWriter> },
}

impl RowGroup {
    /// Starts the row group number `nth` of a file of at most `file_rows_max` rows.
    pub(super) fn new(
        file: &SerializedFileWriter<Box<dyn DiskFile>>,
        factory: &ArrowRowGroupWriterFactory,
        schema: &SchemaRef,
        nth: usize,
        file_rows_max: usize,
    ) -> Result<Self> {
        let mut writers = factory.create_column_writers(nth)?.into_iter().peekable();
        let parquet = file.schema_descr();
        let mut columns = Vec::with_capacity(schema.fields().len());
        let mut leaf = 0;
        for (at, field) in schema.fields().iter().enumerate() {
            let first = leaf;
            let mut leaves = Vec::new();
            while leaf < parquet.num_columns() && parquet.get_column_root_idx(leaf) == at {
                leaves.extend(writers.next());
                leaf += 1;
            }
            columns.push(match field.data_type() {
                DataType::Dictionary(..) => {
                    let descriptor = parquet.column(first);
                    let statistics = file.properties().statistics_enabled(descriptor.path());
                    let has_page_bounds = statistics == EnabledStatistics::Page;
                    let writer = RepeatedWriter::new(descriptor, has_page_bounds, file_rows_max);
                    Column::Repeated(Box::new(writer))
                }
                _ => Column::General { field: FieldRef::clone(field), leaves },
            });
        }
        Ok(Self { columns, compressor: PageCompressor::new()?, rows: 0 })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn add_rows(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// Appends to the column at position `at`, which is not one of repeated text.
    pub(super) fn write(&mut self, at: usize, array: &ArrayRef) -> Result<()> {
        let Some(Column::General { field, leaves }) = self.columns.get_mut(at) else {
            return Err(ParquetError::General("a column of another kind".to_owned()));
        };
        for (writer, leaf) in leaves.iter_mut().zip(compute_leaves(field, array)?) {
            writer.write(&leaf)?;
        }
        Ok(())
    }

    /// Appends to the column of repeated text at position `at` rows of several arrays.
    pub(super) fn write_repeated(
        &mut self,
        at: usize,
        arrays: &[ArrayRef],
        places: &[Place],
    ) -> Result<()> {
        let Some(Column::Repeated(writer)) = self.columns.get_mut(at) else {
            return Err(ParquetError::General("a column of another kind".to_owned()));
        };
        writer.write(arrays, places, &mut self.compressor)
    }

    /// Writes the columns to the file.
    pub(super) fn finish(
        mut self,
        file: &mut SerializedFileWriter<Box<dyn DiskFile>>,
    ) -> Result<()> {
        let mut row_group = file.next_row_group()?;
        for column in self.columns {
            match column {
                Column::Repeated(writer) => {
                    let (bytes, closed) = writer.finish(&mut self.compressor)?;
                    row_group.append_column(&bytes, closed)?;
                }
                Column::General { leaves, .. } => {
                    for leaf in leaves {
                        leaf.close()?.append_to_row_group(&mut row_group)?;
                    }
                }
            }
        }
        row_group.close().map(drop)
    }
}
