//! `unsigned(integer)`: the unsigned value whose bits are stored in a signed column.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{map_array, typed};

/// Its name in plans.
pub(crate) const NAME: &str = "unsigned";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| unsigned(&arrays[0]));
    create_udf(
        NAME,
        vec![DataType::Int64],
        DataType::UInt64,
        Volatility::Immutable,
        Arc::new(evaluate),
    )
}

fn unsigned(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(Arc::new(typed::<Int64Array>(array)?.unary::<_, UInt64Type>(i64::cast_unsigned)))
}
