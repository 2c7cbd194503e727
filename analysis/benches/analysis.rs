//! How long analysis takes a span, for traces of three shapes and four sizes. Prints the best of several runs.
//!
//! *Calls* is what detectors share: forms, callers, critical path; *all findings* is that and all detectors. Linear means that nanoseconds a span stay about the same from 10,000 to 1,000,000 spans, but for what caches cost.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use causeway_analysis::cohort::Cohort;
use causeway_analysis::critical_path::CriticalPath;
use causeway_analysis::detectors::{Settings, Subject, detect};
use causeway_analysis::forms::Former;
use causeway_analysis::self_time::self_times;
use causeway_analysis::what_if::{Change, replay};
use causeway_model::batch::{AttributeColumns, AttributeUse, seal};
use causeway_model::trace::{MergedTrace, Row};
use causeway_model::{SpanRows, otlp};
use causeway_testkit::notation::{EPOCH_NS, NotedSpan, request};
use causeway_testkit::proto::trace::v1::span::SpanKind;
use prost::Message;

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for (name, shape) in
        [("calls", calls as fn(u64) -> Vec<NotedSpan>), ("deep", deep), ("wide", wide)]
    {
        for spans in [100, 10_000, 100_000, 1_000_000] {
            measure(name, &shape(spans), &mut out)?;
        }
    }
    Ok(())
}

fn measure(name: &str, spans: &[NotedSpan], out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (columns, _) = otlp::decode(&request(spans).encode_to_vec(), EPOCH_NS)?;
    let mut counted = AttributeUse::default();
    counted.add(&columns);
    let chosen = counted.choose(&AttributeColumns::default(), &Default::default());
    let batch = seal(&[Arc::new(columns)], &chosen)?;
    let rows = [SpanRows::new(&batch)?];
    let trace = MergedTrace::of(&rows)?;
    let path = CriticalPath::of(&trace);
    let all: Vec<Row> = trace.rows().filter(|row| row.0 % 3 == 2).collect();
    let remove = [Change::Remove { calls: all }];
    let (settings, mut former) = (Settings::default(), Former::default());
    let found = detect(&trace, 1, &settings, &mut former).len();
    let timed: [(&str, Duration); 7] = [
        ("merge", best(|| MergedTrace::of(&rows).is_ok())),
        ("self time", best(|| self_times(&trace))),
        ("critical path", best(|| CriticalPath::of(&trace))),
        ("cohort", best(|| Cohort::default().add(&trace, &path))),
        ("replay", best(|| replay(&trace, &remove))),
        ("calls", best(|| Subject::new(&trace, 1, &mut former))),
        ("all findings", best(|| detect(&trace, 1, &settings, &mut former))),
    ];
    for (what, took) in timed {
        let each = took.as_nanos() as f64 / spans.len() as f64;
        writeln!(out, "{name:>6} {:>8} spans  {what:<14} {each:>7.1} ns a span", spans.len())?;
    }
    writeln!(out, "{name:>6} {:>8} spans  {found} findings", spans.len())?;
    Ok(())
}

fn best<T>(mut run: impl FnMut() -> T) -> Duration {
    let took = (0..RUNS).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    });
    took.min().unwrap_or_default()
}

fn span(id: u64, parent: u64, start_ns: u64, lasted_ns: u64) -> NotedSpan {
    let start_ns = EPOCH_NS as u64 + start_ns;
    NotedSpan { id, parent, start_ns, end_ns: start_ns + lasted_ns, ..NotedSpan::default() }
}

/// A request that calls services, each of which asks its database a few times, one after another.
fn calls(spans: u64) -> Vec<NotedSpan> {
    const QUERIES: u64 = 8;
    let mut made = vec![span(1, 0, 0, spans * 1_000)];
    let mut at = 1_000;
    while (made.len() as u64) < spans {
        let id = made.len() as u64 + 1;
        let number = id / (QUERIES + 2) % 20;
        let client = span(id, 1, at, QUERIES * 900 + 200);
        let server = span(id + 1, id, at + 50, QUERIES * 900 + 100);
        let name = format!("GET /items/{{id}} {number}");
        made.push(NotedSpan {
            service: "web".to_owned(),
            name: name.clone(),
            kind: SpanKind::Client,
            attributes: vec![
                ("http.request.method".to_owned(), "GET".into()),
                (
                    "url.full".to_owned(),
                    format!("http://items-{number}/items/{id}").as_str().into(),
                ),
                ("http.response.status_code".to_owned(), 200.into()),
            ],
            ..client
        });
        let service = format!("items-{number}");
        let kind = SpanKind::Server;
        made.push(NotedSpan { service: service.clone(), name, kind, ..server });
        for query in 0..QUERIES {
            made.push(NotedSpan {
                service: service.clone(),
                name: "SELECT items".to_owned(),
                kind: SpanKind::Client,
                attributes: vec![
                    ("db.system.name".to_owned(), "postgresql".into()),
                    (
                        "db.query.text".to_owned(),
                        format!("SELECT * FROM items WHERE id = {query}").as_str().into(),
                    ),
                ],
                ..span(id + 2 + query, id + 1, at + 100 + query * 900, 800)
            });
        }
        at += QUERIES * 900 + 300;
    }
    made.truncate(spans as usize);
    made
}

/// Each span in the one before.
fn deep(spans: u64) -> Vec<NotedSpan> {
    (1..=spans).map(|id| span(id, id - 1, id, 2 * (spans - id) + 1)).collect()
}

/// All spans but one under that one, some side by side.
fn wide(spans: u64) -> Vec<NotedSpan> {
    let child = |id: u64| span(id, 1, id * 10, 5 + id % 20);
    std::iter::once(span(1, 0, 0, spans * 10 + 100)).chain((2..=spans).map(child)).collect()
}
