//! `ingest`: one pass as fast as the server takes it, one at half that pace, the floor around them.

use std::env;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use causeway_testkit::traffic::Traffic;
use clap::Args;

use crate::disk::Disk;
use crate::floor;
use crate::http::Endpoint;
use crate::load::{Load, Sent, send};
use crate::machine::Machine;
use crate::process::{Cpu, peak_resident_bytes, stat};
use crate::report::{Report, note};
use crate::server::{Launch, Server, wait_until_idle};

/// Spans are younger than any retention and older than now, on every machine.
const AGE: Duration = Duration::from_secs(600);
/// The longest wait for a server that is not ours to become idle.
const IDLE_WAIT_MAX: Duration = Duration::from_secs(180);

/// What to send, and to whom.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("target").required(true).args(["bin", "endpoint"]))]
pub(crate) struct IngestArgs {
    /// The Causeway to start, on an empty folder and free ports
    #[arg(long)]
    pub(crate) bin: Option<PathBuf>,
    /// A running OTLP/HTTP receiver instead, http://HOST:PORT[/PREFIX]
    #[arg(long)]
    pub(crate) endpoint: Option<String>,
    /// The process behind the endpoint, for its CPU time and memory
    #[arg(long, requires = "endpoint")]
    pub(crate) pid: Option<u32>,
    /// The data folder behind the endpoint, for its size
    #[arg(long, requires = "endpoint")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where to make the folder of the started server [default: the system's temporary folder]
    #[arg(long)]
    pub(crate) scratch_dir: Option<PathBuf>,
    /// Spans of the pass at full load; all are in memory before it starts
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) spans: usize,
    /// Spans of the pass at half load, 0 for none [default: half of --spans]
    #[arg(long)]
    pub(crate) half_load_spans: Option<usize>,
    /// Connections, each with one request under way
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: usize,
    /// Spans per request
    #[arg(long, default_value_t = 500)]
    pub(crate) batch: usize,
    /// Decides every byte but the times
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Have spans carry the stamps of hybrid clocks
    #[arg(long)]
    pub(crate) tagged: bool,
    /// More arguments for the started server
    #[arg(last = true)]
    pub(crate) server_args: Vec<String>,
}

/// What was measured while one load was sent.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    pub(crate) spans: usize,
    pub(crate) wire_bytes_per_span: f64,
    pub(crate) sent: Sent,
    pub(crate) client_cpu: Cpu,
    /// The server's, from the first request to the last acknowledgement.
    pub(crate) cpu_acknowledged: Option<Cpu>,
    /// The same, until everything is in files: stopped, or idle if it is not ours to stop.
    pub(crate) cpu_committed: Option<Cpu>,
    pub(crate) peak_resident_bytes: Option<u64>,
    pub(crate) stop_took: Option<Duration>,
    pub(crate) disk: Option<Disk>,
    /// Spans found afterwards, or why none could be counted.
    pub(crate) stored: Option<Result<usize, String>>,
}

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &IngestArgs) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let start_unix_nano = u64::try_from((now - AGE).as_nanos())?;

    note(format_args!("making {} spans", args.spans));
    let load = Load::of(traffic(args, args.seed, start_unix_nano), args.spans);
    let floor_before = floor::decode(&load)?;
    note(format_args!("full load: {} requests", load.bodies.len()));
    let full = pass(args, &load, None)?;
    let floor_after = floor::decode(&load)?;
    let floors = [floor_before, floor_after].map(|cpu| cpu.div_f64(load.spans as f64));
    drop(load);

    let half_load_spans = args.half_load_spans.unwrap_or(args.spans / 2);
    let half = match half_load_spans {
        0 => None,
        spans => {
            // Other spans: repeated ones would be recognised by a server that still runs.
            let load = Load::of(traffic(args, args.seed + 1, start_unix_nano), spans);
            let pace = full.sent.wall * 2 / u32::try_from(full.sent.acknowledged_after.len())?;
            note(format_args!("half load: a request every {pace:?}"));
            Some(pass(args, &load, Some(pace))?)
        }
    };
    let data_dir = args.data_dir.clone().unwrap_or_else(|| scratch_dir(args));
    let machine = Machine::here(&data_dir);
    Ok(Report { args, machine, floors, full, half }.to_string())
}

fn traffic(args: &IngestArgs, seed: u64, start_unix_nano: u64) -> Traffic {
    let traffic = Traffic::new(seed, start_unix_nano).spans_per_request(args.batch);
    if args.tagged { traffic.tagged() } else { traffic }
}

fn pass(args: &IngestArgs, load: &Load, pace: Option<Duration>) -> Result<Pass> {
    match (&args.bin, &args.endpoint) {
        (Some(bin), _) => {
            let server = Server::start(Launch {
                bin,
                data_dir: None,
                scratch_dir: &scratch_dir(args),
                extra: &args.server_args,
            })?;
            pass_with_our_server(server, args, load, pace)
        }
        (None, Some(url)) => pass_with_foreign_server(&Endpoint::parse(url)?, args, load, pace),
        (None, None) => unreachable!("clap requires one of them"),
    }
}

fn pass_with_our_server(
    mut server: Server,
    args: &IngestArgs,
    load: &Load,
    pace: Option<Duration>,
) -> Result<Pass> {
    let cpu_before = server.cpu()?;
    let client_before = stat("self")?.cpu;
    let sent = send(&server.otlp_http, load, args.connections, pace)?;
    let client_cpu = stat("self")?.cpu.since(client_before);
    let cpu_acknowledged = server.cpu()?.since(cpu_before);
    let stopped = server.stop()?;
    let disk = Disk::of(server.data_dir())?;
    note(format_args!("counting what is stored"));
    Ok(Pass {
        spans: load.spans,
        wire_bytes_per_span: load.bytes_per_span(),
        sent,
        client_cpu,
        cpu_acknowledged: Some(cpu_acknowledged),
        cpu_committed: Some(stopped.cpu.since(cpu_before)),
        peak_resident_bytes: Some(stopped.peak_resident_bytes),
        stop_took: Some(stopped.took),
        disk: Some(disk),
        stored: Some(server.stored_spans().map_err(|error| error.to_string())),
    })
}

fn pass_with_foreign_server(
    endpoint: &Endpoint,
    args: &IngestArgs,
    load: &Load,
    pace: Option<Duration>,
) -> Result<Pass> {
    let cpu = || -> Result<Option<Cpu>> {
        args.pid.map(|pid| Ok(stat(&pid.to_string())?.cpu)).transpose()
    };
    let size = || args.data_dir.as_deref().map(Disk::of).transpose();
    let disk_before = size()?;
    let cpu_before = cpu()?;
    let client_before = stat("self")?.cpu;
    let sent = send(endpoint, load, args.connections, pace)?;
    let client_cpu = stat("self")?.cpu.since(client_before);
    let since_start = |now: Option<Cpu>| Some(now?.since(cpu_before?));
    let cpu_acknowledged = since_start(cpu()?);
    if let Some(pid) = args.pid {
        note(format_args!("waiting until process {pid} is idle"));
        if !wait_until_idle(pid, IDLE_WAIT_MAX)? {
            note(format_args!("still busy after {IDLE_WAIT_MAX:?}; measured as it is"));
        }
    }
    Ok(Pass {
        spans: load.spans,
        wire_bytes_per_span: load.bytes_per_span(),
        sent,
        client_cpu,
        cpu_acknowledged,
        cpu_committed: since_start(cpu()?),
        peak_resident_bytes: args.pid.and_then(peak_resident_bytes),
        disk: size()?.zip(disk_before).map(|(now, before)| now.since(before)),
        ..Pass::default()
    })
}

fn scratch_dir(args: &IngestArgs) -> PathBuf {
    args.scratch_dir.clone().unwrap_or_else(env::temp_dir)
}
