//! Real data sets in, out, and in again: nothing is lost, nothing changes, nothing is doubled.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use causeway_testkit::{flat, nasty};
use causeway_tests::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_tests::server::Server;
use causeway_tests::{cli, difference, environment, otlp, otlp_json};
use flate2::read::MultiGzDecoder;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use prost::Message;
use tempfile::TempDir;

/// What the last line of an import says.
#[derive(Debug, PartialEq, Eq)]
struct Imported {
    spans: u64,
    duplicates: u64,
    refused: u64,
}

fn import(dir: &Path, files: &[PathBuf]) -> Result<Imported> {
    let paths = files.iter().map(|file| file.display().to_string());
    let arguments: Vec<String> = ["import", "--data-dir", &dir.display().to_string()]
        .map(str::to_owned)
        .into_iter()
        .chain(paths)
        .collect();
    let output =
        cli::causeway(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?.success()?;
    let line = output.lines().last().context("no output")?;
    let number = |before: &str| -> Result<u64> {
        let (start, _) =
            line.split_once(before).with_context(|| format!("no {before:?} in {line:?}"))?;
        Ok(start.rsplit(' ').next().unwrap_or_default().parse()?)
    };
    Ok(Imported {
        spans: number(" spans")?,
        duplicates: number(" duplicates")?,
        refused: number(" refused")?,
    })
}

fn counts(dir: &Path) -> Result<(u64, u64)> {
    let statement = "SELECT count(*), count(DISTINCT trace_id) FROM spans";
    let path = dir.display().to_string();
    let output =
        cli::causeway(&["sql", "--data-dir", &path, "--format", "json", statement])?.success()?;
    let answer: serde_json::Value = serde_json::from_str(&output)?;
    let count = |nth: usize| answer["rows"][0][nth].as_u64().with_context(|| output.clone());
    Ok((count(0)?, count(1)?))
}

fn read(file: &Path) -> Result<ExportTraceServiceRequest> {
    let mut text = String::new();
    let mut input = File::open(file)?;
    match file.extension().is_some_and(|extension| extension == "gz") {
        true => MultiGzDecoder::new(input).read_to_string(&mut text)?,
        false => input.read_to_string(&mut text)?,
    };
    otlp_json::lines(&text).with_context(|| file.display().to_string())
}

fn export(dir: &Path, file: &Path) -> Result<()> {
    let (dir, file) = (dir.display().to_string(), file.display().to_string());
    cli::causeway(&["export", "--data-dir", &dir, "-o", &file])?.success().map(drop)
}

/// Imports, counts, exports and compares, imports again, imports the export and compares.
fn check(file: &str, spans: u64, traces: u64) -> Result<()> {
    let Some(data) = environment::shared_data() else {
        return environment::skipped(&format!("{file}: no data sets; set CAUSEWAY_SHARED_DATA"));
    };
    if environment::is_quick() && spans > 10_000 {
        return environment::skipped(&format!("{file}: CAUSEWAY_QUICK is set"));
    }
    let file = data.join(file);
    let dir = TempDir::new()?;
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let exported = dir.path().join("export.jsonl.gz");

    let imported = import(&first, std::slice::from_ref(&file))?;
    assert_eq!(imported, Imported { spans, duplicates: 0, refused: 0 });
    assert_eq!(counts(&first)?, (spans, traces));
    let original = read(&file)?;
    export(&first, &exported)?;
    difference::ensure_equal(&original, &read(&exported)?)
        .context("the export differs from the original")?;

    let again = import(&first, std::slice::from_ref(&file))?;
    assert_eq!(again, Imported { spans: 0, duplicates: spans, refused: 0 });
    assert_eq!(counts(&first)?, (spans, traces));

    let imported = import(&second, std::slice::from_ref(&exported))?;
    assert_eq!(imported, Imported { spans, duplicates: 0, refused: 0 });
    let exported_again = dir.path().join("again.jsonl");
    export(&second, &exported_again)?;
    difference::ensure_equal(&original, &read(&exported_again)?)
        .context("the second export differs")
}

#[test]
fn nezha_onlineboutique() -> Result<()> {
    check("nezha-onlineboutique/otlp.jsonl.gz", 92_738, 2_050)
}

#[test]
fn nezha_trainticket() -> Result<()> {
    check("nezha-trainticket/otlp.jsonl.gz", 43_736, 630)
}

#[test]
fn traceweaver_hotel_load100() -> Result<()> {
    check("traceweaver-hotel/hotel_load100.jsonl.gz", 11_000, 1_000)
}

#[test]
fn traceweaver_hotel_load150() -> Result<()> {
    check("traceweaver-hotel/hotel_load150.jsonl.gz", 11_000, 1_000)
}

#[test]
fn traceweaver_media() -> Result<()> {
    check("traceweaver-media/media_load100.jsonl.gz", 27_000, 1_000)
}

#[test]
fn traceweaver_node() -> Result<()> {
    check("traceweaver-node/node_load100.jsonl.gz", 6_000, 1_000)
}

#[test]
fn zipkin_converted() -> Result<()> {
    check("zipkin/otlp.jsonl.gz", 220, 5)
}

/// One JSON document over many lines, with upper-case ids.
#[test]
fn opentelemetry_proto_example() -> Result<()> {
    let Some(data) = environment::shared_data() else {
        return environment::skipped(
            "opentelemetry-proto example: no data sets; set CAUSEWAY_SHARED_DATA",
        );
    };
    let file = data.join("opentelemetry-proto-examples/trace.json");
    let dir = TempDir::new()?;
    let (first, exported) = (dir.path().join("first"), dir.path().join("export.jsonl"));
    assert_eq!(
        import(&first, std::slice::from_ref(&file))?,
        Imported { spans: 1, duplicates: 0, refused: 0 }
    );
    export(&first, &exported)?;
    let original = otlp_json::request(serde_json::from_str(&fs::read_to_string(&file)?)?)?;
    difference::ensure_equal(&original, &read(&exported)?)
}

#[test]
fn jaeger_and_zipkin_originals() -> Result<()> {
    let Some(data) = environment::shared_data() else {
        return environment::skipped(
            "Jaeger and Zipkin originals: no data sets; set CAUSEWAY_SHARED_DATA",
        );
    };
    for (file, spans) in [
        ("jaeger-ui/original/flamegraph-trace.json", 4),
        ("jaeger-ui/original/genai-trace.json", 57),
        ("zipkin/original/ascend.json", 8),
        ("zipkin/original/messaging.json", 4),
        ("zipkin/original/messaging-kafka.json", 28),
        ("zipkin/original/simple-db-p6.json", 5),
        ("zipkin/original/smartthings-oauth-authorization.json.gz", 175),
    ] {
        let dir = TempDir::new()?;
        let imported = import(dir.path(), &[data.join(file)]).context(file)?;
        assert_eq!(imported, Imported { spans, duplicates: 0, refused: 0 }, "{file}");
        assert_eq!(counts(dir.path())?, (spans, 1), "{file}");
    }
    Ok(())
}

/// Scenario: a file is imported through a running server. Guarantee: as into a folder.
#[test]
fn import_through_a_server() -> Result<()> {
    let Some(data) = environment::shared_data() else {
        return environment::skipped(
            "import through a server: no data sets; set CAUSEWAY_SHARED_DATA",
        );
    };
    let file = data.join("zipkin/otlp.jsonl.gz");
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    let url = format!("http://{}", server.addresses.otlp_http);
    let output =
        cli::causeway(&["import", "--server", &url, &file.display().to_string()])?.success()?;
    ensure!(output.contains("imported 220 spans, 5 traces, "), "{output}");
    assert_eq!(server.sql_count("SELECT count(*) FROM spans")?, 220);
    server.stop()?;
    let exported = dir.path().join("export.jsonl");
    export(dir.path(), &exported)?;
    difference::ensure_equal(&read(&file)?, &read(&exported)?)
}

/// Scenario: a killed server left copies of spans in its log. Guarantee: an import into its folder
/// counts only what it brought itself.
#[test]
fn import_counts_only_its_own_duplicates() -> Result<()> {
    let dir = TempDir::new()?;
    let spans: Vec<_> = (1..=40).map(|id| otlp::span(7, id)).collect();
    let server = Server::start(dir.path(), &["--flush-interval", "1h"])?;
    server.send(&otlp::request("shop", spans.clone()).encode_to_vec())?;
    server.send(&otlp::request("shop", spans[10..30].to_vec()).encode_to_vec())?;
    server.kill()?;
    let file = dir.path().join("request.pb");
    fs::write(&file, otlp::encoded("other", 100, 3))?;
    assert_eq!(import(dir.path(), &[file])?, Imported { spans: 3, duplicates: 0, refused: 0 });
    assert_eq!(counts(dir.path())?, (43, 2));
    Ok(())
}

/// Scenario: only the client spans are exported. Guarantee: exactly these.
#[test]
fn export_takes_a_condition() -> Result<()> {
    let Some(data) = environment::shared_data() else {
        return environment::skipped(
            "export with a condition: no data sets; set CAUSEWAY_SHARED_DATA",
        );
    };
    let file = data.join("zipkin/otlp.jsonl.gz");
    let dir = TempDir::new()?;
    let (first, exported) = (dir.path().join("first"), dir.path().join("export.jsonl.zst"));
    import(&first, std::slice::from_ref(&file))?;
    let (from, to) = (first.display().to_string(), exported.display().to_string());
    cli::causeway(&["export", "--data-dir", &from, "--where", "kind = 3", "-o", &to])?.success()?;
    let mut wanted = read(&file)?;
    for scope_spans in wanted.resource_spans.iter_mut().flat_map(|one| &mut one.scope_spans) {
        scope_spans.spans.retain(|span| span.kind == 3);
    }
    let second = dir.path().join("second");
    import(&second, std::slice::from_ref(&exported))?;
    let plain = dir.path().join("plain.jsonl");
    export(&second, &plain)?;
    let found = read(&plain)?;
    ensure!(!found.resource_spans.is_empty(), "nothing was exported");
    difference::ensure_equal(&wanted, &found)
}

/// Scenario: an import is killed in the middle and done again. Guarantee: every span once.
#[test]
fn killed_import_is_finished_by_the_next() -> Result<()> {
    let Some(data) = environment::shared_data() else {
        return environment::skipped("killed import: no data sets; set CAUSEWAY_SHARED_DATA");
    };
    let file = data.join("traceweaver-hotel/hotel_load100.jsonl.gz");
    let dir = TempDir::new()?;
    let mut command = environment::causeway_command()?;
    command.arg("import").arg("--data-dir").arg(dir.path()).arg(&file);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    thread::sleep(Duration::from_millis(700));
    child.kill()?;
    child.wait()?;
    let imported = import(dir.path(), &[file])?;
    assert_eq!(imported.spans + imported.duplicates, 11_000);
    assert_eq!(counts(dir.path())?, (11_000, 1_000));
    Ok(())
}

/// Scenario: requests with every value that OTLP allows are received; half of them before a kill.
/// Guarantee: the export holds exactly what was sent.
#[test]
fn every_shape_of_span_comes_back() -> Result<()> {
    const REQUESTS: usize = 200;
    let dir = TempDir::new()?;
    let mut random = TestRunner::deterministic();
    let mut sent = ExportTraceServiceRequest::default();
    let mut server = Server::start(dir.path(), &["--flush-interval", "1h"])?;
    for nth in 0..REQUESTS {
        if nth == REQUESTS / 2 {
            server.kill()?;
            server = Server::start(dir.path(), &[])?;
        }
        let request = nasty::request().new_tree(&mut random).map_err(anyhow::Error::msg)?.current();
        server.send(&request.encode_to_vec())?;
        sent.resource_spans.extend(request.resource_spans);
    }
    server.stop()?;
    let exported = dir.path().join("export.jsonl");
    export(dir.path(), &exported)?;
    let found = read(&exported)?;
    ensure!(flat::flatten(&found).len() > REQUESTS, "too few spans");
    difference::ensure_equal(&sent, &found)
}
