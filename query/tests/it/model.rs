//! What the tables must say about spans, told directly from the spans that were sent.

use std::collections::{BTreeMap, HashSet};

use causeway_testkit::proto::trace::v1::{Span, Status};

use crate::world::{Dice, MS, T0, kv, span, text};

/// A span and the service that sent it.
pub(crate) type Sent = (&'static str, Span);

/// What a list shows of a trace, as far as lists are ordered by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) start: i64,
    pub(crate) duration: Option<i64>,
    pub(crate) envelope: i64,
    pub(crate) spans: i64,
    pub(crate) errors: i64,
    pub(crate) missing_parents: i64,
}

fn start(span: &Span) -> i64 {
    span.start_time_unix_nano.cast_signed()
}

fn id(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

impl Line {
    /// The line about all spans of a trace.
    pub(crate) fn of(spans: &[&Sent]) -> Self {
        let spans: Vec<&Span> = spans.iter().map(|(_, span)| span).collect();
        let usable = || spans.iter().filter(|span| start(span) > 0);
        let end = |span: &Span| span.end_time_unix_nano.cast_signed();
        let first = usable().map(|span| start(span)).min();
        let last = usable().map(|span| end(span).max(start(span))).max();
        let roots = spans.iter().filter(|span| span.parent_span_id.is_empty());
        let key = |span: &&&Span| {
            let at = if start(span) > 0 { start(span) } else { i64::MAX };
            (at, id(&span.span_id), end(span).wrapping_sub(start(span)))
        };
        let root = roots.min_by_key(key).filter(|span| start(span) > 0 && end(span) > 0);
        let ids: HashSet<u64> = spans.iter().map(|span| id(&span.span_id)).collect();
        let parents: HashSet<u64> = spans.iter().map(|span| id(&span.parent_span_id)).collect();
        let is_error = |span: &&&Span| span.status.as_ref().is_some_and(|s| s.code == 2);
        Self {
            start: first.unwrap_or(0),
            duration: root.map(|span| end(span) - start(span)),
            envelope: last.zip(first).map_or(0, |(last, first)| last - first),
            spans: spans.len() as i64,
            errors: spans.iter().filter(is_error).count() as i64,
            missing_parents: parents.iter().filter(|p| **p != 0 && !ids.contains(p)).count() as i64,
        }
    }

    /// The number it is ordered by.
    pub(crate) fn rank(&self, order: &str) -> i64 {
        match order {
            "newest" => self.start,
            "slowest" => self.duration.unwrap_or(self.envelope),
            "most_spans" => self.spans,
            _ => self.errors,
        }
    }
}

/// Spans by trace.
pub(crate) fn by_trace(sent: &[Sent]) -> BTreeMap<Vec<u8>, Vec<&Sent>> {
    let mut traces: BTreeMap<Vec<u8>, Vec<&Sent>> = BTreeMap::new();
    for one in sent {
        traces.entry(one.1.trace_id.clone()).or_default().push(one);
    }
    traces
}

/// A span of one of `traces` traces, most of them about when the trace number says, some far off,
/// some without a usable start.
pub(crate) fn random_span(dice: &mut Dice, traces: u64) -> Sent {
    let trace = dice.below(traces) + 1;
    let start_ms = match dice.below(12) {
        0 => dice.below(10_000),
        _ => trace * 100 + dice.below(300),
    };
    let id = dice.below(1 << 20) + 1;
    let parent = match dice.below(4) {
        0 => 0,
        _ => dice.below(1 << 20) + 1,
    };
    let mut span =
        span(trace, id, parent, ["a", "b"][dice.below(2) as usize], start_ms, dice.below(90));
    match dice.below(40) {
        0 => span.start_time_unix_nano = u64::MAX,
        1 => span.end_time_unix_nano = T0 + dice.below(start_ms + 1) * MS,
        _ => {}
    }
    if dice.below(5) == 0 {
        span.status = Some(Status { code: 2, message: String::new() });
    }
    let color = ["red", "green", "blue"][dice.below(3) as usize];
    span.attributes = vec![kv("color", text(color))];
    if dice.below(50) == 0 {
        span.attributes.push(kv("rare", text("yes")));
    }
    (["web", "db"][dice.below(2) as usize], span)
}

/// Lets some spans have parents that were sent.
pub(crate) fn adopt(dice: &mut Dice, sent: &mut [Sent]) {
    for at in 1..sent.len() {
        let parent = sent[dice.below(at as u64) as usize].1.clone();
        let child = &mut sent[at].1;
        if child.trace_id == parent.trace_id && !child.parent_span_id.is_empty() {
            child.parent_span_id = parent.span_id;
        }
    }
}
