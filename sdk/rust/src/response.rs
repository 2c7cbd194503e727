//! Level 3: stamps in responses, for whoever has headers but no place for a layer.

use causeway_clock::{Carried, ReceiveError, response, tracestate};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;

use crate::Hlc;

const SERVER_TIMING: HeaderName = HeaderName::from_static(response::HTTP_HEADER);
const GRPC: HeaderName = HeaderName::from_static(response::GRPC_KEY);
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

impl Hlc {
    /// Stamps the headers of a response that is about to be written; gRPC or HTTP, as its content
    /// type says.
    pub fn stamp_response(&self, headers: &mut HeaderMap) {
        let stamp = self.clock().tick();
        if is_grpc(headers) {
            if let Ok(value) = HeaderValue::try_from(Carried(stamp).to_string()) {
                headers.insert(GRPC, value);
            }
        } else if let Ok(value) = HeaderValue::try_from(response::metric(stamp)) {
            headers.append(SERVER_TIMING, value);
        }
    }

    /// Takes the stamps from the headers of a response, and keeps them for the context's span
    /// unless that has ended. With a client that has no layers (reqwest), this is called with the
    /// headers of each response: `hlc.receive_response(response.headers(), &Context::current())`.
    pub fn receive_response(&self, headers: &HeaderMap, cx: &Context) {
        let metrics = headers.get_all(SERVER_TIMING).iter().filter_map(|value| value.to_str().ok());
        let metadata = headers.get_all(GRPC).iter().filter_map(|value| value.to_str().ok());
        let carried = metrics.flat_map(response::carried).chain(metadata);
        for carried in carried.take(response::STAMPS_MAX) {
            let stamp = match self.clock().receive(carried) {
                Ok(stamp) => stamp,
                // Not merged, but a message all the same: it proves who was earlier.
                Err(ReceiveError::TooFarAhead(refused)) => refused.stamp,
                Err(ReceiveError::Malformed(_)) => continue,
            };
            self.spans().respond(cx.span().span_context(), stamp);
        }
    }

    /// Removes stamps from the headers of a request if its destination is one that never gets them.
    /// Gives whether it is. Clients without layers call it after injection.
    pub fn clean_request(&self, destination: &str, headers: &mut HeaderMap) -> bool {
        if !self.is_unstamped(destination) {
            return false;
        }
        let list: Vec<&str> =
            headers.get_all(TRACESTATE).iter().filter_map(|value| value.to_str().ok()).collect();
        let cleaned = tracestate::without_stamp(&list.join(","));
        match HeaderValue::try_from(&cleaned) {
            Ok(value) if !cleaned.is_empty() => {
                headers.insert(TRACESTATE, value);
            }
            _ => {
                headers.remove(TRACESTATE);
            }
        }
        true
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with("application/grpc"))
}
