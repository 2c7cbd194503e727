//! `span_links(links)`: stored links with hex ids.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use causeway_model::columns;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::id_hex::hex_array;
use super::{attribute_set_field, id_field, map_array, member, typed};

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| links(&arrays[0]));
    let input = columns::Kind::Links.data_type();
    let output = DataType::List(Arc::new(columns::element_field(fields())));
    create_udf("span_links", vec![input], output, Volatility::Immutable, Arc::new(evaluate))
}

fn fields() -> Fields {
    Fields::from(vec![
        id_field("trace_id", 32),
        id_field("span_id", 16),
        Field::new("trace_state", DataType::Utf8, false),
        attribute_set_field("attributes"),
        Field::new("dropped_attributes_count", DataType::Int64, false),
        Field::new("flags", DataType::Int64, false),
    ])
}

fn links(array: &ArrayRef) -> Result<ArrayRef> {
    let lists = typed::<ListArray>(array)?;
    let stored = lists.values().as_struct();
    let values = StructArray::try_new(
        fields(),
        vec![
            Arc::new(hex_array(typed(&member(stored, "trace_id")?)?)?),
            Arc::new(hex_array(typed(&member(stored, "span_id")?)?)?),
            member(stored, "trace_state")?,
            member(stored, "attributes")?,
            member(stored, "dropped_attributes_count")?,
            member(stored, "flags")?,
        ],
        None,
    )?;
    let element = Arc::new(columns::element_field(fields()));
    let offsets = lists.offsets().clone();
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), lists.nulls().cloned())?))
}
