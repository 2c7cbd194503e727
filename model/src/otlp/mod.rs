//! OTLP in and out: protobuf and JSON to columns, columns to protobuf and JSON.
//!
//! `wire` reads and writes the protobuf encoding, `decode` walks an `ExportTraceServiceRequest`
//! straight into [`SpanColumns`](crate::SpanColumns) with the attribute values of `any_value`, `form`
//! checks what they leave unread. `json` turns OTLP/JSON into protobuf bytes and back by the tables
//! in `descriptor`, so that one decoder serves both. `output` writes spans back.
//!
//! What a body can do wrong comes in two sizes: [`DecodeError`] is a body that cannot be parsed at
//! all (nothing of it is kept), [`Refusal`] is one span that OTLP does not allow (the rest is kept).

mod any_value;
mod decode;
mod descriptor;
mod form;
mod json;
mod message;
mod output;
pub(crate) mod wire;

pub use decode::decode;
pub use json::{JsonError, json_to_protobuf};
pub use output::{OutputError, write_json, write_protobuf};

/// A body that is not an `ExportTraceServiceRequest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body ends inside a field.
    #[error("the protobuf message ends in the middle of a field")]
    Truncated,
    /// A variable-length integer of more than 10 bytes.
    #[error("a protobuf integer is longer than 10 bytes")]
    Varint,
    /// A field with a wire type that its definition does not allow.
    #[error("protobuf field {field} has the wrong wire type")]
    WireType {
        /// Field number.
        field: u32,
    },
    /// A field number of zero or an unknown wire type.
    #[error("invalid protobuf tag {tag}")]
    Tag {
        /// The tag as read.
        tag: u64,
    },
    /// Groups nested too deeply or not closed.
    #[error("a protobuf group is not closed or nests too deeply")]
    Group,
}

/// Why one span was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// The trace id is not 16 bytes or all zero.
    TraceId,
    /// The span id is not 8 bytes or all zero.
    SpanId,
    /// The parent span id is neither absent nor 8 bytes.
    ParentSpanId,
    /// A string of the span, its scope or its resource is not UTF-8.
    Utf8,
    /// An attribute value nests more than [`DEPTH_MAX`](crate::value::DEPTH_MAX) levels.
    Depth,
}

impl Refusal {
    /// Every reason, in display order.
    pub const ALL: [Self; 5] =
        [Self::TraceId, Self::SpanId, Self::ParentSpanId, Self::Utf8, Self::Depth];

    /// A short stable name, for metrics labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::TraceId => "invalid_trace_id",
            Self::SpanId => "invalid_span_id",
            Self::ParentSpanId => "invalid_parent_span_id",
            Self::Utf8 => "invalid_utf8",
            Self::Depth => "attribute_depth",
        }
    }

    /// What is wrong, for the sender.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::TraceId => "trace_id must be 16 bytes and not all zero",
            Self::SpanId => "span_id must be 8 bytes and not all zero",
            Self::ParentSpanId => "parent_span_id must be absent or 8 bytes",
            Self::Utf8 => "a string is not valid UTF-8",
            Self::Depth => "an attribute value nests more than 128 levels",
        }
    }
}

/// How many spans were refused, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals {
    counts: [u64; Refusal::ALL.len()],
}

impl Refusals {
    /// Counts `spans` more for `reason`.
    pub fn add(&mut self, reason: Refusal, spans: u64) {
        for (count, candidate) in self.counts.iter_mut().zip(Refusal::ALL) {
            if candidate == reason {
                *count += spans;
            }
        }
    }

    /// All refused spans.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> + '_ {
        Refusal::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// One sentence for the partial-success message; empty when nothing was refused.
    pub fn message(&self) -> String {
        let reasons: Vec<String> = self
            .iter()
            .map(|(reason, count)| format!("{count} because {}", reason.explanation()))
            .collect();
        match reasons.is_empty() {
            true => String::new(),
            false => format!("{} spans refused: {}", self.total(), reasons.join("; ")),
        }
    }
}
