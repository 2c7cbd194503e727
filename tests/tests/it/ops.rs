//! What an operator relies on: health, figures, settings, stopping and starting.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, ensure};
use causeway_tests::server::Server;
use causeway_tests::{cli, environment, otlp};
use tempfile::TempDir;

#[test]
fn running_server_tells_how_it_is() -> Result<()> {
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    assert_eq!(server.get("/healthz")?.status, 200);
    assert_eq!(server.get("/readyz")?.status, 200);
    let body = otlp::encoded("shop", 1, 7);
    server.send(&body)?;
    server.send(&body)?;
    server.send(&otlp::encoded("shop", 8, 1))?;

    let metrics = server.get("/metrics")?.ok()?.text();
    let value = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
    };
    assert_eq!(
        value("collector_received_spans_total{protocol=\"http_protobuf\"}"),
        Some(15.0),
        "{metrics}"
    );
    assert_eq!(
        value("collector_stored_spans_total{protocol=\"http_protobuf\"}"),
        Some(8.0),
        "{metrics}"
    );
    assert_eq!(value("collector_duplicate_spans_total"), Some(7.0), "{metrics}");
    assert_eq!(value("store_healthy"), Some(1.0), "{metrics}");
    assert_eq!(server.sql_count("SELECT count(*) FROM spans")?, 8);
    Ok(())
}

#[test]
fn stop_is_quick_and_keeps_everything_and_so_is_the_next_start() -> Result<()> {
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    for nth in 0..200 {
        server.send(&otlp::encoded("shop", 1 + nth * 50, 50))?;
    }
    // Neither idle senders nor one that stopped in the middle of a request may hold it up.
    let connect = || TcpStream::connect(&server.addresses.otlp_http);
    let mut open = (0..20).map(|_| connect()).collect::<Result<Vec<_>, _>>()?;
    open[0]
        .write_all(b"POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf")?;
    let (status, stop_time) = server.stop()?;
    ensure!(status.success(), "{status}");
    ensure!(stop_time < Duration::from_secs(10), "stopping took {stop_time:?}");

    let server = Server::start(dir.path(), &[])?;
    assert_eq!(server.sql_count("SELECT count(DISTINCT span_id) FROM spans")?, 10_000);
    assert_eq!(server.sql_count("SELECT count(*) FROM spans")?, 10_000);
    ensure!(
        server.start_time < Duration::from_secs(2),
        "the second start took {:?}",
        server.start_time
    );
    environment::report(&format!(
        "stop with 10,000 spans {stop_time:?}, second start {:?}",
        server.start_time
    ))
}

#[test]
fn folder_of_a_running_server_is_refused_to_another() -> Result<()> {
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    server.send(&otlp::encoded("shop", 1, 1))?;
    let path = dir.path().display().to_string();
    let second = cli::causeway(&[
        "serve",
        "--data-dir",
        &path,
        "--otlp-grpc-addr",
        "127.0.0.1:0",
        "--otlp-http-addr",
        "127.0.0.1:0",
        "--http-addr",
        "127.0.0.1:0",
    ])?;
    ensure!(!second.status.success() && second.output().contains(&path), "{}", second.output());
    // The command line reaches the running server instead.
    let rows = cli::causeway(&[
        "sql",
        "--data-dir",
        &path,
        "--format",
        "csv",
        "SELECT count(*) AS n FROM spans",
    ])?;
    assert_eq!(rows.success()?, "n\r\n1\r\n");
    Ok(())
}

#[test]
fn mistyped_settings_name_the_nearest() -> Result<()> {
    let dir = TempDir::new()?;
    let flag = cli::causeway(&["serve", "--flush-intervall", "1s"])?;
    ensure!(
        !flag.status.success() && flag.stderr.contains("--flush-interval"),
        "{}",
        flag.output()
    );

    let limit = Duration::from_secs(10);
    let mut command = environment::causeway_command()?;
    let variable = cli::run(command.arg("serve").env("CAUSEWAY_RECENT_BYTE_MAX", "1MiB"), limit)?;
    ensure!(
        !variable.status.success() && variable.stderr.contains("recent-bytes-max"),
        "{}",
        variable.output()
    );

    let file = dir.path().join("causeway.toml");
    fs::write(&file, "htpp-addr = \"127.0.0.1:0\"\n")?;
    let config = cli::causeway(&["serve", "--config", &file.display().to_string()])?;
    ensure!(!config.status.success() && config.stderr.contains("http-addr"), "{}", config.output());
    Ok(())
}

/// The row limit of JSON answers shows which source won.
#[test]
fn flag_beats_environment_beats_file() -> Result<()> {
    let dir = TempDir::new()?;
    let file = dir.path().join("causeway.toml");
    fs::write(&file, "json-rows-max = 3\n")?;
    let config = file.display().to_string();
    let rows_max = |variable: Option<&str>, flags: &[&str]| -> Result<usize> {
        let data = TempDir::new()?;
        let mut command = environment::causeway_command()?;
        if let Some(value) = variable {
            command.env("CAUSEWAY_JSON_ROWS_MAX", value);
        }
        let flags = [&["--config", &config], flags].concat();
        let server = Server::start_by(&mut command, data.path(), &flags)?;
        server.send(&otlp::encoded("shop", 1, 9))?;
        let url = format!("http://{}/api/v1/sql", server.addresses.http);
        let headers = [("accept", "application/json"), ("content-type", "text/plain")];
        let answer = causeway_tests::http::post(&url, &headers, b"SELECT span_id FROM spans")?
            .ok()?
            .json()?;
        assert_eq!(answer["truncated"], true);
        Ok(answer["rows"].as_array().map_or(0, Vec::len))
    };
    assert_eq!(rows_max(None, &[])?, 3);
    assert_eq!(rows_max(Some("4"), &[])?, 4);
    assert_eq!(rows_max(Some("4"), &["--json-rows-max", "5"])?, 5);
    Ok(())
}

#[test]
fn verify_finds_a_sound_folder_sound_and_a_damaged_table_damaged() -> Result<()> {
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    server.send(&otlp::encoded("shop", 1, 100))?;
    server.stop()?;
    let path = dir.path().display().to_string();
    let sound = cli::causeway(&["verify", "--data-dir", &path])?;
    assert_eq!(sound.status.code(), Some(0), "{}", sound.output());
    ensure!(sound.output().contains("100 spans"), "{}", sound.output());

    let spans = dir.path().join("tenants/default/spans");
    let parquet = find(&spans, "parquet")?;
    let mut bytes = fs::read(&parquet)?;
    bytes.truncate(bytes.len() / 2);
    fs::write(&parquet, bytes)?;
    let damaged = cli::causeway(&["verify", "--data-dir", &path])?;
    assert_eq!(damaged.status.code(), Some(1), "{}", damaged.output());
    let name = parquet.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ensure!(damaged.output().contains(&name), "{name} is not named: {}", damaged.output());
    Ok(())
}

/// The first file below a folder with this extension.
fn find(folder: &std::path::Path, extension: &str) -> Result<std::path::PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("_delta_log") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                return Ok(path);
            }
        }
    }
    anyhow::bail!("no .{extension} file in {}", folder.display())
}
