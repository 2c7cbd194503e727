//! Logs with vector clocks, which tell what happened before what: the order relation proves exactly that.
//!
//! A line becomes a span that ticks twice. What it learnt, as its vector clock tells, came as messages: the latest event
//! of each host that no other of them already includes.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU64;

use super::{order_of, shared};
use crate::order::{Event, Link, Span};
use crate::{NodeId, Stamp};

type Vector = BTreeMap<String, u64>;

struct Entry {
    host: String,
    vector: Vector,
}

impl Entry {
    fn count(&self) -> u64 {
        self.vector.get(&self.host).copied().unwrap_or(0)
    }

    fn happened_before(&self, other: &Self) -> bool {
        let known = other.vector.get(&self.host).copied().unwrap_or(0);
        known >= self.count() && (self.host != other.host || known > self.count())
    }
}

/// Lines with a vector clock. The host stands before it, in one log as the end of a path.
fn read(log: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let open = line.find("{\"")?;
        let close = open + line[open..].find('}')?;
        let vector: Vector = serde_json::from_str(&line[open..=close]).ok()?;
        let before = line[..open].trim().trim_end_matches(']');
        let host = before.rsplit('/').next().unwrap_or(before).to_owned();
        vector.contains_key(&host).then_some(Entry { host, vector })
    };
    log.lines().filter_map(entry).collect()
}

/// The spans of a log, and how many messages they received.
fn spans_of(entries: &[Entry]) -> (Vec<Span>, usize) {
    let mut nodes: HashMap<&str, NodeId> = HashMap::new();
    for entry in entries {
        let next = NodeId(NonZeroU64::MIN.saturating_add(nodes.len() as u64));
        nodes.entry(&entry.host).or_insert(next);
    }
    let by_count: HashMap<(&str, u64), &Entry> =
        entries.iter().map(|entry| ((entry.host.as_str(), entry.count()), entry)).collect();
    // The sum of a vector clock rises along every chain of events, as a hybrid clock does.
    let tick = |entry: &Entry, nth: i64| Stamp {
        node: nodes[entry.host.as_str()],
        hlc: entry.vector.values().sum::<u64>() as i64 * 2 + nth,
        lead: 0,
    };
    let mut messages = 0;
    let span = |entry: &Entry| {
        let before = by_count.get(&(entry.host.as_str(), entry.count() - 1));
        let is_new = |(host, count): &(&String, &u64)| {
            let known = before.and_then(|before| before.vector.get(*host)).copied().unwrap_or(0);
            **host != entry.host && **count > known
        };
        let learnt: Vec<&Entry> = entry
            .vector
            .iter()
            .filter(is_new)
            .filter_map(|(host, count)| by_count.get(&(host.as_str(), *count)).copied())
            .collect();
        let is_direct = |sent: &&&Entry| !learnt.iter().any(|other| sent.happened_before(other));
        let sent: Vec<Stamp> = learnt.iter().filter(is_direct).map(|sent| tick(sent, 1)).collect();
        messages += sent.len();
        let (start, end) = (tick(entry, 0), tick(entry, 1));
        let link = |stamp: &Stamp| Link { span: None, stamp: Some(*stamp) };
        Span {
            start: Some(start),
            end: Some(end),
            start_ns: start.hlc,
            end_ns: end.hlc,
            received: sent.first().copied(),
            links: sent.iter().skip(1).map(link).collect(),
            ..Span::default()
        }
    };
    (entries.iter().map(span).collect(), messages)
}

/// Events, messages, pairs that happened before each other, pairs missed and pairs proven wrongly.
fn compare(file: &str) -> Option<[usize; 5]> {
    let log = std::fs::read(shared(&format!("shiviz/{file}.log"))?).expect("readable");
    let entries = read(&String::from_utf8_lossy(&log));
    let (spans, messages) = spans_of(&entries);
    let mut order = order_of(&spans);
    assert!(order.prepare());
    assert_eq!(order.violations().len(), 0, "{file}: {:?}", order.violations().first());
    let [mut known, mut missed, mut wrong] = [0; 3];
    for (a, first) in (0u32..).zip(&entries) {
        for (b, second) in (0u32..).zip(&entries).filter(|(b, _)| *b != a) {
            let is_before = first.happened_before(second);
            let is_proven = order.precedes(Event::End(a), Event::End(b));
            known += usize::from(is_before);
            missed += usize::from(is_before && !is_proven);
            wrong += usize::from(is_proven && !is_before);
        }
    }
    let found = [entries.len(), messages, known, missed, wrong];
    eprintln!("{file}: events, messages, ordered pairs, missed, wrong: {found:?}");
    Some(found)
}

#[test]
fn what_vector_clocks_say_is_proven_and_nothing_else() {
    let logs = ["chord", "simple-reliable-broadcast", "facebook", "voldemort-simple-threadnames"];
    let events = [1_235, 39, 47, 863];
    for (log, events) in logs.into_iter().zip(events) {
        let Some([found, messages, known, missed, wrong]) = compare(log) else { return };
        assert_eq!((found, missed, wrong), (events, 0, 0), "{log}");
        assert!(known > found && messages > 0, "{log}");
    }
}
