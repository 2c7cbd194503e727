//! What each level gives alone, and what never happens to requests that are not ours to tag.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use causeway_hlc::{
    CLOCK_DOMAIN, Cause, ClockCounts, ClockSettings, Hlc, HlcSettings, Stamp, clock_domain,
    without_stamp,
};
use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SdkTracerProvider, SimpleSpanProcessor, Span, SpanData,
    SpanProcessor,
};

use crate::process::{Headers, MS, Options, Process, START_NS, Tested, list, tags};

const A: &str = "a11ce00000000001";
const B: &str = "b0b0000000000001";

/// An SDK without any of this crate.
fn stock() -> (SdkTracerProvider, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let processor = SimpleSpanProcessor::new(exporter.clone());
    (SdkTracerProvider::builder().with_span_processor(processor).build(), exporter)
}

/// The request that process A sends within a span `client`.
fn request(a: &Process) -> Headers {
    let client = a.start("client", &Context::new());
    let headers = a.inject(&client);
    client.span().end();
    headers
}

fn sent(headers: &Headers) -> Result<Stamp, Box<dyn std::error::Error>> {
    let list = headers.get("tracestate").ok_or("no tracestate")?;
    let stamp = list.strip_prefix("hlc=1:").ok_or("no stamp at the front")?;
    Ok(stamp.split(',').next().unwrap_or(stamp).parse()?)
}

#[test]
fn a_stock_receiver_exports_the_sender_s_stamp_and_passes_it_on() -> Tested {
    let a = Process::usual(A)?;
    let headers = request(&a);
    let (provider, exporter) = stock();
    let cx = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
    let server = cx.with_span(provider.tracer("stock").start_with_context("server", &cx));
    let mut onward = Headers::new();
    TraceContextPropagator::new().inject_context(&server, &mut onward);
    server.span().end();
    let [span] = &exporter.get_finished_spans()?[..] else {
        return Err("not one span".into());
    };
    assert_eq!(Some(&list(&span.span_context)), headers.get("tracestate"));
    assert!(tags(span).is_empty());
    assert_eq!(sent(&onward)?, sent(&headers)?);
    Ok(())
}

#[test]
fn the_propagator_alone_keeps_the_order_of_others() -> Tested {
    // Scenario: A, a tagged process, calls M, which has the propagator only, and that calls B.
    // Guarantee: the stamp that B gets is M's own, above A's, and M's spans are as they were.
    let (a, m, b) = (Process::usual(A)?, Process::usual("c000000000000001")?, Process::usual(B)?);
    a.set(START_NS + 300 * MS);
    let headers = request(&a);
    let (provider, exporter) = stock();
    let cx = m.extract(&headers);
    let server = cx.with_span(provider.tracer("stock").start_with_context("server", &cx));
    let onward = m.inject(&server);
    server.span().end();
    let [span] = &exporter.get_finished_spans()?[..] else {
        return Err("not one span".into());
    };
    assert_eq!(Some(&list(&span.span_context)), headers.get("tracestate"));
    assert!(tags(span).is_empty());
    assert_eq!(sent(&onward)?.node, m.hlc.clock().node());
    assert!(sent(&onward)?.hlc > sent(&headers)?.hlc);

    let cx = b.extract(&onward);
    b.start("last", &cx).span().end();
    let tags = b.tags("last")?;
    let start: Stamp = tags["hlc.start"][0].parse()?;
    assert!(start.hlc > sent(&onward)?.hlc);
    Ok(())
}

#[test]
fn the_processor_alone_tags_spans() -> Tested {
    let a = Process::usual(A)?;
    let span = a.start("alone", &Context::new());
    let mut headers = Headers::new();
    TraceContextPropagator::new().inject_context(&span, &mut headers);
    a.set(START_NS + MS);
    span.span().end();
    assert_eq!(headers.get("tracestate").map(String::as_str), Some(""));
    let tags = a.tags("alone")?;
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["hlc.end", "hlc.start"]);
    assert_eq!(tags["hlc.start"], [format!("{A}:{START_NS:016x}")]);
    assert_eq!(tags["hlc.end"], [format!("{A}:{:016x}", START_NS + MS)]);
    Ok(())
}

#[test]
fn responses_alone_move_the_clock() -> Tested {
    let (a, b) = (Process::usual(A)?, Process::usual(B)?);
    b.set(START_NS + 100 * MS);
    let mut headers = HeaderMap::new();
    b.hlc.stamp_response(&mut headers);
    a.hlc.receive_response(&headers, &Context::new());
    assert_eq!(a.hlc.clock().tick().hlc, START_NS + 100 * MS + 1);
    Ok(())
}

#[test]
fn unsampled_spans_send_stamps_too() -> Tested {
    let a = Process::usual(A)?;
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOff)
        .with_span_processor(a.hlc.processor(SimpleSpanProcessor::new(a.exporter.clone())))
        .build();
    let cx = Context::new();
    let cx = cx.with_span(provider.tracer("off").start_with_context("unseen", &cx));
    assert!(!cx.span().span_context().is_sampled());
    assert_eq!(sent(&a.inject(&cx))?.node.to_string(), A);
    cx.span().end();
    assert!(a.spans()?.is_empty());
    Ok(())
}

#[test]
fn tags_come_on_top_of_the_attributes_that_a_span_may_have() -> Tested {
    let a = Process::usual(A)?;
    let cx = a.start("full", &Context::new());
    for i in 0..200 {
        cx.span().set_attribute(KeyValue::new(format!("key{i}"), i));
    }
    cx.span().end();
    assert_eq!(a.tags("full")?.len(), 2);
    assert_eq!(a.spans()?["full"].attributes.len(), 128 + 2);
    Ok(())
}

#[test]
fn several_processors_see_the_same_stamps() -> Tested {
    let a = Process::usual(A)?;
    let (first, second) = (InMemorySpanExporter::default(), InMemorySpanExporter::default());
    let provider = SdkTracerProvider::builder()
        .with_span_processor(a.hlc.processor(SimpleSpanProcessor::new(first.clone())))
        .with_span_processor(a.hlc.processor(SimpleSpanProcessor::new(second.clone())))
        .build();
    provider.tracer("two").start_with_context("both", &Context::new());
    let (first, second) = (first.get_finished_spans()?, second.get_finished_spans()?);
    assert_eq!(first.iter().map(tags).collect::<Vec<_>>().len(), 1);
    assert_eq!(
        first.iter().map(tags).collect::<Vec<_>>(),
        second.iter().map(tags).collect::<Vec<_>>()
    );
    assert_eq!(a.hlc.clock().tick().hlc, START_NS + 2, "two ticks for one span");
    Ok(())
}

#[test]
fn the_last_response_of_each_of_eight_nodes_is_kept() -> Tested {
    let a = Process::usual(A)?;
    let cx = a.start("fan-out", &Context::new());
    let other = a.start("other", &Context::new());
    let mut senders = Vec::new();
    for i in 1..=9_u64 {
        senders.push(Process::usual(&format!("{i:016x}"))?);
    }
    let respond = |sender: &Process| {
        let mut headers = HeaderMap::new();
        sender.hlc.stamp_response(&mut headers);
        a.hlc.receive_response(&headers, &cx);
    };
    senders.iter().for_each(respond);
    senders.iter().skip(1).take(1).for_each(respond);
    cx.span().end();
    // Too late for the span, but not for the clock.
    senders[0].set(START_NS + 200 * MS);
    senders.iter().take(1).for_each(respond);
    other.span().end();

    let stamp = |i: i64, ticks: i64| format!("{i:016x}:{:016x}{}", START_NS + ticks, lead(ticks));
    let mut kept: Vec<String> = (3..=9).map(|i| stamp(i, 0)).collect();
    kept.push(stamp(2, 1));
    assert_eq!(a.tags("fan-out")?["hlc.resp"], kept);
    let tags = a.tags("other")?;
    assert!(!tags.contains_key("hlc.resp"));
    let end: Stamp = tags["hlc.end"][0].parse()?;
    assert_eq!(end.hlc, START_NS + 200 * MS + 1);
    Ok(())
}

fn lead(ns: i64) -> String {
    if ns == 0 { String::new() } else { format!("+{ns:x}") }
}

#[test]
fn a_response_too_far_ahead_is_evidence_and_no_more() -> Tested {
    let (a, b) = (Process::usual(A)?, Process::usual(B)?);
    b.set(START_NS + 2000 * MS);
    let cx = a.start("client", &Context::new());
    let mut headers = HeaderMap::new();
    b.hlc.stamp_response(&mut headers);
    headers.append("server-timing", http::HeaderValue::from_static("hlc;desc=\"1:what\""));
    a.hlc.receive_response(&headers, &cx);
    cx.span().end();
    let tags = a.tags("client")?;
    assert_eq!(tags["hlc.resp"], [format!("{B}:{:016x}", START_NS + 2000 * MS)]);
    assert_eq!(tags["hlc.end"], [format!("{A}:{:016x}+1", START_NS + 1)]);
    assert_eq!(
        a.hlc.clock().counts(),
        ClockCounts { rejected: 1, malformed: 1, ..ClockCounts::default() }
    );
    Ok(())
}

#[test]
fn what_cannot_be_read_is_exported_and_replaced() -> Tested {
    let b = Process::usual(B)?;
    let mut headers = request(&Process::usual(A)?);
    headers.insert("tracestate".to_owned(), "ot=th:0,hlc=1:what".to_owned());
    let cx = b.start("server", &b.extract(&headers));
    let onward = b.inject(&cx);
    cx.span().end();
    let span = &b.spans()?["server"];
    assert_eq!(list(&span.span_context), "ot=th:0,hlc=1:what");
    assert_eq!(sent(&onward)?.node.to_string(), B);
    assert!(onward["tracestate"].ends_with(",ot=th:0"));
    assert_eq!(b.hlc.clock().counts(), ClockCounts { malformed: 1, ..ClockCounts::default() });
    Ok(())
}

#[test]
fn a_request_without_context_is_not_taken_for_the_last_one() -> Tested {
    let (a, b) = (Process::usual(A)?, Process::usual(B)?);
    a.set(START_NS + 2000 * MS);
    let received = b.extract(&request(&a));
    let again = b.propagator().extract_with_context(&received, &Headers::new());
    assert_eq!(again.span().span_context(), received.span().span_context());
    assert_eq!(b.hlc.clock().counts().rejected, 1);
    assert!(b.inject(&Context::new()).is_empty());
    assert_eq!(b.hlc.clock().tick().hlc, START_NS, "nothing ticked");
    Ok(())
}

#[test]
fn a_marked_context_sends_no_stamp_of_anybody() -> Tested {
    let (a, b) = (Process::usual(A)?, Process::usual(B)?);
    let mut headers = request(&a);
    let list = format!("{},ot=th:0", headers["tracestate"]);
    headers.insert("tracestate".to_owned(), list);
    let received = b.extract(&headers);
    let server = b.start("server", &received);
    for cx in [&received, &server] {
        assert_eq!(b.inject(&without_stamp(cx))["tracestate"], "ot=th:0");
        assert_ne!(b.inject(cx)["tracestate"], "ot=th:0");
    }
    let root = b.start("root", &Context::new());
    assert_eq!(b.inject(&without_stamp(&root))["tracestate"], "");
    Ok(())
}

#[test]
fn headers_are_cleaned_for_listed_destinations_only() -> Tested {
    let unstamped_destinations = vec!["partner.example".to_owned()];
    let a = Process::new(A, Options { unstamped_destinations, ..Options::default() })?;
    let mut headers = HeaderMap::new();
    headers.append("tracestate", http::HeaderValue::from_static("hlc=1:x,a=1"));
    headers.append("tracestate", http::HeaderValue::from_static("b=2"));
    let before = headers.clone();
    assert!(!a.hlc.clean_request("ours.example", &mut headers));
    assert_eq!(headers, before);
    assert!(a.hlc.clean_request("api.partner.example", &mut headers));
    assert_eq!(headers.get_all("tracestate").iter().collect::<Vec<_>>(), ["a=1,b=2"]);
    headers.insert("tracestate", http::HeaderValue::from_static("hlc=1:x"));
    assert!(a.hlc.clean_request("partner.example", &mut headers));
    assert!(headers.is_empty());
    Ok(())
}

#[test]
fn a_fork_and_a_step_show_in_spans_that_were_open() -> Tested {
    let a = Process::usual(A)?;
    let cx = a.start("forked", &Context::new());
    a.hlc.after_fork();
    cx.span().end();
    let tags = a.tags("forked")?;
    assert_eq!(tags["hlc.start"], [format!("{A}:{START_NS:016x}")]);
    assert_eq!(tags["hlc.end"], [format!("a11ce00000000002:{:016x}+1", START_NS + 1)]);

    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let clock = ClockSettings {
        on_new_node: Some(Arc::new(move |new| {
            tell.lock().unwrap_or_else(PoisonError::into_inner).push(new);
        })),
        ..ClockSettings::default()
    };
    let hlc = Hlc::new(HlcSettings { clock, ..HlcSettings::default() });
    hlc.after_fork();
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(
        told.iter().map(|new| (new.cause, new.node)).collect::<Vec<_>>(),
        [(Cause::Fork, hlc.clock().node())]
    );
    Ok(())
}

/// Keeps the resource that an exporter would get.
#[derive(Debug, Default, Clone)]
struct Seen(Arc<Mutex<Option<Resource>>>);

impl SpanProcessor for Seen {
    fn on_start(&self, _: &mut Span, _: &Context) {}
    fn on_end(&self, _: SpanData) {}
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
    fn set_resource(&mut self, resource: &Resource) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(resource.clone());
    }
}

#[test]
fn the_resource_says_whose_clock_it_is() -> Tested {
    let seen = Seen::default();
    let resource = Resource::builder_empty().with_schema_url([KeyValue::new("a", 1)], "schema");
    let _provider = SdkTracerProvider::builder()
        .with_resource(resource.build())
        .with_span_processor(Hlc::default().processor(seen.clone()))
        .build();
    let resource = seen.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let resource = resource.ok_or("no resource")?;
    assert_eq!(resource.get(&"a".into()), Some(1.into()));
    assert_eq!(resource.schema_url(), Some("schema"));
    let domain = clock_domain().map(|attribute| attribute.value);
    assert_eq!(resource.get(&CLOCK_DOMAIN.into()), domain);
    assert!(domain.is_some() || !cfg!(target_os = "linux"));
    Ok(())
}

#[test]
fn one_line_installs_it() -> Tested {
    let hlc = Hlc::default();
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(hlc.install(SimpleSpanProcessor::new(exporter.clone())))
        .build();
    let cx = Context::new().with_span(provider.tracer("t").start("installed"));
    let mut headers = Headers::new();
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&cx, &mut headers);
    });
    cx.span().end();
    assert_eq!(sent(&headers)?.node, hlc.clock().node());
    assert_eq!(tags(&exporter.get_finished_spans()?[0]).len(), 2);
    assert!(SpanContext::NONE != *cx.span().span_context());
    Ok(())
}
