//! Spans as sent, read the way a collector reads them: plain values for order and offsets.

use std::collections::HashMap;

use causeway_clock::order::{Event, Kind, Link, Span};
use causeway_clock::{Carried, ClockId, Stamp, tracestate};

use super::sent::Sent;
use crate::proto::common::v1::any_value::Value;
use crate::proto::trace::v1::span::SpanKind;

fn carried(trace_state: &str) -> Option<Stamp> {
    let Carried(stamp) = tracestate::carried(trace_state)?.parse().ok()?;
    Some(stamp)
}

fn stamp(sent: &Sent, key: &str) -> Option<Stamp> {
    sent.text(key).map(|text| text.parse().expect("a stamp"))
}

fn responses(sent: &Sent) -> Vec<Stamp> {
    let found = sent.span.attributes.iter().find(|attribute| attribute.key == "hlc.resp");
    let value = found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
    let Some(Value::ArrayValue(array)) = value else { return Vec::new() };
    let one = |value: &Value| match value {
        Value::StringValue(text) => text.parse().expect("a stamp"),
        other => panic!("{other:?} is no stamp"),
    };
    array.values.iter().filter_map(|any| any.value.as_ref()).map(one).collect()
}

/// Spans for order and offsets; untagged ones are read on the clock of their instance.
pub(super) fn read(spans: &[Sent]) -> Vec<Span> {
    let places: HashMap<&[u8], u32> =
        (0u32..).zip(spans).map(|(place, sent)| (&sent.span.span_id[..], place)).collect();
    let place = |id: &[u8]| places.get(id).copied();
    let one = |sent: &Sent| {
        let span = &sent.span;
        let instance = sent.truth.instance as u64;
        Span {
            parent: place(&span.parent_span_id),
            kind: match span.kind() {
                SpanKind::Client => Kind::Client,
                SpanKind::Server => Kind::Server,
                SpanKind::Producer => Kind::Producer,
                SpanKind::Consumer => Kind::Consumer,
                SpanKind::Internal | SpanKind::Unspecified => Kind::Internal,
            },
            instance: Some(instance),
            wall: Some(ClockId::Instance(instance)),
            start_ns: span.start_time_unix_nano.cast_signed(),
            end_ns: span.end_time_unix_nano.cast_signed(),
            start: stamp(sent, "hlc.start"),
            end: stamp(sent, "hlc.end"),
            received: carried(&span.trace_state),
            rejected: stamp(sent, "hlc.reject"),
            responses: responses(sent),
            links: span
                .links
                .iter()
                .map(|link| Link { span: place(&link.span_id), stamp: carried(&link.trace_state) })
                .collect(),
            received_at_ns: Some(sent.at_ns),
            duplicate: false,
            responded: ["http.response.status_code", "http.status_code", "rpc.grpc.status_code"]
                .iter()
                .any(|key| sent.int(key).is_some()),
            processes: sent.text("messaging.operation.type") == Some("process"),
        }
    };
    spans.iter().map(one).collect()
}

/// When an event truly happened.
pub(super) fn true_ns(spans: &[Sent], event: Event) -> i64 {
    match event {
        Event::Start(span) => spans[span as usize].truth.start_ns,
        Event::End(span) => spans[span as usize].truth.end_ns,
        Event::Tick(_) => unreachable!("no extra ticks"),
    }
}
