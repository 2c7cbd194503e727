//! Arrow stream and Parquet: columns as they are.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::fault;
use crate::error::Result;

/// An Arrow IPC stream.
pub(super) struct ArrowSink {
    writer: StreamWriter<Vec<u8>>,
    schema: SchemaRef,
}

impl std::fmt::Debug for ArrowSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowSink").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl ArrowSink {
    pub(super) fn new(schema: &SchemaRef) -> Result<Self> {
        let writer = StreamWriter::try_new(Vec::new(), schema).map_err(fault)?;
        Ok(Self { writer, schema: Arc::clone(schema) })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        self.writer.write(&with_schema(batch, &self.schema)?).map_err(fault)?;
        Ok(std::mem::take(self.writer.get_mut()))
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        self.writer.finish().map_err(fault)?;
        self.writer.into_inner().map_err(fault)
    }
}

/// A Parquet file.
#[derive(Debug)]
pub(super) struct ParquetSink {
    writer: ArrowWriter<Vec<u8>>,
    schema: SchemaRef,
}

impl ParquetSink {
    pub(super) fn new(schema: &Schema) -> Result<Self> {
        let zstd = Compression::ZSTD(ZstdLevel::try_new(1).map_err(fault)?);
        let properties = WriterProperties::builder().set_compression(zstd).build();
        let schema = Arc::new(schema.clone());
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties));
        Ok(Self { writer: writer.map_err(fault)?, schema })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        self.writer.write(&with_schema(batch, &self.schema)?).map_err(fault)?;
        // The writer counts its bytes itself, so what is written may be taken away.
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(fault)
    }
}

/// The batch under the plan's schema: same types, with the metadata that operators lost.
fn with_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = batch.columns().to_vec();
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(fault)
}
