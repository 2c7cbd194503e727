//! Stamps of clocks with hex ids: `span_stamp(stamp)`, `span_stamps(list)`, and
//! `carried_stamp(trace_state)`, the stamp that a tracestate brings, null where there is none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, is_null, nullif};
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

/// Null together with their stamp, because fields are taken out of structs without looking at that.
fn fields() -> Fields {
    let node = id_field("node", 16).with_nullable(true);
    let long = |name| Field::new(name, DataType::Int64, true);
    Fields::from(vec![node, long("hlc"), long("lead")])
}

fn stamp() -> DataType {
    DataType::Struct(fields())
}

fn one(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(Arc::new(with_hex(typed::<StructArray>(array)?)?))
}

fn with_hex(stored: &StructArray) -> Result<StructArray> {
    let nodes: ArrayRef = Arc::new(hex_array(typed(&member(stored, "node")?)?)?);
    let is_null = is_null(stored)?;
    let columns = [nodes, member(stored, "hlc")?, member(stored, "lead")?];
    let columns = columns.iter().map(|column| Ok(nullif(column, &is_null)?));
    let columns = columns.collect::<Result<Vec<_>>>()?;
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
    let nulls: NullBuffer = carried.iter().map(Option::is_some).collect();
    let nodes = carried.iter().map(|stamp| stamp.map(|s| s.node.to_string()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(nodes.collect::<StringArray>()),
        Arc::new(carried.iter().map(|stamp| stamp.map(|s| s.hlc)).collect::<Int64Array>()),
        Arc::new(carried.iter().map(|stamp| stamp.map(|s| s.lead)).collect::<Int64Array>()),
    ];
    Ok(Arc::new(StructArray::try_new(fields(), columns, Some(nulls))?))
}
