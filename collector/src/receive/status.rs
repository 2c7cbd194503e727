//! The one table of answers, and how they are written.
//!
//! | request | OTLP/HTTP | OTLP/gRPC | sender |
//! |---|---|---|---|
//! | stored, duplicate or empty | 200 | OK | is done |
//! | some spans refused | 200, `partialSuccess` | OK, `partial_success` | drops those spans |
//! | cannot be parsed or decompressed | 400 | INVALID_ARGUMENT | drops it |
//! | unknown path, metrics, logs | 404 | UNIMPLEMENTED | drops it |
//! | not POST | 405, `Allow` | HTTP 405 | drops it |
//! | not complete within `body_timeout` | 408 | DEADLINE_EXCEEDED | may retry |
//! | larger than `request_bytes_max` | 413 | RESOURCE_EXHAUSTED | sends smaller batches |
//! | wrong content type | 415 | HTTP 415 | drops it |
//! | unknown compression | 415, `Accept-Encoding` | UNIMPLEMENTED, `grpc-accept-encoding` | drops it |
//! | a limit is reached for now | 429, `Retry-After` | UNAVAILABLE, `RetryInfo` | retries |
//! | our bug | 500 | INTERNAL | drops it |
//! | gRPC over HTTP/1 | - | HTTP 505 | drops it |
//! | the store cannot write | 503, `Retry-After` | UNAVAILABLE, `RetryInfo` | retries |
//!
//! RESOURCE_EXHAUSTED never carries `RetryInfo`: OTLP makes it retryable only with it.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::admit::Outcome;
use crate::encode::Message;
use crate::error::AdmitError;

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// A request takes milliseconds: room is there again within a second.
const OVERLOAD_RETRY: Duration = Duration::from_secs(1);
/// A disk that fails needs longer.
const STORE_RETRY: Duration = Duration::from_secs(5);

/// The codes of gRPC that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// A refusal, ready for either protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) http: StatusCode,
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Refused {
    pub(crate) fn new(http: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { http, code, message: message.into(), retry_after: None }
    }

    /// `google.rpc.Status` in protobuf.
    pub(crate) fn to_protobuf(&self) -> Vec<u8> {
        let mut status = Message::default();
        status.varint(1, self.code as u64).text(2, &self.message);
        if let Some(delay) = self.retry_after {
            let mut duration = Message::default();
            duration.varint(1, delay.as_secs()).varint(2, u64::from(delay.subsec_nanos()));
            let mut info = Message::default();
            info.message(1, &duration);
            let mut detail = Message::default();
            detail.text(1, RETRY_INFO).bytes(2, info.as_bytes());
            status.message(3, &detail);
        }
        status.into_bytes()
    }

    /// `google.rpc.Status` in JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut status = json!({ "code": self.code as u64, "message": self.message });
        if let (Some(delay), Value::Object(fields)) = (self.retry_after, &mut status) {
            let delay = format!("{}s", delay.as_secs_f64());
            fields.insert("details".into(), json!([{ "@type": RETRY_INFO, "retryDelay": delay }]));
        }
        status.to_string()
    }
}

impl From<&AdmitError> for Refused {
    fn from(error: &AdmitError) -> Self {
        let (http, code, retry_after) = match error {
            AdmitError::Malformed(_) => (StatusCode::BAD_REQUEST, Code::InvalidArgument, None),
            AdmitError::TooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted, None)
            }
            AdmitError::ContentType { .. } => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, None)
            }
            AdmitError::Compression { .. } => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unimplemented, None)
            }
            AdmitError::Slow { .. } => (StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, None),
            AdmitError::Overloaded { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, Code::Unavailable, Some(OVERLOAD_RETRY))
            }
            AdmitError::Unavailable { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, Some(STORE_RETRY))
            }
            AdmitError::Bug => (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, None),
        };
        Self { http, code, message: error.to_string(), retry_after }
    }
}

/// `ExportTraceServiceResponse` in protobuf.
pub(crate) fn success_protobuf(outcome: &Outcome) -> Vec<u8> {
    let mut response = Message::default();
    if outcome.refusals.total() > 0 {
        let mut partial = Message::default();
        partial.varint(1, outcome.refusals.total()).text(2, &outcome.refusals.message());
        response.message(1, &partial);
    }
    response.into_bytes()
}

/// `ExportTraceServiceResponse` in JSON, where 64-bit integers are text.
pub(crate) fn success_json(outcome: &Outcome) -> String {
    if outcome.refusals.total() == 0 {
        return "{}".to_owned();
    }
    json!({ "partialSuccess": {
        "rejectedSpans": outcome.refusals.total().to_string(),
        "errorMessage": outcome.refusals.message(),
    }})
    .to_string()
}

#[cfg(test)]
mod tests {
    use causeway_store::StoreError;

    use super::*;

    fn refused(error: StoreError) -> Refused {
        Refused::from(&AdmitError::from(error))
    }

    #[test]
    fn busy_store_is_overload_with_a_retry_time() {
        let busy = refused(StoreError::Busy { limit: "recent_bytes_max", value: 7 });
        assert_eq!((busy.http.as_u16(), busy.code), (429, Code::Unavailable));
        assert_eq!(
            busy.to_json(),
            r#"{"code":14,"message":"overloaded: recent_bytes_max is reached (7); retry later","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1s"}]}"#
        );
    }

    #[test]
    fn failing_store_is_unavailable_with_a_retry_time() {
        for error in [StoreError::Failing { reason: "disk full".into() }, StoreError::Closed] {
            let failing = refused(error);
            assert_eq!((failing.http.as_u16(), failing.code), (503, Code::Unavailable));
            assert_eq!(failing.retry_after, Some(STORE_RETRY));
        }
    }

    #[test]
    fn too_large_has_no_retry_time() {
        let error = AdmitError::TooLarge { limit: "request_bytes_max", bytes_max: 64 };
        let refused = Refused::from(&error);
        assert_eq!((refused.http.as_u16(), refused.code), (413, Code::ResourceExhausted));
        assert_eq!(refused.retry_after, None);
        assert!(refused.message.contains("request_bytes_max (64 bytes)"));
    }
}
