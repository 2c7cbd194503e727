//! Every chore of the project: `cargo xtask <command>`.
//!
//! One file per command, one line for it in [`Command`] and one in [`main`]. This crate stays small
//! (no Arrow, no DataFusion), because it is built before anything else.

mod arrows;
mod bench;
mod check;
mod docs;
mod findings;
mod report;
mod run;
mod sdk;
mod source;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Every chore of the project")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build and test everything: Rust, web UI, real SDKs, real browser
    Test(test::Options),
    /// Formatting, lints, licences, documentation, house rules
    Check(check::Options),
    /// Measure: builds for release and runs a benchmark
    Bench(bench::Options),
    /// Write generated files anew
    Gen(docs::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Test(options) => test::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Gen(options) => docs::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
