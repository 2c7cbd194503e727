//! What a JSON document is, told from its content.

use std::collections::BTreeMap;

use causeway_model::otlp;
use serde_json::value::RawValue;

use super::{ImportError, jaeger_to_otlp, zipkin_to_otlp};

/// The OTLP requests that one JSON document stands for: OTLP/JSON, alone or in an array, Jaeger JSON, or Zipkin v2
/// JSON.
///
/// # Errors
/// It is none of these.
pub fn document_to_otlp(document: &str) -> Result<Vec<Vec<u8>>, ImportError> {
    if document.trim_start().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(document).map_err(ImportError::Json)?;
        return match items.first() {
            None => Ok(Vec::new()),
            Some(first) if first.get().contains("\"resourceSpans\"") => items
                .iter()
                .map(|item| Ok(otlp::json_to_protobuf(item.get().as_bytes())?))
                .collect(),
            Some(_) => zipkin_to_otlp(document.as_bytes()),
        };
    }
    let keys: BTreeMap<String, &RawValue> =
        serde_json::from_str(document).map_err(ImportError::Json)?;
    let has = |key: &str| keys.contains_key(key);
    if has("resourceSpans") || has("resource_spans") {
        return Ok(vec![otlp::json_to_protobuf(document.as_bytes())?]);
    }
    if has("data") || has("spans") {
        return jaeger_to_otlp(document.as_bytes());
    }
    if keys.is_empty() { Ok(Vec::new()) } else { Err(ImportError::Unknown) }
}
