//! What decoding and sealing cost a span, untagged and tagged: `cargo bench -p causeway-model`.
//!
//! The least of many rounds, because whatever else runs only adds.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use causeway_model::batch::{self, AttributeColumns, AttributeUse};
use causeway_model::otlp;
use causeway_testkit::traffic::{Traffic, encode};

const START: u64 = 1_790_000_000_000_000_000;
const REQUESTS: usize = 40;
const ROUNDS: usize = 60;

fn main() -> std::io::Result<()> {
    let traffic = || Traffic::new(1, START);
    measure("untagged", traffic())?;
    measure("tagged", traffic().tagged())
}

fn measure(name: &str, traffic: Traffic) -> std::io::Result<()> {
    let bodies: Vec<_> = traffic.take(REQUESTS).map(|request| encode(&request)).collect();
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    let decode = |body: &Vec<u8>| otlp::decode(body, START as i64).ok().map(|(columns, _)| columns);
    let parts: Vec<_> = bodies.iter().filter_map(decode).map(Arc::new).collect();
    let spans = parts.iter().map(|part| part.len()).sum::<usize>() as f64;
    let mut used = AttributeUse::default();
    parts.iter().for_each(|part| used.add(part));
    let columns = used.choose(&AttributeColumns::default(), &Default::default());
    let decoding = least(|| bodies.iter().for_each(|body| drop(black_box(decode(body)))));
    let sealing = least(|| drop(black_box(batch::seal(&parts, &columns))));
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
