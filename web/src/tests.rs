//! The router as a browser sees it.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, Request, StatusCode};
use tower::ServiceExt;

use crate::{FILES, no_page, router};

type TestResult = Result<(), Box<dyn std::error::Error>>;

async fn request(
    method: &str,
    path: &str,
    etag: Option<&str>,
) -> Result<Response, Box<dyn std::error::Error>> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    Ok(router().oneshot(request.body(Body::empty())?).await?)
}

fn header(response: &Response, name: HeaderName) -> &str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The first built file with this ending, as a path of the site.
fn asset_path(ending: &str) -> String {
    FILES
        .iter()
        .find(|file| file.path.ends_with(ending))
        .map(|file| format!("/{}", file.path))
        .unwrap_or_default()
}

#[tokio::test]
async fn other_addresses_have_the_page_that_says_so() -> TestResult {
    let response =
        router().fallback(no_page).oneshot(Request::get("/no/where").body(Body::empty())?).await?;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(&response, CONTENT_TYPE), "text/html; charset=utf-8");
    assert!(!header(&response, CONTENT_SECURITY_POLICY).is_empty());
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    assert!(String::from_utf8(body.to_vec())?.contains("<div id=\"app\">"));
    Ok(())
}

#[tokio::test]
async fn every_client_route_is_the_page() -> TestResult {
    for path in [
        "/",
        "/search?service=shop",
        "/findings?severity=high",
        "/findings/0123456789abcdef0123456789abcdef",
        "/services",
        "/services/shop?start=-6h",
        "/services/shop/GET%20%2Fcart%2F%7Bid%7D",
        "/compare?a=1&b=2",
        "/sql?q=SELECT%201",
        "/trace/0123456789abcdef0123456789abcdef?span=1",
    ] {
        let response = request("GET", path, None).await?;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&response, CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header(&response, CACHE_CONTROL), "no-cache");
        let body = to_bytes(response.into_body(), usize::MAX).await?;
        assert!(String::from_utf8(body.to_vec())?.contains("<div id=\"app\">"));
    }
    Ok(())
}

#[tokio::test]
async fn assets_are_kept_forever() -> TestResult {
    for (ending, content_type) in [
        (".js", "text/javascript; charset=utf-8"),
        (".css", "text/css; charset=utf-8"),
        (".svg", "image/svg+xml"),
    ] {
        let response = request("GET", &asset_path(ending), None).await?;
        assert_eq!(response.status(), StatusCode::OK, "{ending}");
        assert_eq!(header(&response, CONTENT_TYPE), content_type);
        assert_eq!(header(&response, CACHE_CONTROL), "public, max-age=31536000, immutable");
    }
    Ok(())
}

#[tokio::test]
async fn answers_are_strict() -> TestResult {
    for path in ["/".to_owned(), asset_path(".js")] {
        let response = request("GET", &path, None).await?;
        let policy = header(&response, CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(header(&response, REFERRER_POLICY), "same-origin");
    }
    Ok(())
}

#[tokio::test]
async fn a_known_etag_is_not_sent_again() -> TestResult {
    let first = request("GET", "/", None).await?;
    let etag = header(&first, ETAG).to_owned();
    for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}")] {
        let response = request("GET", "/", Some(&known)).await?;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header(&response, ETAG), etag);
        assert!(to_bytes(response.into_body(), 1).await?.is_empty());
    }
    assert_eq!(request("GET", "/", Some("\"other\"")).await?.status(), StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() -> TestResult {
    for path in
        ["/assets/nothing.js", "/assets/../index.html", "/index.html", "/trace", "/api/v1/traces"]
    {
        assert_eq!(request("GET", path, None).await?.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(request("POST", "/", None).await?.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(request("HEAD", "/", None).await?.status(), StatusCode::OK);
    Ok(())
}

#[test]
fn the_page_has_nothing_inline() -> TestResult {
    let page = FILES.iter().find(|file| file.path == "index.html").ok_or("no page")?;
    let html = std::str::from_utf8(page.body)?;
    assert!(
        !html.contains("<style")
            && !html.contains(" style=")
            && !html.contains("javascript:")
            && !html.contains("data:")
    );
    assert!(
        html.matches("<script").count()
            == html.matches("<script type=\"module\" crossorigin src=\"/assets/").count(),
        "{html}"
    );
    Ok(())
}
