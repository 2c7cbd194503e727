//! Answers about the order of one trace, as HTTP and SQL give them.

use std::collections::HashMap;

use causeway_clock::offsets::{Estimator, OffsetSettings, Solver};
use causeway_clock::order::{Class, EdgeKind, Event, Fault, Kind, Margin, Span, SpanOrder, Step};
use causeway_clock::{ClockId, Stamp};
use serde::Serialize;

use super::clocks::Clocks;
use super::gather::Place;
use super::identity::{ClockName, clock_text};
use super::trace_order::TraceOrder;
use crate::error::Result;

/// A start or an end of a span.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EventAnswer {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) event: &'static str,
}

/// One step of a proof.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StepAnswer {
    from: EventAnswer,
    to: EventAnswer,
    edge: &'static str,
    is_proof: bool,
}

/// Why one event is earlier than another.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Because {
    earlier: EventAnswer,
    later: EventAnswer,
    /// The recorded edges, where the class rests on edges.
    steps: Vec<StepAnswer>,
}

/// What bounds of offsets assume.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Assumptions {
    /// How far the rate of a clock may be off.
    rho_ppm: i64,
    /// How far evidence is carried.
    horizon_ns: i64,
    /// Length of a window.
    window_ns: i64,
    /// Clocks whose hosts are believed what they declare (`hlc.clock_error_ns`).
    declared_clocks: usize,
}

impl Assumptions {
    pub(crate) fn of(estimator: &Estimator) -> Self {
        let OffsetSettings { rho_ppm, horizon_ns, window_ns, .. } = *estimator.settings();
        Self { rho_ppm, horizon_ns, window_ns, declared_clocks: estimator.declared() }
    }
}

/// How two spans relate.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RelationAnswer {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) relation: &'static str,
    pub(crate) class: &'static str,
    pub(crate) because: Vec<Because>,
    pub(crate) margin_ns: Option<i64>,
    pub(crate) half_width_ns: Option<i64>,
    assumptions: Assumptions,
}

/// How two spans relate, and why.
///
/// # Errors
/// One of the spans is not in the trace.
pub(crate) fn relation(
    traces: &TraceOrder<'_>,
    clocks: &Clocks,
    trace_id: [u8; 16],
    [from, to]: [u64; 2],
) -> Result<RelationAnswer> {
    let (a, b) = (traces.position(trace_id, from)?, traces.position(trace_id, to)?);
    let found = clocks.solve(|solver| traces.order.span_relation(a, b, Some(solver)));
    let because = found.because.iter().flatten().map(|(earlier, later)| {
        let steps = match found.class {
            Class::Inferred => traces.order.inference(*earlier, *later),
            _ => traces.order.proof(*earlier, *later),
        };
        let steps = steps.unwrap_or_default();
        Because {
            earlier: event_answer(traces, *earlier),
            later: event_answer(traces, *later),
            steps: steps.iter().map(|step| step_answer(traces, step)).collect(),
        }
    });
    Ok(RelationAnswer {
        from: format!("{from:016x}"),
        to: format!("{to:016x}"),
        relation: relation_text(found.order),
        class: class_text(found.class),
        because: because.collect(),
        margin_ns: found.margin.map(|margin| margin.margin_ns),
        half_width_ns: found.margin.and_then(|margin: Margin| margin.half_width_ns),
        assumptions: Assumptions::of(&clocks.estimator),
    })
}

fn event_answer(traces: &TraceOrder<'_>, event: Event) -> EventAnswer {
    let (span, event) = match event {
        Event::Start(span) => (span, "start"),
        Event::End(span) => (span, "end"),
        Event::Tick(span) => (span, "tick"),
    };
    let (trace_id, span_id) = traces.ids(span);
    EventAnswer { trace_id: trace_id.to_string(), span_id: format!("{span_id:016x}"), event }
}

fn step_answer(traces: &TraceOrder<'_>, step: &Step) -> StepAnswer {
    StepAnswer {
        from: event_answer(traces, step.from),
        to: event_answer(traces, step.to),
        edge: edge_text(step.kind),
        is_proof: step.kind.is_proof(),
    }
}

/// How each span of a trace relates to one of them, as far as it is proven.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConeAnswer {
    pub(crate) span_id: Vec<String>,
    /// Of the span asked about to this one: `before` means that this one came later.
    pub(crate) relation: Vec<&'static str>,
}

/// Everything that is proven about one span.
///
/// # Errors
/// The span is not in the trace.
pub(crate) fn cone(traces: &TraceOrder<'_>, trace: [u8; 16], span: u64) -> Result<ConeAnswer> {
    let relations = traces.order.cone(traces.position(trace, span)?);
    let ids = (0_u32..).map(|span| traces.ids(span).1);
    Ok(ConeAnswer {
        span_id: ids.take(relations.len()).map(|id| format!("{id:016x}")).collect(),
        relation: relations.into_iter().map(relation_text).collect(),
    })
}

/// All events in an order that contradicts no proof.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LineAnswer {
    /// Position of the span among those gathered.
    #[serde(skip)]
    pub(crate) span: Vec<u32>,
    pub(crate) span_id: Vec<String>,
    pub(crate) event: Vec<&'static str>,
    /// As claimed.
    pub(crate) unix_nano: Vec<i64>,
    /// On the clock of reference.
    pub(crate) aligned_unix_nano: Vec<i64>,
    pub(crate) hlc: Vec<Option<i64>>,
}

/// The causal order of the events of a trace.
pub(crate) fn line(traces: &TraceOrder<'_>, clocks: &Clocks) -> LineAnswer {
    let aligned = clocks.solve(|solver| aligned(traces, solver));
    let times = traces.order.times_ns(&aligned.spans);
    let mut line = LineAnswer {
        span: Vec::new(),
        span_id: Vec::new(),
        event: Vec::new(),
        unix_nano: Vec::new(),
        aligned_unix_nano: Vec::new(),
        hlc: Vec::new(),
    };
    for event in traces.order.causal_order(&times) {
        let (Event::Start(span) | Event::End(span)) = event else { continue };
        let at = span as usize;
        let Some((raw, moved)) = traces.gathered.spans.get(at).zip(aligned.spans.get(at)) else {
            continue;
        };
        let (raw_ns, moved_ns) = match event {
            Event::Start(_) => (raw.start_ns, moved.start_ns),
            _ => (raw.end_ns, moved.end_ns),
        };
        let named = event_answer(traces, event);
        line.span.push(span);
        line.span_id.push(named.span_id);
        line.event.push(named.event);
        line.unix_nano.push(raw_ns);
        line.aligned_unix_nano.push(moved_ns);
        line.hlc.push(traces.order.hlc(event));
    }
    line
}

/// A clock of a trace, for people.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClockAnswer {
    pub(crate) clock: String,
    pub(crate) service_name: Option<String>,
    pub(crate) service_instance_id: Option<String>,
    pub(crate) host_name: Option<String>,
    /// Whether its ticks are recorded.
    pub(crate) is_tagged: bool,
}

impl ClockAnswer {
    pub(crate) fn new(clock: ClockId, name: ClockName) -> Self {
        Self {
            clock: clock_text(clock),
            service_name: name.service_name,
            service_instance_id: name.service_instance_id,
            host_name: name.host_name,
            is_tagged: matches!(clock, ClockId::Node(_)),
        }
    }
}

/// Times of the spans of a trace on the clock of its root.
#[derive(Debug)]
pub(crate) struct AlignedTrace {
    pub(crate) spans: Vec<causeway_clock::order::Aligned>,
    /// Position in `clocks` of each span.
    pub(crate) clock: Vec<Option<u32>>,
    pub(crate) clocks: Vec<ClockAnswer>,
    pub(crate) reference: Option<u32>,
    /// Bits of what is wrong with each span, across the trace.
    pub(crate) faults: Vec<u32>,
    /// What is wrong with the trace: how many spans by fault.
    pub(crate) fault_counts: Vec<(&'static str, usize)>,
}

/// Aligned times; nothing that is proven is contradicted.
pub(crate) fn aligned(traces: &TraceOrder<'_>, offsets: &mut Solver<'_>) -> AlignedTrace {
    let gathered = &traces.gathered;
    let is_root = |at: &usize| gathered.spans.get(*at).is_some_and(|span| span.parent.is_none());
    let starts = |at: &usize| gathered.spans.get(*at).map_or(i64::MAX, |span| span.start_ns);
    let root = (0..gathered.spans.len()).filter(is_root).min_by_key(starts).unwrap_or(0);
    let reference = gathered.clock(root as u32);
    let mut clocks: Vec<ClockId> = Vec::new();
    let mut places: HashMap<ClockId, u32> = HashMap::new();
    let clock: Vec<Option<u32>> = (0_u32..)
        .take(gathered.spans.len())
        .map(|span| {
            let clock = gathered.clock(span)?;
            let place = places.entry(clock).or_insert_with(|| {
                clocks.push(clock);
                clocks.len() as u32 - 1
            });
            Some(*place)
        })
        .collect();
    let told_on = reference.unwrap_or(ClockId::Utc);
    let spans = traces.order.aligned(&gathered.spans, offsets, told_on);
    let all_faults = (0_u32..).take(gathered.spans.len()).map(|span| traces.order.faults(span));
    let faults: Vec<_> = all_faults.collect();
    let counted = |fault: Fault| faults.iter().filter(|of| of.contains(fault)).count();
    let fault_counts = Fault::ALL.into_iter().map(|fault| (fault.label(), counted(fault)));
    AlignedTrace {
        clock,
        reference: reference.and_then(|reference| places.get(&reference).copied()),
        clocks: clocks
            .iter()
            .map(|clock| {
                let name = gathered.clocks.get(clock).cloned().unwrap_or_default();
                ClockAnswer::new(*clock, name)
            })
            .collect(),
        spans,
        fault_counts: fault_counts.filter(|(_, count)| *count > 0).collect(),
        faults: faults.iter().map(|of| of.bits()).collect(),
    }
}

/// Messages between clocks, for drawing arrows.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Messages {
    /// Rows.
    pub(crate) from: Vec<u32>,
    pub(crate) from_event: Vec<&'static str>,
    pub(crate) to: Vec<u32>,
    pub(crate) to_event: Vec<&'static str>,
    pub(crate) class: Vec<&'static str>,
}

/// Most messages that are shown.
const MESSAGES_MAX: usize = 100_000;

/// What went from clock to clock between spans that have a row: calls and their answers by parents, messages by links.
/// Linear: only what a single edge shows is called proven.
pub(crate) fn messages(traces: &TraceOrder<'_>, row: impl Fn(Place) -> Option<u32>) -> Messages {
    let gathered = &traces.gathered;
    let mut messages = Messages::default();
    let mut add = |(from, from_event), (to, to_event), class| {
        if gathered.clock(from) == gathered.clock(to) {
            return;
        }
        let [from, to] = [from, to].map(|span| gathered.place(span).and_then(&row));
        if let (Some(from), Some(to)) = (from, to)
            && messages.from.len() < MESSAGES_MAX
        {
            messages.from.push(from);
            messages.from_event.push(from_event);
            messages.to.push(to);
            messages.to_event.push(to_event);
            messages.class.push(class_text(class));
        }
    };
    for (index, span) in (0_u32..).zip(&gathered.spans) {
        let of = |at: u32| gathered.spans.get(at as usize).map(|span| (at, span));
        if let Some((at, parent)) = span.parent.and_then(of) {
            add((at, "start"), (index, "start"), created(parent));
            if span.kind == Kind::Server && parent.kind == Kind::Client {
                add((index, "end"), (at, "end"), answered(traces, span, parent));
            }
        }
        for (at, linked) in span.links.iter().filter_map(|link| link.span).filter_map(of) {
            add((at, "start"), (index, "end"), created(linked));
        }
    }
    messages
}

/// Who refers to a span needed its random id, unless another span has the same.
fn created(by: &Span) -> Class {
    if by.duplicate { Class::Unknown } else { Class::Proven }
}

/// A stamp made when the server had ended, seen before the client ended, proves that it ended first.
fn answered(traces: &TraceOrder<'_>, server: &Span, client: &Span) -> Class {
    let is_after_end = |stamp: &Stamp| {
        server.end.is_some_and(|end| end.node == stamp.node && end.hlc <= stamp.hlc)
            && !traces.order.is_clashed(stamp.node)
    };
    if client.responses.iter().any(is_after_end) {
        Class::Proven
    } else if client.responded {
        Class::Inferred
    } else {
        Class::Guessed
    }
}

pub(crate) fn class_text(class: Class) -> &'static str {
    match class {
        Class::Proven => "proven",
        Class::Bounded => "bounded",
        Class::Inferred => "inferred",
        Class::Guessed => "guessed",
        Class::Unknown => "unknown",
    }
}

pub(crate) fn relation_text(order: SpanOrder) -> &'static str {
    match order {
        SpanOrder::Before => "before",
        SpanOrder::After => "after",
        SpanOrder::Contains => "contains",
        SpanOrder::Inside => "inside",
        SpanOrder::Overlaps => "overlaps",
        SpanOrder::Same => "same",
        SpanOrder::Undecided => "undecided",
    }
}

fn edge_text(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Program => "program",
        EdgeKind::Parent => "parent",
        EdgeKind::Link => "link",
        EdgeKind::Message => "message",
        EdgeKind::LinkMessage => "link_message",
        EdgeKind::Response => "response",
        EdgeKind::SameNode => "same_node",
        EdgeKind::Return => "return",
        EdgeKind::LocalReturn => "local_return",
        EdgeKind::Process => "process",
        EdgeKind::SameWall => "same_wall",
    }
}
