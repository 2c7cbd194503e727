//! `aggregate`: SQL over every span of a folder.

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::figures::Figures;
use crate::latency::Latency;
use crate::search::one_column_scan;
use crate::target::{Target, TargetArgs, integer, sql};

/// How often to ask.
#[derive(Debug, Args)]
pub(crate) struct AggregateArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Runs of each statement that are measured; one more goes before them
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
}

/// A statement, and the column whose sum must be the number of all spans.
struct Statement {
    name: &'static str,
    sql: &'static str,
    count_column: Option<usize>,
}

const STATEMENTS: &[Statement] = &[
    Statement {
        name: "count, sum and mean duration by service",
        sql: "SELECT service_name, count(*), sum(duration_ns), avg(duration_ns) FROM spans \
              GROUP BY service_name",
        count_column: Some(1),
    },
    Statement {
        name: "95th percentile of duration by service",
        sql: "SELECT service_name, approx_percentile_cont(duration_ns, 0.95) FROM spans \
              GROUP BY service_name",
        count_column: None,
    },
    Statement {
        name: "count by minute",
        sql: "SELECT date_trunc('minute', start_time) AS minute, count(*) FROM spans \
              GROUP BY minute",
        count_column: Some(1),
    },
    Statement {
        name: "ten most frequent values of an attribute",
        sql: "SELECT attributes['http.route'] AS route, count(*) AS spans FROM spans \
              GROUP BY route ORDER BY spans DESC LIMIT 10",
        count_column: None,
    },
];

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &AggregateArgs) -> Result<String> {
    args.target.report("Aggregation", |target| measure(target, args.runs))
}

/// Measures on a running server.
pub(crate) fn measure(target: &Target, runs: usize) -> Result<Figures> {
    let mut client = target.client();
    let mut figures = Figures::default();
    let spans = target.manifest.spans;
    let yardstick = one_column_scan(&mut client, runs)?;
    figures.ms("count with a filter on one column (yardstick), p50", yardstick.p50);
    for statement in STATEMENTS {
        let name = statement.name;
        let mut times = Vec::new();
        let cpu_before = target.server.cpu()?;
        for at in 0..=runs {
            let start = Instant::now();
            // One statement that reaches a limit must not lose the figures of the others.
            let rows = match sql(&mut client, statement.sql) {
                Ok(rows) => rows,
                Err(error) => {
                    figures.wrong(format!("{name}: {error:#}"));
                    break;
                }
            };
            if at > 0 {
                times.push(start.elapsed());
            }
            let Some(column) = statement.count_column else { continue };
            let counts = rows.iter().map(|row| integer(row, column));
            let counted = counts.sum::<Result<u64>>()?;
            figures.check(counted == spans as u64, || {
                format!("{name}: {counted} spans counted, {spans} were sent")
            });
        }
        if times.is_empty() {
            continue;
        }
        let cpu = target.server.cpu()?.since(cpu_before).total().div_f64((runs + 1) as f64);
        let p50 = Latency::of(times).p50.as_secs_f64();
        figures.add(format!("{name}, p50, ms"), p50 * 1e3, 1);
        figures.add(format!("{name}, million spans per second"), spans as f64 / p50 / 1e6, 1);
        figures.add(
            format!("{name}, ns of CPU per span"),
            cpu.as_secs_f64() * 1e9 / spans as f64,
            1,
        );
        figures.add(format!("{name}, times the yardstick"), p50 / yardstick.p50.as_secs_f64(), 2);
    }
    Ok(figures)
}
