//! `lookup`: traces by id, one after another over one connection.

use std::time::{Duration, Instant};

use anyhow::Result;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::traffic::span_count;
use clap::Args;
use prost::Message;
use serde_json::Value;

use crate::figures::Figures;
use crate::http::{Client, PROTOBUF};
use crate::latency::Latency;
use crate::replay::TraceSample;
use crate::target::{Target, TargetArgs};

/// What to look up.
#[derive(Debug, Args)]
pub(crate) struct LookupArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Lookups that are measured, of each kind
    #[arg(long, default_value_t = 2_000)]
    pub(crate) lookups: usize,
    /// Lookups before that
    #[arg(long, default_value_t = 500)]
    pub(crate) warm_up: usize,
}

/// Runs the benchmark and tells what it measured, in Markdown.
pub(crate) fn run(args: &LookupArgs) -> Result<String> {
    args.target
        .report("Lookup of traces by id", |target| measure(target, args.lookups, args.warm_up))
}

/// Measures on a running server.
pub(crate) fn measure(target: &Target, lookups: usize, warm_up: usize) -> Result<Figures> {
    let mut client = target.client();
    let mut figures = Figures::default();
    let traces = shuffled(&target.manifest.samples, target.manifest.seed);
    let wanted = || traces.iter().cycle();
    for trace in wanted().take(warm_up) {
        view(&mut client, trace, &mut figures)?;
    }
    // The yardstick: what an answer without any content takes over the same connection.
    let floor = times(0..lookups, |_| {
        let start = Instant::now();
        client.get("/healthz", "*/*")?;
        Ok(start.elapsed())
    })?;
    let cpu_before = target.server.cpu()?;
    let views = times(wanted().skip(warm_up).take(lookups), |trace| {
        view(&mut client, trace, &mut figures)
    })?;
    let cpu = target.server.cpu()?.since(cpu_before).total();
    let otlp = times(wanted().take(lookups), |trace| otlp(&mut client, trace, &mut figures))?;
    let unknown = times(wanted().take(lookups), |trace| unknown(&mut client, trace, &mut figures))?;
    figures.percentiles("empty answer (yardstick)", floor);
    figures.percentiles("trace for the UI", views);
    figures.percentiles("trace as OTLP", otlp);
    figures.percentiles("unknown id", unknown);
    let ratio = views.p50.as_secs_f64() / floor.p50.as_secs_f64();
    figures.add("trace for the UI, p50, times an empty answer", ratio, 1);
    figures.ms("server, CPU per trace for the UI", cpu.div_f64(lookups.max(1) as f64));
    Ok(figures)
}

fn times<T>(
    of: impl Iterator<Item = T>,
    mut measure: impl FnMut(T) -> Result<Duration>,
) -> Result<Latency> {
    let times = of.map(&mut measure).collect::<Result<Vec<_>>>()?;
    Ok(Latency::of(times))
}

fn view(client: &mut Client<'_>, trace: &TraceSample, figures: &mut Figures) -> Result<Duration> {
    let start = Instant::now();
    let answer = client.get(&format!("/api/v1/traces/{}", trace.id), "application/json")?;
    let took = start.elapsed();
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let spans = json.pointer("/spans/span_id").and_then(Value::as_array).map_or(0, Vec::len);
    check(trace, spans, figures);
    Ok(took)
}

fn otlp(client: &mut Client<'_>, trace: &TraceSample, figures: &mut Figures) -> Result<Duration> {
    let start = Instant::now();
    let answer = client.get(&format!("/api/v1/traces/{}/otlp", trace.id), PROTOBUF)?;
    let took = start.elapsed();
    let request = ExportTraceServiceRequest::decode(answer.body.as_slice()).unwrap_or_default();
    check(trace, span_count(&request), figures);
    Ok(took)
}

fn check(trace: &TraceSample, spans: usize, figures: &mut Figures) {
    figures.check(spans as u64 == trace.spans, || {
        format!("trace {} has {} spans, {spans} were found", trace.id, trace.spans)
    });
}

fn unknown(client: &mut Client<'_>, like: &TraceSample, figures: &mut Figures) -> Result<Duration> {
    // As random as the real ones, and none of them but with a chance of one in 2^64.
    let id: String = like.id.chars().rev().collect();
    let start = Instant::now();
    let answer = client.get(&format!("/api/v1/traces/{id}"), "application/json")?;
    let took = start.elapsed();
    figures.check(answer.status == 404, || format!("unknown {id} is answered {}", answer.status));
    Ok(took)
}

/// The traces in an order without meaning, the same for a seed.
fn shuffled(traces: &[TraceSample], seed: u64) -> Vec<TraceSample> {
    let mut traces = traces.to_vec();
    let rank = |id: &str| {
        id.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    traces.sort_by_key(|trace| rank(&trace.id));
    traces
}
