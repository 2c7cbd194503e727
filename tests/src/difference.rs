//! Says what differs between what was sent and what came back, whatever the grouping.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use causeway_testkit::flat::{self, FlatSpan};
use prost::Message;

use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::common::v1::InstrumentationScope;
use crate::proto::resource::v1::Resource;
use crate::proto::trace::v1::Span;

/// Checks that both hold the same spans with the same resources and scopes, in any order and grouping.
///
/// # Errors
/// They do not; the message shows one span that is missing and one that is too much.
pub fn ensure_equal(
    sent: &ExportTraceServiceRequest,
    found: &ExportTraceServiceRequest,
) -> Result<()> {
    let mut counts: BTreeMap<FlatSpan, i64> = BTreeMap::new();
    for span in flat::flatten(sent) {
        *counts.entry(span).or_default() += 1;
    }
    for span in flat::flatten(found) {
        *counts.entry(span).or_default() -= 1;
    }
    let missing: Vec<_> =
        counts.iter().filter(|(_, count)| **count > 0).map(|(span, _)| span).collect();
    let extra: Vec<_> =
        counts.iter().filter(|(_, count)| **count < 0).map(|(span, _)| span).collect();
    let Some(first) = missing.first().or(extra.first()) else {
        return Ok(());
    };
    // Of the others, show the one that was meant to be the same.
    let id = |span: &FlatSpan| {
        Span::decode(span.span.as_slice()).map(|span| (span.trace_id, span.span_id)).ok()
    };
    let partner = extra.iter().find(|span| id(span) == id(first));
    bail!(
        "{} spans are missing and {} are too much; the first:\n{}\n{}",
        missing.len(),
        extra.len(),
        show(first),
        partner.map_or("(no span with its ids)".to_owned(), |span| show(span)),
    )
}

fn show(flat: &FlatSpan) -> String {
    format!(
        "{:?}\n  in {:?} {:?}\n  in {:?} {:?}",
        Span::decode(flat.span.as_slice()),
        flat.scope.as_ref().map(|bytes| InstrumentationScope::decode(bytes.as_slice())),
        flat.scope_schema_url,
        flat.resource.as_ref().map(|bytes| Resource::decode(bytes.as_slice())),
        flat.resource_schema_url,
    )
}
