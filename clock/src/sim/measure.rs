//! Asks about pairs of events whose true order is known, and about offsets that are known, and counts what is right.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::jaeger_adjusted;
use super::random::Random;
use super::run::{Run, Trace};
use crate::ClockId;
use crate::offsets::{Estimator, OffsetSettings, Solver, State, observe, observe_arrivals};
use crate::order::{
    Aligned, Class, Event, EventOrder, Order, OrderError, OrderSettings, Relation, Span,
};

/// Upper ends of the ranges of distance in true time; the last one has none.
pub const DISTANCES_NS: [i64; 4] = [100_000, 1_000_000, 10_000_000, i64::MAX];

/// A way to tell which of two events was first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Claimed times.
    Wall,
    /// Claimed times as Jaeger's adjuster moves them.
    Jaeger,
    /// Claimed times as this crate moves them for drawing.
    Aligned,
    /// Values of hybrid clocks as if they were times.
    Hlc,
    /// Recorded edges.
    Proven,
    /// Bounds of offsets alone.
    Bounded,
    /// Either of the two.
    ProvenOrBounded,
    /// What only conventions tell.
    Inferred,
    /// What only estimates tell.
    Guessed,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Wall,
        Self::Jaeger,
        Self::Aligned,
        Self::Hlc,
        Self::Proven,
        Self::Bounded,
        Self::ProvenOrBounded,
        Self::Inferred,
        Self::Guessed,
    ];
}

/// How often a method was asked, decided, and was wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pairs asked about.
    pub asked: u64,
    /// Pairs it decided.
    pub decided: u64,
    /// Pairs it decided wrongly.
    pub wrong: u64,
}

impl Tally {
    /// Takes another tally into account.
    pub const fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.decided += other.decided;
        self.wrong += other.wrong;
    }
}

/// How good intervals of offsets are.
#[derive(Debug, Clone, Default)]
pub struct Intervals {
    /// Pairs and windows with bounds on both sides.
    pub two_sided: u64,
    /// Of those, where the true offset lies between them.
    pub contained: u64,
    /// Pairs and windows with bounds on one side.
    pub one_sided: u64,
    /// Pairs and windows that were given up.
    pub inconsistent: u64,
    /// Pairs and windows of which nothing is known.
    pub unknown: u64,
    /// Half-widths of all that are two-sided, ascending.
    pub half_widths_ns: Vec<i64>,
    /// Least half-widths that direct messages of each pair could give, ascending.
    pub limits_ns: Vec<i64>,
}

/// What was measured in one world.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// By method, and by distance in true time as in `DISTANCES_NS`.
    pub tallies: BTreeMap<Method, [Tally; DISTANCES_NS.len()]>,
    /// Intervals of offsets.
    pub intervals: Intervals,
    /// Spans of the world.
    pub spans: usize,
    /// Clocks that were found to have stepped.
    pub steps: usize,
}

impl Measured {
    /// A method at all distances together.
    pub fn total(&self, method: Method) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.get(&method).into_iter().flatten() {
            total.add(*tally);
        }
        total
    }
}

/// What is ordered together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// Each trace by itself.
    #[default]
    Trace,
    /// All traces as one, so that messages of other traces are evidence too.
    World,
}

/// How to measure.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// What is ordered together.
    pub scope: Scope,
    /// Pairs of each trace to ask about.
    pub pairs_per_trace: usize,
    /// How stamps are doubted.
    pub order: OrderSettings,
    /// What offsets assume.
    pub offsets: OffsetSettings,
    /// Whether hosts declare how far they are off, and the collector tells when it received spans.
    pub references: bool,
}

impl Default for Measure {
    fn default() -> Self {
        let (order, offsets) = (OrderSettings::default(), OffsetSettings::default());
        Self { scope: Scope::Trace, pairs_per_trace: 20, order, offsets, references: false }
    }
}

impl Measure {
    /// Measures a world that was played.
    pub fn run(&self, run: &Run) -> Result<Measured, OrderError> {
        let parts = self.parts(run)?;
        let mut table = Estimator::new(self.offsets);
        for (nth, part) in (0u64..).zip(&parts) {
            let witness = |span| nth << 32 | u64::from(span);
            observe(&mut table, &part.spans, &part.order, witness);
            if self.references {
                observe_arrivals(&mut table, &part.spans, &part.order, witness);
            }
        }
        if self.references {
            declare(run, &mut table);
        }
        let mut solver = Solver::new(&table);
        if let Some((first, last)) = table.window_range() {
            solver.close_windows(first..=last);
        }
        let mut measured = Measured { spans: run.span_count(), ..Measured::default() };
        let mut random = Random::new(0x6d65_6173_7572_6500);
        for part in &parts {
            let aligned = part.aligned(&mut solver);
            for (trace, begin) in &part.traces {
                let (order, adjusted) = (&part.order, jaeger_adjusted(&trace.spans));
                let (solver, begin, aligned) = (&mut solver, *begin, &aligned);
                let mut asked = Asked { trace, begin, order, adjusted, aligned, solver };
                for _ in 0..self.pairs_per_trace {
                    asked.one_pair(&mut random, &mut measured);
                }
            }
        }
        measure_intervals(run, &parts, &mut solver, &mut measured);
        Ok(measured)
    }

    fn parts<'a>(&self, run: &'a Run) -> Result<Vec<Part<'a>>, OrderError> {
        let part = |spans: Vec<Span>, traces: Vec<(&'a Trace, u32)>| {
            let mut order = Order::build(&spans, &[], &self.order)?;
            order.prepare();
            Ok(Part { spans, order, traces })
        };
        match self.scope {
            Scope::Trace => {
                let one = |trace: &'a Trace| part(trace.spans.clone(), vec![(trace, 0)]);
                run.traces.iter().map(one).collect()
            }
            Scope::World => {
                let (spans, begins) = run.together();
                Ok(vec![part(spans, run.traces.iter().zip(begins).collect())?])
            }
        }
    }
}

/// What hosts would declare that know exactly how far they are off: at the start or at the end, as rates are constant.
fn declare(run: &Run, table: &mut Estimator) {
    let last_ns = run.traces.iter().flat_map(|trace| &trace.true_ns).map(|(_, end)| *end).max();
    let clocks: Vec<ClockId> = table.clocks().map(|row| row.clock).collect();
    for clock in clocks.into_iter().filter(|clock| *clock != ClockId::Collector) {
        let offset_ns = |at_ns: i64| run.offset_ns(ClockId::Utc, clock, at_ns).map(f64::abs);
        let error_ns = offset_ns(0).into_iter().chain(offset_ns(last_ns.unwrap_or(0)));
        let error_ns = error_ns.fold(0.0, f64::max).ceil() as u64;
        table.declare(clock, error_ns);
    }
}

/// Spans that are ordered together, and where each trace begins among them.
struct Part<'a> {
    spans: Vec<Span>,
    order: Order,
    traces: Vec<(&'a Trace, u32)>,
}

impl Part<'_> {
    /// Times as they would be drawn, on the clock of the first span.
    fn aligned(&self, solver: &mut Solver<'_>) -> Vec<Aligned> {
        let first = self.order.reading(Event::Start(0));
        let reference = first.map_or(ClockId::Utc, |reading| reading.clock);
        self.order.aligned(&self.spans, solver, reference)
    }
}

struct Asked<'a, 's, 't> {
    trace: &'a Trace,
    begin: u32,
    order: &'a Order,
    adjusted: Vec<(i64, i64)>,
    aligned: &'a [Aligned],
    solver: &'s mut Solver<'t>,
}

impl Asked<'_, '_, '_> {
    /// Asks all methods about a random pair of events on different nodes.
    fn one_pair(&mut self, random: &mut Random, measured: &mut Measured) {
        let (a, b) = (self.event(random), self.event(random));
        let trace = self.trace;
        let Some((true_a, true_b)) = trace.true_time_ns(a).zip(trace.true_time_ns(b)) else {
            return;
        };
        if true_a == true_b || trace.node(a) == trace.node(b) {
            return;
        }
        let truth = if true_a < true_b { EventOrder::Before } else { EventOrder::After };
        let distance_ns = true_a.abs_diff(true_b);
        let range = DISTANCES_NS.iter().position(|end| distance_ns < end.unsigned_abs());
        let range = range.unwrap_or(DISTANCES_NS.len() - 1);
        let (own_a, own_b) = (self.within(a), self.within(b));
        let relation = self.order.relation(own_a, own_b, Some(self.solver));
        for method in Method::ALL {
            let answer = match method {
                Method::Wall => compared(self.claimed(a).zip(self.claimed(b))),
                Method::Jaeger => compared(self.moved(a).zip(self.moved(b))),
                Method::Aligned => compared(self.drawn(own_a).zip(self.drawn(own_b))),
                _ => self.answer(method, own_a, own_b, &relation),
            };
            let answer = answer.filter(|order| *order != EventOrder::Undecided);
            let tally = Tally {
                asked: 1,
                decided: u64::from(answer.is_some()),
                wrong: u64::from(answer.is_some_and(|answer| answer != truth)),
            };
            let tallies = measured.tallies.entry(method).or_default();
            tallies.get_mut(range).into_iter().for_each(|slot| slot.add(tally));
        }
    }

    fn event(&self, random: &mut Random) -> Event {
        let span = random.below(self.trace.spans.len() as u64) as u32;
        if random.chance(0.5) { Event::Start(span) } else { Event::End(span) }
    }

    /// The event among all that are ordered together.
    fn within(&self, event: Event) -> Event {
        match event {
            Event::Start(span) => Event::Start(span + self.begin),
            Event::End(span) => Event::End(span + self.begin),
            Event::Tick(tick) => Event::Tick(tick),
        }
    }

    fn answer(
        &mut self,
        method: Method,
        a: Event,
        b: Event,
        found: &Relation,
    ) -> Option<EventOrder> {
        let of_class = |class: Class| (found.class == class).then_some(found.order);
        match method {
            Method::Hlc => compared(self.order.hlc(a).zip(self.order.hlc(b))),
            Method::Proven => of_class(Class::Proven),
            Method::Bounded => {
                let by_clocks = self.order.by_clocks(a, b, Some(self.solver));
                (by_clocks.class == Class::Bounded).then_some(by_clocks.order)
            }
            Method::ProvenOrBounded => of_class(Class::Proven).or_else(|| of_class(Class::Bounded)),
            Method::Inferred => of_class(Class::Inferred),
            Method::Guessed => of_class(Class::Guessed),
            Method::Wall | Method::Jaeger | Method::Aligned => None,
        }
    }

    fn claimed(&self, event: Event) -> Option<i64> {
        match event {
            Event::Start(span) => self.trace.spans.get(span as usize).map(|s| s.start_ns),
            Event::End(span) => self.trace.spans.get(span as usize).map(|s| s.end_ns),
            Event::Tick(_) => None,
        }
    }

    fn moved(&self, event: Event) -> Option<i64> {
        match event {
            Event::Start(span) => self.adjusted.get(span as usize).map(|(start, _)| *start),
            Event::End(span) => self.adjusted.get(span as usize).map(|(_, end)| *end),
            Event::Tick(_) => None,
        }
    }

    fn drawn(&self, event: Event) -> Option<i64> {
        match event {
            Event::Start(span) => self.aligned.get(span as usize).map(|span| span.start_ns),
            Event::End(span) => self.aligned.get(span as usize).map(|span| span.end_ns),
            Event::Tick(_) => None,
        }
    }
}

fn compared(values: Option<(i64, i64)>) -> Option<EventOrder> {
    values.map(|(a, b)| match a.cmp(&b) {
        std::cmp::Ordering::Less => EventOrder::Before,
        std::cmp::Ordering::Greater => EventOrder::After,
        std::cmp::Ordering::Equal => EventOrder::Undecided,
    })
}

/// When a clock was read, and what the reading's distance from the axis takes from every bound.
type Moment = (i64, i64);

/// Compares intervals with true offsets, at the first and last event of each clock in each window: those are the moments
/// at which an order may rest on them.
fn measure_intervals(
    run: &Run,
    parts: &[Part<'_>],
    solver: &mut Solver<'_>,
    measured: &mut Measured,
) {
    let mut moments: BTreeMap<(i64, ClockId), (Moment, Moment)> = BTreeMap::new();
    for (part, (trace, begin)) in parts.iter().flat_map(|p| p.traces.iter().map(move |t| (p, t))) {
        for (span, (start_ns, end_ns)) in (*begin..).zip(&trace.true_ns) {
            for (event, at_ns) in [(Event::Start(span), *start_ns), (Event::End(span), *end_ns)] {
                let Some(reading) = part.order.reading(event) else { continue };
                let window = solver.table().settings().window(reading.axis_ns);
                let drift_ns = solver.table().settings().drift_over_ns(reading.axis_gap_ns());
                let moment = (at_ns, drift_ns);
                let seen = moments.entry((window, reading.clock)).or_insert((moment, moment));
                *seen = (seen.0.min(moment), seen.1.max(moment));
            }
        }
    }
    let found = &mut measured.intervals;
    let mut stepped = BTreeSet::new();
    for ((window, clock), (first, last)) in moments {
        stepped.extend(solver.steps(window).iter().map(|step| step.clock));
        for other in solver.clocks(window).iter().copied() {
            if other == clock {
                continue;
            }
            let pair = solver.pair_in(clock, other, window);
            match pair.state {
                State::TwoSided => {}
                State::OneSided => found.one_sided += 1,
                State::Inconsistent => found.inconsistent += 1,
                State::None => found.unknown += 1,
            }
            let Some((lo, hi)) = pair.lo_ns.zip(pair.hi_ns) else { continue };
            let is_inside = |(at_ns, drift_ns): Moment| {
                let offset = run.offset_ns(clock, other, at_ns);
                // Readings are rounded to whole nanoseconds.
                let slack = drift_ns as f64 + 2.0;
                offset.is_some_and(|ns| ns >= lo as f64 - slack && ns <= hi as f64 + slack)
            };
            found.two_sided += 1;
            found.contained += u64::from(is_inside(first) && is_inside(last));
            found.half_widths_ns.push((hi - lo) / 2);
        }
    }
    measured.steps = stepped.len();
    found.half_widths_ns.sort_unstable();
    let nodes = run.clocks.len();
    let pairs = (0..nodes).flat_map(|a| (0..a).map(move |b| (a, b)));
    found.limits_ns = pairs.filter_map(|(a, b)| run.limit_ns(a, b)).collect();
    found.limits_ns.sort_unstable();
}
