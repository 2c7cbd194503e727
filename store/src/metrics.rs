//! What the store tells Prometheus.

use std::sync::Weak;
use std::sync::atomic::AtomicU64;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::store::Inner;

/// Metrics that are written where things happen.
#[derive(Debug)]
pub(crate) struct StoreMetrics {
    pub(crate) append_seconds: Histogram,
    pub(crate) flush_seconds: Histogram,
    pub(crate) flush_failures: Counter,
    pub(crate) maintenance: MaintenanceMetrics,
}

/// What maintenance did.
#[derive(Debug, Default)]
pub(crate) struct MaintenanceMetrics {
    pub(crate) compactions: Counter,
    pub(crate) compaction_spans: Counter,
    pub(crate) compaction_bytes: Counter,
    pub(crate) compaction_busy_seconds: Counter<f64, AtomicU64>,
    pub(crate) compaction_copies: Counter,
    pub(crate) compaction_conflicts: Counter,
    pub(crate) expired_files: Counter,
    pub(crate) expired_spans: Counter,
    pub(crate) files_deleted: Counter,
    pub(crate) failures: Counter,
}

impl MaintenanceMetrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let counters: [(&str, &str, &Counter); 9] = [
            ("store_compactions", "Merges of files", &metrics.compactions),
            ("store_compaction_spans", "Spans written by merges", &metrics.compaction_spans),
            ("store_compaction_bytes", "Bytes written by merges", &metrics.compaction_bytes),
            (
                "store_compaction_copies",
                "Copies of spans that merges left out",
                &metrics.compaction_copies,
            ),
            (
                "store_compaction_conflicts",
                "Spans that merges flagged for having the ids of others",
                &metrics.compaction_conflicts,
            ),
            ("store_expired_files", "Files dropped by retention", &metrics.expired_files),
            ("store_expired_spans", "Spans dropped by retention", &metrics.expired_spans),
            (
                "store_files_deleted",
                "Files deleted from disk after they left the table",
                &metrics.files_deleted,
            ),
            (
                "store_maintenance_failures",
                "Rounds of maintenance that failed and were tried again",
                &metrics.failures,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register_with_unit(
            "store_compaction_busy",
            "Time spent merging, pauses left out",
            Unit::Seconds,
            metrics.compaction_busy_seconds.clone(),
        );
        metrics
    }
}

impl StoreMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            append_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            flush_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            flush_failures: Counter::default(),
            maintenance: MaintenanceMetrics::register(registry),
        };
        registry.register_with_unit(
            "store_append",
            "Time from append to durable and visible",
            Unit::Seconds,
            metrics.append_seconds.clone(),
        );
        registry.register_with_unit(
            "store_flush",
            "Time to write recent spans to the table",
            Unit::Seconds,
            metrics.flush_seconds.clone(),
        );
        registry.register(
            "store_flush_failures",
            "Flushes that failed and were tried again",
            metrics.flush_failures.clone(),
        );
        metrics
    }
}

/// Metrics that are read when asked for.
#[derive(Debug)]
pub(crate) struct StoreCollector(pub(crate) Weak<Inner>);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(inner) = self.0.upgrade() else {
            return Ok(());
        };
        let sizes = inner.recent.sizes();
        let log = inner.log.counters();
        let gauges: [(&str, &str, u64); 9] = [
            (
                "store_recent_bytes",
                "Bytes of spans in memory that are not in the table",
                sizes.bytes,
            ),
            ("store_recent_spans", "Spans in memory that are not in the table", sizes.spans),
            ("store_table_files", "Live files of the table", sizes.files),
            ("store_table_bytes", "Bytes of live files of the table", sizes.file_bytes),
            ("store_table_spans", "Spans in files of the table", sizes.file_spans),
            ("store_log_bytes", "Bytes of log segments", inner.log.size_bytes()),
            (
                "store_log_queued_bytes",
                "Bytes waiting for the log",
                inner.log.queued_bytes() as u64,
            ),
            (
                "store_files_waiting",
                "Files that left the table and are not deleted yet",
                inner.maintenance.waiting() as u64,
            ),
            (
                "store_healthy",
                "1 when requests can be acknowledged",
                u64::from(inner.readiness().is_ok()),
            ),
        ];
        for (name, help, value) in gauges {
            let metric = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        encode_levels(&mut encoder, sizes.level_files)?;
        let counters: [(&str, &str, u64); 6] = [
            ("store_requests_stored", "Requests made durable", log.records),
            (
                "store_requests_deduplicated",
                "Requests acknowledged again without being stored",
                log.duplicates,
            ),
            (
                "store_requests_failed",
                "Requests not acknowledged because the disk failed",
                log.failed,
            ),
            ("store_log_syncs", "Group commits of the log", log.groups),
            (
                "store_spans_deduplicated",
                "Copies of spans left out",
                inner.recent.counters.copies.get(),
            ),
            (
                "store_spans_conflicting",
                "Spans with known ids and other content, kept and flagged",
                inner.recent.counters.conflicts.get(),
            ),
        ];
        for (name, help, value) in counters {
            let metric = ConstCounter::new(value);
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        Ok(())
    }
}

fn encode_levels(
    encoder: &mut DescriptorEncoder<'_>,
    level_files: [u64; 3],
) -> Result<(), std::fmt::Error> {
    let help = "Live files of the table by how often their spans were merged";
    let mut family =
        encoder.encode_descriptor("store_table_level_files", help, None, MetricType::Gauge)?;
    for (level, files) in level_files.into_iter().enumerate() {
        let gauge = ConstGauge::new(i64::try_from(files).unwrap_or(i64::MAX));
        gauge.encode(family.encode_family(&[("level", level.to_string())])?)?;
    }
    Ok(())
}
