//! Topics of the shop: what was published and not consumed yet, and when somebody looks next.

use std::collections::VecDeque;

use super::plan::MessageKey;

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// Read by the worker in batches, each of them a trace of its own.
    OrdersConfirmed,
    /// Read by the worker one by one, within the producer's trace.
    PaymentsSettled,
}

/// A message that waits.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    pub(super) message: MessageKey,
    pub(super) trace_id: Vec<u8>,
    pub(super) producer_id: Vec<u8>,
    /// `messaging.message.id`.
    pub(super) id: String,
    /// From when on a consumer may get it.
    pub(super) ready_ns: i64,
    pub(super) is_redelivered: bool,
}

#[derive(Debug, Default)]
pub(super) struct Queues {
    confirmed: VecDeque<Queued>,
    settled: VecDeque<Queued>,
    /// When consumers look, and at what; taken by the shop after each plan.
    pub(super) looks: Vec<(i64, Topic)>,
}

impl Topic {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OrdersConfirmed => "orders.confirmed",
            Self::PaymentsSettled => "payments.settled",
        }
    }
}

impl Queues {
    /// Adds a message, and makes sure that somebody looks at that time or later.
    pub(super) fn push(&mut self, topic: Topic, queued: Queued, look_ns: i64) {
        self.looks.push((look_ns, topic));
        self.of(topic).push_back(queued);
    }

    /// Takes what a consumer finds at a time, at most so many.
    pub(super) fn take(&mut self, topic: Topic, now_ns: i64, messages_max: usize) -> Vec<Queued> {
        let queue = self.of(topic);
        let (mut taken, mut left) = (Vec::new(), VecDeque::new());
        while let Some(queued) = queue.pop_front() {
            if queued.ready_ns <= now_ns && taken.len() < messages_max {
                taken.push(queued);
            } else {
                left.push_back(queued);
            }
        }
        *queue = left;
        taken
    }

    fn of(&mut self, topic: Topic) -> &mut VecDeque<Queued> {
        match topic {
            Topic::OrdersConfirmed => &mut self.confirmed,
            Topic::PaymentsSettled => &mut self.settled,
        }
    }
}
