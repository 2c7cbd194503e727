//! The SDK of a process: set up as its level says, with spans whose claimed times are read on the
//! wrong clock.

use std::collections::HashMap;

use anyhow::Context as _;
use causeway_hlc::{ClientLayer, ClockSettings, Hlc, HlcSettings, ServerLayer};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{
    SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider};

use crate::clock::{WrongClock, monotonic_ns};
use crate::truth::{self, TruthProcessor};
use crate::{Role, Settings};

/// Propagation fields in a message.
pub(crate) type Fields = HashMap<String, String>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Process {
    clock: WrongClock,
    hlc: Hlc,
    level: u8,
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Process {
    /// Sets up the SDK and makes its propagator the global one.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let clock = WrongClock::new(settings);
        let clock_settings =
            ClockSettings { readings: clock.readings(), ..ClockSettings::default() };
        let hlc = Hlc::new(HlcSettings { clock: clock_settings, ..HlcSettings::default() });
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", settings.otlp))
            .build()?;
        let batch = BatchSpanProcessor::builder(exporter).build();
        let processor = TruthProcessor { next: batch };
        let builder = SdkTracerProvider::builder().with_resource(resource(settings.role));
        let provider = match settings.level {
            0 => {
                global::set_text_map_propagator(TraceContextPropagator::new());
                builder.with_span_processor(processor)
            }
            1 => {
                global::set_text_map_propagator(hlc.propagator(TraceContextPropagator::new()));
                builder.with_span_processor(processor)
            }
            _ => builder.with_span_processor(hlc.install(processor)),
        };
        let provider = provider.build();
        let tracer = provider.tracer("causeway.chain");
        Ok(Self { clock, hlc, level: settings.level, provider, tracer })
    }

    /// Exports what is left.
    pub(crate) fn close(&self) -> anyhow::Result<()> {
        self.provider.shutdown().context("export the rest")
    }

    /// What stamps responses, at level 3.
    pub(crate) fn server_layer(&self) -> Option<ServerLayer> {
        (self.level >= 3).then(|| self.hlc.server_layer())
    }

    /// What takes stamps of responses, at level 3.
    pub(crate) fn client_layer(&self) -> Option<ClientLayer> {
        (self.level >= 3).then(|| self.hlc.client_layer())
    }

    /// Starts a span within another or within what was received.
    pub(crate) fn start(&self, name: &'static str, kind: SpanKind, parent: &Context) -> Context {
        let start_ns = monotonic_ns();
        let builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_start_time(self.clock.time(start_ns))
            .with_attributes([KeyValue::new(truth::START, start_ns)]);
        parent.with_span(self.tracer.build_with_context(builder, parent))
    }

    /// Ends the span of a context, with what is known by then.
    pub(crate) fn end(&self, cx: &Context, attributes: impl IntoIterator<Item = KeyValue>) {
        cx.span().set_attributes(attributes);
        let end_ns = monotonic_ns();
        cx.span().set_attribute(KeyValue::new(truth::END, end_ns));
        cx.span().end_with_timestamp(self.clock.time(end_ns));
    }
}

fn resource(role: Role) -> Resource {
    let name = match role {
        Role::Front => "front",
        Role::Orders => "orders",
        Role::Stock => "stock",
        Role::Worker => "worker",
    };
    let instance = format!("{name}-{}", std::process::id());
    let attributes = [KeyValue::new("service.instance.id", instance)];
    Resource::builder().with_service_name(name).with_attributes(attributes).build()
}

/// What a message has to carry for its receiver to go on within a context.
pub(crate) fn inject(cx: &Context) -> Fields {
    let mut fields = Fields::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(cx, &mut fields));
    fields
}

/// The same as headers.
pub(crate) fn inject_headers(cx: &Context) -> anyhow::Result<HeaderMap> {
    let header = |(name, value): (String, String)| -> anyhow::Result<_> {
        Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?))
    };
    inject(cx).into_iter().map(header).collect()
}

/// The context that a message carries.
pub(crate) fn extract(fields: &Fields) -> Context {
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), fields)
    })
}

/// The same from headers.
pub(crate) fn extract_headers(headers: &HeaderMap) -> Context {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.to_owned()))
    };
    extract(&headers.iter().filter_map(text).collect())
}
