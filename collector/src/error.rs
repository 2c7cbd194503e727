//! Why a request is refused as a whole, sorted by what its sender can do.
//!
//! The answer to each, on both protocols, is the table in `receive::status`. Single spans that are
//! refused are no errors: they are counted in [`Outcome`](crate::Outcome).

use std::time::Duration;

use causeway_model::otlp::{DecodeError, JsonError};
use causeway_store::StoreError;

/// A refused request; nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// Send something else: the body cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Send smaller batches, or raise the limit.
    #[error(
        "the request is larger than {limit} ({bytes_max} bytes); send smaller batches or raise the limit"
    )]
    TooLarge {
        /// Name of the setting.
        limit: &'static str,
        /// Its value.
        bytes_max: u64,
    },
    /// Set another content type.
    #[error("unsupported Content-Type {found:?}; send application/x-protobuf or application/json")]
    ContentType {
        /// What was sent; empty when nothing was.
        found: String,
    },
    /// Set another compression.
    #[error("unsupported compression {found:?}; send gzip, zstd or identity")]
    Compression {
        /// What was sent.
        found: String,
    },
    /// Send faster, or raise the limit.
    #[error("the request took longer than body_timeout ({} s) to arrive", .timeout.as_secs_f64())]
    Slow {
        /// Value of `body_timeout`.
        timeout: Duration,
    },
    /// Retry the same request later: a limit is reached for now.
    #[error("overloaded: {limit} is reached ({value}); retry later")]
    Overloaded {
        /// Name of the setting.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// Retry the same request later: the store cannot keep anything now.
    #[error("the store is unavailable: {source}; retry later")]
    Unavailable {
        /// What the store said.
        source: StoreError,
    },
    /// Report it: the collector has a bug.
    #[error("the request made the collector fail; please report this")]
    Bug,
}

/// What is wrong with a body.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Not an `ExportTraceServiceRequest` in protobuf.
    #[error("the body is not an OTLP trace request: {0}")]
    Protobuf(#[from] DecodeError),
    /// Not an `ExportTraceServiceRequest` in JSON.
    #[error("the body is not an OTLP trace request: {0}")]
    Json(#[from] JsonError),
    /// Not what its compression header says.
    #[error("the body is not valid {0}")]
    Compressed(&'static str),
    /// Compressed data that ends early.
    #[error("the {0} data ends too early")]
    CompressedTruncated(&'static str),
    /// The connection ended, or its framing is broken.
    #[error("the request body could not be read to its end")]
    Interrupted,
    /// A gRPC frame that is not one.
    #[error("a gRPC frame starts with 0 or 1, not {0}")]
    FrameFlag(u8),
    /// A gRPC frame marked as compressed, without a compression named.
    #[error("the gRPC frame is marked as compressed but grpc-encoding names no compression")]
    FrameCompression,
    /// A gRPC body without a whole frame.
    #[error("the gRPC body ends before its message is complete")]
    FrameTruncated,
    /// A gRPC body with more than its one frame.
    #[error("the gRPC body holds more than one message")]
    FrameExtra,
}

impl AdmitError {
    /// A short stable name, for metrics labels.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::ContentType { .. } => "content_type",
            Self::Compression { .. } => "compression",
            Self::Slow { .. } => "slow",
            Self::Overloaded { .. } => "overloaded",
            Self::Unavailable { .. } => "unavailable",
            Self::Bug => "bug",
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Overloaded { .. } | Self::Unavailable { .. })
    }

    /// Every label, so that metrics show zeros.
    pub(crate) const LABELS: [&'static str; 8] = [
        "malformed",
        "too_large",
        "content_type",
        "compression",
        "slow",
        "overloaded",
        "unavailable",
        "bug",
    ];
}

impl From<StoreError> for AdmitError {
    fn from(source: StoreError) -> Self {
        match source {
            StoreError::Busy { limit, value } => Self::Overloaded { limit, value },
            StoreError::TooLarge { limit_bytes, .. } => Self::TooLarge {
                limit: "the log's limit for one request",
                bytes_max: u64::try_from(limit_bytes).unwrap_or(u64::MAX),
            },
            // The spans are good whatever is wrong with the disk: the sender keeps them and
            // tries again, here or at another collector.
            other => Self::Unavailable { source: other },
        }
    }
}
