//! What is kept of all messages: for each pair of clocks and window the tightest bound, and who shows it.
//!
//! Least values, sums and small samples by hash do not depend on the order messages come in, and two tables merge into
//! the one that all their messages would have made. One message costs two look-ups.
//!
//! | limit | default | beyond it |
//! |---|---|---|
//! | `clocks_max` | 10,000 | the oldest windows go, and clocks that have no evidence left; further clocks are refused and counted |
//! | `evidence_max` | 500,000 pairs and windows, some 100 MB | the oldest windows go, and messages older than what is kept are refused |
//! | `offset_ns_max` | ten years | readings further apart are refused |

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::granularity::Granularity;
use super::message::{Message, RoundTrip};
use crate::ClockId;

/// Round trips of which a window keeps the middle: enough for a median that single slow ones do not move.
const MIDPOINTS_MAX: usize = 8;

/// What the estimator assumes and what it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetSettings {
    /// Length of a window, 250 ms. Empty windows cost nothing, so quiet pairs need no longer ones.
    pub window_ns: i64,
    /// How far evidence is carried to windows without, 10 s.
    pub horizon_ns: i64,
    /// How far the rate of a clock may be off, 100 parts in a million.
    pub rho_ppm: i64,
    /// Clocks at most.
    pub clocks_max: usize,
    /// Pairs and windows with evidence at most.
    pub evidence_max: usize,
    /// Readings further apart are no evidence of anything.
    pub offset_ns_max: i64,
}

impl Default for OffsetSettings {
    fn default() -> Self {
        Self {
            window_ns: 250_000_000,
            horizon_ns: 10_000_000_000,
            rho_ppm: 100,
            clocks_max: 10_000,
            evidence_max: 500_000,
            offset_ns_max: 10 * 365 * 86_400_000_000_000,
        }
    }
}

impl OffsetSettings {
    /// The window a moment of the shared axis lies in.
    pub fn window(&self, axis_ns: i64) -> i64 {
        axis_ns.div_euclid(self.window_ns.max(1))
    }

    /// How many windows evidence is carried.
    pub(super) fn reach(&self) -> i64 {
        (self.horizon_ns / self.window_ns.max(1)).clamp(0, 1_000_000)
    }

    /// By how much two clocks may drift apart in a time.
    pub fn drift_over_ns(&self, time_ns: u64) -> i64 {
        let drift = i128::from(time_ns) * i128::from(self.rho_ppm) * 2;
        i64::try_from((drift + 999_999) / 1_000_000).unwrap_or(i64::MAX)
    }

    /// By how much two clocks may drift apart in a window.
    pub(super) fn drift_ns(&self) -> i64 {
        self.drift_over_ns(self.window_ns.unsigned_abs())
    }
}

/// The tightest bound and who shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Least {
    /// Received minus sent, without what the receiver's granularity adds.
    pub bound_ns: i64,
    /// Id of what shows it; the smaller one of equal bounds.
    pub witness: u64,
}

/// Evidence of one direction between two clocks in one window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The tightest bound that messages prove.
    pub(super) certain: Option<Least>,
    /// The tightest one that holds if servers end before their clients.
    pub(super) likely: Option<Least>,
    pub(super) messages: u64,
    /// Round trips whose server, the sender, showed that it ends its spans late.
    pub(super) late: u64,
    /// A sample of round trips by hash of their witness, with the offset of `to` minus `from`; ascending.
    pub(super) midpoints: Vec<(u64, i64)>,
}

impl Evidence {
    fn merge(&mut self, other: &Self) {
        let lesser = |a: Option<Least>, b: Option<Least>| a.into_iter().chain(b).min();
        self.certain = lesser(self.certain, other.certain);
        self.likely = lesser(self.likely, other.likely);
        self.messages = self.messages.saturating_add(other.messages);
        self.late = self.late.saturating_add(other.late);
        for midpoint in &other.midpoints {
            if let Err(place) = self.midpoints.binary_search(midpoint) {
                self.midpoints.insert(place, *midpoint);
                self.midpoints.truncate(MIDPOINTS_MAX);
            }
        }
    }
}

/// One clock as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockRow {
    /// The clock.
    pub clock: ClockId,
    /// In which steps it counts when it sends.
    pub sent: Granularity,
    /// In which steps it counts when it receives; some SDKs start server spans on whole milliseconds, and only those.
    pub received: Granularity,
}

impl ClockRow {
    /// A clock that was not read yet.
    pub fn new(clock: ClockId) -> Self {
        Self { clock, sent: Granularity::default(), received: Granularity::default() }
    }

    /// By how much a reading of any kind may be less than what a finer clock would show.
    pub fn slack_ns(&self) -> i64 {
        let read = [self.sent, self.received].into_iter().filter(|kind| kind.readings > 0);
        read.map(Granularity::slack_ns).max().unwrap_or_else(|| Granularity::default().slack_ns())
    }

    /// By how much a reading on receipt may be less than what a finer clock would show.
    pub fn received_slack_ns(&self) -> i64 {
        if self.received.readings > 0 { self.received.slack_ns() } else { self.slack_ns() }
    }

    /// The larger of its steps, once there were enough readings to say so.
    pub fn step_ns(&self) -> Option<i64> {
        self.sent.step_ns().max(self.received.step_ns())
    }
}

/// Evidence of one pair and window as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRow {
    /// The sender's clock.
    pub from: ClockId,
    /// The receiver's clock.
    pub to: ClockId,
    /// Number of the window: its start divided by its length.
    pub window: i64,
    /// The tightest bound that messages prove.
    pub certain: Option<Least>,
    /// The tightest bound that holds if servers end before their clients.
    pub likely: Option<Least>,
    /// How many messages there were.
    pub messages: u64,
    /// Round trips in which the sender, as server, was still busy when its client was done.
    pub late: u64,
    /// Sampled round trips: hash of the witness, offset of `to` minus `from`.
    pub midpoints: Vec<(u64, i64)>,
}

/// How many messages were not taken, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    /// Readings further apart than `offset_ns_max`.
    pub implausible: u64,
    /// Older than the windows that are kept.
    pub too_old: u64,
    /// From or to a clock beyond `clocks_max`.
    pub too_many_clocks: u64,
}

/// The table.
#[derive(Debug, Clone)]
pub struct Estimator {
    settings: OffsetSettings,
    numbers: HashMap<ClockId, u32>,
    clocks: Vec<ClockRow>,
    windows: BTreeMap<i64, HashMap<(u32, u32), Evidence>>,
    evidence_count: usize,
    /// First window that may be written, once windows had to go.
    oldest: i64,
    ties: BTreeSet<(ClockId, ClockId)>,
    refused: Refused,
    /// Further clocks that are refused before room for them is made again.
    refusals_before_sweep: usize,
}

impl Estimator {
    /// An empty table.
    pub fn new(settings: OffsetSettings) -> Self {
        Self {
            settings,
            numbers: HashMap::new(),
            clocks: Vec::new(),
            windows: BTreeMap::new(),
            evidence_count: 0,
            oldest: i64::MIN,
            ties: BTreeSet::new(),
            refused: Refused::default(),
            refusals_before_sweep: 0,
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

    /// Takes a message into account.
    pub fn add(&mut self, message: &Message) {
        let bound_ns = message.received_ns.saturating_sub(message.sent_ns);
        let bound_ns = bound_ns.saturating_add(message.slack_ns.max(0));
        if message.from == message.to || self.is_implausible(bound_ns) {
            return;
        }
        let Some((from, to)) = self.pair(message.from, message.to) else { return };
        if let Some(row) = self.clocks.get_mut(from as usize) {
            row.sent.add(message.sent_ns);
        }
        if let Some(row) = self.clocks.get_mut(to as usize) {
            row.received.add(message.received_ns);
        }
        let certain = Some(Least { bound_ns, witness: message.witness });
        let evidence = Evidence { certain, messages: 1, ..Evidence::default() };
        self.merge(self.settings.window(message.axis_ns), (from, to), &evidence);
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
        let Some((client, server)) = self.pair(trip.client, trip.server) else { return };
        let window = self.settings.window(trip.axis_ns);
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
        if a != b && self.ties.len() < self.settings.clocks_max && self.pair(a, b).is_some() {
            self.ties.insert((a.min(b), a.max(b)));
        }
    }

    /// What is known of a clock by itself.
    pub fn clock(&self, clock: ClockId) -> ClockRow {
        let row = self.numbers.get(&clock).and_then(|number| self.clocks.get(*number as usize));
        row.copied().unwrap_or_else(|| ClockRow::new(clock))
    }

    /// All clocks that are known.
    pub fn clocks(&self) -> impl Iterator<Item = &ClockRow> {
        self.clocks.iter()
    }

    /// The whole table, oldest windows first, to be written down.
    pub fn rows(&self) -> impl Iterator<Item = PairRow> {
        self.windows.iter().flat_map(move |(window, pairs)| {
            pairs.iter().filter_map(move |((from, to), evidence)| {
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
        if row.from == row.to {
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
        self.merge(row.window, pair, &evidence);
    }

    /// Adds what was written down about a clock.
    pub fn merge_clock(&mut self, row: &ClockRow) {
        let Some(number) = self.number(row.clock) else { return };
        if let Some(own) = self.clocks.get_mut(number as usize) {
            own.sent.merge(row.sent);
            own.received.merge(row.received);
        }
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
        self.clocks.get(number as usize).map(|row| row.clock)
    }

    /// Evidence of the windows of a range, ascending.
    pub(super) fn evidence(
        &self,
        first: i64,
        last: i64,
    ) -> impl Iterator<Item = (i64, &HashMap<(u32, u32), Evidence>)> {
        let range = (first <= last).then(|| self.windows.range(first..=last));
        range.into_iter().flatten().map(|(window, pairs)| (*window, pairs))
    }

    /// Evidence of one pair and window.
    pub(super) fn evidence_of(&self, from: ClockId, to: ClockId, window: i64) -> Option<&Evidence> {
        let pair = (*self.numbers.get(&from)?, *self.numbers.get(&to)?);
        self.windows.get(&window)?.get(&pair)
    }

    fn is_implausible(&mut self, offset_ns: i64) -> bool {
        let is = offset_ns.unsigned_abs() > self.settings.offset_ns_max.unsigned_abs();
        self.refused.implausible += u64::from(is);
        is
    }

    fn pair(&mut self, from: ClockId, to: ClockId) -> Option<(u32, u32)> {
        let known = self.number(from).is_some() && self.number(to).is_some();
        // Making room for the second may have renumbered or forgotten the first.
        let pair = self.numbers.get(&from).copied().zip(self.numbers.get(&to).copied());
        let pair = pair.filter(|_| known);
        self.refused.too_many_clocks += u64::from(pair.is_none());
        pair
    }

    fn number(&mut self, clock: ClockId) -> Option<u32> {
        if let Some(number) = self.numbers.get(&clock) {
            return Some(*number);
        }
        if self.clocks.len() >= self.settings.clocks_max && !self.forget_clocks() {
            return None;
        }
        let number = self.clocks.len() as u32;
        self.clocks.push(ClockRow::new(clock));
        self.numbers.insert(clock, number);
        Some(number)
    }

    fn merge(&mut self, window: i64, pair: (u32, u32), evidence: &Evidence) {
        if window < self.oldest {
            self.refused.too_old += 1;
            return;
        }
        let own = self.windows.entry(window).or_default().entry(pair).or_insert_with(|| {
            self.evidence_count += 1;
            Evidence::default()
        });
        own.merge(evidence);
        while self.evidence_count > self.settings.evidence_max && self.drop_oldest() {}
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((gone, pairs)) = self.windows.pop_first() else { return false };
        self.evidence_count -= pairs.len();
        self.oldest = gone.saturating_add(1);
        true
    }

    /// Makes room for further clocks: the oldest quarter of the windows goes, and clocks that have no evidence then. Looks
    /// at the whole table, hence not for each clock that is refused.
    fn forget_clocks(&mut self) -> bool {
        if self.refusals_before_sweep > 0 {
            self.refusals_before_sweep -= 1;
            return false;
        }
        self.refusals_before_sweep = self.settings.clocks_max / 16;
        let oldest_quarter =
            self.windows.len().div_ceil(4).min(self.windows.len().saturating_sub(1));
        for _ in 0..oldest_quarter {
            self.drop_oldest();
        }
        let mut used = vec![false; self.clocks.len()];
        for (from, to) in self.windows.values().flat_map(HashMap::keys) {
            for number in [*from, *to] {
                used.get_mut(number as usize).into_iter().for_each(|used| *used = true);
            }
        }
        let mut renumbered = vec![0u32; used.len()];
        let mut kept = Vec::new();
        for ((row, used), renumbered) in self.clocks.iter().zip(used).zip(&mut renumbered) {
            *renumbered = kept.len() as u32;
            if used {
                kept.push(*row);
            }
        }
        let number = |old: u32| renumbered.get(old as usize).copied().unwrap_or(0);
        for pairs in self.windows.values_mut() {
            *pairs = std::mem::take(pairs)
                .into_iter()
                .map(|((from, to), evidence)| ((number(from), number(to)), evidence))
                .collect();
        }
        let has_room = kept.len() < self.clocks.len();
        self.clocks = kept;
        self.numbers =
            (0u32..).zip(&self.clocks).map(|(number, row)| (row.clock, number)).collect();
        self.ties.retain(|(a, b)| self.numbers.contains_key(a) && self.numbers.contains_key(b));
        has_room
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring ids give unrelated numbers.
const fn scattered(id: u64) -> u64 {
    let id = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let id = (id ^ (id >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    id ^ (id >> 31)
}
