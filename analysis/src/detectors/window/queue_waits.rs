//! `queue_wait` over windows: consumers in traces of their own, matched with their producers by links.
//!
//! The same as within one trace, for consumers that begin traces of their own, as those that take messages in batches
//! do.
//!
//! | | |
//! |---|---|
//! | fires when | the median wait of at least 10 messages of a destination, from the end of the producer to the start of the consumer of another trace that links to it, is at least 5 times the median work and at least 100 ms |
//! | not when | producer and consumer are of one trace: that is [`QueueWait`](crate::detectors::QueueWait) |
//! | severity | medium |
//! | wrong if | the clocks of producer and consumer are off by that much; messages were scheduled for later |

use std::collections::{BTreeMap, VecDeque};

use causeway_model::trace::{Flags, Kind};
use hashbrown::HashMap;

use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject};

/// Producers that are remembered for consumers to come, and links that wait for their producer, each; about 100 bytes
/// each. The oldest are forgotten.
const SEEN_MAX: usize = 100_000;
/// Links of one consumer that are looked at.
const LINKS_MAX: usize = 1_000;
/// Waits of a destination that are kept for the median.
const WAITS_MAX: usize = 10_000;
/// Destinations at most.
const DESTINATIONS_MAX: usize = 1_000;

/// Thresholds of [`QueueWaits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueWaitsSettings {
    /// How many times as long as the work the median message waits at least, 5.
    pub work_times_min: i64,
    /// And how long at least, 100 ms.
    pub wait_ns_min: i64,
    /// Messages at least, 10.
    pub messages_min: usize,
}

impl Default for QueueWaitsSettings {
    fn default() -> Self {
        Self { work_times_min: 5, wait_ns_min: 100_000_000, messages_min: 10 }
    }
}

/// A producer, by trace and span id.
type ProducerId = ([u8; 16], u64);

/// A consumer that links to a producer.
#[derive(Debug, Clone)]
struct Taken {
    service: String,
    destination: String,
    start_ns: i64,
    work_ns: i64,
    example: Examples,
}

#[derive(Debug, Default)]
struct Destination {
    wait_ns: Vec<i64>,
    work_ns: Vec<i64>,
    seen: Examples,
}

/// Waits by consumer service and destination.
#[derive(Debug)]
pub struct QueueWaits {
    settings: QueueWaitsSettings,
    /// Ends of producers.
    sent: HashMap<ProducerId, i64>,
    sent_order: VecDeque<ProducerId>,
    /// Consumers whose producer has not come yet.
    waiting: HashMap<ProducerId, Vec<Taken>>,
    waiting_order: VecDeque<ProducerId>,
    destinations: BTreeMap<(String, String), Destination>,
    left_out: u64,
}

impl QueueWaits {
    /// Nothing seen yet.
    pub fn new(settings: QueueWaitsSettings) -> Self {
        Self {
            settings,
            sent: HashMap::new(),
            sent_order: VecDeque::new(),
            waiting: HashMap::new(),
            waiting_order: VecDeque::new(),
            destinations: BTreeMap::new(),
            left_out: 0,
        }
    }

    fn sent(&mut self, id: ProducerId, end_ns: i64) {
        if self.sent.insert(id, end_ns).is_none() {
            self.sent_order.push_back(id);
        }
        if self.sent_order.len() > SEEN_MAX {
            self.left_out += 1;
            self.sent_order.pop_front().and_then(|oldest| self.sent.remove(&oldest));
        }
        for taken in self.waiting.remove(&id).unwrap_or_default() {
            self.waited(taken, end_ns);
        }
    }

    fn taken(&mut self, id: ProducerId, taken: Taken) {
        if let Some(end_ns) = self.sent.get(&id).copied() {
            self.waited(taken, end_ns);
            return;
        }
        self.waiting.entry(id).or_default().push(taken);
        self.waiting_order.push_back(id);
        if self.waiting_order.len() > SEEN_MAX
            && let Some(oldest) = self.waiting_order.pop_front()
            && self.waiting.remove(&oldest).is_some()
        {
            self.left_out += 1;
        }
    }

    fn waited(&mut self, taken: Taken, sent_ns: i64) {
        let key = (taken.service, taken.destination);
        if self.destinations.len() >= DESTINATIONS_MAX && !self.destinations.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let of = self.destinations.entry(key).or_default();
        of.seen.merge(&taken.example);
        if of.wait_ns.len() >= WAITS_MAX {
            self.left_out += 1;
            return;
        }
        of.wait_ns.push(taken.start_ns.saturating_sub(sent_ns).max(0));
        of.work_ns.push(taken.work_ns);
    }
}

impl WindowDetector for QueueWaits {
    fn rule(&self) -> Rule {
        Rule {
            id: "queue_wait",
            rule_version: 1,
            fallacy: Fallacy::Queues,
            summary: "Messages that wait far longer than their work takes.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        let Some(trace_id) = trace.trace_id() else { return };
        for row in trace.rows().filter(|row| !trace.flags(*row).contains(Flags::NO_TIME)) {
            match trace.kind(row) {
                Kind::Producer => self.sent((trace_id.0, trace.span_id(row)), trace.end_ns(row)),
                Kind::Consumer => {
                    let links = trace.links(row).take(LINKS_MAX);
                    let links = links.filter_map(|link| {
                        let id: [u8; 16] = link.trace_id.try_into().ok()?;
                        (id != trace_id.0).then_some((id, link.span_id))
                    });
                    let destination =
                        subject.call(row).map_or(trace.name_text(row), |call| &call.target);
                    for id in links {
                        let mut example = Examples::default();
                        example.see(subject, row);
                        let taken = Taken {
                            service: trace.service_text(row).to_owned(),
                            destination: destination.to_owned(),
                            start_ns: trace.start_ns(row),
                            work_ns: trace.duration_ns(row),
                            example,
                        };
                        self.taken(id, taken);
                    }
                }
                _ => {}
            }
        }
    }

    fn finish(&self) -> Vec<Finding> {
        let long = self.destinations.iter().filter_map(|(key, of)| {
            let (wait_ns, work_ns) = (median(&of.wait_ns), median(&of.work_ns));
            let is_long = of.wait_ns.len() >= self.settings.messages_min
                && wait_ns >= self.settings.wait_ns_min
                && wait_ns >= work_ns.saturating_mul(self.settings.work_times_min);
            is_long.then(|| self.report(key, of, wait_ns, work_ns))
        });
        long.collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

fn median(values: &[i64]) -> i64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

impl QueueWaits {
    fn report(
        &self,
        (service, destination): &(String, String),
        of: &Destination,
        wait_ns: i64,
        work_ns: i64,
    ) -> Finding {
        let ms = |ns: i64| ns / 1_000_000;
        let title = format!(
            "{service} takes messages of {destination} after {} ms for {} ms of work",
            ms(wait_ns),
            ms(work_ns),
        );
        let evidence = evidence(
            title.clone(),
            "What comes out of the queue is late by that much, however fast the work is.",
            "Look more often or let the broker push; add consumers or partitions if they are busy."
                .to_owned(),
            "The clocks of producer and consumer are off by that much, or messages were scheduled.",
            [
                ("wait_ns_median", wait_ns.into()),
                ("work_ns_median", work_ns.into()),
                ("messages", of.wait_ns.len().into()),
            ],
        );
        let draft = WindowDraft {
            title,
            group: vec![service, destination],
            entry: ("", ""),
            edge: ("", service),
            severity: Severity::Medium,
            examples: &of.seen,
            wasted_ns: of.wait_ns.iter().fold(0, |sum, ns| sum.saturating_add(*ns)),
            evidence,
        };
        draft.finding(self.rule())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn take(waits: &mut QueueWaits, nth: u64, wait_ms: i64, producer_first: bool) {
        let id = ([1; 16], nth);
        let taken = Taken {
            service: "w".to_owned(),
            destination: "orders".to_owned(),
            start_ns: wait_ms * MS,
            work_ns: 40 * MS,
            example: Examples::default(),
        };
        if producer_first {
            waits.sent(id, 0);
            waits.taken(id, taken);
        } else {
            waits.taken(id, taken);
            waits.sent(id, 0);
        }
    }

    fn found(messages: u64, wait_ms: i64) -> usize {
        let mut waits = QueueWaits::new(QueueWaitsSettings::default());
        (0..messages).for_each(|nth| take(&mut waits, nth, wait_ms, nth % 2 == 0));
        waits.finish().len()
    }

    #[test]
    fn long_waits_are_found_whoever_comes_first() {
        assert_eq!(found(10, 200), 1);
        assert_eq!(found(9, 200), 0);
        assert_eq!(found(10, 199), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut waits = QueueWaits::new(QueueWaitsSettings::default());
        for nth in 0..SEEN_MAX as u64 + 5 {
            waits.sent(([0; 16], nth), 1);
        }
        assert_eq!((waits.sent.len(), waits.left_out()), (SEEN_MAX, 5));
    }
}
