//! Reading a body: in pieces, within a time, into an [`Inflater`].

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;

use super::inflate::{Compression, Inflater};
use crate::admit::Received;
use crate::config::CollectorSettings;
use crate::error::{AdmitError, Malformed};

/// What compression may add to data it cannot compress: 1/64 and a header, far more than the
/// formats need. A compressed body beyond that is a stream of nothing, and too large.
fn wire_bytes_max(compression: Compression, bytes_max: u64) -> u64 {
    match compression {
        Compression::Identity => bytes_max,
        Compression::Gzip | Compression::Zstd => bytes_max.saturating_add(bytes_max / 64 + 1024),
    }
}

/// Counts the bytes of a body as they are on the wire.
pub(crate) struct WireLimit {
    left_bytes: u64,
    bytes_max: u64,
}

impl WireLimit {
    pub(crate) fn new(compression: Compression, settings: &CollectorSettings) -> Self {
        let bytes_max = settings.request_bytes_max;
        Self { left_bytes: wire_bytes_max(compression, bytes_max), bytes_max }
    }

    /// Refuses `bytes` more when they do not fit.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), AdmitError> {
        let Some(left) = self.left_bytes.checked_sub(bytes) else {
            return Err(AdmitError::TooLarge {
                limit: "request_bytes_max",
                bytes_max: self.bytes_max,
            });
        };
        self.left_bytes = left;
        Ok(())
    }

    /// Refuses a body that announces more than fits, before any of it is read.
    pub(crate) fn check_announced(&self, body: &Body) -> Result<(), AdmitError> {
        Self { ..*self }.take(body.size_hint().lower())
    }
}

/// The next piece of a body; trailers are skipped.
pub(crate) async fn next_piece(body: &mut Body) -> Result<Option<Bytes>, AdmitError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Malformed::Interrupted)?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

/// Reads a body that is nothing but its (perhaps compressed) content.
pub(crate) async fn read(
    body: &mut Body,
    mut inflater: Inflater,
    mut wire: WireLimit,
) -> Result<Received, AdmitError> {
    wire.check_announced(body)?;
    while let Some(piece) = next_piece(body).await? {
        wire.take(u64::try_from(piece.len()).unwrap_or(u64::MAX))?;
        inflater.feed(&piece).await?;
    }
    inflater.finish()
}

/// Gives up on a body that does not arrive within `timeout`.
pub(crate) async fn within<T>(
    timeout: Duration,
    reading: impl Future<Output = Result<T, AdmitError>>,
) -> Result<T, AdmitError> {
    tokio::time::timeout(timeout, reading).await.unwrap_or(Err(AdmitError::Slow { timeout }))
}
