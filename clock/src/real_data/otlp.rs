//! Reads a file of OTLP/JSON, one trace a line, as far as order needs it.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::ClockId;
use crate::order::{Kind, Span};

/// The spans of one trace; the same place in each list is the same span.
pub(super) struct Trace {
    pub(super) spans: Vec<Span>,
    pub(super) services: Vec<String>,
    pub(super) hosts: Vec<String>,
}

/// What is unlike anything else with this name, as a number.
pub(super) fn clock(name: &str) -> ClockId {
    // FNV-1a; a handful of names do not collide.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ClockId::Instance(hash)
}

/// All traces of a file. `clock_name` says on which clock a span of a service and host is read.
pub(super) fn read(path: &Path, clock_name: impl Fn(&str, &str) -> String) -> Vec<Trace> {
    let unpacked = Command::new("gzip").arg("-dc").arg(path).output().expect("gzip runs");
    assert!(unpacked.status.success(), "gzip fails on {}", path.display());
    let text = String::from_utf8(unpacked.stdout).expect("OTLP/JSON is UTF-8");
    text.lines().map(|line| trace(line, &clock_name)).collect()
}

fn trace(line: &str, clock_name: &impl Fn(&str, &str) -> String) -> Trace {
    let request: Json = serde_json::from_str(line).expect("a line is a request");
    let mut trace = Trace { spans: Vec::new(), services: Vec::new(), hosts: Vec::new() };
    let mut ids: HashMap<&str, u32> = HashMap::new();
    let mut parents: Vec<&str> = Vec::new();
    for resource in list(&request, "resourceSpans") {
        let attribute = |key: &str| {
            let found = list(&resource["resource"], "attributes").find(|a| a["key"] == key);
            found.and_then(|a| a["value"]["stringValue"].as_str())
        };
        let service = attribute("service.name").unwrap_or_default();
        let host = attribute("host.name").or_else(|| attribute("ip")).unwrap_or_default();
        let wall = clock(&clock_name(service, host));
        let ClockId::Instance(instance) = clock(&format!("{service}@{host}")) else { continue };
        for span in list(resource, "scopeSpans").flat_map(|scope| list(scope, "spans")) {
            let time = |key: &str| span[key].as_str().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            ids.insert(span["spanId"].as_str().unwrap_or_default(), trace.spans.len() as u32);
            parents.push(span["parentSpanId"].as_str().unwrap_or_default());
            trace.services.push(service.to_owned());
            trace.hosts.push(host.to_owned());
            trace.spans.push(Span {
                kind: match span["kind"].as_u64() {
                    Some(2) => Kind::Server,
                    Some(3) => Kind::Client,
                    _ => Kind::Internal,
                },
                instance: Some(instance),
                wall: Some(wall),
                start_ns: time("startTimeUnixNano"),
                end_ns: time("endTimeUnixNano"),
                // None of these applications sends messages that nobody waits for.
                responded: true,
                ..Span::default()
            });
        }
    }
    for (span, parent) in trace.spans.iter_mut().zip(parents) {
        span.parent = ids.get(parent).copied();
    }
    trace
}

fn list<'a>(json: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    json[key].as_array().into_iter().flatten()
}
