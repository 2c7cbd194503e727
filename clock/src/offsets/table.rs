//! What is kept of all messages: for each pair of clocks and window the tightest bound, and who shows it.
//!
//! Least values, sums and small samples by hash do not depend on the order messages come in, and two tables merge into
//! the one that all their messages would have made. One message costs two look-ups.
//!
//! | limit | default | beyond it |
//! |---|---|---|
//! | `clocks_max` | 10,000 | the quarter of the clocks that is heard of least goes, with its evidence |
//! | `evidence_max` | 500,000 pairs and windows, some 100 MB | windows more than a minute ahead of the collector go, then the oldest ones; messages of windows that went are refused |
//! | `offset_ns_max` | ten years | readings further apart are refused |
//!
//! Ids and times are what senders say, so neither may push out what others said: a flood of clocks that are heard of once
//! goes before clocks that are heard of often, and a window of the next century before one of today. All that is refused
//! or forgotten is counted.
//!
//! Each window knows when it last changed, so that answers about it can be remembered until then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::hash::{ClockHash, PairHasher, scattered};
use super::message::{Message, RoundTrip};
use super::rows::{ClockRow, Evidence, Exchange, Least, PairRow};
use super::settings::OffsetSettings;
use crate::ClockId;

/// Windows further ahead of the collector go first, one minute: clocks that are nearly right stay within it.
const AHEAD_NS: i64 = 60_000_000_000;

/// How many messages were not taken, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    /// Readings further apart than `offset_ns_max`.
    pub implausible: u64,
    /// Older than the windows that are kept.
    pub too_old: u64,
    /// Ahead of the collector, and further than the windows that are kept.
    pub too_new: u64,
    /// From or to a clock for which there is no room, because `clocks_max` is less than two.
    pub too_many_clocks: u64,
}

/// What was known once and had to go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Clocks with evidence.
    pub clocks: u64,
    /// Pairs and windows, those of forgotten clocks and those of windows that went.
    pub evidence: u64,
}

/// A clock and how often it was heard of.
#[derive(Debug, Clone, Copy)]
struct Known {
    row: ClockRow,
    /// Messages from and to it, halved whenever clocks had to go, so that what is long past counts less.
    heard: u64,
    /// By how much its host says that it may be off.
    error_ns: Option<i64>,
}

/// The evidence of one window.
#[derive(Debug, Clone, Default)]
struct Slice {
    pairs: Pairs,
    /// When it last changed.
    revision: u64,
}

/// Evidence by the numbers of sender and receiver.
pub(super) type Pairs = HashMap<(u32, u32), Evidence, BuildHasherDefault<PairHasher>>;

/// Tells tables apart, so that nothing is taken for known of one that was learnt from another.
#[derive(Debug)]
struct Identity(Arc<()>);

impl Clone for Identity {
    /// A copy of a table is another table: from here on they change apart.
    fn clone(&self) -> Self {
        Self(Arc::new(()))
    }
}

/// The table.
#[derive(Debug, Clone)]
pub struct Estimator {
    settings: OffsetSettings,
    identity: Identity,
    numbers: HashMap<ClockId, u32, ClockHash>,
    clocks: Vec<Known>,
    windows: BTreeMap<i64, Slice>,
    evidence_count: usize,
    /// First window that may be written, once windows had to go.
    oldest: i64,
    /// First window ahead of the collector that may not be written, once such had to go.
    newest: i64,
    /// The last moment at which the collector received a span that was observed.
    received_ns: Option<i64>,
    ties: BTreeSet<(ClockId, ClockId)>,
    refused: Refused,
    forgotten: Forgotten,
    /// Counts changes.
    revision: u64,
    /// When something last changed that bears on all windows.
    revision_of_all: u64,
    /// When a window last went.
    revision_of_drop: u64,
}

impl Estimator {
    /// An empty table.
    pub fn new(settings: OffsetSettings) -> Self {
        Self {
            settings,
            identity: Identity(Arc::new(())),
            numbers: HashMap::with_hasher(ClockHash::random()),
            clocks: Vec::new(),
            windows: BTreeMap::new(),
            evidence_count: 0,
            oldest: i64::MIN,
            newest: i64::MAX,
            received_ns: None,
            ties: BTreeSet::new(),
            refused: Refused::default(),
            forgotten: Forgotten::default(),
            revision: 0,
            revision_of_all: 0,
            revision_of_drop: 0,
        }
    }

    /// What the estimator assumes.
    pub fn settings(&self) -> &OffsetSettings {
        &self.settings
    }

    /// Messages that were not taken.
    pub fn refused(&self) -> Refused {
        self.refused
    }

    /// What had to go because there is more than limits allow.
    pub fn forgotten(&self) -> Forgotten {
        self.forgotten
    }

    /// Notes when the collector received spans: what they claim of later times is the first to go.
    pub(super) fn note_received(&mut self, received_ns: i64) {
        self.received_ns = self.received_ns.max(Some(received_ns));
    }

    /// Takes a message into account.
    pub fn add(&mut self, message: &Message) {
        let bound_ns = message.received_ns.saturating_sub(message.sent_ns);
        let bound_ns = bound_ns.saturating_add(message.slack_ns.max(0));
        if message.from == message.to || self.is_implausible(bound_ns) {
            return;
        }
        let window = self.settings.window(message.axis_ns);
        if !self.may_write(window) {
            return;
        }
        let Some((from, to)) = self.pair(message.from, message.to) else { return };
        self.read_clock(from, |row| row.sent.add(message.sent_ns));
        self.read_clock(to, |row| row.received.add(message.received_ns));
        let certain = Some(Least { bound_ns, witness: message.witness });
        let evidence = Evidence { certain, messages: 1, ..Evidence::default() };
        self.merge(window, (from, to), &evidence);
    }

    /// Takes a round trip into account: a point, and a bound of the server's direction that is likely but not certain.
    pub fn add_round_trip(&mut self, trip: &RoundTrip) {
        let bound_ns = trip.returned_ns.saturating_sub(trip.answered_ns);
        let midpoint_ns = trip.midpoint_ns();
        if trip.client == trip.server
            || self.is_implausible(bound_ns)
            || self.is_implausible(midpoint_ns)
        {
            return;
        }
        let window = self.settings.window(trip.axis_ns);
        if !self.may_write(window) {
            return;
        }
        let Some((client, server)) = self.pair(trip.client, trip.server) else { return };
        let likely = Some(Least { bound_ns, witness: trip.witness });
        let is_late = trip.on_the_way_ns() < 0;
        let returned = Evidence { likely, late: u64::from(is_late), ..Evidence::default() };
        self.merge(window, (server, client), &returned);
        if !is_late {
            // Samples of a pair lie under the smaller clock first.
            let (pair, midpoint_ns) = if trip.client <= trip.server {
                ((client, server), midpoint_ns)
            } else {
                ((server, client), midpoint_ns.saturating_neg())
            };
            let midpoints = vec![(scattered(trip.witness), midpoint_ns)];
            self.merge(window, pair, &Evidence { midpoints, ..Evidence::default() });
        }
    }

    /// Says that two clocks are thought to be one, as those of processes on one host are. Given up where messages
    /// contradict it. At most `clocks_max` such pairs are kept; further ones are ignored.
    pub fn tie(&mut self, a: ClockId, b: ClockId) {
        let tie = (a.min(b), a.max(b));
        let has_room = self.ties.len() < self.settings.clocks_max;
        if a != b && has_room && !self.ties.contains(&tie) && self.pair(a, b).is_some() {
            self.ties.insert(tie);
            self.changed_all();
        }
    }

    /// Says by how much a clock may be off universal time, as its host declares. Of several errors the largest counts. Given
    /// up where messages contradict it.
    pub fn declare(&mut self, clock: ClockId, error_ns: u64) {
        let error_ns = i64::try_from(error_ns).unwrap_or(i64::MAX);
        if clock == ClockId::Utc || self.is_implausible(error_ns) {
            return;
        }
        let number = self.number(clock, None);
        self.refused.too_many_clocks += u64::from(number.is_none());
        let known = number.and_then(|number| self.clocks.get_mut(number as usize));
        let Some(known) = known.filter(|known| known.error_ns < Some(error_ns)) else { return };
        known.error_ns = Some(error_ns);
        self.changed_all();
    }

    /// By how much a clock may be off universal time, if its host declared that.
    pub(super) fn error_ns(&self, clock: ClockId) -> Option<i64> {
        self.known(clock)?.error_ns
    }

    /// Clocks whose hosts declared by how much they may be off, which bounds rely on. Linear in clocks.
    pub fn declared(&self) -> usize {
        self.clocks.iter().filter(|known| known.error_ns.is_some()).count()
    }

    fn known(&self, clock: ClockId) -> Option<&Known> {
        self.clocks.get(*self.numbers.get(&clock)? as usize)
    }

    /// What is known of a clock by itself.
    pub fn clock(&self, clock: ClockId) -> ClockRow {
        self.known(clock).map_or_else(|| ClockRow::new(clock), |known| known.row)
    }

    /// All clocks that are known.
    pub fn clocks(&self) -> impl Iterator<Item = &ClockRow> {
        self.clocks.iter().map(|known| &known.row)
    }

    /// Who exchanged messages in a range of windows, oldest windows first. Copies no evidence.
    pub fn exchanges(&self, windows: RangeInclusive<i64>) -> impl Iterator<Item = Exchange> {
        let (first, last) = windows.into_inner();
        self.evidence(first, last).flat_map(move |(window, pairs)| {
            pairs.iter().filter_map(move |((from, to), evidence)| {
                let (from, to) = (self.id(*from)?, self.id(*to)?);
                Some(Exchange { from, to, window, messages: evidence.messages })
            })
        })
    }

    /// The clock that most messages went to or came from in a range of windows, of those that are kept: the one others are best
    /// told against there. That of the collector does not count: messages to it bound one side only.
    pub fn busiest(&self, windows: RangeInclusive<i64>) -> Option<ClockId> {
        let mut messages = vec![0u64; self.clocks.len()];
        let (first, last) = windows.into_inner();
        let all = self.evidence(first, last).flat_map(|(_, pairs)| pairs);
        let collector = self.numbers.get(&ClockId::Collector);
        for ((from, to), evidence) in all.filter(|((_, to), _)| Some(to) != collector) {
            for number in [*from, *to] {
                let of_clock = messages.get_mut(number as usize);
                of_clock.into_iter().for_each(|sum| *sum = sum.saturating_add(evidence.messages));
            }
        }
        let clocks = self.clocks.iter().map(|known| known.row.clock);
        let heard = messages.into_iter().zip(clocks).filter(|(messages, _)| *messages > 0);
        heard.max().map(|(_, clock)| clock)
    }

    /// The whole table, oldest windows first, to be written down.
    pub fn rows(&self) -> impl Iterator<Item = PairRow> {
        self.rows_from(i64::MIN)
    }

    /// The part of it from a window on.
    pub fn rows_from(&self, window: i64) -> impl Iterator<Item = PairRow> {
        self.windows.range(window..).flat_map(move |(window, slice)| {
            slice.pairs.iter().filter_map(move |((from, to), evidence)| {
                Some(PairRow {
                    from: self.id(*from)?,
                    to: self.id(*to)?,
                    window: *window,
                    certain: evidence.certain,
                    likely: evidence.likely,
                    messages: evidence.messages,
                    late: evidence.late,
                    midpoints: evidence.midpoints.clone(),
                })
            })
        })
    }

    /// Adds a row that was written down, by this table or another one with windows of the same length.
    pub fn merge_row(&mut self, row: &PairRow) {
        if row.from == row.to || !self.may_write(row.window) {
            return;
        }
        let Some(pair) = self.pair(row.from, row.to) else { return };
        let mut evidence = Evidence {
            certain: row.certain,
            likely: row.likely,
            messages: row.messages,
            late: row.late,
            midpoints: Vec::new(),
        };
        let midpoints = Evidence { midpoints: row.midpoints.clone(), ..Evidence::default() };
        evidence.merge(&midpoints);
        for number in [pair.0, pair.1] {
            let known = self.clocks.get_mut(number as usize);
            known.into_iter().for_each(|k| k.heard = k.heard.saturating_add(row.messages));
        }
        self.merge(row.window, pair, &evidence);
    }

    /// Adds what was written down about a clock.
    pub fn merge_clock(&mut self, row: &ClockRow) {
        let Some(number) = self.number(row.clock, None) else { return };
        self.read_clock(number, |own| {
            own.sent.merge(row.sent);
            own.received.merge(row.received);
        });
    }

    /// Windows with evidence, first and last.
    pub fn window_range(&self) -> Option<(i64, i64)> {
        Some((*self.windows.first_key_value()?.0, *self.windows.last_key_value()?.0))
    }

    /// Pairs of clocks that any stretch of windows may mention at most.
    pub(super) fn pairs_max(&self) -> usize {
        let clocks = self.clocks.len();
        self.evidence_count.min(clocks.saturating_mul(clocks))
    }

    pub(super) fn ties(&self) -> &BTreeSet<(ClockId, ClockId)> {
        &self.ties
    }

    pub(super) fn id(&self, number: u32) -> Option<ClockId> {
        self.clocks.get(number as usize).map(|known| known.row.clock)
    }

    /// How many numbers of clocks are in use.
    pub(super) fn numbers(&self) -> usize {
        self.clocks.len()
    }

    /// Evidence of the windows of a range, ascending.
    pub(super) fn evidence(&self, first: i64, last: i64) -> impl Iterator<Item = (i64, &Pairs)> {
        let range = (first <= last).then(|| self.windows.range(first..=last));
        range.into_iter().flatten().map(|(window, slice)| (*window, &slice.pairs))
    }

    /// Evidence of one pair and window.
    pub(super) fn evidence_of(&self, from: ClockId, to: ClockId, window: i64) -> Option<&Evidence> {
        let pair = (*self.numbers.get(&from)?, *self.numbers.get(&to)?);
        self.windows.get(&window)?.pairs.get(&pair)
    }

    /// A number that grows with every change.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether nothing that bears on a window has changed since a revision of this table.
    pub(super) fn is_unchanged(&self, window: i64, since: u64) -> bool {
        let reach = self.settings.reach();
        let (first, last) = (window.saturating_sub(reach), window.saturating_add(reach));
        since >= self.revision_of_all
            && (since >= self.revision_of_drop || (first >= self.oldest && last < self.newest))
            && self.windows.range(first..=last).all(|(_, slice)| slice.revision <= since)
    }

    /// What tells this table apart from others.
    pub(super) fn identity(&self) -> &Arc<()> {
        &self.identity.0
    }

    fn is_implausible(&mut self, offset_ns: i64) -> bool {
        let is = offset_ns.unsigned_abs() > self.settings.offset_ns_max.unsigned_abs();
        self.refused.implausible += u64::from(is);
        is
    }

    /// Whether a window may be written; counts those that may not.
    fn may_write(&mut self, window: i64) -> bool {
        let is_old = window < self.oldest;
        let is_new = window >= self.newest && self.is_ahead(window);
        self.refused.too_old += u64::from(is_old);
        self.refused.too_new += u64::from(is_new);
        !is_old && !is_new
    }

    /// Whether a window lies further ahead of the collector than clocks that are nearly right put it.
    fn is_ahead(&self, window: i64) -> bool {
        let last_ns = self.received_ns.map(|received| received.saturating_add(AHEAD_NS));
        last_ns.is_some_and(|last| window > self.settings.window(last))
    }

    fn pair(&mut self, from: ClockId, to: ClockId) -> Option<(u32, u32)> {
        let known = self.numbers.get(&from).zip(self.numbers.get(&to));
        if let Some((from, to)) = known {
            return Some((*from, *to));
        }
        let pair = self.number(from, None).and_then(|_| {
            let to = self.number(to, Some(from))?;
            // Making room for the second may have renumbered the first.
            Some((*self.numbers.get(&from)?, to))
        });
        self.refused.too_many_clocks += u64::from(pair.is_none());
        pair
    }

    /// The number of a clock, which is given one if it is new; `kept` is not forgotten for it.
    fn number(&mut self, clock: ClockId, kept: Option<ClockId>) -> Option<u32> {
        if let Some(number) = self.numbers.get(&clock) {
            return Some(*number);
        }
        if self.clocks.len() >= self.settings.clocks_max {
            self.forget_clocks(kept);
        }
        if self.clocks.len() >= self.settings.clocks_max {
            return None;
        }
        let number = self.clocks.len() as u32;
        self.clocks.push(Known { row: ClockRow::new(clock), heard: 0, error_ns: None });
        self.numbers.insert(clock, number);
        Some(number)
    }

    /// Changes what is known of a clock by itself. A finer step tightens bounds in all windows.
    fn read_clock(&mut self, number: u32, read: impl FnOnce(&mut ClockRow)) {
        let Some(known) = self.clocks.get_mut(number as usize) else { return };
        let slack = |row: &ClockRow| (row.slack_ns(), row.received_slack_ns());
        let before = slack(&known.row);
        read(&mut known.row);
        known.heard = known.heard.saturating_add(1);
        if slack(&known.row) != before {
            self.changed_all();
        }
    }

    fn changed_all(&mut self) {
        self.revision += 1;
        self.revision_of_all = self.revision;
    }

    fn merge(&mut self, window: i64, pair: (u32, u32), evidence: &Evidence) {
        self.revision += 1;
        let slice = self.windows.entry(window).or_default();
        slice.revision = self.revision;
        let own = slice.pairs.entry(pair).or_insert_with(|| {
            self.evidence_count += 1;
            Evidence::default()
        });
        own.merge(evidence);
        while self.evidence_count > self.settings.evidence_max && self.drop_window() {}
    }

    /// Drops the window that is furthest ahead of the collector, else the oldest one.
    fn drop_window(&mut self) -> bool {
        let last = self.windows.last_key_value().map(|(window, _)| *window);
        let gone = match last.filter(|window| self.is_ahead(*window)) {
            Some(ahead) => {
                self.newest = ahead;
                self.windows.pop_last()
            }
            None => self.windows.pop_first().inspect(|(gone, _)| {
                self.oldest = gone.saturating_add(1);
            }),
        };
        let Some((_, slice)) = gone else { return false };
        self.evidence_count -= slice.pairs.len();
        self.forgotten.evidence += slice.pairs.len() as u64;
        self.revision += 1;
        self.revision_of_drop = self.revision;
        true
    }

    /// Makes room for further clocks: those without evidence go, and of the others those heard of least, until a quarter is
    /// free. Looks at the whole table, hence a quarter at once.
    fn forget_clocks(&mut self, kept: Option<ClockId>) {
        let mut used = vec![false; self.clocks.len()];
        for (from, to) in self.windows.values().flat_map(|slice| slice.pairs.keys()) {
            for number in [*from, *to] {
                used.get_mut(number as usize).into_iter().for_each(|used| *used = true);
            }
        }
        // Among those heard of equally often the later one goes: it may be one of a flood.
        let mut ranked: Vec<(bool, u64, u32)> = (0u32..)
            .zip(self.clocks.iter().zip(&used))
            .map(|(number, (known, used))| (!used, u64::MAX - known.heard, number))
            .collect();
        ranked.sort_unstable();
        let room = self.settings.clocks_max - self.settings.clocks_max.div_ceil(4);
        let is_kept = |known: &Known| Some(known.row.clock) == kept;
        let mut stays = vec![false; self.clocks.len()];
        for (place, (is_unused, _, number)) in ranked.into_iter().enumerate() {
            let known = self.clocks.get(number as usize);
            let stay = (place < room && !is_unused) || known.is_some_and(is_kept);
            stays.get_mut(number as usize).into_iter().for_each(|stays| *stays = stay);
            self.forgotten.clocks += u64::from(!stay && !is_unused);
        }
        self.keep_clocks(&stays);
        self.changed_all();
    }

    /// Keeps some clocks, and the evidence between those, and numbers them anew.
    fn keep_clocks(&mut self, stays: &[bool]) {
        let mut renumbered: Vec<Option<u32>> = Vec::with_capacity(stays.len());
        let mut kept = Vec::new();
        for (known, stays) in self.clocks.iter().zip(stays) {
            renumbered.push(stays.then_some(kept.len() as u32));
            if *stays {
                kept.push(Known { heard: known.heard / 2, ..*known });
            }
        }
        let number = |old: u32| renumbered.get(old as usize).copied().flatten();
        for slice in self.windows.values_mut() {
            let before = slice.pairs.len();
            slice.pairs = std::mem::take(&mut slice.pairs)
                .into_iter()
                .filter_map(|((from, to), evidence)| Some(((number(from)?, number(to)?), evidence)))
                .collect();
            let gone = before - slice.pairs.len();
            self.evidence_count -= gone;
            self.forgotten.evidence += gone as u64;
        }
        self.windows.retain(|_, slice| !slice.pairs.is_empty());
        self.clocks = kept;
        self.numbers.clear();
        let numbers = (0u32..).zip(&self.clocks);
        self.numbers.extend(numbers.map(|(number, known)| (known.row.clock, number)));
        self.ties.retain(|(a, b)| self.numbers.contains_key(a) && self.numbers.contains_key(b));
    }
}
