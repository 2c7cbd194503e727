//! Stamps of spans that have not ended yet.
//!
//! They wait here rather than among a span's attributes, because the SDK drops attributes beyond a
//! span's limit, and because responses arrive one by one. As many entries as there are open spans.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use causeway_clock::{Stamp, response};
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

/// So many threads can start and end spans without waiting for each other.
const SHARDS: usize = 16;

type Key = (TraceId, SpanId);
type Shard = HashMap<Key, OpenSpan>;

#[derive(Debug, Default)]
pub(crate) struct OpenSpans {
    shards: [Mutex<Shard>; SHARDS],
}

/// What is known of a span until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenSpan {
    pub(crate) start: Stamp,
    pub(crate) reject: Option<Stamp>,
    pub(crate) responses: Vec<Stamp>,
    pub(crate) end: Option<Stamp>,
    /// Processors that have seen the start but not the end.
    processors: usize,
}

impl OpenSpans {
    /// A processor sees the start of a span; the first one makes the stamps.
    pub(crate) fn start(
        &self,
        span: &SpanContext,
        stamps: impl FnOnce() -> (Stamp, Option<Stamp>),
    ) {
        if let Some(open) = self.shard(span).get_mut(&key(span)) {
            open.processors += 1;
            return;
        }
        // Ticks may tell the application of a step, which may start spans: no lock is held.
        let (start, reject) = stamps();
        let open = OpenSpan { start, reject, responses: Vec::new(), end: None, processors: 1 };
        self.shard(span).insert(key(span), open);
    }

    /// A processor sees the end of a span; the first one makes the stamp, the last one forgets it.
    pub(crate) fn end(&self, span: &SpanContext, tick: impl FnOnce() -> Stamp) -> Option<OpenSpan> {
        let known = self.shard(span).get(&key(span))?.end;
        let end = known.unwrap_or_else(tick);
        let mut shard = self.shard(span);
        let open = shard.get_mut(&key(span))?;
        open.end = Some(end);
        open.processors -= 1;
        if open.processors == 0 { shard.remove(&key(span)) } else { Some(open.clone()) }
    }

    /// Keeps the stamp of a response: the last one of a node, and those of the last 8 nodes.
    pub(crate) fn respond(&self, span: &SpanContext, stamp: Stamp) {
        let mut shard = self.shard(span);
        let Some(open) = shard.get_mut(&key(span)) else {
            return;
        };
        open.responses.retain(|known| known.node != stamp.node);
        if open.responses.len() >= response::STAMPS_MAX {
            open.responses.remove(0);
        }
        open.responses.push(stamp);
    }

    fn shard(&self, span: &SpanContext) -> MutexGuard<'_, Shard> {
        let [.., last] = span.span_id().to_bytes();
        let shard = self.shards.get(usize::from(last) % SHARDS).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(span: &SpanContext) -> Key {
    (span.trace_id(), span.span_id())
}
