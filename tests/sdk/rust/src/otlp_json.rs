//! The SDK's spans as OTLP/JSON.

use std::time::SystemTime;

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, Key, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value as Json, json};

use crate::recording::Recording;

pub(crate) fn document(recording: &Recording) -> Json {
    let sdk_version = recording.resource.get(&Key::new("telemetry.sdk.version"));
    json!({
        "language": "rust",
        "sdk_version": sdk_version.map(|version| version.to_string()),
        "spans": recording.spans.iter().map(|data| item(recording, data)).collect::<Vec<_>>(),
    })
}

fn item(recording: &Recording, data: &SpanData) -> Json {
    let resource = &recording.resource;
    let scope = &data.instrumentation_scope;
    json!({
        "resource": { "attributes": key_values(resource.iter()) },
        "resourceSchemaUrl": resource.schema_url().unwrap_or_default(),
        "scope": {
            "name": scope.name(),
            "version": scope.version().unwrap_or_default(),
            "attributes": attributes(scope.attributes()),
        },
        "scopeSchemaUrl": scope.schema_url().unwrap_or_default(),
        "span": span(data),
    })
}

fn span(data: &SpanData) -> Json {
    let parent = data.parent_span_id;
    json!({
        "traceId": data.span_context.trace_id().to_string(),
        "spanId": data.span_context.span_id().to_string(),
        "parentSpanId": if parent == SpanId::INVALID { String::new() } else { parent.to_string() },
        "traceState": data.span_context.trace_state().header(),
        "flags": flags(&data.span_context, data.parent_span_is_remote),
        "name": data.name,
        "kind": kind(&data.span_kind),
        "startTimeUnixNano": nanoseconds(data.start_time),
        "endTimeUnixNano": nanoseconds(data.end_time),
        "attributes": attributes(&data.attributes),
        "droppedAttributesCount": data.dropped_attributes_count,
        "events": data.events.iter().map(event).collect::<Vec<_>>(),
        "droppedEventsCount": data.events.dropped_count,
        "links": data.links.iter().map(link).collect::<Vec<_>>(),
        "droppedLinksCount": data.links.dropped_count,
        "status": status(&data.status),
    })
}

fn event(event: &Event) -> Json {
    json!({
        "timeUnixNano": nanoseconds(event.timestamp),
        "name": event.name,
        "attributes": attributes(&event.attributes),
        "droppedAttributesCount": event.dropped_attributes_count,
    })
}

fn link(link: &Link) -> Json {
    json!({
        "traceId": link.span_context.trace_id().to_string(),
        "spanId": link.span_context.span_id().to_string(),
        "traceState": link.span_context.trace_state().header(),
        "attributes": attributes(&link.attributes),
        "droppedAttributesCount": link.dropped_attributes_count,
        "flags": flags(&link.span_context, link.span_context.is_remote()),
    })
}

fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    u32::from(context.trace_flags().to_u8()) | if is_remote { 0x300 } else { 0x100 }
}

fn kind(kind: &SpanKind) -> u32 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn status(status: &Status) -> Json {
    match status {
        Status::Unset => json!({ "code": 0, "message": "" }),
        Status::Ok => json!({ "code": 1, "message": "" }),
        Status::Error { description } => json!({ "code": 2, "message": description }),
    }
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

fn attributes<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> Json {
    key_values(attributes.into_iter().map(|each| (&each.key, &each.value)))
}

fn key_values<'a>(pairs: impl Iterator<Item = (&'a Key, &'a Value)>) -> Json {
    pairs.map(|(key, value)| json!({ "key": key.as_str(), "value": any_value(value) })).collect()
}

fn any_value(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::I64(value) => json!({ "intValue": value.to_string() }),
        Value::F64(value) => json!({ "doubleValue": value }),
        Value::String(value) => json!({ "stringValue": value.as_str() }),
        Value::Array(Array::Bool(values)) => array(values),
        Value::Array(Array::I64(values)) => array(values),
        Value::Array(Array::F64(values)) => array(values),
        Value::Array(Array::String(values)) => array(values),
        // The SDK may add types; its exporter would panic on them too.
        other => json!({ "unknown": other.to_string() }),
    }
}

fn array<T: Clone>(values: &[T]) -> Json
where
    Value: From<T>,
{
    let values: Vec<Json> = values.iter().cloned().map(|each| any_value(&each.into())).collect();
    json!({ "arrayValue": { "values": values } })
}
