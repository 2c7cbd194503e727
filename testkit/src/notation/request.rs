//! Spans of the notation as the OTLP request their services would send.

use std::collections::BTreeMap;

use super::{Noted, NotedSpan, TRACE_ID};
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use crate::proto::resource::v1::Resource;
use crate::proto::trace::v1::span::{Event, Link};
use crate::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

/// One request with all spans, a resource for each instance of a service.
pub fn request(spans: &[NotedSpan]) -> ExportTraceServiceRequest {
    let mut resources: BTreeMap<(&str, &str), Vec<Span>> = BTreeMap::new();
    for span in spans {
        resources.entry((&span.service, &span.instance)).or_default().push(otlp(span));
    }
    let resource_spans = resources.into_iter().map(|((service, instance), spans)| {
        let named = [("service.name", service), ("service.instance.id", instance)];
        let named = named.into_iter().filter(|(_, value)| !value.is_empty());
        let attributes = named.map(|(key, value)| attribute(key, &Noted::from(value))).collect();
        ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn otlp(span: &NotedSpan) -> Span {
    let id = |id: u64| if id == 0 { Vec::new() } else { id.to_be_bytes().to_vec() };
    Span {
        trace_id: TRACE_ID.to_vec(),
        span_id: id(span.id),
        parent_span_id: id(span.parent),
        name: span.name.clone(),
        kind: span.kind as i32,
        start_time_unix_nano: span.start_ns,
        end_time_unix_nano: span.end_ns,
        attributes: span.attributes.iter().map(|(key, value)| attribute(key, value)).collect(),
        events: span
            .events
            .iter()
            .map(|(name, time_unix_nano)| Event {
                name: name.clone(),
                time_unix_nano: *time_unix_nano,
                ..Event::default()
            })
            .collect(),
        links: span
            .links
            .iter()
            .map(|span| Link { trace_id: TRACE_ID.to_vec(), span_id: id(*span), ..Link::default() })
            .collect(),
        status: (span.status != 0).then(|| Status { code: span.status, ..Status::default() }),
        ..Span::default()
    }
}

fn attribute(key: &str, value: &Noted) -> KeyValue {
    let value = match value {
        Noted::Text(text) => Value::StringValue(text.clone()),
        Noted::Int(value) => Value::IntValue(*value),
        Noted::Bool(value) => Value::BoolValue(*value),
        Noted::Double(value) => Value::DoubleValue(*value),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
