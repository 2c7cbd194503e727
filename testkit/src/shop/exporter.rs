//! The exporter of each instance: collects spans that have ended and sends them together, a while later.
//!
//! Every instance has a delay of its own, so the spans of a trace arrive in many requests, in no order.

use prost::Message;

use super::plan::PlannedSpan;
use super::resource::{Instance, Scope};
use super::truth::SpanTruth;
use crate::proto::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use crate::proto::trace::v1::{ResourceSpans, ScopeSpans};

/// A full batch is sent at once, as SDKs do by default.
pub(super) const BATCH_SPANS_MAX: usize = 512;
/// Other batches are sent this long after their first span ended, by instance.
const DELAY_LEAST_NS: i64 = 900_000_000;
const DELAY_MORE_NS: i64 = 137_000_000;

/// A request that an instance sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// True time at which it is sent, nanoseconds since the Unix epoch.
    pub at_ns: i64,
    /// Place of the instance among [`Shop::instances`](super::Shop::instances).
    pub instance: usize,
    /// What is sent.
    pub request: ExportTraceServiceRequest,
    /// The truth about each span, in the order of the spans; never sent.
    pub truth: Vec<SpanTruth>,
}

/// How many spans a server refused, by its answer to a request; 0 if that cannot be read.
pub fn refused_spans(answer: &[u8]) -> u64 {
    let partial = ExportTraceServiceResponse::decode(answer).ok().and_then(|a| a.partial_success);
    partial.map_or(0, |partial| partial.rejected_spans.max(0).unsigned_abs())
}

#[derive(Debug, Default)]
pub(super) struct Exporter {
    waiting: Vec<PlannedSpan>,
}

impl Exporter {
    /// Takes a span; gives how many wait now.
    pub(super) fn push(&mut self, ended: PlannedSpan) -> usize {
        self.waiting.push(ended);
        self.waiting.len()
    }

    pub(super) fn delay_ns(instance: usize) -> i64 {
        let nth = i64::try_from(instance).unwrap_or_default();
        DELAY_LEAST_NS + nth * 11 % 30 * DELAY_MORE_NS
    }

    /// What waits, as one request.
    pub(super) fn flush(&mut self, at_ns: i64, instance: usize, from: &Instance) -> Option<Export> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return None;
        }
        let schema = from.dialect.schema_url();
        let mut scope_spans = Vec::new();
        let mut truth = Vec::new();
        for scope in Scope::ALL {
            let of_scope = || waiting.iter().filter(move |ended| ended.scope == scope);
            if of_scope().next().is_none() {
                continue;
            }
            truth.extend(of_scope().map(SpanTruth::of));
            scope_spans.push(ScopeSpans {
                scope: Some(scope.instrumentation(from.service)),
                spans: of_scope().map(|ended| ended.span.clone()).collect(),
                schema_url: schema.to_owned(),
            });
        }
        let resource = Some(from.resource.clone());
        let schema_url = schema.to_owned();
        let resource_spans = vec![ResourceSpans { resource, scope_spans, schema_url }];
        let request = ExportTraceServiceRequest { resource_spans };
        Some(Export { at_ns, instance, request, truth })
    }
}
