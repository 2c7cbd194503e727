//! `status_of(code)`: the status code of a span; 0 (unset) for a span without a status.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{map_array, typed};

/// Its name in plans.
pub(crate) const NAME: &str = "status_of";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| status(&arrays[0]));
    create_udf(
        NAME,
        vec![DataType::Int32],
        DataType::Int32,
        Volatility::Immutable,
        Arc::new(evaluate),
    )
}

fn status(array: &ArrayRef) -> Result<ArrayRef> {
    let codes = typed::<Int32Array>(array)?;
    Ok(Arc::new(codes.iter().map(|code| Some(code.unwrap_or(0))).collect::<Int32Array>()))
}
