//! What a finding says for itself, as it is answered and stored: the text of a JSON object.
//!
//! Findings are kept by the ten thousands, and most are never looked at. A text takes less memory than a tree of values.

use std::fmt;
use std::str::FromStr;

use causeway_model::value::push_json_string;
use serde_json::Value;

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
        let mut text = std::mem::take(&mut self.0).into_bytes();
        // Its closing bracket comes again at the end.
        text.pop();
        for (key, value) in figures {
            push_key(key, &mut text);
            match value {
                Value::String(string) => push_json_string(&string, &mut text),
                // Writing to memory does not fail, and keys are texts.
                value => drop(serde_json::to_writer(&mut text, &value)),
            }
        }
        text.push(b'}');
        self.0 = String::from_utf8(text).unwrap_or_default();
    }
}

/// Evidence of the four texts every finding has, and figures.
#[expect(clippy::needless_pass_by_value, reason = "detectors format these texts for it alone")]
pub(super) fn evidence<const N: usize>(
    seen: String,
    cost: &str,
    remedy: String,
    disproof: &str,
    figures: [(&str, Value); N],
) -> Evidence {
    let mut text = Vec::with_capacity(512);
    text.push(b'{');
    for (key, value) in
        [("seen", seen.as_str()), ("cost", cost), ("remedy", &remedy), ("disproof", disproof)]
    {
        push_key(key, &mut text);
        push_json_string(value, &mut text);
    }
    text.push(b'}');
    let mut evidence = Evidence(String::from_utf8(text).unwrap_or_default());
    evidence.extend(figures);
    evidence.0.shrink_to_fit();
    evidence
}

/// Appends a key. Those of detectors are words, so they are written as they are.
fn push_key(key: &str, text: &mut Vec<u8>) {
    debug_assert!(
        key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    );
    text.extend_from_slice(if text.len() > 1 { b",\"" } else { b"\"" });
    text.extend_from_slice(key.as_bytes());
    text.extend_from_slice(b"\":");
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
            [("calls", 5.into()), ("templates", json!(["GET /x", null]))],
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
