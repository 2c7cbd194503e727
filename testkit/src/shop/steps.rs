//! What a service does by itself to answer: statements, look-ups, work, and messages it publishes.

use super::attributes::{Sql, cache, messaging, search, sql};
use super::fault::Fault;
use super::plan::{At, Outcome, Planner, SpanKey};
use super::queue::{Queued, Topic};
use super::resource::Scope;
use crate::proto::common::v1::KeyValue;
use crate::proto::trace::v1::span::SpanKind;
use crate::traffic::attributes::{int, text};

/// From the end of one step to the start of the next.
const BETWEEN_US: u64 = 12;
/// How often the worker looks for confirmed orders where that is the fault, and how soon otherwise.
const LOOK_EVERY_NS: i64 = 4_000_000_000;
const DELIVERY_NS: i64 = 6_000_000;
/// After this long a message that nobody confirmed is delivered once more.
const REDELIVERY_NS: i64 = 2_500_000_000;

impl Planner<'_> {
    /// Runs a statement.
    pub(super) fn query(&mut self, at: &mut At, statement: &Sql, median_us: u64) {
        let took_ns = self.took_ns(median_us);
        self.query_for(at, statement, took_ns);
    }

    /// Runs a statement that takes this long.
    pub(super) fn query_for(&mut self, at: &mut At, statement: &Sql, took_ns: i64) {
        let attributes = sql(statement, self.instance(at.instance).service, self.random);
        let name = format!("{} {}", statement.operation, statement.table);
        self.leaf(at, SpanKind::Client, Scope::Database, took_ns, (name, attributes));
    }

    /// Runs a statement that fails.
    pub(super) fn query_fails(&mut self, at: &mut At, statement: &Sql, outcome: Outcome) {
        let attributes = sql(statement, self.instance(at.instance).service, self.random);
        let name = format!("{} {}", statement.operation, statement.table);
        let took_ns = self.took_ns(900);
        let start_ns = at.now_ns + self.took_ns(BETWEEN_US);
        let span =
            self.open(at.instance, Some(at.span), SpanKind::Client, Scope::Database, start_ns);
        let end_ns = start_ns + took_ns;
        if let Some((kind, message)) = outcome.error {
            self.exception(span, end_ns - 5_000, kind, message);
        }
        self.finish(span, end_ns, name, attributes, outcome);
        at.now_ns = end_ns;
    }

    /// Asks a cache.
    pub(super) fn cache(&mut self, at: &mut At, command: &str, key: &str) {
        let attributes = cache(command, key, self.instance(at.instance).service, self.random);
        let took_ns = self.took_ns(450);
        let span = self.leaf(
            at,
            SpanKind::Client,
            Scope::Database,
            took_ns,
            (command.to_owned(), attributes),
        );
        if self.random.chance(120) {
            let size = int("app.cache.size", self.random.between(10, 900));
            self.event(
                span,
                at.now_ns - 20_000,
                "cache.miss",
                vec![text("app.cache.key", key), size],
            );
        }
    }

    /// Searches an index.
    pub(super) fn search_index(&mut self, at: &mut At, index: &str, median_us: u64) {
        let attributes = search(index, self.random);
        let took_ns = self.took_ns(median_us);
        let name = format!("search {index}");
        self.leaf(at, SpanKind::Client, Scope::Database, took_ns, (name, attributes));
    }

    /// Computes.
    pub(super) fn work(&mut self, at: &mut At, name: &str, median_us: u64) {
        let service = self.instance(at.instance).service.name();
        let attributes = vec![
            text("code.function.name", format!("shop.{service}.{name}")),
            text("app.tenant", *self.random.pick(&["eu-retail", "eu-business", "us-retail"])),
        ];
        let took_ns = self.took_ns(median_us);
        self.leaf(at, SpanKind::Internal, Scope::Own, took_ns, (name.to_owned(), attributes));
    }

    /// Publishes a message.
    pub(super) fn publish(&mut self, at: &mut At, topic: Topic) {
        let id = self.random.uuid();
        let mut attributes = messaging(topic.name(), "send", "send");
        attributes.push(text("messaging.message.id", id.clone()));
        attributes.push(int("messaging.message.body.size", self.random.between(200, 2_000)));
        let took_ns = self.took_ns(700);
        let name = format!("send {}", topic.name());
        let start_ns = at.now_ns + self.took_ns(BETWEEN_US);
        let span =
            self.open(at.instance, Some(at.span), SpanKind::Producer, Scope::Messaging, start_ns);
        let message = self.send(span, start_ns + 20_000, false);
        let end_ns = start_ns + took_ns;
        self.finish(span, end_ns, name, attributes, Outcome::OK);
        at.now_ns = end_ns;
        let queued = Queued {
            message,
            trace_id: self.trace_id.clone(),
            producer_id: self.span_id(span),
            id,
            ready_ns: end_ns,
            is_redelivered: false,
        };
        self.enqueue(topic, queued);
    }

    fn enqueue(&mut self, topic: Topic, queued: Queued) {
        let soon_ns = queued.ready_ns + DELIVERY_NS;
        match topic {
            Topic::OrdersConfirmed => {
                let waits = self.strikes(Fault::QueueWait);
                let origin_ns = self.world.settings.start_unix_ns;
                let looks = (queued.ready_ns - origin_ns) / LOOK_EVERY_NS;
                let next_ns = origin_ns + (looks + 1) * LOOK_EVERY_NS;
                self.queues.push(topic, queued, if waits { next_ns } else { soon_ns });
            }
            Topic::PaymentsSettled => {
                if self.strikes(Fault::DuplicateExecution) {
                    let ready_ns = queued.ready_ns + REDELIVERY_NS;
                    let again = Queued { ready_ns, is_redelivered: true, ..queued.clone() };
                    self.queues.push(topic, again, ready_ns + DELIVERY_NS);
                }
                self.queues.push(topic, queued, soon_ns);
            }
        }
    }

    /// A span without spans beneath it.
    fn leaf(
        &mut self,
        at: &mut At,
        kind: SpanKind,
        scope: Scope,
        took_ns: i64,
        (name, attributes): (String, Vec<KeyValue>),
    ) -> SpanKey {
        let start_ns = at.now_ns + self.took_ns(BETWEEN_US);
        let span = self.open(at.instance, Some(at.span), kind, scope, start_ns);
        let end_ns = start_ns + took_ns;
        self.finish(span, end_ns, name, attributes, Outcome::OK);
        at.now_ns = end_ns;
        span
    }
}
