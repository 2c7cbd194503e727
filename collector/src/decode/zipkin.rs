//! Zipkin v2 JSON, a list of spans or a list of such lists, as OTLP.
//!
//! | Zipkin | OTLP |
//! |---|---|
//! | `localEndpoint` | resource `service.name`; attributes `net.host.ip`, `net.host.port` |
//! | `remoteEndpoint` | attributes `peer.service`, `net.peer.ip`, `net.peer.port` |
//! | `shared` | the id stays shared, told apart by kind; attribute `zipkin.shared` |
//! | no `timestamp` | time 0 and attribute `otel.zipkin.absentField.startTime` |
//! | tags | attributes, except for the next two rows |
//! | `error`, `otel.status_code` | status |
//! | `w3c.tracestate`, `otel.scope.*` | trace state, scope |
//! | annotations | events |

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Number, Value as Json};

use super::ImportError;
use super::requests::{Attributes, Event, Requests, Span, Status, Value, id, nanos};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    timestamp: Option<Number>,
    duration: Option<Number>,
    #[serde(default)]
    local_endpoint: Option<Endpoint>,
    #[serde(default)]
    remote_endpoint: Option<Endpoint>,
    annotations: Option<Vec<Annotation>>,
    /// In the order of the file.
    tags: Option<Map<String, Json>>,
    shared: Option<bool>,
    debug: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    service_name: Option<String>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize)]
struct Annotation {
    timestamp: Option<Number>,
    value: String,
}

/// Turns Zipkin v2 JSON into OTLP protobuf requests, one or more per trace.
///
/// # Errors
/// The text is not Zipkin v2 JSON.
pub fn zipkin_to_otlp(json: &[u8]) -> Result<Vec<Vec<u8>>, ImportError> {
    let mut opening = json.iter().filter(|byte| !byte.is_ascii_whitespace());
    let is_nested = opening.next() == Some(&b'[') && opening.next() == Some(&b'[');
    let spans = if is_nested {
        let lists: Vec<Vec<ZipkinSpan>> =
            serde_json::from_slice(json).map_err(ImportError::Zipkin)?;
        lists.into_iter().flatten().collect()
    } else {
        serde_json::from_slice::<Vec<ZipkinSpan>>(json).map_err(ImportError::Zipkin)?
    };

    let mut trace_positions = BTreeMap::new();
    let mut traces: Vec<Requests> = Vec::new();
    for zipkin in spans {
        let resource = resource(zipkin.local_endpoint.as_ref());
        let span = span(zipkin);
        let position = *trace_positions.entry(span.trace_id.clone()).or_insert(traces.len());
        if position == traces.len() {
            traces.push(Requests::default());
        }
        if let Some(requests) = traces.get_mut(position) {
            requests.push(&resource, span);
        }
    }
    Ok(traces.into_iter().flat_map(Requests::finish).collect())
}

fn resource(local: Option<&Endpoint>) -> Attributes {
    let mut resource = Attributes::default();
    if let Some(name) = local.and_then(|local| local.service_name.as_ref()) {
        resource.push("service.name", Value::Text(name.clone()));
    }
    resource
}

fn span(zipkin: ZipkinSpan) -> Span {
    let start_time_unix_nano = nanos(zipkin.timestamp.as_ref());
    let mut span = Span {
        trace_id: id(&zipkin.trace_id, 16),
        span_id: id(&zipkin.id, 8),
        // A span that names itself is a root.
        parent_span_id: zipkin
            .parent_id
            .filter(|parent| *parent != zipkin.id)
            .map(|parent| id(&parent, 8))
            .filter(|parent| parent.is_empty() || parent.iter().any(|byte| *byte != 0))
            .unwrap_or_default(),
        name: zipkin.name.unwrap_or_default(),
        kind: Span::kind_of(&zipkin.kind.unwrap_or_default()),
        start_time_unix_nano,
        end_time_unix_nano: start_time_unix_nano.saturating_add(nanos(zipkin.duration.as_ref())),
        ..Span::default()
    };
    for (key, json) in zipkin.tags.unwrap_or_default() {
        let text = match json {
            Json::String(text) => text,
            other => other.to_string(),
        };
        span.attributes.push(key, Value::Text(text));
    }
    let tags = &mut span.attributes;
    if span.kind == 0 && tags.get("span.kind").and_then(Value::as_text) == Some("internal") {
        tags.take("span.kind");
        span.kind = Span::kind_of("internal");
    }
    span.status = status(tags);
    span.trace_state = tags.take_text("w3c.tracestate").unwrap_or_default();
    push_endpoint(zipkin.local_endpoint, "net.host", None, tags);
    push_endpoint(zipkin.remote_endpoint, "net.peer", Some("peer.service"), tags);
    if zipkin.timestamp.is_none() {
        tags.push("otel.zipkin.absentField.startTime", Value::Bool(true));
    }
    for (key, flag) in [("zipkin.shared", zipkin.shared), ("zipkin.debug", zipkin.debug)] {
        if flag == Some(true) {
            tags.push(key, Value::Bool(true));
        }
    }
    span.events = zipkin.annotations.unwrap_or_default().into_iter().map(event).collect();
    span
}

/// In Zipkin a span failed when it has the tag `error`; its value, if not just "true", says why.
fn status(tags: &mut Attributes) -> Option<Status> {
    let code = match tags.take_text("otel.status_code").as_deref() {
        Some("OK" | "STATUS_CODE_OK") => Some(Status::OK),
        Some("ERROR" | "STATUS_CODE_ERROR") => Some(Status::ERROR),
        _ => None,
    };
    let described = tags.take_text("otel.status_description");
    let error = tags.get("error").and_then(Value::as_text).map(ToOwned::to_owned);
    match error.as_deref() {
        None | Some("false") => {
            code.map(|code| Status { code, message: described.unwrap_or_default() })
        }
        Some("true" | "") => {
            tags.take("error");
            Some(Status { code: Status::ERROR, message: described.unwrap_or_default() })
        }
        Some(reason) => {
            let message = described.unwrap_or_else(|| reason.to_owned());
            Some(Status { code: Status::ERROR, message })
        }
    }
}

fn push_endpoint(
    endpoint: Option<Endpoint>,
    prefix: &str,
    service_key: Option<&str>,
    tags: &mut Attributes,
) {
    let Some(Endpoint { service_name, ipv4, ipv6, port }) = endpoint else {
        return;
    };
    if let (Some(key), Some(name)) = (service_key, service_name) {
        tags.push_new(key, Value::Text(name));
    }
    let both = ipv4.is_some() && ipv6.is_some();
    for (ip, suffix) in [(ipv4, "ip"), (ipv6, if both { "ipv6" } else { "ip" })] {
        if let Some(ip) = ip {
            tags.push_new(&format!("{prefix}.{suffix}"), Value::Text(ip));
        }
    }
    if let Some(port) = port.filter(|port| *port != 0) {
        tags.push_new(&format!("{prefix}.port"), Value::Int(i64::from(port)));
    }
}

fn event(annotation: Annotation) -> Event {
    let time_unix_nano = nanos(annotation.timestamp.as_ref());
    Event { time_unix_nano, name: annotation.value, attributes: Attributes::default() }
}
