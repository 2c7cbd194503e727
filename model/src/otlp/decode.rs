//! From the bytes of an `ExportTraceServiceRequest` straight into columns.
//!
//! The hot path: no object per span, borrowed slices until a value is copied into its column. A
//! span that must be refused is rolled back out of the columns, so one pass both checks and builds.
//! Field numbers are those of opentelemetry-proto 1.x.

use causeway_clock::response::STAMPS_MAX;

use super::any_value::{Any, KeyValue, SetWriter, SimpleValue, simple_key_value, write_top};
use super::descriptor::{RESOURCE, SCOPE, SPAN};
use super::message::{Parts, Stop, text};
use super::wire::Fields;
use super::{DecodeError, Refusal, Refusals, form};
use crate::batch::{Group, SpanColumns, SpanFields};
use crate::stamps::{self, StampText};

/// Decodes a request received at `received_at_unix_nano` into columns.
///
/// # Errors
/// The whole body is malformed; nothing of it may be kept.
pub fn decode(
    request: &[u8],
    received_at_unix_nano: i64,
) -> Result<(SpanColumns, Refusals), DecodeError> {
    let mut columns = SpanColumns::new(received_at_unix_nano, request.len());
    let mut refusals = Refusals::default();
    let mut fields = Fields::new(request);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            resource_spans(field.bytes()?, &mut columns, &mut refusals)?;
        }
    }
    Ok((columns, refusals))
}

fn resource_spans(
    message: &[u8],
    columns: &mut SpanColumns,
    refusals: &mut Refusals,
) -> Result<(), DecodeError> {
    let mut resource = Parts::default();
    let mut schema_url: &[u8] = &[];
    let mut scopes = Vec::new();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => resource.add(field.bytes()?),
            2 => scopes.push(field.bytes()?),
            3 => schema_url = field.bytes()?,
            _ => {}
        }
    }
    let group = match resource_group(&resource, schema_url) {
        Ok(group) => Ok(group),
        Err(Stop::Refused(reason)) => {
            resource.check(&RESOURCE)?;
            Err(reason)
        }
        Err(Stop::Malformed(error)) => return Err(error),
    };
    for scope in scopes {
        scope_spans(scope, &group, columns, refusals)?;
    }
    Ok(())
}

fn resource_group(resource: &Parts<'_>, schema_url: &[u8]) -> Result<Group, Stop> {
    let mut group = Group { resource_schema_url: text(schema_url)?.to_owned(), ..Group::default() };
    if !resource.is_present() {
        return Ok(group);
    }
    let mut attributes = SetWriter::default();
    let mut service_name = None;
    let mut entity_refs = Vec::new();
    resource.each_field(|field| {
        match field.number {
            1 => {
                let key_value = attributes.add(field.bytes()?)?;
                // The first one counts where a sender repeats the key.
                if service_name.is_none() && key_value.key == "service.name" {
                    service_name = key_value.display()?;
                }
            }
            2 => group.resource_dropped_attributes_count = i64::from(field.uint32()?),
            3 => entity_refs.push(entity_ref(field.bytes()?)?),
            _ => {}
        }
        Ok(())
    })?;
    group.service_name = service_name;
    group.resource_attributes = Some(attributes.finish());
    group.resource_entity_refs =
        (!entity_refs.is_empty()).then(|| serde_json::Value::Array(entity_refs).to_string());
    Ok(group)
}

/// An `EntityRef` as OTLP/JSON.
fn entity_ref(message: &[u8]) -> Result<serde_json::Value, Stop> {
    let (mut schema_url, mut kind): (&[u8], &[u8]) = (&[], &[]);
    let (mut id_keys, mut description_keys) = (Vec::new(), Vec::new());
    Parts::of(message).each_field(|field| {
        match field.number {
            1 => schema_url = field.bytes()?,
            2 => kind = field.bytes()?,
            3 => id_keys.push(text(field.bytes()?)?),
            4 => description_keys.push(text(field.bytes()?)?),
            _ => {}
        }
        Ok(())
    })?;
    let (schema_url, kind) = (text(schema_url)?, text(kind)?);
    Ok(serde_json::json!({
        "schemaUrl": schema_url, "type": kind, "idKeys": id_keys, "descriptionKeys": description_keys,
    }))
}

fn scope_spans(
    message: &[u8],
    resource: &Result<Group, Refusal>,
    columns: &mut SpanColumns,
    refusals: &mut Refusals,
) -> Result<(), DecodeError> {
    let mut scope = Parts::default();
    let mut schema_url: &[u8] = &[];
    let mut fields = Fields::new(message);
    let mut span_count = 0;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => scope.add(field.bytes()?),
            2 => span_count += 1,
            3 => schema_url = field.bytes()?,
            _ => {}
        }
    }
    if span_count == 0 {
        return scope.check(&SCOPE);
    }
    let group = match resource {
        Ok(resource) => scope_group(resource, &scope, schema_url),
        Err(reason) => Err(Stop::Refused(*reason)),
    };
    let refused = match group {
        Ok(group) => {
            columns.begin_group(group);
            None
        }
        Err(Stop::Refused(reason)) => {
            scope.check(&SCOPE)?;
            Some(reason)
        }
        Err(Stop::Malformed(error)) => return Err(error),
    };
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        if field.number != 2 {
            continue;
        }
        let message = field.bytes()?;
        match span(message, columns) {
            Err(Stop::Malformed(error)) => return Err(error),
            Err(Stop::Refused(reason)) => {
                form::check(message, &SPAN)?;
                columns.roll_back();
                refusals.add(refused.unwrap_or(reason), 1);
            }
            Ok(()) => match refused {
                Some(reason) => {
                    columns.roll_back();
                    refusals.add(reason, 1);
                }
                None => columns.commit(),
            },
        }
    }
    Ok(())
}

fn scope_group(resource: &Group, scope: &Parts<'_>, schema_url: &[u8]) -> Result<Group, Stop> {
    let mut group = Group { scope_schema_url: text(schema_url)?.to_owned(), ..resource.clone() };
    if !scope.is_present() {
        return Ok(group);
    }
    let (mut name, mut version): (&[u8], &[u8]) = (&[], &[]);
    let mut attributes = SetWriter::default();
    scope.each_field(|field| {
        match field.number {
            1 => name = field.bytes()?,
            2 => version = field.bytes()?,
            3 => {
                attributes.add(field.bytes()?)?;
            }
            4 => group.scope_dropped_attributes_count = i64::from(field.uint32()?),
            _ => {}
        }
        Ok(())
    })?;
    group.scope_name = Some(text(name)?.to_owned());
    group.scope_version = Some(text(version)?.to_owned());
    group.scope_attributes = Some(attributes.finish());
    Ok(group)
}

fn span(message: &[u8], columns: &mut SpanColumns) -> Result<(), Stop> {
    let mut row = SpanFields::default();
    let mut status = Parts::default();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => row.trace_id = field.bytes()?,
            2 => row.span_id = field.bytes()?,
            3 => row.trace_state = field.bytes()?,
            4 => row.parent_span_id = field.bytes()?,
            5 => row.name = field.bytes()?,
            6 => row.kind = field.int32()?,
            7 => row.start_time_unix_nano = field.fixed64()?,
            8 => row.end_time_unix_nano = field.fixed64()?,
            9 => attribute(field.bytes()?, columns)?,
            10 => row.dropped_attributes_count = field.uint32()?,
            11 => event(field.bytes()?, columns)?,
            12 => row.dropped_events_count = field.uint32()?,
            13 => link(field.bytes()?, columns)?,
            14 => row.dropped_links_count = field.uint32()?,
            15 => status.add(field.bytes()?),
            16 => row.flags = field.fixed32()?,
            _ => {}
        }
    }
    if status.is_present() {
        let (mut message, mut code): (&[u8], i32) = (&[], 0);
        status.each_field(|field| {
            match field.number {
                2 => message = field.bytes()?,
                3 => code = field.int32()?,
                _ => {}
            }
            Ok(())
        })?;
        row.status = Some((code, message));
    }
    columns.fill_row(&row)?;
    Ok(())
}

#[inline]
fn attribute(message: &[u8], columns: &mut SpanColumns) -> Result<(), Stop> {
    let (key, value) = match simple_key_value(message) {
        Some((key, SimpleValue::String(value))) => {
            columns.string_attribute(key, value)?;
            (key, StampText::One(value))
        }
        Some((key, SimpleValue::Int(value))) => {
            columns.int_attribute(key, value)?;
            (key, StampText::Other)
        }
        None => return any_attribute(message, columns),
    };
    if stamps::is_key(key) {
        columns.reading.attribute(key, &value);
    }
    Ok(())
}

fn any_attribute(message: &[u8], columns: &mut SpanColumns) -> Result<(), Stop> {
    let KeyValue { key, value } = KeyValue::read(message)?;
    let key = key.as_bytes();
    match &value {
        Some(Any::String(value)) => columns.string_attribute(key, value)?,
        Some(Any::Int(value)) => columns.int_attribute(key, *value)?,
        Some(any) => columns.text_attribute(key, |out| write_top(any, out))?,
        None => columns.absent_attribute(key)?,
    }
    if stamps::is_key(key) {
        let value = match &value {
            Some(Any::String(value)) => StampText::One(value),
            Some(Any::Array(list)) => strings(list)?.map_or(StampText::Other, StampText::List),
            _ => StampText::Other,
        };
        columns.reading.attribute(key, &value);
    }
    Ok(())
}

/// The members of a list if all of them are strings; of a longer one than may be, only so many that
/// this shows.
fn strings<'a>(list: &Parts<'a>) -> Result<Option<Vec<&'a [u8]>>, Stop> {
    let mut found = Some(Vec::new());
    list.each_field(|field| {
        if field.number == 1 {
            match (Any::read(&Parts::of(field.bytes()?))?, &mut found) {
                (Any::String(text), Some(texts)) if texts.len() <= STAMPS_MAX => texts.push(text),
                (Any::String(_), Some(_)) => {}
                _ => found = None,
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn event(message: &[u8], columns: &mut SpanColumns) -> Result<(), Stop> {
    let (mut time, mut name, mut dropped): (u64, &[u8], u32) = (0, &[], 0);
    let mut attributes = SetWriter::default();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => time = field.fixed64()?,
            2 => name = field.bytes()?,
            3 => {
                attributes.add(field.bytes()?)?;
            }
            4 => dropped = field.uint32()?,
            _ => {}
        }
    }
    let events = &mut columns.events;
    events.time_unix_nano.push(time.cast_signed());
    events.name.push(text(name)?);
    events.attributes.push(attributes.finish());
    events.dropped_attributes_count.push(i64::from(dropped));
    Ok(())
}

fn link(message: &[u8], columns: &mut SpanColumns) -> Result<(), Stop> {
    let (mut trace_id, mut span_id, mut trace_state): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let (mut dropped, mut flags) = (0, 0);
    let mut attributes = SetWriter::default();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => trace_id = field.bytes()?,
            2 => span_id = field.bytes()?,
            3 => trace_state = field.bytes()?,
            4 => {
                attributes.add(field.bytes()?)?;
            }
            5 => dropped = field.uint32()?,
            6 => flags = field.fixed32()?,
            _ => {}
        }
    }
    let links = &mut columns.links;
    links.trace_id.push(trace_id);
    links.span_id.push(span_id);
    links.trace_state.push(text(trace_state)?);
    columns.reading.link(trace_state);
    links.attributes.push(attributes.finish());
    links.dropped_attributes_count.push(i64::from(dropped));
    links.flags.push(i64::from(flags));
    Ok(())
}
