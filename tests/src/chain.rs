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
    /// Whether it is set while the chain runs.
    pub step: Option<Step>,
}

/// A clock that is set.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Since the first process was started.
    pub after: Duration,
    /// Forward, if positive.
    pub by_ns: i64,
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
    /// What a right clock shows when the one that all share shows 0.
    origin_ns: i64,
    drift_from_ns: i64,
}

impl Truth {
    /// How far the clock of a service is ahead at a moment of the clock that all share, as it goes
    /// on from before it is set, or from after that.
    pub fn offset_ns(&self, service: &str, monotonic_ns: i64, is_set: bool) -> Option<i64> {
        let clock = self.clock(service)?;
        let passed_ns = i128::from(monotonic_ns - self.drift_from_ns);
        let drifted = passed_ns * i128::from(clock.drift_ppb) / 1_000_000_000;
        let set_ns = clock.step.filter(|_| is_set).map_or(0, |step| step.by_ns);
        Some(clock.offset_ns + set_ns + i64::try_from(drifted).ok()?)
    }

    /// What the clock of a service shows at a moment of the clock that all share.
    pub fn shows_ns(&self, service: &str, monotonic_ns: i64) -> Option<i64> {
        let is_set = self.is_set(service, monotonic_ns);
        Some(self.origin_ns + monotonic_ns + self.offset_ns(service, monotonic_ns, is_set)?)
    }

    /// Whether the clock of a service was set by a moment of the clock that all share.
    pub fn is_set(&self, service: &str, monotonic_ns: i64) -> bool {
        let step = self.clock(service).and_then(|clock| clock.step);
        step.is_some_and(|step| monotonic_ns >= step_at_ns(self.drift_from_ns, step))
    }

    fn clock(&self, service: &str) -> Option<WrongClock> {
        let at = SERVICES.iter().position(|known| *known == service)?;
        self.clocks.get(at).copied()
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
        let origin_ns = now_ns - uptime_ns;
        let program = program()?;
        let role = |at: usize| {
            let mut command = Command::new(&program);
            let WrongClock { offset_ns, drift_ppb, step } = self.clocks[at];
            command.args([SERVICES[at], "--otlp", otlp]);
            command.arg(format!("--level={}", self.levels[at]));
            command.arg(format!("--origin-ns={origin_ns}"));
            command.arg(format!("--offset-ns={offset_ns}"));
            command.arg(format!("--drift-ppb={drift_ppb}"));
            command.arg(format!("--drift-from-ns={uptime_ns}"));
            if let Some(step) = step {
                command.arg(format!("--step-ns={}", step.by_ns));
                command.arg(format!("--step-at-ns={}", step_at_ns(uptime_ns, step)));
            }
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
        Ok(Truth { clocks: self.clocks, origin_ns, drift_from_ns: uptime_ns })
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

/// When a clock is set, of a chain that was started at this moment.
fn step_at_ns(started_ns: i64, step: Step) -> i64 {
    started_ns.saturating_add(i64::try_from(step.after.as_nanos()).unwrap_or(i64::MAX))
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
