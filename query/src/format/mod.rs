//! Results as bytes: JSON, CSV, NDJSON, Arrow stream, Parquet, and a table for people.
//!
//! One [`Encoder`] per answer: batches go in, bytes come out as they are ready, so that HTTP can
//! stream and a command line can write to any `Write`. What the columns mean is taken from the
//! schema of the plan, not of the batches, because operators may drop field metadata.

mod binary;
mod cell;
mod table;
mod text;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::StreamExt;

use crate::error::{QueryError, Result};
use crate::query::Batches;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    Table,
    /// RFC 4180, with a header line. Nested values are JSON.
    Csv,
    /// One object: columns, rows, whether rows are left out, time taken.
    Json,
    /// One object per line and row.
    Ndjson,
    /// Parquet file.
    Parquet,
    /// Arrow IPC stream.
    Arrow,
}

impl Format {
    /// The media type of the format.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Table => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        Ok(match name {
            "table" => Self::Table,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" => Self::Ndjson,
            "parquet" => Self::Parquet,
            "arrow" => Self::Arrow,
            other => {
                return Err(format!(
                    "unknown format {other:?}: use table, csv, json, ndjson, parquet or arrow"
                ));
            }
        })
    }
}

/// Choices that do not depend on the format.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Write 64-bit integers as JSON strings.
    pub bigint_text: bool,
    /// Most rows to write; only JSON can say that rows are left out.
    pub rows_max: Option<usize>,
}

/// Turns batches into bytes.
#[derive(Debug)]
pub struct Encoder {
    schema: SchemaRef,
    options: Options,
    rows: usize,
    is_truncated: bool,
    started: Instant,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Table(table::Table),
    Text(Format),
    Arrow(binary::ArrowSink),
    Parquet(binary::ParquetSink),
}

impl Encoder {
    /// Starts an answer whose query began at `started`; gives its first bytes.
    ///
    /// # Errors
    /// The format cannot hold a column of `schema`.
    pub fn start(
        format: Format,
        schema: SchemaRef,
        options: Options,
        started: Instant,
    ) -> Result<(Self, Vec<u8>)> {
        let (sink, head) = match format {
            Format::Table => (Sink::Table(table::Table::new(&schema)), Vec::new()),
            Format::Arrow => (Sink::Arrow(binary::ArrowSink::new(&schema)?), Vec::new()),
            Format::Parquet => (Sink::Parquet(binary::ParquetSink::new(&schema)?), Vec::new()),
            text => (Sink::Text(text), text::head(text, &schema)),
        };
        Ok((Self { schema, options, rows: 0, is_truncated: false, started, sink }, head))
    }

    /// Adds the rows of a batch; gives the bytes that are ready.
    ///
    /// # Errors
    /// The batch cannot be encoded.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let room = self.options.rows_max.unwrap_or(usize::MAX) - self.rows;
        self.is_truncated |= batch.num_rows() > room;
        let batch = batch.slice(0, batch.num_rows().min(room));
        let first_row = self.rows;
        self.rows += batch.num_rows();
        match &mut self.sink {
            Sink::Table(table) => {
                table.add(&batch, &self.schema)?;
                Ok(Vec::new())
            }
            Sink::Text(format) => {
                text::rows(*format, &batch, &self.schema, self.options, first_row)
            }
            Sink::Arrow(sink) => sink.write(&batch),
            Sink::Parquet(sink) => sink.write(&batch),
        }
    }

    /// Whether further rows would be left out.
    pub fn is_full(&self) -> bool {
        self.is_truncated
    }

    /// Ends the answer; gives its last bytes.
    ///
    /// # Errors
    /// The answer cannot be encoded.
    pub fn finish(self) -> Result<Vec<u8>> {
        match self.sink {
            Sink::Table(table) => Ok(table.finish()),
            Sink::Text(Format::Json) => {
                let elapsed = self.started.elapsed().as_secs_f64() * 1_000.0;
                let truncated = self.is_truncated;
                let tail = format!("],\"truncated\":{truncated},\"elapsed_ms\":{elapsed:.3}}}");
                Ok(tail.into_bytes())
            }
            Sink::Text(_) => Ok(Vec::new()),
            Sink::Arrow(sink) => sink.finish(),
            Sink::Parquet(sink) => sink.finish(),
        }
    }
}

/// Writes a whole answer, as command lines do.
///
/// # Errors
/// The query fails while it streams, or `out` does.
pub async fn write(
    mut batches: Batches,
    format: Format,
    options: Options,
    out: &mut (dyn Write + Send),
) -> Result<()> {
    let schema = Arc::clone(batches.schema());
    let (mut encoder, head) = Encoder::start(format, schema, options, Instant::now())?;
    out.write_all(&head).map_err(fault)?;
    while let Some(batch) = batches.next().await {
        out.write_all(&encoder.write(&batch?)?).map_err(fault)?;
        if encoder.is_full() {
            break;
        }
    }
    out.write_all(&encoder.finish()?).map_err(fault)
}

fn fault(error: impl std::fmt::Display) -> QueryError {
    QueryError::Internal(format!("cannot write the result: {error}"))
}

#[cfg(test)]
mod tests;
