//! Sends the scenario of `../README.md` with the Rust SDK and prints what the SDK handed to its exporter.
//!
//! `main` sets up the SDK, `scenario` makes the spans, `recording` keeps what went to the exporter,
//! and `otlp_json` turns that into the document on standard output.

mod otlp_json;
mod recording;
mod scenario;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    Compression, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
    WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use recording::RecordingExporter;

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

struct Settings {
    endpoint: String,
    protocol: String,
    compression: Option<Compression>,
}

fn main() -> anyhow::Result<ExitCode> {
    let settings = settings(std::env::args().skip(1))?;
    // The gRPC exporter needs a runtime around it; the blocking HTTP client must have none.
    let runtime = tokio::runtime::Runtime::new()?;
    let guard = (settings.protocol == "grpc").then(|| runtime.enter());

    let (exporter, recording) = RecordingExporter::around(stock_exporter(&settings)?);
    let resource = Resource::builder().with_schema_url(scenario::resource(), SCHEMA_URL).build();
    let provider =
        SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
    scenario::send(&provider.tracer_with_scope(scope()));
    let flushed = provider.force_flush();
    let closed = provider.shutdown();
    drop(guard);

    let recording = recording.lock().map_err(|_| anyhow::anyhow!("the exporter panicked"))?;
    writeln!(std::io::stdout(), "{}", otlp_json::document(&recording))?;
    let succeeded = flushed.is_ok() && closed.is_ok() && recording.succeeded;
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn settings(mut args: impl Iterator<Item = String>) -> anyhow::Result<Settings> {
    let mut settings =
        Settings { endpoint: String::new(), protocol: String::new(), compression: None };
    while let Some(name) = args.next() {
        let value = args.next().with_context(|| format!("{name} needs a value"))?;
        match (name.as_str(), value.as_str()) {
            ("--endpoint", _) => settings.endpoint = value,
            ("--protocol", _) => settings.protocol = value,
            ("--compression", "none") => settings.compression = None,
            ("--compression", "gzip") => settings.compression = Some(Compression::Gzip),
            _ => bail!("unknown argument {name} {value}"),
        }
    }
    Ok(settings)
}

fn stock_exporter(settings: &Settings) -> anyhow::Result<SpanExporter> {
    let protocol = match settings.protocol.as_str() {
        "grpc" => return grpc_exporter(settings),
        "http/protobuf" => Protocol::HttpBinary,
        "http/json" => Protocol::HttpJson,
        other => bail!("unknown protocol {other}"),
    };
    let mut builder = SpanExporter::builder()
        .with_http()
        .with_protocol(protocol)
        .with_endpoint(format!("{}/v1/traces", settings.endpoint));
    if let Some(compression) = settings.compression {
        builder = builder.with_compression(compression);
    }
    Ok(builder.build()?)
}

fn grpc_exporter(settings: &Settings) -> anyhow::Result<SpanExporter> {
    let mut builder = SpanExporter::builder().with_tonic().with_endpoint(&settings.endpoint);
    if let Some(compression) = settings.compression {
        builder = builder.with_compression(compression);
    }
    Ok(builder.build()?)
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("causeway.sdk")
        .with_version("1.2.3")
        .with_schema_url(SCHEMA_URL)
        .with_attributes(scenario::scope())
        .build()
}
