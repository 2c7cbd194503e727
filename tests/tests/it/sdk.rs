//! Real SDKs send; what they handed to their exporters is what SQL and the API give back.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use causeway_tests::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_tests::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use causeway_tests::proto::trace::v1::Span;
use causeway_tests::server::Server;
use causeway_tests::{cli, difference, environment, otlp, otlp_json};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const PROTOCOLS: [&str; 3] = ["grpc", "http/protobuf", "http/json"];

/// Spans of the scenario that every client sends.
const SPANS: usize = 9;

/// The client lacks the protocol.
const NOT_SUPPORTED: i32 = 3;

#[test]
fn python() -> Result<()> {
    let program = clients().map(|dir| dir.join("python/bin/python"));
    check("python", &["http/json"], program, &[source("python/client.py")])
}

#[test]
fn javascript() -> Result<()> {
    let installed = PathBuf::from(source("javascript/node_modules")).is_dir();
    check(
        "javascript",
        &["http/json"],
        installed.then(|| PathBuf::from("node")),
        &[source("javascript/client.mjs")],
    )
}

#[test]
fn go() -> Result<()> {
    check("go", &["http/json"], clients().map(|dir| dir.join("sdk-go")), &[])
}

#[test]
fn java() -> Result<()> {
    let jar = clients().map(|dir| dir.join("java/client.jar")).filter(|jar| jar.is_file());
    let arguments =
        ["-jar".to_owned(), jar.as_ref().map(|jar| jar.display().to_string()).unwrap_or_default()];
    check("java", &[], jar.map(|_| PathBuf::from("java")), &arguments)
}

#[test]
fn rust() -> Result<()> {
    check("rust", &["http/json"], Some(environment::built("causeway-sdk-client")?), &[])
}

/// Where `cargo xtask test` built the clients.
fn clients() -> Option<PathBuf> {
    environment::path("CAUSEWAY_SDK_DIR")
}

fn source(file: &str) -> String {
    environment::repository().join("tests/sdk").join(file).display().to_string()
}

/// Runs a client in every way it has and compares each time. `beyond` are protocols it must have
/// beside the two with protobuf.
fn check(
    language: &str,
    beyond: &[&str],
    program: Option<PathBuf>,
    arguments: &[String],
) -> Result<()> {
    let Some(program) = program.filter(|program| environment::has_program(program)) else {
        return environment::missing_tool(&format!(
            "SDK {language}: no client; see tests/sdk/README.md"
        ));
    };
    let dir = TempDir::new()?;
    let server = Server::start(dir.path(), &[])?;
    for protocol in PROTOCOLS {
        for compression in ["none", "gzip"] {
            let what = || format!("{language} over {protocol}, compression {compression}");
            let address = match protocol {
                "grpc" => &server.addresses.otlp_grpc,
                _ => &server.addresses.otlp_http,
            };
            let mut command = Command::new(&program);
            command.args(arguments).args(["--endpoint", &format!("http://{address}")]);
            command.args(["--protocol", protocol, "--compression", compression]);
            let finished = cli::run(&mut command, Duration::from_secs(120)).with_context(what)?;
            if finished.status.code() == Some(NOT_SUPPORTED) && protocol == "http/json" {
                ensure!(!beyond.contains(&protocol), "{}: {}", what(), finished.output());
                continue;
            }
            let printed = serde_json::from_str(&finished.success().with_context(what)?)?;
            compare(&server, otlp_json::printed_spans(printed).with_context(what)?)
                .with_context(what)?;
        }
    }
    Ok(())
}

fn compare(server: &Server, mut printed: ExportTraceServiceRequest) -> Result<()> {
    let spans: Vec<Span> = spans(&printed).cloned().collect();
    assert_eq!(spans.len(), SPANS);
    let traces: BTreeSet<String> = spans.iter().map(|span| otlp::hex(&span.trace_id)).collect();
    assert_eq!(traces.len(), 3);
    let mut received = ExportTraceServiceRequest::default();
    for trace in &traces {
        received.resource_spans.extend(server.trace(trace)?.resource_spans);
    }
    let resources: Vec<_> = printed.resource_spans.iter().map(|one| one.resource.clone()).collect();
    without_absence(&mut printed);
    without_absence(&mut received);
    difference::ensure_equal(&printed, &received)?;
    for (span, resource) in spans.iter().zip(resources) {
        let resource = resource.unwrap_or_default();
        compare_sql(server, span, &resource.attributes)
            .with_context(|| format!("SQL, span {:?}", span.name))?;
    }
    Ok(())
}

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    request.resource_spans.iter().flat_map(|one| &one.scope_spans).flat_map(|one| &one.spans)
}

/// A message that is absent reads as its default: SDKs differ in what they leave out.
fn without_absence(request: &mut ExportTraceServiceRequest) {
    for resource_spans in &mut request.resource_spans {
        resource_spans.resource.get_or_insert_default();
        for scope_spans in &mut resource_spans.scope_spans {
            scope_spans.scope.get_or_insert_default();
            for span in &mut scope_spans.spans {
                span.status.get_or_insert_default();
                let events = span.events.iter_mut().flat_map(|event| &mut event.attributes);
                let links = span.links.iter_mut().flat_map(|link| &mut link.attributes);
                for attribute in span.attributes.iter_mut().chain(events).chain(links) {
                    attribute.value.get_or_insert_default();
                }
            }
        }
    }
}

fn compare_sql(server: &Server, span: &Span, resource: &[KeyValue]) -> Result<()> {
    let (trace_id, span_id) = (otlp::hex(&span.trace_id), otlp::hex(&span.span_id));
    let columns = "parent_span_id, name, kind, start_time_unix_nano, end_time_unix_nano, status_code, \
                   status_message, attributes, resource_attributes, events, links";
    let statement = format!(
        "SELECT {columns} FROM spans WHERE trace_id = '{trace_id}' AND span_id = '{span_id}'"
    );
    let rows = server.sql(&statement)?;
    ensure!(rows.len() == 1, "{} rows", rows.len());
    let status = span.status.clone().unwrap_or_default();
    let parent = match span.parent_span_id.is_empty() {
        true => Json::Null,
        false => json!(otlp::hex(&span.parent_span_id)),
    };
    let events = span.events.iter().map(|event| {
        json!([
            event.time_unix_nano,
            event.name,
            object(&event.attributes),
            event.dropped_attributes_count
        ])
    });
    let links = span.links.iter().map(|link| {
        let ids = [&link.trace_id, &link.span_id].map(|id| otlp::hex(id));
        json!([ids[0], ids[1], link.trace_state, object(&link.attributes)])
    });
    let expected = [
        parent,
        json!(span.name),
        json!(span.kind),
        json!(span.start_time_unix_nano),
        json!(span.end_time_unix_nano),
        json!(status.code),
        json!(status.message),
        object(&span.attributes),
        object(resource),
        Json::Array(events.collect()),
        Json::Array(links.collect()),
    ];
    let mut found = rows[0].clone();
    found[9] =
        fields(&found[9], &["time_unix_nano", "name", "attributes", "dropped_attributes_count"]);
    found[10] = fields(&found[10], &["trace_id", "span_id", "trace_state", "attributes"]);
    for ((found, expected), column) in found.iter().zip(&expected).zip(columns.split(", ")) {
        ensure!(found == expected, "{column} is\n{found}\ninstead of\n{expected}");
    }
    Ok(())
}

/// Each object of a list as the list of these fields.
fn fields(list: &Json, names: &[&str]) -> Json {
    let pick =
        |object: &Json| Json::Array(names.iter().map(|name| object[*name].clone()).collect());
    Json::Array(list.as_array().map_or(Vec::new(), |list| list.iter().map(pick).collect()))
}

fn object(attributes: &[KeyValue]) -> Json {
    let entry =
        |one: &KeyValue| (one.key.clone(), one.value.as_ref().map_or(Json::Null, sql_value));
    Json::Object(attributes.iter().map(entry).collect())
}

/// A value as SQL answers write it.
fn sql_value(value: &AnyValue) -> Json {
    match &value.value {
        None | Some(Value::StringValueStrindex(_)) => Json::Null,
        Some(Value::StringValue(text)) => json!(text),
        Some(Value::BoolValue(value)) => json!(value),
        Some(Value::IntValue(int)) => json!(int),
        Some(Value::DoubleValue(double)) if double.is_finite() => json!(double),
        Some(Value::DoubleValue(double)) => match (double.is_nan(), *double > 0.0) {
            (true, _) => json!({"$double": "NaN"}),
            (_, true) => json!({"$double": "Infinity"}),
            (_, false) => json!({"$double": "-Infinity"}),
        },
        Some(Value::BytesValue(bytes)) => json!({"$bytes": STANDARD.encode(bytes)}),
        Some(Value::ArrayValue(array)) => array.values.iter().map(sql_value).collect(),
        Some(Value::KvlistValue(list)) => object(&list.values),
    }
}
