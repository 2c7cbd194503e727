//! What operators ask a server: is it alive, is it ready, what are its figures.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use causeway_store::Store;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

#[derive(Clone)]
struct Operations {
    store: Store,
    registry: Arc<Registry>,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn router(store: Store, registry: Registry) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Operations { store, registry: Arc::new(registry) })
}

async fn ready(State(operations): State<Operations>) -> Response {
    match operations.store.readiness() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response()
        }
    }
}

async fn metrics(State(operations): State<Operations>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    // Figures of findings are counted when somebody asks, which may take tens of milliseconds.
    let encoded = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        encode(&mut text, &operations.registry).map(|()| text).map_err(|error| error.to_string())
    });
    match encoded.await.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
