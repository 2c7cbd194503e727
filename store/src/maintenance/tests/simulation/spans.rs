//! Spans small enough to compare whole, and the requests they come in.
//!
//! Service and attributes follow from the rest, so that what was read can be checked by itself.

use arrow::array::RecordBatch;
use causeway_model::SpanRows;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value};
use causeway_testkit::proto::resource::v1::Resource;
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

/// A span as the model knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) trace: u8,
    pub(super) span: u8,
    pub(super) name: char,
    pub(super) start: i64,
}

impl Seen {
    /// Whether ids and name are those of the other.
    pub(super) fn is_named_like(&self, other: &Self) -> bool {
        (self.trace, self.span, self.name) == (other.trace, other.span, other.name)
    }

    pub(super) fn service(&self) -> String {
        format!("service {}", self.name)
    }

    /// Keys and values. Some keys come with every span, some with few, so that files differ in the
    /// attributes that have columns of their own.
    fn attributes(&self) -> [(String, any_value::Value); 3] {
        let text = any_value::Value::StringValue(format!("kind {}", self.name));
        let number = any_value::Value::IntValue(i64::from(self.span));
        [
            ("kind".to_owned(), text.clone()),
            ("number".to_owned(), number),
            (format!("of {}", self.span % 3), text),
        ]
    }

    fn to_proto(self) -> ResourceSpans {
        let pair = |(key, value)| KeyValue {
            key,
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        };
        let service = any_value::Value::StringValue(self.service());
        let span = Span {
            trace_id: vec![self.trace; 16],
            span_id: vec![self.span; 8],
            name: self.name.to_string(),
            start_time_unix_nano: self.start.cast_unsigned(),
            end_time_unix_nano: self.start.cast_unsigned() + 1,
            attributes: self.attributes().into_iter().map(pair).collect(),
            ..Span::default()
        };
        ResourceSpans {
            resource: Some(Resource {
                attributes: vec![pair(("service.name".to_owned(), service))],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }
    }
}

/// A request with these spans.
pub(super) fn request(spans: &[Seen]) -> Vec<u8> {
    let resource_spans = spans.iter().map(|span| span.to_proto()).collect();
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// The spans of a batch, each as it was sent.
pub(super) fn seen(batch: &RecordBatch, spans: &mut Vec<Seen>) -> Result<(), String> {
    let rows = SpanRows::new(batch).map_err(|error| error.to_string())?;
    for row in 0..rows.len {
        let name = rows.name.get(row).and_then(|name| name.chars().next()).unwrap_or('?');
        let start = rows.start_time_unix_nano.value(row);
        let (trace, span) = (rows.trace_id.value(row)[0], rows.span_id.value(row)[0]);
        let span = Seen { trace, span, name, start };
        let found: Vec<(String, String)> = rows
            .attributes
            .entries(row)
            .filter_map(|(key, value)| Some((key.to_owned(), value?.text().into_owned())))
            .collect();
        let sent = span.attributes().map(|(key, value)| match value {
            any_value::Value::StringValue(text) => (key, text),
            any_value::Value::IntValue(number) => (key, number.to_string()),
            _ => (key, String::new()),
        });
        if found != sent || rows.service_name.get(row) != Some(&span.service()) {
            return Err(format!("{span:?} has {found:?} and {:?}", rows.service_name.get(row)));
        }
        spans.push(span);
    }
    Ok(())
}
