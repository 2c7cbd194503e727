//! What is measured about queries.

use std::sync::Weak;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::error::QueryError;
use crate::findings::{GroupAnswer, GroupFilter};
use crate::watch::TraceWatch;

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

/// Groups of findings that have a metric: those that lose most.
const GROUPS_MAX: usize = 200;

/// Groups of findings as they are when somebody reads the metrics.
#[derive(Debug)]
pub(crate) struct FindingMetrics(pub(crate) Weak<TraceWatch>);

impl Collector for FindingMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let Some(watch) = self.0.upgrade() else { return Ok(()) };
        let groups = watch.groups(&GroupFilter::default()).groups;
        let mut gauge = |name, help, value: fn(&GroupAnswer) -> i64| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for group in groups.iter().take(GROUPS_MAX) {
                let labels = group.labels();
                family.encode_family(&labels)?.encode_gauge(&value(group))?;
            }
            Ok(())
        };
        gauge("finding_group_traces", "Traces with a finding of a group", |group| {
            i64::try_from(group.traces).unwrap_or(i64::MAX)
        })?;
        gauge("finding_group_saving_nanoseconds", "What changes would save in them", |group| {
            group.saving_ns
        })
    }
}
