//! One trace at a time: an operation is served step by step, and each step becomes spans.
//!
//! Spans come out in the order in which they end, as exporters see them. A trace has between
//! [`TRACE_SPANS_MIN`] and [`TRACE_SPANS_MAX`] spans; steps beyond the budget are left out.

use std::collections::BTreeMap;

use super::attributes::{self, Exchange, int, text};
use super::random::Random;
use super::resource::{Pod, Scope};
use super::shop::{Entry, Language, Operation, Query, ROOTS, SERVICES, Step, position};
use crate::proto::common::v1::KeyValue;
use crate::proto::trace::v1::{
    Span, Status,
    span::{Event, Link, SpanKind},
    status::StatusCode,
};

pub(super) const TRACE_SPANS_MIN: usize = 5;
pub(super) const TRACE_SPANS_MAX: usize = 60;

/// Messages that one consumer takes at once, and so links of its span.
const MESSAGES_PER_POLL_MAX: u64 = 6;
/// W3C: sampled, and OTLP: "whether the parent is remote is known".
const FLAGS_LOCAL: u32 = 0x101;
/// The same, and the parent is remote.
const FLAGS_REMOTE: u32 = 0x301;

/// A span and who made it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) pod: usize,
    pub(super) scope: Scope,
    pub(super) span: Span,
}

/// The state of the shop between two traces.
#[derive(Debug)]
pub(super) struct Shop {
    languages: Vec<Language>,
    /// The position of the first pod of each service.
    first_pods: Vec<usize>,
    /// Messages that nobody has taken yet, by topic.
    queues: BTreeMap<&'static str, Vec<Link>>,
}

impl Shop {
    pub(super) fn new(pods: &[Pod]) -> Self {
        let mut next = 0;
        let mut first_pods = Vec::new();
        for service in SERVICES {
            first_pods.push(next);
            next += service.replicas;
        }
        let languages = pods.iter().map(|pod| pod.language).collect();
        Self { languages, first_pods, queues: BTreeMap::new() }
    }

    /// One trace: a waiting batch of messages if there is one, else a request of a customer.
    pub(super) fn trace(&mut self, start_unix_nano: u64, random: &mut Random) -> Vec<Made> {
        let batch = random.between(1, MESSAGES_PER_POLL_MAX + 1) as usize;
        let ready = self.queues.iter().find(|(_, messages)| messages.len() >= batch * 2);
        let (service, operation, links) = match ready.map(|(topic, _)| *topic) {
            Some(topic) => self.poll(topic, batch, random),
            None => {
                let (service, operation) = root(random);
                (service, operation, Vec::new())
            }
        };
        let mut walk = Walk {
            trace_id: random.trace_id(),
            trace_state: match random.chance(40) {
                true => format!("dd=s:1;t.dm:-1,rojo={:016x}", random.bits()),
                false => String::new(),
            },
            budget: TRACE_SPANS_MAX,
            made: Vec::new(),
            shop: self,
            random,
        };
        let inbound = Inbound { service, operation, parent: Vec::new(), path: None, links };
        walk.serve(inbound, start_unix_nano);
        walk.made
    }

    fn poll(
        &mut self,
        topic: &'static str,
        batch: usize,
        random: &mut Random,
    ) -> (usize, usize, Vec<Link>) {
        let queue = self.queues.entry(topic).or_default();
        let links = queue.drain(..batch.min(queue.len())).collect();
        let consumers: Vec<(usize, usize)> = SERVICES
            .iter()
            .enumerate()
            .flat_map(|(service, it)| (0..it.operations.len()).map(move |operation| (service, operation)))
            .filter(|&(service, operation)| {
                matches!(SERVICES[service].operations[operation].entry, Entry::Message { topic: of } if of == topic)
            })
            .collect();
        let (service, operation) = *random.pick(&consumers);
        (service, operation, links)
    }
}

fn root(random: &mut Random) -> (usize, usize) {
    let mut left = random.between(0, 100);
    let chosen = ROOTS.iter().find(|root| {
        let found = left < root.percent;
        left = left.saturating_sub(root.percent);
        found
    });
    let root = chosen.unwrap_or(&ROOTS[0]);
    (position(root.service).unwrap_or(0), root.operation)
}

/// A request on its way into a service.
struct Inbound {
    service: usize,
    operation: usize,
    parent: Vec<u8>,
    /// The path that the caller asked for; none at the edge of the shop.
    path: Option<String>,
    links: Vec<Link>,
}

/// How serving went.
struct Served {
    end: u64,
    failed: bool,
}

/// The span that is being served while its steps run.
struct Server {
    service: usize,
    pod: usize,
    span_id: Vec<u8>,
}

struct Walk<'a> {
    trace_id: Vec<u8>,
    trace_state: String,
    budget: usize,
    made: Vec<Made>,
    shop: &'a mut Shop,
    random: &'a mut Random,
}

impl Walk<'_> {
    fn serve(&mut self, inbound: Inbound, start: u64) -> Served {
        self.budget = self.budget.saturating_sub(1);
        let service = &SERVICES[inbound.service];
        let operation: &Operation = &service.operations[inbound.operation];
        let replica = self.random.between(0, service.replicas as u64) as usize;
        let server = Server {
            service: inbound.service,
            pod: self.shop.first_pods[inbound.service] + replica,
            span_id: self.random.span_id(),
        };
        let mut now = start + self.random.duration_ns(150);
        let mut failed = false;
        for step in operation.steps {
            let served = self.step(*step, &server, now);
            now = served.end;
            // Some failures are handled, the others end the request.
            failed = served.failed && self.random.chance(600);
            if failed {
                break;
            }
        }
        if inbound.parent.is_empty() {
            now = self.middleware(&server, now);
        }
        let broken_here = !failed && self.random.chance(6);
        let end = now + self.random.duration_ns(80);
        let mut span = self.entry_span(&inbound, operation, failed || broken_here);
        span.span_id = server.span_id;
        span.start_time_unix_nano = start;
        span.end_time_unix_nano = end;
        if broken_here {
            self.exception(service.language, end, &mut span);
        }
        span.parent_span_id = inbound.parent;
        span.links = inbound.links;
        self.finish(server.pod, Scope::Inbound, span);
        Served { end, failed: failed || broken_here }
    }

    /// What a framework adds around a handler that did very little.
    fn middleware(&mut self, server: &Server, mut now: u64) -> u64 {
        while self.made.len() < TRACE_SPANS_MIN - 1 {
            now = self.work("middleware - compression", 40, server, now).end;
        }
        now
    }

    fn entry_span(&mut self, inbound: &Inbound, operation: &Operation, failed: bool) -> Span {
        let name = SERVICES[inbound.service].name;
        let public = inbound.path.is_none();
        let kind = match operation.entry {
            Entry::Message { .. } => SpanKind::Consumer,
            Entry::Http { .. } | Entry::Rpc { .. } => SpanKind::Server,
        };
        let (name, attributes) = match operation.entry {
            Entry::Http { method, route } => {
                let exchange = Exchange {
                    method,
                    route,
                    path: match &inbound.path {
                        Some(path) => path.clone(),
                        None => attributes::path(route, self.random),
                    },
                    server: if public { "www.shop.example".to_owned() } else { host(name) },
                    status: self.http_status(method, failed),
                    public,
                };
                (format!("{method} {route}"), attributes::http_server(&exchange, self.random))
            }
            Entry::Rpc { service, method } => {
                let status = if failed { 13 } else { 0 };
                let attributes = attributes::rpc(service, method, &host(name), status, self.random);
                (format!("{service}/{method}"), attributes)
            }
            Entry::Message { topic } => {
                let mut attributes = attributes::messaging(topic, "process", self.random);
                attributes.push(text("messaging.consumer.group.name", name));
                attributes.push(int("messaging.batch.message_count", inbound.links.len() as u64));
                (format!("process {topic}"), attributes)
            }
        };
        let flags = if inbound.parent.is_empty() { FLAGS_LOCAL } else { FLAGS_REMOTE };
        let mut span = Span { name, kind: kind.into(), attributes, flags, ..Span::default() };
        if failed {
            span.status = Some(error("").clone());
        }
        span
    }

    fn step(&mut self, step: Step, server: &Server, now: u64) -> Served {
        if self.budget < 2 {
            return Served { end: now, failed: false };
        }
        match step {
            Step::Call { service, operation } => self.call(service, operation, server, now),
            Step::Query(query) => self.query(&query, server, now),
            Step::QueryPerRow(query) => {
                let rows = self.random.between(2, 17);
                let mut served = Served { end: now, failed: false };
                for _ in 0..rows {
                    if self.budget < 2 {
                        break;
                    }
                    served = self.query(&query, server, served.end);
                }
                served
            }
            Step::Cache { command, key } => self.cache(command, key, server, now),
            Step::Publish { topic } => self.publish(topic, server, now),
            Step::Work { name, median_us } => self.work(name, median_us, server, now),
        }
    }

    fn call(
        &mut self,
        callee: &'static str,
        operation: usize,
        server: &Server,
        now: u64,
    ) -> Served {
        let Some(service) = position(callee) else {
            return Served { end: now, failed: false };
        };
        self.budget -= 1;
        let entry = SERVICES[service].operations[operation].entry;
        let span_id = self.random.span_id();
        let path = match entry {
            Entry::Http { route, .. } => attributes::path(route, self.random),
            Entry::Rpc { .. } | Entry::Message { .. } => String::new(),
        };
        let arrives = now + self.random.duration_ns(250);
        let inbound = Inbound {
            service,
            operation,
            parent: span_id.clone(),
            path: Some(path.clone()),
            links: Vec::new(),
        };
        let served = self.serve(inbound, arrives);
        let end = served.end + self.random.duration_ns(250);
        let (name, attributes) = match entry {
            Entry::Http { method, route } => {
                let status = self.http_status(method, served.failed);
                let exchange =
                    Exchange { method, route, path, server: host(callee), status, public: false };
                (method.to_owned(), attributes::http_client(&exchange, self.random))
            }
            Entry::Rpc { service, method } => {
                let status = if served.failed { 13 } else { 0 };
                let attributes =
                    attributes::rpc(service, method, &host(callee), status, self.random);
                (format!("{service}/{method}"), attributes)
            }
            Entry::Message { topic } => (topic.to_owned(), Vec::new()),
        };
        let mut span = self.inner(name, SpanKind::Client, attributes, server, now..end);
        span.span_id = span_id;
        if served.failed {
            span.attributes.push(text("error.type", "500"));
            span.status = Some(error("upstream request failed"));
        }
        self.finish(server.pod, Scope::Outbound, span);
        Served { end, failed: served.failed }
    }

    fn query(&mut self, query: &Query, server: &Server, now: u64) -> Served {
        self.budget -= 1;
        let end = now + self.random.duration_ns(1_400);
        let attributes = attributes::database(query, SERVICES[server.service].name, self.random);
        let name = format!("{} {}", query.operation, query.table);
        let mut span = self.inner(name, SpanKind::Client, attributes, server, now..end);
        let failed = self.random.chance(3);
        if failed {
            self.exception(SERVICES[server.service].language, end, &mut span);
        }
        self.finish(server.pod, Scope::Database, span);
        Served { end, failed }
    }

    fn cache(&mut self, command: &str, key: &str, server: &Server, now: u64) -> Served {
        self.budget -= 1;
        let end = now + self.random.duration_ns(320);
        let attributes =
            attributes::cache(command, key, SERVICES[server.service].name, self.random);
        let span = self.inner(command.to_owned(), SpanKind::Client, attributes, server, now..end);
        self.finish(server.pod, Scope::Database, span);
        Served { end, failed: false }
    }

    fn publish(&mut self, topic: &'static str, server: &Server, now: u64) -> Served {
        self.budget -= 1;
        let end = now + self.random.duration_ns(900);
        let attributes = attributes::messaging(topic, "send", self.random);
        let name = format!("send {topic}");
        let span = self.inner(name, SpanKind::Producer, attributes, server, now..end);
        self.shop.queues.entry(topic).or_default().push(Link {
            trace_id: self.trace_id.clone(),
            span_id: span.span_id.clone(),
            trace_state: self.trace_state.clone(),
            attributes: vec![text("messaging.message.id", self.random.uuid())],
            flags: FLAGS_REMOTE,
            ..Link::default()
        });
        self.finish(server.pod, Scope::Outbound, span);
        Served { end, failed: false }
    }

    fn work(&mut self, name: &str, median_us: u64, server: &Server, now: u64) -> Served {
        self.budget = self.budget.saturating_sub(1);
        let end = now + self.random.duration_ns(median_us);
        let attributes = attributes::work(SERVICES[server.service].name, name, self.random);
        let mut span =
            self.inner(name.to_owned(), SpanKind::Internal, attributes, server, now..end);
        if self.random.chance(80) {
            span.events.push(Event {
                time_unix_nano: now + (end - now) / 2,
                name: "cache.miss".to_owned(),
                attributes: vec![text("app.key", format!("{:016x}", self.random.bits()))],
                ..Event::default()
            });
        }
        let failed = self.random.chance(4);
        if failed {
            self.exception(SERVICES[server.service].language, end, &mut span);
        }
        self.finish(server.pod, Scope::Inbound, span);
        Served { end, failed }
    }

    /// A span beneath the one being served.
    fn inner(
        &mut self,
        name: String,
        kind: SpanKind,
        attributes: Vec<KeyValue>,
        server: &Server,
        time: std::ops::Range<u64>,
    ) -> Span {
        Span {
            name,
            kind: kind.into(),
            attributes,
            span_id: self.random.span_id(),
            parent_span_id: server.span_id.clone(),
            start_time_unix_nano: time.start,
            end_time_unix_nano: time.end,
            flags: FLAGS_LOCAL,
            ..Span::default()
        }
    }

    fn finish(&mut self, pod: usize, scope: Scope, mut span: Span) {
        let language = self.shop.languages[pod];
        span.trace_id = self.trace_id.clone();
        span.trace_state = self.trace_state.clone();
        span.attributes.extend(attributes::thread(language, self.random));
        self.made.push(Made { pod, scope, span });
    }

    fn http_status(&mut self, method: &str, failed: bool) -> u64 {
        match (failed, method) {
            (true, _) => *self.random.pick(&[500, 502, 503]),
            (false, "POST") => 201,
            (false, _) if self.random.chance(15) => 404,
            (false, _) => 200,
        }
    }

    fn exception(&mut self, language: Language, time_unix_nano: u64, span: &mut Span) {
        let (kind, message, frame) = match language {
            Language::Java => (
                "java.sql.SQLTransientConnectionException",
                "HikariPool-1 - Connection is not available, request timed out after 30000ms",
                "\n\tat shop.internal.persistence.JdbcRepository.findById(JdbcRepository.java:",
            ),
            Language::Python => (
                "TimeoutError",
                "[Errno 110] Connection timed out",
                "\n  File \"/srv/app/internal/handlers.py\", in handle, line (",
            ),
            Language::Node => (
                "ECONNREFUSED",
                "connect ECONNREFUSED 10.64.3.17:8080",
                "\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:",
            ),
            Language::DotNet => (
                "System.InvalidOperationException",
                "Sequence contains no elements",
                "\n   at Shop.Internal.Handlers.Handler.HandleAsync() in /src/Handler.cs:line (",
            ),
            Language::Go | Language::Rust => (
                "*errors.errorString",
                "context deadline exceeded",
                "\n\tshop/internal/handler.go:(",
            ),
        };
        let mut stacktrace = format!("{kind}: {message}");
        for _ in 0..self.random.between(4, 11) {
            stacktrace.push_str(frame);
            stacktrace.push_str(&self.random.between(10, 900).to_string());
            stacktrace.push(')');
        }
        span.attributes.push(text("error.type", kind));
        span.status = Some(error(message));
        span.events.push(Event {
            time_unix_nano,
            name: "exception".to_owned(),
            attributes: vec![
                text("exception.type", kind),
                text("exception.message", message),
                text("exception.stacktrace", stacktrace),
            ],
            ..Event::default()
        });
    }
}

fn error(message: &str) -> Status {
    Status { message: message.to_owned(), code: StatusCode::Error.into() }
}

/// The name of a service inside the cluster.
fn host(service: &str) -> String {
    format!("{service}.shop.svc.cluster.local")
}
