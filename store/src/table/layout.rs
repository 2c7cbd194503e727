//! The table's schema and properties, and the settings of its Parquet files.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use causeway_model::batch::{AttributeColumn, AttributeKind};
use causeway_model::columns::{self, COLUMNS, Kind, name};
use causeway_model::parts::{self, part};
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{StructField, StructType};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::file::DAY;
use crate::StoreError;

/// Most rows that are written to a row group at once: nearly every flush. Larger ones gain nothing.
pub(super) const ROW_GROUP_ROWS_MAX: usize = 1 << 20;

/// A row group ends when it has this many rows; so it never has twice as many.
pub(super) const ROW_GROUP_ROWS_MIN: usize = 3 << 18;

/// Most rows of a page: smaller pages make files grow without faster lookups.
pub(crate) const PAGE_ROWS_MAX: usize = 16_384;

/// A file has at least so many pages unless those have [`PAGE_ROWS_MIN`] rows: a merge keeps up to a page of each column of
/// each of its inputs, most of which are small files.
const PAGES_MIN: u64 = 64;

/// Pages of small files have so many rows, or a multiple: what column writers take at once.
pub(crate) const PAGE_ROWS_MIN: usize = 2_048;

/// Higher levels take more time than the bytes they save are worth.
pub(super) const ZSTD_LEVEL: i32 = 1;

/// Rows of a page of a summary file.
const SUMMARY_PAGE_ROWS_MAX: usize = 1_024;

/// Delta's view of the schema: the stored columns and the partition column.
pub(super) fn delta_schema() -> Result<StructType, StoreError> {
    let mut fields: Vec<_> = columns::schema().fields().iter().map(plain).collect();
    fields.push(Arc::new(Field::new(DAY, DataType::Date32, true)));
    (&Schema::new(fields))
        .try_into_kernel()
        .map_err(|error| StoreError::failing("describe the table to Delta", error))
}

/// Delta's view of columns.
pub(super) fn delta_fields<'a>(
    columns: impl Iterator<Item = &'a FieldRef>,
) -> Result<Vec<StructField>, StoreError> {
    // What a file says about its own values is not for the table.
    let bare = |field: &FieldRef| Arc::new(field.as_ref().clone().with_metadata(HashMap::new()));
    let fields: Vec<_> = columns.map(|field| plain(&bare(field))).collect();
    let schema: StructType = (&Schema::new(fields))
        .try_into_kernel()
        .map_err(|error| StoreError::failing("describe columns to Delta", error))?;
    Ok(schema.fields().cloned().collect())
}

/// Other readers see dictionary-encoded text as plain text.
fn plain(field: &Arc<Field>) -> Arc<Field> {
    match field.data_type() {
        DataType::Dictionary(_, values) => {
            Arc::new(field.as_ref().clone().with_data_type(values.as_ref().clone()))
        }
        _ => Arc::clone(field),
    }
}

/// Properties of the table.
pub(super) fn properties() -> HashMap<String, Option<String>> {
    let pruned: Vec<&str> = COLUMNS.iter().filter(|c| c.statistics).map(|c| c.name).collect();
    HashMap::from([
        ("delta.dataSkippingStatsColumns".to_owned(), Some(pruned.join(","))),
        // One JSON file a flush: the default of 30 days would keep tens of thousands.
        ("delta.logRetentionDuration".to_owned(), Some("interval 6 hours".to_owned())),
        // How long the log remembers which files left: as long as they may stay on disk.
        ("delta.deletedFileRetentionDuration".to_owned(), Some("interval 1 days".to_owned())),
    ])
}

/// One lookup in a thousand opens a file in vain.
const BLOOM_FALSE_POSITIVES: f64 = 0.001;

/// Rows of a page of a file of at most `rows_max` rows.
pub(super) fn page_rows(rows_max: u64) -> usize {
    let rows = usize::try_from(rows_max / PAGES_MIN).unwrap_or(usize::MAX).min(PAGE_ROWS_MAX);
    rows.next_multiple_of(PAGE_ROWS_MIN).max(PAGE_ROWS_MIN)
}

/// Settings of a file of at most `rows_max` rows, sorted by trace, start and span.
pub(super) fn writer_properties(rows_max: u64, schema: &Schema) -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_data_page_row_count_limit(page_rows(rows_max))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_sorting_columns(Some(sorting_columns()));
    for column in COLUMNS {
        builder = column_properties(builder, column, rows_max);
        for path in leaves_that_hardly_repeat(column) {
            builder = builder.set_column_dictionary_enabled(path, false);
        }
    }
    for field in schema.fields() {
        let Some(column) = AttributeColumn::of_field(field) else {
            continue;
        };
        let path = || ColumnPath::from(field.name().as_str());
        builder = builder.set_column_statistics_enabled(path(), EnabledStatistics::Chunk);
        if column.kind == AttributeKind::Int {
            // Where a dictionary does not pay.
            builder = builder.set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED);
        }
    }
    builder.build()
}

/// Settings of a summary file, sorted by trace. A reader that merges hundreds of them holds one page
/// of each column of each, so pages are small.
pub(super) fn summary_properties() -> WriterProperties {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_data_page_row_count_limit(SUMMARY_PAGE_ROWS_MAX)
        .set_write_batch_size(SUMMARY_PAGE_ROWS_MAX)
        .set_statistics_enabled(EnabledStatistics::None);
    for field in parts::schema().fields() {
        let path = || ColumnPath::from(field.name().as_str());
        if field.name() == part::TRACE_ID {
            builder = builder
                .set_column_dictionary_enabled(path(), false)
                .set_column_statistics_enabled(path(), EnabledStatistics::Page);
        }
        if field.data_type() == &DataType::Int64 {
            builder = builder
                .set_column_dictionary_enabled(path(), false)
                .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED);
        }
    }
    builder.build()
}

fn column_properties(
    builder: WriterPropertiesBuilder,
    column: &columns::Column,
    rows_max: u64,
) -> WriterPropertiesBuilder {
    let path = || ColumnPath::from(column.name);
    let builder = match encoding(column) {
        Some(encoding) => builder
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), encoding),
        None => builder,
    };
    let builder = match column.name {
        name::TRACE_ID => builder
            .set_column_bloom_filter_enabled(path(), true)
            .set_column_bloom_filter_fpp(path(), BLOOM_FALSE_POSITIVES)
            // A bound only: the filter of each row group is folded to what its traces need.
            .set_column_bloom_filter_max_ndv(path(), rows_max.clamp(1, ROW_GROUP_ROWS_MAX as u64))
            .set_column_statistics_enabled(path(), EnabledStatistics::Page),
        _ => builder,
    };
    match column.statistics {
        true => builder.set_column_statistics_enabled(path(), EnabledStatistics::Page),
        false => builder,
    }
}

/// How to write a column whose values hardly repeat (ADR 0030): plain what neighbours share whole, which zstd finds, other
/// numbers as differences, ids of one length with their lengths apart.
fn encoding(column: &columns::Column) -> Option<Encoding> {
    Some(match (column.name, column.kind) {
        (name::TRACE_ID | name::START_TIME | name::RECEIVED_AT_UNIX_NANO | name::RECV_HLC, _) => {
            Encoding::PLAIN
        }
        (name::SPAN_ID | name::PARENT_SPAN_ID, _) => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        (_, Kind::Long) => Encoding::DELTA_BINARY_PACKED,
        _ => return None,
    })
}

/// Leaves of events, links and stamps whose values hardly repeat: a dictionary is read whole for one trace.
fn leaves_that_hardly_repeat(column: &columns::Column) -> Vec<ColumnPath> {
    let (inner, fields): (&[&str], _) = match column.kind {
        Kind::Events => (&LIST, columns::event_fields()),
        Kind::Links => (&LIST, columns::link_fields()),
        Kind::Stamps => (&LIST, columns::stamp_fields()),
        Kind::Stamp => (&[], columns::stamp_fields()),
        _ => return Vec::new(),
    };
    let hardly_repeat =
        fields.iter().filter(|field| HARDLY_REPEAT.contains(&field.name().as_str()));
    let parts = |field: &FieldRef| {
        let parts =
            [column.name].into_iter().chain(inner.iter().copied()).chain([field.name().as_str()]);
        ColumnPath::new(parts.map(str::to_owned).collect())
    };
    hardly_repeat.map(parts).collect()
}

/// Such leaves.
const HARDLY_REPEAT: [&str; 6] =
    ["time_unix_nano", "attributes", "trace_id", "span_id", "hlc", "lead"];

/// What Parquet puts between a list and the fields of its elements.
const LIST: [&str; 2] = ["list", "element"];

fn sorting_columns() -> Vec<SortingColumn> {
    let position = |wanted| COLUMNS.iter().position(|column| column.name == wanted).unwrap_or(0);
    [name::TRACE_ID, name::START_TIME_UNIX_NANO, name::SPAN_ID]
        .map(|column| SortingColumn {
            // A handful of columns.
            column_idx: position(column) as i32,
            descending: false,
            nulls_first: true,
        })
        .to_vec()
}
