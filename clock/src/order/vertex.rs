//! Events by number. Start and end of span `i` are vertices `2 i` and `2 i + 1`; extra ticks follow; gates, which are no
//! events, come last.

use super::span::{Event, Span};

pub(super) const fn start_of(span: u32) -> u32 {
    span * 2
}

pub(super) const fn end_of(span: u32) -> u32 {
    span * 2 + 1
}

pub(super) const fn tick_of(spans: usize, tick: u32) -> u32 {
    spans as u32 * 2 + tick
}

/// The event a vertex stands for.
pub(super) const fn event_of(spans: usize, vertex: u32) -> Event {
    match (vertex / 2, vertex % 2) {
        (span, _) if span as usize >= spans => Event::Tick(vertex - spans as u32 * 2),
        (span, 0) => Event::Start(span),
        (span, _) => Event::End(span),
    }
}

/// The parent of a span, where it is another one of the spans.
pub(super) fn parent_of<'a>(span: &Span, spans: &'a [Span]) -> Option<&'a Span> {
    spans.get(span.parent? as usize)
}
