//! OTLP/JSON into OTLP's structs, written for these tests alone: an oracle must not share its
//! mistakes with the server. Strict: a field that OTLP does not know is an error.

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use crate::proto::resource::v1::Resource;
use crate::proto::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status,
    span::{Event, Link},
};

/// Reads a request.
///
/// # Errors
/// It is no OTLP/JSON.
pub fn request(json: Json) -> Result<ExportTraceServiceRequest> {
    Fields::read(json, |fields| {
        Ok(ExportTraceServiceRequest {
            resource_spans: fields.list("resourceSpans", resource_spans)?,
        })
    })
}

/// Reads requests, one a line, as one.
///
/// # Errors
/// A line is no OTLP/JSON.
pub fn lines(text: &str) -> Result<ExportTraceServiceRequest> {
    let mut all = ExportTraceServiceRequest::default();
    for (nth, line) in text.lines().enumerate() {
        let json = serde_json::from_str(line).with_context(|| format!("line {}", nth + 1))?;
        all.resource_spans.extend(request(json)?.resource_spans);
    }
    Ok(all)
}

/// Reads what an SDK client prints: each span with its own resource and scope.
///
/// # Errors
/// It is something else.
pub fn printed_spans(mut document: Json) -> Result<ExportTraceServiceRequest> {
    let Json::Array(spans) = document["spans"].take() else { bail!("no spans") };
    let resource_spans = spans.into_iter().map(|json| Fields::read(json, printed_span));
    Ok(ExportTraceServiceRequest { resource_spans: resource_spans.collect::<Result<_>>()? })
}

fn printed_span(fields: &mut Fields) -> Result<ResourceSpans> {
    let scope_spans = ScopeSpans {
        scope: fields.message("scope", scope)?,
        spans: fields.message("span", span)?.into_iter().collect(),
        schema_url: fields.text("scopeSchemaUrl")?,
    };
    Ok(ResourceSpans {
        resource: fields.message("resource", resource)?,
        scope_spans: vec![scope_spans],
        schema_url: fields.text("resourceSchemaUrl")?,
    })
}

fn resource_spans(fields: &mut Fields) -> Result<ResourceSpans> {
    Ok(ResourceSpans {
        resource: fields.message("resource", resource)?,
        scope_spans: fields.list("scopeSpans", scope_spans)?,
        schema_url: fields.text("schemaUrl")?,
    })
}

fn resource(fields: &mut Fields) -> Result<Resource> {
    Ok(Resource {
        attributes: fields.list("attributes", key_value)?,
        dropped_attributes_count: fields.number("droppedAttributesCount")?,
        entity_refs: fields.list("entityRefs", entity_ref)?,
    })
}

fn entity_ref(fields: &mut Fields) -> Result<EntityRef> {
    Ok(EntityRef {
        schema_url: fields.text("schemaUrl")?,
        r#type: fields.text("type")?,
        id_keys: fields.texts("idKeys")?,
        description_keys: fields.texts("descriptionKeys")?,
    })
}

fn scope_spans(fields: &mut Fields) -> Result<ScopeSpans> {
    Ok(ScopeSpans {
        scope: fields.message("scope", scope)?,
        spans: fields.list("spans", span)?,
        schema_url: fields.text("schemaUrl")?,
    })
}

fn scope(fields: &mut Fields) -> Result<InstrumentationScope> {
    Ok(InstrumentationScope {
        name: fields.text("name")?,
        version: fields.text("version")?,
        attributes: fields.list("attributes", key_value)?,
        dropped_attributes_count: fields.number("droppedAttributesCount")?,
    })
}

fn span(fields: &mut Fields) -> Result<Span> {
    Ok(Span {
        trace_id: fields.id("traceId")?,
        span_id: fields.id("spanId")?,
        trace_state: fields.text("traceState")?,
        parent_span_id: fields.id("parentSpanId")?,
        flags: fields.number("flags")?,
        name: fields.text("name")?,
        kind: fields.number("kind")?,
        start_time_unix_nano: fields.number("startTimeUnixNano")?,
        end_time_unix_nano: fields.number("endTimeUnixNano")?,
        attributes: fields.list("attributes", key_value)?,
        dropped_attributes_count: fields.number("droppedAttributesCount")?,
        events: fields.list("events", event)?,
        dropped_events_count: fields.number("droppedEventsCount")?,
        links: fields.list("links", link)?,
        dropped_links_count: fields.number("droppedLinksCount")?,
        status: fields.message("status", status)?,
    })
}

fn event(fields: &mut Fields) -> Result<Event> {
    Ok(Event {
        time_unix_nano: fields.number("timeUnixNano")?,
        name: fields.text("name")?,
        attributes: fields.list("attributes", key_value)?,
        dropped_attributes_count: fields.number("droppedAttributesCount")?,
    })
}

fn link(fields: &mut Fields) -> Result<Link> {
    Ok(Link {
        trace_id: fields.id("traceId")?,
        span_id: fields.id("spanId")?,
        trace_state: fields.text("traceState")?,
        attributes: fields.list("attributes", key_value)?,
        dropped_attributes_count: fields.number("droppedAttributesCount")?,
        flags: fields.number("flags")?,
    })
}

fn status(fields: &mut Fields) -> Result<Status> {
    Ok(Status { message: fields.text("message")?, code: fields.number("code")? })
}

fn key_value(fields: &mut Fields) -> Result<KeyValue> {
    Ok(KeyValue {
        key: fields.text("key")?,
        value: fields.message("value", any_value)?,
        ..KeyValue::default()
    })
}

fn any_value(fields: &mut Fields) -> Result<AnyValue> {
    let Some((kind, json)) =
        fields.0.iter().next().map(|(kind, json)| (kind.clone(), json.clone()))
    else {
        return Ok(AnyValue { value: None });
    };
    fields.0.remove(&kind);
    let text = || json.as_str().with_context(|| format!("{kind} is {json}"));
    let value = match kind.as_str() {
        "stringValue" => Value::StringValue(text()?.to_owned()),
        "boolValue" => Value::BoolValue(json.as_bool().context("boolValue")?),
        "intValue" => Value::IntValue(number_of(&json)?),
        "doubleValue" => Value::DoubleValue(double(&json)?),
        "bytesValue" => Value::BytesValue(STANDARD.decode(text()?)?),
        "arrayValue" => Value::ArrayValue(Fields::read(json, |fields| {
            Ok(ArrayValue { values: fields.list("values", any_value)? })
        })?),
        "kvlistValue" => Value::KvlistValue(Fields::read(json, |fields| {
            Ok(KeyValueList { values: fields.list("values", key_value)? })
        })?),
        other => bail!("unknown kind of value {other}"),
    };
    Ok(AnyValue { value: Some(value) })
}

/// `-0` is what Go writes for negative zero.
fn double(json: &Json) -> Result<f64> {
    match (json.as_str(), json.as_f64()) {
        (Some("NaN"), _) => Ok(f64::NAN),
        (Some("Infinity"), _) => Ok(f64::INFINITY),
        (Some("-Infinity"), _) => Ok(f64::NEG_INFINITY),
        (None, Some(double)) => Ok(double),
        _ => bail!("doubleValue is {json}"),
    }
}

/// 64-bit numbers stand in text, smaller ones as they are.
fn number_of<N: std::str::FromStr>(json: &Json) -> Result<N> {
    let text = match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        other => bail!("{other} is no number"),
    };
    text.parse().map_err(|_| anyhow!("{text} is no number in range"))
}

/// The fields of a message that were not read yet.
struct Fields(Map<String, Json>);

impl Fields {
    fn read<T>(json: Json, read: impl Fn(&mut Self) -> Result<T>) -> Result<T> {
        let Json::Object(fields) = json else { bail!("{json} is no message") };
        let mut fields = Self(fields);
        let message = read(&mut fields)?;
        let unknown: Vec<_> = fields.0.keys().collect();
        ensure!(unknown.is_empty(), "unknown fields {unknown:?}");
        Ok(message)
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name).filter(|json| !json.is_null())
    }

    fn text(&mut self, name: &str) -> Result<String> {
        match self.take(name) {
            None => Ok(String::new()),
            Some(Json::String(text)) => Ok(text),
            Some(other) => bail!("{name} is {other}"),
        }
    }

    fn number<N: std::str::FromStr + Default>(&mut self, name: &str) -> Result<N> {
        let Some(json) = self.take(name) else {
            return Ok(N::default());
        };
        number_of(&json).with_context(|| name.to_owned())
    }

    fn id(&mut self, name: &str) -> Result<Vec<u8>> {
        let text = self.text(name)?;
        let pairs = text.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair)?;
            ensure!(pair.len() == 2, "{name} has an odd number of digits: {text}");
            u8::from_str_radix(pair, 16).with_context(|| format!("{name} is no hex: {text}"))
        });
        pairs.collect()
    }

    fn message<T>(&mut self, name: &str, read: fn(&mut Self) -> Result<T>) -> Result<Option<T>> {
        let Some(json) = self.take(name) else {
            return Ok(None);
        };
        Self::read(json, read).map(Some).with_context(|| name.to_owned())
    }

    fn list<T>(&mut self, name: &str, read: fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(values)) => {
                let read = |json| Self::read(json, read).with_context(|| name.to_owned());
                values.into_iter().map(read).collect()
            }
            Some(other) => bail!("{name} is {other}"),
        }
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        let list = self.take(name).unwrap_or(Json::Array(Vec::new()));
        serde_json::from_value(list).with_context(|| name.to_owned())
    }
}
