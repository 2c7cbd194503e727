//! What a finding says for itself, as it is answered and stored: the text of a JSON object.
//!
//! Findings are kept by the ten thousands, and most are never looked at. A text takes less memory than a tree of values.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use causeway_model::value::push_json_string;
use serde_json::Value;

/// Memory that a text may keep beyond its length; giving it back takes longer than all else.
const SLACK_BYTES: usize = 64;

/// What was seen (`seen`), why it costs (`cost`), what to do (`remedy`), what would prove it wrong (`disproof`), and figures
/// of the detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence(String);

impl Default for Evidence {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl Evidence {
    /// The text of a JSON object.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The object.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Adds figures and texts under keys that are not there yet.
    pub fn extend<'k>(&mut self, figures: impl IntoIterator<Item = (&'k str, Value)>) {
        // Its closing bracket comes again at the end.
        self.0.pop();
        for (key, value) in figures {
            push_key(key, &mut self.0);
            Figure::Value(value).push_to(&mut self.0);
        }
        self.0.push('}');
    }
}

/// A figure or text of evidence. Most are plain, and need no tree of values.
#[derive(Debug)]
pub(super) enum Figure<'a> {
    Int(i64),
    Bool(bool),
    Text(&'a str),
    Value(Value),
}

impl Figure<'_> {
    fn push_to(&self, text: &mut String) {
        // Writing to a text does not fail, and keys of values are texts.
        match self {
            Self::Int(int) => drop(write!(text, "{int}")),
            Self::Bool(is_so) => text.push_str(if *is_so { "true" } else { "false" }),
            Self::Text(string) => push_string(string, text),
            Self::Value(Value::String(string)) => push_string(string, text),
            Self::Value(value) => text.push_str(&serde_json::to_string(value).unwrap_or_default()),
        }
    }

    /// About as many bytes as it takes.
    fn len(&self) -> usize {
        match self {
            Self::Int(_) | Self::Bool(_) => 12,
            Self::Text(text) => text.len() + 2,
            Self::Value(_) => 64,
        }
    }
}

impl From<i64> for Figure<'_> {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<u64> for Figure<'_> {
    fn from(int: u64) -> Self {
        Self::Value(int.into())
    }
}

impl From<usize> for Figure<'_> {
    fn from(int: usize) -> Self {
        i64::try_from(int).map_or_else(|_| Self::Value(int.into()), Self::Int)
    }
}

impl From<bool> for Figure<'_> {
    fn from(is_so: bool) -> Self {
        Self::Bool(is_so)
    }
}

impl<'a> From<&'a str> for Figure<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Figure<'_> {
    fn from(text: String) -> Self {
        Self::Value(text.into())
    }
}

impl From<Value> for Figure<'_> {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Figure<'_> {
    fn from(value: Option<T>) -> Self {
        Self::Value(value.into())
    }
}

impl<T: Into<Value>> From<Vec<T>> for Figure<'_> {
    fn from(values: Vec<T>) -> Self {
        Self::Value(values.into())
    }
}

/// Evidence of the four texts every finding has, and figures.
#[expect(clippy::needless_pass_by_value, reason = "detectors format these texts for it alone")]
pub(super) fn evidence<const N: usize>(
    seen: String,
    cost: &str,
    remedy: String,
    disproof: &str,
    figures: [(&str, Figure<'_>); N],
) -> Evidence {
    let texts =
        [("seen", seen.as_str()), ("cost", cost), ("remedy", &remedy), ("disproof", disproof)];
    // Each with quotes, a colon and a comma.
    let texts_len: usize = texts.iter().map(|(key, text)| key.len() + text.len() + 6).sum();
    let figures_len: usize = figures.iter().map(|(key, figure)| key.len() + figure.len() + 4).sum();
    let mut text = String::with_capacity(texts_len + figures_len + 2);
    text.push('{');
    for (key, value) in texts {
        push_key(key, &mut text);
        push_string(value, &mut text);
    }
    for (key, figure) in &figures {
        push_key(key, &mut text);
        figure.push_to(&mut text);
    }
    text.push('}');
    if text.capacity() - text.len() > SLACK_BYTES {
        text.shrink_to_fit();
    }
    Evidence(text)
}

/// Appends a key. Those of detectors are words, so they are written as they are.
fn push_key(key: &str, text: &mut String) {
    debug_assert!(
        key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    );
    text.push_str(if text.len() > 1 { ",\"" } else { "\"" });
    text.push_str(key);
    text.push_str("\":");
}

/// Appends a text as JSON. Most hold nothing to escape, which is found out for many bytes at a time.
fn push_string(string: &str, text: &mut String) {
    let escapes = string.bytes().fold(0, |found, byte| {
        found | u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\')
    });
    if escapes == 0 {
        text.push('"');
        text.push_str(string);
        text.push('"');
        return;
    }
    let mut escaped = Vec::with_capacity(string.len() + 8);
    push_json_string(string, &mut escaped);
    text.push_str(&String::from_utf8(escaped).unwrap_or_default());
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads what [`as_str`](Evidence::as_str) gave.
impl FromStr for Evidence {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str::<serde_json::Map<String, Value>>(text)?;
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn evidence_is_the_text_of_an_object() {
        let mut made = evidence(
            "a \"b\"\n".to_owned(),
            "c",
            "d".to_owned(),
            "e",
            [("calls", 5_i64.into()), ("templates", json!(["GET /x", null]).into())],
        );
        made.extend([("more", "é".into())]);
        let expected = json!({"seen": "a \"b\"\n", "cost": "c", "remedy": "d", "disproof": "e", "calls": 5,
            "templates": ["GET /x", null], "more": "é"});
        assert_eq!(made.value(), expected);
        assert_eq!(made.as_str(), expected.to_string());
        assert_eq!(made.as_str().parse::<Evidence>().ok(), Some(made));
        assert!("[]".parse::<Evidence>().is_err() && "{".parse::<Evidence>().is_err());
        let mut empty = Evidence::default();
        empty.extend([("a", 1.into())]);
        assert_eq!(empty.as_str(), "{\"a\":1}");
    }
}
