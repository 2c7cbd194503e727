//! The UI in a real browser, on a real server that was filled over OTLP.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use causeway_tests::proto::trace::v1::Span;
use causeway_tests::server::Server;
use causeway_tests::{cli, environment, otlp};
use prost::Message;
use serde_json::json;
use tempfile::TempDir;

const LARGE_SPANS: u64 = 10_000;

/// Names that are markup, and that break out of quotes.
const EVIL_NAMES: [&str; 3] = [
    "<img src=x onerror=\"window.pwned=1\"><b>bold</b>",
    "<script>window.pwned=1</script>",
    "\"'><script>window.pwned=1</script>",
];

/// Scenario: a person finds a trace, opens it, opens one with markup in its names, and scrolls one
/// with 10,000 spans. Guarantee: every span is shown, markup is text, nothing stays blank, and the
/// page complains of nothing.
#[test]
fn person_finds_and_reads_traces() -> Result<()> {
    let chromium =
        environment::path("CAUSEWAY_CHROMIUM").unwrap_or(PathBuf::from("/usr/bin/chromium"));
    if !chromium.is_file() || !environment::has_program("node") {
        return environment::missing_tool("browser: no Chromium or no Node; set CAUSEWAY_CHROMIUM");
    }
    if !environment::repository().join("web/node_modules/playwright-core").is_dir() {
        return environment::missing_tool("browser: no playwright-core; run npm ci --prefix web");
    }
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
