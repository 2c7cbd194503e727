//! Traces of other formats, as the bytes of OTLP requests.
//!
//! `jaeger` and `zipkin` read, `requests` writes; [`Collector::admit`](crate::Collector::admit)
//! takes the result. The translation follows the OpenTelemetry Collector's. An id that is no id is
//! carried over as it is, so that its span is refused and counted where all others are.

mod document;
mod jaeger;
mod requests;
mod zipkin;

pub use document::document_to_otlp;
pub use jaeger::jaeger_to_otlp;
pub use zipkin::zipkin_to_otlp;

/// Why a file could not be read; nothing of it was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not Jaeger JSON.
    #[error("not Jaeger JSON: {0}")]
    Jaeger(#[source] serde_json::Error),
    /// JSON without traces.
    #[error("not Jaeger JSON: neither `data` nor `spans` in it")]
    NoTraces,
    /// Not Zipkin v2 JSON.
    #[error("not Zipkin v2 JSON: {0}")]
    Zipkin(#[source] serde_json::Error),
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// Not OTLP/JSON.
    #[error("not OTLP/JSON: {0}")]
    Otlp(#[from] causeway_model::otlp::JsonError),
    /// JSON of something else.
    #[error("neither OTLP nor Jaeger JSON: no resourceSpans, data or spans in it")]
    Unknown,
}
