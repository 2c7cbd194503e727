//! Spans of one or more traces as their order is computed from them.
//!
//! Everything the order needs of a span comes from its row: ids, times, stamps, what its resource says of
//! process and clock, and how a call ended. Parents are looked for within a trace, links in all.

use arrow::array::Array;
use causeway_clock::ClockId;
use causeway_clock::order::{Kind, Link, Span};
use causeway_model::rows::{AttributeText, SpanRows};
use causeway_model::stamps::carried;
use causeway_model::trace::{self, Flags, MergedTrace, Row};
use hashbrown::HashMap;

use super::identity::{ClockName, Process};

/// Codes of gRPC that say that the caller did not wait for the answer: cancelled, deadline exceeded.
const GAVE_UP: [&str; 2] = ["1", "4"];

/// All attributes of spans that bear on their order.
pub(crate) const ORDER_ATTRIBUTES: [&str; 7] = [
    HTTP_STATUS[0],
    HTTP_STATUS[1],
    RPC_STATUS[0],
    RPC_STATUS[1],
    OPERATION[0],
    OPERATION[1],
    OPERATION[2],
];
const HTTP_STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];
const RPC_STATUS: [&str; 2] = ["rpc.grpc.status_code", "rpc.response.status_code"];
const OPERATION: [&str; 3] =
    ["messaging.operation.type", "messaging.operation.name", "messaging.operation"];

/// Where a span is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Position of its trace.
    pub(crate) trace: usize,
    pub(crate) row: Row,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Trace by trace; in a trace by rows, without placeholders.
    pub(crate) spans: Vec<Span>,
    /// The place of each span.
    places: Vec<Place>,
    /// Position of the span in each row of each trace; none for placeholders.
    positions: Vec<Vec<Option<u32>>>,
    /// Positions of the traces.
    by_id: HashMap<[u8; 16], usize>,
    /// The clocks that are read, and how people know them.
    pub(crate) clocks: HashMap<ClockId, ClockName>,
    /// Clocks that are thought to be one.
    pub(crate) ties: Vec<(ClockId, ClockId)>,
    /// Clocks and by how many nanoseconds they are off universal time at most, as their hosts say.
    pub(crate) declared: Vec<(ClockId, u64)>,
}

/// A link that waits until all spans are known.
struct OpenLink<'a> {
    from: u32,
    trace_id: &'a [u8],
    span_id: u64,
    trace_state: Option<&'a str>,
}

impl Gathered {
    /// Reads traces with all attributes.
    pub(crate) fn new(traces: &[MergedTrace<'_>]) -> Self {
        let mut gathered = Self::default();
        let mut processes = Processes::default();
        let mut links = Vec::new();
        for (number, trace) in traces.iter().enumerate() {
            gathered.number(number, trace);
            let mut known = HashMap::new();
            for row in trace.rows() {
                let Some((rows, at)) = trace.source(row) else { continue };
                let process = *known
                    .entry((trace.clock(row), trace.service(row)))
                    .or_insert_with(|| processes.number(rows, at, &mut gathered));
                let Some(process) = processes.all.get(process) else { continue };
                let from = gathered.spans.len() as u32;
                links.extend(open_links(rows, at, from));
                let span = gathered.span(Place { trace: number, row }, trace, process, (rows, at));
                gathered.spans.push(span);
            }
        }
        gathered.link(traces, links);
        gathered
    }

    /// Gives the spans of a trace their positions.
    fn number(&mut self, number: usize, trace: &MergedTrace<'_>) {
        let positions = trace.rows().map(|row| {
            let is_span = !trace.flags(row).contains(Flags::PLACEHOLDER);
            is_span.then(|| {
                self.places.push(Place { trace: number, row });
                self.places.len() as u32 - 1
            })
        });
        let positions = positions.collect();
        self.positions.push(positions);
        self.by_id.extend(trace.trace_id().map(|id| (id.0, number)));
    }

    fn span(
        &mut self,
        place: Place,
        trace: &MergedTrace<'_>,
        process: &Process,
        (rows, at): (&SpanRows<'_>, usize),
    ) -> Span {
        let stamps = rows.stamps.get(at);
        for node in [stamps.start, stamps.end].into_iter().flatten().map(|stamp| stamp.node) {
            self.know(
                ClockId::Node(node),
                &process.name,
                process.ties(Some(node)),
                process.error_ns,
            );
        }
        let kind = match trace.kind(place.row) {
            trace::Kind::Server => Kind::Server,
            trace::Kind::Client => Kind::Client,
            trace::Kind::Producer => Kind::Producer,
            trace::Kind::Consumer => Kind::Consumer,
            trace::Kind::Internal | trace::Kind::Unspecified => Kind::Internal,
        };
        let ended = Ended::of(rows, at, kind);
        Span {
            parent: trace.parent(place.row).and_then(|row| self.at(Place { row, ..place })),
            kind,
            instance: process.instance,
            wall: process.wall,
            start_ns: rows.start_time_unix_nano.value(at),
            end_ns: rows.end_time_unix_nano(at),
            start: stamps.start,
            end: stamps.end,
            received: stamps.received,
            rejected: stamps.rejected,
            responses: stamps.responses,
            links: Vec::new(),
            received_at_ns: Some(rows.received_at_unix_nano.value(at)),
            duplicate: trace.flags(place.row).contains(Flags::DUPLICATE_ID),
            responded: ended.responded,
            processes: ended.processes,
        }
    }

    /// Notes a clock, which others are thought to be the same, and by how much its host says that it is off at most.
    fn know(
        &mut self,
        clock: ClockId,
        name: &ClockName,
        ties: impl Iterator<Item = (ClockId, ClockId)>,
        error_ns: Option<u64>,
    ) {
        if !self.clocks.contains_key(&clock) {
            self.clocks.insert(clock, name.clone());
            self.ties.extend(ties);
            self.declared.extend(error_ns.map(|error_ns| (clock, error_ns)));
        }
    }

    fn know_process(&mut self, process: &Process) {
        if let Some(host) = process.host {
            let host_name = process.name.host_name.clone();
            let name = ClockName { host_name, ..ClockName::default() };
            self.know(host, &name, std::iter::empty(), process.error_ns);
        }
        if let Some(wall) = process.wall {
            self.know(wall, &process.name, process.ties(None), process.error_ns);
        }
    }

    fn link(&mut self, traces: &[MergedTrace<'_>], links: Vec<OpenLink<'_>>) {
        for OpenLink { from, trace_id, span_id, trace_state } in links {
            let trace_id = <[u8; 16]>::try_from(trace_id).ok();
            let span = trace_id.and_then(|trace_id| self.position(traces, trace_id, span_id));
            let link = Link { span, stamp: trace_state.and_then(carried) };
            self.spans.get_mut(from as usize).into_iter().for_each(|span| span.links.push(link));
        }
    }

    /// The position of a span, given by trace and span id; the first of several.
    pub(crate) fn position(
        &self,
        traces: &[MergedTrace<'_>],
        trace_id: [u8; 16],
        span_id: u64,
    ) -> Option<u32> {
        let trace = *self.by_id.get(&trace_id)?;
        traces.get(trace)?.find(span_id).find_map(|row| self.at(Place { trace, row }))
    }

    /// The position of the span in a row; none for placeholders.
    pub(crate) fn at(&self, place: Place) -> Option<u32> {
        self.positions.get(place.trace)?.get(place.row.idx()).copied().flatten()
    }

    /// Where a span is found.
    pub(crate) fn place(&self, span: u32) -> Option<Place> {
        self.places.get(span as usize).copied()
    }

    /// The clock that a span's start is read on.
    pub(crate) fn clock(&self, span: u32) -> Option<ClockId> {
        let span = self.spans.get(span as usize)?;
        span.start.map(|stamp| ClockId::Node(stamp.node)).or(span.wall)
    }
}

fn open_links<'a>(
    rows: &'a SpanRows<'a>,
    at: usize,
    from: u32,
) -> impl Iterator<Item = OpenLink<'a>> {
    rows.link_range(at).map(move |link| OpenLink {
        from,
        trace_id: rows.links.trace_id.value(link),
        span_id: rows.links.span_id.value(link).try_into().map_or(0, u64::from_be_bytes),
        trace_state: rows
            .links
            .trace_state
            .is_valid(link)
            .then(|| rows.links.trace_state.value(link)),
    })
}

/// Processes by their resource, each read once.
#[derive(Default)]
struct Processes<'a> {
    numbers: HashMap<(&'a str, Option<&'a str>), usize>,
    all: Vec<Process>,
}

impl<'a> Processes<'a> {
    fn number(&mut self, rows: &SpanRows<'a>, at: usize, gathered: &mut Gathered) -> usize {
        let resource = rows.resource_attributes.get(at).unwrap_or_default();
        let service = rows.service_name.get(at).filter(|service| !service.is_empty());
        *self.numbers.entry((resource, service)).or_insert_with(|| {
            let process = Process::of_resource(resource, service);
            gathered.know_process(&process);
            self.all.push(process);
            self.all.len() - 1
        })
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
        let find = |keys: &[&str]| keys.iter().find_map(|key| rows.attributes.get(row, key));
        let is_one_of = |value: AttributeText<'_>, texts: &[&str]| {
            let text = value.text();
            texts.contains(&text.trim_matches('"'))
        };
        match kind {
            Kind::Client => Self {
                responded: match find(&RPC_STATUS) {
                    Some(status) => !is_one_of(status, &GAVE_UP),
                    None => find(&HTTP_STATUS).is_some(),
                },
                ..Self::default()
            },
            Kind::Consumer => Self {
                processes: OPERATION.iter().any(|key| {
                    let operation = rows.attributes.get(row, key);
                    operation.is_some_and(|operation| is_one_of(operation, &["process"]))
                }),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}
