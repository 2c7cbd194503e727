//! Every pair of events of a trace, by the library of order: the API relates spans only.
//!
//! Spans are those that the server gives back, and are read here apart from how the server reads
//! them. A service is a process with a clock of its own.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Context, Result};
use causeway_clock::order::{Event, Kind, Link, Order, OrderSettings, Span};
use causeway_clock::{Carried, ClockId, Stamp, tracestate};

use crate::otlp::hex;
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::common::v1::{KeyValue, any_value::Value};
use crate::proto::trace::v1 as otlp;

/// A trace and its order.
#[derive(Debug)]
pub struct Trace {
    /// For the library; the other lists follow it.
    pub spans: Vec<Span>,
    /// Their order.
    pub order: Order,
    /// Ids in hex.
    pub ids: Vec<String>,
    /// Services.
    pub services: Vec<String>,
    /// Service and name.
    pub names: Vec<String>,
}

impl Trace {
    /// Reads the spans of one trace.
    ///
    /// # Errors
    /// The library refuses them.
    pub fn new(request: &ExportTraceServiceRequest) -> Result<Self> {
        let mut read = Vec::new();
        for resource_spans in &request.resource_spans {
            let resource = resource_spans.resource.clone().unwrap_or_default();
            let service = texts(&resource.attributes, "service.name").pop().unwrap_or_default();
            let scopes = resource_spans.scope_spans.iter();
            read.extend(scopes.flat_map(|one| &one.spans).map(|span| (service.clone(), span)));
        }
        let places: HashMap<&[u8], u32> =
            (0..).zip(&read).map(|(at, (_, span))| (span.span_id.as_slice(), at)).collect();
        let spans: Vec<Span> =
            read.iter().map(|(service, span)| span_of(service, span, &places)).collect();
        let order = Order::build(&spans, &[], &OrderSettings::default()).context("order")?;
        Ok(Self {
            order,
            spans,
            ids: read.iter().map(|(_, span)| hex(&span.span_id)).collect(),
            names: read.iter().map(|(service, span)| format!("{service} {}", span.name)).collect(),
            services: read.into_iter().map(|(service, _)| service).collect(),
        })
    }

    /// Every pair of events of different services, once.
    pub fn pairs(&self) -> impl Iterator<Item = (Event, Event)> {
        let count = self.spans.len();
        let spans = (0..count).flat_map(move |a| (a + 1..count).map(move |b| (a, b)));
        let spans = spans.filter(|(a, b)| self.services[*a] != self.services[*b]);
        spans.flat_map(|(a, b)| {
            let (a, b) = (a as u32, b as u32);
            [Event::Start(a), Event::End(a)]
                .into_iter()
                .flat_map(move |from| [(from, Event::Start(b)), (from, Event::End(b))])
        })
    }

    /// An event as `rules` names it.
    pub fn name(&self, event: Event) -> String {
        match event {
            Event::Start(span) => format!("S {}", self.names[span as usize]),
            Event::End(span) => format!("E {}", self.names[span as usize]),
            Event::Tick(tick) => format!("tick {tick}"),
        }
    }
}

fn span_of(service: &str, span: &otlp::Span, places: &HashMap<&[u8], u32>) -> Span {
    let mut hasher = DefaultHasher::new();
    service.hash(&mut hasher);
    let instance = hasher.finish();
    let stamps = |key| texts(&span.attributes, key).into_iter().filter_map(|it| it.parse().ok());
    let stamp = |key| stamps(key).next();
    let link = |link: &otlp::span::Link| Link {
        span: places.get(link.span_id.as_slice()).copied(),
        stamp: received(&link.trace_state),
    };
    Span {
        parent: places.get(span.parent_span_id.as_slice()).copied(),
        kind: match span.kind {
            2 => Kind::Server,
            3 => Kind::Client,
            4 => Kind::Producer,
            5 => Kind::Consumer,
            _ => Kind::Internal,
        },
        instance: Some(instance),
        wall: Some(ClockId::Instance(instance)),
        start_ns: span.start_time_unix_nano.cast_signed(),
        end_ns: span.end_time_unix_nano.cast_signed(),
        start: stamp("hlc.start"),
        end: stamp("hlc.end"),
        received: received(&span.trace_state),
        rejected: stamp("hlc.reject"),
        responses: stamps("hlc.resp").collect(),
        links: span.links.iter().map(link).collect(),
        received_at_ns: None,
        duplicate: false,
        responded: true,
        processes: true,
    }
}

fn received(trace_state: &str) -> Option<Stamp> {
    let Carried(stamp) = tracestate::carried(trace_state)?.parse().ok()?;
    Some(stamp)
}

/// The texts of an attribute, one or a list.
fn texts(attributes: &[KeyValue], key: &str) -> Vec<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    let text = |value: &Value| match value {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    };
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::ArrayValue(list)) => {
            list.values.iter().filter_map(|value| text(value.value.as_ref()?)).collect()
        }
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}
