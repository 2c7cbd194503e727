//! Level 1: stamps in `tracestate`.
//!
//! What is received stays in the context, because that is how it gets into the exported span: even
//! a span that nobody tags says then which tick of its sender came before it.

use causeway_clock::{ReceiveError, Stamp, tracestate};
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceState};

use crate::Hlc;
use crate::destination::is_marked;

/// A received stamp that was too far ahead, until the span of its request starts.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) sender: SpanId,
    pub(crate) stamp: Stamp,
}

/// Adds stamps to what another propagator reads and writes, which has to be a W3C one.
#[derive(Debug)]
pub struct HlcPropagator<P> {
    hlc: Hlc,
    next: P,
    is_boundary: bool,
}

impl<P> HlcPropagator<P> {
    pub(crate) fn new(hlc: Hlc, next: P) -> Self {
        Self { hlc, next, is_boundary: false }
    }

    /// For requests from senders that are not trusted: their stamps are neither merged nor kept.
    #[must_use]
    pub fn at_trust_boundary(self) -> Self {
        Self { is_boundary: true, ..self }
    }

    /// The context to inject instead of a given one, if it has to be another.
    fn outgoing(&self, cx: &Context) -> Option<Context> {
        let span = cx.span();
        let span = span.span_context();
        if is_marked(cx) {
            return without_entry(cx, span);
        }
        // A context that is only passed on is not ours to alter.
        if !span.is_valid() || span.is_remote() {
            return None;
        }
        let list = span.trace_state().header();
        Some(replaced(cx, span, &tracestate::with_stamp(&list, self.hlc.clock().tick())))
    }

    /// Looks at what was received; the context to use instead, if it has to be another.
    fn incoming(&self, cx: &Context) -> Option<Context> {
        let span = cx.span();
        let span = span.span_context();
        let carried = span.trace_state().get(tracestate::KEY)?;
        if self.is_boundary {
            return without_entry(cx, span);
        }
        match self.hlc.clock().receive(carried) {
            Err(ReceiveError::TooFarAhead(refused)) => {
                Some(cx.with_value(Rejected { sender: span.span_id(), stamp: refused.stamp }))
            }
            Ok(_) | Err(ReceiveError::Malformed(_)) => None,
        }
    }
}

impl<P: TextMapPropagator> TextMapPropagator for HlcPropagator<P> {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let outgoing = self.outgoing(cx);
        self.next.inject_context(outgoing.as_ref().unwrap_or(cx), injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let extracted = self.next.extract_with_context(cx, extractor);
        // Without a readable `traceparent` the context is still the given one.
        if extracted.span().span_context() == cx.span().span_context() {
            return extracted;
        }
        self.incoming(&extracted).unwrap_or(extracted)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.next.fields()
    }
}

fn without_entry(cx: &Context, span: &SpanContext) -> Option<Context> {
    span.trace_state().get(tracestate::KEY)?;
    Some(replaced(cx, span, &tracestate::without_stamp(&span.trace_state().header())))
}

/// The context with another `tracestate`, all else the same.
fn replaced(cx: &Context, span: &SpanContext, list: &str) -> Context {
    // Members that were valid stay so, and ours always is.
    let state = list.parse::<TraceState>().unwrap_or_else(|_| span.trace_state().clone());
    cx.with_remote_span_context(SpanContext::new(
        span.trace_id(),
        span.span_id(),
        span.trace_flags(),
        span.is_remote(),
        state,
    ))
}
