//! Prints the calls of a file of traces: `cargo run --example forms_of -- traces.jsonl.gz`.
//!
//! For looking at what forms make of real data: one line a call, with how many spans make it and which names
//! they have. Reads one OTLP/JSON request a line, plain or gzip. No check of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use causeway_analysis::forms::{Fields, Former, Kind, Value, find_secrets};
use flate2::read::GzDecoder;
use serde_json::Value as Json;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        writeln!(out, "\n{path}")?;
        print(Path::new(&path), &mut out)?;
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    spans: usize,
    names: BTreeSet<String>,
}

fn print(path: &Path, out: &mut impl Write) -> Result<(), Error> {
    let file = File::open(path)?;
    let is_packed = path.extension().is_some_and(|end| end == "gz");
    let input: Box<dyn Read> =
        if is_packed { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut former = Former::default();
    let mut calls: BTreeMap<String, Seen> = BTreeMap::new();
    for line in BufReader::new(input).lines() {
        let request: Json = serde_json::from_str(&line?)?;
        let scopes =
            list(&request, "resourceSpans").flat_map(|resource| list(resource, "scopeSpans"));
        for span in scopes.flat_map(|scope| list(scope, "spans")) {
            let kind = Kind::from_otlp(i32::try_from(span["kind"].as_i64().unwrap_or(0))?);
            let name = span["name"].as_str().unwrap_or_default();
            let attributes: Vec<_> = list(span, "attributes").filter_map(attribute).collect();
            for (key, value) in &attributes {
                let Value::Text(text) = value else { continue };
                for site in find_secrets(key, text) {
                    writeln!(out, "secret: {site:?} in {key} of {name}")?;
                }
            }
            let told = match former.form(kind, name, &Fields::read(attributes)) {
                Some(call) => format!(
                    "{:?} {} [{}] {}{}{}{:?}  op={} on={}",
                    call.system,
                    call.template,
                    call.callee,
                    if call.is_exit { "exit " } else { "" },
                    if call.is_housekeeping { "housekeeping " } else { "" },
                    if call.target_known { "" } else { "target? " },
                    call.effect,
                    call.operation,
                    call.target,
                ),
                None => "(no call)".to_owned(),
            };
            let seen = calls.entry(told).or_default();
            seen.spans += 1;
            seen.names.insert(name.to_owned());
        }
    }
    for (told, seen) in calls {
        let names: Vec<_> = seen.names.iter().take(4).map(String::as_str).collect();
        writeln!(
            out,
            "{:7} {told}   <- {} names: {}",
            seen.spans,
            seen.names.len(),
            names.join(" | ")
        )?;
    }
    Ok(())
}

fn list<'a>(json: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    json.get(key).and_then(Json::as_array).into_iter().flatten()
}

fn attribute(json: &Json) -> Option<(&str, Value<'_>)> {
    let key = json.get("key")?.as_str()?;
    let (kind, value) = json.get("value")?.as_object()?.iter().next()?;
    let value = match (kind.as_str(), value) {
        ("stringValue", Json::String(text)) => Value::Text(text),
        ("intValue", Json::String(text)) => Value::Int(text.parse().ok()?),
        ("doubleValue", value) => Value::Double(value.as_f64()?),
        ("boolValue", value) => Value::Bool(value.as_bool()?),
        _ => return None,
    };
    Some((key, value))
}
