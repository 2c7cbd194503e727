//! OTLP/JSON to protobuf and back, driven by the tables in `descriptor`.
//!
//! Both directions stream: JSON goes straight into wire bytes and wire bytes straight into JSON,
//! with no tree in between, so that a body of 64 MiB costs little more than its size. Unknown JSON
//! fields are ignored, `null` means "not set", 64-bit integers may be strings or numbers.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, general_purpose::URL_SAFE_NO_PAD};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::DecodeError;
use super::descriptor::{Field, Kind, Message, REQUEST};
use super::wire::{Fields, Writer};
use crate::{ids, value};

/// How many brackets of a JSON body may be open at once: 128 levels of values take 4 each.
const JSON_DEPTH_MAX: usize = 600;

/// The first double beyond the `int64` range.
const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;

/// Number of `AnyValue.double_value`, the only message with an `int64` field beside it.
const DOUBLE_VALUE: u32 = 4;

/// A body that is not OTLP/JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or a field of a wrong type.
    #[error("invalid OTLP/JSON: {0}")]
    Invalid(#[from] serde_json::Error),
    /// Brackets nest too deeply.
    #[error("JSON nests deeper than {JSON_DEPTH_MAX} levels")]
    Depth,
}

/// Turns an OTLP/JSON `ExportTraceServiceRequest` into its protobuf bytes.
///
/// # Errors
/// The body is not JSON, nests too deeply, or a known field has a value of a wrong type.
pub fn json_to_protobuf(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    if nests_too_deeply(json) {
        return Err(JsonError::Depth);
    }
    let mut writer = Writer::default();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // The depth was checked above, for all of the body.
    deserializer.disable_recursion_limit();
    deserializer.deserialize_map(MessageReader { message: &REQUEST, writer: &mut writer })?;
    deserializer.end()?;
    Ok(writer.out)
}

fn nests_too_deeply(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in json {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return true;
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Reads one JSON object into the fields of a message.
struct MessageReader<'w> {
    message: &'static Message,
    writer: &'w mut Writer,
}

impl<'de> Visitor<'de> for MessageReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    /// `null` for a message inside a list: an empty message.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.message.by_name(&name) {
                Some(field) => {
                    map.next_value_seed(FieldReader { field, writer: &mut *self.writer })
                        .map_err(|error| in_field(field, &error))?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Names the innermost field in the error, once.
fn in_field<E: de::Error>(field: &Field, error: &E) -> E {
    let text = error.to_string();
    match text.starts_with("field ") {
        true => E::custom(text),
        false => E::custom(format!("field {}: {text}", field.json)),
    }
}

impl<'de> DeserializeSeed<'de> for MessageReader<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Reads the value of one field.
struct FieldReader<'w> {
    field: &'static Field,
    writer: &'w mut Writer,
}

impl<'de> DeserializeSeed<'de> for FieldReader<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl FieldReader<'_> {
    fn wrong<E: de::Error>(&self, found: &str) -> E {
        E::custom(format!("{found} is not a {:?}", self.field.kind_name()))
    }

    fn integer<E: de::Error>(self, value: i128) -> Result<(), E> {
        let number = self.field.number;
        let out_of_range = || E::custom(format!("{value} is out of range"));
        match self.field.kind {
            Kind::Int64 => {
                let value = i64::try_from(value).map_err(|_| out_of_range())?;
                self.writer.varint(number, value.cast_unsigned());
            }
            Kind::Fixed64 => {
                self.writer.fixed64(number, u64::try_from(value).map_err(|_| out_of_range())?);
            }
            Kind::Uint32 => {
                let value = u32::try_from(value).map_err(|_| out_of_range())?;
                self.writer.varint(number, value.into());
            }
            Kind::Fixed32 => {
                self.writer.fixed32(number, u32::try_from(value).map_err(|_| out_of_range())?);
            }
            Kind::Enum(_) => {
                self.writer.int32(number, i32::try_from(value).map_err(|_| out_of_range())?);
            }
            Kind::Double => self.writer.fixed64(number, (value as f64).to_bits()),
            _ => return Err(self.wrong("a number")),
        }
        Ok(())
    }

    fn text<E: de::Error>(self, text: &str) -> Result<(), E> {
        let number = self.field.number;
        match self.field.kind {
            Kind::String => self.writer.bytes(number, text.as_bytes()),
            Kind::Bytes => {
                let bytes = base64(text).ok_or_else(|| E::custom("not base64"))?;
                self.writer.bytes(number, &bytes);
            }
            Kind::Hex { lenient } => match ids::unhex(text) {
                Some(bytes) => self.writer.bytes(number, &bytes),
                None if lenient => self.writer.bytes(number, b"?"),
                None => return Err(E::custom("not hex digits")),
            },
            Kind::Enum(names) => match names.iter().find(|(name, _)| *name == text) {
                Some((_, value)) => self.writer.int32(number, *value),
                None => return Err(E::custom(format!("unknown name {text:?}"))),
            },
            Kind::Double => {
                let double = double(text).ok_or_else(|| E::custom("not a number"))?;
                self.writer.fixed64(number, double.to_bits());
            }
            Kind::Int64 | Kind::Fixed64 | Kind::Uint32 | Kind::Fixed32 => {
                let value =
                    text.parse().map_err(|_| E::custom(format!("{text:?} is not an integer")))?;
                self.integer(value)?;
            }
            Kind::Bool | Kind::Message(_) | Kind::Messages(_) | Kind::Strings => {
                return Err(self.wrong("a string"));
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for FieldReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.kind_name())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => {
                self.writer.varint(self.field.number, u64::from(value));
                Ok(())
            }
            _ => Err(self.wrong("a boolean")),
        }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.integer(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match (self.field.kind, i64::try_from(value)) {
            (Kind::Int64, Err(_)) => self.visit_f64(value as f64),
            _ => self.integer(value.into()),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => {
                self.writer.fixed64(self.field.number, value.to_bits());
                Ok(())
            }
            // The JavaScript SDK sends every whole number as `intValue`, also those that only a
            // double can hold; read as the double it was, nothing is lost.
            Kind::Int64 if !(-TWO_POW_63..TWO_POW_63).contains(&value) || value.fract() != 0.0 => {
                self.writer.fixed64(DOUBLE_VALUE, value.to_bits());
                Ok(())
            }
            Kind::Int64 => self.integer(value as i128),
            // ProtoJSON allows exponents for integers; above 2^53 the text form is needed.
            _ if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 => {
                self.integer(value as i128)
            }
            _ => Err(self.wrong("a fraction")),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Kind::Message(message) = self.field.kind else {
            return Err(self.wrong("an object"));
        };
        let start = self.writer.open(self.field.number);
        MessageReader { message, writer: &mut *self.writer }.visit_map(map)?;
        self.writer.close(start);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let number = self.field.number;
        match self.field.kind {
            Kind::Messages(message) => loop {
                let mark = self.writer.out.len();
                let start = self.writer.open(number);
                let reader = MessageReader { message, writer: &mut *self.writer };
                if seq.next_element_seed(reader)?.is_none() {
                    self.writer.out.truncate(mark);
                    return Ok(());
                }
                self.writer.close(start);
            },
            Kind::Strings => {
                while let Some(text) = seq.next_element::<std::borrow::Cow<'de, str>>()? {
                    self.writer.bytes(number, text.as_bytes());
                }
                Ok(())
            }
            _ => Err(self.wrong("an array")),
        }
    }
}

impl Field {
    fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::String => "string",
            Kind::Bool => "boolean",
            Kind::Int64 | Kind::Uint32 | Kind::Fixed32 | Kind::Fixed64 => "integer",
            Kind::Double => "number",
            Kind::Bytes => "base64 string",
            Kind::Hex { .. } => "hex string",
            Kind::Enum(_) => "enum number",
            Kind::Message(_) => "object",
            Kind::Messages(_) => "array of objects",
            Kind::Strings => "array of strings",
        }
    }
}

/// Standard or URL-safe alphabet, with or without padding, as ProtoJSON asks.
fn base64(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const LENIENT: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);
    let url_safe = || URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    LENIENT.decode(text).or_else(|_| url_safe()).ok()
}

fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ if text.bytes().any(|b| b.is_ascii_alphabetic() && !matches!(b, b'e' | b'E')) => None,
        _ => text.parse().ok(),
    }
}

/// Appends the OTLP/JSON form of a request in wire form.
pub(super) fn protobuf_to_json(request: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    write_message(&REQUEST, request, out)
}

/// Writes the fields of `message` in table order; what a table does not name is left out.
pub(super) fn write_message(
    message: &Message,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    out.push(b'{');
    let mut first = true;
    for field in message.fields {
        write_field(field, bytes, &mut first, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Writes all occurrences of one field, if any. Scanning the message once per known field costs
/// little: a scan only hops from length to length.
fn write_field(
    field: &Field,
    message: &[u8],
    first: &mut bool,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let mut fields = Fields::new(message);
    let mut found = false;
    while let Some(candidate) = fields.next()? {
        if candidate.number != field.number {
            continue;
        }
        if found {
            out.push(b',');
        } else {
            if !std::mem::take(first) {
                out.push(b',');
            }
            value::push_json_string(field.json, out);
            out.push(b':');
            if field.kind.is_repeated() {
                out.push(b'[');
            }
        }
        found = true;
        write_value(field.kind, &candidate, out)?;
    }
    if found && field.kind.is_repeated() {
        out.push(b']');
    }
    Ok(())
}

fn write_value(
    kind: Kind,
    field: &super::wire::Field<'_>,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let quoted = |text: &str, out: &mut Vec<u8>| value::push_json_string(text, out);
    match kind {
        Kind::String | Kind::Strings => quoted(&String::from_utf8_lossy(field.bytes()?), out),
        Kind::Bool => out.extend_from_slice(if field.varint()? != 0 { b"true" } else { b"false" }),
        Kind::Int64 => quoted(&field.varint()?.cast_signed().to_string(), out),
        Kind::Fixed64 => quoted(&field.fixed64()?.to_string(), out),
        Kind::Uint32 => value::push_int(field.uint32()?.into(), out),
        Kind::Fixed32 => value::push_int(field.fixed32()?.into(), out),
        Kind::Enum(_) => value::push_int(field.int32()?.into(), out),
        Kind::Double => {
            let double = f64::from_bits(field.fixed64()?);
            if double.is_finite() {
                value::push_double(double, out);
            } else if double.is_nan() {
                quoted("NaN", out);
            } else {
                quoted(if double > 0.0 { "Infinity" } else { "-Infinity" }, out);
            }
        }
        Kind::Bytes => quoted(&STANDARD.encode(field.bytes()?), out),
        Kind::Hex { .. } => quoted(&ids::hex(field.bytes()?), out),
        Kind::Message(message) | Kind::Messages(message) => {
            write_message(message, field.bytes()?, out)?;
        }
    }
    Ok(())
}
