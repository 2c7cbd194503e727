//! The browser UI: built by npm from build.rs, embedded as files.
//!
//! ```text
//!   app/*.tsx, *.css  --build.rs: npm ci, vite-->  OUT_DIR/dist  --include_bytes!-->  FILES  -->  router()
//! ```
//!
//! [`router`] answers the pages and their assets and nothing else: it has no fallback and no state, so the
//! server merges it with its other routes. Invariants: a page is checked anew on every visit while an asset,
//! whose name carries its hash, is kept forever; every answer forbids what the UI does not need (inline
//! scripts and styles, other hosts, framing, content sniffing).

use std::future::{Ready, ready};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// One built file. `path` is relative to the site's root, without a leading slash.
struct File {
    path: &'static str,
    etag: &'static str,
    body: &'static [u8],
}

const PAGE: &str = "index.html";

/// Everything from this server, nothing inline, nobody's frame. The same text is in `dev/mock_server.mjs`.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// The routes of the UI: its pages, all of them the one HTML file, and the assets these load.
pub fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/search", get(page))
        .route("/findings", get(page))
        .route("/findings/{group}", get(page))
        .route("/services", get(page))
        .route("/services/{name}", get(page))
        .route("/services/{name}/{operation}", get(page))
        .route("/compare", get(page))
        .route("/clocks", get(page))
        .route("/sql", get(page))
        .route("/trace/{id}", get(page))
        .route("/assets/{*name}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    answer(PAGE, "no-cache", &headers)
}

/// The page that says so where there is none, for the server's fallback. A future, as handlers are, of what is there at once.
pub fn no_page() -> Ready<Response> {
    let mut response = answer(PAGE, "no-cache", &HeaderMap::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    ready(response)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&format!("assets/{name}"), "public, max-age=31536000, immutable", &headers)
}

fn answer(path: &str, caching: &'static str, request: &HeaderMap) -> Response {
    let Some(file) = FILES.iter().find(|file| file.path == path) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let headers = [
        (CACHE_CONTROL, HeaderValue::from_static(caching)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CONTENT_TYPE, HeaderValue::from_static(content_type(path))),
        (ETAG, HeaderValue::from_static(file.etag)),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    if is_known(request, file.etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, file.body).into_response()
}

/// Whether the browser already has this version. Proxies that compress weaken the tag, so weak ones count.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == etag)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
