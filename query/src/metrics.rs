//! What is measured about queries.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::error::QueryError;

type Label = [(&'static str, &'static str); 1];

/// Metrics of one process.
#[derive(Debug)]
pub(crate) struct Metrics {
    latency: Family<Label, Histogram, fn() -> Histogram>,
    errors: Family<Label, Counter>,
    running: Gauge,
}

impl Metrics {
    /// Registers them.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        // 0.5 ms to about 65 s: from a cached lookup to the time limit.
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0005, 2.0, 18));
        let metrics = Self {
            latency: Family::new_with_constructor(buckets),
            errors: Family::default(),
            running: Gauge::default(),
        };
        registry.register_with_unit(
            "query_latency",
            "Time from the request to the last row, by kind of query",
            Unit::Seconds,
            metrics.latency.clone(),
        );
        registry.register(
            "query_errors",
            "Queries without an answer, by class",
            metrics.errors.clone(),
        );
        registry.register("query_running", "Queries that run now", metrics.running.clone());
        metrics
    }

    /// Counts a query from now until the result is dropped.
    pub(crate) fn start(&self, kind: &'static str) -> Running {
        self.running.inc();
        Running {
            latency: self.latency.get_or_create(&[("kind", kind)]).clone(),
            running: self.running.clone(),
            started: tokio::time::Instant::now(),
        }
    }

    /// Counts an error.
    pub(crate) fn failed(&self, error: &QueryError) {
        self.errors.get_or_create(&[("class", error.class().label())]).inc();
    }
}

/// A query that runs.
#[derive(Debug)]
pub(crate) struct Running {
    latency: Histogram,
    running: Gauge,
    started: tokio::time::Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.running.dec();
        self.latency.observe(self.started.elapsed().as_secs_f64());
    }
}
