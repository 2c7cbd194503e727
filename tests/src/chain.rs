//! A chain of real processes, each with a wrong clock of its own (`tests/chain`, and
//! `tests/sdk/python/gateway.py`).
//!
//! ```text
//! front ──► [gateway ──►] orders ──► stock
//!                           └── queue ──► worker
//! ```

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

use crate::{cli, environment};

/// Longest time in which what has to end may end: spans are exported then.
const END_MAX: Duration = Duration::from_secs(60);

/// How wrong a clock is.
#[derive(Debug, Clone, Copy, Default)]
pub struct WrongClock {
    /// Ahead of a right one when the chain starts.
    pub offset_ns: i64,
    /// What it gains, in parts per 1,000,000,000.
    pub drift_ppb: i64,
}

/// How much of tagging a service does: 0 nothing, 1 propagator, 2 spans too, 3 responses too.
pub type Level = u8;

/// The services of a chain.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Of `front`, `orders`, `stock`, `worker`.
    pub levels: [Level; 4],
    /// Of the same.
    pub clocks: [WrongClock; 4],
    /// The Python interpreter of a stock service between `front` and `orders`, if there is one.
    pub python: Option<PathBuf>,
    /// How many requests `front` sends.
    pub requests: u32,
    /// How many of them at once.
    pub concurrency: u32,
    /// Rest after each.
    pub pause: Duration,
}

/// The services, in the order of levels and clocks.
pub const SERVICES: [&str; 4] = ["front", "orders", "stock", "worker"];

/// How clocks were wrong in a chain that ran.
#[derive(Debug, Clone, Copy)]
pub struct Truth {
    clocks: [WrongClock; 4],
    drift_from_ns: i64,
}

impl Truth {
    /// How far the clock of a service was ahead at a moment of the clock that all share.
    pub fn offset_ns(&self, service: &str, monotonic_ns: i64) -> Option<i64> {
        let at = SERVICES.iter().position(|known| *known == service)?;
        let clock = self.clocks.get(at)?;
        let passed_ns = i128::from(monotonic_ns - self.drift_from_ns);
        let drifted = passed_ns * i128::from(clock.drift_ppb) / 1_000_000_000;
        Some(clock.offset_ns + i64::try_from(drifted).ok()?)
    }
}

impl Chain {
    /// Runs the chain to its end, when all spans are exported to this OTLP/HTTP endpoint.
    ///
    /// # Errors
    /// A process cannot be started, fails, or does not end.
    pub fn run(&self, otlp: &str, limit: Duration) -> Result<Truth> {
        let uptime_ns = uptime_ns()?;
        let now_ns = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
        let program = program()?;
        let role = |at: usize| {
            let mut command = Command::new(&program);
            let WrongClock { offset_ns, drift_ppb } = self.clocks[at];
            command.args([SERVICES[at], "--otlp", otlp]);
            command.arg(format!("--level={}", self.levels[at]));
            command.arg(format!("--origin-ns={}", now_ns - uptime_ns));
            command.arg(format!("--offset-ns={offset_ns}"));
            command.arg(format!("--drift-ppb={drift_ppb}"));
            command.arg(format!("--drift-from-ns={uptime_ns}"));
            command
        };
        let worker = Service::start(&mut role(3))?;
        let stock = Service::start(&mut role(2))?;
        let mut orders = role(1);
        orders.args(["--stock", &stock.address, "--worker", &worker.address]);
        let orders = Service::start(&mut orders)?;
        let gateway = match &self.python {
            Some(python) => Some(Service::start(&mut gateway(python, otlp, &orders.address))?),
            None => None,
        };
        let called = gateway.as_ref().map_or(&orders.address, |gateway| &gateway.address);
        let mut front = role(0);
        front.args(["--orders", called, "--requests", &self.requests.to_string()]);
        front.args(["--concurrency", &self.concurrency.to_string()]);
        front.args(["--pause-ms", &self.pause.as_millis().to_string()]);
        cli::run(&mut front, limit)?.success().context("front")?;
        // Callers first, or those they are connected to would wait for them.
        for service in gateway.into_iter().chain([orders, stock, worker]) {
            service.end()?;
        }
        Ok(Truth { clocks: self.clocks, drift_from_ns: uptime_ns })
    }
}

/// The program of the services, if it was built (`cargo build -p causeway-chain`).
///
/// # Errors
/// This test lies in no target folder.
pub fn program() -> Result<PathBuf> {
    environment::built("causeway-chain")
}

fn gateway(python: &PathBuf, otlp: &str, orders: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(environment::repository().join("tests/sdk/python/gateway.py"));
    command.args(["--endpoint", otlp, "--orders", orders]);
    command
}

/// About what the monotonic clock shows. Exactness does not matter: it is where wrong clocks begin.
fn uptime_ns() -> Result<i64> {
    let text = fs::read_to_string("/proc/uptime").context("how long the machine runs")?;
    let seconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok((seconds * 1e9) as i64)
}

/// A process that is killed when this is dropped.
#[derive(Debug)]
struct Service {
    name: String,
    address: String,
    child: Child,
}

impl Service {
    fn start(command: &mut Command) -> Result<Self> {
        let name = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        let mut service = Self { name, address: String::new(), child };
        let output = service.child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening ");
        service.address =
            address.with_context(|| format!("{} says {line:?}", service.name))?.to_owned();
        Ok(service)
    }

    /// Lets it export its spans and end.
    fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        match cli::wait(&mut self.child, END_MAX)? {
            Some(status) => ensure!(status.success(), "{} ended with {status}", self.name),
            None => bail!("{} does not end", self.name),
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already gone after `end`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
