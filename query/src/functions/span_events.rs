//! `span_events(events)`: stored events with readable times.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Int64Type, UInt64Type};
use causeway_model::columns;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ColumnarValue;

use super::{attribute_set_field, map_array, member, typed, unix_time};

/// The function.
pub(crate) fn udf() -> ScalarUDF {
    let evaluate = |args: &[ColumnarValue]| map_array(args, |arrays| events(&arrays[0]));
    let input = columns::Kind::Events.data_type();
    let output = DataType::List(Arc::new(columns::element_field(fields())));
    create_udf("span_events", vec![input], output, Volatility::Immutable, Arc::new(evaluate))
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("time", unix_time::timestamp(), true),
        Field::new("time_unix_nano", DataType::UInt64, false),
        Field::new("name", DataType::Utf8, false),
        attribute_set_field("attributes"),
        Field::new("dropped_attributes_count", DataType::Int64, false),
    ])
}

fn events(array: &ArrayRef) -> Result<ArrayRef> {
    let lists = typed::<ListArray>(array)?;
    let stored = lists.values().as_struct();
    let times = member(stored, "time_unix_nano")?;
    let nanos: &Int64Array = times.as_primitive::<Int64Type>();
    let values = StructArray::try_new(
        fields(),
        vec![
            Arc::new(unix_time::time_array(nanos)),
            Arc::new(nanos.unary::<_, UInt64Type>(i64::cast_unsigned)),
            member(stored, "name")?,
            member(stored, "attributes")?,
            member(stored, "dropped_attributes_count")?,
        ],
        None,
    )?;
    let element = Arc::new(columns::element_field(fields()));
    let offsets = lists.offsets().clone();
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(values), lists.nulls().cloned())?))
}
