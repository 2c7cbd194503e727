//! From a whole body to an answer: digest, decode, append, count.
//!
//! Both protocols and the importer come through here, so a span is counted and stored the same way
//! whatever brought it. Admission runs in a task of its own: a sender that hangs up can stop
//! neither the append nor the counting, and a panic becomes an answer instead of a lost connection.

use std::sync::Arc;

use bytes::Bytes;
use causeway_model::SpanColumns;
use causeway_model::otlp::{self, Refusals};
use causeway_store::{Appended, Request};
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_128;

use crate::budget::Reservation;
use crate::error::{AdmitError, Malformed};
use crate::{Collector, Shared};

/// Larger bodies are decoded on a thread that may block: 256 KiB decode in well under a
/// millisecond, about what a hand-over costs.
const INLINE_BYTES_MAX: usize = 256 << 10;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OTLP protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf.
    HttpProtobuf,
    /// OTLP/HTTP with JSON.
    HttpJson,
    /// OTLP/HTTP with anything else.
    HttpOther,
    /// A file.
    Import,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 5] =
        [Self::Grpc, Self::HttpProtobuf, Self::HttpJson, Self::HttpOther, Self::Import];

    /// A short stable name, for metrics labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http_protobuf",
            Self::HttpJson => "http_json",
            Self::HttpOther => "http_other",
            Self::Import => "import",
        }
    }
}

/// What became of the spans of an acknowledged request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Spans that are stored, by this request or by an equal one before.
    pub accepted_spans: u64,
    /// The same bytes were acknowledged before; nothing was added.
    pub duplicate: bool,
    /// Spans that OTLP does not allow, by reason.
    pub refusals: Refusals,
}

impl Collector {
    /// Admits a decompressed body; resolves when its spans are durable and visible.
    ///
    /// # Errors
    /// The request is refused as a whole; [`AdmitError`] says whether to try again.
    pub async fn admit(
        &self,
        body: Bytes,
        format: Format,
        source: Source,
    ) -> Result<Outcome, AdmitError> {
        let started = Instant::now();
        let admitted = self.admit_within_limits(body, format, source).await;
        let seconds = started.elapsed().as_secs_f64();
        self.shared().metrics.answered(source, seconds, admitted.as_ref().err());
        admitted
    }

    async fn admit_within_limits(
        &self,
        body: Bytes,
        format: Format,
        source: Source,
    ) -> Result<Outcome, AdmitError> {
        let bytes_max = self.shared().settings.request_bytes_max;
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if bytes > bytes_max {
            return Err(AdmitError::TooLarge { limit: "request_bytes_max", bytes_max });
        }
        let mut reservation = self.shared().budget.reservation();
        reservation.grow(bytes)?;
        self.admit_reserved(Received { body, reservation }, format, source).await
    }

    /// Admits a body that already holds its part of the budget.
    pub(crate) async fn admit_reserved(
        &self,
        received: Received,
        format: Format,
        source: Source,
    ) -> Result<Outcome, AdmitError> {
        let shared = Arc::clone(self.shared());
        let admission = tokio::spawn(async move { admit(&shared, received, format, source).await });
        match admission.await {
            Ok(admitted) => admitted,
            Err(failed) => {
                tracing::error!(%failed, "admission of a request panicked");
                Err(AdmitError::Bug)
            }
        }
    }
}

/// A whole body, decompressed, and the part of the budget it holds.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) body: Bytes,
    pub(crate) reservation: Reservation,
}

async fn admit(
    shared: &Shared,
    received: Received,
    format: Format,
    source: Source,
) -> Result<Outcome, AdmitError> {
    let received_at = (shared.clock)();
    let body_bytes = received.body.len();
    let read = if body_bytes <= INLINE_BYTES_MAX {
        read(received, format, received_at)?
    } else {
        let reading = tokio::task::spawn_blocking(move || read(received, format, received_at));
        reading.await.map_err(|failed| {
            tracing::error!(%failed, "decoding of a request panicked");
            AdmitError::Bug
        })??
    };

    let Read { request, refusals, reservation } = read;
    let accepted_spans = u64::try_from(request.columns.len()).unwrap_or(u64::MAX);
    shared.metrics.received(source, body_bytes, accepted_spans + refusals.total());
    for (reason, spans) in refusals.iter() {
        shared.metrics.refused_spans(reason.label(), spans);
    }
    // An empty request has nothing to make durable.
    if accepted_spans == 0 {
        return Ok(Outcome { accepted_spans, duplicate: false, refusals });
    }
    let faults: Vec<_> = request.columns.faults().collect();
    let appended = shared.store.append(request).await;
    drop(reservation);
    match appended {
        Ok(Appended::Stored) => {
            shared.metrics.stored(source, accepted_spans);
            for (fault, spans) in faults {
                shared.metrics.flagged(fault, spans);
            }
            Ok(Outcome { accepted_spans, duplicate: false, refusals })
        }
        Ok(Appended::Duplicate) => {
            shared.metrics.duplicate(accepted_spans);
            Ok(Outcome { accepted_spans, duplicate: true, refusals })
        }
        Err(error) => {
            let error = AdmitError::from(error);
            shared.metrics.refused_spans(error.label(), accepted_spans);
            Err(error)
        }
    }
}

/// A decoded request, and the budget it holds until it is in the store.
struct Read {
    request: Request,
    refusals: Refusals,
    reservation: Reservation,
}

fn read(
    received: Received,
    format: Format,
    received_at_unix_nano: i64,
) -> Result<Read, AdmitError> {
    let Received { body, mut reservation } = received;
    let digest = xxh3_128(&body);
    let payload = match format {
        Format::Protobuf => body,
        Format::Json => {
            // Its protobuf form is never longer than the JSON.
            reservation.grow(u64::try_from(body.len()).unwrap_or(u64::MAX))?;
            Bytes::from(otlp::json_to_protobuf(&body).map_err(Malformed::from)?)
        }
    };
    let (columns, refusals): (SpanColumns, Refusals) =
        otlp::decode(&payload, received_at_unix_nano).map_err(Malformed::from)?;
    Ok(Read {
        request: Request { received_at_unix_nano, digest, payload, columns },
        refusals,
        reservation,
    })
}
