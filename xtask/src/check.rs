//! `cargo xtask check`: everything about the source that is not a test.

use std::process::Stdio;

use anyhow::{Context, Result};

use crate::report::Report;
use crate::run::{cargo, execute, output};
use crate::{docs, tidy, tools};

/// Which steps to take.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Steps to take; all of them if none is named
    #[arg(value_enum)]
    steps: Vec<Step>,
    /// Install cargo-deny if it is missing
    #[arg(long)]
    install: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// Formatting
    Fmt,
    /// House rules and arrows between crates
    Tidy,
    /// Clippy, warnings denied
    Clippy,
    /// Rust documentation, warnings denied
    Doc,
    /// Generated documents are as the code says
    Generated,
    /// Licences, sources and advisories of dependencies
    Deny,
}

/// The quick ones first.
const STEPS: &[Step] =
    &[Step::Fmt, Step::Tidy, Step::Clippy, Step::Doc, Step::Generated, Step::Deny];

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    let is_wanted = |step| options.steps.is_empty() || options.steps.contains(step);
    for step in STEPS.iter().filter(|step| is_wanted(step)) {
        match step {
            Step::Fmt => report.step("formatting", || plainly(&["fmt", "--all", "--check"])),
            Step::Tidy => report.step("house rules", tidy::check),
            Step::Clippy => report.step("clippy", clippy),
            Step::Doc => report.step("Rust documentation", rust_docs),
            Step::Generated => report.step("generated documents", docs::check),
            Step::Deny => deny(options, &mut report),
        };
    }
    report.close("cargo xtask check")
}

fn plainly(arguments: &[&str]) -> Result<String> {
    execute(cargo().args(arguments))?;
    Ok(String::new())
}

fn clippy() -> Result<String> {
    let lint = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    plainly(&lint)
}

fn rust_docs() -> Result<String> {
    let document = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    execute(cargo().args(document).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(String::new())
}

fn deny(options: &Options, report: &mut Report) -> bool {
    let step = "cargo deny";
    let is_installed =
        || output(cargo().args(["deny", "--version"]).stderr(Stdio::null())).is_some();
    if !is_installed() && options.install {
        let installed = plainly(&["install", "--locked", "cargo-deny"]).context(step);
        if let Err(error) = installed {
            report.fail(step, &format!("{error:#}"));
            return false;
        }
    }
    if !is_installed() {
        let why = "cargo-deny is not installed; `cargo xtask check --install` does it";
        tools::missing(report, step, why);
        return false;
    }
    report.step(step, || plainly(&["deny", "check"]))
}
