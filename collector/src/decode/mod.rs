//! Traces of other formats, as the bytes of OTLP requests.
//!
//! `jaeger` and `zipkin` read, `requests` writes; [`Collector::admit`](crate::Collector::admit)
//! takes the result. The translation follows the OpenTelemetry Collector's. An id that is no id is
//! carried over as it is, so that its span is refused and counted where all others are.

mod jaeger;
mod requests;
mod zipkin;

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
}
