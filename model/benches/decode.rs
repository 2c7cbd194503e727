//! What decoding and sealing cost a span, untagged and tagged: `cargo bench -p causeway-model`.
//!
//! The least of many rounds, because whatever else runs only adds.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use causeway_model::batch::{self, AttributeColumns};
use causeway_model::otlp;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use causeway_testkit::proto::trace::v1::Span;
use causeway_testkit::traffic::Traffic;
use prost::Message;

const START: u64 = 1_790_000_000_000_000_000;
const REQUESTS: usize = 40;
const ROUNDS: usize = 60;

fn main() -> std::io::Result<()> {
    let untagged: Vec<_> = Traffic::new(1, START).take(REQUESTS).collect();
    let mut tagged = untagged.clone();
    tagged.iter_mut().for_each(tag);
    measure("untagged", &untagged)?;
    measure("tagged", &tagged)
}

fn measure(name: &str, requests: &[ExportTraceServiceRequest]) -> std::io::Result<()> {
    let bodies: Vec<_> = requests.iter().map(Message::encode_to_vec).collect();
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    let decode = |body: &Vec<u8>| otlp::decode(body, START as i64).ok().map(|(columns, _)| columns);
    let parts: Vec<_> = bodies.iter().filter_map(decode).map(Arc::new).collect();
    let spans = parts.iter().map(|part| part.len()).sum::<usize>() as f64;
    let none = AttributeColumns::default();
    let decoding = least(|| bodies.iter().for_each(|body| drop(black_box(decode(body)))));
    let sealing = least(|| drop(black_box(batch::seal(&parts, &none))));
    writeln!(
        std::io::stdout(),
        "{name}: {:.0} bytes, {:.0} ns to decode, {:.0} ns to seal a span",
        bytes as f64 / spans,
        decoding / spans,
        sealing / spans,
    )
}

fn least(mut work: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        work();
        started.elapsed().as_nanos() as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Gives spans the stamps that a service with everything installed would give them.
fn tag(request: &mut ExportTraceServiceRequest) {
    let spans = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    for (nth, span) in (0..).zip(spans.flat_map(|scope| &mut scope.spans)) {
        let tick = |at: u64| format!("9c4e21b07a3d5f68:{at:016x}+{nth:x}1");
        add(span, "hlc.start", tick(span.start_time_unix_nano));
        add(span, "hlc.end", tick(span.end_time_unix_nano));
        span.trace_state = format!("hlc=1:b0b0000000000002:{:016x}", span.start_time_unix_nano - 1);
    }
}

fn add(span: &mut Span, key: &str, stamp: String) {
    span.attributes.push(KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(stamp)) }),
        ..KeyValue::default()
    });
}
