//! A process as tests see it: a clock they set, an SDK of its own, and what that exported.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use causeway_hlc::{ClockSettings, Hlc, HlcPropagator, HlcSettings, NodeId, Reading};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Array, Context, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SdkTracer, SdkTracerProvider, SimpleSpanProcessor, SpanData,
};

pub(crate) type Tested = Result<(), Box<dyn Error>>;
pub(crate) type Headers = HashMap<String, String>;

/// When tests begin.
pub(crate) const START_NS: i64 = 1_780_000_000_000_000_000;
pub(crate) const MS: i64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) hlc: Hlc,
    pub(crate) provider: SdkTracerProvider,
    pub(crate) exporter: InMemorySpanExporter,
    wall_ns: Arc<AtomicI64>,
}

/// What a process is made of, where a test does not want the usual.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) max_offset: Option<Duration>,
    pub(crate) unstamped_destinations: Vec<String>,
}

impl Process {
    /// Its node ids are `node` and those that follow.
    pub(crate) fn new(node: &str, options: Options) -> Result<Self, Box<dyn Error>> {
        let wall_ns = Arc::new(AtomicI64::new(START_NS));
        let read = Arc::clone(&wall_ns);
        let next = AtomicU64::new(node.parse::<NodeId>()?.0.get());
        let usual = ClockSettings::default();
        let clock = ClockSettings {
            max_offset: options.max_offset.unwrap_or(usual.max_offset),
            readings: Arc::new(move || {
                let wall_ns = read.load(Ordering::SeqCst);
                Reading { wall_ns, monotonic_ns: wall_ns }
            }),
            node_ids: Arc::new(move || {
                format!("{:016x}", next.fetch_add(1, Ordering::SeqCst))
                    .parse()
                    .unwrap_or_else(|_| NodeId::random())
            }),
            on_new_node: None,
        };
        let unstamped_destinations = options.unstamped_destinations;
        let hlc = Hlc::new(HlcSettings { clock, unstamped_destinations });
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(hlc.processor(SimpleSpanProcessor::new(exporter.clone())))
            .build();
        Ok(Self { hlc, provider, exporter, wall_ns })
    }

    pub(crate) fn usual(node: &str) -> Result<Self, Box<dyn Error>> {
        Self::new(node, Options::default())
    }

    pub(crate) fn set(&self, wall_ns: i64) {
        self.wall_ns.store(wall_ns, Ordering::SeqCst);
    }

    pub(crate) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("test")
    }

    pub(crate) fn propagator(&self) -> HlcPropagator<TraceContextPropagator> {
        self.hlc.propagator(TraceContextPropagator::new())
    }

    /// A context with a span that has just started.
    pub(crate) fn start(&self, name: &'static str, parent: &Context) -> Context {
        let span = self.tracer().start_with_context(name, parent);
        parent.with_span(span)
    }

    pub(crate) fn inject(&self, cx: &Context) -> Headers {
        let mut headers = Headers::new();
        self.propagator().inject_context(cx, &mut headers);
        headers
    }

    pub(crate) fn extract(&self, headers: &Headers) -> Context {
        self.propagator().extract_with_context(&Context::new(), headers)
    }

    /// What was exported, by name.
    pub(crate) fn spans(&self) -> Result<BTreeMap<String, SpanData>, Box<dyn Error>> {
        let spans = self.exporter.get_finished_spans()?;
        Ok(spans.into_iter().map(|span| (span.name.to_string(), span)).collect())
    }

    /// The tags of a span that has been exported.
    pub(crate) fn tags(&self, name: &str) -> Result<Tags, Box<dyn Error>> {
        Ok(tags(self.spans()?.get(name).ok_or_else(|| format!("no span {name}"))?))
    }
}

/// Attributes `hlc.*`, several values for one that is a list.
pub(crate) type Tags = BTreeMap<String, Vec<String>>;

pub(crate) fn tags(span: &SpanData) -> Tags {
    let ours = span.attributes.iter().filter(|attribute| attribute.key.as_str().contains("hlc"));
    let values = ours.map(|attribute| {
        let values = match &attribute.value {
            Value::Array(Array::String(list)) => list.iter().map(ToString::to_string).collect(),
            one => vec![one.to_string()],
        };
        (attribute.key.to_string(), values)
    });
    let count = values.clone().count();
    let tags: Tags = values.collect();
    assert_eq!(tags.len(), count, "no attribute stands twice: {span:?}");
    tags
}

pub(crate) fn list(span: &SpanContext) -> String {
    span.trace_state().header()
}
