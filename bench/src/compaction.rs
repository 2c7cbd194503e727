//! `compaction`: what merging the files of a filled folder costs, and what it leaves.
//!
//! The server tells what it did by its metrics of compaction; the folder is looked at from outside.
//! Fill the folder with compaction off, then run this with it on.

use std::time::Duration;

use anyhow::Result;

use crate::disk::Disk;
use crate::figures::Figures;
use crate::manifest::Manifest;
use crate::metrics::Metrics;
use crate::report::note;
use crate::server::Server;
use crate::target::TargetArgs;

/// What the names of these metrics have in common.
const ABOUT: &str = "_compaction";
const LIVE_FILES: &str = "store_table_files";
const LIVE_BYTES: &str = "store_table_bytes";
const SPANS_WRITTEN: &str = "store_compaction_spans_total";
const BUSY_SECONDS: &str = "store_compaction_busy_seconds_total";
/// The longest wait for compaction to end.
const IDLE_WAIT_MAX: Duration = Duration::from_secs(3600);

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &TargetArgs) -> Result<String> {
    let manifest = Manifest::read(&args.data_dir)?;
    let disk_before = Disk::of(&args.data_dir)?;
    let scratch_dir = args.scratch_dir();
    let mut server = Server::start(args.launch(&scratch_dir))?;
    let cpu_before = server.cpu()?;
    let metrics_before = Metrics::of(&server.http)?;
    note(format_args!("waiting until compaction has ended"));
    if !server.wait_until_idle(IDLE_WAIT_MAX)? {
        note(format_args!("still busy after {IDLE_WAIT_MAX:?}; measured as it is"));
    }
    let metrics = Metrics::of(&server.http)?;
    let stopped = server.stop()?;
    let disk = Disk::of(&args.data_dir)?;
    let mut figures = Figures::default();
    let spans = manifest.spans;
    figures.count("spans in the folder", spans);
    let cpu = stopped.cpu.since(cpu_before).total();
    figures.us_per_span("server from ready to end", cpu, spans);
    add(&metrics, &Metrics::default(), spans, &mut figures);
    figures.add("peak memory, MB", stopped.peak_resident_bytes as f64 / 1e6, 0);
    for (when, metrics, disk) in
        [("before", &metrics_before, disk_before), ("after", &metrics, disk)]
    {
        if let Some(files) = metrics.value(LIVE_FILES) {
            figures.add(format!("live files {when}"), files, 0);
        }
        if let Some(bytes) = metrics.value(LIVE_BYTES) {
            figures.add(format!("live bytes per span {when}"), bytes / spans as f64, 1);
        }
        figures.count(format!("Parquet files on disk {when}"), disk.parquet_files);
        let bytes = disk.parquet as f64 / spans as f64;
        figures.add(format!("Parquet bytes on disk per span {when}"), bytes, 1);
    }
    let stored = server.stored_spans()?;
    figures.check(stored >= spans, || format!("{stored} spans stored, {spans} were sent"));
    Ok(figures.report("Compaction", &args.data_dir))
}

/// Adds what the server's counters of compaction say, and what that is for each span.
pub(crate) fn add(now: &Metrics, before: &Metrics, spans: usize, figures: &mut Figures) {
    let counters = now.since(before, ABOUT);
    let counter = |wanted: &str| counters.iter().find(|(name, _)| *name == wanted);
    if let Some((_, written)) = counter(SPANS_WRITTEN) {
        figures.add("times that compaction wrote a span", written / spans as f64, 2);
    }
    if let Some((_, seconds)) = counter(BUSY_SECONDS) {
        figures.add("compaction, us per span", seconds * 1e6 / spans as f64, 3);
    }
    for (name, value) in counters {
        figures.add(format!("`{name}`"), value, if value.fract() == 0.0 { 0 } else { 3 });
    }
}
