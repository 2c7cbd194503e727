//! How two events relate, by the strongest class that says anything.
//!
//! | class | rests on |
//! |---|---|
//! | proven | recorded edges alone |
//! | bounded | readings that differ by more than clocks can, given bounds of their offset |
//! | inferred | recorded edges and conventions |
//! | guessed | readings corrected by the best estimate of the offset |
//!
//! A class is asked only when no stronger one decides, so a weaker one never contradicts it.

use super::build::{Order, Reading};
use super::reach::Step;
use super::span::Event;
use crate::ClockId;
use crate::offsets::Solver;

/// Contradictions that are listed; more say nothing new.
const CONTRADICTIONS_MAX: usize = 100;

/// What an order rests on, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Recorded edges prove it, whatever clocks do.
    Proven,
    /// Readings of clocks whose offset has a bound on both sides; assumes a bound of their rates and no unseen step.
    Bounded,
    /// At least one edge is a convention.
    Inferred,
    /// The best estimate says so.
    Guessed,
    /// Nothing says anything.
    Unknown,
}

/// How two events relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventOrder {
    /// The first is earlier.
    Before,
    /// The first is later.
    After,
    /// They are one event.
    Same,
    /// No order is known; which does not mean that there is none.
    Undecided,
}

/// How far corrected readings lie apart, and how uncertain the correction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// Distance of the corrected readings.
    pub margin_ns: i64,
    /// Half the width of the offset's interval; `None` where nothing bounds it.
    pub half_width_ns: Option<i64>,
}

/// How two events relate and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation {
    /// Which one is earlier.
    pub order: EventOrder,
    /// What that rests on.
    pub class: Class,
    /// Said where readings of clocks decide.
    pub margin: Option<Margin>,
}

impl Relation {
    const UNKNOWN: Self =
        Self { order: EventOrder::Undecided, class: Class::Unknown, margin: None };
}

impl Order {
    /// How two events relate. Without a solver of offsets nothing is bounded, and guesses compare raw readings.
    pub fn relation(&self, a: Event, b: Event, offsets: Option<&mut Solver<'_>>) -> Relation {
        let ends = self.vertex(a).zip(self.vertex(b));
        let Some((vertex_a, vertex_b)) = ends else { return Relation::UNKNOWN };
        let decided = |order, class| Relation { order, class, margin: None };
        if vertex_a == vertex_b {
            return decided(EventOrder::Same, Class::Proven);
        }
        if self.precedes(a, b) {
            return decided(EventOrder::Before, Class::Proven);
        }
        if self.precedes(b, a) {
            return decided(EventOrder::After, Class::Proven);
        }
        let by_clocks = self.by_clocks(a, b, offsets);
        if by_clocks.class == Class::Bounded {
            return by_clocks;
        }
        if self.is_inferred(a, b) {
            return decided(EventOrder::Before, Class::Inferred);
        }
        if self.is_inferred(b, a) {
            return decided(EventOrder::After, Class::Inferred);
        }
        by_clocks
    }

    /// What readings say: bounded if they lie further apart than the clocks can, else guessed.
    pub(crate) fn by_clocks(
        &self,
        a: Event,
        b: Event,
        offsets: Option<&mut Solver<'_>>,
    ) -> Relation {
        let Some((at_a, at_b)) = self.reading(a).zip(self.reading(b)) else {
            return Relation::UNKNOWN;
        };
        let apart_ns = at_b.at_ns.saturating_sub(at_a.at_ns);
        let mut margin = Margin { margin_ns: apart_ns, half_width_ns: None };
        if let Some(offsets) = offsets.filter(|_| at_a.clock != at_b.clock) {
            let forward = offsets.pair(at_a.clock, at_b.clock, at_a.axis_ns);
            let backward = offsets.pair(at_b.clock, at_a.clock, at_b.axis_ns);
            let estimate = offsets.estimate(at_a.clock, at_b.clock, at_a.axis_ns);
            margin = estimate.map_or(margin, |estimate| estimate.margin(apart_ns));
            let is_bounded = |upper_ns: Option<i64>,
                              apart_ns: i64,
                              (event, at): (Event, Reading)| {
                let blur_ns = offsets.blur_ns(at).saturating_add(cut_twice_ns(event, at, offsets));
                upper_ns.is_some_and(|upper| apart_ns.saturating_sub(blur_ns) > upper)
            };
            let bounded = |order| Relation { order, class: Class::Bounded, margin: Some(margin) };
            if is_bounded(forward.bound_ns(), apart_ns, (a, at_a)) {
                return bounded(EventOrder::Before);
            }
            if is_bounded(backward.bound_ns(), apart_ns.saturating_neg(), (b, at_b)) {
                return bounded(EventOrder::After);
            }
        }
        let order = match margin.margin_ns {
            0 => EventOrder::Undecided,
            1.. => EventOrder::Before,
            _ => EventOrder::After,
        };
        margin.margin_ns = margin.margin_ns.saturating_abs();
        Relation { order, class: Class::Guessed, margin: Some(margin) }
    }

    /// Proofs that bounds contradict, a hundred at most: a broken span, or a clock that broke what bounds assume. Proofs
    /// win. Linear in edges.
    pub fn contradicted_proofs(&self, offsets: &mut Solver<'_>) -> Vec<Step> {
        let mut found = Vec::new();
        let edges = self
            .sorted
            .iter()
            .flat_map(|from| self.proofs.of(*from).iter().map(|(to, kind)| (*from, *to, *kind)));
        for (from, to, kind) in edges {
            let Some((from, to)) = self.event(from).zip(self.event(to)) else { continue };
            let by_clocks = self.by_clocks(from, to, Some(offsets));
            if by_clocks.class == Class::Bounded && by_clocks.order == EventOrder::After {
                found.push(Step { from, to, kind });
            }
            if found.len() == CONTRADICTIONS_MAX {
                break;
            }
        }
        found
    }

    /// Whether it is excluded that `cause` caused `effect`: a cause has the smaller value on every chain of stamps. Says
    /// nothing about time.
    pub fn is_excluded_cause(&self, cause: Event, effect: Event) -> bool {
        let values = self.hlc(cause).zip(self.hlc(effect));
        // A stamp that was refused did not push its receiver ahead, so values say nothing about chains through it.
        let values = values.filter(|_| !self.has_rejections);
        values.is_some_and(|(cause, effect)| cause >= effect)
    }
}

/// What the end of an untagged span may be off by, beyond what its clock counts in: some tracers write down a start and a
/// duration, and cut both.
fn cut_twice_ns(event: Event, at: Reading, offsets: &Solver<'_>) -> i64 {
    let is_claimed = matches!(event, Event::End(_)) && !matches!(at.clock, ClockId::Node(_));
    if is_claimed { offsets.granularity_ns(at.clock) } else { 0 }
}
