//! What findings cost a span of realistic traffic: `cargo bench -p causeway-analysis --bench findings [-- filter]`.
//!
//! The shop of `testkit::traffic` (thirty services, about 540 bytes a span), its traces put together to traces of the sizes
//! below: many of 100 spans, as history has them, or one of up to 1,000,000. *Merge* is from rows to the merged trace,
//! *subject* what detectors share (calls, callers, critical path), *detectors* all rules on it; a line each shows the dearer
//! ones. Figures are nanoseconds of CPU a span, the best of several runs, so other work on the machine disturbs little. The
//! peak of memory is that of the whole process up to then, the spans themselves included.
//!
//! Where times tell nothing, as the machine has other work, instructions do: `-- count detect 100 50` merges and looks at
//! traces of 100 spans 50 times and measures nothing, so that two runs under `perf stat -e instructions:u` differ by what
//! the passes between them cost. `merge`, `subject` or the name of a detector go for `detect`.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use causeway_analysis::detectors::{
    DETECTORS, Finding, Findings, Settings, Subject, detect, detect_in,
};
use causeway_analysis::forms::Former;
use causeway_model::batch::{AttributeColumns, AttributeUse, SpanColumns, seal};
use causeway_model::trace::{MergedTrace, TraceRows};
use causeway_model::{SpanRows, otlp};
use causeway_testkit::notation::EPOCH_NS;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::trace::v1::Span;
use causeway_testkit::traffic::Traffic;
use prost::Message;

/// Spans of a trace, and traces.
const SIZES: [(usize, usize); 5] =
    [(15, 1_333), (100, 200), (10_000, 2), (100_000, 1), (1_000_000, 1)];
/// Kernels count CPU time in steps of some milliseconds, so a run is repeated until so many spans were looked at.
const SPANS_MIN: usize = 60_000;
const RUNS: usize = 5;
/// Detectors below this are not listed.
const LISTED_NS_MIN: f64 = 5.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [count, what, spans, repeats, ..] = arguments.as_slice()
        && count == "count"
    {
        return pass(what, spans.parse()?, repeats.parse()?, &mut out);
    }
    let spans_max = std::env::args().skip(1).find_map(|text| text.parse().ok());
    for (spans, traces) in SIZES {
        if spans_max.is_none_or(|max: usize| spans <= max) {
            measure(&History::of(spans, traces)?, &mut out)?;
        }
    }
    Ok(())
}

/// Does one thing to traces of a size as often as is said, to be counted from outside.
fn pass(
    what: &str,
    trace_spans: usize,
    repeats: usize,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let traces = SIZES.iter().find(|(spans, _)| *spans == trace_spans).map_or(1, |size| size.1);
    let history = History::of(trace_spans, traces)?;
    let batch = seal(&history.columns, &history.chosen)?;
    let rows = SpanRows::new(&batch)?;
    let (settings, mut former) = (Settings::default(), Former::default());
    let before_mb = peak_mb();
    let merged: Vec<MergedTrace<'_>> =
        history.traces.iter().map(|range| merge(&rows, range)).collect::<Result<_, _>>()?;
    let subjects: Vec<Subject<'_, '_>> = match what {
        "merge" | "subject" | "detect" => Vec::new(),
        _ => merged.iter().map(|trace| Subject::new(trace, 1, &mut former)).collect(),
    };
    for _ in 0..repeats {
        match what {
            "merge" | "detect" => {
                for range in &history.traces {
                    let trace = merge(&rows, range)?;
                    if what == "detect" {
                        black_box(detect(&trace, 1, &settings, &mut former));
                    }
                    black_box(trace);
                }
            }
            "subject" => {
                for trace in &merged {
                    black_box(Subject::new(trace, 1, &mut former));
                }
            }
            name => {
                for detector in DETECTORS.iter().filter(|detector| detector.id() == name) {
                    for subject in &subjects {
                        let mut findings = Findings::default();
                        detector.run(subject, &settings, &mut findings);
                        black_box(findings);
                    }
                }
            }
        }
    }
    let spans = trace_spans * traces * repeats;
    writeln!(
        out,
        "{what}: {spans} spans; peak memory {before_mb} MB before, {} MB after",
        peak_mb()
    )?;
    Ok(())
}

fn measure(history: &History, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let batch = seal(&history.columns, &history.chosen)?;
    let rows = SpanRows::new(&batch)?;
    let traces: Vec<MergedTrace<'_>> =
        history.traces.iter().map(|range| merge(&rows, range)).collect::<Result<_, _>>()?;
    let spans: usize = traces.iter().map(MergedTrace::len).sum();
    let repeats = (SPANS_MIN / spans).max(1);
    let per_span = |run: &mut dyn FnMut()| best(repeats, run) / spans as f64;
    let (settings, mut former) = (Settings::default(), Former::default());

    let merge_ns = per_span(&mut || {
        for range in &history.traces {
            black_box(merge(&rows, range).is_ok());
        }
    });
    let subject_ns = per_span(&mut || {
        for trace in &traces {
            black_box(Subject::new(trace, 1, &mut former));
        }
    });
    // Each trace is merged anew, as what a trace remembers of its own would be remembered from run to run.
    let history_ns = per_span(&mut || {
        for range in &history.traces {
            if let Ok(trace) = merge(&rows, range) {
                black_box(detect(&trace, 1, &settings, &mut former));
            }
        }
    });
    let all_ns = history_ns - merge_ns;
    let subjects: Vec<Subject<'_, '_>> =
        traces.iter().map(|trace| Subject::new(trace, 1, &mut former)).collect();
    let found: Vec<Finding> =
        subjects.iter().flat_map(|subject| detect_in(subject, &settings)).collect();
    let mut each: Vec<(&str, f64)> = DETECTORS
        .iter()
        .map(|detector| {
            let took = per_span(&mut || {
                for subject in &subjects {
                    let mut findings = Findings::default();
                    detector.run(subject, &settings, &mut findings);
                    black_box(findings);
                }
            });
            (detector.id(), took)
        })
        .collect();
    each.sort_by(|a, b| b.1.total_cmp(&a.1));

    let (count, size) = (traces.len(), history.trace_spans);
    writeln!(out, "\n{count} traces of {size} spans, {} findings a trace", found.len() / count)?;
    writeln!(out, "  {merge_ns:>7.0} ns/span  merge")?;
    writeln!(out, "  {subject_ns:>7.0} ns/span  subject")?;
    let detectors_ns: f64 = each.iter().map(|(_, ns)| ns).sum();
    writeln!(out, "  {detectors_ns:>7.0} ns/span  detectors")?;
    for (name, ns) in each.iter().filter(|(_, ns)| *ns >= LISTED_NS_MIN) {
        let its = found.iter().filter(|finding| finding.detector == *name).count();
        writeln!(out, "          {ns:>7.0}  {name}, {its} findings")?;
    }
    writeln!(out, "  {all_ns:>7.0} ns/span  subject and detectors")?;
    let per_second = |ns: f64| 2e3 / ns;
    writeln!(
        out,
        "  on 2 cores {:.1} million spans/s, with merging {:.1}; peak memory {} MB",
        per_second(all_ns),
        per_second(history_ns),
        peak_mb(),
    )?;
    Ok(())
}

fn merge<'a>(
    rows: &'a SpanRows<'a>,
    range: &Range<usize>,
) -> Result<MergedTrace<'a>, Box<dyn Error>> {
    Ok(MergedTrace::new(&[TraceRows { rows, range: range.clone() }])?)
}

/// Spans as they lie in a file: a trace after the other.
struct History {
    trace_spans: usize,
    columns: Vec<Arc<SpanColumns>>,
    chosen: AttributeColumns,
    /// The rows of each trace.
    traces: Vec<Range<usize>>,
}

impl History {
    fn of(trace_spans: usize, traces: usize) -> Result<Self, Box<dyn Error>> {
        let mut traffic = Traffic::new(7, EPOCH_NS as u64).spans_per_request(1);
        let mut history = Self {
            trace_spans,
            columns: Vec::new(),
            chosen: AttributeColumns::default(),
            traces: Vec::new(),
        };
        let mut counted = AttributeUse::default();
        let mut row = 0;
        for number in 0..traces {
            let first = row;
            let mut whole = Whole::new(number as u64);
            while row - first < trace_spans {
                let left = trace_spans - (row - first);
                let request = whole.take(&mut traffic, left)?;
                let (columns, _) = otlp::decode(&request.encode_to_vec(), EPOCH_NS)?;
                row += columns.len();
                counted.add(&columns);
                history.columns.push(Arc::new(columns));
            }
            history.traces.push(first..row);
        }
        history.chosen = counted.choose(&AttributeColumns::default(), &Default::default());
        Ok(history)
    }
}

/// One trace of many: all hang under the root of the first.
struct Whole {
    trace_id: Vec<u8>,
    top: Vec<u8>,
}

impl Whole {
    /// About as many spans at a time, to bound what is not yet in columns.
    const SPANS: usize = 2_000;

    fn new(number: u64) -> Self {
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { trace_id: [id.to_be_bytes(), id.to_le_bytes()].concat(), top: Vec::new() }
    }

    /// Whole traces, until there are `spans_min` spans or enough for one request.
    fn take(
        &mut self,
        traffic: &mut Traffic,
        spans_min: usize,
    ) -> Result<ExportTraceServiceRequest, Box<dyn Error>> {
        let mut taken = ExportTraceServiceRequest::default();
        let spans_min = spans_min.min(Self::SPANS);
        let mut is_whole = false;
        while taken.resource_spans.len() < spans_min || !is_whole {
            let mut one = traffic.next().ok_or("traffic has no end")?;
            let span = one.resource_spans.first_mut().and_then(|of| of.scope_spans.first_mut());
            let span = span.and_then(|of| of.spans.first_mut()).ok_or("a request of one span")?;
            // A root ends last.
            is_whole = span.parent_span_id.is_empty();
            self.adopt(span);
            taken.resource_spans.append(&mut one.resource_spans);
        }
        Ok(taken)
    }

    fn adopt(&mut self, span: &mut Span) {
        span.trace_id.clone_from(&self.trace_id);
        if span.parent_span_id.is_empty() {
            span.parent_span_id.clone_from(&self.top);
        }
        if self.top.is_empty() && span.parent_span_id.is_empty() {
            self.top.clone_from(&span.span_id);
        }
    }
}

/// Nanoseconds of CPU of a run, the best of several times `repeats` runs.
fn best(repeats: usize, run: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    let took = (0..RUNS).map(|_| {
        let before = cpu_time(start);
        for _ in 0..repeats {
            run();
        }
        cpu_time(start).saturating_sub(before)
    });
    took.min().unwrap_or_default().as_nanos() as f64 / repeats as f64
}

/// CPU time of this process where the kernel tells it, else the time since the start.
fn cpu_time(start: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let on_cpu_ns = told.and_then(|text| text.split(' ').next()?.parse().ok());
    on_cpu_ns.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// The peak of this process's memory; 0 where the kernel does not tell.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|text| text.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) / 1_000
}
