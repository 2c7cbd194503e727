//! Attribute values on the wire: `KeyValue` and `AnyValue` messages, and how they become
//! [value text](crate::value).

use super::descriptor::{ARRAY_VALUE, KEY_VALUE_LIST};
use super::message::{Parts, Stop, text};
use super::wire::{Field, Fields};
use super::{DecodeError, Refusal};
use crate::value::{self, DEPTH_MAX};

/// The values that nearly all attributes have.
pub(super) enum SimpleValue<'a> {
    String(&'a [u8]),
    Int(i64),
}

/// Reads a `KeyValue` as exporters write it: its key, then a value of one field, and nothing else.
/// `None` is any other form, valid or not.
#[inline]
pub(super) fn simple_key_value(message: &[u8]) -> Option<(&[u8], SimpleValue<'_>)> {
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

/// A `KeyValue` message, its value still in wire form.
pub(super) struct KeyValue<'a> {
    pub(super) key: &'a str,
    pub(super) value: Option<Any<'a>>,
}

impl<'a> KeyValue<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Stop> {
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
    pub(super) fn display(&self) -> Result<Option<String>, Stop> {
        let Some(any) = &self.value else {
            return Ok(None);
        };
        let mut out = Vec::new();
        write_top(any, &mut out)?;
        Ok(Some(value::display(text(&out)?).into_owned()))
    }
}

/// An `AnyValue` message; lists stay in wire form.
pub(super) enum Any<'a> {
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
    pub(super) fn read(message: &Parts<'a>) -> Result<Self, Stop> {
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
pub(super) fn write_top(any: &Any<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
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
pub(super) struct SetWriter {
    out: Vec<u8>,
}

impl Default for SetWriter {
    fn default() -> Self {
        Self { out: vec![b'{'] }
    }
}

impl SetWriter {
    pub(super) fn add<'a>(&mut self, message: &'a [u8]) -> Result<KeyValue<'a>, Stop> {
        let key_value = KeyValue::read(message)?;
        let mut first = self.out.len() == 1;
        separate(&mut first, &mut self.out);
        write_entry(&key_value, 1, &mut self.out)?;
        Ok(key_value)
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push(b'}');
        // Only checked text and ASCII were written.
        String::from_utf8(self.out).unwrap_or_default()
    }
}
