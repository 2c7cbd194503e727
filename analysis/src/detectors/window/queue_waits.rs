//! `queue_wait` over windows: consumers in traces of their own, matched with their producers by links.
//!
//! The same as within one trace, for consumers that begin traces of their own, as those that take messages in batches
//! do.
//!
//! | | |
//! |---|---|
//! | fires when | the median wait of at least 10 messages of a destination, from the end of the producer to the start of the consumer of another trace that links to it, is at least 5 times the median work and at least 100 ms; or waits grow over the window: the median rises from each quarter of the time between the first and the last message of two processes to the next, together at least to twice and by 100 ms, over at least a minute with 20 messages a quarter |
//! | not when | all messages between two processes wait alike: then it may be that their clocks are apart; a rise is no more than what two clocks may drift apart, or a burst; a process does not tell who it is (`service.instance.id`, `k8s.pod.name`, `host.name`), as then others may go by the same clock; producer and consumer are of one trace: that is [`QueueWait`](crate::detectors::QueueWait) |
//! | severity | medium |
//! | wrong if | messages were scheduled for later, or sent all at once to be worked off in time |
//!
//! Nothing need bound the clocks. No message is taken before it was sent, so each waited at least as much as it waited
//! longer than any other between the same two clocks, but for what these drifted apart in between.

use std::collections::{BTreeMap, VecDeque};

use causeway_clock::offsets::OffsetSettings;
use causeway_model::trace::{Flags, Kind, Row};
use hashbrown::HashMap;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::queue_growth::{Growth, growth};
use super::single_instance::IDENTITIES;
use super::{Examples, Rule, WindowDetector, WindowDraft};
use crate::detectors::evidence::evidence;
use crate::detectors::{Fallacy, Finding, Severity, Subject};

/// Producers that are remembered for consumers to come, and links that wait for their producer, each; about 100 bytes
/// each. The oldest are forgotten.
const SEEN_MAX: usize = 100_000;
/// Links of one consumer that are looked at.
const LINKS_MAX: usize = 1_000;
/// Messages of a destination whose waits are kept, 48 bytes each. Of more every second is kept, then every fourth, and so
/// on, by lot, so that they still tell of the whole window.
const WAITS_MAX: usize = 4_000;
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
    /// How many times as long as in the first quarter the median message waits in the last at least, for waits to grow, 2.
    pub growth_times_min: i64,
    /// And how much longer at least, 100 ms.
    pub growth_ns_min: i64,
    /// Messages between two processes in each quarter at least, 20.
    pub growth_messages_min: usize,
    /// From the first message to the last at least, 60 s.
    pub growth_over_ns_min: i64,
}

impl Default for QueueWaitsSettings {
    fn default() -> Self {
        Self {
            work_times_min: 5,
            wait_ns_min: 100_000_000,
            messages_min: 10,
            growth_times_min: 2,
            growth_ns_min: 100_000_000,
            growth_messages_min: 20,
            growth_over_ns_min: 60_000_000_000,
        }
    }
}

/// A producer, by trace and span id.
type ProducerId = ([u8; 16], u64);

/// A producer's end, by its own clock.
#[derive(Debug, Clone, Copy)]
struct Sent {
    process: u64,
    end_ns: i64,
}

/// A consumer that links to a producer.
#[derive(Debug, Clone)]
struct Taken {
    service: String,
    destination: String,
    process: u64,
    start_ns: i64,
    work_ns: i64,
    example: Examples,
}

/// A message that was taken. Its order is that of messages between the same two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wait {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) sent_ns: i64,
    /// By the clocks of both, so it may be anything.
    pub(super) wait_ns: i64,
    pub(super) work_ns: i64,
    /// The lot by which it is kept.
    pub(super) draw: u64,
}

impl Wait {
    fn is_kept(&self, halvings: u32) -> bool {
        self.draw.trailing_zeros() >= halvings
    }
}

#[derive(Debug, Default)]
struct Destination {
    waits: Vec<Wait>,
    /// How often the waits to keep were halved.
    halvings: u32,
    seen: Examples,
}

impl Destination {
    /// Adds the wait of a message, and gives how many are left out for it.
    fn add(&mut self, wait: Wait) -> u64 {
        if !wait.is_kept(self.halvings) {
            return 1;
        }
        self.waits.push(wait);
        let before = self.waits.len();
        while self.waits.len() > WAITS_MAX && self.halvings < u64::BITS {
            self.halvings += 1;
            self.waits.retain(|wait| wait.is_kept(self.halvings));
        }
        (before - self.waits.len()) as u64
    }
}

/// What the waits of a destination tell.
#[derive(Debug)]
struct Told {
    /// Median of what messages waited at least.
    wait_ns: i64,
    /// Median.
    work_ns: i64,
    /// What all messages waited together, at least.
    sum_ns: i64,
    is_long: bool,
    growth: Option<Growth>,
}

/// Waits by consumer service and destination.
#[derive(Debug)]
pub struct QueueWaits {
    settings: QueueWaitsSettings,
    /// Ends of producers.
    sent: HashMap<ProducerId, Sent>,
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

    fn sent(&mut self, id: ProducerId, sent: Sent) {
        if self.sent.insert(id, sent).is_none() {
            self.sent_order.push_back(id);
        }
        if self.sent_order.len() > SEEN_MAX {
            self.left_out += 1;
            self.sent_order.pop_front().and_then(|oldest| self.sent.remove(&oldest));
        }
        for taken in self.waiting.remove(&id).unwrap_or_default() {
            self.waited(id, taken, sent);
        }
    }

    fn taken(&mut self, id: ProducerId, taken: Taken) {
        if let Some(sent) = self.sent.get(&id).copied() {
            self.waited(id, taken, sent);
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

    fn waited(&mut self, (trace, span): ProducerId, taken: Taken, sent: Sent) {
        let key = (taken.service, taken.destination);
        if self.destinations.len() >= DESTINATIONS_MAX && !self.destinations.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let of = self.destinations.entry(key).or_default();
        of.seen.merge(&taken.example);
        self.left_out += of.add(Wait {
            from: sent.process,
            to: taken.process,
            sent_ns: sent.end_ns,
            wait_ns: taken.start_ns.saturating_sub(sent.end_ns),
            work_ns: taken.work_ns,
            draw: xxh3_64_with_seed(&trace, span),
        });
    }

    /// What a destination tells, if it is worth telling.
    fn told(&self, of: &Destination) -> Option<Told> {
        let mut waits = of.waits.clone();
        waits.sort_unstable();
        let least_ns = least_ns(&waits);
        let growth = growth(&waits, &least_ns, &self.settings);
        let kept_ns = least_ns.iter().copied().fold(0, i64::saturating_add);
        let wait_ns = median(least_ns);
        let work_ns = median(waits.iter().map(|wait| wait.work_ns).collect());
        let is_long = waits.len() >= self.settings.messages_min
            && wait_ns >= self.settings.wait_ns_min
            && wait_ns >= work_ns.saturating_mul(self.settings.work_times_min);
        let each_kept = 1i64.checked_shl(of.halvings).unwrap_or(i64::MAX);
        let sum_ns = kept_ns.saturating_mul(each_kept);
        (is_long || growth.is_some()).then_some(Told { wait_ns, work_ns, sum_ns, is_long, growth })
    }
}

impl WindowDetector for QueueWaits {
    fn rule(&self) -> Rule {
        Rule {
            id: "queue_wait",
            rule_version: 3,
            fallacy: Fallacy::Queues,
            summary: "Messages that wait far longer than their work takes, or longer and longer.",
        }
    }

    fn observe(&mut self, subject: &Subject<'_, '_>) {
        let trace = subject.trace;
        let Some(trace_id) = trace.trace_id() else { return };
        for row in trace.rows().filter(|row| !trace.flags(*row).contains(Flags::NO_TIME)) {
            match trace.kind(row) {
                Kind::Producer => {
                    let end_ns = trace.raw_start_ns(row).saturating_add(trace.raw_duration_ns(row));
                    if let Some(process) = process(subject, row) {
                        self.sent((trace_id.0, trace.span_id(row)), Sent { process, end_ns });
                    }
                }
                Kind::Consumer => {
                    let Some(process) = process(subject, row) else { continue };
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
                            process,
                            // Times of several traces are aligned to several clocks.
                            start_ns: trace.raw_start_ns(row),
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
        let told = self.destinations.iter().filter_map(|(key, of)| {
            let told = self.told(of)?;
            Some(self.report(key, of, &told))
        });
        told.collect()
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// The process a span is of: a hash of what its resource says. `None` where that does not tell replicas apart, as these
/// may have clocks of their own.
fn process(subject: &Subject<'_, '_>, row: Row) -> Option<u64> {
    IDENTITIES.into_iter().find_map(|key| subject.resource_text(row, key))?;
    let (rows, at) = subject.trace.source(row)?;
    Some(xxh3_64(rows.resource_attributes.get(at)?.as_bytes()))
}

/// How long each message waited at least, given in their order.
pub(super) fn least_ns(waits: &[Wait]) -> Vec<i64> {
    let mut least_ns = Vec::with_capacity(waits.len());
    for between in waits.chunk_by(|a, b| (a.from, a.to) == (b.from, b.to)) {
        let is_one_clock = between.first().is_some_and(|wait| wait.from == wait.to);
        if is_one_clock {
            least_ns.extend(between.iter().map(|wait| wait.wait_ns.max(0)));
            continue;
        }
        let since = shortest_ns(between.iter());
        let mut until = shortest_ns(between.iter().rev());
        until.reverse();
        let apart = since.into_iter().zip(until).map(|(since, until)| since.min(until));
        least_ns
            .extend(between.iter().zip(apart).map(|(wait, ns)| wait.wait_ns.saturating_sub(ns)));
    }
    least_ns
}

/// For each message the shortest wait up to it, and what its clocks may have drifted apart since. Clocks cannot be further
/// apart than that.
fn shortest_ns<'w>(waits: impl Iterator<Item = &'w Wait>) -> Vec<i64> {
    let settings = OffsetSettings::default();
    let mut before: Option<(i64, i64)> = None;
    let shortest = waits.map(|wait| {
        let carried = before.map_or(i64::MAX, |(sent_ns, shortest_ns)| {
            let passed_ns = wait.sent_ns.abs_diff(sent_ns);
            shortest_ns.saturating_add(settings.drift_over_ns(passed_ns))
        });
        let shortest_ns = carried.min(wait.wait_ns);
        before = Some((wait.sent_ns, shortest_ns));
        shortest_ns
    });
    shortest.collect()
}

pub(super) fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

impl QueueWaits {
    fn report(
        &self,
        (service, destination): &(String, String),
        of: &Destination,
        told: &Told,
    ) -> Finding {
        let ms = |ns: i64| ns / 1_000_000;
        let title = match told.growth {
            Some(growth) if !told.is_long => format!(
                "{service} falls behind with {destination}: messages wait {} ms longer after {} s",
                ms(growth.rise_ns),
                growth.over_ns / 1_000_000_000,
            ),
            _ => format!(
                "{service} takes messages of {destination} after at least {} ms for {} ms of work",
                ms(told.wait_ns),
                ms(told.work_ns),
            ),
        };
        let mut evidence = evidence(
            title.clone(),
            "What comes out of the queue is late by that much, however fast the work is.",
            "Look more often or let the broker push; add consumers or partitions if they are busy, as they are where waits grow."
                .to_owned(),
            "Messages were scheduled for later, or sent all at once to be worked off in time.",
            [
                ("least_wait_ns_median", told.wait_ns.into()),
                ("work_ns_median", told.work_ns.into()),
                ("messages", of.seen.count.into()),
            ],
        );
        if let Some(Growth { rise_ns, over_ns }) = told.growth {
            evidence.extend([("grows_by_ns", rise_ns.into()), ("grows_over_ns", over_ns.into())]);
        }
        let draft = WindowDraft {
            title,
            group: vec![service, destination],
            entry: ("", ""),
            edge: ("", service),
            severity: Severity::Medium,
            examples: &of.seen,
            wasted_ns: told.sum_ns,
            evidence,
        };
        draft.finding(self.rule())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    const SENT: Sent = Sent { process: 1, end_ns: 0 };

    fn take(waits: &mut QueueWaits, nth: u64, wait_ms: i64, process: u64) {
        let id = ([1; 16], nth);
        let taken = Taken {
            service: "w".to_owned(),
            destination: "orders".to_owned(),
            process,
            start_ns: wait_ms * MS,
            work_ns: 40 * MS,
            example: Examples::default(),
        };
        if nth.is_multiple_of(2) {
            waits.sent(id, SENT);
            waits.taken(id, taken);
        } else {
            waits.taken(id, taken);
            waits.sent(id, SENT);
        }
    }

    /// Findings of so many messages that all wait alike, and one that is taken at once by a clock that is ahead.
    fn found(messages: u64, wait_ms: i64, ahead_ms: i64) -> usize {
        let mut waits = QueueWaits::new(QueueWaitsSettings::default());
        (1..messages).for_each(|nth| take(&mut waits, nth, ahead_ms + wait_ms, 2));
        take(&mut waits, messages, ahead_ms, 2);
        waits.finish().len()
    }

    #[test]
    fn long_waits_are_found_whoever_comes_first_and_whatever_clocks_say() {
        for ahead_ms in [0, 9_000, -9_000] {
            assert_eq!(found(10, 200, ahead_ms), 1);
            assert_eq!(found(9, 200, ahead_ms), 0);
            assert_eq!(found(10, 199, ahead_ms), 0);
        }
    }

    #[test]
    fn waits_that_are_all_alike_are_found_on_one_clock_alone() {
        let found = |process| {
            let mut waits = QueueWaits::new(QueueWaitsSettings::default());
            (0..20).for_each(|nth| take(&mut waits, nth, 9_000, process));
            waits.finish().len()
        };
        assert_eq!((found(1), found(2)), (1, 0));
    }

    #[test]
    fn clocks_drift_apart_between_messages() {
        let wait = |sent_ms: i64, wait_ms: i64| Wait {
            from: 1,
            to: 2,
            sent_ns: sent_ms * MS,
            wait_ns: wait_ms * MS,
            work_ns: 0,
            draw: 0,
        };
        // 200 parts in a million of an hour are 720 ms.
        let least_ns = least_ns(&[wait(0, 0), wait(3_599_000, 900), wait(3_600_000, 1_000)]);
        assert_eq!(least_ns, [0, 180_200_000, 280_000_000]);
    }

    #[test]
    fn waits_that_grow_are_found_though_they_are_short_for_their_work() {
        let found = |growth_ms: i64| {
            let mut waits = QueueWaits::new(QueueWaitsSettings::default());
            for nth in 0..100 {
                let id = ([2; 16], nth as u64);
                let sent = Sent { process: 1, end_ns: nth * 1_000 * MS };
                waits.sent(id, sent);
                let example = Examples { count: 1, ..Examples::default() };
                let taken = Taken {
                    service: "w".to_owned(),
                    destination: "orders".to_owned(),
                    process: 2,
                    start_ns: sent.end_ns + (50 + nth * growth_ms) * MS,
                    work_ns: 400 * MS,
                    example,
                };
                waits.taken(id, taken);
            }
            waits.finish()
        };
        let grown = found(5);
        let title = "w falls behind with orders: messages wait 355 ms longer after 99 s";
        assert_eq!(grown.iter().map(|finding| finding.title.as_str()).collect::<Vec<_>>(), [title]);
        let evidence = grown[0].evidence.value();
        assert_eq!(
            (&evidence["grows_over_ns"], &evidence["messages"]),
            (&99_000_000_000_i64.into(), &100.into())
        );
        assert_eq!(found(1), []);
    }

    #[test]
    fn of_many_messages_some_of_the_whole_window_are_kept() {
        let mut of = Destination::default();
        let wait = |nth: u64| Wait {
            from: 1,
            to: 2,
            sent_ns: nth as i64,
            wait_ns: 0,
            work_ns: 0,
            draw: xxh3_64(&nth.to_be_bytes()),
        };
        let all = 10 * WAITS_MAX as u64;
        let left_out: u64 = (0..all).map(|nth| of.add(wait(nth))).sum();
        assert_eq!(of.waits.len() as u64 + left_out, all);
        assert!((WAITS_MAX / 4..=WAITS_MAX).contains(&of.waits.len()));
        // Whoever comes first, the same are kept.
        let mut reversed = Destination::default();
        let again: u64 = (0..all).rev().map(|nth| reversed.add(wait(nth))).sum();
        reversed.waits.sort_unstable();
        assert_eq!((&of.waits, left_out), (&reversed.waits, again));
    }

    #[test]
    fn memory_is_bounded() {
        let mut waits = QueueWaits::new(QueueWaitsSettings::default());
        for nth in 0..SEEN_MAX as u64 + 5 {
            waits.sent(([0; 16], nth), SENT);
        }
        assert_eq!((waits.sent.len(), waits.left_out()), (SEEN_MAX, 5));
    }
}
