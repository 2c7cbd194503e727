//! One service of a chain, as its own process with its own clock; tests start four of them.
//!
//! ```text
//! front ── HTTP ──► orders ── gRPC ──► stock
//!                     └── queue ──► worker
//! ```
//!
//! Every role is set up as its users would: a stock SDK and stock exporter, with as much of
//! `causeway-hlc` as `--level` says. The clock is wrong by what `--offset-ns` and `--drift-ppb`
//! say, and is set by `--step-ns` at `--step-at-ns`. `truth` notes in attributes when things really happened; whoever passes the spans on
//! takes these out. A server prints `listening ADDRESS`, and ends when its standard input does.

mod clock;
mod front;
mod orders;
mod process;
mod queue;
mod stock;
mod truth;
mod worker;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

use process::Process;

/// Which part of the chain a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Front,
    Orders,
    Stock,
    Worker,
}

/// One service of a chain.
#[derive(Debug, Parser)]
#[command(version)]
struct Settings {
    role: Role,
    /// 0: stock SDK, 1: propagator, 2: processor too, 3: response layers too
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
    level: u8,
    /// Base URL of OTLP over HTTP
    #[arg(long)]
    otlp: String,
    /// What a right clock shows when the monotonic clock of the machine shows 0
    #[arg(long)]
    origin_ns: i64,
    /// How far the clock is ahead when the monotonic clock shows `--drift-from-ns`
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    offset_ns: i64,
    /// What the clock gains, in parts per 1,000,000,000
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    drift_ppb: i64,
    #[arg(long, default_value_t = 0)]
    drift_from_ns: i64,
    /// By how much the clock is set
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    step_ns: i64,
    /// When that is, on the monotonic clock
    #[arg(long, default_value_t = i64::MAX)]
    step_at_ns: i64,
    /// front: whom to call
    #[arg(long)]
    orders: Option<SocketAddr>,
    /// orders: whom to call
    #[arg(long)]
    stock: Option<SocketAddr>,
    /// orders: whom to send messages to
    #[arg(long)]
    worker: Option<SocketAddr>,
    /// front: how many requests
    #[arg(long, default_value_t = 1)]
    requests: u32,
    /// front: how many of them at once
    #[arg(long, default_value_t = 1)]
    concurrency: u32,
    /// front: rest between requests
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
}

fn main() -> anyhow::Result<()> {
    let settings = Settings::parse();
    // Outside of the runtime, in which the blocking client of the exporter cannot be made.
    let process = Arc::new(Process::new(&settings)?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(play(&settings, Arc::clone(&process)));
    drop(runtime);
    process.close()?;
    done
}

async fn play(settings: &Settings, process: Arc<Process>) -> anyhow::Result<()> {
    match settings.role {
        Role::Front => front::run(settings, process).await,
        Role::Orders => orders::serve(settings, process).await,
        Role::Stock => stock::serve(process).await,
        Role::Worker => worker::serve(process).await,
    }
}

/// A port of its own, which standard output tells.
async fn listen() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut output = io::stdout().lock();
    writeln!(output, "listening {}", listener.local_addr()?)?;
    output.flush()?;
    Ok(listener)
}

/// Ends when standard input does: when whoever started this process wants it to, or is gone.
async fn told_to_end() {
    // Whatever went wrong, waiting on would keep a process that nobody can end.
    let _ = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await;
}
