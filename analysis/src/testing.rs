//! Traces for the tests of this crate: from the notation, or made at random.

use std::sync::Arc;

use causeway_model::batch::{AttributeColumns, AttributeUse, seal};
use causeway_model::trace::MergedTrace;
use causeway_model::{SpanRows, otlp};
use causeway_testkit::notation::{self, EPOCH_NS, NotedSpan};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;

pub(crate) const MS: i64 = 1_000_000;

/// The merged trace of spans that went the way of received ones.
pub(crate) fn with_spans<T>(spans: &[NotedSpan], check: impl FnOnce(&MergedTrace<'_>) -> T) -> T {
    with_owned(spans, |trace| check(&trace))
}

/// The same, for what takes the trace.
pub(crate) fn with_owned<T>(spans: &[NotedSpan], check: impl FnOnce(MergedTrace<'_>) -> T) -> T {
    with_request(&notation::request(spans), check)
}

/// The merged trace of a request that holds one trace.
pub(crate) fn with_request<T>(
    request: &ExportTraceServiceRequest,
    check: impl FnOnce(MergedTrace<'_>) -> T,
) -> T {
    let request = request.encode_to_vec();
    let (columns, refusals) = otlp::decode(&request, EPOCH_NS).expect("protobuf");
    assert_eq!(refusals.total(), 0, "{}", refusals.message());
    let mut counted = AttributeUse::default();
    counted.add(&columns);
    let chosen = counted.choose(&AttributeColumns::default(), &Default::default());
    let batch = seal(&[Arc::new(columns)], &chosen).expect("sealed");
    let rows = [SpanRows::new(&batch).expect("schema")];
    check(MergedTrace::of(&rows).expect("small"))
}

/// The merged trace of a text in the notation.
pub(crate) fn with<T>(text: &str, check: impl FnOnce(&MergedTrace<'_>) -> T) -> T {
    with_spans(&notation::parse(text).expect("notation"), check)
}

/// Spans with ids, parents, times and kinds at random, so that every malformed shape comes up.
pub(crate) fn malformed() -> impl Strategy<Value = Vec<NotedSpan>> {
    let time = prop_oneof![8 => 0..40u64, 1 => Just(u64::MAX)];
    let kind = prop::sample::select(vec!["-", "client", "server", "producer", "consumer"]);
    let span = (1..14u64, 0..16u64, (time, 0..30u64), kind, 0..3);
    let span = span.prop_map(|(id, parent, (start, lasted), kind, of)| {
        let line = format!("s{of} n{} {kind} ?..?", id % 3);
        let mut span = notation::parse(&line).expect("notation").remove(0);
        (span.id, span.parent) = (id, parent);
        span.start_ns = if start == 0 { 0 } else { start.saturating_add(EPOCH_NS as u64) };
        // A tenth ends before it starts.
        span.end_ns = span.start_ns.saturating_add(lasted).saturating_sub(3);
        span
    });
    prop::collection::vec(span, 0..40)
}

/// Well-formed traces in which children lie within their parents, some side by side.
pub(crate) fn nested() -> impl Strategy<Value = Vec<NotedSpan>> {
    let cuts = prop::collection::vec((0..1_000u64, 0..1_000u64, 0..1_000usize), 1..40);
    cuts.prop_map(|cuts| {
        let top = EPOCH_NS as u64;
        let mut spans = vec![NotedSpan {
            id: 1,
            name: "n".to_owned(),
            start_ns: top,
            end_ns: top + 1_000_000,
            ..NotedSpan::default()
        }];
        for (id, (from, to, under)) in (2..).zip(cuts) {
            let Some(parent) = spans.get(under % spans.len()) else { continue };
            let (from, to) = (from.min(to), from.max(to));
            let lasted = parent.end_ns - parent.start_ns;
            spans.push(NotedSpan {
                id,
                parent: parent.id,
                name: format!("n{}", id % 5),
                service: format!("s{}", id % 3),
                start_ns: parent.start_ns + lasted * from / 1_000,
                end_ns: parent.start_ns + lasted * to / 1_000,
                ..NotedSpan::default()
            });
        }
        spans
    })
}
