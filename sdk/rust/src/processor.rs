//! Level 2: ticks when a span starts and when it ends, and writes both into the span.

use std::time::Duration;

use causeway_clock::Stamp;
use opentelemetry::trace::{Span as _, TraceContextExt as _};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::propagator::Rejected;
use crate::spans::OpenSpan;
use crate::{Hlc, clock_domain};

/// The attribute with the stamp of a span's start.
pub const START: &str = "hlc.start";
/// The attribute with the stamp of its end.
pub const END: &str = "hlc.end";
/// The attribute with the stamps of responses that came while it ran.
pub const RESPONSES: &str = "hlc.resp";
/// The attribute with the stamp of its request, if that was too far ahead to be merged.
pub const REJECT: &str = "hlc.reject";

/// Adds stamps to spans on their way to another processor.
///
/// They are added once the span has ended and its end time is fixed, past the limit of attributes
/// that the SDK keeps.
#[derive(Debug)]
pub struct HlcProcessor<P> {
    hlc: Hlc,
    next: P,
}

impl<P> HlcProcessor<P> {
    pub(crate) fn new(hlc: Hlc, next: P) -> Self {
        Self { hlc, next }
    }
}

impl<P: SpanProcessor> SpanProcessor for HlcProcessor<P> {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        let stamps = || (self.hlc.clock().tick(), rejected(cx));
        self.hlc.spans().start(span.span_context(), stamps);
        self.next.on_start(span, cx);
    }

    fn on_end(&self, mut span: SpanData) {
        let tick = || self.hlc.clock().tick();
        if let Some(open) = self.hlc.spans().end(&span.span_context, tick) {
            span.attributes.extend(attributes(&open));
        }
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        let Some(domain) = clock_domain() else {
            return self.next.set_resource(resource);
        };
        let attributes =
            resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let attributes = attributes.chain([domain]);
        let builder = Resource::builder_empty();
        let builder = match resource.schema_url() {
            Some(url) => builder.with_schema_url(attributes, url.to_owned()),
            None => builder.with_attributes(attributes),
        };
        self.next.set_resource(&builder.build());
    }
}

/// The stamp that was refused when this very request was received. Descendants inherit the context,
/// but only the span whose parent is the sender's received the stamp.
fn rejected(cx: &Context) -> Option<Stamp> {
    let rejected = cx.get::<Rejected>()?;
    let parent = cx.span().span_context().clone();
    (parent.is_remote() && parent.span_id() == rejected.sender).then_some(rejected.stamp)
}

fn attributes(span: &OpenSpan) -> impl Iterator<Item = KeyValue> {
    let one = |key: &'static str, stamp: Stamp| KeyValue::new(key, stamp.to_string());
    let responses: Vec<StringValue> =
        span.responses.iter().map(|stamp| stamp.to_string().into()).collect();
    let responses = (!responses.is_empty())
        .then(|| KeyValue::new(RESPONSES, Value::Array(Array::String(responses))));
    [
        Some(one(START, span.start)),
        span.end.map(|stamp| one(END, stamp)),
        span.reject.map(|stamp| one(REJECT, stamp)),
        responses,
    ]
    .into_iter()
    .flatten()
}
