//! `causeway demo` against the real server: what it built in must be what the server finds.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use causeway_tests::server::Server;
use causeway_tests::{cli, environment};
use serde_json::Value;
use tempfile::TempDir;

/// Until then the server has looked at the traces of the past.
const LEARNT_MAX: Duration = Duration::from_secs(120);

/// A clock as the demo made it.
struct TrueClock {
    offset_ns: i64,
    /// How far it strays from that.
    strays_ns: i64,
}

/// The clocks that keep one offset, by the id of their instance.
fn true_clocks(truth: &Value) -> Result<HashMap<String, TrueClock>> {
    let clocks = truth["clocks"].as_array().context("clocks")?;
    let steady = clocks.iter().filter(|clock| clock["step_ns"] == 0);
    let clock = |clock: &Value| {
        let ns = |name: &str| clock[name].as_i64().with_context(|| name.to_owned());
        let strays_ns = ns("rate_ppb")?.abs() * (ns("turn_every_ns")? / 1_000) / 1_000_000;
        let id = clock["service_instance_id"].as_str().context("an id")?;
        Ok((id.to_owned(), TrueClock { offset_ns: ns("offset_ns")?, strays_ns }))
    };
    steady.map(clock).collect()
}

/// Detectors of single traces, whose faults of the demo must be findings.
const DETECTORS: [&str; 7] = [
    "n_plus_one",
    "fan_out",
    "sequential_calls",
    "retry_without_backoff",
    "work_after_giving_up",
    "ambiguous_outcome",
    "error_origin",
];

fn faults_are_found(server: &Server, truth: &Value) -> Result<()> {
    let rows = server.sql("SELECT DISTINCT detector, entry_operation FROM findings")?;
    for fault in truth["faults"].as_array().context("faults")? {
        let (detector, operation) = (&fault["detector"], &fault["operation"]);
        let is_ours = DETECTORS.iter().any(|known| detector == known);
        if !is_ours || fault["traces_so_far"] == 0 {
            continue;
        }
        let is_found = rows.iter().any(|row| row[0] == *detector && row[1] == *operation);
        ensure!(is_found, "{detector} of {operation} was not found in {rows:?}");
    }
    Ok(())
}

/// Sends three minutes of the demo's past, and returns what was built in, which it also writes to `truth`.
pub(crate) fn send_the_past(server: &Server, truth: &std::path::Path) -> Result<Value> {
    let mut demo = environment::causeway_command()?;
    let url = format!("http://{}", server.addresses.otlp_http);
    demo.args(["demo", "--seed", "1", "--history", "3m", "--duration", "1s", "--server", &url]);
    demo.arg("--truth").arg(truth);
    cli::run(&mut demo, Duration::from_secs(120))?.success()?;
    Ok(serde_json::from_str(&fs::read_to_string(truth)?)?)
}

/// Scenario: the shop of the demo, whose clocks are wrong by known amounts, sends three minutes of its
/// past. Guarantee: the faults of single traces are findings; every offset that the server gives two bounds holds the true one, most clocks get
/// them, the large offsets are found, and a restart forgets none of it.
#[test]
fn the_wrong_clocks_of_the_demo_are_found() -> Result<()> {
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &["--flush-interval", "200ms"])?;
    let told = send_the_past(&server, &dir.path().join("truth.json"))?;
    let truth = true_clocks(&told)?;

    let bounded =
        "SELECT count(DISTINCT service_instance_id) FROM clocks WHERE state = 'two-sided'";
    let (started, mut before) = (Instant::now(), 0);
    let found = loop {
        std::thread::sleep(Duration::from_secs(5));
        let found = server.sql_count(bounded)?;
        if found >= 16 && found == before {
            break found;
        }
        ensure!(started.elapsed() < LEARNT_MAX, "only {found} clocks have two bounds");
        before = found;
    };
    let reference =
        server.sql("SELECT service_instance_id FROM clocks WHERE clock = reference LIMIT 1")?;
    let reference = reference[0][0].as_str().context("a reference")?.to_owned();
    let reference = truth.get(&reference).context("the reference is a steady clock")?;
    let rows = server.sql(
        "SELECT DISTINCT service_instance_id, lo_ns, hi_ns FROM clocks \
         WHERE state = 'two-sided' AND service_instance_id IS NOT NULL",
    )?;
    let mut checked = 0;
    for row in &rows {
        let id = row[0].as_str().context("an id")?;
        let Some(clock) = truth.get(id) else { continue };
        let (lo, hi) = (row[1].as_i64().context("lo")?, row[2].as_i64().context("hi")?);
        let (offset, strays) =
            (clock.offset_ns - reference.offset_ns, clock.strays_ns + reference.strays_ns);
        ensure!(
            lo - strays <= offset && offset <= hi + strays,
            "{id} is off by {offset} ns, not by {lo} to {hi}"
        );
        checked += 1;
    }
    ensure!(checked > 1_000, "only {checked} intervals");
    let far = truth.iter().filter(|(_, clock)| clock.offset_ns.abs() > 1_000_000_000);
    for (id, clock) in far {
        let known = rows.iter().any(|row| row[0] == id.as_str());
        ensure!(known, "nothing is known of {id}, off by {} ns", clock.offset_ns);
    }
    environment::report(&format!("{found} clocks bounded, {checked} intervals hold the truth"))?;

    faults_are_found(&server, &told)?;
    let pairs = "SELECT count(*) FROM clock_pairs";
    let before = server.sql_count(pairs)?;
    server.stop()?;
    let server = Server::start(dir.path(), &[])?;
    assert_eq!(server.sql_count(pairs)?, before, "a restart keeps what was learnt");
    server.stop()?;
    Ok(())
}
