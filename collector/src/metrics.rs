//! What the collector counts, as Prometheus metrics.
//!
//! Invariant: `collector_received_spans_total` = stored + duplicate + refused spans, over all
//! labels. Spans of a request that could not be read at all are not known and not counted; the
//! request is, in `collector_refused_requests_total`.

use causeway_clock::order::Fault;
use causeway_model::otlp::Refusal;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::admit::Source;
use crate::error::AdmitError;

/// From a request in memory to one that waits for a slow disk.
const LATENCY_SECONDS: [f64; 12] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What a span tells by itself; the other flags need several spans.
const FLAGS: [Fault; 5] =
    [Fault::Malformed, Fault::Future, Fault::Order, Fault::Backdated, Fault::Time];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByProtocol {
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByFlag {
    flag: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByProtocolAndReason {
    protocol: &'static str,
    reason: &'static str,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    received_requests: Family<ByProtocol, Counter>,
    received_spans: Family<ByProtocol, Counter>,
    received_bytes: Family<ByProtocol, Counter>,
    stored_spans: Family<ByProtocol, Counter>,
    duplicate_requests: Counter,
    duplicate_spans: Counter,
    flagged_spans: Family<ByFlag, Counter>,
    refused_spans: Family<ByReason, Counter>,
    refused_requests: Family<ByProtocolAndReason, Counter>,
    request_seconds: Family<ByProtocol, Histogram, fn() -> Histogram>,
    pub(crate) inflight_bytes: Gauge,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            received_requests: Family::default(),
            received_spans: Family::default(),
            received_bytes: Family::default(),
            stored_spans: Family::default(),
            duplicate_requests: Counter::default(),
            duplicate_spans: Counter::default(),
            flagged_spans: Family::default(),
            refused_spans: Family::default(),
            refused_requests: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(LATENCY_SECONDS)),
            inflight_bytes: Gauge::default(),
        };
        let by_protocol = [
            ("requests", "Requests received, refused ones included", &metrics.received_requests),
            ("received_spans", "Spans received in readable requests", &metrics.received_spans),
            ("received_bytes", "Bytes received, after decompression", &metrics.received_bytes),
            ("stored_spans", "Spans acknowledged as new", &metrics.stored_spans),
        ];
        for (name, help, family) in by_protocol {
            registry.register(format!("collector_{name}"), help, family.clone());
        }
        registry.register(
            "collector_duplicate_requests",
            "Requests received again after they were acknowledged",
            metrics.duplicate_requests.clone(),
        );
        registry.register(
            "collector_duplicate_spans",
            "Spans of duplicate requests",
            metrics.duplicate_spans.clone(),
        );
        registry.register(
            "collector_flagged_spans",
            "Spans stored with something wrong about their times or stamps, by flag",
            metrics.flagged_spans.clone(),
        );
        registry.register(
            "collector_refused_spans",
            "Spans refused, by reason",
            metrics.refused_spans.clone(),
        );
        registry.register(
            "collector_refused_requests",
            "Requests refused as a whole, by reason",
            metrics.refused_requests.clone(),
        );
        registry.register(
            "collector_request_seconds",
            "Time from the head of a request to its answer",
            metrics.request_seconds.clone(),
        );
        registry.register(
            "collector_inflight_bytes",
            "Bytes held by unfinished requests",
            metrics.inflight_bytes.clone(),
        );
        metrics.show_zeros();
        metrics
    }

    /// Creates every series, so that the first refusal is a step from zero and not a new line.
    fn show_zeros(&self) {
        for source in Source::ALL {
            let protocol = source.label();
            for family in [
                &self.received_requests,
                &self.received_spans,
                &self.received_bytes,
                &self.stored_spans,
            ] {
                drop(family.get_or_create(&ByProtocol { protocol }));
            }
        }
        for flag in FLAGS.map(Fault::label) {
            drop(self.flagged_spans.get_or_create(&ByFlag { flag }));
        }
        for reason in Refusal::ALL.map(Refusal::label).into_iter().chain([
            "too_large",
            "overloaded",
            "unavailable",
        ]) {
            drop(self.refused_spans.get_or_create(&ByReason { reason }));
        }
        for reason in AdmitError::LABELS {
            for protocol in Source::ALL.map(Source::label) {
                drop(
                    self.refused_requests.get_or_create(&ByProtocolAndReason { protocol, reason }),
                );
            }
        }
    }

    /// A readable request arrived.
    pub(crate) fn received(&self, source: Source, bytes: usize, spans: u64) {
        let label = ByProtocol { protocol: source.label() };
        self.received_spans.get_or_create(&label).inc_by(spans);
        self.received_bytes.get_or_create(&label).inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    pub(crate) fn stored(&self, source: Source, spans: u64) {
        self.stored_spans.get_or_create(&ByProtocol { protocol: source.label() }).inc_by(spans);
    }

    pub(crate) fn duplicate(&self, spans: u64) {
        self.duplicate_requests.inc();
        self.duplicate_spans.inc_by(spans);
    }

    pub(crate) fn flagged(&self, fault: Fault, spans: u64) {
        self.flagged_spans.get_or_create(&ByFlag { flag: fault.label() }).inc_by(spans);
    }

    pub(crate) fn refused_spans(&self, reason: &'static str, spans: u64) {
        self.refused_spans.get_or_create(&ByReason { reason }).inc_by(spans);
    }

    /// A request was answered after `seconds`.
    pub(crate) fn answered(&self, source: Source, seconds: f64, refused: Option<&AdmitError>) {
        let label = ByProtocol { protocol: source.label() };
        self.received_requests.get_or_create(&label).inc();
        self.request_seconds.get_or_create(&label).observe(seconds);
        if let Some(error) = refused {
            let label = ByProtocolAndReason { protocol: source.label(), reason: error.label() };
            self.refused_requests.get_or_create(&label).inc();
        }
    }
}
