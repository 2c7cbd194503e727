//! What the attributes of a trace's spans tell, read once for all detectors.
//!
//! Attributes are most of a span, and reading them most of what findings cost. So one pass over each span's attributes
//! forms its call and notes what the rules that look at every span need: bodies, what tells that a call is readable, secrets,
//! and whether clocks stamp. What rules ask of few spans they read by themselves ([`with_fields`]).

use std::borrow::Cow;
use std::sync::Arc;

use causeway_model::rows::AttributeText;
use causeway_model::trace::{MergedTrace, Row};
use causeway_model::value;

use super::plaintext_call::{Sign, sign};
use crate::forms::{Call, Fields, Former, Name, SecretKind, Value, text_hash};

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
    /// Whether a span shows a stamp, readable or not.
    pub(super) is_stamped: bool,
}

impl<'a> Told<'a> {
    /// Reads all attributes. The former remembers what it formed for the next trace.
    pub(super) fn read(trace: &MergedTrace<'a>, former: &mut Former) -> Self {
        let mut told = Self { calls: Vec::with_capacity(trace.len()), ..Self::default() };
        let mut fields = Fields::default();
        for row in trace.rows() {
            fields.clear();
            // Texts with escapes are read into memory of their own; they are rare.
            if told.take(trace, row, &mut fields, former) {
                told.note(trace, row, &fields, former);
            } else {
                with_fields(trace, row, |fields| told.note(trace, row, fields, former));
            }
        }
        told
    }

    /// Reads the attributes of a row into `fields`. Says whether all of them fit: those with escapes do not.
    fn take(
        &mut self,
        trace: &MergedTrace<'a>,
        row: Row,
        fields: &mut Fields<'a>,
        former: &mut Former,
    ) -> bool {
        let Some(attributes) = trace.attributes(row) else { return true };
        let mut is_whole = true;
        for (key, value) in attributes {
            self.is_stamped |= key.starts_with(STAMP_PREFIX);
            match value {
                None => {}
                Some(AttributeText::Int(int)) => {
                    if let Some(name) = Name::of(key) {
                        fields.set(name, Value::Int(int));
                    }
                }
                Some(AttributeText::Text(text)) => {
                    let text = value::display(text);
                    let hash = text_hash(&text);
                    let secrets = former.secrets(key, &text, hash);
                    self.secrets.extend(secrets.iter().map(|site| (row, key, site.kind)));
                    match (Name::of(key), text) {
                        (Some(name), Cow::Borrowed(text)) => fields.set_text(name, text, hash),
                        (Some(_), Cow::Owned(_)) => is_whole = false,
                        (None, _) => {}
                    }
                }
            }
        }
        is_whole
    }

    fn note(
        &mut self,
        trace: &MergedTrace<'a>,
        row: Row,
        fields: &Fields<'_>,
        former: &mut Former,
    ) {
        let call = former.form(trace.kind(row), trace.name_text(row), fields);
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
