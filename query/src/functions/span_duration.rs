//! `span_duration(start, duration)`: the stored duration; null unless start and end are usable.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{map_array, typed};

/// Its name in plans.
pub(crate) const NAME: &str = "span_duration";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate =
        |args: &[ColumnarValue]| map_array(args, |arrays| usable(&arrays[0], &arrays[1]));
    let inputs = vec![DataType::Int64, DataType::Int64];
    create_udf(NAME, inputs, DataType::Int64, Volatility::Immutable, Arc::new(evaluate))
}

fn usable(start: &ArrayRef, duration: &ArrayRef) -> Result<ArrayRef> {
    let (starts, durations) = (typed::<Int64Array>(start)?, typed::<Int64Array>(duration)?);
    let rows = starts.iter().zip(durations.iter());
    Ok(Arc::new(rows.map(|(s, d)| duration_of(s?, d?)).collect::<Int64Array>()))
}

/// The duration of a span whose start and end are usable; negative when it ends before it starts.
pub(crate) fn duration_of(start: i64, duration: i64) -> Option<i64> {
    (start > 0 && start.wrapping_add(duration) > 0).then_some(duration)
}
