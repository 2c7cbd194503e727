//! The `causeway` binary: reads settings, runs one command, turns its end into an exit status.

mod addresses;
mod commands;
mod config;
mod listen;
mod operations;
mod output;
mod upload;

use std::process::ExitCode;

use anyhow::Result;
use clap::ArgMatches;

use crate::config::Config;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let matches = commands::cli().get_matches();
    match run(&matches) {
        Ok(code) => code,
        Err(error) => {
            output::error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(matches: &ArgMatches) -> Result<ExitCode> {
    let (name, arguments) = matches.subcommand().unwrap_or(("serve", matches));
    let config = Config::read(arguments, std::env::vars())?;
    output::start_logging(&config, name == "serve")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(commands::run(name, arguments, config))?;
    // Blocking work that a finished command left behind must not hold up the exit.
    runtime.shutdown_background();
    Ok(code)
}
