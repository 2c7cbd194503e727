//! Requests to send.

use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use crate::proto::resource::v1::Resource;
use crate::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind};

/// An attribute with a text.
pub fn attribute(key: &str, text: impl Into<String>) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(text.into())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// A span of 1 ms that starts now, with one attribute. `id` must not be 0.
pub fn span(trace_id: u128, id: u64) -> Span {
    let start =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    Span {
        trace_id: trace_id.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: format!("GET /items/{}", id % 100),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000,
        attributes: vec![attribute("item.id", format!("{id:016x}"))],
        ..Span::default()
    }
}

/// A request of one service.
pub fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource =
        Resource { attributes: vec![attribute("service.name", service)], ..Resource::default() };
    let scope = InstrumentationScope {
        name: "causeway.tests".to_owned(),
        ..InstrumentationScope::default()
    };
    let scope_spans = ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() };
    let resource_spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        ..ResourceSpans::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

/// An encoded request with one trace of `count` spans with ids from `first_id`.
pub fn encoded(service: &str, first_id: u64, count: u64) -> Vec<u8> {
    let spans = (first_id..first_id + count).map(|id| span(u128::from(first_id) << 64 | 1, id));
    request(service, spans.collect()).encode_to_vec()
}

/// An id as SQL and JSON write it.
pub fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
