//! The evidence around some windows, pair by pair, and how it ages.
//!
//! A bound from another window is worth less the further it is away, because clocks may have drifted since:
//! `e[k] = min over |k - m| <= H/W of (min[m] + rho W (|k - m| + 1))`. For a run of windows that is two passes with a
//! monotone queue, linear in windows; for one window it is a look at each.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::hash::PairHasher;
use super::rows::Least;
use super::table::Estimator;
use crate::ClockId;

/// All evidence that bears on the windows of a range.
#[derive(Debug, Default)]
pub(super) struct History<'t> {
    /// The clocks that evidence or ties mention, ascending; all numbers count through them.
    pub(super) clocks: Arc<[ClockId]>,
    /// Ascending by sender and receiver.
    pub(super) pairs: Vec<Pair<'t>>,
    /// Clocks that are thought to be one, with what their granularity adds each way; and those that are declared to be near
    /// universal time, with how near.
    pub(super) ties: Vec<Tie>,
    /// By clock the windows in which it ended spans late as a server, ascending.
    pub(super) late: Vec<Vec<i64>>,
    pub(super) reach: i64,
    pub(super) drift_ns: i64,
}

/// Evidence of one direction between two clocks.
#[derive(Debug, Default)]
pub(super) struct Pair<'t> {
    pub(super) from: u32,
    pub(super) to: u32,
    /// What the receiver's granularity adds to every bound.
    pub(super) slack_ns: i64,
    /// Ascending by window.
    pub(super) certain: Vec<Entry>,
    pub(super) likely: Vec<Entry>,
    /// Sampled round trips by window: hash of the witness, offset of `to` minus `from`.
    pub(super) midpoints: Vec<(i64, &'t [(u64, i64)])>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) window: i64,
    pub(super) least: Least,
    pub(super) messages: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Tie {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) slack_ns: [i64; 2],
}

/// A bound carried to another window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Aged {
    pub(super) bound_ns: i64,
    pub(super) witness: u64,
    pub(super) window: i64,
}

impl<'t> History<'t> {
    /// Collects what bears on the windows of a range.
    pub(super) fn around(table: &'t Estimator, windows: RangeInclusive<i64>) -> Self {
        let reach = table.settings().reach();
        let first = windows.start().saturating_sub(reach);
        let last = windows.end().saturating_add(reach);
        let found = Found::between(table, first, last);
        let mut clocks: Vec<ClockId> = found.heard().filter_map(|n| table.id(n)).collect();
        clocks.sort_unstable();
        // Ties bear on windows in which one of the two was heard of.
        let is_heard = |clock: &ClockId| clocks.binary_search(clock).is_ok();
        let ties: Vec<&(ClockId, ClockId)> =
            table.ties().iter().filter(|(a, b)| is_heard(a) || is_heard(b)).collect();
        clocks.extend(ties.iter().flat_map(|(a, b)| [*a, *b]));
        let is_declared = clocks.iter().any(|clock| table.error_ns(*clock).is_some());
        clocks.extend(is_declared.then_some(ClockId::Utc));
        clocks.sort_unstable();
        clocks.dedup();
        let number = |clock: ClockId| clocks.binary_search(&clock).map_or(0, |place| place as u32);
        let renumbered: Vec<u32> =
            (0u32..).take(table.numbers()).map(|n| table.id(n).map_or(0, number)).collect();
        let renumber = |old: u32| renumbered.get(old as usize).copied().unwrap_or(0);
        let slack_ns = |clock: ClockId| table.clock(clock).slack_ns();
        let received_slack_ns: Vec<i64> =
            clocks.iter().map(|clock| table.clock(*clock).received_slack_ns()).collect();
        let mut pairs = found.pairs;
        for pair in &mut pairs {
            (pair.from, pair.to) = (renumber(pair.from), renumber(pair.to));
            pair.slack_ns = received_slack_ns.get(pair.to as usize).copied().unwrap_or(0);
        }
        pairs.sort_unstable_by_key(|pair| (pair.from, pair.to));
        let ties = ties.into_iter().map(|(a, b)| Tie {
            a: number(*a),
            b: number(*b),
            slack_ns: [slack_ns(*a), slack_ns(*b)],
        });
        let declared = clocks.iter().filter_map(|clock| {
            let error_ns = table.error_ns(*clock)?.saturating_add(slack_ns(*clock));
            Some(Tie { a: number(ClockId::Utc), b: number(*clock), slack_ns: [error_ns; 2] })
        });
        let ties = ties.chain(declared).collect();
        let mut late = vec![Vec::new(); clocks.len()];
        for (clock, window) in found.late {
            late.get_mut(renumber(clock) as usize).into_iter().for_each(|of| of.push(window));
        }
        let (clocks, drift_ns) = (clocks.into(), table.settings().drift_ns());
        Self { clocks, pairs, ties, late, reach, drift_ns }
    }

    /// Whether a server ended spans late around a window, so that the ends of its spans say nothing about its answers.
    pub(super) fn is_late(&self, clock: u32, window: i64) -> bool {
        let Some(late) = self.late.get(clock as usize) else { return false };
        let windows = self.windows_for(window);
        let next = late.partition_point(|late| late < windows.start());
        late.get(next).is_some_and(|late| late <= windows.end())
    }

    /// The windows whose evidence is carried to this one.
    pub(super) fn windows_for(&self, window: i64) -> RangeInclusive<i64> {
        window.saturating_sub(self.reach)..=window.saturating_add(self.reach)
    }

    /// Whether a pair had round trips in or around a window.
    pub(super) fn has_midpoints(&self, pair: &Pair<'_>, window: i64) -> bool {
        let windows = self.windows_for(window);
        let next = pair.midpoints.partition_point(|(of, _)| of < windows.start());
        pair.midpoints.get(next).is_some_and(|(of, _)| of <= windows.end())
    }

    /// The tightest bound at a window from the evidence of some windows.
    pub(super) fn at(
        &self,
        entries: &[Entry],
        window: i64,
        from: &RangeInclusive<i64>,
    ) -> Option<Aged> {
        let start = entries.partition_point(|entry| entry.window < *from.start());
        let usable = entries.get(start..).unwrap_or(&[]);
        usable
            .iter()
            .take_while(|entry| entry.window <= *from.end())
            .map(|entry| self.aged(entry, window))
            .min()
    }

    fn aged(&self, entry: &Entry, window: i64) -> Aged {
        let windows = window.abs_diff(entry.window).min(i64::MAX as u64 - 1) as i64 + 1;
        let Least { bound_ns, witness } = entry.least;
        let bound_ns = bound_ns.saturating_add(self.drift_ns.saturating_mul(windows));
        Aged { bound_ns, witness, window: entry.window }
    }

    /// The tightest bound at each window of a run.
    pub(super) fn run(&self, entries: &[Entry], windows: RangeInclusive<i64>) -> Vec<Option<Aged>> {
        let mut earlier = self.pass(entries.iter(), windows.clone(), |window| window);
        let back = *windows.start()..=*windows.end();
        let later = self.pass(entries.iter().rev(), back.rev(), |window| -window);
        for (best, other) in earlier.iter_mut().zip(later.into_iter().rev()) {
            *best = best.iter().copied().chain(other).min();
        }
        earlier
    }

    /// One direction of `run`: for each window the best of the entries that lie up to `reach` behind it. The queue holds
    /// those that may still become the best: each later one beats all that are older and not better.
    fn pass<'a>(
        &self,
        entries: impl Iterator<Item = &'a Entry>,
        windows: impl Iterator<Item = i64>,
        along: impl Fn(i64) -> i64,
    ) -> Vec<Option<Aged>> {
        let mut entries = entries.peekable();
        let mut queue: VecDeque<&Entry> = VecDeque::new();
        let mut best = Vec::new();
        for window in windows {
            while let Some(entry) = entries.next_if(|e| along(e.window) <= along(window)) {
                while queue
                    .back()
                    .is_some_and(|old| self.aged(old, window) >= self.aged(entry, window))
                {
                    queue.pop_back();
                }
                queue.push_back(entry);
            }
            let is_out = |e: &&Entry| along(window).saturating_sub(along(e.window)) > self.reach;
            while queue.front().is_some_and(is_out) {
                queue.pop_front();
            }
            best.push(queue.front().map(|entry| self.aged(entry, window)));
        }
        best
    }
}

/// Evidence of some windows, pair by pair, under the numbers of the table.
#[derive(Debug, Default)]
struct Found<'t> {
    pairs: Vec<Pair<'t>>,
    /// Servers that ended spans late, with the window.
    late: Vec<(u32, i64)>,
    heard: Vec<bool>,
}

impl<'t> Found<'t> {
    fn between(table: &'t Estimator, first: i64, last: i64) -> Self {
        let mut found = Self { heard: vec![false; table.numbers()], ..Self::default() };
        let mut places: HashMap<(u32, u32), usize, BuildHasherDefault<PairHasher>> =
            HashMap::default();
        for (window, slice) in table.evidence(first, last) {
            for ((from, to), evidence) in slice {
                let place = *places.entry((*from, *to)).or_insert_with(|| {
                    found.pairs.push(Pair { from: *from, to: *to, ..Pair::default() });
                    found.pairs.len() - 1
                });
                let Some(pair) = found.pairs.get_mut(place) else { continue };
                let entry = |least| Entry { window, least, messages: evidence.messages };
                pair.certain.extend(evidence.certain.map(entry));
                pair.likely.extend(evidence.likely.map(entry));
                if !evidence.midpoints.is_empty() {
                    pair.midpoints.push((window, &evidence.midpoints));
                }
                found.late.extend((evidence.late > 0).then_some((*from, window)));
            }
        }
        for number in found.pairs.iter().flat_map(|pair| [pair.from, pair.to]) {
            found.heard.get_mut(number as usize).into_iter().for_each(|heard| *heard = true);
        }
        found
    }

    fn heard(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.heard).filter(|(_, heard)| **heard).map(|(number, _)| number)
    }
}
