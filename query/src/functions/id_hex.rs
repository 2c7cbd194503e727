//! `id_hex(bytes)`: the lower-case hex text of an id.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{map_array, typed};

/// Its name in plans.
pub(crate) const NAME: &str = "id_hex";

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| hex(&arrays[0]));
    create_udf(
        NAME,
        vec![DataType::Binary],
        DataType::Utf8,
        Volatility::Immutable,
        Arc::new(evaluate),
    )
}

fn hex(array: &ArrayRef) -> Result<ArrayRef> {
    let ids = typed::<BinaryArray>(array)?;
    Ok(Arc::new(hex_array(ids)?))
}

/// Hex of every id.
pub(crate) fn hex_array(ids: &BinaryArray) -> Result<StringArray> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let offsets = ids.value_offsets();
    let (first, last) = (offsets[0], offsets[ids.len()]);
    let bytes = &ids.value_data()[first as usize..last as usize];
    let mut text = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    let offsets: Vec<i32> = offsets.iter().map(|offset| (offset - first) * 2).collect();
    let offsets = OffsetBuffer::new(offsets.into());
    Ok(StringArray::try_new(offsets, Buffer::from_vec(text), ids.nulls().cloned())?)
}
