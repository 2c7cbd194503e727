//! Notes between which moments of the shared monotonic clock a span started and ended.
//!
//! Stands behind what makes stamps: the tick of a start lies between `START` and `STARTED`, that of
//! an end between `END` and `ENDED`.

use std::time::Duration;

use causeway_hlc::CLOCK_DOMAIN;
use opentelemetry::trace::Span as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::clock::monotonic_ns;

pub(crate) const START: &str = "truth.start";
const STARTED: &str = "truth.started";
pub(crate) const END: &str = "truth.end";
const ENDED: &str = "truth.ended";

/// See the module.
#[derive(Debug)]
pub(crate) struct TruthProcessor<P> {
    pub(crate) next: P,
}

impl<P: SpanProcessor> SpanProcessor for TruthProcessor<P> {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        span.set_attribute(KeyValue::new(STARTED, monotonic_ns()));
        self.next.on_start(span, cx);
    }

    fn on_end(&self, mut span: SpanData) {
        span.attributes.push(KeyValue::new(ENDED, monotonic_ns()));
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    /// Every process plays a machine of its own, so it must not say that it shares a clock.
    fn set_resource(&mut self, resource: &Resource) {
        let own = resource.iter().filter(|(key, _)| key.as_str() != CLOCK_DOMAIN);
        let own = own.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        self.next.set_resource(&Resource::builder_empty().with_attributes(own).build());
    }
}
