//! Stamps of hybrid clocks on the spans of a trace, as services with everything installed leave them.
//!
//! Clocks are perfect, so that ticks are the times themselves. Links carry no stamps.

use std::collections::HashMap;
use std::num::NonZeroU64;

use causeway_clock::{NodeId, Stamp, tracestate};

use super::attributes::{stamps, text};
use super::simulate::Made;
use crate::proto::trace::v1::{Span, span::SpanKind};

/// Tags the spans of a trace, children before their parents.
pub(super) fn tag(trace: &mut [Made]) {
    let by_id: HashMap<Vec<u8>, usize> =
        trace.iter().enumerate().map(|(at, made)| (made.span.span_id.clone(), at)).collect();
    let mut responses: Vec<Vec<Stamp>> = trace.iter().map(|_| Vec::new()).collect();
    // Parents first: what a service was sent is handed on to all that it does.
    for at in (0..trace.len()).rev() {
        let Made { span, pod, .. } = &trace[at];
        let Some(parent) = by_id.get(&span.parent_span_id).copied() else { continue };
        let sender = &trace[parent];
        let sent = sender.span.start_time_unix_nano.midpoint(span.start_time_unix_nano);
        let state = match is_remote(span) {
            true => tracestate::with_stamp(&span.trace_state, stamp(sender.pod, sent)),
            false => sender.span.trace_state.clone(),
        };
        if is_remote(span) && span.kind == SpanKind::Server as i32 {
            responses[parent].push(stamp(*pod, span.end_time_unix_nano));
        }
        trace[at].span.trace_state = state;
    }
    for (Made { span, pod, .. }, responses) in trace.iter_mut().zip(responses) {
        let tick = |at_unix_nano| stamp(*pod, at_unix_nano).to_string();
        span.attributes.extend([
            text("hlc.start", tick(span.start_time_unix_nano)),
            text("hlc.end", tick(span.end_time_unix_nano)),
        ]);
        if !responses.is_empty() {
            span.attributes.push(stamps("hlc.resp", &responses));
        }
    }
}

fn is_remote(span: &Span) -> bool {
    !span.parent_span_id.is_empty()
        && [SpanKind::Server as i32, SpanKind::Consumer as i32].contains(&span.kind)
}

fn stamp(pod: usize, at_unix_nano: u64) -> Stamp {
    let spread = (pod as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let node = NodeId(NonZeroU64::new(spread).unwrap_or(NonZeroU64::MIN));
    Stamp { node, hlc: i64::try_from(at_unix_nano).unwrap_or(i64::MAX), lead: 0 }
}

#[cfg(test)]
mod tests {
    use causeway_clock::Carried;

    use super::super::Traffic;
    use super::*;
    use crate::proto::common::v1::{AnyValue, any_value::Value};

    fn spans(traffic: Traffic) -> Vec<Span> {
        let mut traffic = traffic.spans_per_request(50);
        let mut sent: Vec<_> = traffic.by_ref().take(200).collect();
        sent.extend(traffic.remaining());
        let resources = sent.into_iter().flat_map(|request| request.resource_spans);
        resources.flat_map(|it| it.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// The stamps of an attribute.
    fn ticks(span: &Span, key: &str) -> Vec<Stamp> {
        let found = span.attributes.iter().find(|attribute| attribute.key == key);
        let value = found.and_then(|attribute| attribute.value.clone());
        let values = match value.as_ref().and_then(|value| value.value.clone()) {
            Some(Value::ArrayValue(list)) => list.values,
            _ => value.into_iter().collect(),
        };
        let stamp = |value: &AnyValue| match &value.value {
            Some(Value::StringValue(text)) => text.parse().ok(),
            _ => None,
        };
        values.iter().filter_map(stamp).collect()
    }

    #[test]
    fn stamps_follow_messages_there_and_back() {
        let all = spans(Traffic::new(7, 1_790_000_000_000_000_000).tagged());
        let by_id: HashMap<_, _> = all.iter().map(|span| (span.span_id.clone(), span)).collect();
        let mut answered = 0;
        for span in &all {
            let [start, end] = ["hlc.start", "hlc.end"].map(|key| ticks(span, key));
            assert!(start[0] < end[0] && start[0].node == end[0].node);
            let Some(parent) = by_id.get(&span.parent_span_id) else { continue };
            if !is_remote(span) {
                assert_eq!(span.trace_state, parent.trace_state);
                continue;
            }
            let carried = tracestate::carried(&span.trace_state).expect("a stamp");
            let Carried(sent) = carried.parse().expect("a stamp");
            let [called, returned] = ["hlc.start", "hlc.end"].map(|key| ticks(parent, key)[0]);
            assert_eq!(sent.node, called.node);
            assert!(called.hlc < sent.hlc && sent.hlc < start[0].hlc);
            if ticks(parent, "hlc.resp").contains(&end[0]) {
                assert!(end[0].hlc < returned.hlc);
                answered += 1;
            }
        }
        assert!(answered * 20 > all.len(), "{answered} of {} spans", all.len());
    }

    #[test]
    fn but_for_stamps_spans_are_the_same() {
        let mut tagged = spans(Traffic::new(3, 1_790_000_000_000_000_000).tagged());
        let plain = spans(Traffic::new(3, 1_790_000_000_000_000_000));
        for tagged in &mut tagged {
            tagged.attributes.retain(|attribute| !attribute.key.starts_with("hlc."));
            tagged.trace_state = tracestate::without_stamp(&tagged.trace_state);
        }
        assert!(tagged == plain);
    }
}
