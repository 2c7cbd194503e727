//! What can go wrong with the log, sorted by what the caller can do about it.

use std::{io, path::Path, path::PathBuf, sync::Arc};

/// A failure of the log.
///
/// Cloneable, because one failed fsync is the answer to every request of its group.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// Limit reached: the sender should retry later.
    #[error("log queue is full: {queued_bytes} of {limit_bytes} bytes are waiting")]
    Full {
        /// Bytes waiting or being written.
        queued_bytes: usize,
        /// The limit they would exceed.
        limit_bytes: usize,
    },
    /// The disk failed: nothing was stored, the sender should retry later.
    #[error("cannot {action} {path}: {source}")]
    Disk {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: Arc<io::Error>,
    },
    /// The log was closed or its writer has stopped; another process may take the record.
    #[error("log is closed")]
    Closed,
    /// Bad input: the record can never be stored.
    #[error("payload of {payload_bytes} bytes exceeds the limit of {limit_bytes}")]
    TooLarge {
        /// The payload's size.
        payload_bytes: usize,
        /// The largest that is taken.
        limit_bytes: usize,
    },
    /// Another process uses the folder.
    #[error("log {path} is in use by another process")]
    InUse {
        /// The log's folder.
        path: PathBuf,
    },
    /// The file was written by a newer version of this program, or is of no version that existed.
    #[error("{path} has format version {version}, which this version cannot read")]
    UnsupportedVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A record that was sound when the log was opened cannot be read any more.
    #[error("{path} is corrupt at byte {offset}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
    },
}

impl LogError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Disk { .. } | Self::Closed)
    }

    /// Wraps an I/O error with what was being done; made for `map_err`.
    pub(super) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { action, path: path.to_path_buf(), source: Arc::new(source) }
    }
}
