//! Spans of one or more traces as their order is computed from them.
//!
//! Everything the order needs of a span comes from its row: ids, times, stamps, what its resource says of
//! process and clock, and how a call ended. Parents are looked for within a trace, links in all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use arrow::array::{Array, RecordBatch};
use arrow::error::ArrowError;
use causeway_clock::ClockId;
use causeway_clock::order::{Kind, Link, Span};
use causeway_model::rows::{AttributeText, SpanRows};
use causeway_model::stamps::carried;

use super::identity::{ClockName, Process};
use crate::trace::{Linked, MergedTrace, merge_rows, parents, rows_of};

/// Codes of gRPC that say that the caller did not wait for the answer: cancelled, deadline exceeded.
const GAVE_UP: [&str; 2] = ["1", "4"];

/// Batch and row of each span.
type Places = Vec<(usize, usize)>;

/// A trace among those gathered.
#[derive(Debug)]
pub(crate) struct GatheredTrace {
    pub(crate) trace_id: [u8; 16],
    /// Position of its first span among all.
    pub(crate) first: usize,
    /// Its spans, with the texts they share.
    pub(crate) merged: MergedTrace,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Trace by trace; in a trace as rows came.
    pub(crate) spans: Vec<Span>,
    pub(crate) traces: Vec<GatheredTrace>,
    /// The clocks that are read, and how people know them.
    pub(crate) clocks: HashMap<ClockId, ClockName>,
    /// Clocks that are thought to be one.
    pub(crate) ties: Vec<(ClockId, ClockId)>,
}

impl Gathered {
    /// Reads batches of the storage schema with all attributes, in which no span repeats.
    ///
    /// # Errors
    /// A batch is not of the storage schema.
    pub(crate) fn new(batches: &[RecordBatch]) -> Result<Self, ArrowError> {
        let rows = batches.iter().map(rows_of).collect::<Result<Vec<_>, _>>()?;
        let mut by_trace: Vec<([u8; 16], Places)> = Vec::new();
        let mut known: HashMap<[u8; 16], usize> = HashMap::new();
        for (at, rows) in rows.iter().enumerate() {
            for row in 0..rows.len {
                let Ok(id) = <[u8; 16]>::try_from(rows.trace_id.value(row)) else { continue };
                let trace = *known.entry(id).or_insert_with(|| {
                    by_trace.push((id, Vec::new()));
                    by_trace.len() - 1
                });
                by_trace.get_mut(trace).into_iter().for_each(|(_, of)| of.push((at, row)));
            }
        }
        let mut gathered = Self::default();
        let mut processes = Processes::default();
        let mut links = Vec::new();
        for (trace_id, places) in by_trace {
            let place = |(at, row): &(usize, usize)| rows.get(*at).map(|rows| (rows, *row));
            let merged = merge_rows(places.iter().filter_map(place));
            let first = gathered.spans.len();
            for ((rows, row), linked) in places.iter().filter_map(place).zip(parents(&merged)) {
                let process = processes.of(rows, row);
                gathered.know(&process, rows, row);
                links.extend(rows.link_range(row).map(|link| (gathered.spans.len(), rows, link)));
                gathered.spans.push(span(rows, row, linked, first, &process));
            }
            gathered.traces.push(GatheredTrace { trace_id, first, merged });
        }
        gathered.link(&links);
        Ok(gathered)
    }

    /// Notes the clocks of a span.
    fn know(&mut self, process: &Process, rows: &SpanRows<'_>, row: usize) {
        let stamps = rows.stamps.get(row);
        let nodes = [stamps.start, stamps.end].into_iter().flatten().map(|stamp| stamp.node);
        for node in nodes {
            if let Entry::Vacant(clock) = self.clocks.entry(ClockId::Node(node)) {
                clock.insert(process.name.clone());
                self.ties.extend(process.ties(Some(node)));
            }
        }
        if let Some(host) = process.host {
            let name =
                || ClockName { host_name: process.name.host_name.clone(), ..ClockName::default() };
            self.clocks.entry(host).or_insert_with(name);
        }
        let Some(wall) = process.wall else { return };
        if let Entry::Vacant(clock) = self.clocks.entry(wall) {
            clock.insert(process.name.clone());
            self.ties.extend(process.ties(None));
        }
    }

    fn link(&mut self, links: &[(usize, &SpanRows<'_>, usize)]) {
        let mut by_id: HashMap<(&[u8], u64), u32> = HashMap::new();
        for trace in &self.traces {
            for (at, span) in (trace.first as u32..).zip(&trace.merged.spans) {
                by_id.entry((&trace.trace_id, span.span_id)).or_insert(at);
            }
        }
        for (from, rows, link) in links {
            let (trace, id) = (rows.links.trace_id.value(*link), rows.links.span_id.value(*link));
            let id = id.try_into().map_or(0, u64::from_be_bytes);
            let state = &rows.links.trace_state;
            let stamp = state.is_valid(*link).then(|| carried(state.value(*link))).flatten();
            let link = Link { span: by_id.get(&(trace, id)).copied(), stamp };
            self.spans.get_mut(*from).into_iter().for_each(|span| span.links.push(link));
        }
    }

    /// The position of a span, given by trace and span id; the first of several.
    pub(crate) fn position(&self, trace_id: [u8; 16], span_id: u64) -> Option<u32> {
        let trace = self.traces.iter().find(|trace| trace.trace_id == trace_id)?;
        let at = trace.merged.spans.iter().position(|span| span.span_id == span_id)?;
        u32::try_from(trace.first + at).ok()
    }

    /// The trace of a span, and the span there.
    pub(crate) fn place(&self, span: u32) -> Option<(&GatheredTrace, &crate::trace::Span)> {
        let at = span as usize;
        let trace = self.traces.partition_point(|trace| trace.first <= at).checked_sub(1)?;
        let trace = self.traces.get(trace)?;
        Some((trace, trace.merged.spans.get(at - trace.first)?))
    }

    /// The clock that a span's start is read on.
    pub(crate) fn clock(&self, span: u32) -> Option<ClockId> {
        let span = self.spans.get(span as usize)?;
        span.start.map(|stamp| ClockId::Node(stamp.node)).or(span.wall)
    }
}

/// Processes by their resource, each read once.
#[derive(Default)]
struct Processes<'a>(HashMap<(&'a str, Option<&'a str>), Rc<Process>>);

impl<'a> Processes<'a> {
    fn of(&mut self, rows: &SpanRows<'a>, row: usize) -> Rc<Process> {
        let resource = rows.resource_attributes.get(row).unwrap_or_default();
        let service = rows.service_name.get(row).filter(|service| !service.is_empty());
        let read = || Rc::new(Process::of_resource(resource, service));
        Rc::clone(self.0.entry((resource, service)).or_insert_with(read))
    }
}

fn span(rows: &SpanRows<'_>, row: usize, linked: Linked, first: usize, process: &Process) -> Span {
    let stamps = rows.stamps.get(row);
    let kind = match rows.kind.value(row) {
        2 => Kind::Server,
        3 => Kind::Client,
        4 => Kind::Producer,
        5 => Kind::Consumer,
        _ => Kind::Internal,
    };
    let ended = Ended::of(rows, row, kind);
    Span {
        parent: linked.parent.and_then(|parent| u32::try_from(first + parent).ok()),
        kind,
        instance: process.instance,
        wall: process.wall,
        start_ns: rows.start_time_unix_nano.value(row),
        end_ns: rows.end_time_unix_nano(row),
        start: stamps.start,
        end: stamps.end,
        received: stamps.received,
        rejected: stamps.rejected,
        responses: stamps.responses,
        links: Vec::new(),
        received_at_ns: Some(rows.received_at_unix_nano.value(row)),
        duplicate: linked.is_duplicate,
        responded: ended.responded,
        processes: ended.processes,
    }
}

/// What attributes tell about how a span took part in a call or message.
#[derive(Default)]
struct Ended {
    responded: bool,
    processes: bool,
}

impl Ended {
    fn of(rows: &SpanRows<'_>, row: usize, kind: Kind) -> Self {
        let mut ended = Self::default();
        if !matches!(kind, Kind::Client | Kind::Consumer) {
            return ended;
        }
        for (key, value) in rows.attributes.entries(row) {
            let is = |texts: &[&str]| match value {
                Some(AttributeText::Int(value)) => texts.contains(&value.to_string().as_str()),
                Some(AttributeText::Text(text)) => texts.contains(&text.trim_matches('"')),
                None => false,
            };
            match (kind, key) {
                (Kind::Client, "http.response.status_code" | "http.status_code") => {
                    ended.responded = value.is_some();
                }
                (Kind::Client, "rpc.grpc.status_code" | "rpc.response.status_code") => {
                    ended.responded = value.is_some() && !is(&GAVE_UP);
                }
                (
                    Kind::Consumer,
                    "messaging.operation.type" | "messaging.operation.name" | "messaging.operation",
                ) => ended.processes |= is(&["process"]),
                _ => {}
            }
        }
        ended
    }
}
