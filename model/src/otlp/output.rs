//! Spans back to OTLP: what was received, grouped by equal resource and scope.
//!
//! Rows that follow each other with the same resource and scope share one `ScopeSpans`; nothing
//! else differs from what was sent. Protobuf is written from the columns, JSON from that protobuf.

use arrow::array::{Array, RecordBatch};

use super::wire::Writer;
use super::{DecodeError, json};
use crate::rows::{AttributeText, RowsError, SpanRows};
use crate::value::{self, KeyValue, Value, ValueError};

/// Why stored spans could not be written: the batch does not hold what the schema promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// A column is missing.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A stored attribute text cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A stored entity reference cannot be read.
    #[error("stored entity references are not OTLP/JSON")]
    EntityRefs,
    /// Our own protobuf could not be read back.
    #[error(transparent)]
    Wire(#[from] DecodeError),
}

/// Appends the rows of the batches as one OTLP/JSON `ExportTraceServiceRequest`.
///
/// # Errors
/// A batch is not of the `spans` schema or holds a damaged value.
pub fn write_json(batches: &[RecordBatch], out: &mut Vec<u8>) -> Result<(), OutputError> {
    let mut protobuf = Vec::new();
    write_protobuf(batches, &mut protobuf)?;
    Ok(json::protobuf_to_json(&protobuf, out)?)
}

/// Appends the rows of the batches as one protobuf `ExportTraceServiceRequest`.
///
/// # Errors
/// A batch is not of the `spans` schema or holds a damaged value.
pub fn write_protobuf(batches: &[RecordBatch], out: &mut Vec<u8>) -> Result<(), OutputError> {
    let mut writer = Writer { out: std::mem::take(out) };
    let result = batches.iter().try_for_each(|batch| write_batch(batch, &mut writer));
    *out = writer.out;
    result
}

fn write_batch(batch: &RecordBatch, writer: &mut Writer) -> Result<(), OutputError> {
    let rows = SpanRows::new(batch)?;
    let mut row = 0;
    while row < rows.len {
        let run = (row..rows.len).take_while(|next| same_resource(&rows, row, *next)).count();
        write_resource_spans(&rows, row..row + run, writer)?;
        row += run;
    }
    Ok(())
}

fn same_resource(rows: &SpanRows<'_>, a: usize, b: usize) -> bool {
    rows.resource_attributes.key(a) == rows.resource_attributes.key(b)
        && rows.resource_schema_url.key(a) == rows.resource_schema_url.key(b)
        && rows.resource_entity_refs.key(a) == rows.resource_entity_refs.key(b)
        && rows.resource_dropped_attributes_count.value(a)
            == rows.resource_dropped_attributes_count.value(b)
}

fn same_scope(rows: &SpanRows<'_>, a: usize, b: usize) -> bool {
    rows.scope_name.key(a) == rows.scope_name.key(b)
        && rows.scope_version.key(a) == rows.scope_version.key(b)
        && rows.scope_attributes.key(a) == rows.scope_attributes.key(b)
        && rows.scope_schema_url.key(a) == rows.scope_schema_url.key(b)
        && rows.scope_dropped_attributes_count.value(a)
            == rows.scope_dropped_attributes_count.value(b)
}

fn write_resource_spans(
    rows: &SpanRows<'_>,
    range: std::ops::Range<usize>,
    w: &mut Writer,
) -> Result<(), OutputError> {
    let resource_spans = w.open(1);
    if let Some(set) = rows.resource_attributes.get(range.start) {
        let resource = w.open(1);
        write_set(1, set, w)?;
        write_count(2, rows.resource_dropped_attributes_count.value(range.start), w);
        if let Some(entity_refs) = rows.resource_entity_refs.get(range.start) {
            write_entity_refs(entity_refs, w)?;
        }
        w.close(resource);
    }
    let mut row = range.start;
    while row < range.end {
        let run = (row..range.end).take_while(|next| same_scope(rows, row, *next)).count();
        write_scope_spans(rows, row..row + run, w)?;
        row += run;
    }
    write_text(3, rows.resource_schema_url.get(range.start).unwrap_or(""), w);
    w.close(resource_spans);
    Ok(())
}

fn write_entity_refs(json_text: &str, w: &mut Writer) -> Result<(), OutputError> {
    let refs: Vec<serde_json::Value> =
        serde_json::from_str(json_text).map_err(|_| OutputError::EntityRefs)?;
    let texts = |entity: &serde_json::Value, key: &str| -> Vec<String> {
        let values = entity.get(key).and_then(|keys| keys.as_array()).cloned().unwrap_or_default();
        values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    for entity in &refs {
        let message = w.open(3);
        for (number, key) in [(1, "schemaUrl"), (2, "type")] {
            write_text(number, entity.get(key).and_then(|text| text.as_str()).unwrap_or(""), w);
        }
        for (number, key) in [(3, "idKeys"), (4, "descriptionKeys")] {
            for text in texts(entity, key) {
                w.bytes(number, text.as_bytes());
            }
        }
        w.close(message);
    }
    Ok(())
}

fn write_scope_spans(
    rows: &SpanRows<'_>,
    range: std::ops::Range<usize>,
    w: &mut Writer,
) -> Result<(), OutputError> {
    let scope_spans = w.open(2);
    if let Some(set) = rows.scope_attributes.get(range.start) {
        let scope = w.open(1);
        write_text(1, rows.scope_name.get(range.start).unwrap_or(""), w);
        write_text(2, rows.scope_version.get(range.start).unwrap_or(""), w);
        write_set(3, set, w)?;
        write_count(4, rows.scope_dropped_attributes_count.value(range.start), w);
        w.close(scope);
    }
    for row in range.clone() {
        write_span(rows, row, w)?;
    }
    write_text(3, rows.scope_schema_url.get(range.start).unwrap_or(""), w);
    w.close(scope_spans);
    Ok(())
}

fn write_span(rows: &SpanRows<'_>, row: usize, w: &mut Writer) -> Result<(), OutputError> {
    let span = w.open(2);
    w.bytes(1, rows.trace_id.value(row));
    w.bytes(2, rows.span_id.value(row));
    write_text(3, rows.trace_state.get(row).unwrap_or(""), w);
    if rows.parent_span_id.is_valid(row) {
        w.bytes(4, rows.parent_span_id.value(row));
    }
    write_text(5, rows.name.get(row).unwrap_or(""), w);
    if rows.kind.value(row) != 0 {
        w.int32(6, rows.kind.value(row));
    }
    write_time(7, rows.start_time_unix_nano.value(row), w);
    write_time(8, rows.end_time_unix_nano(row), w);
    for (key, value) in rows.attributes.entries(row) {
        let value = match value {
            None => None,
            Some(AttributeText::Int(value)) => Some(Value::Int(value)),
            Some(AttributeText::Text(text)) => Some(value::parse(text)?),
        };
        write_key_value(9, key, value.as_ref(), w);
    }
    write_count(10, rows.dropped_attributes_count.value(row), w);
    for at in rows.event_range(row) {
        write_event(rows, at, w)?;
    }
    write_count(12, rows.dropped_events_count.value(row), w);
    for at in rows.link_range(row) {
        write_link(rows, at, w)?;
    }
    write_count(14, rows.dropped_links_count.value(row), w);
    if rows.status_code.is_valid(row) {
        let status = w.open(15);
        write_text(2, rows.status_message.get(row).unwrap_or(""), w);
        if rows.status_code.value(row) != 0 {
            w.int32(3, rows.status_code.value(row));
        }
        w.close(status);
    }
    write_flags(16, rows.flags.value(row), w);
    w.close(span);
    Ok(())
}

fn write_event(rows: &SpanRows<'_>, at: usize, w: &mut Writer) -> Result<(), OutputError> {
    let event = w.open(11);
    write_time(1, rows.events.time_unix_nano.value(at), w);
    write_text(2, rows.events.name.value(at), w);
    write_set(3, rows.events.attributes.value(at), w)?;
    write_count(4, rows.events.dropped_attributes_count.value(at), w);
    w.close(event);
    Ok(())
}

fn write_link(rows: &SpanRows<'_>, at: usize, w: &mut Writer) -> Result<(), OutputError> {
    let link = w.open(13);
    for (number, id) in [(1, rows.links.trace_id.value(at)), (2, rows.links.span_id.value(at))] {
        if !id.is_empty() {
            w.bytes(number, id);
        }
    }
    write_text(3, rows.links.trace_state.value(at), w);
    write_set(4, rows.links.attributes.value(at), w)?;
    write_count(5, rows.links.dropped_attributes_count.value(at), w);
    write_flags(6, rows.links.flags.value(at), w);
    w.close(link);
    Ok(())
}

fn write_text(number: u32, text: &str, w: &mut Writer) {
    if !text.is_empty() {
        w.bytes(number, text.as_bytes());
    }
}

fn write_count(number: u32, count: i64, w: &mut Writer) {
    if count != 0 {
        w.varint(number, count.cast_unsigned());
    }
}

fn write_flags(number: u32, flags: i64, w: &mut Writer) {
    if flags != 0 {
        // Flags were stored from 32 bits.
        w.fixed32(number, (flags & i64::from(u32::MAX)) as u32);
    }
}

fn write_time(number: u32, unix_nano: i64, w: &mut Writer) {
    if unix_nano != 0 {
        w.fixed64(number, unix_nano.cast_unsigned());
    }
}

fn write_set(number: u32, set: &str, w: &mut Writer) -> Result<(), OutputError> {
    for (key, value) in value::parse_set(set)? {
        write_key_value(number, &key, value.as_ref(), w);
    }
    Ok(())
}

fn write_key_value(number: u32, key: &str, value: Option<&Value>, w: &mut Writer) {
    let key_value = w.open(number);
    write_text(1, key, w);
    if let Some(value) = value {
        write_any(2, value, w);
    }
    w.close(key_value);
}

/// Writes an `AnyValue`. Recursion is bounded by `value::DEPTH_MAX`, checked at admission.
fn write_any(number: u32, value: &Value, w: &mut Writer) {
    let any = w.open(number);
    match value {
        Value::Empty => {}
        Value::String(text) => w.bytes(1, text.as_bytes()),
        Value::Bool(value) => w.varint(2, u64::from(*value)),
        Value::Int(value) => w.varint(3, value.cast_unsigned()),
        Value::Double(value) => w.fixed64(4, value.to_bits()),
        Value::Array(values) => {
            let array = w.open(5);
            values.iter().for_each(|value| write_any(1, value, w));
            w.close(array);
        }
        Value::KvList(entries) => {
            let list = w.open(6);
            let write_entry = |(key, value): &KeyValue| write_key_value(1, key, value.as_ref(), w);
            entries.iter().for_each(write_entry);
            w.close(list);
        }
        Value::Bytes(bytes) => w.bytes(7, bytes),
    }
    w.close(any);
}
