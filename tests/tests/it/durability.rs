//! What was acknowledged is there, exactly once, whatever happens to process, file or disk.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use causeway_tests::http::{self, PROTOBUF};
use causeway_tests::random::{self, Random};
use causeway_tests::server::Server;
use causeway_tests::{cli, environment, grpc, otlp};
use prost::Message;
use tempfile::TempDir;

const SENDERS: u64 = 6;

/// What senders and the killer share.
#[derive(Debug, Default)]
struct World {
    /// Where to send; none while there is no server.
    url: Mutex<Option<String>>,
    acknowledged: Mutex<HashSet<u64>>,
    stop: AtomicBool,
}

impl World {
    fn set_url(&self, url: Option<String>) {
        *self.url.lock().unwrap_or_else(PoisonError::into_inner) = url;
    }

    fn url(&self) -> Option<String> {
        self.url.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn acknowledged(&self) -> HashSet<u64> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends requests one after another; each until it is acknowledged, always with the same bytes.
    /// Returns how often it had to resend.
    fn send_all(&self, sender: u64, mut random: Random) -> Result<u64> {
        let agent = http::agent();
        let (mut next_id, mut resent) = ((sender + 1) << 40, 0);
        while !self.stop.load(Ordering::Acquire) {
            let count = if random.between(0, 30) == 0 {
                random.between(50, 400)
            } else {
                random.between(1, 5)
            };
            let body = otlp::encoded("killed", next_id, count);
            let deadline = Instant::now() + Duration::from_secs(120);
            while !self.is_acknowledged(&agent, &body)? {
                ensure!(Instant::now() < deadline, "not acknowledged for two minutes");
                resent += 1;
                thread::sleep(Duration::from_millis(random.between(5, 30)));
            }
            let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
            acknowledged.extend(next_id..next_id + count);
            drop(acknowledged);
            next_id += count;
            thread::sleep(Duration::from_millis(random.between(0, 12)));
        }
        Ok(resent)
    }

    fn is_acknowledged(&self, agent: &ureq::Agent, body: &[u8]) -> Result<bool> {
        let Some(url) = self.url() else {
            return Ok(false);
        };
        match http::post_by(agent, &url, &[("content-type", PROTOBUF)], body) {
            Ok(answer) if answer.status == 200 => Ok(true),
            Ok(answer) if [429, 503].contains(&answer.status) => Ok(false),
            Ok(answer) => bail!("status {}: {}", answer.status, answer.text()),
            // The server was killed; whether it stored the request is unknown.
            Err(_) => Ok(false),
        }
    }
}

/// Every acknowledged span is stored, and no span twice.
fn ensure_exactly_once(server: &Server, acknowledged: &HashSet<u64>) -> Result<usize> {
    let mut counts: HashMap<u64, u64> = HashMap::new();
    for id in server.sql_column("SELECT span_id FROM spans")? {
        *counts.entry(u64::from_str_radix(&id, 16).context(id)?).or_default() += 1;
    }
    let lost: Vec<_> = acknowledged.iter().filter(|id| !counts.contains_key(id)).collect();
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    ensure!(
        lost.is_empty(),
        "{} of {} acknowledged spans are lost, such as {:x}",
        lost.len(),
        acknowledged.len(),
        lost[0]
    );
    ensure!(
        doubled.is_empty(),
        "{} spans are there more than once, such as {:x?}",
        doubled.len(),
        doubled[0]
    );
    Ok(counts.len())
}

/// Scenario: a server is killed again and again, while it receives, flushes, and sometimes while it
/// starts; senders resend whatever was not answered. Guarantee: every acknowledged span is stored
/// exactly once, after every restart.
#[test]
fn killed_server_loses_and_doubles_nothing() -> Result<()> {
    let rounds = environment::number("CAUSEWAY_KILL_ROUNDS")?
        .unwrap_or(if environment::is_quick() { 5 } else { 30 });
    let seed = random::seed()?;
    kill_rounds(rounds, seed).with_context(|| format!("with CAUSEWAY_SEED={seed}"))
}

fn kill_rounds(rounds: u64, seed: u64) -> Result<()> {
    let started = Instant::now();
    let dir = TempDir::new()?;
    let mut random = Random::new(seed);
    let world = Arc::new(World::default());
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (world, random) = (Arc::clone(&world), Random::new(seed ^ sender));
            thread::spawn(move || world.send_all(sender, random))
        })
        .collect();
    let killed: Result<usize> = (0..rounds)
        .map(|round| {
            kill_round(&world, dir.path(), &mut random)
                .with_context(|| format!("round {round} of {rounds}"))
        })
        .sum();
    let last = killed.and_then(|unanswered| Ok((unanswered, Server::start(dir.path(), &[])?)));
    world.stop.store(true, Ordering::Release);
    let (unanswered, server) = last?;
    world.set_url(Some(server.traces_url()));
    let mut resent = 0;
    for sender in senders {
        resent += sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
    }
    let acknowledged = world.acknowledged();
    assert_eq!(
        ensure_exactly_once(&server, &acknowledged)?,
        acknowledged.len(),
        "nothing else is stored"
    );
    ensure!(
        acknowledged.len() as u64 > rounds * 100,
        "only {} spans: too little load",
        acknowledged.len()
    );
    // Else the kills never fell between storing and answering, and resending was not tested.
    ensure!(unanswered > 0 || rounds < 30, "no kill left a request stored but not acknowledged");
    server.stop()?;
    let (code, output) = verify(dir.path())?;
    assert_eq!(code, Some(0), "{output}");
    let (spans, took) = (acknowledged.len(), started.elapsed());
    environment::report(&format!(
        "{rounds} kills, {spans} spans, {unanswered} of them stored before they could be acknowledged, \
         {resent} resent requests, {took:?}"
    ))
}

/// Starts, checks, lets senders work, kills. Returns how many spans were stored and not acknowledged.
fn kill_round(world: &World, dir: &Path, random: &mut Random) -> Result<usize> {
    if random.between(0, 6) == 0 {
        kill_while_it_starts(dir, Duration::from_millis(random.between(1, 200)))?;
    }
    let interval = ["100ms", "250ms", "1s"][random.between(0, 3) as usize];
    let server = Server::start(dir, &["--flush-interval", interval])?;
    let acknowledged = world.acknowledged();
    let unanswered = ensure_exactly_once(&server, &acknowledged)? - acknowledged.len();
    world.set_url(Some(server.traces_url()));
    thread::sleep(Duration::from_millis(random.between(20, 1400)));
    server.kill()?;
    world.set_url(None);
    Ok(unanswered)
}

fn kill_while_it_starts(dir: &Path, after: Duration) -> Result<()> {
    let mut command = environment::causeway_command()?;
    command.arg("serve").arg("--data-dir").arg(dir);
    for address in ["--otlp-grpc-addr", "--otlp-http-addr", "--http-addr"] {
        command.args([address, "127.0.0.1:0"]);
    }
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    thread::sleep(after);
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Scenario: a request is sent again after a stop, after a kill, and cut in another way.
/// Guarantee: its spans are stored once.
#[test]
fn resent_spans_are_recognised_across_restarts() -> Result<()> {
    let dir = TempDir::new()?;
    let spans: Vec<_> = (1..=40).map(|id| otlp::span(7, id)).collect();
    let body = otlp::request("shop", spans.clone()).encode_to_vec();
    let server = Server::start(dir.path(), &[])?;
    server.send(&body)?;
    server.stop()?;
    let server = Server::start(dir.path(), &[])?;
    server.send(&body)?;
    server.send(&otlp::encoded("shop", 1000, 1))?;
    server.kill()?;
    let server = Server::start(dir.path(), &[])?;
    server.send(&body)?;
    server.send(&otlp::request("shop", spans[10..30].to_vec()).encode_to_vec())?;
    assert_eq!(server.sql_count("SELECT count(*) FROM spans")?, 41);
    assert_eq!(
        server.trace(&otlp::hex(&7u128.to_be_bytes()))?.resource_spans[0].scope_spans[0]
            .spans
            .len(),
        40
    );
    Ok(())
}

/// A killed server with `requests` requests of one span each in its log, and their bodies.
fn killed_with_a_log(dir: &Path, requests: u64) -> Result<Vec<Vec<u8>>> {
    let server = Server::start(dir, &["--flush-interval", "1h"])?;
    let bodies: Vec<_> =
        (0..requests).map(|nth| otlp::encoded(&format!("victim-{nth}"), 1 + nth, 1)).collect();
    for body in &bodies {
        server.send(body)?;
    }
    server.kill()?;
    Ok(bodies)
}

fn segment(dir: &Path) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir.join("log"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log")
            && path.metadata()?.len() > 100
        {
            found.push(path);
        }
    }
    ensure!(found.len() == 1, "segments: {found:?}");
    found.pop().context("a segment")
}

fn verify(dir: &Path) -> Result<(Option<i32>, String)> {
    let verified = cli::causeway(&["verify", "--data-dir", &dir.display().to_string()])?;
    Ok((verified.status.code(), verified.output()))
}

/// Scenario: the last write of the log ends in the middle of a record. Guarantee: it is told and no
/// damage, everything before it loads, and the same request is stored when it is sent again.
#[test]
fn torn_log_tail_is_recoverable() -> Result<()> {
    let dir = TempDir::new()?;
    let bodies = killed_with_a_log(dir.path(), 10)?;
    let segment = segment(dir.path())?;
    OpenOptions::new().write(true).open(&segment)?.set_len(segment.metadata()?.len() - 7)?;
    let (code, output) = verify(dir.path())?;
    assert_eq!(code, Some(0), "{output}");
    ensure!(
        output.contains(&segment.display().to_string()) && output.contains("recoverable"),
        "{output}"
    );

    let server = Server::start(dir.path(), &[])?;
    let ids: HashSet<u64> = (1..10).collect();
    assert_eq!(ensure_exactly_once(&server, &ids)?, 9);
    server.send(&bodies[9])?;
    server.kill()?;
    let server = Server::start(dir.path(), &[])?;
    assert_eq!(ensure_exactly_once(&server, &(1..11).collect())?, 10);
    server.stop()?;
    assert_eq!(verify(dir.path())?.0, Some(0));
    Ok(())
}

/// Scenario: one byte of an acknowledged request flips in the log. Guarantee: file and place are
/// named, every other request loads, and the lost one is stored when it is sent again.
#[test]
fn flipped_byte_in_the_log_costs_one_request_and_is_told() -> Result<()> {
    let dir = TempDir::new()?;
    let bodies = killed_with_a_log(dir.path(), 10)?;
    let segment = segment(dir.path())?;
    let mut bytes = fs::read(&segment)?;
    let at = bytes
        .windows(8)
        .position(|window| window == b"victim-4")
        .context("the request in the log")?;
    bytes[at] ^= 0x20;
    fs::write(&segment, bytes)?;
    let (code, output) = verify(dir.path())?;
    assert_eq!(code, Some(1), "{output}");
    ensure!(
        output.contains(&segment.display().to_string()) && output.contains("at byte"),
        "{output}"
    );

    let server = Server::start(dir.path(), &[])?;
    let others: HashSet<u64> = (1..=10).filter(|id| *id != 5).collect();
    assert_eq!(ensure_exactly_once(&server, &others)?, 9);
    server.send(&bodies[4])?;
    assert_eq!(ensure_exactly_once(&server, &(1..11).collect())?, 10);
    server.stop()?;
    // Restarting does not make the damage forgotten.
    let (code, output) = verify(dir.path())?;
    assert_eq!(code, Some(1), "{output}");
    Ok(())
}

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Result<Option<Self>> {
        let dir = TempDir::new()?;
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(dir.path());
        if !environment::has_program("mount")
            || !cli::run(&mut command, Duration::from_secs(10))?.status.success()
        {
            return Ok(None);
        }
        Ok(Some(Self(dir)))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mut command = Command::new("umount");
        let _ = cli::run(command.arg("-l").arg(self.0.path()), Duration::from_secs(10));
    }
}

/// Takes all space that is left.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    for block_bytes in [1 << 16, 1 << 10] {
        while file.write_all(&vec![1; block_bytes]).is_ok() {}
    }
    Ok(())
}

/// Scenario: the disk is full for a while, flushes included. Guarantee: senders are told to retry,
/// `/readyz` tells why, the same process recovers, and what was acknowledged is stored exactly once.
#[test]
fn full_disk_refuses_and_recovers_without_a_restart() -> Result<()> {
    let Some(disk) = SmallDisk::mount("24m")? else {
        return environment::skipped("full disk: mounting a tmpfs is not permitted here");
    };
    let dir = disk.0.path().join("data");
    fs::create_dir(&dir)?;
    let server = Server::start(&dir, &["--flush-interval", "1s"])?;
    let bodies: Vec<_> = (0..60).map(|nth| otlp::encoded("shop", 1 + nth * 100, 100)).collect();
    let mut acknowledged: HashSet<u64> = HashSet::new();
    let mut refused = Vec::new();
    for (nth, body) in bodies.iter().enumerate() {
        if nth == 10 {
            fill(&disk.0.path().join("ballast"))?;
        }
        let first = 1 + nth as u64 * 100;
        match server.post_traces(body)? {
            answer if answer.status == 200 => acknowledged.extend(first..first + 100),
            answer => {
                assert_eq!(answer.status, 503, "{}", answer.text());
                ensure!(answer.headers.contains_key("retry-after"), "no Retry-After");
                refused.push((first, body));
            }
        }
    }
    ensure!(acknowledged.len() >= 1000 && refused.len() > 20, "{} refused", refused.len());
    let ready = server.get("/readyz")?;
    assert_eq!(ready.status, 503);
    ensure!(ready.text().contains("log"), "{}", ready.text());
    assert_eq!(grpc::export(&server.addresses.otlp_grpc, refused[0].1)?, 14);
    ensure_exactly_once(&server, &acknowledged)?;

    fs::remove_file(disk.0.path().join("ballast"))?;
    let freed = Instant::now();
    while server.get("/readyz")?.status != 200 {
        ensure!(freed.elapsed() < Duration::from_secs(20), "not ready 20 s after space returned");
        thread::sleep(Duration::from_millis(50));
    }
    for (first, body) in refused {
        server.send(body)?;
        acknowledged.extend(first..first + 100);
    }
    assert_eq!(ensure_exactly_once(&server, &acknowledged)?, 6000);
    server.kill()?;
    let server = Server::start(&dir, &[])?;
    assert_eq!(ensure_exactly_once(&server, &acknowledged)?, 6000);
    server.stop()?;
    let (code, output) = verify(&dir)?;
    assert_eq!(code, Some(0), "{output}");
    Ok(())
}
