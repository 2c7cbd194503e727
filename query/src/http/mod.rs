//! The HTTP API, one resource per file. Nested at `/api/v1` by the binary.

mod cohort;
mod error;
mod findings;
mod order;
mod requests;
mod search;
mod services;
mod sql;
mod tail;
mod trace;
mod what_if;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use futures::FutureExt;

pub use self::error::ApiError;
use crate::error::QueryError;
use crate::query::Query;

/// Room around a statement for the JSON it may come in.
const BODY_FACTOR: usize = 4;

/// All routes.
pub(crate) fn router(query: Query) -> Router {
    let body_bytes_max = query.settings().statement_bytes_max.saturating_mul(BODY_FACTOR);
    Router::new()
        .route("/sql", post(sql::run))
        .route("/services", get(services::services))
        .route("/services/{service}/operations", get(services::operations))
        .route("/traces", get(search::search))
        .route("/traces/{id}", get(trace::trace))
        .route("/traces/{id}/spans/{span_id}", get(trace::span))
        .route("/traces/{id}/otlp", get(trace::otlp))
        .route("/traces/{id}/order", get(order::order))
        .route("/traces/{id}/cone", get(order::cone))
        .route("/traces/{id}/critical-path", get(findings::critical_path))
        .route("/traces/{id}/findings", get(findings::of_trace))
        .route("/traces/{id}/what-if", post(what_if::what_if))
        .route("/cohort", get(cohort::of_search))
        .route("/cohort/difference", get(cohort::difference))
        .route("/tail", get(tail::tail))
        .route("/graph", get(requests::graph))
        .route("/red", get(requests::red))
        .route("/clocks", get(order::clocks))
        .route("/findings", get(findings::groups))
        .route("/findings/analyze", get(findings::analysis).post(findings::analyze))
        .route("/findings/{group}", get(findings::group))
        .route("/findings/{group}/state", put(findings::decide))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .layer(middleware::from_fn(survive))
        .with_state(query)
}

async fn unknown(request: Request) -> ApiError {
    ApiError::from(QueryError::NotFound(format!("there is no {}", request.uri().path())))
}

/// Answers a request whose handler panicked, so that a bug costs one request.
async fn survive(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match std::panic::AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            let error = QueryError::Internal(format!("the handler of {path} panicked"));
            ApiError::from(error).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::StatusCode;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_request() -> Result<(), Box<dyn std::error::Error>> {
        let broken = || async { panic!("a bug") as StatusCode };
        let router = Router::new()
            .route("/broken", get(broken))
            .route("/fine", get(|| async { StatusCode::OK }))
            .layer(middleware::from_fn(survive));
        for (path, status) in [("/broken", 500), ("/fine", 200)] {
            let request = Request::get(path).body(Body::empty())?;
            assert_eq!(router.clone().oneshot(request).await?.status(), status, "{path}");
        }
        Ok(())
    }
}
