//! Stamps of clocks with hex ids: `span_stamp(stamp)`, `span_stamps(list)`, and
//! `carried_stamp(trace_state)`, the stamp that a tracestate brings, null where there is none.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray, StructArray, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use causeway_model::{columns, stamps};
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::id_hex::hex_array;
use super::{id_field, map_array, member, typed};

/// Names in plans.
pub(crate) const ONE: &str = "span_stamp";
pub(crate) const LIST: &str = "span_stamps";
pub(crate) const CARRIED: &str = "carried_stamp";

/// `span_stamp`.
pub(crate) fn of_span() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| one(&arrays[0]));
    let input = columns::Kind::Stamp.data_type();
    create_udf(ONE, vec![input], stamp(), Volatility::Immutable, Arc::new(evaluate))
}

/// `span_stamps`.
pub(crate) fn list_of_span() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| list(&arrays[0]));
    let input = columns::Kind::Stamps.data_type();
    let output = DataType::List(Arc::new(columns::element_field(fields())));
    create_udf(LIST, vec![input], output, Volatility::Immutable, Arc::new(evaluate))
}

/// `carried_stamp`.
pub(crate) fn carried() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| read(&arrays[0]));
    create_udf(CARRIED, vec![DataType::Utf8], stamp(), Volatility::Immutable, Arc::new(evaluate))
}

fn fields() -> Fields {
    Fields::from(vec![
        id_field("node", 16),
        Field::new("hlc", DataType::Int64, false),
        Field::new("lead", DataType::Int64, false),
    ])
}

fn stamp() -> DataType {
    DataType::Struct(fields())
}

fn one(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(Arc::new(with_hex(typed::<StructArray>(array)?)?))
}

fn with_hex(stored: &StructArray) -> Result<StructArray> {
    let nodes = member(stored, "node")?;
    let columns: Vec<ArrayRef> =
        vec![Arc::new(hex_array(typed(&nodes)?)?), member(stored, "hlc")?, member(stored, "lead")?];
    Ok(StructArray::try_new(fields(), columns, stored.nulls().cloned())?)
}

fn list(array: &ArrayRef) -> Result<ArrayRef> {
    let lists = typed::<ListArray>(array)?;
    let values = with_hex(lists.values().as_struct())?;
    let element = Arc::new(columns::element_field(fields()));
    let offsets = lists.offsets().clone();
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), lists.nulls().cloned())?))
}

fn read(array: &ArrayRef) -> Result<ArrayRef> {
    let texts = cast(array, &DataType::Utf8)?;
    let texts = typed::<StringArray>(&texts)?;
    let carried: Vec<_> = texts.iter().map(|text| stamps::carried(text?)).collect();
    if carried.iter().all(Option::is_none) {
        return Ok(new_null_array(&stamp(), carried.len()));
    }
    let nulls: NullBuffer = carried.iter().map(Option::is_some).collect();
    let nodes = carried.iter().map(|s| s.map_or(String::new(), |s| s.node.to_string()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(nodes)),
        Arc::new(Int64Array::from_iter_values(carried.iter().map(|s| s.map_or(0, |s| s.hlc)))),
        Arc::new(Int64Array::from_iter_values(carried.iter().map(|s| s.map_or(0, |s| s.lead)))),
    ];
    Ok(Arc::new(StructArray::try_new(fields(), columns, Some(nulls))?))
}
