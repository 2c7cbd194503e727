//! `growth`: fill, lookup, search and aggregate on folders that double in size, and what each doubling costs.

use std::env;
use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use crate::figures::Figures;
use crate::fill::{Shape, fill};
use crate::machine::Machine;
use crate::report::note;
use crate::server::Launch;
use crate::target::measured;
use crate::{aggregate, lookup, search};

const LOOKUPS: usize = 1_000;
const WARM_UP: usize = 300;
const SEARCHES: usize = 10;
const AGGREGATIONS: usize = 3;

/// How far to go.
#[derive(Debug, Args)]
pub(crate) struct GrowthArgs {
    /// The Causeway to start, on free ports
    #[arg(long)]
    pub(crate) bin: PathBuf,
    /// Where to make the folders, one at a time [default: the system's temporary folder]
    #[arg(long)]
    pub(crate) scratch_dir: Option<PathBuf>,
    /// Spans of the smallest folder
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) min: usize,
    /// Spans of the largest folder, at most
    #[arg(long, default_value_t = 16_000_000)]
    pub(crate) max: usize,
    /// More arguments for the started servers
    #[arg(last = true)]
    pub(crate) server_args: Vec<String>,
}

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &GrowthArgs) -> Result<String> {
    ensure!(args.min > 0 && args.max >= args.min, "--max must not be less than --min");
    let scratch_dir = args.scratch_dir.clone().unwrap_or_else(env::temp_dir);
    let mut sizes = Vec::new();
    let mut spans = args.min;
    while spans <= args.max {
        note(format_args!("{spans} spans"));
        let folder =
            tempfile::Builder::new().prefix("causeway-growth-").tempdir_in(&scratch_dir)?;
        let data_dir = folder.path().join("day");
        let launch = Launch {
            bin: &args.bin,
            data_dir: Some(&data_dir),
            scratch_dir: &scratch_dir,
            extra: &args.server_args,
        };
        sizes.push((spans, one_size(launch, spans)?));
        spans *= 2;
    }
    let machine = Machine::here(&scratch_dir);
    Ok(format!("# Growth\n\nOn {machine}.\n\n{}", table(&sizes)?))
}

fn one_size(launch: Launch<'_>, spans: usize) -> Result<Figures> {
    let shape = Shape { spans, hours: 24, connections: 2, batch: 500, seed: 1 };
    let mut all = Figures::default();
    all.extend(fill(launch, &shape)?.named("fill"));
    all.extend(measured(launch, |target| {
        let mut figures = lookup::measure(target, LOOKUPS, WARM_UP)?.named("lookup");
        figures.extend(search::measure(target, SEARCHES)?.named("search"));
        figures.extend(aggregate::measure(target, AGGREGATIONS)?.named("aggregate"));
        Ok(figures)
    })?);
    Ok(all)
}

/// One row per figure: its value at each size, and behind it the ratio to the size before.
fn table(sizes: &[(usize, Figures)]) -> Result<String> {
    let mut out = String::from("| what |");
    for (spans, _) in sizes {
        write!(out, " {spans} spans | ratio |")?;
    }
    writeln!(out, "\n|---|{}", "---:|---:|".repeat(sizes.len()))?;
    let Some((_, smallest)) = sizes.first() else { return Ok(out) };
    for (what, _) in smallest.values() {
        write!(out, "| {what} |")?;
        let mut before: Option<f64> = None;
        for (_, figures) in sizes {
            let value = figures.value(what);
            match value {
                Some(value) => write!(out, " {value:.2} |")?,
                None => write!(out, " - |")?,
            }
            match value.zip(before).filter(|(_, before)| *before != 0.0) {
                Some((value, before)) => write!(out, " {:.2} |", value / before)?,
                None => write!(out, " |")?,
            }
            before = value;
        }
        writeln!(out)?;
    }
    let wrong: usize = sizes.iter().map(|(_, figures)| figures.wrong_count()).sum();
    writeln!(out, "\nAnswers that were wrong: {wrong}.")?;
    for (spans, figures) in sizes {
        for fault in figures.faults() {
            writeln!(out, "\n**Wrong at {spans} spans: {fault}**")?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_size_before() -> Result<()> {
        let figures = |ms: f64| {
            let mut figures = Figures::default();
            figures.add("p50, ms", ms, 2);
            figures.named("lookup")
        };
        let mut faulty = figures(3.0);
        faulty.wrong("one is missing");
        let table = table(&[(1, figures(1.0)), (2, figures(2.0)), (4, faulty)])?;
        assert!(
            table.contains("| lookup: p50, ms | 1.00 | | 2.00 | 2.00 | 3.00 | 1.50 |"),
            "{table}"
        );
        assert!(table.contains("Answers that were wrong: 1."), "{table}");
        assert!(table.contains("**Wrong at 4 spans: one is missing**"), "{table}");
        Ok(())
    }
}
