//! `unix_time(nanoseconds)`: the timestamp of a stored time; null when it is not usable.
//!
//! Zero means "not set" in OTLP, and a time above 2^63-1 is negative in storage.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampNanosecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{map_array, typed};

/// Its name in plans.
pub(crate) const NAME: &str = "unix_time";

/// Type of the times that users see.
pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| time(&arrays[0]));
    create_udf(NAME, vec![DataType::Int64], timestamp(), Volatility::Immutable, Arc::new(evaluate))
}

/// `hlc_time(hlc)`: the moment that a value of a hybrid clock stands for, give or take how far clocks
/// are apart.
pub(crate) fn of_hybrid_clock() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| time(&arrays[0]));
    let (name, takes) = ("hlc_time", vec![DataType::Int64]);
    create_udf(name, takes, timestamp(), Volatility::Immutable, Arc::new(evaluate))
}

fn time(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(Arc::new(time_array(typed::<Int64Array>(array)?)))
}

/// The timestamp of each usable time.
pub(crate) fn time_array(nanos: &Int64Array) -> TimestampNanosecondArray {
    nanos
        .iter()
        .map(|n| n.filter(|n| *n > 0))
        .collect::<TimestampNanosecondArray>()
        .with_timezone("UTC")
}
