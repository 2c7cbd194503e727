//! One check for any bytes: our decoder and prost's agree on them.
//!
//! prost reads all text as bytes here (`reference`), because the rules differ in one point: prost refuses a
//! request for a single text that is not UTF-8, we refuse the spans it belongs to. What must hold:
//!
//! - Bytes that are no request are refused by both, whole.
//! - Of a request, we refuse exactly the spans with an id that OTLP does not allow, or with text that is not
//!   UTF-8 in the span, its scope or its resource. Of a singular field that was sent twice the last one counts.
//! - Everything else comes back from the columns as prost reads it.
//! - Where prost's own structs accept the bytes, `reference` reads the same; so it is no dialect of ours.
//!
//! Left out: messages nested deeper than prost can read (it stops at 100, we at 128 levels of values), and the two
//! fields of `common.proto` that only profiles may use, which we skip as unknown.
//!
//! Used by the tests beside this file and by the fuzz target in `fuzz/`.

use std::sync::Arc;

use causeway_model::otlp::{self, Refusal};
use causeway_model::{SpanColumns, batch};
use causeway_testkit::flat::{self, FlatSpan};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::reference;

const RECEIVED_AT: i64 = 1_790_000_000_000_000_000;

/// What the bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No request.
    Refused,
    /// A request, some spans of which OTLP does not allow.
    PartlyRefused,
    /// A request, all of it kept.
    Accepted,
    /// Nested deeper than prost reads.
    NotCompared,
}

/// Decodes with both and compares.
///
/// # Errors
/// They disagree; the message says on what.
pub(crate) fn check(bytes: &[u8]) -> Result<Verdict, String> {
    let ours = otlp::decode(bytes, RECEIVED_AT);
    let reference = reference::Request::decode(bytes);
    match (reference, ours) {
        (Err(error), _) if is_too_deep(&error) => Ok(Verdict::NotCompared),
        (Err(_), Err(_)) => Ok(Verdict::Refused),
        (Err(error), Ok(_)) => Err(format!("we accept what prost refuses: {error}")),
        (Ok(_), Err(error)) => Err(format!("we refuse what prost accepts: {error}")),
        (Ok(mut reference), Ok((columns, refusals))) => {
            compare_with_generated(bytes, &reference)?;
            let expected = reference.remove_refused();
            if refusals.total() != expected.len() as u64 {
                let message = refusals.message();
                return Err(format!("{} spans to refuse, we say {message:?}", expected.len()));
            }
            for (reason, _) in refusals.iter() {
                if !expected.iter().any(|reasons| reasons.contains(&reason)) {
                    return Err(format!("no span is to be refused for {reason:?}"));
                }
            }
            compare_content(columns, &reference)?;
            Ok(if expected.is_empty() { Verdict::Accepted } else { Verdict::PartlyRefused })
        }
    }
}

fn is_too_deep(error: &prost::DecodeError) -> bool {
    error.to_string().contains("recursion limit")
}

/// The structs that are generated from the `.proto` files must read what `reference` reads.
fn compare_with_generated(bytes: &[u8], reference: &reference::Request) -> Result<(), String> {
    match ExportTraceServiceRequest::decode(bytes) {
        Ok(generated) => {
            let again = reference::Request::decode(generated.encode_to_vec().as_slice());
            let again = again.map_err(|error| error.to_string())?;
            // NaN != NaN, so encoded bytes are compared.
            let is_equal = again.encode_to_vec() == reference.encode_to_vec();
            let is_profile = || format!("{generated:?}").contains("StringValueStrindex");
            match is_equal || is_profile() {
                true => Ok(()),
                false => Err("the reference differs from the generated structs".to_owned()),
            }
        }
        Err(error) => {
            let error = error.to_string();
            let is_known =
                ["UTF-8", "key_strindex", "AnyValue.value"].iter().any(|it| error.contains(it));
            match is_known {
                true => Ok(()),
                false => Err(format!("only the generated structs refuse it: {error}")),
            }
        }
    }
}

fn compare_content(columns: SpanColumns, reference: &reference::Request) -> Result<(), String> {
    let expected = ExportTraceServiceRequest::decode(reference.encode_to_vec().as_slice());
    let expected = flat::flatten(&expected.map_err(|error| format!("what is left: {error}"))?);
    if columns.len() != expected.len() {
        return Err(format!("{} spans instead of {}", columns.len(), expected.len()));
    }
    let batch = batch::seal(&[Arc::new(columns)], &batch::AttributeColumns::default())
        .map_err(|error| error.to_string())?;
    let mut written = Vec::new();
    otlp::write_protobuf(&[batch], &mut written).map_err(|error| error.to_string())?;
    let found = ExportTraceServiceRequest::decode(written.as_slice());
    let found = flat::flatten(&found.map_err(|error| format!("what we write: {error}"))?);
    let differs = |(found, expected): &(&FlatSpan, &FlatSpan)| found != expected;
    match found.iter().zip(&expected).find(differs) {
        None if found.len() == expected.len() => Ok(()),
        None => Err(format!("{} spans come back of {}", found.len(), expected.len())),
        Some((found, expected)) => Err(format!("found {found:?}\nexpected {expected:?}")),
    }
}

impl reference::Request {
    /// Takes out the spans that must be refused; why, for each of them.
    fn remove_refused(&mut self) -> Vec<Vec<Refusal>> {
        let mut refused = Vec::new();
        for resource_spans in &mut self.resource_spans {
            let resource_is_text = resource_spans.is_text();
            for scope_spans in &mut resource_spans.scope_spans {
                let around_is_text = resource_is_text && scope_spans.is_text();
                scope_spans.spans.retain(|span| {
                    let mut reasons = id_reasons(span);
                    if !around_is_text || !span.is_text() {
                        reasons.push(Refusal::Utf8);
                    }
                    let is_kept = reasons.is_empty();
                    if !is_kept {
                        refused.push(reasons);
                    }
                    is_kept
                });
            }
            // Groups without spans leave no trace in columns, and need not be text.
            resource_spans.scope_spans.retain(|scope_spans| !scope_spans.spans.is_empty());
        }
        self.resource_spans.retain(|resource_spans| !resource_spans.scope_spans.is_empty());
        refused
    }
}

fn id_reasons(span: &reference::Span) -> Vec<Refusal> {
    let is_id = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
    let parent = span.parent_span_id.len();
    [
        (is_id(&span.trace_id, 16), Refusal::TraceId),
        (is_id(&span.span_id, 8), Refusal::SpanId),
        (parent == 0 || parent == 8, Refusal::ParentSpanId),
    ]
    .into_iter()
    .filter_map(|(is_allowed, reason)| (!is_allowed).then_some(reason))
    .collect()
}
