//! `cargo xtask bench`: builds the server and the benchmarks for release, and runs them.
//!
//! What is measured, and how, is in the `bench` crate and in docs/benchmarks.md.

use anyhow::Result;

use crate::run::{cargo, command, execute, target_dir};
use crate::sdk::executable;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Benchmark and its options, such as `ingest --spans 5000000`; `ingest --help` lists them
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    // Two calls: the server's dependencies must be built with the features that users get.
    execute(cargo().args(["build", "--release", "--package", "causeway"]))?;
    execute(cargo().args(["build", "--release", "--package", "causeway-bench"]))?;
    let built = |name| target_dir().join("release").join(executable(name));
    let mut bench = command(built("causeway-bench"));
    let (benchmark, arguments) = options.arguments.split_at(1);
    bench.args(benchmark);
    let is_elsewhere = options.arguments.iter().any(|argument| argument.starts_with("--endpoint"));
    let names_binary = options.arguments.iter().any(|argument| argument.starts_with("--bin"));
    if !is_elsewhere && !names_binary {
        bench.arg("--bin").arg(built("causeway"));
    }
    // Last, because they may end with arguments for the server.
    execute(bench.args(arguments))
}
