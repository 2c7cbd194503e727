//! OTLP/gRPC: the unary call `TraceService/Export`, straight on HTTP/2.
//!
//! A unary call is one framed message each way and a status in the trailers; that is little enough
//! to write down, and it lets the body be read within the same limits as over HTTP. A refusal is a
//! "trailers-only" answer: HTTP 200, the status in the headers, no body. The metadata `hlc` of every
//! answer is a stamp of our clock. What each answer means is
//! the table in `status`.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use causeway_clock::{Carried, response};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Version};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::Instant;

use super::body::{self, WireLimit};
use super::frame::{self, FrameReader};
use super::http::shown;
use super::inflate::{Compression, Inflater};
use super::linger::linger;
use super::status::{self, Code, Refused};
use crate::Collector;
use crate::admit::{Format, Outcome, Received, Source};
use crate::error::{AdmitError, Malformed};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const GRPC: &str = "application/grpc";
const GRPC_ENCODING: &str = "grpc-encoding";
const GRPC_ACCEPT_ENCODING: &str = "grpc-accept-encoding";
const GRPC_STATUS: &str = "grpc-status";
const GRPC_MESSAGE: &str = "grpc-message";
const GRPC_DETAILS: &str = "grpc-status-details-bin";

pub(crate) fn router(collector: Collector) -> Router {
    Router::new().fallback(call).with_state(collector)
}

async fn call(State(collector): State<Collector>, request: Request) -> Response {
    let mut answer = answer_to(&collector, request).await;
    // Plain HTTP answers tell that this is no gRPC call at all.
    if answer.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == GRPC)
        && let Ok(value) =
            HeaderValue::from_str(&Carried(collector.shared().hlc.tick()).to_string())
    {
        answer.headers_mut().insert(response::GRPC_KEY, value);
    }
    answer
}

async fn answer_to(collector: &Collector, request: Request) -> Response {
    let started = Instant::now();
    let (parts, mut body) = request.into_parts();
    if let Some(refusal) = not_grpc(&parts) {
        linger(body, &parts.headers);
        return refusal;
    }
    if parts.uri.path() != EXPORT {
        linger(body, &parts.headers);
        return failure(&unknown_method(parts.uri.path()));
    }
    let exported = export(collector, &parts.headers, &mut body).await;
    let seconds = started.elapsed().as_secs_f64();
    collector.shared().metrics.answered(Source::Grpc, seconds, exported.as_ref().err());
    match exported {
        Ok(outcome) => success(&outcome),
        Err(error) => {
            linger(body, &parts.headers);
            failure(&Refused::from(&error))
        }
    }
}

/// Answers in plain HTTP what is no gRPC call: the sender would not understand gRPC's answer.
fn not_grpc(parts: &http::request::Parts) -> Option<Response> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_grpc = [GRPC, "application/grpc+proto"].iter().any(|g| essence.eq_ignore_ascii_case(g));
    if !is_grpc {
        let message = "this port speaks OTLP/gRPC (Content-Type application/grpc); \
                       OTLP/HTTP has its own port, 4318 by default, at POST /v1/traces\n";
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response());
    }
    if parts.method != Method::POST {
        let allow = [(header::ALLOW, "POST")];
        return Some(
            (StatusCode::METHOD_NOT_ALLOWED, allow, "gRPC calls are POST\n").into_response(),
        );
    }
    if parts.version != Version::HTTP_2 {
        let message = "gRPC needs HTTP/2\n";
        return Some((StatusCode::HTTP_VERSION_NOT_SUPPORTED, message).into_response());
    }
    None
}

fn unknown_method(path: &str) -> Refused {
    let other_signal = ["metrics", "logs", "profiles"]
        .iter()
        .find(|signal| path.starts_with(&format!("/opentelemetry.proto.collector.{signal}.")));
    let message = match other_signal {
        Some(signal) => format!(
            "{signal} are not supported: Causeway stores traces only; turn this exporter off or point it elsewhere"
        ),
        None => format!("no such method: {}; traces go to {EXPORT}", shown(path)),
    };
    Refused::new(StatusCode::OK, Code::Unimplemented, message)
}

async fn export(
    collector: &Collector,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Outcome, AdmitError> {
    let named = headers.get(GRPC_ENCODING).map_or(b"".as_slice(), |value| value.as_bytes());
    let compression = Compression::parse(&String::from_utf8_lossy(named))?;
    let timeout = collector.shared().settings.body_timeout;
    let received = body::within(timeout, read(collector, compression, body)).await?;
    collector.admit_reserved(received, Format::Protobuf, Source::Grpc).await
}

/// Reads the one message of a body.
async fn read(
    collector: &Collector,
    compression: Compression,
    body: &mut Body,
) -> Result<Received, AdmitError> {
    let shared = collector.shared();
    let mut frame = FrameReader::default();
    let mut inflater = None;
    while let Some(piece) = body::next_piece(body).await? {
        let message = frame.take(&piece)?;
        if inflater.is_none()
            && let Some(bytes) = frame.message_bytes()
        {
            let compression = match (frame.is_compressed(), compression) {
                (false, _) => Compression::Identity,
                (true, Compression::Identity) => return Err(Malformed::FrameCompression.into()),
                (true, named) => named,
            };
            // What the head announces is refused before it is read.
            let bytes = u64::from(bytes);
            WireLimit::new(compression, &shared.settings).take(bytes)?;
            let (reservation, max) =
                (shared.budget.reservation(), &shared.settings.request_bytes_max);
            inflater = Some(Inflater::new(compression, Some(bytes), reservation, *max)?);
        }
        if let Some(inflater) = &mut inflater {
            inflater.feed(message).await?;
        }
    }
    frame.finish()?;
    inflater.ok_or(Malformed::FrameTruncated)?.finish()
}

fn success(outcome: &Outcome) -> Response {
    let message = status::success_protobuf(outcome);
    let mut data = Vec::from(frame::head(message.len()));
    data.extend_from_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    let frames = [Frame::data(Bytes::from(data)), Frame::trailers(trailers)];
    let frames = frames.map(Ok::<_, Infallible>);
    with_headers(Body::new(StreamBody::new(futures::stream::iter(frames))))
}

fn failure(refused: &Refused) -> Response {
    let mut response = with_headers(Body::empty());
    let headers = response.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from(refused.code as u16));
    let details = STANDARD_NO_PAD.encode(refused.to_protobuf());
    for (name, value) in
        [(GRPC_MESSAGE, percent_encoded(&refused.message)), (GRPC_DETAILS, details)]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

fn with_headers(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(GRPC));
    let offered = HeaderValue::from_static(Compression::OFFERED);
    headers.insert(GRPC_ACCEPT_ENCODING, offered);
    response
}

/// As gRPC wants messages: bytes outside printable ASCII, and `%`, as `%XX`.
fn percent_encoded(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_percent_encoded() {
        assert_eq!(percent_encoded("50% of \"ü\"\n"), "50%25 of \"%C3%BC\"%0A");
    }

    #[test]
    fn other_signals_are_named() {
        let path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
        let refused = unknown_method(path);
        assert_eq!(refused.code, Code::Unimplemented);
        assert!(refused.message.starts_with("logs are not supported"));
        assert!(unknown_method("/x").message.contains(EXPORT));
    }
}
