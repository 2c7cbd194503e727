//! `span_end(start, duration)`: the exact end of a span, wrapping as storage does.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::binary;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{map_array, typed};

/// Its name in plans.
pub(crate) const NAME: &str = "span_end";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| end(&arrays[0], &arrays[1]));
    let inputs = vec![DataType::Int64, DataType::Int64];
    create_udf(NAME, inputs, DataType::Int64, Volatility::Immutable, Arc::new(evaluate))
}

fn end(start: &ArrayRef, duration: &ArrayRef) -> Result<ArrayRef> {
    let (start, duration) = (typed::<Int64Array>(start)?, typed::<Int64Array>(duration)?);
    Ok(Arc::new(binary::<_, _, _, Int64Type>(start, duration, i64::wrapping_add)?))
}
