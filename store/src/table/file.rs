//! One live file of the table, and its statistics as the Delta log keeps them.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use causeway_model::columns::{COLUMNS, name};
use deltalake::kernel::Add;
use serde_json::{Map, Value, json};

/// The partition column: the UTC day under which spans are kept and expire.
pub(crate) const DAY: &str = "day";

/// One Parquet file of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path relative to the table's folder.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Number of spans.
    pub rows: u64,
    /// Least and greatest `start_time_unix_nano`, both inclusive; `None` when not known.
    pub start_time_range: Option<(i64, i64)>,
    /// When it was written, Unix milliseconds.
    pub modified_ms: i64,
}

impl DataFile {
    /// From what the Delta log says of a file.
    pub(crate) fn from_log(
        path: String,
        bytes: i64,
        modified_ms: i64,
        stats: Option<&str>,
    ) -> Self {
        let stats: Value = stats.and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default();
        let bound = |which: &str| stats.get(which)?.get(name::START_TIME_UNIX_NANO)?.as_i64();
        Self {
            path,
            bytes: u64::try_from(bytes).unwrap_or(0),
            rows: stats.get("numRecords").and_then(Value::as_u64).unwrap_or(0),
            start_time_range: bound("minValues").zip(bound("maxValues")),
            modified_ms,
        }
    }
}

/// The action that adds a file of `batch` to the table.
pub(crate) fn add_action(
    path: String,
    bytes: u64,
    day: String,
    modified_ms: i64,
    batch: &RecordBatch,
) -> Add {
    Add {
        path,
        partition_values: HashMap::from([(DAY.to_owned(), Some(day))]),
        size: i64::try_from(bytes).unwrap_or(i64::MAX),
        modification_time: modified_ms,
        data_change: true,
        stats: Some(statistics(batch).to_string()),
        ..Add::default()
    }
}

/// Delta statistics of the columns that are kept for pruning.
fn statistics(batch: &RecordBatch) -> Value {
    let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
    for column in COLUMNS.iter().filter(|column| column.statistics) {
        let Some(array) = batch.column_by_name(column.name) else {
            continue;
        };
        nulls.insert(column.name.to_owned(), json!(array.logical_null_count()));
        if let Some((low, high)) = bounds(array.as_ref()) {
            least.insert(column.name.to_owned(), low);
            greatest.insert(column.name.to_owned(), high);
        }
    }
    json!({ "numRecords": batch.num_rows(), "minValues": least, "maxValues": greatest, "nullCount": nulls })
}

/// Least and greatest value in the form that Delta statistics use. Texts longer than this are left
/// without bounds: they would make the transaction log large.
const TEXT_BOUND_BYTES_MAX: usize = 64;

fn bounds(array: &dyn Array) -> Option<(Value, Value)> {
    match array.data_type() {
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>();
            Some((json!(min(values)?), json!(max(values)?)))
        }
        DataType::Int32 => {
            let values = array.as_primitive::<Int32Type>();
            Some((json!(min(values)?), json!(max(values)?)))
        }
        DataType::Dictionary(..) => {
            let used = arrow::compute::cast(array, &DataType::Utf8).ok()?;
            let texts = used.as_string_opt::<i32>()?;
            let (low, high) = (min_string(texts)?, max_string(texts)?);
            let is_short = low.len().max(high.len()) <= TEXT_BOUND_BYTES_MAX;
            is_short.then(|| (json!(low), json!(high)))
        }
        // Timestamps have their exact nanoseconds beside them.
        _ => None,
    }
}
