//! A shop that was open for a while, and lookups in what it sent.

use std::collections::HashMap;

use super::super::{Export, Fault, Faults, Shop, ShopSettings, SpanTruth, Truth};
use crate::proto::common::v1::KeyValue;
use crate::proto::common::v1::any_value::Value;
use crate::proto::resource::v1::Resource;
use crate::proto::trace::v1::Span;

pub(super) const START_NS: i64 = 1_780_000_000_000_000_123;
pub(super) const SECOND_NS: i64 = 1_000_000_000;

/// A shop that does in a minute what others do in five.
pub(super) fn settings(seed: u64, faults: Faults) -> ShopSettings {
    ShopSettings {
        traces_per_ks: 10_000,
        step_every_ns: 20 * SECOND_NS,
        death_after_ns: 20 * SECOND_NS,
        faults,
        ..ShopSettings::new(seed, START_NS)
    }
}

/// All that a shop sends that is closed after so many seconds.
pub(super) fn open_for(settings: ShopSettings, seconds: i64) -> (Vec<Export>, Truth) {
    let mut shop = Shop::new(settings);
    let mut exports = Vec::new();
    while let Some(export) = shop.next() {
        if export.at_ns >= settings.start_unix_ns + seconds * SECOND_NS {
            shop.close();
        }
        exports.push(export);
    }
    (exports, shop.truth())
}

/// A span with its surroundings.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) span: Span,
    pub(super) resource: Resource,
    pub(super) truth: SpanTruth,
    pub(super) at_ns: i64,
}

/// All spans, in the order they were sent.
pub(super) fn spans(exports: &[Export]) -> Vec<Sent> {
    let mut sent = Vec::new();
    for export in exports {
        let resources = &export.request.resource_spans;
        let of = resources.iter().flat_map(|resource_spans| {
            let spans = resource_spans.scope_spans.iter().flat_map(|scope| &scope.spans);
            spans.map(|span| (span.clone(), resource_spans.resource.clone().unwrap_or_default()))
        });
        sent.extend(of.zip(&export.truth).map(|((span, resource), truth)| Sent {
            span,
            resource,
            truth: truth.clone(),
            at_ns: export.at_ns,
        }));
    }
    sent
}

/// Spans by trace; traces in the order of their ids.
pub(super) fn by_trace(spans: Vec<Sent>) -> Vec<Vec<Sent>> {
    let mut traces: HashMap<Vec<u8>, Vec<Sent>> = HashMap::new();
    for sent in spans {
        traces.entry(sent.span.trace_id.clone()).or_default().push(sent);
    }
    let mut traces: Vec<_> = traces.into_iter().collect();
    traces.sort_by(|a, b| a.0.cmp(&b.0));
    traces.into_iter().map(|(_, spans)| spans).collect()
}

pub(super) fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match attributes
        .iter()
        .find(|attribute| attribute.key == key)?
        .value
        .as_ref()?
        .value
        .as_ref()?
    {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

pub(super) fn int(attributes: &[KeyValue], key: &str) -> Option<i64> {
    match attributes
        .iter()
        .find(|attribute| attribute.key == key)?
        .value
        .as_ref()?
        .value
        .as_ref()?
    {
        Value::IntValue(int) => Some(*int),
        _ => None,
    }
}

impl Sent {
    pub(super) fn service(&self) -> &str {
        text(&self.resource.attributes, "service.name").unwrap_or_default()
    }

    pub(super) fn instance(&self) -> &str {
        text(&self.resource.attributes, "k8s.pod.name").unwrap_or_default()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        text(&self.span.attributes, key)
    }

    pub(super) fn int(&self, key: &str) -> Option<i64> {
        int(&self.span.attributes, key)
    }
}

/// The settings of a shop with one fault alone, with what that fault needs to show.
pub(super) fn only(fault: Fault) -> Faults {
    let needs_offset =
        matches!(fault, Fault::ImpossibleOrder | Fault::RefusedStamps | Fault::DeafPropagator);
    let alone = Faults::NONE.with(fault);
    if needs_offset { alone.with(Fault::ClockOffset) } else { alone }
}
