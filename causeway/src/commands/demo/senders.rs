//! One sender a service: takes its exports and posts them to the server, one after the other, as an exporter does.
//!
//! What a server that is busy or away cannot take is offered again, with growing pauses, and given up after a minute.
//! While a sender waits its queue fills and the shop is held up; nothing piles up beyond that.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use causeway_testkit::shop::{Export, refused_spans};
use causeway_testkit::traffic;
use tokio::sync::mpsc;

use super::options::Options;
use crate::output;

/// Exports that wait for each sender.
const QUEUE_EXPORTS_MAX: usize = 8;
/// A request that takes longer is offered again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Pauses between attempts, from the first to the longest, and all of them together at most.
const PAUSE_LEAST: Duration = Duration::from_millis(200);
const PAUSE_MOST: Duration = Duration::from_secs(5);
const PAUSES_MAX: Duration = Duration::from_secs(60);

/// What became of what was sent.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Spans that the server took.
    pub(super) spans: AtomicU64,
    /// Spans that it refused.
    pub(super) refused: AtomicU64,
    /// Spans that were given up.
    pub(super) lost: AtomicU64,
    /// Requests that the server took.
    pub(super) requests: AtomicU64,
}

/// The senders of all services.
#[derive(Debug)]
pub(super) struct Senders {
    queues: Vec<(&'static str, mpsc::Sender<Export>)>,
    threads: Vec<thread::JoinHandle<()>>,
    pub(super) counts: Arc<Counts>,
}

#[derive(Debug, Clone)]
struct Target {
    agent: ureq::Agent,
    url: String,
    compresses: bool,
    counts: Arc<Counts>,
}

impl Senders {
    /// Starts a sender for each service, once the server has answered.
    ///
    /// # Errors
    /// The server cannot be reached, or does not take traces.
    pub(super) async fn start(options: &Options, services: &[&'static str]) -> Result<Self> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_TIMEOUT))
            .build()
            .into();
        let target = Target {
            agent,
            url: format!("{}/v1/traces", options.server),
            compresses: options.compresses,
            counts: Arc::default(),
        };
        let first = target.clone();
        tokio::task::spawn_blocking(move || first.greet()).await??;
        let mut senders =
            Self { queues: Vec::new(), threads: Vec::new(), counts: Arc::clone(&target.counts) };
        for service in services {
            let (queue, exports) = mpsc::channel(QUEUE_EXPORTS_MAX);
            let target = target.clone();
            let thread = thread::Builder::new().name(format!("demo-{service}"));
            senders.threads.push(thread.spawn(move || target.send_all(exports))?);
            senders.queues.push((service, queue));
        }
        Ok(senders)
    }

    /// Hands an export to the sender of its service; waits while that is busy.
    pub(super) async fn send(&self, service: &str, export: Export) -> Result<()> {
        let queue = self.queues.iter().find(|(name, _)| *name == service);
        let (_, queue) = queue.with_context(|| format!("no sender for {service}"))?;
        queue.send(export).await.with_context(|| format!("the sender of {service} has ended"))
    }

    /// Waits until everything was sent.
    pub(super) async fn finish(self) -> Result<Arc<Counts>> {
        drop(self.queues);
        let threads = self.threads;
        tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    bail!("a sender has ended early");
                }
            }
            Ok(())
        })
        .await??;
        Ok(self.counts)
    }
}

/// How an attempt went.
enum Answer {
    Taken { refused: u64 },
    Busy(String),
    Never(String),
}

impl Target {
    /// Sends nothing, to learn whether there is a server.
    fn greet(&self) -> Result<()> {
        match self.post(&[]) {
            Answer::Taken { .. } => Ok(()),
            Answer::Busy(reason) | Answer::Never(reason) => bail!(
                "{reason}; start a server with `causeway` in another terminal, or name one with --server"
            ),
        }
    }

    fn send_all(&self, mut exports: mpsc::Receiver<Export>) {
        while let Some(export) = exports.blocking_recv() {
            let spans = export.truth.len() as u64;
            match self.send(&traffic::encode(&export.request)) {
                Ok(refused) => {
                    self.counts.spans.fetch_add(spans.saturating_sub(refused), Ordering::Relaxed);
                    self.counts.refused.fetch_add(refused, Ordering::Relaxed);
                    self.counts.requests.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    let lost = self.counts.lost.fetch_add(spans, Ordering::Relaxed);
                    if lost == 0 {
                        output::error(&format!("spans were given up: {error:#}"));
                    }
                }
            }
        }
    }

    /// Gives how many spans the server refused.
    fn send(&self, body: &[u8]) -> Result<u64> {
        let compressed = if self.compresses { Some(gzip(body)?) } else { None };
        let body = compressed.as_deref().unwrap_or(body);
        let (mut pause, mut waited) = (PAUSE_LEAST, Duration::ZERO);
        loop {
            let reason = match self.post(body) {
                Answer::Taken { refused } => return Ok(refused),
                Answer::Never(reason) => bail!(reason),
                Answer::Busy(reason) => reason,
            };
            if waited >= PAUSES_MAX {
                bail!("{reason}, for a minute");
            }
            thread::sleep(pause);
            waited += pause;
            pause = (pause * 2).min(PAUSE_MOST);
        }
    }

    fn post(&self, body: &[u8]) -> Answer {
        let mut request =
            self.agent.post(&self.url).header("Content-Type", "application/x-protobuf");
        if self.compresses && !body.is_empty() {
            request = request.header("Content-Encoding", "gzip");
        }
        let mut response = match request.send(body) {
            Ok(response) => response,
            Err(error) => return Answer::Busy(format!("cannot reach {}: {error}", self.url)),
        };
        let status = response.status().as_u16();
        let answer = response.body_mut().read_to_vec().unwrap_or_default();
        match status {
            200 => Answer::Taken { refused: refused_spans(&answer) },
            429 | 502 | 503 | 504 => Answer::Busy(format!("{} answers {status}", self.url)),
            _ => {
                let text = String::from_utf8_lossy(&answer);
                Answer::Never(format!("{} answers {status}: {}", self.url, text.trim()))
            }
        }
    }
}

fn gzip(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}
