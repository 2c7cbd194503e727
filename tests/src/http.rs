//! A small HTTP client.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::HeaderMap;

/// OTLP as protobuf.
pub const PROTOBUF: &str = "application/x-protobuf";

/// No answer here is larger: 1 GiB.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

static AGENT: LazyLock<ureq::Agent> = LazyLock::new(agent);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// This answer, if its status is 200.
    ///
    /// # Errors
    /// It is another; the message holds the body.
    pub fn ok(self) -> Result<Self> {
        ensure!(self.status == 200, "status {}: {}", self.status, self.text());
        Ok(self)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }
}

/// A client with its own connections.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .build()
        .into()
}

/// `GET`.
///
/// # Errors
/// No answer came.
pub fn get(url: &str) -> Result<Answer> {
    read(AGENT.get(url).call()?)
}

/// `POST` with headers.
///
/// # Errors
/// No answer came.
pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    post_by(&AGENT, url, headers, body)
}

/// `POST` over the connections of `agent`.
///
/// # Errors
/// No answer came.
pub fn post_by(
    agent: &ureq::Agent,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer> {
    let mut request = agent.post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.send(body)?)
}

fn read(response: http::Response<ureq::Body>) -> Result<Answer> {
    let (parts, mut body) = response.into_parts();
    let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}
