//! Spans on their way: what surrounds each, what happens to them before they arrive, and the batches they arrive in.
//!
//! ```text
//! Case ─ sent ─► [Sent] ─ noise, lost, skewed ─► [Sent] ─ shuffled, batches ─► RecordBatch, as the store has them
//! ```
//!
//! - *Noise* is healthy work beside the case's: short internal spans anywhere, and a message at the end of each trace that
//!   another service takes, reading, writing and calling a third by https. No rule may count any of it.
//! - *Lost* are three in ten of the noise spans. The case's own spans stay: without them another answer may be right.
//! - *Skewed* is each process by up to 10 s either way, the same in all traces.
//! - *Shuffled* spans arrive in random order in ten batches, one in eight of them twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use causeway_model::batch::{AttributeColumns, seal};
use causeway_model::otlp;
use causeway_testkit::notation::{self, EPOCH_NS, Noted, NotedSpan};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use causeway_testkit::proto::trace::v1::span::SpanKind;
use prost::Message;

use super::random::Random;
use super::{Case, Error};

/// Furthest that a clock is off.
const SKEW_NS_MAX: i64 = 10_000_000_000;
/// Batches of spans that arrive bit by bit.
const BATCHES: usize = 10;
/// Ids of noise begin here.
const NOISE_ID: u64 = 1 << 40;

/// A span and the trace it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) trace: usize,
    pub(crate) span: NotedSpan,
}

/// The id of a case's trace.
pub(crate) fn trace_id(trace: usize) -> [u8; 16] {
    (0xca5e_0000_0000_0000_u128 + trace as u128 + 1).to_be_bytes()
}

/// All spans of a case.
pub(crate) fn sent(case: &Case) -> Vec<Sent> {
    let of = |(trace, spans): (usize, &Vec<NotedSpan>)| {
        spans.iter().map(|span| Sent { trace, span: span.clone() }).collect::<Vec<_>>()
    };
    case.traces.iter().enumerate().flat_map(of).collect()
}

/// Healthy work beside the case's, of which some spans got lost. Messages are left out where waits of messages are judged:
/// nothing tells what the clocks of who takes them are off.
pub(crate) fn noise(case: &Case, has_messages: bool, random: &mut Random) -> Vec<Sent> {
    let mut noise = Vec::new();
    for (trace, spans) in case.traces.iter().enumerate() {
        let mut next = NOISE_ID;
        let mut add = |span: NotedSpan| {
            let id = next;
            next += 1;
            noise.push(Sent { trace, span: NotedSpan { id, ..span } });
            id
        };
        for host in spans.iter().filter(|span| may_hold_noise(span)) {
            let below = spans.iter().filter(|span| span.parent == host.id);
            let idle_ns = below.map(|span| span.end_ns).max().unwrap_or(0).max(host.start_ns);
            for _ in 0..random.below(3) {
                if let Some(span) = moment(host, idle_ns, random) {
                    add(span);
                }
            }
        }
        let root = spans.iter().find(|span| span.parent == 0 && may_hold_noise(span));
        root.filter(|_| has_messages).into_iter().for_each(|root| message(root, &mut add));
    }
    noise.retain(|_| random.below(10) >= 3);
    noise
}

/// Calls take no noise below them, as what is below a call tells who answered it.
fn may_hold_noise(span: &NotedSpan) -> bool {
    matches!(span.kind, SpanKind::Server | SpanKind::Consumer | SpanKind::Internal)
        && span.start_ns > 0
        && span.end_ns > span.start_ns
        && span.attributes.iter().all(|(key, _)| key.starts_with('@') || key == "nobody")
}

/// A thousandth of a span's time once it waits for nothing more: what runs beside calls may be what the next one waits
/// for. Whole milliseconds after its start, as starts tell what clocks count in.
fn moment(host: &NotedSpan, idle_ns: u64, random: &mut Random) -> Option<NotedSpan> {
    let lasts = host.end_ns - host.start_ns;
    let left = host.end_ns.checked_sub(idle_ns)?;
    let after = (idle_ns - host.start_ns + random.below(left)).div_ceil(1_000_000) * 1_000_000;
    let start_ns = host.start_ns + after;
    (start_ns <= host.end_ns).then(|| NotedSpan {
        parent: host.id,
        service: host.service.clone(),
        instance: host.instance.clone(),
        name: "compute".to_owned(),
        kind: SpanKind::Internal,
        start_ns,
        end_ns: (start_ns + lasts / 1_000).min(host.end_ns),
        attributes: resource_of(host),
        ..NotedSpan::default()
    })
}

fn resource_of(span: &NotedSpan) -> Vec<(String, Noted)> {
    let is_resource = |(key, _): &&(String, Noted)| key.starts_with('@') || key == "nobody";
    span.attributes.iter().filter(is_resource).cloned().collect()
}

/// A message that is sent when a trace ends, and what comes of it.
fn message(root: &NotedSpan, add: &mut impl FnMut(NotedSpan) -> u64) {
    const MS: u64 = 1_000_000;
    let of = |parent, (service, name, kind): (&str, &str, SpanKind), (start, end), told: &str| {
        let attributes = told.split('\n').filter_map(|line| line.split_once('='));
        NotedSpan {
            parent,
            service: service.to_owned(),
            name: name.to_owned(),
            kind,
            start_ns: start,
            end_ns: end,
            attributes: attributes.map(|(key, value)| (key.to_owned(), value.into())).collect(),
            ..NotedSpan::default()
        }
    };
    let at = root.end_ns;
    let topic =
        "messaging.system=kafka\nmessaging.destination.name=seen\nmessaging.operation.type=";
    let mut producer = of(
        root.id,
        (&root.service, "send seen", SpanKind::Producer),
        (at - 1, at),
        &format!("{topic}send"),
    );
    producer.instance.clone_from(&root.instance);
    producer.attributes.extend(resource_of(root));
    let sent = add(producer);
    let process = ("noise-mail", "process seen", SpanKind::Consumer);
    let taken = add(of(sent, process, (at + MS, at + 9 * MS), &format!("{topic}process")));
    let sql = |text: &str| format!("db.system.name=postgresql\ndb.query.text={text}");
    let query = |name| ("noise-mail", name, SpanKind::Client);
    let select = sql("SELECT address FROM readers WHERE id = 7");
    add(of(taken, query("SELECT readers"), (at + 2 * MS, at + 3 * MS), &select));
    let get = "http.request.method=GET\nurl.full=https://noise-crm/readers/7";
    let called = add(of(taken, query("GET"), (at + 3 * MS, at + 6 * MS), get));
    let serve = ("noise-crm", "GET /readers/{id}", SpanKind::Server);
    let route = "http.request.method=GET\nhttp.route=/readers/{id}";
    add(of(called, serve, (at + 3 * MS + MS / 10, at + 6 * MS - MS / 10), route));
    let insert = sql("INSERT INTO mails VALUES (1)");
    add(of(taken, query("INSERT mails"), (at + 6 * MS, at + 8 * MS), &insert));
}

/// Moves each process by its own offset.
pub(crate) fn skew(sent: &mut [Sent], random: &mut Random) {
    let mut offsets_ns: BTreeMap<(String, String), i64> = BTreeMap::new();
    for Sent { span, .. } in sent.iter() {
        offsets_ns.entry((span.service.clone(), span.instance.clone())).or_default();
    }
    for offset_ns in offsets_ns.values_mut() {
        *offset_ns = random.below(2 * SKEW_NS_MAX.unsigned_abs()).cast_signed() - SKEW_NS_MAX;
    }
    for Sent { span, .. } in sent {
        let offset_ns = offsets_ns.get(&(span.service.clone(), span.instance.clone()));
        let events = span.events.iter_mut().map(|(_, time_ns)| time_ns);
        for time_ns in events.chain([&mut span.start_ns, &mut span.end_ns]).filter(|at| **at > 0) {
            *time_ns = time_ns.saturating_add_signed(offset_ns.copied().unwrap_or(0));
        }
    }
}

/// What arrives at once, in order.
pub(crate) fn one_batch(sent: &[Sent]) -> Result<Vec<RecordBatch>, Error> {
    Ok(vec![batch(sent)?])
}

/// What arrives bit by bit, in any order, some of it twice.
pub(crate) fn shuffled_batches(
    sent: &[Sent],
    random: &mut Random,
) -> Result<Vec<RecordBatch>, Error> {
    let mut all = sent.to_vec();
    all.extend(sent.iter().filter(|_| random.below(8) == 0).cloned());
    random.shuffle(&mut all);
    all.chunks(all.len().div_ceil(BATCHES).max(1)).map(batch).collect()
}

fn batch(sent: &[Sent]) -> Result<RecordBatch, Error> {
    let mut request = ExportTraceServiceRequest::default();
    for sent in sent {
        request.resource_spans.extend(one_request(sent)?.resource_spans);
    }
    let (columns, refusals) = otlp::decode(&request.encode_to_vec(), EPOCH_NS)?;
    if refusals.total() > 0 {
        return Err(refusals.message().into());
    }
    Ok(seal(&[Arc::new(columns)], &AttributeColumns::default())?)
}

/// The request of one span, with what its marks tell of resource, status and links.
fn one_request(sent: &Sent) -> Result<ExportTraceServiceRequest, Error> {
    let mut span = sent.span.clone();
    let mut marks = Vec::new();
    let is_mark = |key: &str| {
        matches!(key, "tracestate" | "message" | "link" | "nobody")
            || key.starts_with('@')
            || key.starts_with("event.")
    };
    span.attributes.retain(|(key, value)| {
        let is_kept = !is_mark(key);
        if !is_kept {
            marks.push((key.clone(), value.clone()));
        }
        is_kept
    });
    if marks.iter().any(|(key, _)| key == "nobody") {
        span.instance.clear();
    } else if span.instance.is_empty() {
        span.instance = format!("{}-0", span.service);
    }
    let mut request = notation::request(&[span]);
    let spans = request.resource_spans.iter_mut().flat_map(|of| &mut of.scope_spans);
    for otlp in spans.flat_map(|scope| &mut scope.spans) {
        let id = trace_id(sent.trace).to_vec();
        otlp.trace_id.clone_from(&id);
        otlp.links.iter_mut().for_each(|link| link.trace_id.clone_from(&id));
        for (key, value) in &marks {
            let text = || plain(value);
            match key.as_str() {
                "tracestate" => otlp.trace_state = text(),
                "message" => otlp.status.get_or_insert_default().message = text(),
                "link" => {
                    let text = text();
                    let (trace, id) = text.split_once(':').ok_or("a link is trace:span")?;
                    otlp.links.push(causeway_testkit::proto::trace::v1::span::Link {
                        trace_id: trace_id(trace.parse()?).to_vec(),
                        span_id: id.parse::<u64>()?.to_be_bytes().to_vec(),
                        ..Default::default()
                    });
                }
                key => {
                    let Some(key) = key.strip_prefix("event.") else { continue };
                    let event = otlp.events.last_mut().ok_or("no event")?;
                    event.attributes.push(attribute(key, value));
                }
            }
        }
    }
    let resource = request.resource_spans.first_mut().and_then(|of| of.resource.as_mut());
    let told = marks.iter().filter_map(|(key, value)| Some((key.strip_prefix('@')?, value)));
    resource
        .ok_or("no resource")?
        .attributes
        .extend(told.map(|(key, value)| attribute(key, value)));
    Ok(request)
}

fn plain(value: &Noted) -> String {
    match value {
        Noted::Text(text) => text.clone(),
        Noted::Int(value) => value.to_string(),
        Noted::Bool(value) => value.to_string(),
        Noted::Double(value) => value.to_string(),
    }
}

fn attribute(key: &str, value: &Noted) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(plain(value))) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}
