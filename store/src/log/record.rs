//! What goes into the log and what comes out of it.

use std::sync::Arc;

use bytes::Bytes;
use causeway_model::SpanColumns;

/// Largest payload that is taken: 64 MiB, four times the largest request the receivers admit by default.
///
/// It also bounds what a damaged length can make the reader do.
pub const RECORD_PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// What the caller wants logged: one OTLP request.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// When it was received; ages the digest.
    pub received_at_unix_ns: i64,
    /// Digest of the payload, by which repetitions are recognised.
    pub digest: u128,
    /// The bytes as received.
    pub payload: Bytes,
    /// What the payload was decoded to, if it was: handed on to `publish`, never written.
    pub decoded: Option<Arc<SpanColumns>>,
}

/// A record that is durable.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its place in the log; rises strictly, with gaps.
    pub sequence: u64,
    /// When it was received.
    pub received_at_unix_ns: i64,
    /// Digest of the payload.
    pub digest: u128,
    /// The bytes as received.
    pub payload: Bytes,
    /// What the payload was decoded to, if it was: handed on to `publish`, never written.
    pub decoded: Option<Arc<SpanColumns>>,
}

/// The decoded form follows from the payload.
#[cfg(test)]
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        let parts = |record: &Self| {
            (record.sequence, record.received_at_unix_ns, record.digest, record.payload.clone())
        };
        parts(self) == parts(other)
    }
}

/// How an append ended; both mean that the bytes are durable and visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// Stored by this append.
    Stored {
        /// The record's place in the log.
        sequence: u64,
    },
    /// The same bytes were stored before, within the digest window.
    Duplicate,
}
