//! What an operator can set on the collector, with its defaults.
//!
//! Every limit has a name here; the error a sender gets when it hits one carries that name. The
//! binary reads flags, environment and file into this; nothing here reads them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Limits and permissions of the collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorSettings {
    /// Most bytes of one request, counted after decompression. 64 MiB.
    pub request_bytes_max: u64,
    /// Most bytes of all unfinished requests together; beyond it senders are told to retry.
    /// 256 MiB. A JSON request counts twice, because its protobuf form stands beside it.
    pub inflight_bytes_max: u64,
    /// Longest time a request may take to arrive. 30 s.
    pub body_timeout: Duration,
    /// Web pages that may send spans from a browser. Pages on this machine.
    pub cors_origins: Vec<OriginPattern>,
}

impl Default for CollectorSettings {
    fn default() -> Self {
        Self {
            request_bytes_max: 64 << 20,
            inflight_bytes_max: 256 << 20,
            body_timeout: Duration::from_secs(30),
            cors_origins: OriginPattern::local(),
        }
    }
}

/// The origin of a web page, such as `https://shop.example.com` or `http://localhost:*`.
///
/// One `*` stands for one or more letters, digits, dots or hyphens; `*` alone for every origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginPattern {
    text: String,
}

impl OriginPattern {
    /// Pages served from this machine, on any port.
    fn local() -> Vec<Self> {
        [
            "http://localhost",
            "http://localhost:*",
            "https://localhost",
            "https://localhost:*",
            "http://127.0.0.1",
            "http://127.0.0.1:*",
            "https://127.0.0.1",
            "https://127.0.0.1:*",
        ]
        .map(|text| Self { text: text.to_owned() })
        .to_vec()
    }

    /// Whether this stands for every origin.
    pub fn is_any(&self) -> bool {
        self.text == "*"
    }

    /// Whether a browser's `Origin` header is meant.
    pub fn matches(&self, origin: &str) -> bool {
        if self.is_any() {
            return true;
        }
        let Some((before, after)) = self.text.split_once('*') else {
            return self.text == origin;
        };
        let middle = origin.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        middle.is_some_and(|text| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        })
    }
}

/// Why a text is not an [`OriginPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// An origin starts with a scheme.
    #[error("origin {0:?} needs a scheme, as in https://shop.example.com")]
    Scheme(String),
    /// A browser sends neither a path nor a final slash.
    #[error("origin {0:?} must end after host and port")]
    Path(String),
    /// More than one wildcard.
    #[error("origin {0:?} has more than one *")]
    Wildcards(String),
}

impl FromStr for OriginPattern {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let owned = || text.to_owned();
        if text == "*" {
            return Ok(Self { text: owned() });
        }
        match text.split_once("://") {
            None => Err(OriginError::Scheme(owned())),
            Some((_, host)) if host.contains('/') => Err(OriginError::Path(owned())),
            Some((_, host)) if host.matches('*').count() > 1 => {
                Err(OriginError::Wildcards(owned()))
            }
            // Browsers send the host in lower case.
            Some(_) => Ok(Self { text: text.to_ascii_lowercase() }),
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_origins_are_this_machine() {
        let settings = CollectorSettings::default();
        let allowed = |origin: &str| settings.cors_origins.iter().any(|o| o.matches(origin));
        for origin in ["http://localhost", "https://localhost:3000", "http://127.0.0.1:8317"] {
            assert!(allowed(origin), "{origin}");
        }
        for origin in [
            "http://localhost.evil.example",
            "http://localhost:80@evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost:",
            "null",
        ] {
            assert!(!allowed(origin), "{origin}");
        }
    }

    #[test]
    fn mistakes_in_origins_are_named() {
        let parse = |text: &str| text.parse::<OriginPattern>();
        assert_eq!(parse("localhost"), Err(OriginError::Scheme("localhost".into())));
        assert_eq!(parse("http://a/"), Err(OriginError::Path("http://a/".into())));
        assert_eq!(parse("http://*.*"), Err(OriginError::Wildcards("http://*.*".into())));
        let wildcard = parse("https://*.Example.com");
        assert!(wildcard.is_ok_and(|o| o.matches("https://a.b.example.com")));
    }
}
