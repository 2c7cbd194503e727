//! Errors as answers: `{"code","message","request_id"}`.
//!
//! | class | status |
//! |---|---|
//! | bad request | 400 |
//! | not found | 404 |
//! | limit of this request | 422, naming the setting |
//! | limit shared with others, store not ready | 503 with `Retry-After` |
//! | internal | 500; the cause is logged under the request id |

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::error::{ErrorClass, QueryError};

/// An error on its way to the caller.
#[derive(Debug)]
pub struct ApiError {
    error: QueryError,
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        Self { error }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::from(QueryError::BadRequest(rejection.body_text()))
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::from(QueryError::BadRequest(rejection.body_text()))
    }
}

/// What handlers return.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = next_request_id();
        let class = self.error.class();
        let status = match class {
            ErrorClass::BadRequest => StatusCode::BAD_REQUEST,
            ErrorClass::NotFound => StatusCode::NOT_FOUND,
            ErrorClass::Limit => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorClass::Busy => StatusCode::SERVICE_UNAVAILABLE,
            ErrorClass::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if class == ErrorClass::Internal {
            tracing::error!(request_id, error = %self.error, "a query failed");
        }
        let body = serde_json::json!({
            "code": class.label(),
            "message": self.error.to_string(),
            "request_id": request_id,
        });
        let mut response = (status, Json(body)).into_response();
        if class == ErrorClass::Busy {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Unique in this process; the start time keeps restarts apart in logs.
fn next_request_id() -> String {
    static START: LazyLock<u64> = LazyLock::new(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    });
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:08x}-{:08x}", *START, NEXT.fetch_add(1, Ordering::Relaxed))
}
