//! `startup`: from exec to ready, with many files and with a long log.

use std::env;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use clap::Args;

use crate::disk::Disk;
use crate::figures::Figures;
use crate::http::Client;
use crate::latency::Latency;
use crate::load::{Sent, send_one};
use crate::replay::{Period, Replay};
use crate::report::note;
use crate::server::{Launch, Server};

/// A flush writes one file for each day that it holds spans of, so that many files are made soon.
const DAYS: u64 = 30;
const DAY_NS: u64 = 86_400_000_000_000;
/// Spans between two flushes.
const FLUSH_SPANS: usize = 2_000;
/// The server looks five times a second whether a flush is due.
const FLUSH_PAUSE: Duration = Duration::from_millis(250);
/// Starts of each kind; their median counts.
const STARTS: usize = 5;
/// Spans stay in the log with these settings, whatever it grows to.
const NO_FLUSH: [&str; 6] =
    ["--recent-bytes-max", "64GiB", "--flush-bytes", "64GiB", "--flush-interval", "1d"];

/// What the server is started with.
#[derive(Debug, Args)]
pub(crate) struct StartupArgs {
    /// The Causeway to start, on free ports
    #[arg(long)]
    pub(crate) bin: PathBuf,
    /// Where to make the folders [default: the system's temporary folder]
    #[arg(long)]
    pub(crate) scratch_dir: Option<PathBuf>,
    /// Files of the first folder, 0 to leave it out
    #[arg(long, default_value_t = 2_000)]
    pub(crate) files: u64,
    /// MB of the log of the second folder, 0 to leave it out
    #[arg(long, default_value_t = 1_000)]
    pub(crate) log_mb: u64,
    /// More arguments for the started server, such as those that turn compaction off
    #[arg(last = true)]
    pub(crate) server_args: Vec<String>,
}

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &StartupArgs) -> Result<String> {
    let scratch_dir = args.scratch_dir.clone().unwrap_or_else(env::temp_dir);
    let folder = tempfile::Builder::new().prefix("causeway-startup-").tempdir_in(&scratch_dir)?;
    let mut figures = Figures::default();
    let extra = &args.server_args;
    let base = Launch { bin: &args.bin, data_dir: None, scratch_dir: &scratch_dir, extra };
    if args.files > 0 {
        let data_dir = folder.path().join("files");
        let kept = Launch { data_dir: Some(&data_dir), ..base };
        let extra = with(extra, &["--flush-interval", "1ms"]);
        make_files(Launch { extra: &extra, ..kept }, args.files, &mut figures)?;
        let starts = starts(kept, &mut figures)?;
        figures.ms("ready with these files after, p50", starts.p50);
        figures.ms("ready with these files after, max", starts.max);
    }
    if args.log_mb > 0 {
        let data_dir = folder.path().join("log");
        let kept = Launch { data_dir: Some(&data_dir), ..base };
        let extra = with(extra, &NO_FLUSH);
        let growing = Launch { extra: &extra, ..kept };
        make_log(growing, args.log_mb * 1_000_000, &mut figures)?;
        // The log stays as it is when a server that does not flush is killed.
        let starts = starts(growing, &mut figures)?;
        figures.ms("ready with this log after, p50", starts.p50);
        figures.ms("ready with this log after, max", starts.max);
        let server = Server::start(kept)?;
        figures.ms("ready with this log and default limits after", server.ready_after);
        add_peak("peak memory when ready, default limits", &server, &mut figures);
        server.kill()?;
    }
    Ok(figures.report("Start-up", &scratch_dir))
}

fn with(extra: &[String], more: &[&str]) -> Vec<String> {
    extra.iter().cloned().chain(more.iter().map(|it| (*it).to_owned())).collect()
}

fn starts(launch: Launch<'_>, figures: &mut Figures) -> Result<Latency> {
    let mut times = Vec::new();
    for at in 0..STARTS {
        let server = Server::start(launch)?;
        times.push(server.ready_after);
        if at + 1 == STARTS {
            add_peak("peak memory when ready", &server, figures);
        }
        server.kill()?;
    }
    Ok(Latency::of(times))
}

fn add_peak(what: &str, server: &Server, figures: &mut Figures) {
    if let Some(bytes) = server.peak_resident_bytes() {
        figures.add(format!("{what}, MB"), bytes as f64 / 1e6, 0);
    }
}

fn make_files(launch: Launch<'_>, files: u64, figures: &mut Figures) -> Result<()> {
    note(format_args!("making {files} files"));
    let mut server = Server::start(launch)?;
    let mut found = 0;
    // Twice what is needed if every flush comes in time.
    for seed in 0..100 + files * 2 / DAYS {
        send(&server, seed, DAYS * DAY_NS, FLUSH_SPANS)?;
        thread::sleep(FLUSH_PAUSE);
        found = Disk::of(server.data_dir())?.parquet_files;
        if found >= files {
            break;
        }
    }
    server.stop()?;
    if found < files {
        bail!("{found} files were made; is compaction off?");
    }
    let disk = Disk::of(server.data_dir())?;
    figures.count("files", disk.parquet_files);
    figures.count("log and other bytes beside them", disk.log + disk.other);
    Ok(())
}

fn make_log(launch: Launch<'_>, bytes: u64, figures: &mut Figures) -> Result<()> {
    note(format_args!("making a log of {bytes} bytes"));
    let server = Server::start(launch)?;
    let mut seed = 0;
    while Disk::of(server.data_dir())?.log < bytes {
        send(&server, seed, DAY_NS, 100_000)?;
        seed += 1;
    }
    let disk = Disk::of(server.data_dir())?;
    server.kill()?;
    figures.count("bytes of log", disk.log);
    figures.check(disk.parquet_files == 0, || {
        format!("{} files were flushed: the log is shorter", disk.parquet_files)
    });
    Ok(())
}

/// Sends spans over some time up to now.
fn send(server: &Server, seed: u64, length_ns: u64, spans: usize) -> Result<()> {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let period = Period { start_unix_nano: now - length_ns, length_ns };
    // Small requests: what the services still hold at the end comes on top of `spans`.
    let replay = Replay::new(seed, period, spans, (spans / 100).clamp(20, 500));
    let mut client = Client::new(server.otlp_http.host());
    let (mut body, mut sent) = (Vec::new(), Sent::default());
    for at in 0..replay.request_count() {
        replay.write(at, &mut body);
        send_one(&mut client, &server.otlp_http, &body, &mut sent)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_appended() {
        let given = ["--log-level".to_owned(), "warn".to_owned()];
        assert_eq!(with(&given, &NO_FLUSH).len(), 8);
        assert_eq!(with(&given, &[]), given);
    }
}
