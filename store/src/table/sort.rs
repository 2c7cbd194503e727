//! Recent batches to files of the table: joined, split by day, sorted by trace, start and span.
//!
//! Blocking CPU and disk work. Sorting moves row numbers, not rows; each column is gathered once.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, new_null_array,
};
use arrow::compute::concat;
use arrow::datatypes::{Field, Schema, SchemaRef};
use causeway_model::batch::AttributeColumns;
use causeway_model::columns::name;

use super::file::{day_number, day_text};
use super::folder::TableFolder;
use super::gather::{Gather, Place};
use super::layout::ROW_GROUP_ROWS_MAX;
use super::write::{FinishedFile, SortedFileWriter};
use crate::StoreError;

/// Most days one flush may spread over. Spans of further days, which only clocks far off produce,
/// are kept under the day they were received.
const DAYS_PER_FLUSH_MAX: usize = 64;

/// Writes `batches` as one file a day, and a set of attribute columns, in `folder`; names begin
/// with `stem`.
pub(crate) fn write_sorted(
    folder: &TableFolder,
    stem: &str,
    batches: &[RecordBatch],
    now_unix_ms: i64,
) -> Result<Vec<FinishedFile>, StoreError> {
    let mut written = Vec::new();
    for (nth, batches) in by_columns(batches).into_iter().enumerate() {
        let stem = if nth == 0 { stem.to_owned() } else { format!("{stem}-{nth}") };
        match write_alike(folder, &stem, &batches, now_unix_ms) {
            Ok(files) => written.extend(files),
            Err(error) => {
                written.into_iter().for_each(|file| file.discard(folder));
                return Err(error);
            }
        }
    }
    Ok(written)
}

/// Batches with the same attribute columns; usually all of them.
fn by_columns(batches: &[RecordBatch]) -> Vec<Vec<&RecordBatch>> {
    let mut groups: Vec<(AttributeColumns, Vec<&RecordBatch>)> = Vec::new();
    for batch in batches {
        let columns = AttributeColumns::of_schema(batch.schema_ref());
        match groups.iter_mut().find(|(known, _)| *known == columns) {
            Some((_, group)) => group.push(batch),
            None => groups.push((columns, vec![batch])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn write_alike(
    folder: &TableFolder,
    stem: &str,
    batches: &[&RecordBatch],
    now_unix_ms: i64,
) -> Result<Vec<FinishedFile>, StoreError> {
    let failed = |error| StoreError::failing("join recent spans", error);
    let schema = joined_schema(batches)?;
    let columns: Vec<Vec<ArrayRef>> =
        schema.fields().iter().map(|field| column_of_all(batches, field)).collect();
    let arrays = |at: usize| columns.get(at).cloned().unwrap_or_default();
    let join = |at: usize| {
        let arrays = arrays(at);
        let parts: Vec<_> = arrays.iter().map(AsRef::as_ref).collect();
        concat(&parts).map_err(failed)
    };
    let lengths: Vec<usize> = batches.iter().map(|batch| batch.num_rows()).collect();
    let places = places(&lengths);
    let keys = Keys::new(&schema, join)?;
    let mut written = Vec::new();
    for (day, mut order) in keys.rows_by_day() {
        keys.sort(&mut order);
        let write = || {
            let rows = order.len() as u64;
            let mut writer = SortedFileWriter::create(folder, &day, stem, rows, &schema)?;
            for order in order.chunks(ROW_GROUP_ROWS_MAX) {
                let order = order.iter().filter_map(|row| places.get(*row as usize).copied());
                // Columns are gathered one at a time: the whole is never in memory twice.
                writer.write(&Gather::new(order.collect(), &lengths), |at| {
                    Ok::<_, StoreError>(arrays(at))
                })?;
            }
            writer.finish(now_unix_ms)
        };
        match write() {
            Ok(file) => written.push(file),
            Err(error) => {
                written.into_iter().for_each(|file| file.discard(folder));
                return Err(error);
            }
        }
    }
    Ok(written)
}

/// The place of each row of batches of these lengths.
fn places(lengths: &[usize]) -> Vec<Place> {
    let of_batch = |(array, rows): (usize, &usize)| {
        (0..*rows as u32).map(move |row| Place { array: array as u32, row })
    };
    lengths.iter().enumerate().flat_map(of_batch).collect()
}

/// The columns that batches have; an attribute column that is mixed anywhere is mixed in the whole.
fn joined_schema(batches: &[&RecordBatch]) -> Result<SchemaRef, StoreError> {
    let schemas = batches.iter().map(|batch| batch.schema_ref().as_ref().clone());
    let merged = Schema::try_merge(schemas);
    merged.map(Arc::new).map_err(|error| StoreError::failing("join recent spans", error))
}

/// A column of all batches; it is null in those that lack it.
fn column_of_all(batches: &[&RecordBatch], field: &Field) -> Vec<ArrayRef> {
    let column = |batch: &&RecordBatch| match batch.column_by_name(field.name()) {
        Some(array) => Arc::clone(array),
        None => new_null_array(field.data_type(), batch.num_rows()),
    };
    batches.iter().map(column).collect()
}

/// What rows are sorted and split by.
struct Keys {
    trace_id: BinaryArray,
    span_id: BinaryArray,
    start_time_unix_nano: Int64Array,
    received_at_unix_nano: Int64Array,
}

impl Keys {
    fn new(
        schema: &Schema,
        join: impl Fn(usize) -> Result<ArrayRef, StoreError>,
    ) -> Result<Self, StoreError> {
        let column = |name: &str| {
            let at = schema.index_of(name);
            join(at.map_err(|error| StoreError::failing("read recent spans", error))?)
        };
        Ok(Self {
            trace_id: column(name::TRACE_ID)?.as_binary().clone(),
            span_id: column(name::SPAN_ID)?.as_binary().clone(),
            start_time_unix_nano: column(name::START_TIME_UNIX_NANO)?.as_primitive().clone(),
            received_at_unix_nano: column(name::RECEIVED_AT_UNIX_NANO)?.as_primitive().clone(),
        })
    }

    /// Row numbers by UTC day of start, or of receipt where the start is not usable.
    fn rows_by_day(&self) -> BTreeMap<String, Vec<u32>> {
        let mut days: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for row in 0..self.trace_id.len() {
            let received = day_number(self.received_at_unix_nano.value(row));
            let started = self.start_time_unix_nano.value(row);
            let day = if started > 0 { day_number(started) } else { received };
            let is_one_too_many = days.len() >= DAYS_PER_FLUSH_MAX && !days.contains_key(&day);
            // A sealed batch is far below 2^32 rows.
            days.entry(if is_one_too_many { received } else { day }).or_default().push(row as u32);
        }
        days.into_iter().map(|(day, order)| (day_text(day), order)).collect()
    }

    /// Sorts row numbers by (trace id, start, span id).
    fn sort(&self, order: &mut [u32]) {
        order.sort_by_cached_key(|row| {
            let row = *row as usize;
            let trace = self.trace_id.value(row).first_chunk().copied();
            let span = self.span_id.value(row).first_chunk().copied();
            (
                trace.map_or(0, u128::from_be_bytes),
                self.start_time_unix_nano.value(row),
                span.map_or(0, u64::from_be_bytes),
            )
        });
    }
}
