//! Stamps of clocks: read into columns of their own, doubted where they must be, and what was sent
//! comes back all the same.

use std::num::NonZeroU64;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use causeway_clock::order::{Fault, Faults};
use causeway_clock::response::STAMPS_MAX;
use causeway_clock::{Carried, NodeId, Stamp};
use causeway_model::batch::{self, AttributeColumns};
use causeway_model::columns::COLUMNS;
use causeway_model::{SpanRows, SpanStamps, otlp};
use causeway_testkit::flat;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};
use causeway_testkit::proto::trace::v1::span::Link;
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;
use prost::Message;

/// 2026-09-21, when the collector receives.
const NOW: i64 = 1_790_000_002_000_000_000;
/// When spans start, 4 ms before they end.
const START: i64 = NOW - 1_000_000_000;
const END: i64 = START + 4_000_000;

fn node(id: u64) -> NodeId {
    NodeId(NonZeroU64::new(id).expect("not zero"))
}

fn stamp(node_id: u64, hlc: i64) -> Stamp {
    Stamp { node: node(node_id), hlc, lead: 0 }
}

#[expect(clippy::needless_pass_by_value, reason = "texts and stamps are made where they are used")]
fn text(value: impl ToString) -> Value {
    Value::StringValue(value.to_string())
}

fn list(values: impl IntoIterator<Item = Value>) -> Value {
    let values = values.into_iter().map(|value| AnyValue { value: Some(value) });
    Value::ArrayValue(ArrayValue { values: values.collect() })
}

fn tagged(attributes: Vec<(&str, Value)>) -> Span {
    let attributes = attributes.into_iter().map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    });
    Span {
        trace_id: vec![7; 16],
        span_id: vec![1; 8],
        start_time_unix_nano: START as u64,
        end_time_unix_nano: END as u64,
        attributes: attributes.collect(),
        ..Span::default()
    }
}

/// A span whose stamps are as they should be.
fn healthy() -> Span {
    tagged(vec![("hlc.start", text(stamp(1, START + 9))), ("hlc.end", text(stamp(1, END + 9)))])
}

fn with_state(mut span: Span, trace_state: impl Into<String>) -> Span {
    span.trace_state = trace_state.into();
    span
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }],
    }
}

fn sealed(spans: Vec<Span>) -> RecordBatch {
    let request = request(spans);
    let (columns, refusals) = otlp::decode(&request.encode_to_vec(), NOW).expect("decodes");
    assert_eq!(refusals.total(), 0);
    let batch = batch::seal(&[Arc::new(columns)], &AttributeColumns::default()).expect("seals");
    let mut out = Vec::new();
    otlp::write_protobuf(std::slice::from_ref(&batch), &mut out).expect("written");
    let back = ExportTraceServiceRequest::decode(out.as_slice()).expect("decodes");
    assert_eq!(flat::flatten(&back), flat::flatten(&request), "what was sent comes back");
    batch
}

fn read(span: Span) -> (SpanStamps, Vec<Fault>) {
    let batch = sealed(vec![span]);
    let rows = SpanRows::new(&batch).expect("the schema");
    let flags = Faults::from_bits(rows.clock_flags.value(0).cast_unsigned());
    (rows.stamps.get(0), flags.iter().collect())
}

fn check(span: Span, faults: &[Fault]) -> SpanStamps {
    let shown = format!("{span:?}");
    let (stamps, found) = read(span);
    assert_eq!(found, faults, "{shown}");
    stamps
}

#[test]
fn spans_without_stamps_cost_no_columns() {
    let spans = vec![with_state(tagged(vec![("hlcx", text("hlc"))]), "ot=th:0"), tagged(vec![])];
    let batch = sealed(spans);
    for column in COLUMNS {
        assert_eq!(batch.column_by_name(column.name).is_none(), column.is_optional);
    }
    assert_eq!(SpanRows::new(&batch).expect("the schema").stamps.get(0), SpanStamps::default());
}

#[test]
fn columns_that_no_span_needs_are_left_out_one_by_one() {
    let batch = sealed(vec![tagged(vec![]), healthy()]);
    let present: Vec<_> = COLUMNS
        .iter()
        .filter(|c| c.is_optional && batch.column_by_name(c.name).is_some())
        .map(|c| c.name)
        .collect();
    let ticks =
        ["hlc_start", "hlc_start_lead", "hlc_node", "hlc_end", "hlc_end_lead", "hlc_end_node"];
    assert_eq!(present, ticks);
    assert!(batch.column_by_name("hlc_start").expect("is there").is_null(0));
}

#[test]
fn all_stamps_are_read() {
    let mut span = healthy();
    let responses = [stamp(3, END), stamp(4, END - 1)];
    span.attributes.extend(tagged(vec![("hlc.resp", list(responses.map(text)))]).attributes);
    let received = Stamp { node: node(2), hlc: START, lead: 0x8f1 };
    let stamps = check(with_state(span, format!("ot=th:0, hlc={}", Carried(received))), &[]);
    assert_eq!(
        stamps,
        SpanStamps {
            start: Some(stamp(1, START + 9)),
            end: Some(stamp(1, END + 9)),
            received: Some(received),
            rejected: None,
            responses: responses.to_vec(),
        }
    );
}

#[test]
fn an_untagged_span_keeps_what_it_received() {
    let received = stamp(2, START);
    let stamps = check(with_state(tagged(vec![]), format!("hlc={}", Carried(received))), &[]);
    assert_eq!(stamps, SpanStamps { received: Some(received), ..SpanStamps::default() });
}

#[test]
fn one_tick_alone_is_used() {
    let stamps = check(tagged(vec![("hlc.end", text(stamp(1, END)))]), &[]);
    assert_eq!((stamps.start, stamps.end), (None, Some(stamp(1, END))));
}

#[test]
fn what_is_no_stamp_is_malformed_and_the_rest_is_used() {
    let good = stamp(1, START).to_string();
    let bad = [
        text(""),
        text("0000000000000000:18b3d491c318ed18"),
        text(good.to_uppercase() + "+"),
        text(format!("1:{good}")),
        text(format!("{good}+0")),
        text("x".repeat(100_000)),
        Value::IntValue(7),
        Value::IntValue(i64::MIN),
        Value::BoolValue(true),
        Value::DoubleValue(0.5),
        Value::BytesValue(good.clone().into_bytes()),
        list([text(&good)]),
    ];
    for value in bad {
        let stamps = check(
            tagged(vec![("hlc.start", value), ("hlc.end", text(stamp(1, END)))]),
            &[Fault::Malformed],
        );
        assert_eq!((stamps.start, stamps.end), (None, Some(stamp(1, END))));
    }
    let mut none = tagged(vec![("hlc.start", text(&good))]);
    none.attributes[0].value = None;
    assert!(check(none, &[Fault::Malformed]).is_empty());
    // Keys that only look like ours mean nothing.
    assert!(check(tagged(vec![("hlc.", text("x")), ("hlc.other", text("x"))]), &[]).is_empty());
}

#[test]
fn responses_are_a_list_of_at_most_eight() {
    let one = || text(stamp(5, END));
    for bad in [one(), Value::IntValue(1), list([text("x")]), list([one(), Value::IntValue(1)])] {
        check(tagged(vec![("hlc.resp", bad)]), &[Fault::Malformed]);
    }
    let stamps = check(tagged(vec![("hlc.resp", list((0..STAMPS_MAX).map(|_| one())))]), &[]);
    assert_eq!(stamps.responses.len(), STAMPS_MAX);
    let many = tagged(vec![("hlc.resp", list((0..=STAMPS_MAX).map(|_| one())))]);
    assert_eq!(check(many, &[Fault::Malformed]).responses.len(), STAMPS_MAX);
    let huge = tagged(vec![("hlc.resp", list((0..10_000).map(|_| one())))]);
    assert_eq!(check(huge, &[Fault::Malformed]).responses.len(), STAMPS_MAX);
    let partly = tagged(vec![("hlc.resp", list([text("x"), one()]))]);
    assert_eq!(check(partly, &[Fault::Malformed]).responses.len(), 1);
}

#[test]
fn a_key_that_comes_again_is_malformed_and_the_first_counts() {
    let keys = ["hlc.start", "hlc.end", "hlc.resp", "hlc.reject"];
    let attributes = (0..250).flat_map(|n| keys.map(|key| (key, text(stamp(9, START + n)))));
    let stamps = check(tagged(attributes.collect()), &[Fault::Malformed, Fault::Order]);
    assert_eq!((stamps.start, stamps.end), (Some(stamp(9, START)), Some(stamp(9, START))));
    let twice = ["hlc.start"; 2].map(|key| (key, text(stamp(9, START)))).to_vec();
    check(tagged(twice), &[Fault::Malformed]);
}

#[test]
fn tracestates_of_any_length_are_read() {
    let carried = format!("hlc={}", Carried(stamp(2, START)));
    let members = |bytes: usize| format!("long={},{carried}", "x".repeat(bytes));
    for state in [format!("{carried},a=b"), members(128), members(10 << 10)] {
        assert_eq!(check(with_state(tagged(vec![]), state), &[]).received, Some(stamp(2, START)));
    }
    for bad in ["hlc=", "hlc=1:x", "a=b,hlc=2:a11ce00000000001:18b3d491c318ed18"] {
        assert!(check(with_state(tagged(vec![]), bad), &[Fault::Malformed]).is_empty());
    }
    let worst = format!("hlc={}", "hlc=,".repeat(2 << 10));
    check(with_state(tagged(vec![]), worst), &[Fault::Malformed]);
    assert!(check(with_state(tagged(vec![]), "xhlc=1:x,hlc2=y"), &[]).is_empty());
}

#[test]
fn a_stamp_of_the_future_is_flagged_wherever_it_is() {
    let limit = NOW + 500_000_000 + 60_000_000_000;
    for (hlc, faults) in [(limit, &[][..]), (limit + 1, &[Fault::Future])] {
        check(tagged(vec![("hlc.end", text(stamp(1, hlc)))]), faults);
        check(tagged(vec![("hlc.resp", list([text(stamp(1, hlc))]))]), faults);
        let state = format!("hlc={}", Carried(stamp(1, hlc)));
        check(with_state(tagged(vec![]), state.clone()), faults);
        let link = Link {
            trace_id: vec![1; 16],
            span_id: vec![1; 8],
            trace_state: state,
            ..Link::default()
        };
        check(Span { links: vec![link], ..tagged(vec![]) }, faults);
    }
    check(
        tagged(vec![("hlc.start", text(stamp(1, i64::MAX)))]),
        &[Fault::Future, Fault::Backdated],
    );
}

#[test]
fn a_malformed_stamp_of_a_link_is_flagged() {
    let link = |state: &str| Link {
        trace_id: vec![1; 16],
        span_id: vec![1; 8],
        trace_state: state.to_owned(),
        ..Link::default()
    };
    check(Span { links: vec![link("hlc=1:x")], ..tagged(vec![]) }, &[Fault::Malformed]);
    check(Span { links: vec![link("a=b")], ..tagged(vec![]) }, &[]);
}

#[test]
fn ticks_of_one_node_must_follow_each_other() {
    let ticks = |start, end| tagged(vec![("hlc.start", text(start)), ("hlc.end", text(end))]);
    check(ticks(stamp(1, START), stamp(1, START + 1)), &[]);
    check(ticks(stamp(1, START), stamp(1, START)), &[Fault::Order]);
    check(ticks(stamp(1, START + 1), stamp(1, START)), &[Fault::Order]);
    // Another clock took over in between.
    check(ticks(stamp(1, START + 1), stamp(2, START)), &[]);
}

#[test]
fn a_start_must_follow_what_was_received_unless_that_was_refused() {
    const SERVER: i32 = 2;
    const LOCAL: u32 = 0x100;
    const REMOTE: u32 = 0x300;
    let received = stamp(2, START + 2_000_000_000);
    let server = |flags, kind| {
        let span = tagged(vec![("hlc.start", text(stamp(1, START)))]);
        with_state(Span { flags, kind, ..span }, format!("hlc={}", Carried(received)))
    };
    check(server(REMOTE, 1), &[Fault::Order]);
    check(server(0, SERVER), &[Fault::Order]);
    // What got the message may be another span above, which alone tells whether it was refused.
    check(server(LOCAL, SERVER), &[]);
    check(server(0, 1), &[]);
    let refusing = |stamp| {
        let mut span = server(REMOTE, SERVER);
        span.attributes.extend(tagged(vec![("hlc.reject", text(stamp))]).attributes);
        span
    };
    assert_eq!(check(refusing(received), &[]).rejected, Some(received));
    check(refusing(stamp(2, START + 1)), &[Fault::Order]);
}

#[test]
fn claimed_times_are_compared_with_readings_of_ticks() {
    const SLACK: i64 = 5_000_000;
    let started = |hlc, lead| tagged(vec![("hlc.start", text(Stamp { node: node(1), hlc, lead }))]);
    check(started(START + SLACK, 0), &[]);
    check(started(START + SLACK + 1, 0), &[Fault::Backdated]);
    check(started(START - SLACK - 1, 0), &[Fault::Backdated]);
    // Not the value counts but what the wall clock showed.
    check(started(START + 400_000_000, 400_000_000), &[]);
    check(tagged(vec![("hlc.end", text(stamp(1, END - SLACK)))]), &[]);
    check(tagged(vec![("hlc.end", text(stamp(1, END - SLACK - 1)))]), &[Fault::Time]);
    let mut reversed = healthy();
    reversed.end_time_unix_nano = START as u64 - 1;
    check(reversed, &[Fault::Time]);
    let mut unset = healthy();
    unset.start_time_unix_nano = 0;
    check(unset, &[Fault::Time, Fault::Backdated]);
}

#[test]
fn a_refused_span_leaves_no_stamp_behind() {
    let mut refused = healthy();
    refused.span_id = Vec::new();
    let request = request(vec![healthy(), refused.clone(), tagged(vec![]), refused]);
    let (columns, refusals) = otlp::decode(&request.encode_to_vec(), NOW).expect("decodes");
    assert_eq!((columns.len(), refusals.total()), (2, 2));
    let batch = batch::seal(&[Arc::new(columns)], &AttributeColumns::default()).expect("seals");
    let rows = SpanRows::new(&batch).expect("the schema");
    assert_eq!(rows.stamps.get(0).start, Some(stamp(1, START + 9)));
    assert!(rows.stamps.get(1).is_empty());
}

#[test]
fn faults_are_counted() {
    let spans = vec![
        healthy(),
        tagged(vec![("hlc.start", text("x"))]),
        tagged(vec![("hlc.start", text(stamp(1, i64::MAX)))]),
        with_state(tagged(vec![]), "hlc=x"),
    ];
    let (columns, _) = otlp::decode(&request(spans).encode_to_vec(), NOW).expect("decodes");
    let counted: Vec<_> = columns.faults().collect();
    assert_eq!(counted, [(Fault::Malformed, 2), (Fault::Future, 1), (Fault::Backdated, 1)]);
}

fn any_stamp() -> impl Strategy<Value = Stamp> {
    (1..=u64::MAX, 1..=i64::MAX).prop_flat_map(|(id, hlc)| {
        let lead = prop_oneof![Just(0), Just(hlc), 0..=hlc];
        lead.prop_map(move |lead| Stamp { node: node(id), hlc, lead })
    })
}

prop_compose! {
    fn any_stamps()(
        start in proptest::option::of(any_stamp()),
        end in proptest::option::of(any_stamp()),
        received in proptest::option::of(any_stamp()),
        rejected in proptest::option::of(any_stamp()),
        responses in proptest::collection::vec(any_stamp(), 0..=STAMPS_MAX),
    ) -> SpanStamps {
        SpanStamps { start, end, received, rejected, responses }
    }
}

fn span_of(stamps: &SpanStamps) -> Span {
    let one = |key, stamp: Option<Stamp>| stamp.map(|stamp| (key, text(stamp)));
    let mut attributes: Vec<_> = [
        one("hlc.end", stamps.end),
        one("hlc.reject", stamps.rejected),
        one("hlc.start", stamps.start),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !stamps.responses.is_empty() {
        attributes.insert(0, ("hlc.resp", list(stamps.responses.iter().map(text))));
    }
    let state = stamps.received.map_or_else(String::new, |r| format!("hlc={}", Carried(r)));
    with_state(tagged(attributes), state)
}

proptest! {
    #[test]
    fn stamps_come_back_whatever_batch_they_are_in(
        first in proptest::collection::vec(any_stamps(), 0..5),
        second in proptest::collection::vec(any_stamps(), 1..5),
    ) {
        let parts = [&first, &second].map(|stamps| {
            let spans = stamps.iter().map(span_of).collect();
            Arc::new(otlp::decode(&request(spans).encode_to_vec(), NOW).expect("decodes").0)
        });
        let batch = batch::seal(&parts, &AttributeColumns::default()).expect("seals");
        let rows = SpanRows::new(&batch).expect("the schema");
        let found: Vec<_> = (0..rows.len).map(|row| rows.stamps.get(row)).collect();
        prop_assert_eq!(found, [first, second].concat());
    }
}
