//! What can go wrong with the store, sorted by what the caller can do about it.

use std::path::PathBuf;

use crate::log::LogError;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A limit is reached for now: the same request may succeed later.
    #[error("limit {limit} is reached ({value} bytes); retry later")]
    Busy {
        /// Name of the limit.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// The disk refused; the same request may succeed when it works again.
    #[error("storage is failing: {reason}")]
    Failing {
        /// What failed, with the operating system's words.
        reason: String,
    },
    /// The request can never be stored.
    #[error("request of {bytes} bytes exceeds the log's limit of {limit_bytes} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// The store is closed or closing.
    #[error("the store is closed")]
    Closed,
    /// Another process works on this data folder.
    #[error("{path} is in use by another process")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// What is on disk is not what was written.
    #[error("damaged data: {what}")]
    Damaged {
        /// File and place.
        what: String,
    },
}

impl StoreError {
    /// An error of the file system or the table's transaction log.
    pub(crate) fn failing(what: &str, error: impl std::fmt::Display) -> Self {
        Self::Failing { reason: format!("cannot {what}: {error}") }
    }
}

impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full { limit_bytes, .. } => {
                Self::Busy { limit: "log_queue_bytes_max", value: limit_bytes as u64 }
            }
            LogError::Closed => Self::Closed,
            LogError::TooLarge { payload_bytes, limit_bytes } => {
                Self::TooLarge { bytes: payload_bytes, limit_bytes }
            }
            LogError::InUse { path } => Self::InUse { path },
            LogError::Corrupt { .. } | LogError::UnsupportedVersion { .. } => {
                Self::Damaged { what: error.to_string() }
            }
            LogError::Disk { .. } => Self::Failing { reason: error.to_string() },
        }
    }
}
