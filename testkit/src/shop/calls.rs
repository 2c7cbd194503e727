//! Calls between services of the shop: client span, the way, server span, the way back.
//!
//! ```text
//! client ──┬─ send ──────────────────────── receive ─┤     a client that gives up ends before, or without, the answer
//!          └► way ► server ─ body ─ respond ┘              a server that ends late has answered before
//! ```

use super::attributes::{Exchange, external, grpc, http_client, http_server, public};
use super::cast::Service;
use super::dialect::Dialect;
use super::plan::{Action, At, MessageKey, Outcome, Planner, SpanKey};
use super::resource::Scope;
use crate::proto::common::v1::KeyValue;
use crate::proto::trace::v1::span::SpanKind;
use crate::traffic::attributes::path;

/// From the start of a client span until its context is injected.
const INJECT_NS: i64 = 15_000;
/// From the arrival of an answer until the client span ends, and until the caller goes on.
const RETURN_NS: i64 = 8_000;
/// From the end of a server span until the answer is written.
const RESPOND_NS: i64 = 4_000;
/// So many servers of a thousand end their span after they have answered, and so much later at most.
const LATE_PER_MILLE: u64 = 100;
const LATE_US_MAX: u64 = 90;
/// How long it takes to learn that nobody listens.
const REFUSED_US: u64 = 600;

/// A call that is to be made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) to: Service,
    pub(super) method: &'static str,
    /// Route of HTTP, or method of gRPC.
    pub(super) route: &'static str,
    pub(super) query: String,
    /// Which of the service's instances; any of them if it does not matter.
    pub(super) nth: Option<usize>,
    pub(super) is_plaintext: bool,
    pub(super) response_bytes: u64,
    pub(super) resend_count: u64,
    /// When the client gives up.
    pub(super) timeout_ns: Option<i64>,
    /// The answer gets lost on the way.
    pub(super) loses_answer: bool,
    /// The callee makes nothing of the context it gets.
    pub(super) starts_trace: bool,
}

impl Call {
    pub(super) fn new(to: Service, method: &'static str, route: &'static str) -> Self {
        Self {
            to,
            method,
            route,
            query: String::new(),
            nth: None,
            is_plaintext: false,
            response_bytes: 0,
            resend_count: 0,
            timeout_ns: None,
            loses_answer: false,
            starts_trace: false,
        }
    }

    /// A call of a procedure by gRPC.
    pub(super) fn rpc(to: Service, method: &'static str) -> Self {
        Self::new(to, "POST", method)
    }
}

/// How a message reached a server.
struct Arrival {
    at_ns: i64,
    message: MessageKey,
    parent_id: Vec<u8>,
    starts_trace: bool,
}

impl Planner<'_> {
    /// A request from outside, served by the storefront.
    pub(super) fn root(
        &mut self,
        at_ns: i64,
        method: &'static str,
        route: &'static str,
        body: impl FnOnce(&mut Self, &mut At) -> Outcome,
    ) {
        let call = Call::new(Service::Storefront, method, route);
        let mut exchange = self.exchange(&call);
        let instance = self.pick(call.to, None);
        let span = self.open(instance, None, SpanKind::Server, Scope::Inbound, at_ns);
        let mut at = At { span, instance, now_ns: at_ns };
        at.now_ns += self.took_ns(150);
        let outcome = body(self, &mut at);
        self.work(&mut at, "render", 5_000);
        exchange.status = outcome.status;
        let attributes = public(&exchange, self.random);
        let end_ns = at.now_ns + self.took_ns(60);
        self.finish(span, end_ns, format!("{method} {route}"), attributes, outcome);
    }

    /// Calls another service, which does what `body` says.
    pub(super) fn call(
        &mut self,
        at: &mut At,
        call: &Call,
        body: impl FnOnce(&mut Self, &mut At) -> Outcome,
    ) -> Outcome {
        let mut exchange = self.exchange(call);
        let mut callee = self.pick(call.to, call.nth);
        if self.world.is_dead(callee, at.now_ns) {
            self.refused(at, &exchange, callee);
            exchange.resend_count += 1;
            callee = self.world.instances_of(call.to).start;
        }
        let start_ns = at.now_ns + self.took_ns(10);
        let client =
            self.open(at.instance, Some(at.span), SpanKind::Client, Scope::Outbound, start_ns);
        let is_proxied = call.to == Service::Pricing;
        let message = self.send(client, start_ns + INJECT_NS, is_proxied);
        let arrival = Arrival {
            at_ns: start_ns + INJECT_NS + self.world.way_ns(at.instance, callee, self.random),
            message,
            parent_id: self.span_id(client),
            starts_trace: call.starts_trace,
        };
        let way_back_ns = self.world.way_ns(callee, at.instance, self.random);
        let (outcome, responded_ns) = self.serve(callee, arrival, at.instance, &mut exchange, body);
        let returned_ns = responded_ns + way_back_ns;
        let gives_up_ns = call.timeout_ns.map(|after_ns| start_ns + after_ns);
        let gives_up_ns = gives_up_ns.filter(|at_ns| call.loses_answer || returned_ns > *at_ns);
        let (response, outcome) = match gives_up_ns {
            Some(_) => (None, Outcome::failed(0, "timeout", "no answer within the deadline")),
            None => (Some(self.message()), outcome),
        };
        let stripped = is_proxied;
        let respond = Action::Respond { instance: callee, message: response, stripped };
        self.plan.actions.push((responded_ns, respond));
        if let Some(message) = response {
            self.plan.actions.push((returned_ns, Action::Receive { span: client, message }));
        }
        exchange.status = outcome.status;
        let end_ns = gives_up_ns.unwrap_or(returned_ns + RETURN_NS);
        self.finish_client(client, end_ns, &exchange, callee, outcome);
        at.now_ns = end_ns + RETURN_NS;
        outcome
    }

    /// Gives how it went, and when the answer was written.
    fn serve(
        &mut self,
        instance: usize,
        arrival: Arrival,
        caller: usize,
        exchange: &mut Exchange,
        body: impl FnOnce(&mut Self, &mut At) -> Outcome,
    ) -> (Outcome, i64) {
        let own_trace = arrival.starts_trace.then(|| self.random.trace_id());
        let trace_id = own_trace.unwrap_or_else(|| self.trace_id.clone());
        let outer = std::mem::replace(&mut self.trace_id, trace_id);
        let span = self.open(instance, None, SpanKind::Server, Scope::Inbound, arrival.at_ns);
        if !arrival.starts_trace {
            self.received(span, arrival.message, arrival.parent_id);
        }
        let mut at = At { span, instance, now_ns: arrival.at_ns };
        at.now_ns += self.took_ns(40);
        let outcome = body(self, &mut at);
        exchange.status = outcome.status;
        let caller = self.instance(caller).address.clone();
        let (name, attributes) = self.server_attributes(exchange, &caller, instance);
        let is_late = self.random.chance(LATE_PER_MILLE);
        let late_ns = (20 + self.random.between(0, LATE_US_MAX)).cast_signed() * 1_000;
        let done_ns = at.now_ns + self.took_ns(30);
        let end_ns = if is_late { done_ns + RESPOND_NS + late_ns } else { done_ns };
        self.finish(span, end_ns, name, attributes, outcome);
        self.trace_id = outer;
        (outcome, done_ns + RESPOND_NS)
    }

    fn server_attributes(
        &mut self,
        exchange: &Exchange,
        caller: &str,
        instance: usize,
    ) -> (String, Vec<KeyValue>) {
        match exchange.server.line().grpc {
            Some(service) => {
                (format!("{service}/{}", exchange.route), grpc(exchange, service, None))
            }
            None => {
                let version = self.http_version(instance);
                let attributes = http_server(exchange, version, caller, self.random);
                (format!("{} {}", exchange.method, exchange.route), attributes)
            }
        }
    }

    fn finish_client(
        &mut self,
        client: SpanKey,
        end_ns: i64,
        exchange: &Exchange,
        callee: usize,
        outcome: Outcome,
    ) {
        let peer = Some(self.instance(callee));
        let (name, attributes) = match exchange.server.line().grpc {
            Some(service) => {
                (format!("{service}/{}", exchange.route), grpc(exchange, service, peer))
            }
            None => {
                let version = self.http_version(callee);
                let name = format!("{} {}", exchange.method, exchange.route);
                (name, http_client(exchange, version, peer))
            }
        };
        if outcome.status == 0
            && let Some((kind, message)) = outcome.error
        {
            self.exception(client, end_ns, kind, message);
        }
        self.finish(client, end_ns, name, attributes, outcome);
    }

    /// An attempt to reach somebody who is not there any more.
    fn refused(&mut self, at: &mut At, exchange: &Exchange, callee: usize) {
        let start_ns = at.now_ns + self.took_ns(10);
        let client =
            self.open(at.instance, Some(at.span), SpanKind::Client, Scope::Outbound, start_ns);
        let inject = Action::Send { span: client, message: None, stripped: false };
        self.plan.actions.push((start_ns + INJECT_NS, inject));
        let end_ns = start_ns + self.took_ns(REFUSED_US);
        let outcome = Outcome::failed(0, "ECONNREFUSED", "connect ECONNREFUSED");
        self.finish_client(client, end_ns, exchange, callee, outcome);
        self.sightings.see(super::fault::Fault::DeadEndpoint, &self.trace_id);
        at.now_ns = end_ns + RETURN_NS;
    }

    /// Calls a service that is somebody else's: only the client span is seen.
    pub(super) fn external(
        &mut self,
        at: &mut At,
        host: &str,
        template: &'static str,
        median_us: u64,
        outcome: Outcome,
    ) -> Outcome {
        let start_ns = at.now_ns + self.took_ns(10);
        let client =
            self.open(at.instance, Some(at.span), SpanKind::Client, Scope::Outbound, start_ns);
        let inject = Action::Send { span: client, message: None, stripped: false };
        self.plan.actions.push((start_ns + INJECT_NS, inject));
        let end_ns = start_ns + INJECT_NS + self.took_ns(median_us);
        let attributes = external(host, template, outcome.status);
        self.finish(client, end_ns, format!("POST {template}"), attributes, outcome);
        at.now_ns = end_ns + RETURN_NS;
        outcome
    }

    /// An instance of a service; what is wrong with it is on record from here.
    fn pick(&mut self, service: Service, nth: Option<usize>) -> usize {
        let instances = self.world.instances_of(service);
        let any = self.random.between(0, instances.len() as u64) as usize;
        let picked = instances.start + nth.unwrap_or(any).min(instances.len() - 1);
        let world = self.world;
        for fault in &world.instance(picked).faults {
            self.sightings.see(*fault, &self.trace_id);
        }
        picked
    }

    fn exchange(&mut self, call: &Call) -> Exchange {
        let ordinary_bytes = self.random.between(180, 14_000);
        Exchange {
            method: call.method,
            route: call.route,
            path: path(call.route, self.random),
            query: call.query.clone(),
            server: call.to,
            status: 0,
            is_plaintext: call.is_plaintext,
            request_bytes: if call.method == "GET" { 0 } else { self.random.between(60, 2_000) },
            response_bytes: call.response_bytes.max(ordinary_bytes),
            resend_count: call.resend_count,
        }
    }

    fn http_version(&self, server: usize) -> &'static str {
        match self.instance(server).dialect {
            Dialect::Old => "1.1",
            Dialect::New => "2",
        }
    }
}
