//! Benchmarks of a whole server, beside the yardsticks.
//!
//! `ingest` measures a server from outside, over OTLP/HTTP, and the decode floor in the same run, so
//! that its figures are ratios that survive a noisy machine. The server is Causeway, started here, or
//! any other that speaks OTLP. `fill` makes a day of history; `lookup`, `search` and `aggregate` ask
//! about it and check the answers. Run it through `cargo xtask bench`, which builds both for release.

mod aggregate;
mod compaction;
mod disk;
mod figures;
mod fill;
mod floor;
mod growth;
mod http;
mod ingest;
mod latency;
mod load;
mod lookup;
mod machine;
mod manifest;
mod metrics;
mod offsets;
mod process;
mod replay;
mod report;
mod search;
mod server;
mod startup;
mod target;

use anyhow::Result;
use clap::Parser;

// The server's allocator, so that the decode floor is not raised by a slower one.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Benchmarks of a whole server, beside the yardsticks.
#[derive(Debug, Parser)]
#[command(name = "causeway-bench")]
enum Command {
    /// What it costs to take spans in: CPU, memory, latency, disk.
    Ingest(ingest::IngestArgs),
    /// Fills a folder with a day of traffic, which the next four use.
    Fill(fill::FillArgs),
    /// Traces by id.
    Lookup(lookup::LookupArgs),
    /// Pages of traces by attribute and order.
    Search(search::SearchArgs),
    /// SQL over every span.
    Aggregate(aggregate::AggregateArgs),
    /// Merging the files of a filled folder.
    Compaction(target::TargetArgs),
    /// From exec to ready, with many files and with a long log.
    Startup(startup::StartupArgs),
    /// What twice the data cost.
    Growth(growth::GrowthArgs),
}

#[expect(clippy::print_stdout, reason = "the report is this program's output")]
fn main() -> Result<()> {
    let report = match Command::parse() {
        Command::Ingest(args) => ingest::run(&args)?,
        Command::Fill(args) => fill::run(&args)?,
        Command::Lookup(args) => lookup::run(&args)?,
        Command::Search(args) => search::run(&args)?,
        Command::Aggregate(args) => aggregate::run(&args)?,
        Command::Compaction(args) => compaction::run(&args)?,
        Command::Startup(args) => startup::run(&args)?,
        Command::Growth(args) => growth::run(&args)?,
    };
    print!("{report}");
    Ok(())
}
