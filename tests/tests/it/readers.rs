//! DuckDB, Polars and delta-rs read the table of a running server, and find what `causeway sql` finds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use causeway_testkit::traffic::{Traffic, encode, span_count};
use causeway_tests::server::Server;
use causeway_tests::{cli, environment};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Small files and many versions, so that there is something to merge.
const FLAGS: [&str; 4] = ["--flush-interval", "200ms", "--compaction-files", "6"];
/// Versions that are read while spans come in and files are merged.
const VERSIONS: &str = "45";
const WATCH_MAX: Duration = Duration::from_secs(240);
const SPANS_PER_REQUEST: usize = 40;
const SEND_PAUSE: Duration = Duration::from_millis(10);

/// Scenario: other programs read version after version while spans come in and files are merged; then
/// the server stops, and they read the last version.
/// Guarantee: every version can be read, all readers agree on it, spans never become fewer, and the last
/// one holds what was sent, by the answers of `causeway sql` before and after the stop.
#[test]
fn other_programs_read_the_table_while_it_is_written() -> Result<()> {
    let Some(python) = python() else {
        return environment::missing_tool(
            "no Python with DuckDB, Polars and delta-rs; `cargo xtask test` sets it up",
        );
    };
    if environment::is_quick() {
        return environment::skipped("readers are left out of quick runs");
    }
    let data = TempDir::new()?;
    let server = Server::start(data.path(), &FLAGS)?;
    let table = data.path().join("tenants/default/spans");

    let mut watch = reader(&python, "watch", &table);
    watch.arg(VERSIONS);
    let watching = thread::spawn(move || cli::run(&mut watch, WATCH_MAX));
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let mut sent = 0;
    // Ends because the readers do, by their time limit if by nothing else.
    for request in Traffic::new(1, now).spans_per_request(SPANS_PER_REQUEST) {
        if watching.is_finished() {
            break;
        }
        server.send(&encode(&request))?;
        sent += span_count(&request);
        thread::sleep(SEND_PAUSE);
    }
    let watched = watching.join().ok().context("the watching thread panicked")??.success()?;
    environment::report(&format!("readers of a table being written: {}", watched.trim()))?;

    let live = Questions::ask(|statement| rows_of_server(&server, statement))?;
    let (status, _) = server.stop()?;
    ensure!(status.success(), "the server ended with {status}");
    let stopped = Questions::ask(|statement| rows_of_folder(data.path(), statement))?;
    let found = cli::run(&mut reader(&python, "once", &table), WATCH_MAX)?.success()?;
    let found: Value = serde_json::from_str(&found)?;
    assert_eq!(live["spans"], json!(sent));
    assert_eq!(live, stopped);
    assert_eq!(found["answers"], stopped);
    Ok(())
}

/// The five questions of `read.py`, as users of Causeway ask them.
struct Questions;

impl Questions {
    fn ask(rows: impl Fn(&str) -> Result<Vec<Vec<Value>>>) -> Result<Value> {
        let one = |statement: &str| -> Result<Value> {
            let value = rows(statement)?.into_iter().flatten().next();
            value.with_context(|| format!("no answer to {statement}"))
        };
        let last_start_ns = one("SELECT max(start_time_unix_nano) FROM spans")?;
        let last_start_ns = last_start_ns.as_u64().context("no start")?;
        Ok(json!({
            "spans": one("SELECT count(*) FROM spans")?,
            "by_service": rows(
                "SELECT service_name, count(*) FROM spans GROUP BY service_name ORDER BY service_name",
            )?,
            "duration_ns": one("SELECT sum(duration_ns) FROM spans")?,
            "last_start_us": last_start_ns / 1_000,
            "errors": one("SELECT count(*) FROM spans WHERE status_code = 2")?,
        }))
    }
}

fn rows_of_server(server: &Server, statement: &str) -> Result<Vec<Vec<Value>>> {
    server.sql(statement)
}

fn rows_of_folder(data_dir: &Path, statement: &str) -> Result<Vec<Vec<Value>>> {
    let folder = data_dir.display().to_string();
    let answer =
        cli::causeway(&["sql", "--data-dir", &folder, "--format", "json", statement])?.success()?;
    let answer: Value = serde_json::from_str(&answer)?;
    serde_json::from_value(answer["rows"].clone()).context("rows")
}

fn reader(python: &Path, command: &str, table: &Path) -> Command {
    let mut reader = Command::new(python);
    reader.arg(environment::repository().join("tests/readers/read.py")).arg(command).arg(table);
    reader
}

/// Where `cargo xtask test` installed the readers.
fn python() -> Option<PathBuf> {
    let python = environment::path("CAUSEWAY_SDK_DIR")?.join("readers/bin/python");
    environment::has_program(&python).then_some(python)
}
