//! What the attributes of a trace's spans tell, read once for all detectors.
//!
//! Attributes are most of a span, and reading them most of what findings cost. So one pass over each span's attributes
//! forms its call and notes what the rules that look at every span need: bodies, what tells that a call is readable, secrets,
//! and whether clocks stamp. What rules ask of few spans they read by themselves ([`with_fields`]).

use std::sync::Arc;

use causeway_model::rows::AttributeText;
use causeway_model::trace::{MergedTrace, Row};
use causeway_model::value;

use super::plaintext_call::{Sign, sign};
use crate::forms::{Call, Field, Fields, Former, Name, Resource, SecretKind, Value, text_hash};

/// What keys of stamps begin with.
const STAMP_PREFIX: &str = "hlc.";

/// What attributes tell; rows ascend.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    /// The call each row makes or serves.
    pub(super) calls: Vec<Option<Arc<Call>>>,
    /// Calls with a body, and the bytes of the larger one.
    pub(super) bodies: Vec<(Row, u64)>,
    /// Exit spans that could be read on the way.
    pub(super) readable: Vec<(Row, Sign)>,
    /// Attributes that hold secrets, by their keys.
    pub(super) secrets: Vec<(Row, &'a str, SecretKind)>,
    /// Names of events, and of their attributes that hold secrets.
    pub(super) event_secrets: Vec<(Row, &'a str, String, SecretKind)>,
    /// Resources by the numbers of their clocks.
    resources: Vec<Option<Arc<Resource>>>,
    /// Whether a span shows a stamp, readable or not.
    pub(super) is_stamped: bool,
}

/// How much of a row's attributes could be read where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Read {
    /// All.
    Whole,
    /// All but a statement, which is as it is stored.
    EscapedStatement,
    /// Some are as they are stored.
    Escaped,
}

/// What people read in a text, unless it is stored with escapes.
fn unescaped(text: &str) -> Option<&str> {
    match text.starts_with('"') {
        false => Some(text),
        true if text.contains('\\') => None,
        true => text.strip_prefix('"')?.strip_suffix('"'),
    }
}

impl<'a> Told<'a> {
    /// Reads all attributes. The former remembers what it formed for the next trace.
    pub(super) fn read(trace: &MergedTrace<'a>, former: &mut Former) -> Self {
        let mut told = Self { calls: Vec::with_capacity(trace.len()), ..Self::default() };
        let mut fields = Fields::default();
        for row in trace.rows() {
            told.read_resource(trace, row, former);
            fields.clear();
            let read = told.take(trace, row, &mut fields, former);
            told.search_events(trace, row, former);
            let (kind, name) = (trace.kind(row), trace.name_text(row));
            // Nobody but who forms a call looks into statements, so one that was formed before need not be readable.
            match (former.recognise(kind, name, &fields), read) {
                (Ok(call), Read::Whole | Read::EscapedStatement) => told.note(row, call, &fields),
                (Err(seen), Read::Whole) => {
                    let call = former.form_as(seen, kind, name, &fields);
                    told.note(row, call, &fields);
                }
                // Texts with escapes are read into memory of their own; they are rare.
                (recognised, _) => with_fields(trace, row, |fields| {
                    let form = |seen| former.form_as(seen, kind, name, fields);
                    let call = recognised.unwrap_or_else(form);
                    told.note(row, call, fields);
                }),
            }
        }
        told
    }

    /// Reads the attributes of a row into `fields`.
    fn take(
        &mut self,
        trace: &MergedTrace<'a>,
        row: Row,
        fields: &mut Fields<'a>,
        former: &mut Former,
    ) -> Read {
        let mut read = Read::Whole;
        let Some(attributes) = trace.attributes(row) else { return read };
        for (key, value) in attributes {
            self.is_stamped |= key.starts_with(STAMP_PREFIX);
            match (Name::of(key), value) {
                (_, None) => {}
                (None, Some(AttributeText::Int(_))) => {}
                (Some(name), Some(AttributeText::Int(int))) => fields.set(name, Value::Int(int)),
                (name, Some(AttributeText::Text(text))) => {
                    let hash = text_hash(text);
                    let secrets = former.secrets(key, name.is_some(), text, hash);
                    self.secrets.extend(secrets.iter().map(|site| (row, key, site.kind)));
                    let Some(name) = name else { continue };
                    match unescaped(text) {
                        Some(text) => fields.set_text(name, text, hash),
                        None => {
                            fields.set_text(name, text, hash);
                            read = read.max(match name.field() {
                                Field::DbStatement => Read::EscapedStatement,
                                _ => Read::Escaped,
                            });
                        }
                    }
                }
            }
        }
        read
    }

    fn search_events(&mut self, trace: &MergedTrace<'a>, row: Row, former: &mut Former) {
        for event in trace.events(row).filter(|event| !event.attributes.is_empty()) {
            let secrets = former.event_secrets(event.attributes);
            let places = secrets.into_iter().map(|(key, kind)| (row, event.name, key, kind));
            self.event_secrets.extend(places);
        }
    }

    fn note(&mut self, row: Row, call: Option<Arc<Call>>, fields: &Fields<'_>) {
        if let Some(call) = &call {
            let bytes =
                fields.request_bytes().unwrap_or(0).max(fields.response_bytes().unwrap_or(0));
            if bytes > 0 {
                self.bodies.push((row, bytes));
            }
            if call.is_exit
                && let Some(sign) = sign(fields)
            {
                self.readable.push((row, sign));
            }
        }
        self.calls.push(call);
    }

    /// Reads the resource of a row unless a row before had the same.
    fn read_resource(&mut self, trace: &MergedTrace<'a>, row: Row, former: &mut Former) {
        let clock = trace.clock(row) as usize;
        let is_known = self.resources.get(clock).is_some_and(Option::is_some);
        // Clocks are numbered by where they come first, but for placeholders, which have none.
        if is_known || clock >= trace.len() {
            return;
        }
        let text = trace.source(row).and_then(|(rows, at)| rows.resource_attributes.get(at));
        self.resources.resize(self.resources.len().max(clock + 1), None);
        if let Some(place) = self.resources.get_mut(clock) {
            *place = text.map(|text| former.resource(text));
        }
    }

    /// The first value of an attribute of a clock's resource, as [value text](value).
    pub(super) fn resource_attribute(&self, clock: u32, key: &str) -> Option<&str> {
        self.resources.get(clock as usize)?.as_ref()?.attribute(key)
    }

    /// The larger of a call's bodies.
    pub(super) fn body_bytes(&self, row: Row) -> u64 {
        let at = self.bodies.binary_search_by_key(&row, |(row, _)| *row).ok();
        at.and_then(|at| self.bodies.get(at)).map_or(0, |(_, bytes)| *bytes)
    }
}

/// Reads the known attributes of a row, under old names and new ones.
pub fn with_fields<T>(trace: &MergedTrace<'_>, row: Row, read: impl FnOnce(&Fields<'_>) -> T) -> T {
    let attributes = trace.attributes(row).into_iter().flatten();
    let known = attributes.filter_map(|(key, value)| Some((Name::of(key)?, value?)));
    // Texts that could be taken for other values are quoted where they are stored.
    let known: Vec<_> = known
        .map(|(name, value)| match value {
            AttributeText::Int(int) => (name, Err(int)),
            AttributeText::Text(text) => (name, Ok(value::display(text))),
        })
        .collect();
    let mut fields = Fields::default();
    for (name, value) in &known {
        let value = match value {
            Ok(text) => Value::Text(text),
            Err(int) => Value::Int(*int),
        };
        fields.set(*name, value);
    }
    read(&fields)
}
