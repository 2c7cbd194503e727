//! Jaeger JSON, as its API answers and its UI saves it, as OTLP.
//!
//! | Jaeger | OTLP |
//! |---|---|
//! | process | resource: `service.name`, tags; `hostname` is called `host.name` |
//! | first CHILD_OF, else FOLLOWS_FROM, of the same trace | parent |
//! | every other reference, and a FOLLOWS_FROM parent | link with `opentracing.ref_type` |
//! | `span.kind`, `w3c.tracestate`, `otel.scope.*` | kind, trace state, scope |
//! | `error` = true, else `otel.status_code`, else an HTTP status | status |
//! | logs; their field `event` | events; their name |
//! | warnings | attribute `jaeger.warnings` |

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value as Json};

use super::ImportError;
use super::requests::{Attributes, Event, Link, Requests, Span, Status, Value, id, nanos};

const PARENT: &str = "CHILD_OF";

#[derive(Deserialize)]
struct File {
    data: Option<Traces>,
    #[serde(flatten)]
    trace: Trace,
}

/// A list of traces, or one trace by itself.
struct Traces(Vec<Trace>);

impl<'de> Deserialize<'de> for Traces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrOne;
        impl<'de> Visitor<'de> for ListOrOne {
            type Value = Traces;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a trace or a list of traces")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Traces, A::Error> {
                let mut traces = Vec::new();
                while let Some(trace) = seq.next_element()? {
                    traces.push(trace);
                }
                Ok(Traces(traces))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Traces, A::Error> {
                Ok(Traces(vec![Trace::deserialize(MapAccessDeserializer::new(map))?]))
            }
        }
        deserializer.deserialize_any(ListOrOne)
    }
}

#[derive(Deserialize)]
struct Trace {
    spans: Option<Vec<JaegerSpan>>,
    processes: Option<BTreeMap<String, Process>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    #[serde(default)]
    service_name: String,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    #[serde(rename = "parentSpanID")]
    parent_span_id: Option<String>,
    #[serde(default)]
    operation_name: String,
    flags: Option<u32>,
    references: Option<Vec<Reference>>,
    start_time: Option<Number>,
    duration: Option<Number>,
    tags: Option<Vec<Tag>>,
    logs: Option<Vec<Log>>,
    #[serde(rename = "processID")]
    process_id: Option<String>,
    process: Option<Process>,
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    value: Json,
}

#[derive(Deserialize)]
struct Log {
    timestamp: Option<Number>,
    fields: Option<Vec<Tag>>,
}

/// Turns Jaeger JSON into OTLP protobuf requests, one or more per trace.
///
/// # Errors
/// The text is not Jaeger JSON.
pub fn jaeger_to_otlp(json: &[u8]) -> Result<Vec<Vec<u8>>, ImportError> {
    let is_list = json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let traces = if is_list {
        serde_json::from_slice::<Traces>(json).map_err(ImportError::Jaeger)?.0
    } else {
        let file: File = serde_json::from_slice(json).map_err(ImportError::Jaeger)?;
        match file.data {
            Some(traces) => traces.0,
            None if file.trace.spans.is_some() => vec![file.trace],
            None => return Err(ImportError::NoTraces),
        }
    };
    Ok(traces.into_iter().flat_map(trace).collect())
}

fn trace(trace: Trace) -> Vec<Vec<u8>> {
    let processes: BTreeMap<String, Attributes> = trace
        .processes
        .unwrap_or_default()
        .into_iter()
        .map(|(process_id, process)| (process_id, resource(process)))
        .collect();
    let unknown = Attributes::default();
    let mut requests = Requests::default();
    for mut jaeger in trace.spans.unwrap_or_default() {
        let own = jaeger.process.take().map(resource);
        let shared = jaeger.process_id.as_ref().and_then(|process_id| processes.get(process_id));
        requests.push(own.as_ref().or(shared).unwrap_or(&unknown), span(jaeger));
    }
    requests.finish()
}

fn resource(process: Process) -> Attributes {
    let mut resource = Attributes::default();
    if !process.service_name.is_empty() {
        resource.push("service.name", Value::Text(process.service_name));
    }
    push_tags(process.tags, &mut resource);
    resource.rename("hostname", "host.name");
    resource
}

fn span(jaeger: JaegerSpan) -> Span {
    let start_time_unix_nano = nanos(jaeger.start_time.as_ref());
    let mut span = Span {
        trace_id: id(&jaeger.trace_id, 16),
        span_id: id(&jaeger.span_id, 8),
        name: jaeger.operation_name,
        flags: jaeger.flags.unwrap_or(0) & 0xff,
        start_time_unix_nano,
        end_time_unix_nano: start_time_unix_nano.saturating_add(nanos(jaeger.duration.as_ref())),
        ..Span::default()
    };
    refer(&mut span, &jaeger.references.unwrap_or_default());
    if let (true, Some(parent)) = (span.parent_span_id.is_empty(), jaeger.parent_span_id) {
        // Zero is how Jaeger writes "none" here.
        span.parent_span_id = id(&parent, 8);
        if span.parent_span_id.iter().all(|byte| *byte == 0) {
            span.parent_span_id.clear();
        }
    }
    push_tags(jaeger.tags, &mut span.attributes);
    if let Some(kind) = span.attributes.get("span.kind").and_then(Value::as_text).map(Span::kind_of)
        && kind != 0
    {
        span.kind = kind;
        span.attributes.take("span.kind");
    }
    span.status = status(&mut span);
    span.trace_state = span.attributes.take_text("w3c.tracestate").unwrap_or_default();
    if let Some(warnings) = jaeger.warnings.filter(|warnings| !warnings.is_empty()) {
        span.attributes.push("jaeger.warnings", Value::Texts(warnings));
    }
    span.events = jaeger.logs.unwrap_or_default().into_iter().map(event).collect();
    span
}

/// Sorts references into the parent and links.
fn refer(span: &mut Span, references: &[Reference]) {
    let same_trace = |r: &&Reference| id(&r.trace_id, 16) == span.trace_id;
    let parent = references
        .iter()
        .filter(same_trace)
        .find(|r| r.ref_type == PARENT)
        .or_else(|| references.iter().find(same_trace));
    if let Some(parent) = parent {
        span.parent_span_id = id(&parent.span_id, 8);
    }
    for reference in references {
        let is_parent = parent.is_some_and(|parent| std::ptr::eq(parent, reference));
        if is_parent && reference.ref_type == PARENT {
            continue;
        }
        let mut attributes = Attributes::default();
        let ref_type = reference.ref_type.to_lowercase();
        attributes.push("opentracing.ref_type", Value::Text(ref_type));
        let (trace_id, span_id) = (id(&reference.trace_id, 16), id(&reference.span_id, 8));
        span.links.push(Link { trace_id, span_id, attributes });
    }
}

fn status(span: &mut Span) -> Option<Status> {
    let kind = span.kind;
    let tags = &mut span.attributes;
    let is_error = match tags.get("error") {
        Some(Value::Bool(error)) => *error,
        Some(Value::Text(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let code = tags.take_text("otel.status_code");
    let code = match code.as_deref() {
        // The error tag is the last word; OK and ERROR of the SDK come next.
        _ if is_error => Status::ERROR,
        Some(code) if code.eq_ignore_ascii_case("OK") => Status::OK,
        Some(code) if code.eq_ignore_ascii_case("ERROR") => Status::ERROR,
        Some(_) => 0,
        None if is_http_failure(tags.get("http.status_code"), kind) => Status::ERROR,
        None => return None,
    };
    if is_error {
        tags.take("error");
    }
    let described = tags.take_text("otel.status_description");
    let message = described.or_else(|| {
        tags.get("http.status_message").and_then(Value::as_text).map(ToOwned::to_owned)
    });
    Some(Status { code, message: message.unwrap_or_default() })
}

/// A server did its duty when it answered 4xx; a client did not get what it wanted.
fn is_http_failure(status: Option<&Value>, kind: u64) -> bool {
    let status = match status {
        Some(Value::Int(status)) => *status,
        Some(Value::Text(text)) => text.parse().unwrap_or(200),
        _ => return false,
    };
    match status {
        400..500 => kind != Span::kind_of("server"),
        _ => !(100..400).contains(&status),
    }
}

fn event(log: Log) -> Event {
    let mut attributes = Attributes::default();
    push_tags(log.fields, &mut attributes);
    let name = attributes.take_text("event").unwrap_or_default();
    Event { time_unix_nano: nanos(log.timestamp.as_ref()), name, attributes }
}

fn push_tags(tags: Option<Vec<Tag>>, attributes: &mut Attributes) {
    for tag in tags.unwrap_or_default() {
        let value = value(tag.kind.as_deref().unwrap_or_default(), tag.value);
        attributes.push(tag.key, value);
    }
}

/// The value by its declared type; one that does not fit its type is kept as what it is.
fn value(kind: &str, json: Json) -> Value {
    let text = json.as_str();
    let typed = match kind {
        "bool" => json.as_bool().or_else(|| text?.parse().ok()).map(Value::Bool),
        "int64" => json.as_i64().or_else(|| text?.parse().ok()).map(Value::Int),
        "float64" => json.as_f64().or_else(|| text?.parse().ok()).map(Value::Double),
        "binary" => text.and_then(|text| STANDARD.decode(text).ok()).map(Value::Bytes),
        _ => None,
    };
    typed.unwrap_or_else(|| match json {
        Json::String(text) => Value::Text(text),
        Json::Bool(value) if kind != "string" => Value::Bool(value),
        Json::Number(number) if kind != "string" => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => number.as_f64().map_or_else(|| Value::Text(number.to_string()), Value::Double),
        },
        other => Value::Text(other.to_string()),
    })
}
