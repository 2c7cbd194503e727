//! Behind the queues: the worker confirms orders in batches and books payments one by one.

use super::super::attributes::{Sql, messaging};
use super::super::calls::Call;
use super::super::cast::Service;
use super::super::plan::{At, Outcome, Planner};
use super::super::queue::Queued;
use super::super::queue::Topic;
use super::super::resource::Scope;
use crate::proto::common::v1::KeyValue;
use crate::proto::trace::v1::span::{Link, SpanKind};
use crate::traffic::attributes::{int, text};

const LEDGER: Sql = Sql::new(
    "INSERT",
    "ledger",
    "INSERT INTO ledger (payment_id, account, amount_minor, booked_at) VALUES ($1, $2, $3, now())",
);

const PAID: Sql =
    Sql::new("UPDATE", "orders", "UPDATE orders SET state = 'paid', paid_at = now() WHERE id = $1");

impl Planner<'_> {
    /// Confirms orders: a trace of its own, linked to all that published.
    pub(in super::super) fn confirms(&mut self, at_ns: i64, batch: &[Queued]) {
        let mut at = self.consumer(at_ns);
        let count = batch.len() as u64;
        if let Some(planned) = self.planned_mut(at.span) {
            planned.links = batch.iter().map(|queued| (queued.message, link(queued))).collect();
        }
        self.work(&mut at, "compose mails", 14_000);
        self.external(&mut at, "api.mail.example", "/v3/send", 24_000, Outcome::OK);
        let mut attributes = processes(Topic::OrdersConfirmed);
        attributes.push(int("messaging.batch.message_count", count));
        self.ends(at, Topic::OrdersConfirmed, attributes);
    }

    /// Books a payment, in the trace that settled it.
    pub(in super::super) fn books(&mut self, at_ns: i64, queued: &Queued) {
        let mut at = self.consumer(at_ns);
        self.received(at.span, queued.message, queued.producer_id.clone());
        if let Some(planned) = self.planned_mut(at.span) {
            planned.links = vec![(queued.message, link(queued))];
        }
        self.query(&mut at, &LEDGER, 6_500);
        self.work(&mut at, "balance", 3_000);
        let call = Call::new(Service::Checkout, "POST", "/orders/{id}/paid");
        self.call(&mut at, &call, |p, at| {
            p.query(at, &PAID, 3_500);
            Outcome::OK
        });
        let mut attributes = processes(Topic::PaymentsSettled);
        attributes.push(text("messaging.message.id", queued.id.clone()));
        let deliveries = if queued.is_redelivered { 2 } else { 1 };
        attributes.push(int("messaging.message.delivery_count", deliveries));
        self.ends(at, Topic::PaymentsSettled, attributes);
    }

    fn consumer(&mut self, at_ns: i64) -> At {
        let instances = self.world.instances_of(Service::Worker);
        let instance = instances.start + self.random.between(0, instances.len() as u64) as usize;
        let span = self.open(instance, None, SpanKind::Consumer, Scope::Messaging, at_ns);
        At { span, instance, now_ns: at_ns + self.took_ns(40) }
    }

    fn ends(&mut self, at: At, topic: Topic, attributes: Vec<KeyValue>) {
        let end_ns = at.now_ns + self.took_ns(30);
        self.finish(at.span, end_ns, format!("process {}", topic.name()), attributes, Outcome::OK);
    }
}

fn processes(topic: Topic) -> Vec<KeyValue> {
    let mut attributes = messaging(topic.name(), "process", "process");
    attributes.push(text("messaging.consumer.group.name", "worker"));
    attributes
}

fn link(queued: &Queued) -> Link {
    Link {
        trace_id: queued.trace_id.clone(),
        span_id: queued.producer_id.clone(),
        attributes: vec![text("messaging.message.id", queued.id.clone())],
        flags: 0x301,
        ..Link::default()
    }
}
