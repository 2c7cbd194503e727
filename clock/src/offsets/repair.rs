//! Makes the bounds of one window consistent, by giving up as little as explains the contradiction.
//!
//! A cycle of bounds with negative length holds at least one that is wrong. What is given up, in this order:
//! 1. that two clocks of one host are one, or as right as declared;
//! 2. a lone witness: one message whose removal repairs the cycle by itself, of a pair with a hundred times as many;
//! 3. that a clock ran unbroken: its evidence is cut where it steps, and only the side of the window is used. The step is
//!    bracketed by how far evidence from either end agrees; within the bracket the clock is void;
//! 4. all clocks that the contradiction reaches.
//!
//! The outcome is a function of the table and the window alone. Work is bounded: beyond `LOOKS_MAX` looks at evidence, or
//! `REPAIRS_MAX` repairs, what still contradicts itself is void.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use super::closure::{Bound, Closure, Contradiction, Source, is_consistent};
use super::history::{History, Pair, Tie};
use crate::ClockId;
use crate::graph::{Adjacency, Edge, at, components};

/// Repairs of one window before the rest is void.
const REPAIRS_MAX: usize = 64;
/// Looks at single pieces of evidence while repairing one window, some tenths of a second of work.
const LOOKS_MAX: usize = 50_000_000;
/// Of so many messages of a pair one may be taken for wrong.
const MESSAGES_PER_WITNESS: u64 = 100;

/// What had to be given up, and what is left.
#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) closure: Closure,
    /// Clocks of which nothing can be said in this window.
    pub(super) void: HashSet<u32>,
    /// Clocks that stepped, with the first and last window the step may lie in.
    pub(super) steps: Vec<(u32, RangeInclusive<i64>)>,
    /// Witnesses that were taken for wrong.
    pub(super) quarantined: Vec<u64>,
}

/// Bounds of a window from evidence of it and around it; consistent ones, whatever that takes.
/// `far_ties` are those of clocks of which nothing is known in the window or around it.
pub(super) fn close(
    history: &History<'_>,
    window: i64,
    bounds: Vec<Bound>,
    far_ties: HashSet<u32>,
) -> Repaired {
    let clocks = history.clocks.len();
    let mut repair = Repair { untied: far_ties, ..Repair::new(history, window) };
    let mut bounds = bounds;
    loop {
        match Closure::build(clocks, bounds) {
            Ok(closure) => return repair.done(closure),
            Err(contradiction) => {
                repair.resolve(&contradiction);
                bounds = repair.bounds(None);
            }
        }
    }
}

/// A clock whose evidence is used from some windows only, or not at all.
type Only = (u32, Option<RangeInclusive<i64>>);

struct Repair<'a> {
    history: &'a History<'a>,
    window: i64,
    untied: HashSet<u32>,
    quarantined: HashSet<(u32, i64)>,
    witnesses: Vec<u64>,
    /// Windows whose evidence of a clock may be used, where that is not all.
    usable: HashMap<u32, RangeInclusive<i64>>,
    void: HashSet<u32>,
    steps: Vec<(u32, RangeInclusive<i64>)>,
    repairs: usize,
    looks: usize,
}

impl<'a> Repair<'a> {
    fn new(history: &'a History<'a>, window: i64) -> Self {
        Self {
            history,
            window,
            untied: HashSet::new(),
            quarantined: HashSet::new(),
            witnesses: Vec::new(),
            usable: HashMap::new(),
            void: HashSet::new(),
            steps: Vec::new(),
            repairs: 0,
            looks: 0,
        }
    }

    fn done(self, closure: Closure) -> Repaired {
        let (void, steps, quarantined) = (self.void, self.steps, self.witnesses);
        Repaired { closure, void, steps, quarantined }
    }

    fn resolve(&mut self, contradiction: &Contradiction) {
        self.repairs += 1;
        if self.repairs > REPAIRS_MAX || self.looks > LOOKS_MAX || contradiction.is_empty() {
            // What is left goes all at once, so the next try has nothing to contradict.
            self.void.extend((0u32..).take(self.history.clocks.len()));
            return;
        }
        let _ = self.untie(contradiction)
            || self.quarantine(contradiction)
            || self.split(contradiction)
            || self.void_all(contradiction);
    }

    fn untie(&mut self, contradiction: &Contradiction) -> bool {
        let before = self.untied.len();
        self.untied.extend(contradiction.iter().filter_map(|bound| match bound.source {
            Source::Tie { tie } => Some(tie),
            _ => None,
        }));
        self.untied.len() > before
    }

    /// Takes the witness that stands out most for wrong, if it alone explains the contradiction.
    fn quarantine(&mut self, contradiction: &Contradiction) -> bool {
        let missing: i128 = contradiction.iter().map(|bound| -i128::from(bound.bound_ns)).sum();
        let mut worst: Option<(i128, (u32, i64), u64)> = None;
        for bound in contradiction {
            let Source::Message { pair: index, window, witness } = bound.source else { continue };
            let Some(pair) = self.history.pairs.get(index as usize) else { continue };
            if !self.may_lose_a_witness(index, pair) {
                continue;
            }
            self.quarantined.insert((index, window));
            let without = self.bound(index, pair, None);
            self.quarantined.remove(&(index, window));
            let Some(without) = without else { continue };
            let gap = i128::from(without.bound_ns) - i128::from(bound.bound_ns);
            if gap >= missing && worst.is_none_or(|(most, ..)| gap > most) {
                worst = Some((gap, (index, window), witness));
            }
        }
        let Some((_, entry, witness)) = worst else { return false };
        self.quarantined.insert(entry);
        self.witnesses.push(witness);
        true
    }

    fn may_lose_a_witness(&self, index: u32, pair: &Pair<'_>) -> bool {
        let windows = self.history.windows_for(self.window);
        let near = pair.certain.iter().filter(|entry| windows.contains(&entry.window));
        let messages = near.fold(0u64, |sum, entry| sum.saturating_add(entry.messages));
        let lost = self.quarantined.iter().filter(|(pair, _)| *pair == index).count() as u64;
        (lost + 1).saturating_mul(MESSAGES_PER_WITNESS) <= messages
    }

    /// Cuts the evidence of the clock that must have stepped, if one alone explains the contradiction.
    fn split(&mut self, contradiction: &Contradiction) -> bool {
        let Some(part) = self.part_of(contradiction) else { return false };
        let mut suspects: Vec<u32> = contradiction.iter().map(|bound| bound.from).collect();
        suspects.retain(|clock| self.is_consistent(&part, *clock, None));
        // Two clocks alone cannot tell which of them stepped; then it is the one that fewer others know.
        let neighbours =
            |clock: u32| part.iter().filter(|(a, b)| *a == clock || *b == clock).count();
        suspects.sort_unstable_by_key(|clock| (neighbours(*clock), u32::MAX - *clock));
        let Some(clock) = suspects.first().copied() else { return false };

        let all = self.usable_of(clock);
        let (start, end) = (*all.start(), *all.end());
        let old_until = last_true(start - 1, end, |until| {
            self.is_consistent(&part, clock, Some(start..=until))
        });
        let new_since = -last_true(-end - 1, -start, |since| {
            self.is_consistent(&part, clock, Some(-since..=end))
        });
        let first = (new_since - 1).min(old_until + 1);
        let last = (new_since - 1).max(old_until + 1);
        self.steps.push((clock, first..=last));
        if self.window < first {
            self.usable.insert(clock, start..=first - 1);
        } else if self.window > last {
            self.usable.insert(clock, last + 1..=end);
        } else {
            self.void.insert(clock);
        }
        true
    }

    fn void_all(&mut self, contradiction: &Contradiction) -> bool {
        let part = self.part_of(contradiction).unwrap_or_default();
        self.void.extend(part.into_iter().flat_map(|(from, to)| [from, to]));
        self.void.extend(contradiction.iter().map(|bound| bound.from));
        true
    }

    /// The pairs among the clocks that reach the contradiction and are reached from it, but not by what is declared: else
    /// all that declare something would be in doubt together. `None` once too much work was done to look further.
    fn part_of(&mut self, contradiction: &Contradiction) -> Option<HashSet<(u32, u32)>> {
        let mut bounds = self.bounds(None);
        let is_utc = |clock: u32| self.history.clocks.get(clock as usize) == Some(&ClockId::Utc);
        bounds.retain(|bound| !is_utc(bound.from) && !is_utc(bound.to));
        let edges: Vec<Edge<()>> =
            bounds.iter().map(|b| Edge { from: b.from, to: b.to, label: () }).collect();
        let component = components(&[&Adjacency::outgoing(self.history.clocks.len(), &edges)]);
        let own = at(&component, contradiction.first()?.from);
        let inside = |clock: u32| at(&component, clock) == own;
        let pairs = bounds.iter().map(|bound| (bound.from, bound.to));
        (self.looks <= LOOKS_MAX).then(|| pairs.filter(|(a, b)| inside(*a) && inside(*b)).collect())
    }

    /// Whether the bounds of some pairs agree if the evidence of one clock is used from some windows only, or not at all.
    fn is_consistent(
        &mut self,
        part: &HashSet<(u32, u32)>,
        clock: u32,
        windows: Option<RangeInclusive<i64>>,
    ) -> bool {
        let bounds: Vec<Bound> = self
            .bounds(Some(&(clock, windows)))
            .into_iter()
            .filter(|bound| part.contains(&(bound.from, bound.to)))
            .collect();
        is_consistent(self.history.clocks.len(), &bounds)
    }

    /// All bounds that are still believed; with evidence of one clock from some windows only, or none.
    fn bounds(&mut self, only: Option<&Only>) -> Vec<Bound> {
        let mut bounds = Vec::with_capacity(self.history.pairs.len());
        let mut looks = self.history.ties.len();
        for (index, pair) in (0u32..).zip(&self.history.pairs) {
            looks += pair.certain.len() + 1;
            bounds.extend(self.bound(index, pair, only));
        }
        self.looks = self.looks.saturating_add(looks);
        let is_void = |clock: u32| {
            self.void.contains(&clock) || only.is_some_and(|(c, w)| *c == clock && w.is_none())
        };
        let ties = (0u32..).zip(&self.history.ties).filter(|(index, tie)| {
            !self.untied.contains(index) && !is_void(tie.a) && !is_void(tie.b)
        });
        bounds.extend(ties.flat_map(|(index, tie)| tie_bounds(index, tie)));
        bounds
    }

    fn bound(&self, index: u32, pair: &Pair<'_>, only: Option<&Only>) -> Option<Bound> {
        if self.void.contains(&pair.from) || self.void.contains(&pair.to) {
            return None;
        }
        let mut windows = intersection(&self.usable_of(pair.from), &self.usable_of(pair.to));
        if let Some((_, range)) = only.filter(|(clock, _)| *clock == pair.from || *clock == pair.to)
        {
            windows = intersection(&windows, range.as_ref()?);
        }
        let is_quarantined = |window: i64| self.quarantined.contains(&(index, window));
        let aged = if self.quarantined.iter().any(|(pair, _)| *pair == index) {
            let kept: Vec<_> =
                pair.certain.iter().filter(|e| !is_quarantined(e.window)).copied().collect();
            self.history.at(&kept, self.window, &windows)?
        } else {
            self.history.at(&pair.certain, self.window, &windows)?
        };
        Some(Bound {
            from: pair.from,
            to: pair.to,
            bound_ns: aged.bound_ns.saturating_add(pair.slack_ns),
            source: Source::Message { pair: index, window: aged.window, witness: aged.witness },
        })
    }

    fn usable_of(&self, clock: u32) -> RangeInclusive<i64> {
        let all = || self.history.windows_for(self.window);
        self.usable.get(&clock).cloned().unwrap_or_else(all)
    }
}

/// What two clocks that are one say about each other.
pub(super) fn tie_bounds(index: u32, tie: &Tie) -> [Bound; 2] {
    let bound =
        |from, to, bound_ns| Bound { from, to, bound_ns, source: Source::Tie { tie: index } };
    [bound(tie.a, tie.b, tie.slack_ns[1]), bound(tie.b, tie.a, tie.slack_ns[0])]
}

fn intersection(a: &RangeInclusive<i64>, b: &RangeInclusive<i64>) -> RangeInclusive<i64> {
    *a.start().max(b.start())..=*a.end().min(b.end())
}

/// The largest value for which a test holds that holds up to some value and never again; `low` must pass.
fn last_true(low: i64, high: i64, mut test: impl FnMut(i64) -> bool) -> i64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if test(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}
