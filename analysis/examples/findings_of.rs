//! Prints the findings of a file of traces: `cargo run --example findings_of -- traces.jsonl.gz`.
//!
//! For looking at what detectors make of real data, and for comparing it with answer keys: one JSON object a line,
//! `{"detector","severity","title","trace_id","parent_span_id","span_ids","saving_ns"}`. Reads one OTLP/JSON request a line,
//! plain or gzip; a trace may be spread over lines. No check of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use causeway_analysis::detectors::{Settings, detect};
use causeway_analysis::forms::Former;
use causeway_model::batch::{AttributeColumns, seal};
use causeway_model::trace::{MergedTrace, TraceRows};
use causeway_model::{SpanRows, otlp};
use flate2::read::GzDecoder;
use serde_json::json;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        print(Path::new(&path), &mut out)?;
    }
    Ok(())
}

fn print(path: &Path, out: &mut impl Write) -> Result<(), Error> {
    let file = File::open(path)?;
    let is_packed = path.extension().is_some_and(|end| end == "gz");
    let input: Box<dyn Read> =
        if is_packed { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut columns = Vec::new();
    for line in BufReader::new(input).lines() {
        let (decoded, _) = otlp::decode(&otlp::json_to_protobuf(line?.as_bytes())?, 0)?;
        columns.push(Arc::new(decoded));
    }
    let batch = seal(&columns, &AttributeColumns::default())?;
    let rows = SpanRows::new(&batch)?;
    let mut traces: BTreeMap<&[u8], Vec<TraceRows<'_>>> = BTreeMap::new();
    for row in 0..rows.len {
        let part = TraceRows { rows: &rows, range: row..row + 1 };
        traces.entry(rows.trace_id.value(row)).or_default().push(part);
    }
    let (settings, mut former) = (Settings::default(), Former::default());
    for parts in traces.values() {
        let trace = MergedTrace::new(parts)?;
        for finding in detect(&trace, 1, &settings, &mut former) {
            let ids = finding.span_ids.iter().map(|id| format!("{id:016x}"));
            let line = json!({
                "detector": finding.detector,
                "severity": finding.severity.label(),
                "title": finding.title,
                "trace_id": finding.trace_id.to_string(),
                "parent_span_id": format!("{:016x}", finding.parent_span_id),
                "span_ids": ids.collect::<Vec<_>>(),
                "nested": finding.evidence.value()["nested"],
                "saving_ns": finding.saving_ns,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
