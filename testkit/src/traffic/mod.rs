//! Realistic traffic from a seed: an online shop of thirty services.
//!
//! ```text
//! shop (what calls what) -> simulate (one trace) -> a buffer per running service -> full requests
//! ```
//!
//! A request holds spans of one service only, as an exporter sends them; a trace arrives in many
//! requests. The same seed and start give the same bytes for good, on every machine. Clocks are
//! perfect here, also those of services that are tagged: what skewed ones do is the business of others.

pub(crate) mod attributes;
pub(crate) mod random;
mod resource;
mod shop;
mod simulate;
mod tag;

use std::collections::VecDeque;

use prost::Message;

use self::random::Random;
use self::resource::{Pod, SCHEMA_URL, Scope};
use self::simulate::Shop;
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};

/// The size at which the SDKs' batch processor sends by default is 512.
const SPANS_PER_REQUEST: usize = 500;
/// About a thousand traces, 15,000 spans, a second of simulated time.
const TRACE_GAP_MEDIAN_US: u64 = 1_000;

/// An endless stream of requests that hold `spans_per_request` spans each.
#[derive(Debug)]
pub struct Traffic {
    random: Random,
    now_unix_nano: u64,
    spans_per_request: usize,
    is_tagged: bool,
    pods: Vec<Pod>,
    shop: Shop,
    /// Spans that wait to be sent, by pod.
    waiting: Vec<Vec<(Scope, Span)>>,
    ready: VecDeque<ExportTraceServiceRequest>,
}

impl Traffic {
    /// The traffic of `seed`, whose first trace starts at `start_unix_nano`.
    pub fn new(seed: u64, start_unix_nano: u64) -> Self {
        let mut random = Random::new(seed);
        let pods = resource::pods(&mut random);
        Self {
            random,
            now_unix_nano: start_unix_nano,
            spans_per_request: SPANS_PER_REQUEST,
            is_tagged: false,
            shop: Shop::new(&pods),
            waiting: pods.iter().map(|_| Vec::new()).collect(),
            pods,
            ready: VecDeque::new(),
        }
    }

    /// Sets how many spans a request holds; at least one.
    #[must_use]
    pub fn spans_per_request(mut self, spans: usize) -> Self {
        self.spans_per_request = spans.max(1);
        self
    }

    /// Has all services leave the stamps of hybrid clocks.
    #[must_use]
    pub fn tagged(mut self) -> Self {
        self.is_tagged = true;
        self
    }

    /// Ends the traffic: what services still hold, in smaller requests.
    pub fn remaining(mut self) -> Vec<ExportTraceServiceRequest> {
        let mut requests: Vec<_> = self.ready.drain(..).collect();
        for (pod, waiting) in self.pods.iter().zip(self.waiting) {
            if !waiting.is_empty() {
                requests.push(request(pod, waiting));
            }
        }
        requests
    }

    fn advance(&mut self) {
        self.now_unix_nano += self.random.duration_ns(TRACE_GAP_MEDIAN_US);
        let mut trace = self.shop.trace(self.now_unix_nano, &mut self.random);
        if self.is_tagged {
            tag::tag(&mut trace);
        }
        for made in trace {
            let waiting = &mut self.waiting[made.pod];
            waiting.push((made.scope, made.span));
            if waiting.len() == self.spans_per_request {
                let full = std::mem::take(waiting);
                self.ready.push_back(request(&self.pods[made.pod], full));
            }
        }
    }
}

impl Iterator for Traffic {
    type Item = ExportTraceServiceRequest;

    fn next(&mut self) -> Option<Self::Item> {
        // Ends because every trace adds spans to a fixed number of buffers of fixed size.
        loop {
            if let Some(request) = self.ready.pop_front() {
                return Some(request);
            }
            self.advance();
        }
    }
}

/// The bytes of a request on the wire.
pub fn encode(request: &ExportTraceServiceRequest) -> Vec<u8> {
    request.encode_to_vec()
}

/// The number of spans in a request.
pub fn span_count(request: &ExportTraceServiceRequest) -> usize {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len()).sum()
}

fn request(pod: &Pod, waiting: Vec<(Scope, Span)>) -> ExportTraceServiceRequest {
    let mut by_scope = Scope::ALL.map(|_| Vec::new());
    for (scope, span) in waiting {
        by_scope[scope as usize].push(span);
    }
    let scope_spans = Scope::ALL
        .into_iter()
        .zip(by_scope)
        .filter(|(_, spans)| !spans.is_empty())
        .map(|(scope, spans)| ScopeSpans {
            scope: Some(scope.instrumentation(pod.language)),
            spans,
            schema_url: SCHEMA_URL.to_owned(),
        })
        .collect();
    let resource_spans = vec![ResourceSpans {
        resource: Some(pod.resource.clone()),
        scope_spans,
        schema_url: SCHEMA_URL.to_owned(),
    }];
    ExportTraceServiceRequest { resource_spans }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::shop::{Entry, ROOTS, SERVICES, Step, position};
    use super::simulate::{TRACE_SPANS_MAX, TRACE_SPANS_MIN};
    use super::*;

    const START: u64 = 1_790_000_000_000_000_000;

    fn all_spans(requests: usize) -> Vec<Span> {
        let mut traffic = Traffic::new(7, START).spans_per_request(100);
        let mut sent: Vec<_> = traffic.by_ref().take(requests).collect();
        sent.extend(traffic.remaining());
        let resources = sent.into_iter().flat_map(|request| request.resource_spans);
        resources.flat_map(|it| it.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    #[test]
    fn a_seed_decides_every_byte() {
        let bytes = |seed| -> Vec<Vec<u8>> {
            Traffic::new(seed, START).take(8).map(|request| encode(&request)).collect()
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }

    #[test]
    fn a_request_comes_from_one_service_and_spans_have_the_size_of_real_ones() {
        for request in Traffic::new(3, START).take(60) {
            assert_eq!(request.resource_spans.len(), 1);
            let scopes = request.resource_spans[0].scope_spans.len();
            assert!((1..=3).contains(&scopes), "{scopes} scopes");
            assert_eq!(span_count(&request), SPANS_PER_REQUEST);
            let bytes_per_span = encode(&request).len() / SPANS_PER_REQUEST;
            assert!((400..=1000).contains(&bytes_per_span), "{bytes_per_span} bytes per span");
        }
    }

    #[test]
    fn ids_are_valid_and_parents_and_linked_spans_exist() {
        let spans = all_spans(100);
        let id = |span: &Span| (span.trace_id.clone(), span.span_id.clone());
        let ids: BTreeSet<_> = spans.iter().map(id).collect();
        assert_eq!(ids.len(), spans.len());
        for span in &spans {
            assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
            assert!(span.trace_id.iter().any(|byte| *byte != 0));
            assert!(span.span_id.iter().any(|byte| *byte != 0));
            assert!(span.start_time_unix_nano >= START);
            assert!(span.end_time_unix_nano > span.start_time_unix_nano);
            if !span.parent_span_id.is_empty() {
                assert!(ids.contains(&(span.trace_id.clone(), span.parent_span_id.clone())));
            }
            for link in &span.links {
                assert!(ids.contains(&(link.trace_id.clone(), link.span_id.clone())));
            }
        }
    }

    #[test]
    fn traces_have_one_root_and_a_bounded_size() {
        let mut sizes = BTreeMap::<Vec<u8>, (usize, usize)>::new();
        for span in all_spans(200) {
            let (spans, roots) = sizes.entry(span.trace_id).or_default();
            *spans += 1;
            *roots += usize::from(span.parent_span_id.is_empty());
        }
        for (spans, roots) in sizes.values() {
            assert!((TRACE_SPANS_MIN..=TRACE_SPANS_MAX).contains(spans), "{spans} spans");
            assert_eq!(*roots, 1);
        }
    }

    #[test]
    fn errors_links_and_repeated_queries_are_there() {
        let spans = all_spans(200);
        let share = |of: fn(&Span) -> bool| {
            spans.iter().filter(|span| of(span)).count() as f64 / spans.len() as f64
        };
        let errors = share(|span| span.status.as_ref().is_some_and(|status| status.code == 2));
        assert!((0.002..0.1).contains(&errors), "{errors} of all spans failed");
        assert!(share(|span| span.events.iter().any(|event| event.name == "exception")) > 0.001);
        assert!(share(|span| !span.links.is_empty()) > 0.001);
        let mut queries = BTreeMap::<(Vec<u8>, String), usize>::new();
        for span in spans {
            *queries.entry((span.parent_span_id, span.name)).or_default() += 1;
        }
        assert!(queries.values().any(|repeats| *repeats >= 8));
    }

    #[test]
    fn the_table_of_the_shop_is_whole() {
        assert_eq!(ROOTS.iter().map(|root| root.percent).sum::<u64>(), 100);
        let consumed: BTreeSet<_> = SERVICES
            .iter()
            .flat_map(|service| service.operations)
            .filter_map(|operation| match operation.entry {
                Entry::Message { topic } => Some(topic),
                Entry::Http { .. } | Entry::Rpc { .. } => None,
            })
            .collect();
        for root in ROOTS {
            let service = position(root.service).map(|at| &SERVICES[at]);
            assert!(service.is_some_and(|it| root.operation < it.operations.len()));
        }
        for step in SERVICES.iter().flat_map(|it| it.operations).flat_map(|it| it.steps) {
            match step {
                Step::Call { service, operation } => {
                    let callee = position(service).map(|at| &SERVICES[at]);
                    let callee = callee.and_then(|it| it.operations.get(*operation));
                    assert!(callee.is_some_and(|it| !matches!(it.entry, Entry::Message { .. })));
                }
                Step::Publish { topic } => assert!(consumed.contains(topic), "{topic}"),
                _ => {}
            }
        }
    }
}
