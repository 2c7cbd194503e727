//! OTLP/HTTP: `POST /v1/traces`, protobuf and JSON.
//!
//! Answers are written in the encoding of the request, JSON where that is unknown, and carry a stamp
//! of our clock in `Server-Timing`, made when they are: an exporter learns from it how its clock
//! stands to ours. Browsers may
//! send from the origins in `cors_origins`. What each answer means is the table in `status`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use causeway_clock::response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use http_body::Body as _;
use std::time::Duration;
use tokio::time::Instant;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::body::{self, WireLimit};
use super::inflate::{Compression, Inflater};
use super::linger::linger;
use super::status::{self, Code, Refused};
use crate::Collector;
use crate::admit::{Format, Outcome, Source};
use crate::config::CollectorSettings;
use crate::error::AdmitError;

const PATH: &str = "/v1/traces";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// How long a browser remembers what it may send: the longest time any of them accepts.
const PREFLIGHT_AGE: Duration = Duration::from_secs(2 * 60 * 60);

pub(crate) fn router(collector: Collector) -> Router {
    let cors = cors(&collector.shared().settings);
    Router::new()
        .route(PATH, any(traces))
        .route("/v1/metrics", any(other_signal))
        .route("/v1/logs", any(other_signal))
        .fallback(unknown_path)
        .layer(cors)
        .with_state(collector)
}

fn cors(settings: &CollectorSettings) -> CorsLayer {
    let origins = settings.cors_origins.clone();
    // Any page at all may send then, so at least not with the user's credentials.
    let credentials = !origins.iter().any(|origin| origin.is_any());
    let allowed = AllowOrigin::predicate(move |origin, _| {
        origin.to_str().is_ok_and(|text| origins.iter().any(|pattern| pattern.matches(text)))
    });
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(credentials)
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static(response::HTTP_HEADER)])
        .max_age(PREFLIGHT_AGE)
}

async fn traces(State(collector): State<Collector>, request: Request) -> Response {
    let mut answer = answer_to(&collector, request).await;
    let metric = response::metric(collector.shared().hlc.tick());
    if let Ok(value) = HeaderValue::from_str(&metric) {
        answer.headers_mut().append(HeaderName::from_static(response::HTTP_HEADER), value);
    }
    answer
}

async fn answer_to(collector: &Collector, request: Request) -> Response {
    let started = Instant::now();
    let (parts, mut body) = request.into_parts();
    let format = content_format(&parts.headers);
    if parts.method != Method::POST {
        linger(body, &parts.headers);
        let message = format!("{PATH} takes POST, not {}", shown(parts.method.as_str()));
        let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, message);
        let allow = [(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"))];
        return (allow, answer(format, &refused)).into_response();
    }
    let source = match format {
        Some(Format::Protobuf) => Source::HttpProtobuf,
        Some(Format::Json) => Source::HttpJson,
        None => Source::HttpOther,
    };
    let exported = export(collector, &parts, &mut body, format, source).await;
    let seconds = started.elapsed().as_secs_f64();
    collector.shared().metrics.answered(source, seconds, exported.as_ref().err());
    match exported {
        Ok(outcome) => success(format, &outcome),
        Err(error) => {
            linger(body, &parts.headers);
            failure(format, &error)
        }
    }
}

async fn export(
    collector: &Collector,
    parts: &Parts,
    body: &mut Body,
    format: Option<Format>,
    source: Source,
) -> Result<Outcome, AdmitError> {
    let format =
        format.ok_or_else(|| AdmitError::ContentType { found: content_type(&parts.headers) })?;
    let compression = Compression::parse(&content_encoding(&parts.headers))?;
    let shared = collector.shared();
    let settings = &shared.settings;
    let announced = body.size_hint().exact();
    let reservation = shared.budget.reservation();
    let inflater = Inflater::new(compression, announced, reservation, settings.request_bytes_max)?;
    let wire = WireLimit::new(compression, settings);
    let received = body::within(settings.body_timeout, body::read(body, inflater, wire)).await?;
    collector.admit_reserved(received, format, source).await
}

async fn other_signal(uri: Uri, request: Request) -> Response {
    let message = format!(
        "{} is not supported: Causeway stores traces only; turn this exporter off or point it elsewhere",
        uri.path()
    );
    not_found(request, Code::Unimplemented, message)
}

async fn unknown_path(uri: Uri, request: Request) -> Response {
    let message = match uri.path().starts_with("/opentelemetry.proto.") {
        true => {
            "this port speaks OTLP/HTTP; OTLP/gRPC has its own port, 4317 by default".to_owned()
        }
        false => format!("no such path: {}; traces go to POST {PATH}", shown(uri.path())),
    };
    not_found(request, Code::NotFound, message)
}

fn not_found(request: Request, code: Code, message: String) -> Response {
    let (parts, body) = request.into_parts();
    linger(body, &parts.headers);
    answer(content_format(&parts.headers), &Refused::new(StatusCode::NOT_FOUND, code, message))
}

/// Foreign text as part of a message: short, and nothing but letters.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn content_type(headers: &HeaderMap) -> String {
    shown(&String::from_utf8_lossy(headers.get(header::CONTENT_TYPE).map_or(b"", |v| v.as_bytes())))
}

fn content_format(headers: &HeaderMap) -> Option<Format> {
    let value = content_type(headers);
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(PROTOBUF) {
        Some(Format::Protobuf)
    } else if essence.eq_ignore_ascii_case(JSON) {
        Some(Format::Json)
    } else {
        None
    }
}

/// All `Content-Encoding` headers together; several encodings at once are not supported.
fn content_encoding(headers: &HeaderMap) -> String {
    let values = headers.get_all(header::CONTENT_ENCODING);
    let texts: Vec<_> = values.iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
    texts.join(", ")
}

fn success(format: Option<Format>, outcome: &Outcome) -> Response {
    match format {
        Some(Format::Protobuf) => {
            ([(header::CONTENT_TYPE, PROTOBUF)], status::success_protobuf(outcome)).into_response()
        }
        _ => ([(header::CONTENT_TYPE, JSON)], status::success_json(outcome)).into_response(),
    }
}

fn failure(format: Option<Format>, error: &AdmitError) -> Response {
    let mut response = answer(format, &Refused::from(error));
    if matches!(error, AdmitError::Compression { .. }) {
        let offered = HeaderValue::from_static(Compression::OFFERED);
        response.headers_mut().insert(header::ACCEPT_ENCODING, offered);
    }
    response
}

fn answer(format: Option<Format>, refused: &Refused) -> Response {
    let mut response = match format {
        Some(Format::Protobuf) => {
            ([(header::CONTENT_TYPE, PROTOBUF)], refused.to_protobuf()).into_response()
        }
        _ => ([(header::CONTENT_TYPE, JSON)], refused.to_json()).into_response(),
    };
    *response.status_mut() = refused.http;
    if let Some(delay) = refused.retry_after {
        // Whole seconds, at least one.
        let seconds = delay.as_secs_f64().ceil().max(1.0);
        if let Ok(value) = HeaderValue::from_str(&format!("{seconds:.0}")) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
    }
    response
}
