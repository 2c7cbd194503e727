//! A report in few points, for drawing: neighbouring windows become one stretch, whose interval holds in all of them.
//!
//! ```text
//! windows   [--] [---] [--]  x  x [-----] [----]
//! stretches [---------------] xxxx [-----------]
//! ```
//!
//! An interval of a stretch is the hull of those it is made of, so extremes stay and nothing is claimed that did not hold
//! throughout. Windows of different states, windows apart, and both sides of a step become one only if there would still be
//! too many points else; then the stretch is worth what its worst window is.

use super::report::{ClockReport, ClockWindow};
use super::solver::{PairBounds, State};

/// Offset of a clock against the reference over neighbouring windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Start of the first window on the shared axis.
    pub start_ns: i64,
    /// End of the last one.
    pub end_ns: i64,
    /// How many windows with evidence it is made of.
    pub windows: u64,
    /// What holds in all of them; the point is that of a window in the middle, messages are those of all.
    pub bounds: PairBounds,
}

impl Stretch {
    fn of(window: &ClockWindow, window_ns: i64) -> Self {
        let end_ns = window.start_ns.saturating_add(window_ns);
        Self { start_ns: window.start_ns, end_ns, windows: 1, bounds: window.bounds }
    }

    /// Whether the other one goes on where this one ends, with nothing between them that tells them apart.
    fn goes_on_in(&self, next: &Self, steps: &[(i64, i64)]) -> bool {
        let is_step = |(since, until): &(i64, i64)| (*since..=*until).contains(&self.end_ns);
        self.bounds.state == next.bounds.state
            && self.end_ns == next.start_ns
            && !steps.iter().any(is_step)
    }

    fn joined(&self, next: &Self) -> Self {
        Self {
            start_ns: self.start_ns,
            end_ns: next.end_ns,
            windows: self.windows.saturating_add(next.windows),
            bounds: hull(&self.bounds, &next.bounds, self.windows >= next.windows),
        }
    }
}

impl ClockReport {
    /// The windows as `points_max` stretches at most. Each is as long as twice the ones before allow, until they are few
    /// enough; `window_ns` is the length of a window.
    pub fn thinned(&self, window_ns: i64, points_max: usize) -> Vec<Stretch> {
        let points_max = points_max.max(1);
        let mut stretches: Vec<Stretch> =
            self.windows.iter().map(|window| Stretch::of(window, window_ns)).collect();
        let count = stretches.len() as u64;
        let mut windows_max = 2;
        while stretches.len() > points_max && windows_max <= count.saturating_mul(2) {
            stretches = joined(&stretches, |last, next| {
                last.windows + next.windows <= windows_max && last.goes_on_in(next, &self.steps)
            });
            windows_max *= 2;
        }
        if stretches.len() > points_max {
            let each = stretches.len().div_ceil(points_max);
            let join =
                |part: &[Stretch]| part.iter().copied().reduce(|whole, next| whole.joined(&next));
            stretches = stretches.chunks(each).filter_map(join).collect();
        }
        stretches
    }
}

/// Joins neighbours that may be.
fn joined(stretches: &[Stretch], may_join: impl Fn(&Stretch, &Stretch) -> bool) -> Vec<Stretch> {
    let mut fewer: Vec<Stretch> = Vec::with_capacity(stretches.len() / 2 + 1);
    for next in stretches {
        match fewer.last_mut().filter(|last| may_join(last, next)) {
            Some(last) => *last = last.joined(next),
            None => fewer.push(*next),
        }
    }
    fewer
}

/// What holds wherever either of two does.
fn hull(a: &PairBounds, b: &PairBounds, is_point_of_a: bool) -> PairBounds {
    let (lo_ns, hi_ns) =
        (a.lo_ns.zip(b.lo_ns).map(|(a, b)| a.min(b)), a.hi_ns.zip(b.hi_ns).map(|(a, b)| a.max(b)));
    let is = |state: State| a.state == state || b.state == state;
    let state = match (lo_ns, hi_ns) {
        _ if is(State::Inconsistent) => State::Inconsistent,
        (Some(_), Some(_)) => State::TwoSided,
        (None, None) => State::None,
        _ => State::OneSided,
    };
    let (first, second) = if is_point_of_a { (a, b) } else { (b, a) };
    PairBounds {
        lo_ns,
        hi_ns,
        point_ns: first.point_ns.or(second.point_ns).filter(|_| state == State::TwoSided),
        likely_ns: a.likely_ns.zip(b.likely_ns).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))),
        state,
        messages: a.messages.saturating_add(b.messages),
    }
}
