//! From batches to findings, the way the server goes: merged, offsets learnt, aligned, detectors run.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::RecordBatch;
use causeway_analysis::detectors::window::{
    ClockSeen, ClockSettings, Window, WindowSettings, detect_clocks,
};
use causeway_analysis::detectors::{Finding, Settings, Subject, clock_spans, detect_in};
use causeway_analysis::forms::Former;
use causeway_clock::ClockId;
use causeway_clock::offsets::{Estimator, OffsetSettings, Solver, observe, report};
use causeway_clock::order::{Order, OrderSettings, Span};
use causeway_model::SpanRows;
use causeway_model::trace::{Completeness, MergedTrace, Row, SpanTimes, TraceRows};

use super::Error;
use super::case::Level;

/// What was made of a world.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) findings: Vec<Finding>,
    pub(crate) summaries: Vec<Summary>,
}

/// What is told of a trace besides findings.
#[derive(Debug, PartialEq)]
pub(crate) struct Summary {
    id: Vec<u8>,
    root: Option<u64>,
    root_ns: i64,
    envelope_ns: Option<(i64, i64)>,
    /// Copies do not count, as they tell how spans came.
    completeness: Completeness,
    /// Id, start and end of each span, parents before children.
    spans: Vec<(u64, i64, i64)>,
}

/// What detectors of a level find in batches; times are aligned as well as messages allow, or left as sent.
pub(crate) fn seen(batches: &[RecordBatch], level: Level, align: bool) -> Result<Seen, Error> {
    let rows = batches.iter().map(SpanRows::new).collect::<Result<Vec<_>, _>>()?;
    let mut parts: BTreeMap<&[u8], Vec<TraceRows<'_>>> = BTreeMap::new();
    for rows in &rows {
        for row in 0..rows.len {
            let of_trace = parts.entry(rows.trace_id.value(row)).or_default();
            of_trace.push(TraceRows { rows, range: row..row + 1 });
        }
    }
    let mut traces = Vec::new();
    for (id, parts) in &parts {
        traces.push((id.to_vec(), MergedTrace::new(parts)?));
    }
    let clocks = Clocks::learn(&traces)?;
    if align {
        let aligned = traces.into_iter().zip(&clocks.orders);
        traces = aligned.map(|((id, trace), of)| (id, clocks.aligned(trace, of))).collect();
    }
    let mut former = Former::default();
    let mut window = Window::new(&WindowSettings::default());
    let mut findings = Vec::new();
    for (_, trace) in &traces {
        let subject = Subject::new(trace, 1, &mut former);
        match level {
            Level::Trace => findings.extend(detect_in(&subject, &Settings::default())),
            Level::Window => window.observe(&subject),
            Level::Clocks => {}
        }
    }
    match level {
        Level::Trace => {}
        Level::Window => findings = window.finish(),
        Level::Clocks => findings = clocks.findings(),
    }
    Ok(Seen { findings, summaries: traces.iter().map(summary).collect() })
}

/// The clock of a process, by what tells it from others in all traces.
fn process(trace: &MergedTrace<'_>, row: Row) -> ClockId {
    let mut hasher = DefaultHasher::new();
    trace.service_text(row).hash(&mut hasher);
    for key in ["service.instance.id", "k8s.pod.name", "host.name"] {
        trace.resource_attribute(row, key).hash(&mut hasher);
    }
    ClockId::Instance(hasher.finish())
}

fn summary((id, trace): &(Vec<u8>, MergedTrace<'_>)) -> Summary {
    let times =
        trace.rows().map(|row| (trace.span_id(row), trace.start_ns(row), trace.end_ns(row)));
    Summary {
        id: id.clone(),
        root: trace.root().map(|root| trace.span_id(root)),
        root_ns: trace.root().map_or(0, |root| trace.duration_ns(root)),
        envelope_ns: trace.envelope_ns(),
        completeness: Completeness { copies: 0, ..trace.completeness().clone() },
        spans: times.collect(),
    }
}

/// What traces show of clocks.
struct Clocks {
    orders: Vec<(Vec<Span>, Order)>,
    estimator: Estimator,
    /// The clock of the first trace's root, against which clocks are reported; traces are aligned to their own.
    reference: Option<ClockId>,
    /// Service and instance.
    names: BTreeMap<ClockId, (String, String)>,
}

impl Clocks {
    fn learn(traces: &[(Vec<u8>, MergedTrace<'_>)]) -> Result<Self, Error> {
        let mut estimator = Estimator::new(OffsetSettings::default());
        let mut orders = Vec::new();
        let mut names = BTreeMap::new();
        let mut reference = None;
        for (nth, (_, trace)) in (0u64..).zip(traces) {
            let mut spans = clock_spans(trace);
            for (row, span) in trace.rows().zip(&mut spans) {
                span.wall = span.wall.map(|_| process(trace, row));
            }
            let order = Order::build(&spans, &[], &OrderSettings::default())?;
            observe(&mut estimator, &spans, &order, |span| nth << 32 | u64::from(span));
            for (row, span) in trace.rows().zip(&spans) {
                let node = span.start.map(|stamp| ClockId::Node(stamp.node));
                let instance = trace.resource_attribute(row, "service.instance.id");
                let name = (trace.service_text(row), instance.unwrap_or_default());
                for clock in node.into_iter().chain(span.wall) {
                    names.insert(clock, (name.0.to_owned(), name.1.to_owned()));
                }
                if Some(row) == trace.root() {
                    reference = reference.or(node).or(span.wall);
                }
            }
            orders.push((spans, order));
        }
        Ok(Self { orders, estimator, reference, names })
    }

    fn aligned<'a>(
        &self,
        trace: MergedTrace<'a>,
        (spans, order): &(Vec<Span>, Order),
    ) -> MergedTrace<'a> {
        let mut solver = Solver::new(&self.estimator);
        let root = trace.root().and_then(|root| spans.get(root.idx()));
        let reference =
            root.and_then(|root| root.start.map_or(root.wall, |at| Some(ClockId::Node(at.node))));
        let times = order.aligned(spans, &mut solver, reference.unwrap_or(ClockId::Utc));
        let times: Vec<SpanTimes> = times
            .iter()
            .map(|of| SpanTimes {
                start_ns: of.start_ns,
                end_ns: of.end_ns.max(of.start_ns),
                half_width_ns: of.half_width_ns,
            })
            .collect();
        trace.aligned(&times)
    }

    fn findings(&self) -> Vec<Finding> {
        let (Some(reference), Some((first, last))) =
            (self.reference, self.estimator.window_range())
        else {
            return Vec::new();
        };
        let reports = report(&mut Solver::new(&self.estimator), reference, first..=last);
        let known =
            reports.iter().filter(|report| report.clock != reference).filter_map(|report| {
                let (service, instance) = self.names.get(&report.clock)?;
                Some(ClockSeen { report, service, instance })
            });
        detect_clocks(&known.collect::<Vec<_>>(), &ClockSettings::default())
    }
}
