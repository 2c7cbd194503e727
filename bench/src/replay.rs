//! A day of traffic, made while it is sent: one pool of real requests, replayed with other ids and times.
//!
//! ```text
//! traffic -> pool of encoded requests + places of ids, times and random text in them
//! round r -> copy a request, mask ids and random text with r's mask, move times into r's part of the day
//! ```
//!
//! Making a span costs a copy and some dozen writes, so that the sender hardly takes CPU time from the
//! server that it measures, and memory does not grow with the number of spans. A round holds whole
//! traces; spans of a trace keep their distances, and traces are spread evenly over the round's time.

use std::collections::HashMap;

use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::any_value::Value;
use causeway_testkit::proto::trace::v1::Span;
use causeway_testkit::traffic::{Traffic, encode, span_count};

use crate::offsets::{Field, varying_fields};

/// Spans of a pool: large enough for thousands of traces, small enough to stay in memory (about 140 MB).
const POOL_SPANS_MAX: usize = 250_000;
/// The attribute of which the rarest value is searched for.
const RARE_KEY: &str = "enduser.id";
/// An attribute whose every value belongs to one span.
const UNIQUE_KEY: &str = "app.correlation_id";
/// One of four values of an attribute that many spans have.
pub(crate) const COMMON_ATTRIBUTE: &str = "app.tenant=eu-retail";

/// What part of time the traffic covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    pub(crate) start_unix_nano: u64,
    pub(crate) length_ns: u64,
}

/// One trace of the pool.
#[derive(Debug, Clone)]
struct PoolTrace {
    start_unix_nano: u64,
    spans: u64,
}

/// What one trace must be found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceSample {
    pub(crate) id: String,
    pub(crate) spans: u64,
}

/// A value of an attribute, as `key=value`, and the number of traces that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributeSample {
    pub(crate) attribute: String,
    pub(crate) traces: u64,
}

#[derive(Debug)]
struct Template {
    body: Vec<u8>,
    /// Where in the body what changes stands; times with the position of their trace in `shifts`.
    fields: Vec<(Field, u32)>,
    spans: usize,
}

/// The requests of all rounds.
#[derive(Debug)]
pub(crate) struct Replay {
    templates: Vec<Template>,
    traces: Vec<([u8; 16], PoolTrace)>,
    /// What is added to the times of each trace in round 0.
    shifts: Vec<u64>,
    seed: u64,
    pub(crate) rounds: usize,
    round_ns: u64,
    pool_spans: usize,
    rare: AttributeSample,
    unique: String,
}

impl Replay {
    /// At least `spans` spans in requests of at most `batch`, in the order of time.
    pub(crate) fn new(seed: u64, period: Period, spans: usize, batch: usize) -> Self {
        let requests = pool(seed, spans.min(POOL_SPANS_MAX), batch);
        let pool_spans: usize = requests.iter().map(span_count).sum();
        let rounds = spans.div_ceil(pool_spans.max(1)).max(1);
        let round_ns = period.length_ns / rounds as u64;
        let traces = pool_traces(&requests);
        let (rare, unique) = (rarest(&requests, RARE_KEY), any_value(&requests, UNIQUE_KEY));
        let positions: HashMap<[u8; 16], u32> =
            traces.iter().zip(0..).map(|((id, _), at)| (*id, at)).collect();
        let templates = requests.iter().map(|request| template(request, &positions)).collect();
        Self {
            templates,
            shifts: shifts(&traces, period.start_unix_nano, round_ns),
            traces,
            seed,
            rounds,
            round_ns,
            pool_spans,
            rare,
            unique,
        }
    }

    pub(crate) fn request_count(&self) -> usize {
        self.templates.len() * self.rounds
    }

    pub(crate) fn span_count(&self) -> usize {
        self.pool_spans * self.rounds
    }

    pub(crate) fn trace_count(&self) -> usize {
        self.traces.len() * self.rounds
    }

    /// Writes the request at a position into `body`, and tells its number of spans.
    pub(crate) fn write(&self, at: usize, body: &mut Vec<u8>) -> usize {
        let round = at / self.templates.len();
        let template = &self.templates[at % self.templates.len()];
        body.clear();
        body.extend_from_slice(&template.body);
        let mask = Mask::of(self.seed, round);
        let moved = self.round_ns.wrapping_mul(round as u64);
        for (field, trace) in &template.fields {
            match field {
                Field::TraceId(at) => xor(body, *at, &mask.trace_id),
                Field::SpanId(at) => xor(body, *at, &mask.span_id),
                Field::Time(at) => {
                    let shift = self.shifts[*trace as usize].wrapping_add(moved);
                    add(body, *at, shift);
                }
                Field::HexDigits(at, length) => mask.hex(&mut body[*at..*at + *length]),
            }
        }
        template.spans
    }

    /// Some traces, evenly chosen from all rounds.
    pub(crate) fn samples(&self, count: usize) -> Vec<TraceSample> {
        let total = self.trace_count();
        let count = count.min(total);
        let place = |at: usize| {
            let at = at * total / count;
            let (id, trace) = &self.traces[at % self.traces.len()];
            let mut id = *id;
            xor(&mut id, 0, &Mask::of(self.seed, at / self.traces.len()).trace_id);
            TraceSample { id: hex(&id), spans: trace.spans }
        };
        (0..count).map(place).collect()
    }

    /// An attribute that few traces have.
    pub(crate) fn rare(&self) -> AttributeSample {
        AttributeSample { traces: self.rare.traces * self.rounds as u64, ..self.rare.clone() }
    }

    /// An attribute that one trace in the middle of the period has.
    pub(crate) fn unique(&self) -> AttributeSample {
        let mut digits = self.unique.clone().into_bytes();
        Mask::of(self.seed, self.rounds / 2).hex(&mut digits);
        let value = String::from_utf8_lossy(&digits);
        AttributeSample { attribute: format!("{UNIQUE_KEY}={value}"), traces: 1 }
    }
}

fn pool(seed: u64, spans: usize, batch: usize) -> Vec<ExportTraceServiceRequest> {
    // The start only has to be the same in every run: times are moved when they are sent.
    let mut traffic = Traffic::new(seed, 1_790_000_000_000_000_000).spans_per_request(batch);
    let (mut requests, mut have) = (Vec::new(), 0);
    while have < spans {
        let Some(request) = traffic.next() else { break };
        have += span_count(&request);
        requests.push(request);
    }
    requests.extend(traffic.remaining());
    requests
}

fn spans(requests: &[ExportTraceServiceRequest]) -> impl Iterator<Item = &Span> {
    let resources = requests.iter().flat_map(|request| &request.resource_spans);
    resources.flat_map(|it| &it.scope_spans).flat_map(|scope| &scope.spans)
}

/// The traces of a pool in the order of their starts.
fn pool_traces(requests: &[ExportTraceServiceRequest]) -> Vec<([u8; 16], PoolTrace)> {
    let mut traces = HashMap::<[u8; 16], PoolTrace>::new();
    for span in spans(requests) {
        let Ok(id) = span.trace_id.as_slice().try_into() else { continue };
        let start_unix_nano = span.start_time_unix_nano;
        let trace = traces.entry(id).or_insert(PoolTrace { start_unix_nano, spans: 0 });
        trace.start_unix_nano = trace.start_unix_nano.min(start_unix_nano);
        trace.spans += 1;
    }
    let mut traces: Vec<_> = traces.into_iter().collect();
    traces.sort_unstable_by_key(|(id, trace)| (trace.start_unix_nano, *id));
    traces
}

/// Spreads the starts of all traces over a round.
fn shifts(traces: &[([u8; 16], PoolTrace)], start: u64, round_ns: u64) -> Vec<u64> {
    let first = traces.first().map_or(0, |(_, trace)| trace.start_unix_nano);
    let length = traces.last().map_or(0, |(_, trace)| trace.start_unix_nano - first).max(1);
    let shift = |(_, trace): &([u8; 16], PoolTrace)| {
        let offset = u128::from(trace.start_unix_nano - first) * u128::from(round_ns);
        let spread = (offset / u128::from(length)) as u64;
        start.wrapping_add(spread).wrapping_sub(trace.start_unix_nano)
    };
    traces.iter().map(shift).collect()
}

fn template(request: &ExportTraceServiceRequest, positions: &HashMap<[u8; 16], u32>) -> Template {
    let body = encode(request);
    let fields = varying_fields(&body).into_iter().map(|(field, trace_id)| {
        let id: Option<[u8; 16]> =
            body.get(trace_id..trace_id + 16).and_then(|id| id.try_into().ok());
        (field, id.and_then(|id| positions.get(&id).copied()).unwrap_or(0))
    });
    Template { fields: fields.collect(), spans: span_count(request), body }
}

/// Values of a text attribute of spans, with their traces.
fn values<'a>(
    requests: &'a [ExportTraceServiceRequest],
    key: &'a str,
) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    spans(requests).flat_map(move |span| {
        span.attributes.iter().filter(move |it| it.key == key).filter_map(|attribute| {
            match attribute.value.as_ref()?.value.as_ref()? {
                Value::StringValue(text) => Some((text.as_str(), span.trace_id.as_slice())),
                _ => None,
            }
        })
    })
}

fn rarest(requests: &[ExportTraceServiceRequest], key: &str) -> AttributeSample {
    let mut pairs: Vec<_> = values(requests, key).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut counts = HashMap::<&str, u64>::new();
    for (value, _) in pairs {
        *counts.entry(value).or_default() += 1;
    }
    let rarest = counts.into_iter().min_by_key(|(value, traces)| (*traces, *value));
    let (value, traces) = rarest.unwrap_or(("", 0));
    AttributeSample { attribute: format!("{key}={value}"), traces }
}

fn any_value(requests: &[ExportTraceServiceRequest], key: &str) -> String {
    values(requests, key).next().map_or_else(String::new, |(value, _)| value.to_owned())
}

/// What makes the ids and random texts of one round differ from those of all others.
struct Mask {
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

impl Mask {
    fn of(seed: u64, round: usize) -> Self {
        let (high, low) = (mix(seed, round, 1), mix(seed, round, 2));
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&high.to_be_bytes());
        trace_id[8..].copy_from_slice(&low.to_be_bytes());
        Self { trace_id, span_id: mix(seed, round, 3).to_be_bytes() }
    }

    /// Changes hexadecimal digits, and nothing else.
    fn hex(&self, text: &mut [u8]) {
        for (digit, byte) in text.iter_mut().zip(self.trace_id.iter().cycle()) {
            if let Some(value) = (*digit as char).to_digit(16) {
                *digit = HEX[(value as usize) ^ usize::from(byte & 15)];
            }
        }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The finaliser of SplitMix64: neighbouring inputs give unrelated numbers.
fn mix(seed: u64, round: usize, stream: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((round as u64) << 2 | stream);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn xor(body: &mut [u8], at: usize, mask: &[u8]) {
    for (byte, mask) in body[at..].iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

fn add(body: &mut [u8], at: usize, shift: u64) {
    let Some(bytes) = body[at..].first_chunk_mut::<8>() else { return };
    *bytes = u64::from_le_bytes(*bytes).wrapping_add(shift).to_le_bytes();
}

fn hex(id: &[u8]) -> String {
    id.iter()
        .flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use anyhow::Result;
    use prost::Message;

    use super::*;

    const PERIOD: Period =
        Period { start_unix_nano: 1_800_000_000_000_000_000, length_ns: 86_400_000_000_000 };

    fn sent(replay: &Replay) -> Result<Vec<ExportTraceServiceRequest>> {
        let mut body = Vec::new();
        let mut requests = Vec::new();
        for at in 0..replay.request_count() {
            let spans = replay.write(at, &mut body);
            let request = ExportTraceServiceRequest::decode(body.as_slice())?;
            assert_eq!(span_count(&request), spans);
            requests.push(request);
        }
        Ok(requests)
    }

    fn three_rounds() -> Replay {
        let mut replay = Replay::new(5, PERIOD, 3_000, 100);
        replay.rounds = 3;
        replay.round_ns = PERIOD.length_ns / 3;
        replay.shifts = shifts(&replay.traces, PERIOD.start_unix_nano, replay.round_ns);
        replay
    }

    #[test]
    fn every_span_is_new_and_every_parent_and_link_exists() -> Result<()> {
        let replay = three_rounds();
        let requests = sent(&replay)?;
        let ids: BTreeSet<_> =
            spans(&requests).map(|span| (span.trace_id.clone(), span.span_id.clone())).collect();
        assert_eq!(ids.len(), replay.span_count());
        for span in spans(&requests) {
            let parent = (span.trace_id.clone(), span.parent_span_id.clone());
            assert!(span.parent_span_id.is_empty() || ids.contains(&parent));
            for link in &span.links {
                assert!(ids.contains(&(link.trace_id.clone(), link.span_id.clone())));
            }
        }
        Ok(())
    }

    #[test]
    fn times_lie_in_the_period_and_durations_are_kept() -> Result<()> {
        let replay = three_rounds();
        let requests = sent(&replay)?;
        let durations = |requests: &[ExportTraceServiceRequest]| -> Vec<u64> {
            spans(requests).map(|it| it.end_time_unix_nano - it.start_time_unix_nano).collect()
        };
        let made = durations(&pool(5, 3_000, 100));
        assert_eq!(durations(&requests), made.repeat(3));
        let starts: Vec<u64> = spans(&requests).map(|it| it.start_time_unix_nano).collect();
        let first = starts.iter().min().copied().unwrap_or(0);
        let last = starts.iter().max().copied().unwrap_or(0);
        assert_eq!(first, PERIOD.start_unix_nano);
        let end = PERIOD.start_unix_nano + PERIOD.length_ns;
        assert!(last > end - PERIOD.length_ns / 100 && last < end + 60_000_000_000, "{last}");
        for span in spans(&requests) {
            for event in &span.events {
                assert!(
                    (span.start_time_unix_nano..=span.end_time_unix_nano)
                        .contains(&event.time_unix_nano)
                );
            }
        }
        Ok(())
    }

    #[test]
    fn samples_and_attributes_are_what_was_sent() -> Result<()> {
        let replay = three_rounds();
        let requests = sent(&replay)?;
        let mut counts = BTreeMap::<String, u64>::new();
        for span in spans(&requests) {
            *counts.entry(hex(&span.trace_id)).or_default() += 1;
        }
        assert_eq!(counts.len(), replay.trace_count());
        for sample in replay.samples(50) {
            assert_eq!(counts.get(&sample.id), Some(&sample.spans), "{}", sample.id);
        }
        for sample in [replay.rare(), replay.unique()] {
            let (key, value) = sample.attribute.split_once('=').unwrap_or_default();
            let found: BTreeSet<_> =
                values(&requests, key).filter(|(found, _)| *found == value).collect();
            assert_eq!(found.len() as u64, sample.traces, "{}", sample.attribute);
        }
        Ok(())
    }
}
