//! Times on one clock, for drawing: each span is moved by the best estimate of its clock's offset, then as far forward as
//! proofs demand. A clock of which there is no estimate is moved as a whole, so that its spans keep their distances: only
//! where that is not enough are spans moved one by one. Raw times stay what they are; how far a span was moved, and how
//! sure that is, stands beside it.

use std::collections::{HashMap, HashSet};

use super::build::Order;
use super::faults::Fault;
use super::span::{Event, Span};
use crate::ClockId;
use crate::offsets::{Estimate, Solver};

/// Windows for which offsets are estimated; in a trace that spreads over more, later spans take the last estimate of
/// their clock.
const WINDOWS_MAX: usize = 1_024;

/// Rounds in which clocks without an estimate are moved; a clock that only such clocks reach takes one more than they do.
const LIFTS_MAX: usize = 8;

/// A span on the clock of reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aligned {
    /// Start, moved.
    pub start_ns: i64,
    /// End, moved; as long after the start as claimed, unless a proof demands more.
    pub end_ns: i64,
    /// By how much the start was moved.
    pub shift_ns: i64,
    /// Half the width of the interval the offset is known to lie in; `None` where nothing bounds it.
    pub half_width_ns: Option<i64>,
    /// Whether proofs moved the span further than the estimate did.
    pub is_pushed: bool,
}

impl Order {
    /// Aligned times of the spans that were ordered. No proven order is violated, but for starts that were backdated.
    /// Linear in spans and edges, besides estimating each clock once a window.
    pub fn aligned(
        &self,
        spans: &[Span],
        offsets: &mut Solver<'_>,
        reference: ClockId,
    ) -> Vec<Aligned> {
        let mut estimates = Estimates::new(offsets, reference);
        let mut times_ns = Vec::with_capacity(self.spans * 2 + self.ticks);
        let mut half_widths_ns = Vec::with_capacity(self.spans);
        for (index, span) in (0u32..).zip(spans).take(self.spans) {
            let reading = self.reading(Event::Start(index)).or(self.reading(Event::End(index)));
            let estimate = reading.and_then(|at| estimates.offset(at.clock, at.axis_ns));
            let offset_ns = estimate.map_or(0, |estimate| estimate.offset_ns);
            half_widths_ns.push(estimate.and_then(|estimate| estimate.half_width_ns));
            times_ns.extend([span.start_ns, span.end_ns].map(|ns| ns.saturating_sub(offset_ns)));
        }
        times_ns.resize(self.spans * 2, i64::MIN);
        for reading in self.readings.iter().skip(self.spans * 2) {
            let offset = reading.and_then(|at| estimates.offset(at.clock, at.axis_ns));
            let at_ns = reading.map_or(i64::MIN, |reading| reading.at_ns);
            times_ns.push(at_ns.saturating_sub(offset.map_or(0, |estimate| estimate.offset_ns)));
        }
        let mut is_pushed = self.lift_unknown(spans, &half_widths_ns, &mut times_ns);
        self.push_aligned(spans, &mut times_ns, &mut is_pushed);
        let ends = times_ns.chunks_exact(2).zip(spans).zip(half_widths_ns).zip(is_pushed);
        ends.map(|(((times, span), half_width_ns), is_pushed)| {
            let start_ns = times.first().copied().unwrap_or(span.start_ns);
            let end_ns = times.last().copied().unwrap_or(span.end_ns);
            let shift_ns = start_ns.saturating_sub(span.start_ns);
            Aligned { start_ns, end_ns, shift_ns, half_width_ns, is_pushed }
        })
        .collect()
    }

    /// Aligned times as one list, an entry for each event, as `causal_order` takes them; extra ticks by what they read.
    pub fn times_ns(&self, aligned: &[Aligned]) -> Vec<i64> {
        let of_spans = aligned.iter().take(self.spans);
        let mut times: Vec<i64> = of_spans.flat_map(|span| [span.start_ns, span.end_ns]).collect();
        times.resize(self.spans * 2, i64::MIN);
        let ticks = self.readings.iter().skip(self.spans * 2);
        times.extend(ticks.map(|reading| reading.map_or(i64::MIN, |reading| reading.at_ns)));
        times
    }

    /// Moves each clock without an estimate by the least that proofs from other clocks demand of any of its spans.
    /// Gives the spans that moved.
    fn lift_unknown(
        &self,
        spans: &[Span],
        half_widths_ns: &[Option<i64>],
        times_ns: &mut [i64],
    ) -> Vec<bool> {
        let mut is_lifted = vec![false; self.spans];
        let unknown_clock = |event: Event| {
            let (Event::Start(span) | Event::End(span)) = event else { return None };
            let is_unknown = half_widths_ns.get(span as usize).is_some_and(Option::is_none);
            spans.get(span as usize)?.wall.filter(|_| is_unknown)
        };
        for _ in 0..LIFTS_MAX {
            let mut lifts_ns: HashMap<ClockId, i64> = HashMap::new();
            for vertex in &self.sorted {
                let Some(own_ns) = times_ns.get(*vertex as usize).copied() else { continue };
                let from = self.event(*vertex).and_then(unknown_clock);
                for (later, _) in self.proofs.of(*vertex) {
                    let clock = self.event(*later).and_then(unknown_clock);
                    let Some(clock) = clock.filter(|clock| from != Some(*clock)) else { continue };
                    let late_ns =
                        times_ns.get(*later as usize).map_or(0, |ns| own_ns.saturating_sub(*ns));
                    if late_ns > 0 {
                        let lift_ns = lifts_ns.entry(clock).or_default();
                        *lift_ns = late_ns.max(*lift_ns);
                    }
                }
            }
            if lifts_ns.is_empty() {
                break;
            }
            let of_spans = times_ns.chunks_exact_mut(2).zip(&mut is_lifted);
            for (index, (times, is_lifted)) in (0u32..).zip(of_spans) {
                let clock = unknown_clock(Event::Start(index));
                let lift_ns = clock.and_then(|clock| lifts_ns.get(&clock)).copied().unwrap_or(0);
                times.iter_mut().for_each(|ns| *ns = ns.saturating_add(lift_ns));
                *is_lifted |= lift_ns > 0;
            }
        }
        is_lifted
    }

    /// Moves events so that none precedes what is proven to come before it. A start takes its end along.
    fn push_aligned(&self, spans: &[Span], times_ns: &mut [i64], is_pushed: &mut [bool]) {
        for vertex in &self.sorted {
            let Some(own_ns) = times_ns.get(*vertex as usize).copied() else { continue };
            if let Some(Event::Start(index)) = self.event(*vertex) {
                let span = spans.get(index as usize);
                let lasted_ns = span.map_or(0, |s| s.end_ns.saturating_sub(s.start_ns));
                let end = times_ns.get_mut(*vertex as usize + 1);
                end.into_iter().for_each(|e| *e = (*e).max(own_ns.saturating_add(lasted_ns)));
            }
            for (later, _) in self.proofs.of(*vertex) {
                // A backdated start claims a time before what made it; that claim is shown as it is.
                let is_claim = matches!(self.event(*later), Some(Event::Start(span))
                    if self.faults(span).contains(Fault::Backdated));
                let time = times_ns.get_mut(*later as usize);
                let Some(time) = time.filter(|time| **time < own_ns && !is_claim) else { continue };
                *time = own_ns;
                let pushed = is_pushed.get_mut(*later as usize / 2);
                pushed.into_iter().for_each(|pushed| *pushed = true);
            }
        }
    }
}

/// Offsets against the clock of reference, as they were asked for.
struct Estimates<'a, 't> {
    offsets: &'a mut Solver<'t>,
    reference: ClockId,
    windows: HashSet<i64>,
    known: HashMap<(ClockId, i64), Option<Estimate>>,
    last: HashMap<ClockId, Estimate>,
}

impl<'a, 't> Estimates<'a, 't> {
    fn new(offsets: &'a mut Solver<'t>, reference: ClockId) -> Self {
        let (windows, known, last) = (HashSet::new(), HashMap::new(), HashMap::new());
        Self { offsets, reference, windows, known, last }
    }

    /// Offset and half its interval's width.
    fn offset(&mut self, clock: ClockId, axis_ns: i64) -> Option<Estimate> {
        if clock == self.reference {
            return Some(Estimate { offset_ns: 0, half_width_ns: Some(0) });
        }
        let window = self.offsets.table().settings().window(axis_ns);
        if let Some(known) = self.known.get(&(clock, window)) {
            return *known;
        }
        if self.windows.len() >= WINDOWS_MAX && !self.windows.contains(&window) {
            return self.last.get(&clock).copied();
        }
        let estimate = self.offsets.estimate_in(self.reference, clock, window);
        self.windows.insert(window);
        self.known.insert((clock, window), estimate);
        if let Some(estimate) = estimate {
            self.last.insert(clock, estimate);
        }
        estimate
    }
}
