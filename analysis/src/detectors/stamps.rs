//! The spans of a trace as the clock's order takes them: stamps read, parents by row.
//!
//! For detectors of clocks. A trace without stamps costs one look at each span's attributes.

use causeway_clock::order::{Kind as ClockKind, Link, Span};
use causeway_clock::{Carried, ClockId, Stamp, tracestate};
use causeway_model::trace::{Flags, Kind, MergedTrace, Row};
use causeway_model::value;

/// Spans by row; `None` where no span shows a stamp.
pub(super) fn stamped_spans(trace: &MergedTrace<'_>) -> Option<Vec<Span>> {
    let spans: Vec<Span> = trace.rows().map(|row| span(trace, row)).collect();
    let is_stamped = |span: &Span| span.start.is_some() || span.end.is_some();
    spans.iter().any(is_stamped).then_some(spans)
}

fn span(trace: &MergedTrace<'_>, row: Row) -> Span {
    let instance = u64::from(trace.clock(row));
    let start_ns = trace.raw_start_ns(row);
    let links = trace.links(row).map(|link| {
        let mut found = trace.find(link.span_id);
        Link { span: found.next().map(|row| row.0), stamp: None }
    });
    let is_placeholder = trace.flags(row).contains(Flags::PLACEHOLDER);
    Span {
        parent: trace.parent(row).map(|parent| parent.0),
        kind: match trace.kind(row) {
            Kind::Client => ClockKind::Client,
            Kind::Server => ClockKind::Server,
            Kind::Producer => ClockKind::Producer,
            Kind::Consumer => ClockKind::Consumer,
            Kind::Internal | Kind::Unspecified => ClockKind::Internal,
        },
        instance: (!is_placeholder).then_some(instance),
        wall: (!is_placeholder).then_some(ClockId::Instance(instance)),
        start_ns,
        end_ns: start_ns.saturating_add(trace.raw_duration_ns(row)),
        start: stamp(trace, row, "hlc.start"),
        end: stamp(trace, row, "hlc.end"),
        received: carried(trace.trace_state(row)),
        rejected: stamp(trace, row, "hlc.reject"),
        responses: Vec::new(),
        links: links.collect(),
        duplicate: trace.flags(row).contains(Flags::DUPLICATE_ID),
        ..Span::default()
    }
}

fn stamp(trace: &MergedTrace<'_>, row: Row, key: &str) -> Option<Stamp> {
    let text = trace.attribute(row, key)?.text();
    value::display(&text).parse().ok()
}

fn carried(trace_state: &str) -> Option<Stamp> {
    let Carried(stamp) = tracestate::carried(trace_state)?.parse().ok()?;
    Some(stamp)
}
