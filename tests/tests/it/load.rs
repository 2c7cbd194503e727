//! Many connections, and senders faster than the disk: bounded memory, nothing acknowledged lost.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use causeway_tests::http::{self, PROTOBUF};
use causeway_tests::server::Server;
use causeway_tests::{environment, otlp};
use tempfile::TempDir;

/// The budget for ingest alone, from the design.
const MEMORY_BYTES_MAX: u64 = 400 << 20;

const CONNECTIONS: u64 = 1_000;
const THREADS: u64 = 8;

/// Open files that the client needs for 2,000 connections, with some to spare.
const FILES_NEEDED: u64 = 2_200;

/// One kept-alive connection of a sender that does not wait for answers of others.
struct Connection(TcpStream);

impl Connection {
    fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    fn send(&mut self, body: &[u8]) -> Result<()> {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.write_all(&[head.as_bytes(), body].concat()).context("send")
    }

    /// The status of one answer with a Content-Length.
    fn status(&mut self) -> Result<u16> {
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&received).to_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.unwrap_or("0").parse()?;
                if body.len() >= length {
                    return Ok(head.split(' ').nth(1).context("no status")?.parse()?);
                }
            }
            match self.0.read(&mut buffer).context("receive")? {
                0 => bail!("the connection was closed"),
                count => received.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

fn open_files_max() -> Result<u64> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .context("no limit of open files")?;
    Ok(line.split_whitespace().nth(3).context("soft limit")?.parse().unwrap_or(u64::MAX))
}

/// Scenario: small requests over 1,000 connections at once, with 1,000 idle ones beside.
/// Guarantee: every one is acknowledged and stored once, memory stays in its budget, and the idle
/// connections still work.
#[test]
fn thousand_busy_and_thousand_idle_connections() -> Result<()> {
    if environment::is_quick() {
        return environment::skipped("1,000 connections: CAUSEWAY_QUICK is set");
    }
    let files_max = open_files_max()?;
    if files_max < FILES_NEEDED {
        return environment::missing_tool(&format!(
            "1,000 connections: {files_max} open files are allowed; raise the limit with ulimit -n {FILES_NEEDED}"
        ));
    }
    let requests: u64 = if environment::is_full() { 100_000 } else { 20_000 };
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    let address = server.addresses.otlp_http.clone();
    let idle_since = Instant::now();
    let mut idle =
        (0..CONNECTIONS).map(|_| Connection::open(&address)).collect::<Result<Vec<_>>>()?;

    let barrier = Barrier::new(THREADS as usize);
    let failures: Mutex<Vec<anyhow::Error>> = Mutex::default();
    let started = Instant::now();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (address, barrier, failures) = (&address, &barrier, &failures);
            scope.spawn(move || {
                if let Err(error) = send_over_many(address, thread, requests / CONNECTIONS, barrier)
                {
                    failures.lock().map(|mut failures| failures.push(error)).unwrap_or_default();
                }
            });
        }
    });
    let took = started.elapsed();
    if let Some(error) = failures.into_inner().unwrap_or_default().pop() {
        return Err(error);
    }
    // Beyond a minute, the server may close what is idle.
    let idle_spans = if idle_since.elapsed() < Duration::from_secs(50) { CONNECTIONS } else { 0 };
    for (nth, connection) in (0..idle_spans).zip(&mut idle) {
        connection.send(&otlp::encoded("idle", (1 << 50) + nth, 1))?;
        assert_eq!(connection.status().context("an idle connection")?, 200);
    }
    let memory = server.memory_peak_bytes()?;
    assert_eq!(server.sql_count("SELECT count(*) FROM spans")?, requests + idle_spans);
    assert_eq!(
        server.sql_count("SELECT count(DISTINCT span_id) FROM spans")?,
        requests + idle_spans
    );
    ensure!(memory < MEMORY_BYTES_MAX, "{memory} bytes of memory");
    environment::report(&format!(
        "{requests} requests over {CONNECTIONS} connections in {took:?}, peak memory {} MiB",
        memory >> 20
    ))
}

fn send_over_many(address: &str, thread: u64, rounds: u64, barrier: &Barrier) -> Result<()> {
    let count = CONNECTIONS / THREADS;
    let opened: Result<Vec<_>> = (0..count).map(|_| Connection::open(address)).collect();
    // All connections are open before the first request.
    barrier.wait();
    let mut connections = opened?;
    let mut next_id = (thread + 1) << 40;
    for _ in 0..rounds {
        for connection in &mut connections {
            connection.send(&otlp::encoded("busy", next_id, 1))?;
            next_id += 1;
        }
        for connection in &mut connections {
            assert_eq!(connection.status()?, 200);
        }
    }
    Ok(())
}

/// Scenario: eight senders push far more than `recent-bytes-max` as fast as they can and resend what
/// is refused. Guarantee: they are held back with Retry-After, memory stays small, all arrives once.
#[test]
fn senders_faster_than_the_disk_are_held_back() -> Result<()> {
    const SENDERS: u64 = 8;
    const REQUESTS: u64 = 40;
    const SPANS: u64 = 500;
    let dir = TempDir::new()?;
    let server =
        Server::start(dir.path(), &["--recent-bytes-max", "4MiB", "--flush-interval", "1s"])?;
    let (held_back, url) = (AtomicU64::new(0), server.traces_url());
    let send_all = &|sender: u64| -> Result<()> {
        let agent = http::agent();
        for nth in 0..REQUESTS {
            let body = otlp::encoded("fast", ((sender + 1) << 40) + nth * SPANS, SPANS);
            let deadline = Instant::now() + Duration::from_secs(60);
            loop {
                let answer = http::post_by(&agent, &url, &[("content-type", PROTOBUF)], &body)?;
                if answer.status == 200 {
                    break;
                }
                ensure!(
                    [429, 503].contains(&answer.status),
                    "status {}: {}",
                    answer.status,
                    answer.text()
                );
                let pause =
                    answer.headers.get("retry-after").context("no Retry-After")?.to_str()?;
                ensure!(
                    pause.parse::<u64>().is_ok_and(|seconds| seconds <= 60),
                    "Retry-After: {pause}"
                );
                ensure!(Instant::now() < deadline, "held back for a minute: {}", answer.text());
                held_back.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    };
    let started = Instant::now();
    let results: Vec<Result<()>> = thread::scope(|scope| {
        let senders: Vec<_> =
            (0..SENDERS).map(|sender| scope.spawn(move || send_all(sender))).collect();
        let join = |sender: thread::ScopedJoinHandle<'_, Result<()>>| {
            sender.join().unwrap_or_else(|_| bail!("a sender panicked"))
        };
        senders.into_iter().map(join).collect()
    });
    results.into_iter().collect::<Result<Vec<()>>>()?;
    let (held_back, took) = (held_back.into_inner(), started.elapsed());
    ensure!(held_back > 0, "nobody was held back");
    let memory = server.memory_peak_bytes()?;
    ensure!(memory < MEMORY_BYTES_MAX, "{memory} bytes of memory");
    server.kill()?;
    let server = Server::start(dir.path(), &[])?;
    assert_eq!(server.sql_count("SELECT count(*) FROM spans")?, SENDERS * REQUESTS * SPANS);
    assert_eq!(
        server.sql_count("SELECT count(DISTINCT span_id) FROM spans")?,
        SENDERS * REQUESTS * SPANS
    );
    environment::report(&format!(
        "{} spans against 4 MiB in {took:?}, held back {held_back} times, peak memory {} MiB",
        SENDERS * REQUESTS * SPANS,
        memory >> 20
    ))
}
