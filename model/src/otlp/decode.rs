//! From the bytes of an `ExportTraceServiceRequest` straight into columns.
//!
//! The hot path: no object per span, borrowed slices until a value is copied into its column. A
//! span that must be refused is rolled back out of the columns, so one pass both checks and builds.
//! Field numbers are those of opentelemetry-proto 1.x. A field that protobuf says to merge (the
//! same singular message sent twice) is read as the concatenation of its parts, which is the same.

use super::descriptor::{ARRAY_VALUE, KEY_VALUE_LIST, Message, RESOURCE, SCOPE, SPAN};
use super::wire::{Field, Fields};
use super::{DecodeError, Refusal, Refusals, form};
use crate::batch::{Group, SpanColumns, SpanFields};
use crate::value::{self, DEPTH_MAX};

/// What stops a span: a body that cannot be parsed, or a reason to refuse the span alone.
enum Stop {
    Malformed(DecodeError),
    Refused(Refusal),
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl From<Refusal> for Stop {
    fn from(reason: Refusal) -> Self {
        Self::Refused(reason)
    }
}

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

/// A singular message field: usually one slice, several when it was sent in parts.
#[derive(Debug, Default, Clone)]
struct Parts<'a> {
    first: Option<&'a [u8]>,
    rest: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn of(part: &'a [u8]) -> Self {
        Self { first: Some(part), rest: Vec::new() }
    }

    fn add(&mut self, part: &'a [u8]) {
        match self.first {
            None => self.first = Some(part),
            Some(_) => self.rest.push(part),
        }
    }

    fn is_present(&self) -> bool {
        self.first.is_some()
    }

    /// Checks the form of what will not be read, or not to its end.
    fn check(&self, descriptor: &'static Message) -> Result<(), DecodeError> {
        self.first.iter().chain(&self.rest).try_for_each(|part| form::check(part, descriptor))
    }

    fn each_field(&self, mut visit: impl FnMut(Field<'a>) -> Result<(), Stop>) -> Result<(), Stop> {
        for part in self.first.iter().chain(&self.rest) {
            let mut fields = Fields::new(part);
            while let Some(field) = fields.next()? {
                visit(field)?;
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| Refusal::Utf8)
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
    match simple_key_value(message) {
        Some((key, SimpleValue::String(value))) => columns.string_attribute(key, value)?,
        Some((key, SimpleValue::Int(value))) => columns.int_attribute(key, value)?,
        None => any_attribute(message, columns)?,
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
    Ok(())
}

/// The values that nearly all attributes have.
enum SimpleValue<'a> {
    String(&'a [u8]),
    Int(i64),
}

/// Reads a `KeyValue` as exporters write it: its key, then a value of one field, and nothing else.
/// `None` is any other form, valid or not.
#[inline]
fn simple_key_value(message: &[u8]) -> Option<(&[u8], SimpleValue<'_>)> {
    let (key, rest) = split_length_delimited(message, 0x0a)?;
    let (any, []) = split_length_delimited(rest, 0x12)? else {
        return None;
    };
    match any {
        [0x0a, ..] => match split_length_delimited(any, 0x0a)? {
            (value, []) => Some((key, SimpleValue::String(value))),
            _ => None,
        },
        [0x18, value @ ..] => Some((key, SimpleValue::Int(whole_varint(value)?.cast_signed()))),
        _ => None,
    }
}

/// Splits off a field with this tag and a length below 2^21.
#[inline]
fn split_length_delimited(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    match bytes {
        [t, a, rest @ ..] if *t == tag && *a < 0x80 => rest.split_at_checked(usize::from(*a)),
        [t, a, b, rest @ ..] if *t == tag && *b < 0x80 => {
            rest.split_at_checked(usize::from(a & 0x7f) | usize::from(*b) << 7)
        }
        [t, a, b, c, rest @ ..] if *t == tag && *c < 0x80 => rest.split_at_checked(
            usize::from(a & 0x7f) | usize::from(b & 0x7f) << 7 | usize::from(*c) << 14,
        ),
        _ => None,
    }
}

/// The value of a varint of at most nine bytes that fills `bytes`.
#[inline]
fn whole_varint(bytes: &[u8]) -> Option<u64> {
    let (last, first) = bytes.split_last()?;
    if *last >= 0x80 || first.len() > 8 || first.iter().any(|byte| *byte < 0x80) {
        return None;
    }
    let join = |value, byte: &u8| value << 7 | u64::from(byte & 0x7f);
    Some(bytes.iter().rev().fold(0, join))
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
    links.attributes.push(attributes.finish());
    links.dropped_attributes_count.push(i64::from(dropped));
    links.flags.push(i64::from(flags));
    Ok(())
}

/// A `KeyValue` message, its value still in wire form.
struct KeyValue<'a> {
    key: &'a str,
    value: Option<Any<'a>>,
}

impl<'a> KeyValue<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Stop> {
        let mut key: &[u8] = &[];
        let mut value = Parts::default();
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => key = field.bytes()?,
                2 => value.add(field.bytes()?),
                _ => {}
            }
        }
        let value = if value.is_present() { Some(Any::read(&value)?) } else { None };
        Ok(Self { key: text(key)?, value })
    }

    /// The value as a person writes it; `None` when there is none.
    fn display(&self) -> Result<Option<String>, Stop> {
        let Some(any) = &self.value else {
            return Ok(None);
        };
        let mut out = Vec::new();
        write_top(any, &mut out)?;
        Ok(Some(value::display(text(&out)?).into_owned()))
    }
}

/// An `AnyValue` message; lists stay in wire form.
enum Any<'a> {
    Empty,
    String(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
    Array(Parts<'a>),
    KvList(Parts<'a>),
    Bytes(&'a [u8]),
}

impl<'a> Any<'a> {
    /// The last member of the oneof wins; the same list member sent again is merged.
    fn read(message: &Parts<'a>) -> Result<Self, Stop> {
        let mut any = Self::Empty;
        message.each_field(|field| {
            match (&mut any, field.number) {
                (Self::Array(parts), 5) | (Self::KvList(parts), 6) => parts.add(field.bytes()?),
                (replaced, 1..=7) => {
                    replaced.check()?;
                    *replaced = Self::member(&field)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(any)
    }

    /// A member of the oneof, by its number from 1 to 7.
    fn member(field: &Field<'a>) -> Result<Self, DecodeError> {
        Ok(match field.number {
            1 => Self::String(field.bytes()?),
            2 => Self::Bool(field.varint()? != 0),
            3 => Self::Int(field.varint()?.cast_signed()),
            4 => Self::Double(f64::from_bits(field.fixed64()?)),
            5 => Self::Array(Parts::of(field.bytes()?)),
            6 => Self::KvList(Parts::of(field.bytes()?)),
            _ => Self::Bytes(field.bytes()?),
        })
    }

    /// Checks the form of a list that is not read because another member replaces it.
    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Array(parts) => parts.check(&ARRAY_VALUE),
            Self::KvList(parts) => parts.check(&KEY_VALUE_LIST),
            _ => Ok(()),
        }
    }
}

/// Writes a value where strings may stand for themselves.
fn write_top(any: &Any<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    match any {
        Any::String(bytes) => value::push_string(text(bytes)?, out),
        other => write_nested(other, 1, out)?,
    }
    Ok(())
}

/// Writes a value inside a list; `depth` counts the levels above and including this one.
fn write_nested(any: &Any<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    if depth > DEPTH_MAX {
        return Err(Refusal::Depth.into());
    }
    match any {
        Any::Empty => out.extend_from_slice(b"null"),
        Any::String(bytes) => value::push_json_string(text(bytes)?, out),
        Any::Bool(true) => out.extend_from_slice(b"true"),
        Any::Bool(false) => out.extend_from_slice(b"false"),
        Any::Int(int) => value::push_int(*int, out),
        Any::Double(double) => value::push_double(*double, out),
        Any::Bytes(bytes) => value::push_bytes(bytes, out),
        Any::Array(parts) => {
            out.push(b'[');
            let mut first = true;
            parts.each_field(|field| {
                if field.number == 1 {
                    separate(&mut first, out);
                    write_nested(&Any::read(&Parts::of(field.bytes()?))?, depth + 1, out)?;
                }
                Ok(())
            })?;
            out.push(b']');
        }
        Any::KvList(parts) => {
            out.push(b'{');
            let mut first = true;
            parts.each_field(|field| {
                if field.number == 1 {
                    separate(&mut first, out);
                    write_entry(&KeyValue::read(field.bytes()?)?, depth + 1, out)?;
                }
                Ok(())
            })?;
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_entry(key_value: &KeyValue<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    value::push_key(key_value.key, out);
    match &key_value.value {
        Some(any) => write_nested(any, depth, out),
        None => {
            out.extend_from_slice(value::NO_VALUE);
            Ok(())
        }
    }
}

fn separate(first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

/// Collects the text of an attribute set.
struct SetWriter {
    out: Vec<u8>,
}

impl Default for SetWriter {
    fn default() -> Self {
        Self { out: vec![b'{'] }
    }
}

impl SetWriter {
    fn add<'a>(&mut self, message: &'a [u8]) -> Result<KeyValue<'a>, Stop> {
        let key_value = KeyValue::read(message)?;
        let mut first = self.out.len() == 1;
        separate(&mut first, &mut self.out);
        write_entry(&key_value, 1, &mut self.out)?;
        Ok(key_value)
    }

    fn finish(mut self) -> String {
        self.out.push(b'}');
        // Only checked text and ASCII were written.
        String::from_utf8(self.out).unwrap_or_default()
    }
}
