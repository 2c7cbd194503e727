//! `trace_summary(...)`: the aggregate behind the `traces` view: one line about all spans of a group.
//!
//! Takes storage columns (span id, parent id, start, duration, status, service, name), gives a
//! struct. The work is done by [`crate::trace::summary`]; this file only moves rows in and out.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int32Array, Int64Array, ListArray, StringArray,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type};
use causeway_model::columns::repeated_text;
use datafusion::common::{exec_err, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::{META_SPAN_ID, typed, with_meaning};
use crate::trace::summary::{Span, Summary, SummaryBuilder};

/// The function.
pub(crate) fn udaf() -> AggregateUDF {
    let inputs = vec![
        DataType::Binary,
        DataType::Binary,
        DataType::Int64,
        DataType::Int64,
        DataType::Int32,
        repeated_text(),
        repeated_text(),
    ];
    let signature = Signature::exact(inputs, Volatility::Immutable);
    AggregateUDF::from(TraceSummary { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TraceSummary {
    signature: Signature,
}

impl AggregateUDFImpl for TraceSummary {
    fn name(&self) -> &'static str {
        "trace_summary"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(SummaryAccumulator::default()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[spans]", args.name), DataType::Binary, true))])
    }
}

fn service_fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("spans", DataType::Int64, false),
        Field::new("errors", DataType::Int64, false),
    ])
}

fn service_element() -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(service_fields()), false))
}

/// Fields of the result.
pub(crate) fn fields() -> Fields {
    let id = with_meaning(Field::new("root_span_id", DataType::Utf8, true), META_SPAN_ID);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    Fields::from(vec![
        id,
        Field::new("root_service", DataType::Utf8, true),
        Field::new("root_name", DataType::Utf8, true),
        long("start_time_unix_nano"),
        long("duration_ns"),
        long("envelope_ns"),
        long("span_count"),
        long("error_count"),
        long("service_count"),
        long("missing_parents"),
        Field::new("complete", DataType::Boolean, true),
        Field::new("services", DataType::List(service_element()), true),
    ])
}

#[derive(Debug, Default)]
struct SummaryAccumulator {
    spans: SummaryBuilder,
}

impl Accumulator for SummaryAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [span_id, parent, start, duration, status, service, name] = values else {
            return exec_err!("trace_summary takes seven columns");
        };
        let (span_id, parent) = (typed::<BinaryArray>(span_id)?, typed::<BinaryArray>(parent)?);
        let (start, duration) = (typed::<Int64Array>(start)?, typed::<Int64Array>(duration)?);
        let status = typed::<Int32Array>(status)?;
        for row in 0..span_id.len() {
            self.spans.push(&Span {
                span_id: id(span_id, row),
                parent_span_id: id(parent, row),
                start_time_unix_nano: start.value(row),
                duration_ns: duration.value(row),
                is_error: status.is_valid(row) && status.value(row) == 2,
                service: text(service, row),
                name: text(name, row),
            });
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Struct(Arc::new(to_row(&self.spans.finish())?)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.spans.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.spans.to_bytes()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first() else {
            return Ok(());
        };
        for state in typed::<BinaryArray>(states)?.iter().flatten() {
            let merged = self.spans.merge(state);
            merged.ok_or_else(|| internal_datafusion_err!("damaged trace_summary state"))?;
        }
        Ok(())
    }
}

/// An 8-byte id as a number; 0 for none.
fn id(ids: &BinaryArray, row: usize) -> u64 {
    match ids.is_valid(row) {
        true => ids.value(row).try_into().map_or(0, u64::from_be_bytes),
        false => 0,
    }
}

fn text(array: &ArrayRef, row: usize) -> &str {
    let dictionary = array.as_dictionary::<Int32Type>();
    match dictionary.key(row) {
        Some(key) => dictionary.values().as_string::<i32>().value(key),
        None => "",
    }
}

/// A summary as a struct of one row.
fn to_row(summary: &Summary) -> Result<StructArray> {
    let services = StructArray::try_new(
        service_fields(),
        vec![
            Arc::new(StringArray::from_iter_values(summary.services.iter().map(|s| &s.name))),
            Arc::new(Int64Array::from_iter_values(summary.services.iter().map(|s| s.spans))),
            Arc::new(Int64Array::from_iter_values(summary.services.iter().map(|s| s.errors))),
        ],
        None,
    )?;
    let offsets = OffsetBuffer::from_lengths([services.len()]);
    let services: ArrayRef =
        Arc::new(ListArray::try_new(service_element(), offsets, Arc::new(services), None)?);
    let long = |value: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
    let root_span_id = summary.root_span_id.map(|id| format!("{id:016x}"));
    Ok(StructArray::try_new(
        fields(),
        vec![
            Arc::new(StringArray::from(vec![root_span_id])),
            Arc::new(StringArray::from(vec![summary.root_service.as_str()])),
            Arc::new(StringArray::from(vec![summary.root_name.as_str()])),
            long(summary.start_time_unix_nano),
            Arc::new(Int64Array::from(vec![summary.duration_ns])),
            long(summary.envelope_ns),
            long(summary.spans),
            long(summary.errors),
            long(summary.services.len() as i64),
            long(summary.missing_parents),
            Arc::new(arrow::array::BooleanArray::from(vec![summary.complete])),
            services,
        ],
        None,
    )?)
}
