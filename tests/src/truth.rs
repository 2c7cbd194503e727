//! A proxy of OTLP/HTTP that takes out of spans what their processes noted of the truth, and keeps it.
//!
//! ```text
//! processes ── spans with truth.* ──► proxy ── spans without ──► server
//!                                       └── what really happened ──► test
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::http::{self, PROTOBUF};
use crate::otlp::hex;
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::common::v1::{KeyValue, any_value::Value};

/// What begins like this is not for the server.
const TRUTH: &str = "truth.";

/// When something happened: not before, not after, in nanoseconds of a clock that all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Not before.
    pub earliest_ns: i64,
    /// Not after.
    pub latest_ns: i64,
}

/// A stamp of a span, as its text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The node's id, 16 hex digits.
    pub node: String,
    /// The value.
    pub hlc: i64,
}

/// A start or end of a span.
#[derive(Debug, Clone, Default)]
pub struct TrueEvent {
    /// When it really was, if its process tells.
    pub moment: Option<Moment>,
    /// Its stamp, if it has one.
    pub tick: Option<Tick>,
}

/// What is known of a span beside what the server got.
#[derive(Debug, Clone, Default)]
pub struct TrueSpan {
    /// In hex.
    pub trace_id: String,
    /// In hex.
    pub span_id: String,
    /// Of the service.
    pub service: String,
    /// Its start.
    pub start: TrueEvent,
    /// Its end.
    pub end: TrueEvent,
}

/// Stops when it is dropped.
#[derive(Debug)]
pub struct TruthProxy {
    /// What processes export to.
    pub url: String,
    known: Arc<Mutex<Vec<TrueSpan>>>,
    _runtime: Runtime,
}

#[derive(Debug, Clone)]
struct Forward {
    server: String,
    known: Arc<Mutex<Vec<TrueSpan>>>,
}

impl TruthProxy {
    /// In front of a server, whose `v1/traces` is at this URL.
    ///
    /// # Errors
    /// There is no port.
    pub fn start(server: String) -> Result<Self> {
        let known = Arc::<Mutex<Vec<TrueSpan>>>::default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route("/v1/traces", post(pass))
            .layer(DefaultBodyLimit::disable())
            .with_state(Forward { server, known: Arc::clone(&known) });
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, known, _runtime: runtime })
    }

    /// What is known of all spans so far.
    pub fn known(&self) -> Vec<TrueSpan> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn pass(State(forward): State<Forward>, body: Bytes) -> (StatusCode, Vec<u8>) {
    let passed = tokio::task::spawn_blocking(move || forward.pass(&body)).await;
    match passed {
        Ok(Ok(answer)) => (StatusCode::OK, answer),
        Ok(Err(error)) => (StatusCode::BAD_GATEWAY, format!("{error:#}").into_bytes()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string().into_bytes()),
    }
}

impl Forward {
    fn pass(&self, body: &[u8]) -> Result<Vec<u8>> {
        let mut request = ExportTraceServiceRequest::decode(body)?;
        let known = take_truth(&mut request);
        let body = request.encode_to_vec();
        ensure!(!contains(&body, TRUTH.as_bytes()), "the server would learn the truth");
        let answer = http::post(&self.server, &[("content-type", PROTOBUF)], &body)?.ok()?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(known);
        Ok(answer.body)
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

fn take_truth(request: &mut ExportTraceServiceRequest) -> Vec<TrueSpan> {
    let mut known = Vec::new();
    for resource_spans in &mut request.resource_spans {
        let resource = resource_spans.resource.clone().unwrap_or_default();
        let service = text(&resource.attributes, "service.name").unwrap_or_default();
        let scopes = resource_spans.scope_spans.iter_mut();
        for span in scopes.flat_map(|scope| &mut scope.spans) {
            let of = |name: &str| integer(&span.attributes, &format!("{TRUTH}{name}"));
            let event = |earliest: &str, latest: &str, stamp: &str| TrueEvent {
                moment: of(earliest)
                    .zip(of(latest))
                    .map(|(earliest_ns, latest_ns)| Moment { earliest_ns, latest_ns }),
                tick: text(&span.attributes, stamp).and_then(|stamp| tick(&stamp).ok()),
            };
            known.push(TrueSpan {
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                service: service.clone(),
                start: event("start", "started", "hlc.start"),
                end: event("end", "ended", "hlc.end"),
            });
            span.attributes.retain(|attribute| !attribute.key.starts_with(TRUTH));
        }
    }
    known
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    attribute.value.as_ref()?.value.as_ref()
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    match value(attributes, key)? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn integer(attributes: &[KeyValue], key: &str) -> Option<i64> {
    match value(attributes, key)? {
        Value::IntValue(value) => Some(*value),
        _ => None,
    }
}

/// Reads `node:hlc` and leaves out what follows.
fn tick(stamp: &str) -> Result<Tick> {
    let (node, rest) = stamp.split_once(':').context("no node")?;
    let hlc = rest.get(..16).context("no value")?;
    Ok(Tick { node: node.to_owned(), hlc: i64::from_str_radix(hlc, 16)? })
}
