//! Requests with every value OTLP allows, the rare ones more often than in life.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use crate::proto::resource::v1::Resource;
use crate::proto::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status,
    span::{Event, Link},
};

/// Text that has broken other systems: empty, quotes, controls, look-alikes of other types.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z.]{1,12}",
        2 => any::<String>(),
        1 => prop::sample::select(vec![
            "", "true", "false", "null", "0", "404", "-1", "1.5", "{}", "[1]", "\"q\"", "$bytes", "$",
            "$$x", "\\", "\u{0}", "\n\t\r", "\u{202e}abc", "👩‍👩‍👧", "<script>alert(1)</script>", "service.name",
        ]).prop_map(str::to_owned),
    ]
}

fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            0.1,
            1e16,
            1e308,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]),
    ]
}

fn long() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), prop::sample::select(vec![0, -1, i64::MIN, i64::MAX, (1 << 53) + 1])]
}

fn time() -> impl Strategy<Value = u64> {
    const NOW: u64 = 1_790_000_000_000_000_000;
    prop_oneof![
        4 => NOW..NOW + 1_000_000_000,
        1 => any::<u64>(),
        1 => prop::sample::select(vec![0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX]),
    ]
}

fn value(depth: u32) -> BoxedStrategy<AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|v| Some(Value::StringValue(v))),
        any::<bool>().prop_map(|v| Some(Value::BoolValue(v))),
        long().prop_map(|v| Some(Value::IntValue(v))),
        double().prop_map(|v| Some(Value::DoubleValue(v))),
        vec(any::<u8>(), 0..8).prop_map(|v| Some(Value::BytesValue(v))),
    ];
    let wrap = |value| AnyValue { value };
    if depth == 0 {
        return leaf.prop_map(wrap).boxed();
    }
    let array = vec(value(depth - 1), 0..4)
        .prop_map(|values| Some(Value::ArrayValue(ArrayValue { values })));
    let list = attributes_of_depth(depth - 1)
        .prop_map(|values| Some(Value::KvlistValue(KeyValueList { values })));
    prop_oneof![4 => leaf, 1 => array, 1 => list].prop_map(wrap).boxed()
}

fn attributes_of_depth(depth: u32) -> BoxedStrategy<Vec<KeyValue>> {
    let key_value = (text(), option::weighted(0.9, value(depth)))
        .prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() });
    vec(key_value, 0..5).boxed()
}

/// Attributes with repeated keys, missing values and nesting.
pub fn attributes() -> BoxedStrategy<Vec<KeyValue>> {
    attributes_of_depth(3)
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(0), 1 => any::<u32>()]
}

/// An id of the right length, not all zero.
fn id<const N: usize>() -> impl Strategy<Value = Vec<u8>> {
    // The last byte is never zero.
    (any::<[u8; N]>(), 1..=255u8).prop_map(|(mut id, last)| {
        id[N - 1] = last;
        id.to_vec()
    })
}

fn parent() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => Just(Vec::new()), 2 => id::<8>(), 1 => Just(vec![0; 8])]
}

fn event() -> impl Strategy<Value = Event> {
    (time(), text(), attributes(), count()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    // Links are kept as sent, whatever their ids look like.
    let loose_id = || vec(any::<u8>(), 0..17);
    (loose_id(), loose_id(), text(), attributes(), count(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn status() -> impl Strategy<Value = Option<Status>> {
    option::of((text(), any::<i32>()).prop_map(|(message, code)| Status { message, code }))
}

/// A span that every conforming receiver must keep.
pub fn span() -> impl Strategy<Value = Span> {
    let ids = (id::<16>(), id::<8>(), parent());
    let plain = (text(), text(), any::<i32>(), any::<u32>(), time(), time(), status());
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..3));
    (ids, plain, lists, (count(), count(), count())).prop_map(|(ids, plain, lists, dropped)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        parent_span_id: ids.2,
        trace_state: plain.0,
        name: plain.1,
        kind: plain.2,
        flags: plain.3,
        start_time_unix_nano: plain.4,
        end_time_unix_nano: plain.5,
        status: plain.6,
        attributes: lists.0,
        events: lists.1,
        links: lists.2,
        dropped_attributes_count: dropped.0,
        dropped_events_count: dropped.1,
        dropped_links_count: dropped.2,
    })
}

fn entity_ref() -> impl Strategy<Value = EntityRef> {
    (text(), text(), vec(text(), 0..3), vec(text(), 0..3)).prop_map(
        |(schema_url, r#type, id_keys, description_keys)| EntityRef {
            schema_url,
            r#type,
            id_keys,
            description_keys,
        },
    )
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    option::weighted(
        0.8,
        (attributes(), count(), vec(entity_ref(), 0..2)).prop_map(
            |(attributes, dropped_attributes_count, entity_refs)| Resource {
                attributes,
                dropped_attributes_count,
                entity_refs,
            },
        ),
    )
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    option::weighted(
        0.8,
        (text(), text(), attributes(), count()).prop_map(
            |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
                name,
                version,
                attributes,
                dropped_attributes_count,
            },
        ),
    )
}

/// A request whose spans are all acceptable.
pub fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope_spans = (scope(), vec(span(), 0..4), text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource_spans = (resource(), vec(scope_spans, 0..3), text()).prop_map(
        |(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url },
    );
    vec(resource_spans, 0..3)
        .prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// Requests without end, the same in every run, for tests that shrinking would not help.
pub fn requests() -> impl Iterator<Item = ExportTraceServiceRequest> {
    let mut runner = TestRunner::deterministic();
    std::iter::from_fn(move || request().new_tree(&mut runner).ok().map(|tree| tree.current()))
}
