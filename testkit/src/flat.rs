//! A request as a list of spans, each with its own resource and scope.
//!
//! A server may regroup spans by equal resources and scopes; nothing else may differ. So two
//! requests are equal when their flat forms are, compared as encoded bytes because NaN != NaN.

use prost::Message;

use crate::proto::collector::trace::v1::ExportTraceServiceRequest;

/// One span with what surrounds it, encoded; ordered so that lists can be sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlatSpan {
    /// The span.
    pub span: Vec<u8>,
    /// Its resource; `None` when there was none.
    pub resource: Option<Vec<u8>>,
    /// The resource's schema URL.
    pub resource_schema_url: String,
    /// Its scope; `None` when there was none.
    pub scope: Option<Vec<u8>>,
    /// The scope's schema URL.
    pub scope_schema_url: String,
}

/// The spans of a request in order.
pub fn flatten(request: &ExportTraceServiceRequest) -> Vec<FlatSpan> {
    let mut flat = Vec::new();
    for resource_spans in &request.resource_spans {
        for scope_spans in &resource_spans.scope_spans {
            for span in &scope_spans.spans {
                flat.push(FlatSpan {
                    span: span.encode_to_vec(),
                    resource: resource_spans.resource.as_ref().map(Message::encode_to_vec),
                    resource_schema_url: resource_spans.schema_url.clone(),
                    scope: scope_spans.scope.as_ref().map(Message::encode_to_vec),
                    scope_schema_url: scope_spans.schema_url.clone(),
                });
            }
        }
    }
    flat
}

/// The spans of a request in an order that does not depend on grouping or arrival.
pub fn sorted(request: &ExportTraceServiceRequest) -> Vec<FlatSpan> {
    let mut flat = flatten(request);
    flat.sort();
    flat
}
