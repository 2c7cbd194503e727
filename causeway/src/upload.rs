//! `POST /api/v1/import`: a file that somebody drops on the UI, through the same door as spans from the network.
//!
//! The body is one JSON document or several, one after another: OTLP, Jaeger or Zipkin. Only `application/json` is
//! taken, which no other site can make a browser send.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use causeway_collector::decode::document_to_otlp;
use causeway_collector::{Collector, Format, Source};
use causeway_model::{TraceId, otlp};
use causeway_query::{ApiError, QueryError};
use hashbrown::HashSet;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

/// Files that are read at one time.
const UPLOADS_MAX: usize = 2;

/// Largest file; `causeway import` takes files of any size.
const UPLOAD_BYTES_MAX: usize = 64 << 20;

/// Traces that an answer names.
const TRACES_NAMED_MAX: usize = 20;

#[derive(Debug, Clone)]
struct Uploads {
    collector: Collector,
    running: Arc<Semaphore>,
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct Imported {
    spans: u64,
    traces: usize,
    duplicates: u64,
    rejected: u64,
    /// The first of the traces.
    trace_ids: Vec<String>,
}

pub(crate) fn router(collector: Collector) -> Router {
    let running = Arc::new(Semaphore::new(UPLOADS_MAX));
    Router::new().route("/api/v1/import", post(import)).with_state(Uploads { collector, running })
}

async fn import(State(uploads): State<Uploads>, headers: HeaderMap, body: Body) -> Response {
    match read(uploads, &headers, body).await {
        Ok(imported) => Json(imported).into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}

async fn read(uploads: Uploads, headers: &HeaderMap, body: Body) -> Result<Imported, QueryError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("application/json")) {
        return Err(QueryError::bad_request("send JSON, with Content-Type: application/json"));
    }
    let Ok(_running) = uploads.running.try_acquire() else {
        return Err(QueryError::Busy { limit: "uploads_max" });
    };
    let body = to_bytes(body, UPLOAD_BYTES_MAX).await.map_err(|error| QueryError::Limit {
        limit: "upload_bytes_max",
        message: format!("at most {UPLOAD_BYTES_MAX} bytes; causeway import takes more: {error}"),
    })?;
    let read = tokio::task::spawn_blocking(move || requests(&body)).await;
    let requests = read.map_err(|error| QueryError::Internal(error.to_string()))??;
    let (mut imported, mut traces) = (Imported::default(), HashSet::new());
    for request in requests {
        add(&uploads.collector, request.into(), &mut imported, &mut traces).await?;
    }
    imported.traces = traces.len();
    Ok(imported)
}

/// The OTLP requests that the documents of a file stand for.
fn requests(body: &[u8]) -> Result<Vec<Vec<u8>>, QueryError> {
    let wrong = |error: &dyn std::fmt::Display| QueryError::bad_request(error.to_string());
    let mut requests = Vec::new();
    for document in serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>() {
        let document = document.map_err(|error| wrong(&error))?;
        requests.extend(document_to_otlp(document.get()).map_err(|error| wrong(&error))?);
    }
    Ok(requests)
}

async fn add(
    collector: &Collector,
    request: Bytes,
    imported: &mut Imported,
    traces: &mut HashSet<[u8; 16]>,
) -> Result<(), QueryError> {
    let admitted = collector.admit(request.clone(), Format::Protobuf, Source::Import).await;
    let outcome = admitted.map_err(|error| match error.is_retryable() {
        true => QueryError::Busy { limit: "inflight_bytes_max" },
        false => QueryError::bad_request(error.to_string()),
    })?;
    imported.rejected += outcome.refusals.total();
    match outcome.duplicate {
        true => imported.duplicates += outcome.accepted_spans,
        false => imported.spans += outcome.accepted_spans,
    }
    let (columns, _) =
        otlp::decode(&request, 0).map_err(|error| QueryError::Internal(error.to_string()))?;
    for id in columns.trace_ids() {
        if traces.insert(id) && imported.trace_ids.len() < TRACES_NAMED_MAX {
            imported.trace_ids.push(TraceId(id).to_string());
        }
    }
    Ok(())
}
