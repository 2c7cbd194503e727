//! The UI in a real browser, on real servers: one that was filled over OTLP with traces made for it, one that the demo
//! and the real data sets have filled.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use causeway_tests::proto::trace::v1::Span;
use causeway_tests::server::Server;
use causeway_tests::{cli, environment, otlp};
use prost::Message;
use serde_json::json;
use tempfile::TempDir;

use crate::demo;

const LARGE_SPANS: u64 = 10_000;

/// Names that are markup, and that break out of quotes.
const EVIL_NAMES: [&str; 3] = [
    "<img src=x onerror=\"window.pwned=1\"><b>bold</b>",
    "<script>window.pwned=1</script>",
    "\"'><script>window.pwned=1</script>",
];

/// The browser, or nothing where a tool is missing and that may be.
fn chromium() -> Result<Option<PathBuf>> {
    let chromium =
        environment::path("CAUSEWAY_CHROMIUM").unwrap_or(PathBuf::from("/usr/bin/chromium"));
    if !chromium.is_file() || !environment::has_program("node") {
        environment::missing_tool("browser: no Chromium or no Node; set CAUSEWAY_CHROMIUM")?;
        return Ok(None);
    }
    if !environment::repository().join("web/node_modules/playwright-core").is_dir() {
        environment::missing_tool("browser: no playwright-core; run npm ci --prefix web")?;
        return Ok(None);
    }
    Ok(Some(chromium))
}

/// Scenario: a person finds a trace, opens it, opens one with markup in its names, and scrolls one
/// with 10,000 spans. Guarantee: every span is shown, markup is text, nothing stays blank, and the
/// page complains of nothing.
#[test]
fn person_finds_and_reads_traces() -> Result<()> {
    let Some(chromium) = chromium()? else { return Ok(()) };
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    let traces = fill(&server)?.to_string();

    let mut command = Command::new("node");
    command.arg(environment::repository().join("tests/ui/journeys.mjs")).env("CHROMIUM", chromium);
    command.args([&format!("http://{}", server.addresses.http), &traces]);
    if let Some(folder) = environment::path("CAUSEWAY_SCREENSHOTS") {
        command.arg(folder);
    }
    let figures = cli::run(&mut command, Duration::from_secs(180))?.success()?;
    environment::report(&format!("browser, {LARGE_SPANS} spans: {}", figures.trim()))
}

/// Real data sets; the journeys upload others.
const DATA_SETS: [&str; 2] =
    ["traceweaver-hotel/hotel_load100.jsonl.gz", "nezha-trainticket/otlp.jsonl.gz"];

/// Until then the server has looked at all traces.
const LOOKED_MAX: Duration = Duration::from_secs(180);
const LOOK_INTERVAL: Duration = Duration::from_secs(3);

/// A debug server answers slowly where other tests run beside it.
const JOURNEYS_MAX: Duration = Duration::from_secs(900);

/// Scenario: an empty server gets its first trace, then three minutes of the demo's past and traces of real systems;
/// a person goes through every page. Guarantee: the pages show what the demo built in and what is known of the data
/// sets, axe finds nothing serious, no page complains, loads from elsewhere or needs more than a strict policy.
#[test]
fn every_page_tells_what_is_known_of_real_traces() -> Result<()> {
    let Some(chromium) = chromium()? else { return Ok(()) };
    let Some(data) = environment::shared_data() else {
        return environment::skipped(
            "browser on real traces: no data sets; set CAUSEWAY_SHARED_DATA",
        );
    };
    if environment::is_quick() {
        return environment::skipped("browser on real traces: CAUSEWAY_QUICK is set");
    }
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &["--flush-interval", "200ms"])?;
    take_journeys(&chromium, &server, &data, "first", None)?;
    let started = Instant::now();
    let truth = dir.path().join("truth.json");
    demo::send_the_past(&server, &truth)?;
    let mut import = environment::causeway_command()?;
    import.args(["import", "--server", &format!("http://{}", server.addresses.otlp_http)]);
    import.args(DATA_SETS.map(|file| data.join(file)));
    cli::run(&mut import, Duration::from_secs(300))?.success()?;
    wait_until_looked_at(&server)?;
    environment::report(&format!("filled and looked at in {:?}", started.elapsed()))?;
    take_journeys(&chromium, &server, &data, "all", Some(&truth))
}

/// The last of the findings are those of whole systems, so their number stands still when all are there.
fn wait_until_looked_at(server: &Server) -> Result<()> {
    let started = Instant::now();
    let loops = "SELECT count(*) FROM findings WHERE detector = 'n_plus_one' \
                 AND entry_service = 'ts-gateway-service'";
    let mut last = [0; 3];
    loop {
        thread::sleep(LOOK_INTERVAL);
        last.rotate_left(1);
        last[2] = server.sql_count("SELECT count(*) FROM findings")?;
        if last == [last[2]; 3] && server.sql_count(loops)? > 0 {
            return Ok(());
        }
        ensure!(started.elapsed() < LOOKED_MAX, "still finding after {LOOKED_MAX:?}: {last:?}");
    }
}

fn take_journeys(
    chromium: &Path,
    server: &Server,
    data: &Path,
    phase: &str,
    truth: Option<&Path>,
) -> Result<()> {
    let known = json!({
        "origin": format!("http://{}", server.addresses.http),
        "otlp": format!("http://{}", server.addresses.otlp_http),
        "data": data,
        "truth": truth.unwrap_or(Path::new("")),
    });
    let mut command = Command::new("node");
    command.arg(environment::repository().join("tests/ui/real.mjs")).env("CHROMIUM", chromium);
    command.args([phase, &known.to_string()]);
    let told = cli::run(&mut command, JOURNEYS_MAX)?.success()?;
    let last = told.lines().last().context("the journeys say nothing")?;
    environment::report(&format!("browser on real traces, {phase}: {last}"))
}

/// Sends three traces and says what they are.
fn fill(server: &Server) -> Result<serde_json::Value> {
    let small: Vec<Span> = (0..12)
        .map(|nth| child(1, 100 + nth, nth.checked_sub(1).map(|_| 100 + (nth - 1) / 3)))
        .collect();
    let small_names: Vec<_> = small.iter().map(|span| span.name.clone()).collect();
    server.send(&otlp::request("shop", small).encode_to_vec())?;

    let mut evil: Vec<Span> =
        (0..3).map(|nth| child(2, 200 + nth, nth.checked_sub(1).map(|_| 200))).collect();
    for (span, name) in evil.iter_mut().zip(EVIL_NAMES) {
        span.name = name.to_owned();
        span.attributes = vec![otlp::attribute(name, name)];
    }
    server.send(&otlp::request("<b>evil</b>", evil).encode_to_vec())?;

    // A root, 99 children, and their children.
    let large: Vec<Span> = (0..LARGE_SPANS)
        .map(|nth| {
            child(
                3,
                1000 + nth,
                nth.checked_sub(1).map(|below| 1000 + if below < 99 { 0 } else { 1 + below % 99 }),
            )
        })
        .collect();
    for part in large.chunks(2_500) {
        server.send(&otlp::request("large", part.to_vec()).encode_to_vec())?;
    }
    Ok(json!({
        "small": {"id": trace_id(1), "service": "shop", "names": small_names},
        "evil": {"id": trace_id(2), "service": "<b>evil</b>", "names": EVIL_NAMES},
        "large": {"id": trace_id(3), "service": "large", "count": LARGE_SPANS},
    }))
}

fn child(trace: u128, id: u64, parent: Option<u64>) -> Span {
    let mut span = otlp::span(trace, id);
    span.name = format!("step {id}");
    span.parent_span_id = parent.map_or(Vec::new(), |parent| parent.to_be_bytes().to_vec());
    span
}

fn trace_id(trace: u128) -> String {
    otlp::hex(&trace.to_be_bytes())
}
