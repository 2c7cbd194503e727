//! Rows of some traces from a file that is sorted by trace id.
//!
//! The page index tells which pages may hold an id: at most two of each column for one trace, unless
//! the trace is longer. Of these, the trace ids are decoded first; all other columns are only read
//! where the id is one of those asked for. A file without page index is read whole, one that is not
//! sorted costs more pages: both give the same rows.

use std::fs::File;
use std::ops::Range;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use causeway_model::columns::name;
use causeway_store::{FileColumns, FileFilters};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;

/// Trace ids, ascending and without repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids(Vec<[u8; 16]>);

impl Ids {
    pub(crate) fn new(mut ids: Vec<[u8; 16]>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }

    pub(crate) fn as_slice(&self) -> &[[u8; 16]] {
        &self.0
    }

    pub(crate) fn contains(&self, id: &[u8]) -> bool {
        match self.0.as_slice() {
            [only] => only == id,
            ids => ids.binary_search_by(|known| known.as_slice().cmp(id)).is_ok(),
        }
    }

    /// Those that a file may hold.
    pub(crate) fn within(&self, filters: &FileFilters) -> Self {
        Self(self.0.iter().filter(|id| filters.may_hold(*id)).copied().collect())
    }

    fn any_between(&self, low: &[u8], high: &[u8]) -> bool {
        let from = self.0.partition_point(|id| id.as_slice() < low);
        self.0.get(from).is_some_and(|id| id.as_slice() <= high)
    }
}

/// Rows that are decoded at once.
const ROWS_PER_READ: usize = 1_024;

/// Gives the rows of `ids` that the file holds to `visit`, with the columns of `schema`.
///
/// # Errors
/// The file cannot be read, or `visit` fails.
pub(crate) fn rows_by_id<E: From<ParquetError> + From<ArrowError>>(
    (file, metadata): (File, ArrowReaderMetadata),
    filters: Option<&FileFilters>,
    ids: &Ids,
    schema: &SchemaRef,
    visit: &mut dyn FnMut(RecordBatch) -> Result<(), E>,
) -> Result<(), E> {
    let parquet = metadata.metadata();
    let (groups, selection) = places(parquet, filters, ids);
    if groups.is_empty() {
        return Ok(());
    }
    let columns = FileColumns::new(file, metadata, groups)?;
    let trace_id = columns.named(|column| column == name::TRACE_ID);
    let missing = || ArrowError::SchemaError("no column trace_id".to_owned());
    let is_of_ids = |batch: Result<RecordBatch, ArrowError>| {
        which(batch?.columns().first().ok_or_else(missing)?, ids)
    };
    let of_ids = columns.batches(trace_id, Some(selection.clone()), ROWS_PER_READ)?;
    let of_ids = of_ids.map(is_of_ids).collect::<Result<Vec<_>, _>>()?;
    let selection = selection.and_then(&RowSelection::from_filters(&of_ids));
    if selection.selects_any() {
        let wanted = columns.named(|column| schema.column_with_name(column).is_some());
        for batch in columns.batches(wanted, Some(selection), ROWS_PER_READ)? {
            visit(conform(&batch?, schema)?)?;
        }
    }
    Ok(())
}

/// The rows whose trace id is one of `ids`.
pub(super) fn which(column: &ArrayRef, ids: &Ids) -> Result<BooleanArray, ArrowError> {
    let column = match column.data_type() {
        DataType::Binary => ArrayRef::clone(column),
        _ => cast(column, &DataType::Binary)?,
    };
    let found = column.as_binary::<i32>();
    Ok(found.iter().map(|id| Some(id.is_some_and(|id| ids.contains(id)))).collect())
}

/// Row groups that may hold one of the ids, and the rows in them that may.
fn places(
    parquet: &ParquetMetaData,
    filters: Option<&FileFilters>,
    ids: &Ids,
) -> (Vec<usize>, RowSelection) {
    let columns = parquet.file_metadata().schema_descr().columns();
    let leaf = columns.iter().position(|column| column.name() == name::TRACE_ID);
    let (mut groups, mut ranges, mut rows_before) = (Vec::new(), Vec::new(), 0);
    for (at, group) in parquet.row_groups().iter().enumerate() {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let here = match filters {
            Some(filters) => Ids(ids
                .0
                .iter()
                .filter(|id| filters.row_group_may_hold(at, *id))
                .copied()
                .collect()),
            None => ids.clone(),
        };
        let may_hold = |low: &[u8], high: &[u8]| here.any_between(low, high);
        let pages = leaf.and_then(|leaf| page_ranges(parquet, at, leaf, rows, &may_hold));
        let found = match (here.0.is_empty(), pages) {
            (true, _) => Vec::new(),
            (_, Some(pages)) => pages,
            (_, None) => Vec::from([0..rows; 1]),
        };
        if !found.is_empty() {
            groups.push(at);
            // The selection counts rows of the chosen row groups only.
            ranges.extend(found.iter().map(|r| rows_before + r.start..rows_before + r.end));
            rows_before += rows;
        }
    }
    (groups, RowSelection::from_consecutive_ranges(ranges.into_iter(), rows_before))
}

/// Rows of a whole file that may hold ids between the two; `None` without a page index.
pub(super) fn rows_between(
    parquet: &ParquetMetaData,
    first: [u8; 16],
    last: [u8; 16],
) -> Option<RowSelection> {
    let columns = parquet.file_metadata().schema_descr().columns();
    let leaf = columns.iter().position(|column| column.name() == name::TRACE_ID)?;
    let (mut ranges, mut rows_before) = (Vec::new(), 0);
    for (at, group) in parquet.row_groups().iter().enumerate() {
        let rows = usize::try_from(group.num_rows()).ok()?;
        let overlaps = |low: &[u8], high: &[u8]| low <= &last[..] && &first[..] <= high;
        let found = page_ranges(parquet, at, leaf, rows, &overlaps)?;
        ranges.extend(found.iter().map(|r| rows_before + r.start..rows_before + r.end));
        rows_before += rows;
    }
    Some(RowSelection::from_consecutive_ranges(ranges.into_iter(), rows_before))
}

/// Rows of the pages that may hold ids of a kind, by their least and greatest; `None` without a page
/// index.
fn page_ranges(
    parquet: &ParquetMetaData,
    group: usize,
    leaf: usize,
    rows: usize,
    is_wanted: &dyn Fn(&[u8], &[u8]) -> bool,
) -> Option<Vec<Range<usize>>> {
    let bounds = parquet.column_index()?.get(group)?.get(leaf)?;
    let pages = parquet.offset_index()?.get(group)?.get(leaf)?.page_locations();
    let first = |page: usize| pages.get(page).map(|p| usize::try_from(p.first_row_index).ok());
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for page in 0..pages.len() {
        let (start, end) = (first(page)??, first(page + 1).unwrap_or(Some(rows))?);
        let (low, high) = match bounds {
            ColumnIndexMetaData::BYTE_ARRAY(index) => {
                (index.min_value(page), index.max_value(page))
            }
            ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(index) => {
                (index.min_value(page), index.max_value(page))
            }
            _ => return None,
        };
        let may_hold = match (low, high) {
            (Some(low), Some(high)) => is_wanted(low, high),
            _ => true,
        };
        match ranges.last_mut() {
            _ if !may_hold => {}
            Some(last) if last.end == start => last.end = end,
            _ => ranges.push(start..end),
        }
    }
    Some(ranges)
}

/// The batch with exactly the columns of `schema`: others are left out, missing ones are null, text
/// that other writers did not dictionary-encode is.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(ArrayRef::clone(column)),
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    RecordBatch::try_new(SchemaRef::clone(schema), columns.collect::<Result<_, _>>()?)
}
