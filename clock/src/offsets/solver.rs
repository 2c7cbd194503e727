//! Bounds of offsets, on demand.

use crate::ClockId;
use crate::order::Margin;

/// What is known about the offset of two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Bounded from both sides.
    TwoSided,
    /// Bounded from one side.
    OneSided,
    /// No message connects the clocks.
    None,
    /// The evidence contradicts itself.
    Inconsistent,
}

/// Offset of one clock against another in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairBounds {
    /// Least possible offset.
    pub lo_ns: Option<i64>,
    /// Largest possible offset.
    pub hi_ns: Option<i64>,
    /// Best estimate, where there are bounds on both sides.
    pub point_ns: Option<i64>,
    /// What that is worth.
    pub state: State,
}

impl PairBounds {
    /// The upper bound that an order may rest on.
    pub fn bound_ns(&self) -> Option<i64> {
        self.hi_ns.filter(|_| self.state == State::TwoSided)
    }

    /// How far readings are apart once the offset is taken out.
    pub fn margin(&self, apart_ns: i64) -> Option<Margin> {
        let half_width_ns = self.lo_ns.zip(self.hi_ns).map(|(lo, hi)| hi.saturating_sub(lo) / 2);
        let point_ns = self.point_ns?;
        Some(Margin { margin_ns: apart_ns.saturating_sub(point_ns), half_width_ns })
    }
}

/// Answers questions about offsets.
#[derive(Debug)]
pub struct Solver<'a> {
    pairs: &'a [(ClockId, ClockId, PairBounds)],
}

impl Solver<'_> {
    /// Offset of `to` minus offset of `from`.
    pub fn pair(&mut self, from: ClockId, to: ClockId, _axis_ns: i64) -> PairBounds {
        let found = self.pairs.iter().find(|(a, b, _)| (*a, *b) == (from, to));
        let none = PairBounds { lo_ns: None, hi_ns: None, point_ns: None, state: State::None };
        found.map_or(none, |(_, _, bounds)| *bounds)
    }

    /// The step in which a clock counts.
    pub fn granularity_ns(&self, _clock: ClockId) -> i64 {
        0
    }
}
