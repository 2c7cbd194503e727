//! `search`: pages of traces, by what they hold and by what comes first.

use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::figures::Figures;
use crate::http::{Client, escaped};
use crate::latency::Latency;
use crate::replay::COMMON_ATTRIBUTE;
use crate::target::{Target, TargetArgs, sql};

const PAGE: usize = 20;
const HOUR_NS: u64 = 3_600_000_000_000;

/// How often to search.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Searches that are measured, of each kind; one more goes before them
    #[arg(long, default_value_t = 20)]
    pub(crate) runs: usize,
}

/// One search, and what its answer must be.
struct Case {
    name: &'static str,
    attribute: Option<String>,
    order: &'static str,
    /// Traces over the whole time; none where the number is not known.
    traces: Option<u64>,
}

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &SearchArgs) -> Result<String> {
    args.target.report("Search, newest 20 and others", |target| measure(target, args.runs))
}

fn cases(target: &Target) -> Vec<Case> {
    let case = |name, attribute: &str, traces| Case {
        name,
        attribute: Some(attribute.to_owned()),
        order: "newest",
        traces,
    };
    let (rare, unique) = (&target.manifest.rare, &target.manifest.unique);
    let all = |name, order| Case {
        name,
        attribute: None,
        order,
        traces: Some(target.manifest.traces as u64),
    };
    vec![
        case("newest, common value", COMMON_ATTRIBUTE, None),
        case("newest, rare value", &rare.attribute, Some(rare.traces)),
        case("newest, value of one span", &unique.attribute, Some(unique.traces)),
        case("newest, value that nobody has", "app.tenant=nobody", Some(0)),
        all("newest, no filter", "newest"),
        all("slowest", "slowest"),
        all("most errors", "most_errors"),
    ]
}

/// Measures on a running server.
pub(crate) fn measure(target: &Target, runs: usize) -> Result<Figures> {
    let mut client = target.client();
    let mut figures = Figures::default();
    let yardstick = one_column_scan(&mut client, runs)?;
    figures.ms("count with a filter on one column (yardstick), p50", yardstick.p50);
    for hours in [None, Some(1)] {
        for case in cases(target) {
            let expected = case.traces.filter(|_| hours.is_none());
            let path = path(target, &case, hours);
            let mut times = Vec::new();
            for at in 0..=runs {
                let start = Instant::now();
                let answer = client.get(&path, "application/json")?;
                if at > 0 {
                    times.push(start.elapsed());
                }
                let page = serde_json::from_slice(&answer.body).unwrap_or_default();
                if let Err(fault) = check(&page, &case, expected) {
                    figures.wrong(format!("{}: {fault:#}", case.name));
                }
            }
            let period = if hours.is_some() { "last hour" } else { "whole time" };
            let latency = Latency::of(times);
            figures.ms(format!("{}, {period}, p50", case.name), latency.p50);
            figures.ms(format!("{}, {period}, p95", case.name), latency.p95);
            if hours.is_none() {
                let ratio = latency.p50.as_secs_f64() / yardstick.p50.as_secs_f64();
                figures.add(format!("{}, {period}, p50, times the yardstick", case.name), ratio, 2);
            }
        }
    }
    Ok(figures)
}

/// What reading one column of all spans takes: traffic has two values of it, so statistics do not help.
pub(crate) fn one_column_scan(client: &mut Client<'_>, runs: usize) -> Result<Latency> {
    let mut times = Vec::new();
    for at in 0..=runs {
        let start = Instant::now();
        sql(client, "SELECT count(*) FROM spans WHERE flags = 257")?;
        if at > 0 {
            times.push(start.elapsed());
        }
    }
    Ok(Latency::of(times))
}

fn path(target: &Target, case: &Case, hours: Option<u64>) -> String {
    // Spans of the last traces begin a little after the end of the period.
    let end = target.manifest.end_unix_nano + 60_000_000_000;
    let start = hours.map_or(target.manifest.start_unix_nano, |hours| {
        target.manifest.end_unix_nano - hours * HOUR_NS
    });
    let attribute = case.attribute.as_ref();
    let attribute = attribute.map_or_else(String::new, |it| format!("&attr={}", escaped(it)));
    format!("/api/v1/traces?start={start}&end={end}&order={}&limit={PAGE}{attribute}", case.order)
}

/// Whether a page has the right length and stands in the right order.
fn check(page: &Value, case: &Case, expected: Option<u64>) -> Result<()> {
    let traces = page.get("traces").and_then(Value::as_array).context("no page of traces")?;
    if let Some(expected) = expected {
        let length = usize::try_from(expected).unwrap_or(PAGE).min(PAGE);
        anyhow::ensure!(traces.len() == length, "{} traces instead of {length}", traces.len());
        let total = page.pointer("/total/value").and_then(Value::as_u64).context("no total")?;
        let is_exact = page.pointer("/total/exact").and_then(Value::as_bool).unwrap_or(false);
        anyhow::ensure!(!is_exact || total == expected, "{total} in all instead of {expected}");
    }
    let lines = traces.iter().map(Line::read).collect::<Result<Vec<_>>>()?;
    for pair in lines.windows(2) {
        let [first, second] = pair else { continue };
        let in_order = match case.order {
            // Ordered by the first span that matches, which lies within the trace.
            "newest" => first.start + first.envelope >= second.start,
            "slowest" => first.envelope >= second.envelope,
            _ => first.errors >= second.errors,
        };
        anyhow::ensure!(in_order, "not in order: {first:?} before {second:?}");
    }
    Ok(())
}

#[derive(Debug)]
struct Line {
    start: i64,
    envelope: i64,
    errors: i64,
}

impl Line {
    fn read(trace: &Value) -> Result<Self> {
        let number = |name: &str| trace.get(name).and_then(Value::as_i64);
        let start = trace.get("start_unix_nano").and_then(Value::as_str);
        let read = || {
            Some(Self {
                start: start?.parse().ok()?,
                envelope: number("envelope_ns")?,
                errors: number("errors")?,
            })
        };
        read().with_context(|| format!("not a summary: {trace}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(lines: &[(i64, i64, i64)]) -> Value {
        let line = |(start, envelope, errors): &(i64, i64, i64)| json!({"start_unix_nano": start.to_string(), "envelope_ns": envelope, "errors": errors});
        let traces: Vec<Value> = lines.iter().map(line).collect();
        json!({"total": {"value": lines.len(), "exact": true}, "traces": traces})
    }

    #[test]
    fn pages_are_checked_for_length_and_order() {
        let check = |order, lines: &[_], traces| {
            let case = Case { name: "case", attribute: None, order, traces: None };
            check(&page(lines), &case, traces).is_ok()
        };
        assert!(check("newest", &[(30, 5, 0), (20, 9, 0)], Some(2)));
        assert!(check("newest", &[(18, 5, 0), (20, 9, 0)], None));
        assert!(!check("newest", &[(10, 5, 0), (20, 9, 0)], None));
        assert!(check("slowest", &[(1, 9, 0), (2, 9, 1)], None));
        assert!(!check("slowest", &[(1, 8, 0), (2, 9, 1)], None));
        assert!(!check("most_errors", &[(1, 9, 0), (2, 9, 1)], None));
        assert!(!check("newest", &[(30, 5, 0)], Some(0)));
        assert!(!check("newest", &[], Some(1)));
    }
}
