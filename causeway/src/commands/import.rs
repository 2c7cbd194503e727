//! `causeway import`: spans from files, through the same door as spans from the network.
//!
//! A file may hold one JSON document or many after another, plain, gzip or zstd; what it is, is
//! told from its content. Every document becomes requests of OTLP protobuf that are admitted here
//! or sent to a running server.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use causeway_collector::decode::document_to_otlp;
use causeway_collector::{AdmitError, Collector, Format, Source};
use causeway_model::otlp;
use hashbrown::HashSet;
use indicatif::{ProgressBar, ProgressStyle};
use prometheus_client::registry::Registry;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::open::{Opened, http_agent, hybrid_clock, open, system_clock};
use crate::config::Config;
use crate::output;

/// Requests read ahead of the one being stored.
const READ_AHEAD_REQUESTS: usize = 4;

/// Pause before a request is offered again to a store that is busy.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The last flush of a large import may take long.
const LAST_FLUSH_TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
struct Summary {
    spans: u64,
    duplicates: u64,
    refused: u64,
    traces: HashSet<[u8; 16]>,
    reasons: Vec<String>,
}

impl Summary {
    fn print(&self) {
        for reason in &self.reasons {
            output::line(reason);
        }
        output::line(&format!(
            "imported {} spans, {} traces, {} duplicates, {} refused",
            self.spans,
            self.traces.len(),
            self.duplicates,
            self.refused,
        ));
    }
}

pub(crate) async fn run(
    config: &Config,
    files: &[String],
    server: Option<String>,
) -> Result<ExitCode> {
    let progress = progress_bar(files)?;
    let (requests, mut received) = mpsc::channel::<Result<Vec<u8>>>(READ_AHEAD_REQUESTS);
    let (paths, bar) = (files.to_vec(), progress.clone());
    let reader = tokio::task::spawn_blocking(move || read_files(&paths, &bar, &requests));

    let mut summary = Summary::default();
    match server {
        Some(url) => send_all(&url, &mut received, &mut summary).await?,
        None => store_all(config, &mut received, &mut summary).await?,
    }
    reader.await?;
    progress.finish_and_clear();
    summary.print();
    Ok(ExitCode::SUCCESS)
}

fn progress_bar(files: &[String]) -> Result<ProgressBar> {
    let mut bytes = 0;
    for file in files {
        bytes += std::fs::metadata(file).with_context(|| format!("cannot read {file}"))?.len();
    }
    let style =
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?;
    Ok(ProgressBar::new(bytes).with_style(style))
}

async fn store_all(
    config: &Config,
    requests: &mut mpsc::Receiver<Result<Vec<u8>>>,
    summary: &mut Summary,
) -> Result<()> {
    let mut registry = Registry::default();
    let Opened::Here(store) = open(config, &mut registry).await? else {
        bail!(
            "a running server uses {}; import through it with --server http://ADDRESS:4318",
            config.data_dir.display()
        );
    };
    let collector = Collector::new(
        store.clone(),
        config.collector.clone(),
        system_clock(),
        hybrid_clock(),
        &mut registry,
    );
    // What a killed server left in the log was just brought back; its copies are not ours.
    store.snapshot().await?;
    let copies_before = store.span_copies();
    while let Some(request) = requests.recv().await {
        let request = Bytes::from(request?);
        let outcome = loop {
            match collector.admit(request.clone(), Format::Protobuf, Source::Import).await {
                Err(error) if error.is_retryable() => tokio::time::sleep(RETRY_PAUSE).await,
                other => break other,
            }
        };
        count(&request, outcome, summary)?;
    }
    store.snapshot().await?;
    let copies = store.span_copies() - copies_before;
    summary.spans -= copies;
    summary.duplicates += copies;
    store.close(LAST_FLUSH_TIMEOUT).await?;
    Ok(())
}

fn count(
    request: &[u8],
    outcome: Result<causeway_collector::Outcome, AdmitError>,
    summary: &mut Summary,
) -> Result<()> {
    let outcome = outcome?;
    let (columns, _) = otlp::decode(request, 0)?;
    summary.traces.extend(columns.trace_ids());
    summary.refused += outcome.refusals.total();
    if outcome.refusals.total() > 0 {
        summary.reasons.push(outcome.refusals.message());
    }
    match outcome.duplicate {
        true => summary.duplicates += outcome.accepted_spans,
        false => summary.spans += outcome.accepted_spans,
    }
    Ok(())
}

/// Sends requests to a server. It does not tell which of them it had before.
async fn send_all(
    url: &str,
    requests: &mut mpsc::Receiver<Result<Vec<u8>>>,
    summary: &mut Summary,
) -> Result<()> {
    let url = format!("{}/v1/traces", url.trim_end_matches('/'));
    let agent = http_agent();
    while let Some(request) = requests.recv().await {
        let request = request?;
        let (columns, refusals) = otlp::decode(&request, 0)?;
        let (agent, url) = (agent.clone(), url.clone());
        tokio::task::spawn_blocking(move || send(&agent, &url, &request)).await??;
        summary.traces.extend(columns.trace_ids());
        summary.spans += columns.len() as u64;
        summary.refused += refusals.total();
        if refusals.total() > 0 {
            summary.reasons.push(refusals.message());
        }
    }
    Ok(())
}

fn send(agent: &ureq::Agent, url: &str, request: &[u8]) -> Result<()> {
    loop {
        let mut response = agent
            .post(url)
            .header("Content-Type", "application/x-protobuf")
            .send(request)
            .with_context(|| format!("cannot reach {url}"))?;
        match response.status().as_u16() {
            200 => return Ok(()),
            429 | 503 => std::thread::sleep(RETRY_PAUSE),
            status => {
                let body = response.body_mut().read_to_vec()?;
                bail!("{url} answered {status}: {}", String::from_utf8_lossy(&body));
            }
        }
    }
}

fn read_files(files: &[String], progress: &ProgressBar, requests: &mpsc::Sender<Result<Vec<u8>>>) {
    for file in files {
        let mut give = |request: Result<Vec<u8>>| requests.blocking_send(request).is_ok();
        if let Err(error) = read_file(file, progress, &mut give) {
            give(Err(error.context(format!("cannot import {file}"))));
            return;
        }
    }
}

/// Gives the requests of one file; stops when `give` says that nobody wants more.
fn read_file(
    path: &str,
    progress: &ProgressBar,
    give: &mut dyn FnMut(Result<Vec<u8>>) -> bool,
) -> Result<()> {
    let file = BufReader::new(progress.wrap_read(File::open(path)?));
    let mut content = decompressed(file)?;
    let is_json = matches!(first_byte(&mut content)?, Some(b'{' | b'['));
    if !is_json {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        if !bytes.is_empty() {
            give(Ok(bytes));
        }
        return Ok(());
    }
    for document in serde_json::Deserializer::from_reader(content).into_iter::<Box<RawValue>>() {
        for request in document_to_otlp(document?.get())? {
            if !give(Ok(request)) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn decompressed(mut file: impl BufRead + 'static) -> Result<Box<dyn BufRead>> {
    let magic = file.fill_buf()?;
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)),
        _ => Box::new(file),
    })
}

/// The first byte that is not white space; it stays to be read, and so does what protobuf may
/// mean by white space.
fn first_byte(content: &mut dyn BufRead) -> Result<Option<u8>> {
    let start = content.fill_buf()?;
    Ok(start.iter().copied().find(|byte| !byte.is_ascii_whitespace()))
}
