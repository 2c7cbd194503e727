//! Benchmarks of a whole server, beside the yardsticks.
//!
//! `ingest` measures a server from outside, over OTLP/HTTP, and the decode floor in the same run, so
//! that its figures are ratios that survive a noisy machine. The server is Causeway, started here, or
//! any other that speaks OTLP. Run it through `cargo xtask bench`, which builds both for release.

mod disk;
mod floor;
mod http;
mod ingest;
mod latency;
mod load;
mod machine;
mod process;
mod report;
mod server;

use anyhow::Result;
use clap::Parser;

// The server's allocator, so that the decode floor is not raised by a slower one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Benchmarks of a whole server, beside the yardsticks.
#[derive(Debug, Parser)]
#[command(name = "causeway-bench")]
enum Command {
    /// What it costs to take spans in: CPU, memory, latency, disk.
    Ingest(ingest::IngestArgs),
}

#[expect(clippy::print_stdout, reason = "the report is this program's output")]
fn main() -> Result<()> {
    match Command::parse() {
        Command::Ingest(args) => print!("{}", ingest::run(&args)?),
    }
    Ok(())
}
