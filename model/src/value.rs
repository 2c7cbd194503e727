//! Attribute values as text, and back, without loss.
//!
//! Every attribute value is stored as one text that people and foreign readers can use directly:
//!
//! | OTLP value | text |
//! |---|---|
//! | string `GET` | `GET` |
//! | string that would read as another value, such as `404` or `true` | JSON string: `"404"` |
//! | int 42, bool, double 1.5 | `42`, `true`, `1.5` (a double always has `.` or `e`) |
//! | array, key-value list | JSON: `[1,"a"]`, `{"a":1}`; order and repeated keys kept |
//! | bytes | `{"$bytes":"base64"}` |
//! | not finite double | `{"$double":"NaN"}`, `Infinity`, `-Infinity`, or 16 hex digits of other NaNs |
//! | no value set | `null`; a key without any value message: null in a map, `{"$none":true}` inside lists |
//!
//! Keys of a list that begin with `$` get one more `$`. Inside arrays and lists strings are always
//! JSON strings. A whole attribute set (resource, scope, event, link) is the text of its key-value list.
//!
//! The mapping is one to one: equal texts mean equal values, bit for bit.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::value::RawValue;

/// How deep values may nest; deeper ones are refused at admission.
pub const DEPTH_MAX: usize = 128;

/// An OTLP `AnyValue`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No member of the oneof is set.
    Empty,
    /// `stringValue`
    String(String),
    /// `boolValue`
    Bool(bool),
    /// `intValue`
    Int(i64),
    /// `doubleValue`
    Double(f64),
    /// `bytesValue`
    Bytes(Vec<u8>),
    /// `arrayValue`
    Array(Vec<Value>),
    /// `kvlistValue`
    KvList(Vec<KeyValue>),
}

/// A key with its value; `None` is a key that was sent without a value message.
pub type KeyValue = (String, Option<Value>);

/// Text that [`parse`] cannot read: the file it came from is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an attribute text: {0}")]
pub struct ValueError(String);

/// Whether a string may stand for itself at the top level.
pub fn is_plain(text: &[u8]) -> bool {
    match text.first() {
        None => true,
        Some(b'"' | b'[' | b'{' | b'-' | b'0'..=b'9') => false,
        Some(b't' | b'f' | b'n') => !matches!(text, b"true" | b"false" | b"null"),
        Some(_) => true,
    }
}

/// Appends a top-level string value.
pub fn push_string(text: &str, out: &mut Vec<u8>) {
    if is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_json_string(text, out);
    }
}

/// Appends a JSON string literal.
pub fn push_json_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let is_special = |byte: u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Without a way out early, many bytes are looked at in one instruction; most texts have none that is special.
    if !rest.iter().fold(false, |any, byte| any | is_special(*byte)) {
        out.extend_from_slice(rest);
        out.push(b'"');
        return;
    }
    while let Some(at) = rest.iter().position(|byte| is_special(*byte)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else {
            break;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                out.extend_from_slice(b"\\u00");
                for nibble in [control >> 4, control & 15] {
                    out.extend(HEX.get(usize::from(nibble)));
                }
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends an integer.
pub fn push_int(value: i64, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{value}"));
}

/// Appends a double, exact to the bit.
pub fn push_double(value: f64, out: &mut Vec<u8>) {
    use std::io::Write;
    // Writing to a Vec cannot fail. `{:?}` is the shortest text that reads back the same.
    let _ = if value.is_finite() {
        write!(out, "{value:?}")
    } else if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        write!(out, "{{\"$double\":\"{sign}Infinity\"}}")
    } else if value.to_bits() == f64::NAN.to_bits() {
        write!(out, "{{\"$double\":\"NaN\"}}")
    } else {
        write!(out, "{{\"$double\":\"{:016x}\"}}", value.to_bits())
    };
}

/// Appends bytes.
pub fn push_bytes(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"$bytes\":\"");
    out.extend_from_slice(BASE64.encode(value).as_bytes());
    out.extend_from_slice(b"\"}");
}

/// Appends a key of a key-value list, with its colon.
pub fn push_key(key: &str, out: &mut Vec<u8>) {
    if key.starts_with('$') {
        let mut escaped = String::with_capacity(key.len() + 1);
        escaped.push('$');
        escaped.push_str(key);
        push_json_string(&escaped, out);
    } else {
        push_json_string(key, out);
    }
    out.push(b':');
}

/// Text for a key without a value message, inside lists.
pub const NO_VALUE: &[u8] = b"{\"$none\":true}";

/// Reads a top-level value text.
pub fn parse(text: &str) -> Result<Value, ValueError> {
    if is_plain(text.as_bytes()) { Ok(Value::String(text.to_owned())) } else { parse_json(text) }
}

/// Reads the text of an attribute set.
pub fn parse_set(text: &str) -> Result<Vec<KeyValue>, ValueError> {
    match parse_json(text)? {
        Value::KvList(entries) => Ok(entries),
        _ => Err(ValueError("an attribute set is a JSON object".to_owned())),
    }
}

fn parse_json(text: &str) -> Result<Value, ValueError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Depth was limited to DEPTH_MAX when the text was made.
    deserializer.disable_recursion_limit();
    let parsed = json::Parsed::read(&mut deserializer).map_err(|e| ValueError(e.to_string()))?;
    deserializer.end().map_err(|e| ValueError(e.to_string()))?;
    match parsed {
        json::Parsed::Value(value) => Ok(value),
        json::Parsed::None => {
            Err(ValueError("a missing value stands only inside lists".to_owned()))
        }
    }
}

/// The number a value text stands for, if it does: numbers, and strings that read as numbers.
pub fn number(text: &str) -> Option<Number> {
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    if let Ok(int) = text.parse() {
        return Some(Number::Int(int));
    }
    match text.as_bytes().first()? {
        b'-' | b'0'..=b'9' => text.parse().ok().map(Number::Double),
        _ => None,
    }
}

/// A numeric attribute value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Fits 64 bits exactly.
    Int(i64),
    /// Anything else.
    Double(f64),
}

/// The text a person expects of a value: strings unquoted, everything else as stored.
#[inline]
pub fn display(text: &str) -> Cow<'_, str> {
    if text.starts_with('"') { unquoted(text) } else { text.into() }
}

fn unquoted(text: &str) -> Cow<'_, str> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let is_special = |byte| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    if let Some(inner) = inner.filter(|inner| !inner.bytes().any(is_special)) {
        return inner.into();
    }
    match serde_json::from_str::<String>(text) {
        Ok(string) => string.into(),
        Err(_) => text.into(),
    }
}

/// The text stored under `key` in the text of an attribute set; the first one if it repeats.
/// `None` when the key is missing or was sent without a value.
pub fn lookup(set: &str, key: &str) -> Option<String> {
    let mut flat = FlatEntries::of(set);
    if let Some((_, text)) = flat.by_ref().find(|(known, _)| *known == key) {
        return Some(text.to_owned());
    }
    if flat.is_whole() {
        return None;
    }
    let (_, value) = parse_set_raw(set)?.into_iter().find(|(k, _)| k == key)?;
    value_text(&value)
}

/// Keys and value texts of the text of an attribute set, in order; no text is a key without a value. Empty for what is
/// no such text.
pub fn set_texts(set: &str) -> Vec<(Cow<'_, str>, Option<Cow<'_, str>>)> {
    let mut flat = FlatEntries::of(set);
    let entries = flat.by_ref().map(|(key, text)| (key.into(), Some(text.into()))).collect();
    if flat.is_whole() {
        return entries;
    }
    let entries = parse_set_raw(set).unwrap_or_default().into_iter();
    entries.map(|(key, value)| (key.into(), value_text(&value).map(Cow::from))).collect()
}

/// Keys and value texts of a set without escapes, marks and nested values, which are parts of its text. Nearly all sets
/// are such, and reading them as JSON takes ten times as long. Ends early where a set is another one.
struct FlatEntries<'a> {
    /// What is left; `None` for a set that is to be read as JSON.
    rest: Option<&'a str>,
}

impl<'a> FlatEntries<'a> {
    fn of(set: &'a str) -> Self {
        let body = set.strip_prefix('{').and_then(|set| set.strip_suffix('}'));
        Self { rest: body.filter(|body| !body.contains('\\')) }
    }

    /// Whether all entries were read.
    fn is_whole(&self) -> bool {
        self.rest.is_some_and(str::is_empty)
    }

    fn entry(rest: &'a str) -> Option<((&'a str, &'a str), &'a str)> {
        let (key, value) = rest.strip_prefix('"')?.split_once('"')?;
        let value = value.strip_prefix(':').filter(|_| !key.starts_with('$'))?;
        let (text, after) = match value.strip_prefix('"') {
            Some(string) => {
                let (string, after) = string.split_once('"')?;
                // What would read as another value keeps its quotes.
                match is_plain(string.as_bytes()) {
                    true => (string, after),
                    false => value.split_at_checked(string.len() + 2)?,
                }
            }
            None => {
                let (text, after) = value.split_at(value.find(',').unwrap_or(value.len()));
                // White space is not part of a value, though not written by us.
                let is_scalar = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
                (!text.is_empty() && text.bytes().all(is_scalar)).then_some((text, after))?
            }
        };
        let after = match after {
            "" => after,
            _ => after.strip_prefix(',').filter(|after| !after.is_empty())?,
        };
        Some(((key, text), after))
    }
}

impl<'a> Iterator for FlatEntries<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.filter(|rest| !rest.is_empty())?;
        let read = Self::entry(rest);
        self.rest = read.map(|(_, after)| after);
        read.map(|(entry, _)| entry)
    }
}

/// The text of a value inside a set; `None` for the mark of a missing one.
fn value_text(value: &RawValue) -> Option<String> {
    let text = value.get();
    if text.as_bytes() == NO_VALUE {
        return None;
    }
    match serde_json::from_str::<String>(text) {
        Ok(string) if is_plain(string.as_bytes()) => Some(string),
        _ => Some(text.to_owned()),
    }
}

/// Keys (unescaped) with their raw JSON, in order.
fn parse_set_raw(set: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    let mut deserializer = serde_json::Deserializer::from_str(set);
    deserializer.disable_recursion_limit();
    json::RawEntries::read(&mut deserializer).ok()
}

/// Reading JSON with order, repeated keys and exact numbers kept.
mod json {
    use std::fmt;

    use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
    use serde_json::value::RawValue;

    use super::{BASE64, Engine, KeyValue, Value};

    /// A value, or the mark for a missing one.
    pub(super) enum Parsed {
        Value(Value),
        None,
    }

    impl Parsed {
        pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Reader)
        }

        fn entry(self) -> Option<Value> {
            match self {
                Self::Value(value) => Some(value),
                Self::None => None,
            }
        }
    }

    #[derive(Clone, Copy)]
    struct Reader;

    impl<'de> DeserializeSeed<'de> for Reader {
        type Value = Parsed;
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed, D::Error> {
            deserializer.deserialize_any(self)
        }
    }

    impl<'de> Visitor<'de> for Reader {
        type Value = Parsed;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an attribute value")
        }
        fn visit_unit<E>(self) -> Result<Parsed, E> {
            Ok(Parsed::Value(Value::Empty))
        }
        fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
            Ok(Parsed::Value(Value::Bool(value)))
        }
        fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
            Ok(Parsed::Value(Value::Int(value)))
        }
        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Parsed, E> {
            i64::try_from(value).map(|v| Parsed::Value(Value::Int(v))).map_err(E::custom)
        }
        fn visit_f64<E>(self, value: f64) -> Result<Parsed, E> {
            Ok(Parsed::Value(Value::Double(value)))
        }
        fn visit_str<E>(self, value: &str) -> Result<Parsed, E> {
            Ok(Parsed::Value(Value::String(value.to_owned())))
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Parsed, A::Error> {
            let mut values = Vec::new();
            while let Some(parsed) = seq.next_element_seed(self)? {
                values.push(parsed.entry().ok_or_else(|| de::Error::custom("hole in an array"))?);
            }
            Ok(Parsed::Value(Value::Array(values)))
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
            let mut entries: Vec<KeyValue> = Vec::new();
            while let Some(key) = map.next_key::<String>()? {
                match (key.as_str(), entries.is_empty()) {
                    ("$bytes", true) => {
                        let bytes = BASE64.decode(map.next_value::<String>()?);
                        return only(map, Value::Bytes(bytes.map_err(de::Error::custom)?));
                    }
                    ("$double", true) => {
                        let double = special_double(&map.next_value::<String>()?);
                        let double = double.ok_or_else(|| de::Error::custom("not a double"))?;
                        return only(map, Value::Double(double));
                    }
                    ("$none", true) => {
                        map.next_value::<bool>()?;
                        return Ok(Parsed::None);
                    }
                    _ => {
                        let value = map.next_value_seed(self)?.entry();
                        entries.push((unescape(key), value));
                    }
                }
            }
            Ok(Parsed::Value(Value::KvList(entries)))
        }
    }

    fn only<'de, A: MapAccess<'de>>(mut map: A, value: Value) -> Result<Parsed, A::Error> {
        match map.next_key::<String>()? {
            None => Ok(Parsed::Value(value)),
            Some(key) => {
                Err(de::Error::custom(format!("unexpected key {key:?} after a marked value")))
            }
        }
    }

    fn special_double(text: &str) -> Option<f64> {
        match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            bits => u64::from_str_radix(bits, 16).ok().map(f64::from_bits),
        }
    }

    fn unescape(key: String) -> String {
        match key.strip_prefix('$') {
            Some(rest) if rest.starts_with('$') => rest.to_owned(),
            _ => key,
        }
    }

    /// Entries of a set with their values left as JSON text.
    pub(super) struct RawEntries;

    impl RawEntries {
        pub(super) fn read(
            deserializer: &mut serde_json::Deserializer<serde_json::de::StrRead<'_>>,
        ) -> serde_json::Result<Vec<(String, Box<RawValue>)>> {
            deserializer.deserialize_map(Self)
        }
    }

    impl<'de> Visitor<'de> for RawEntries {
        type Value = Vec<(String, Box<RawValue>)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an attribute set")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(key) = map.next_key::<String>()? {
                entries.push((unescape(key), map.next_value()?));
            }
            Ok(entries)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn strings_that_look_like_other_values_are_quoted() {
        for plain in ["", "GET", "/a/b", "trueish", "nothing", " 1", "é"] {
            assert_eq!(text(|out| push_string(plain, out)), plain);
            assert_eq!(parse(plain), Ok(Value::String(plain.to_owned())));
        }
        for ambiguous in ["404", "-", "-x", "true", "false", "null", "[a", "{}", "\"q\"", "1.5"] {
            let stored = text(|out| push_string(ambiguous, out));
            assert_ne!(stored, ambiguous);
            assert_eq!(parse(&stored), Ok(Value::String(ambiguous.to_owned())));
            assert_eq!(display(&stored), ambiguous);
        }
    }

    #[test]
    fn doubles_come_back_to_the_bit() {
        for bits in [
            0,
            1 << 63,
            1,
            0x7ff0_0000_0000_0000,
            0xfff0_0000_0000_0000,
            f64::NAN.to_bits(),
            0x7ff8_0000_0000_0001,
            0xfff8_0000_0000_0000,
            1e308f64.to_bits(),
            0.1f64.to_bits(),
            5f64.to_bits(),
            f64::MIN_POSITIVE.to_bits(),
            f64::MAX.to_bits(),
            1e16f64.to_bits(),
        ] {
            let stored = text(|out| push_double(f64::from_bits(bits), out));
            let Ok(Value::Double(back)) = parse(&stored) else { panic!("{stored}") };
            assert_eq!(back.to_bits(), bits, "{stored}");
        }
    }

    #[test]
    fn sets_keep_order_repeats_missing_values_and_dollar_keys() {
        let set = r#"{"a":1,"a":"1","$$bytes":"x","e":null,"n":{"$none":true},"b":{"$bytes":"AP8="},"l":[{},[]]}"#;
        let expected = vec![
            ("a".to_owned(), Some(Value::Int(1))),
            ("a".to_owned(), Some(Value::String("1".to_owned()))),
            ("$bytes".to_owned(), Some(Value::String("x".to_owned()))),
            ("e".to_owned(), Some(Value::Empty)),
            ("n".to_owned(), None),
            ("b".to_owned(), Some(Value::Bytes(vec![0, 255]))),
            ("l".to_owned(), Some(Value::Array(vec![Value::KvList(vec![]), Value::Array(vec![])]))),
        ];
        assert_eq!(parse_set(set), Ok(expected));
    }

    #[test]
    fn sets_are_read_alike_as_parts_of_their_text_and_as_json() {
        let sets = [
            r#"{"s":"GET","q":"404","i":42,"d":-1.5e-7,"e":"","t":true,"n":null,"é":"ü,:{}"}"#,
            r#"{"s":"GET","l":[1,"a,b"],"after":"x"}"#,
            r#"{"s":"GET","quote":"a\"b","after":"x"}"#,
            r#"{"$$bytes":"x","n":{"$none":true},"after":"x"}"#,
            r#"{"a":1,"a":"1"}"#,
            "{}",
            r#"{"a":}"#,
            r#"{"a": 1, "b": {"c": 2}, "d": "x"}"#,
            r#"{"a":1 ,"b":2}"#,
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            r#"{"a":"b"#,
            r#"{"a":"b" "c":"d"}"#,
            "",
            "null",
        ];
        for set in sets {
            let as_json: Vec<_> = parse_set_raw(set).unwrap_or_default();
            let as_json = as_json.into_iter().map(|(key, value)| (key, value_text(&value)));
            let as_parts = set_texts(set).into_iter();
            let as_parts =
                as_parts.map(|(key, text)| (key.into_owned(), text.map(Cow::into_owned)));
            assert!(as_parts.eq(as_json), "{set}");
        }
    }

    #[test]
    fn lookup_gives_the_top_level_text() {
        let set = r#"{"s":"GET","q":"404","i":42,"n":{"$none":true},"$$k":[1]}"#;
        assert_eq!(lookup(set, "s").as_deref(), Some("GET"));
        assert_eq!(lookup(set, "q").as_deref(), Some("\"404\""));
        assert_eq!(lookup(set, "i").as_deref(), Some("42"));
        assert_eq!(lookup(set, "$k").as_deref(), Some("[1]"));
        assert_eq!(lookup(set, "n"), None);
        assert_eq!(lookup(set, "missing"), None);
    }

    #[test]
    fn numbers_are_read_from_numbers_and_numeric_strings() {
        assert_eq!(number("42"), Some(Number::Int(42)));
        assert_eq!(number("9223372036854775807"), Some(Number::Int(i64::MAX)));
        assert_eq!(number("1.5"), Some(Number::Double(1.5)));
        assert_eq!(number("\"404\""), Some(Number::Int(404)));
        assert_eq!(number("GET"), None);
        assert_eq!(number("infinity"), None);
        assert_eq!(number(""), None);
    }
}
