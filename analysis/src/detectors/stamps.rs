//! The spans of a trace as the clock's order takes them: stamps read, parents by row.
//!
//! For detectors of clocks. A trace without stamps costs one look at each span's attributes.

use causeway_clock::order::{Kind as ClockKind, Link, Span};
use causeway_clock::{Carried, ClockId, Stamp, response, tracestate};
use causeway_model::trace::{Flags, Kind, MergedTrace, Row, Status};
use causeway_model::value;
use xxhash_rust::xxh3::xxh3_64;

/// Spans by row; `None` where no span shows a stamp.
pub(super) fn stamped_spans(trace: &MergedTrace<'_>) -> Option<Vec<Span>> {
    let spans = clock_spans(trace);
    let is_stamped = |span: &Span| span.start.is_some() || span.end.is_some();
    spans.iter().any(is_stamped).then_some(spans)
}

/// Spans by row, whether stamped or not. Clocks are told apart by `service.instance.id`, the same in all traces, where it
/// is told, and by their resource within the trace otherwise.
pub fn clock_spans(trace: &MergedTrace<'_>) -> Vec<Span> {
    trace.rows().map(|row| span(trace, row)).collect()
}

fn span(trace: &MergedTrace<'_>, row: Row) -> Span {
    let identity = trace.resource_attribute(row, "service.instance.id");
    let instance =
        identity.map_or(u64::from(trace.clock(row)), |id| xxh3_64(value::display(id).as_bytes()));
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
        responses: responses(trace, row),
        links: links.collect(),
        responded: trace.status(row) != Status::Error,
        duplicate: trace.flags(row).contains(Flags::DUPLICATE_ID),
        ..Span::default()
    }
}

fn stamp(trace: &MergedTrace<'_>, row: Row, key: &str) -> Option<Stamp> {
    let text = trace.attribute(row, key)?.text();
    value::display(&text).parse().ok()
}

/// A list of stamps is stored as a JSON array of texts.
fn responses(trace: &MergedTrace<'_>, row: Row) -> Vec<Stamp> {
    let Some(text) = trace.attribute(row, "hlc.resp") else { return Vec::new() };
    let texts: Vec<String> = serde_json::from_str(&text.text()).unwrap_or_default();
    texts.iter().take(response::STAMPS_MAX).filter_map(|text| text.parse().ok()).collect()
}

fn carried(trace_state: &str) -> Option<Stamp> {
    let Carried(stamp) = tracestate::carried(trace_state)?.parse().ok()?;
    Some(stamp)
}
