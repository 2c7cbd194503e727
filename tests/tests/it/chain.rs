//! Real processes with wrong clocks: what must be proven is, nothing else, and nothing is wrong.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use causeway_tests::chain::{self, Chain, Level, WrongClock};
use causeway_tests::environment;
use causeway_tests::events::Trace;
use causeway_tests::rules::Rules;
use causeway_tests::server::Server;
use causeway_tests::truth::TruthProxy;
use serde_json::Value;
use tempfile::TempDir;

const MS: i64 = 1_000_000;
const RUN_MAX: Duration = Duration::from_secs(60);

/// Worker is so far behind that it refuses the stamps of all others.
pub(crate) const CLOCKS: [WrongClock; 4] = [
    WrongClock { offset_ns: 0, drift_ppb: 20_000, step: None },
    WrongClock { offset_ns: -180 * MS, drift_ppb: -35_000, step: None },
    WrongClock { offset_ns: 120 * MS, drift_ppb: 50_000, step: None },
    WrongClock { offset_ns: -2_500 * MS, drift_ppb: 10_000, step: None },
];

/// One span of a trace, as SQL tells.
#[derive(Debug)]
struct Found {
    span_id: String,
    service: String,
    /// Service and name.
    name: String,
}

/// Whether the program of the chain was built; says so if it was not.
pub(crate) fn has_chain() -> Result<bool> {
    let is_built = chain::program()?.is_file();
    if !is_built {
        environment::missing_tool("chain: not built; cargo build -p causeway-chain")?;
    }
    Ok(is_built)
}

#[test]
fn what_must_be_proven_is_and_nothing_else() -> Result<()> {
    if !has_chain()? {
        return Ok(());
    }
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    let mut counts = Vec::new();
    for levels in [[3, 3, 3, 3], [3, 3, 0, 3], [3, 2, 3, 3], [3, 1, 3, 3], [3, 0, 3, 3]] {
        counts.push(check(&server, levels, None)?);
    }
    for level in 0..3 {
        counts.push(check(&server, [level; 4], None)?);
    }
    // All that is left out costs proofs.
    assert!(counts[1..].iter().all(|count| *count < counts[0]), "{counts:?}");
    Ok(())
}

#[test]
fn a_stock_service_in_python_passes_stamps_on() -> Result<()> {
    let python = environment::path("CAUSEWAY_SDK_DIR").map(|dir| dir.join("python/bin/python"));
    let Some(python) = python.filter(|python| environment::has_program(python)) else {
        return environment::missing_tool("chain with Python: no client; see tests/sdk/README.md");
    };
    if has_chain()? {
        let dir = TempDir::new()?;
        let server = Server::start(dir.path(), &[])?;
        check(&server, [3, 3, 0, 3], Some(python))?;
    }
    Ok(())
}

/// Sends one request through a chain; gives how many pairs of events on different services are proven.
fn check(server: &Server, levels: [Level; 4], python: Option<PathBuf>) -> Result<usize> {
    let has_gateway = python.is_some();
    let what = || format!("levels {levels:?}, gateway {has_gateway}");
    let proxy = TruthProxy::start(server.traces_url())?;
    let (requests, concurrency, pause) = (1, 1, Duration::ZERO);
    let chain = Chain { levels, clocks: CLOCKS, python, requests, concurrency, pause };
    chain.run(&proxy.url, RUN_MAX).with_context(what)?;
    let trace_id = proxy.known().first().context("no spans")?.trace_id.clone();
    let spans = spans(server, &trace_id)?;
    ensure!(spans.len() == if has_gateway { 9 } else { 7 }, "{}: {spans:?}", what());
    let rules = Rules::new(levels, has_gateway);
    for (at, a) in spans.iter().enumerate() {
        for b in spans.iter().skip(at + 1).filter(|b| b.service != a.service) {
            compare(server, &trace_id, &rules, [a, b])
                .with_context(|| format!("{}: {} and {}", what(), a.name, b.name))?;
        }
    }
    let events = Trace::new(&server.trace(&trace_id)?)?;
    compare_events(&rules, &events).with_context(what)?;
    Ok(rules.pairs())
}

/// The same of single events.
pub(crate) fn compare_events(rules: &Rules, trace: &Trace) -> Result<()> {
    for (a, b) in trace.pairs() {
        for (earlier, later) in [(a, b), (b, a)] {
            let names = [trace.name(earlier), trace.name(later)];
            let [is, must] =
                [trace.order.precedes(earlier, later), rules.precedes(&names[0], &names[1])];
            ensure!(is == must, "{names:?} is proven: {is}, by the rules: {must}");
        }
    }
    Ok(())
}

fn spans(server: &Server, trace_id: &str) -> Result<Vec<Found>> {
    let columns = "span_id, service_name, name";
    let rows = server.sql(&format!("SELECT {columns} FROM spans WHERE trace_id = '{trace_id}'"))?;
    let text = |row: &[Value], at: usize| row[at].as_str().unwrap_or_default().to_owned();
    let found = |row: Vec<Value>| {
        let (span_id, service) = (text(&row, 0), text(&row, 1));
        Found { span_id, name: format!("{service} {}", text(&row, 2)), service }
    };
    Ok(rows.into_iter().map(found).collect())
}

pub(crate) fn relation(server: &Server, trace_id: &str, from: &str, to: &str) -> Result<Value> {
    server.get(&format!("/api/v1/traces/{trace_id}/order?from={from}&to={to}"))?.ok()?.json()
}

/// What the server says of two spans is what the rules say, with a chain of edges for each proof.
fn compare(server: &Server, trace_id: &str, rules: &Rules, [a, b]: [&Found; 2]) -> Result<()> {
    let said = relation(server, trace_id, &a.span_id, &b.span_id)?;
    let Some(proven) = rules.relation(&a.name, &b.name) else {
        ensure!(said["class"] != "proven", "the rules prove nothing, but {said}");
        return Ok(());
    };
    ensure!(said["class"] == "proven", "the rules prove {proven:?}, but {said}");
    ensure!(said["relation"] == proven.text(), "the rules prove {proven:?}, but {said}");
    let because = said["because"].as_array().filter(|because| !because.is_empty());
    for one in because.context("no reason")? {
        let steps = one["steps"].as_array().filter(|steps| !steps.is_empty());
        let steps = steps.with_context(|| format!("no edges: {said}"))?;
        ensure!(steps.iter().all(|step| step["is_proof"] == true), "no proof: {said}");
        let mut at = &one["earlier"];
        for step in steps {
            ensure!(step["from"] == *at, "a gap before {step}: {said}");
            at = &step["to"];
        }
        ensure!(*at == one["later"], "the edges end elsewhere: {said}");
    }
    Ok(())
}
