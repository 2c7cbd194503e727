//! The spans of `../README.md`.

use std::io;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceState, Tracer as _,
};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SdkTracer, Span};

/// Two more than the SDK keeps per span of attributes, of events and of links.
const OVER_LIMIT: i64 = 130;

pub(crate) fn resource() -> Vec<KeyValue> {
    vec![
        KeyValue::new("service.name", "sdk-rust"),
        KeyValue::new("service.version", "0.1.0"),
        KeyValue::new("sdk.string", "zürich 🚆"),
        KeyValue::new("sdk.int", (1_i64 << 53) + 1),
        KeyValue::new("sdk.bool", true),
        KeyValue::new("sdk.double", 0.1),
        KeyValue::new("sdk.strings", strings(&["a", "", "ß"])),
        KeyValue::new("sdk.ints", Value::Array(Array::I64(vec![1, -1, 0]))),
        KeyValue::new("sdk.bools", Value::Array(Array::Bool(vec![true, false]))),
        KeyValue::new("sdk.doubles", Value::Array(Array::F64(vec![0.5, -0.0]))),
    ]
}

pub(crate) fn scope() -> Vec<KeyValue> {
    vec![
        KeyValue::new("scope.string", "zürich"),
        KeyValue::new("scope.int", 7),
        KeyValue::new("scope.bool", true),
        KeyValue::new("scope.doubles", Value::Array(Array::F64(vec![0.5, -0.0]))),
    ]
}

pub(crate) fn send(tracer: &SdkTracer) {
    let root = request(tracer);
    let call = start(tracer, "GET stock", SpanKind::Client, &root, |span| {
        span.set_attribute(KeyValue::new("server.port", 8080));
        span.set_status(Status::Ok);
    });
    let served = start(tracer, "GET /stock", SpanKind::Server, &call, |span| {
        span.record_error(&io::Error::other("stock database is unreachable ☠"));
        span.set_status(Status::error("stock database is unreachable ☠"));
    });
    let leaf = start(tracer, "every type", SpanKind::Internal, &served, |span| {
        span.set_attributes(every_type());
        span.add_event("every type", every_type());
    });
    let produced = start(tracer, "orders publish", SpanKind::Producer, &served, |span| {
        span.set_attribute(KeyValue::new("messaging.destination.name", "orders"));
    });
    let produced_context = produced.span().span_context().clone();

    consume(tracer, produced_context.clone());
    let remote = remote_context("vendor=a:b,other=t61rcWkgMzE");
    let remote = Context::new().with_remote_span_context(remote);
    start(tracer, "GET /remote", SpanKind::Server, &remote, |_| {}).span().end();
    explicit_times(tracer, &root);
    limits(tracer, &root, &produced_context);
    for context in [produced, leaf, served, call, root] {
        context.span().end();
    }
}

fn request(tracer: &SdkTracer) -> Context {
    start(tracer, "GET /checkout", SpanKind::Server, &Context::new(), |span| {
        span.set_attribute(KeyValue::new("http.request.method", "GET"));
        span.set_attribute(KeyValue::new("http.route", "/checkout"));
        let attributes =
            vec![KeyValue::new("cache.key", "cart:42"), KeyValue::new("cache.size", 3)];
        span.add_event("cache.miss", attributes);
        span.add_event("no attributes", Vec::new());
    })
}

fn consume(tracer: &SdkTracer, produced: SpanContext) {
    let links = vec![
        Link::new(produced, every_type(), 0),
        Link::with_context(remote_context("vendor=link,other=1")),
    ];
    SpanBuilder::from_name("orders process")
        .with_kind(SpanKind::Consumer)
        .with_links(links)
        .start_with_context(tracer, &Context::new())
        .end();
}

fn explicit_times(tracer: &SdkTracer, parent: &Context) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let whole_second = SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs() - 5);
    let start = whole_second + Duration::from_nanos(123_456_789);
    let mut span = SpanBuilder::from_name("explicit times")
        .with_start_time(start)
        .start_with_context(tracer, parent);
    span.add_event_with_timestamp(
        "one nanosecond in",
        start + Duration::from_nanos(1),
        vec![KeyValue::new("explicit", true)],
    );
    span.end_with_timestamp(start + Duration::from_nanos(1_000_000_001));
}

fn limits(tracer: &SdkTracer, parent: &Context, linked: &SpanContext) {
    let mut span = tracer.start_with_context("limits", parent);
    for i in 0..OVER_LIMIT {
        span.set_attribute(KeyValue::new(format!("key.{i}"), i));
        span.add_event("tick", vec![KeyValue::new("index", i)]);
        span.add_link(linked.clone(), vec![KeyValue::new("index", i)]);
    }
    span.end();
}

/// Starts a span inside `parent`, lets `fill` complete it, and gives the context inside it.
fn start(
    tracer: &SdkTracer,
    name: &'static str,
    kind: SpanKind,
    parent: &Context,
    fill: impl FnOnce(&mut Span),
) -> Context {
    let mut span = SpanBuilder::from_name(name).with_kind(kind).start_with_context(tracer, parent);
    fill(&mut span);
    Context::new().with_span(span)
}

fn every_type() -> Vec<KeyValue> {
    vec![
        KeyValue::new("string", "plain"),
        KeyValue::new("string.empty", ""),
        KeyValue::new("string.unicode", "Grüße, 世界, עולם"),
        KeyValue::new("string.emoji", "👩‍🚀🚀"),
        KeyValue::new("string.control", "tab\t newline\n quote\" backslash\\ nul\0"),
        KeyValue::new("bool.true", true),
        KeyValue::new("bool.false", false),
        KeyValue::new("int.min", i64::MIN),
        KeyValue::new("int.max", i64::MAX),
        KeyValue::new("int.zero", 0),
        KeyValue::new("int.above_double", (1_i64 << 53) + 1),
        KeyValue::new("double.huge", 1e308),
        KeyValue::new("double.tiny", 5e-324),
        KeyValue::new("double.negative_zero", -0.0),
        KeyValue::new("double.tenth", 0.1),
        KeyValue::new("double.whole", 2.0),
        KeyValue::new("strings", strings(&["a", "", "🚀"])),
        KeyValue::new("strings.empty", strings(&[])),
        KeyValue::new("bools", Value::Array(Array::Bool(vec![true, false]))),
        KeyValue::new("bools.empty", Value::Array(Array::Bool(Vec::new()))),
        KeyValue::new("ints", Value::Array(Array::I64(vec![i64::MIN, 0, i64::MAX]))),
        KeyValue::new("ints.empty", Value::Array(Array::I64(Vec::new()))),
        KeyValue::new("doubles", Value::Array(Array::F64(vec![1e308, -0.0, 0.1, 2.0]))),
        KeyValue::new("doubles.empty", Value::Array(Array::F64(Vec::new()))),
    ]
}

fn strings(values: &[&'static str]) -> Value {
    Value::Array(Array::String(values.iter().copied().map(StringValue::from).collect()))
}

fn remote_context(trace_state: &str) -> SpanContext {
    let ids = RandomIdGenerator::default();
    let trace_state: TraceState = trace_state.parse().unwrap_or_default();
    SpanContext::new(ids.new_trace_id(), ids.new_span_id(), TraceFlags::SAMPLED, true, trace_state)
}
