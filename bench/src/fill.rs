//! `fill`: a day of traffic into a folder that is kept, as fast as the server takes it.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use clap::Args;

use crate::compaction;
use crate::disk::Disk;
use crate::figures::Figures;
use crate::http::{Client, Endpoint};
use crate::latency::Latency;
use crate::load::{Sent, send_one};
use crate::manifest::Manifest;
use crate::metrics::Metrics;
use crate::process::{Cpu, stat, thread_cpu};
use crate::replay::{Period, Replay};
use crate::report::note;
use crate::server::{Launch, Server};

/// Traces that later benchmarks look up.
const SAMPLES: usize = 5_000;
/// The end of the traffic lies so far in the past, so that no span is in the future.
const AGE: Duration = Duration::from_secs(60);
/// The longest wait for compaction to end.
const IDLE_WAIT_MAX: Duration = Duration::from_secs(1800);
const HOUR_NS: u64 = 3_600_000_000_000;

/// What to send, and to whom.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("target").required(true).args(["bin", "endpoint"]))]
pub(crate) struct FillArgs {
    /// The Causeway to start, on free ports
    #[arg(long, requires = "data_dir")]
    pub(crate) bin: Option<PathBuf>,
    /// A running OTLP/HTTP receiver instead, http://HOST:PORT[/PREFIX]
    #[arg(long)]
    pub(crate) endpoint: Option<String>,
    /// The folder to fill; kept, with FOLDER.manifest.json beside it
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) shape: Shape,
    /// More arguments for the started server
    #[arg(last = true)]
    pub(crate) server_args: Vec<String>,
}

/// The traffic of a fill.
#[derive(Debug, Clone, Args)]
pub(crate) struct Shape {
    /// Spans to send
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) spans: usize,
    /// Hours of event time that they are spread over, up to now
    #[arg(long, default_value_t = 24)]
    pub(crate) hours: u64,
    /// Connections, each with one request under way
    #[arg(long, default_value_t = 2)]
    pub(crate) connections: usize,
    /// Spans per request
    #[arg(long, default_value_t = 500)]
    pub(crate) batch: usize,
    /// Decides every byte but the times
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &FillArgs) -> Result<String> {
    let (replay, manifest) = prepare(&args.shape)?;
    let title = format!("Fill: {} spans over {} hours", manifest.spans, args.shape.hours);
    match (&args.bin, &args.data_dir, &args.endpoint) {
        (Some(bin), Some(data_dir), _) => {
            let scratch_dir = env::temp_dir();
            let extra = &args.server_args;
            let launch = Launch { bin, data_dir: Some(data_dir), scratch_dir: &scratch_dir, extra };
            let figures = fill_ours(launch, &args.shape, &replay, &manifest)?;
            Ok(figures.report(&title, data_dir))
        }
        (_, data_dir, Some(url)) => {
            let mut figures = Figures::default();
            send(&Endpoint::parse(url)?, &args.shape, &replay, &mut figures)?;
            if let Some(data_dir) = data_dir {
                manifest.write(data_dir)?;
            }
            Ok(figures.report(&title, data_dir.as_deref().unwrap_or(Path::new("."))))
        }
        _ => bail!("--bin with --data-dir, or --endpoint"),
    }
}

/// Fills a folder and measures that; for other benchmarks.
pub(crate) fn fill(launch: Launch<'_>, shape: &Shape) -> Result<Figures> {
    let (replay, manifest) = prepare(shape)?;
    fill_ours(launch, shape, &replay, &manifest)
}

fn prepare(shape: &Shape) -> Result<(Replay, Manifest)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let end_unix_nano = u64::try_from((now - AGE).as_nanos())?;
    let length_ns = shape.hours.max(1) * HOUR_NS;
    let period = Period { start_unix_nano: end_unix_nano - length_ns, length_ns };
    let replay = Replay::new(shape.seed, period, shape.spans, shape.batch);
    let manifest = Manifest {
        seed: shape.seed,
        spans: replay.span_count(),
        traces: replay.trace_count(),
        start_unix_nano: period.start_unix_nano,
        end_unix_nano,
        rare: replay.rare(),
        unique: replay.unique(),
        samples: replay.samples(SAMPLES),
    };
    Ok((replay, manifest))
}

fn fill_ours(
    launch: Launch<'_>,
    shape: &Shape,
    replay: &Replay,
    manifest: &Manifest,
) -> Result<Figures> {
    let mut server = Server::start(launch)?;
    let mut figures = Figures::default();
    let spans = manifest.spans;
    let metrics_before = Metrics::of(&server.http)?;
    let disk_before = Disk::of(server.data_dir())?;
    let cpu_before = server.cpu()?;
    let cpu_since = |now: Cpu| now.since(cpu_before).total();
    send(&server.otlp_http, shape, replay, &mut figures)?;
    manifest.write(server.data_dir())?;
    figures.us_per_span("server until acknowledged", cpu_since(server.cpu()?), spans);
    note(format_args!("waiting until compaction has ended"));
    if !server.wait_until_idle(IDLE_WAIT_MAX)? {
        note(format_args!("still busy after {IDLE_WAIT_MAX:?}; measured as it is"));
    }
    let metrics = Metrics::of(&server.http)?;
    let stopped = server.stop()?;
    figures.us_per_span("server, compaction and stop included", cpu_since(stopped.cpu), spans);
    compaction::add(&metrics, &metrics_before, spans, &mut figures);
    figures.add("peak memory, MB", stopped.peak_resident_bytes as f64 / 1e6, 0);
    figures.ms("SIGTERM to end", stopped.took);
    let disk = Disk::of(server.data_dir())?.since(disk_before);
    figures.count("Parquet files", disk.parquet_files);
    figures.add("Parquet bytes per span", disk.parquet as f64 / spans as f64, 1);
    figures.add("all bytes on disk per span", disk.total() as f64 / spans as f64, 1);
    // A folder that was filled twice holds more; less is always wrong.
    let stored = server.stored_spans()?;
    figures.count("spans stored", stored);
    figures.check(stored >= spans, || format!("{stored} spans stored, {spans} were sent"));
    Ok(figures)
}

/// What one connection did.
#[derive(Default)]
struct Part {
    sent: Sent,
    /// CPU time of making requests, sending not included.
    making: Duration,
    bytes: usize,
}

fn send(endpoint: &Endpoint, shape: &Shape, replay: &Replay, figures: &mut Figures) -> Result<()> {
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let client_before = stat("self")?.cpu;
    let parts = thread::scope(|scope| {
        let senders: Vec<_> = (0..shape.connections.max(1))
            .map(|_| scope.spawn(|| send_some(endpoint, replay, &next)))
            .collect();
        let join = |sender: thread::ScopedJoinHandle<'_, Result<Part>>| match sender.join() {
            Ok(part) => part,
            Err(_) => bail!("a sender panicked"),
        };
        senders.into_iter().map(join).collect::<Result<Vec<Part>>>()
    })?;
    let wall = start.elapsed();
    let client = stat("self")?.cpu.since(client_before).total();
    let spans = replay.span_count();
    let mut all = Part::default();
    for part in parts {
        all.sent.acknowledged_after.extend(part.sent.acknowledged_after);
        all.sent.retries += part.sent.retries;
        all.sent.spans_refused += part.sent.spans_refused;
        all.making += part.making;
        all.bytes += part.bytes;
    }
    figures.count("spans sent", spans);
    figures.count("traces sent", replay.trace_count());
    figures.add("bytes per span on the wire", all.bytes as f64 / spans as f64, 0);
    figures.add("spans per second, wall clock", spans as f64 / wall.as_secs_f64(), 0);
    figures.us_per_span("client", client, spans);
    figures.us_per_span("of which to make requests", all.making, spans);
    figures.percentiles("acknowledged after", Latency::of(all.sent.acknowledged_after));
    figures.count("answers that asked to retry", all.sent.retries);
    let refused = all.sent.spans_refused;
    figures.check(refused == 0, || format!("{refused} spans were refused"));
    Ok(())
}

fn send_some(endpoint: &Endpoint, replay: &Replay, next: &AtomicUsize) -> Result<Part> {
    let mut client = Client::new(endpoint.host());
    let mut part = Part::default();
    let mut body = Vec::new();
    let total = replay.request_count();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= total {
            return Ok(part);
        }
        if at.is_multiple_of(total.div_ceil(20)) {
            note(format_args!("request {at} of {total}"));
        }
        let before = thread_cpu()?;
        replay.write(at, &mut body);
        part.making += thread_cpu()?.saturating_sub(before);
        part.bytes += body.len();
        let start = Instant::now();
        send_one(&mut client, endpoint, &body, &mut part.sent)?;
        part.sent.acknowledged_after.push(start.elapsed());
    }
}
