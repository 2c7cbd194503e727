//! The gate: whatever the world is like, nothing that is called proven is wrong; wherever clocks keep what is assumed of
//! them, nothing bounded is wrong and every interval holds the true offset.

use super::measure::{Measure, Measured, Method, Scope, Tally};
use super::random::Random;
use super::run::{Run, Trace};
use super::world::{Ahead, Level, Shape, Step, World};
use crate::ClockId;
use crate::offsets::{Estimator, OffsetSettings, Solver, observe};
use crate::order::{Event, Order, OrderSettings, SpanOrder};

/// Worlds that are played.
const SEEDS: u64 = 300;

/// What a world does that it must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    UnnoticedStep,
    Rate,
    Poison,
    Clones,
}

/// A small world of any kind; every third one breaks what bounds assume.
fn world(seed: u64) -> (World, Broken) {
    let mut random = Random::new(seed ^ 0x6761_7465);
    let nodes = 3 + random.below(6) as usize;
    let any_level = |random: &mut Random| {
        let levels = [Level::Stock, Level::Propagates, Level::Tags, Level::Responds];
        levels[random.below(4) as usize]
    };
    let levels = match random.below(5) {
        0 => vec![Level::Stock],
        1 => vec![Level::Tags],
        2 => (0..nodes).map(|_| any_level(&mut random)).collect(),
        _ => vec![Level::Responds],
    };
    let mut world = World {
        seed,
        nodes,
        levels,
        shape: if random.chance(0.4) { Shape::Layered } else { Shape::Mesh },
        duration_ns: 2_500_000_000,
        traces_per_s: random.between(20.0, 80.0),
        offset_sd_ns: [1e6, 20e6, 500e6][random.below(3) as usize],
        coarse_share: [0.0, 0.0, 0.4][random.below(3) as usize],
        late_share: random.between(0.0, 0.2),
        rate_ppm_max: [30.0, 99.0][random.below(2) as usize],
        ..World::default()
    };
    let node = random.below(nodes as u64) as usize;
    let step = Step { node, at_ns: 1_300_000_000, by_ns: 0, is_noticed: false };
    let broken = match seed % 12 {
        0 => Broken::UnnoticedStep,
        3 => Broken::Rate,
        6 => Broken::Poison,
        9 => Broken::Clones,
        _ => Broken::Nothing,
    };
    match broken {
        Broken::UnnoticedStep => {
            let by_ns = random.normal(20e6) as i64;
            world.step = Some(Step { by_ns, ..step });
        }
        Broken::Rate => world.rate_ppm_max = 5_000.0,
        Broken::Poison => {
            world.ahead = Some(Ahead { node, by_ns: 10_000_000_000 });
            world.offset_ns_max = if random.chance(0.5) { i64::MAX } else { 500_000_000 };
        }
        // A clone that stamps messages but no spans cannot be seen.
        Broken::Clones => {
            world.levels = vec![Level::Responds];
            world.clones = Some((node, (node + 1) % nodes));
        }
        // Noticed steps keep the assumption: the clock after one is another clock.
        Broken::Nothing if random.chance(0.25) => {
            world.levels = vec![Level::Responds];
            world.step = Some(Step { by_ns: 30_000_000, is_noticed: true, ..step });
        }
        Broken::Nothing => {}
    }
    (world, broken)
}

fn measured(run: &Run, seed: u64) -> Measured {
    let scope = if seed.is_multiple_of(4) { Scope::World } else { Scope::Trace };
    let measure = Measure { scope, pairs_per_trace: 25, ..Measure::default() };
    measure.run(run).expect("few spans")
}

#[test]
fn nothing_proven_is_wrong_and_nothing_bounded_where_assumptions_hold() {
    let (mut proven, mut bounded, mut intervals) = (0, 0, 0);
    let mut wrong_where_broken = 0;
    let mut failures = Vec::new();
    for seed in 0..SEEDS {
        let (world, broken) = world(seed);
        let measured = measured(&Run::play(&world), seed);
        let of_proofs = measured.total(Method::Proven);
        let of_bounds = measured.total(Method::Bounded);
        let found = &measured.intervals;
        let uncontained = found.two_sided - found.contained;
        if of_proofs.wrong > 0 {
            failures.push(format!("seed {seed}, {broken:?}: {} wrong proofs", of_proofs.wrong));
        }
        proven += of_proofs.decided;
        if broken == Broken::Nothing {
            let wrong = of_bounds.wrong;
            if wrong > 0 || uncontained > 0 {
                failures
                    .push(format!("seed {seed}: {wrong} wrong bounds, {uncontained} intervals"));
            }
            bounded += of_bounds.decided;
            intervals += found.two_sided;
        } else {
            wrong_where_broken += of_bounds.wrong + uncontained;
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    // The gate could fail: much was decided, and what is assumed matters.
    assert!(
        proven > 100_000 && bounded > 100_000 && intervals > 30_000,
        "{proven} {bounded} {intervals}"
    );
    assert!(wrong_where_broken > 0);
}

/// Clocks that are far apart refuse each other's stamps, or have none to exchange, so they disagree about where on the
/// shared axis they are. Bounds that ignore that are too tight in these worlds, whose clocks run as fast as is assumed.
#[test]
fn clocks_far_apart_that_drift_as_fast_as_allowed_are_bounded_rightly() {
    let mut decided = 0;
    for (level, seeds) in
        [(Level::Stock, [29, 44, 151, 267]), (Level::Responds, [80, 86, 108, 130])]
    {
        for seed in seeds {
            let mut random = Random::new(seed);
            let nodes = 3 + random.below(6) as usize;
            let is_layered = random.chance(0.5);
            let world = World {
                seed,
                nodes,
                levels: vec![level],
                duration_ns: 2_500_000_000,
                shape: if is_layered { Shape::Layered } else { Shape::Mesh },
                traces_per_s: random.between(20.0, 80.0),
                offset_sd_ns: 500e6,
                rate_ppm_max: 99.0,
                late_share: 0.1,
                ..World::default()
            };
            let measured = measured(&Run::play(&world), 1);
            let (bounds, found) = (measured.total(Method::Bounded), measured.intervals);
            assert_eq!((bounds.wrong, found.two_sided - found.contained), (0, 0), "seed {seed}");
            decided += bounds.decided;
        }
    }
    assert!(decided > 5_000, "{decided}");
}

/// What hosts declare, and when spans arrived, is evidence like any other: it decides more, and nothing wrongly.
#[test]
fn declared_errors_and_arrivals_bound_rightly() {
    for (seed, level) in [(1, Level::Stock), (2, Level::Tags), (3, Level::Responds)] {
        for shape in [Shape::Layered, Shape::Mesh] {
            let world = World {
                seed,
                shape,
                levels: vec![level],
                nodes: 6,
                duration_ns: 2_500_000_000,
                offset_sd_ns: 5e6,
                rate_ppm_max: 99.0,
                coarse_share: 0.3,
                ..World::default()
            };
            let run = Run::play(&world);
            let [without, with] = [false, true].map(|references| {
                let measure = Measure { references, ..Measure::default() };
                measure.run(&run).expect("few spans")
            });
            let bounded = |measured: &Measured| measured.total(Method::Bounded);
            assert_eq!((bounded(&with).wrong, with.total(Method::Proven).wrong), (0, 0));
            let found = &with.intervals;
            assert_eq!(found.two_sided, found.contained, "{world:?}");
            // The collector is bounded on one side, and all others on both.
            assert!(found.one_sided > 0 && found.two_sided > without.intervals.two_sided);
            assert!(bounded(&with).decided >= bounded(&without).decided);
            if shape == Shape::Layered && level != Level::Responds {
                assert_eq!(bounded(&without).decided, 0);
                let Tally { asked, decided, .. } = bounded(&with);
                assert!(decided * 2 > asked, "{decided} of {asked}");
            }
        }
    }
}

#[test]
fn cones_cuts_lines_and_aligned_times_agree_with_the_truth() {
    for seed in 0..40 {
        let (world, broken) = world(seed);
        let run = Run::play(&world);
        let mut table = Estimator::new(OffsetSettings::default());
        for trace in &run.traces {
            let order = order_of(trace);
            observe(&mut table, &trace.spans, &order, u64::from);
        }
        let mut solver = Solver::new(&table);
        for trace in run.traces.iter().step_by(5) {
            let order = order_of(trace);
            cones_hold(&order, trace, seed);
            cuts_hold(&order, trace, seed);
            lines_hold(&order, trace, &mut solver, seed, broken);
        }
    }
}

fn order_of(trace: &Trace) -> Order {
    Order::build(&trace.spans, &[], &OrderSettings::default()).expect("few spans")
}

fn cones_hold(order: &Order, trace: &Trace, seed: u64) {
    for span in (0..trace.spans.len() as u32).step_by(3) {
        let (start, end) = trace.true_ns[span as usize];
        for (other, (found, (other_start, other_end))) in
            order.cone(span).iter().zip(&trace.true_ns).enumerate()
        {
            let holds = match found {
                SpanOrder::Before => end <= *other_start,
                SpanOrder::After => *other_end <= start,
                SpanOrder::Contains => start <= *other_start && *other_end <= end,
                SpanOrder::Inside => *other_start <= start && end <= *other_end,
                SpanOrder::Overlaps => start <= *other_end && *other_start <= end,
                SpanOrder::Same => other as u32 == span,
                SpanOrder::Undecided => true,
            };
            assert!(holds, "seed {seed}: span {span} {found:?} span {other}");
        }
    }
}

/// A cut at any moment counts nothing without what is proven to precede it: no open span starts after one that is not
/// counted has ended.
fn cuts_hold(order: &Order, trace: &Trace, seed: u64) {
    let Some(first) = order.reading(Event::Start(0)) else { return };
    for after_ns in [1_000_000, 5_000_000, 40_000_000] {
        let cut = order.open_at(first.axis_ns + after_ns);
        for open in &cut.open {
            let later = order.cone(*open);
            let contradicts =
                |other: &&u32| later.get(**other as usize) == Some(&SpanOrder::Before);
            let found = cut.open.iter().find(contradicts);
            assert_eq!(found, None, "seed {seed}: {open} ended before another open span started");
        }
        assert!(cut.pulled <= cut.events && cut.events <= trace.spans.len() * 2);
    }
}

fn lines_hold(order: &Order, trace: &Trace, solver: &mut Solver<'_>, seed: u64, broken: Broken) {
    let reference = order.reading(Event::Start(0)).map_or(ClockId::Collector, |r| r.clock);
    let aligned = order.aligned(&trace.spans, solver, reference);
    let times = order.times_ns(&aligned);
    let line = order.causal_order(&times);
    let place = |event: Event| line.iter().position(|other| *other == event);
    let events: Vec<Event> = order.events().collect();
    let mut random = Random::new(seed);
    let any = |random: &mut Random| random.below(events.len() as u64) as usize;
    for _ in 0..200 {
        let (a, b) = (any(&mut random), any(&mut random));
        if order.precedes(events[a], events[b]) {
            assert!(place(events[a]) < place(events[b]), "seed {seed}: line");
            assert!(times[a] <= times[b], "seed {seed}, {broken:?}: aligned {a} {b}");
        }
    }
}

/// Whoever asks and hears late or no answers has bounds of one side only, or none: then guesses rest on round trips, else on
/// the side that is bounded. Both are far better than what clocks show, and change nothing that is proven or bounded.
#[test]
fn guesses_use_round_trips_and_bounds_of_one_side() {
    let one_way = |async_share: f64, offset_sd_ns: f64| World {
        seed: 5,
        shape: Shape::Layered,
        levels: vec![Level::Stock],
        duration_ns: 10_000_000_000,
        async_share,
        offset_sd_ns,
        ..World::default()
    };
    // Messages that nobody answers take up to 200 ms, so that bounds of one side leave more open.
    for (world, guessed_wrong_max, drawn_wrong_max) in [
        (one_way(0.12, 20e6), 0.06, 0.04),
        (one_way(0.12, 500e6), 0.06, 0.04),
        (one_way(1.0, 500e6), 0.16, 0.16),
    ] {
        let measured = Measure::default().run(&Run::play(&world)).expect("few spans");
        let share = |method: Method| {
            let tally = measured.total(method);
            assert!(tally.decided > 500, "{method:?} decides {tally:?}");
            tally.wrong as f64 / tally.decided as f64
        };
        let (wall, guessed, drawn) =
            (share(Method::Wall), share(Method::Guessed), share(Method::Aligned));
        assert!(wall > 0.15, "clocks are wrong enough: {wall}");
        assert!(guessed < guessed_wrong_max && drawn < drawn_wrong_max, "{guessed} {drawn} {wall}");
        assert_eq!(
            measured.total(Method::Bounded),
            Tally { decided: 0, ..measured.total(Method::Bounded) }
        );
        assert_eq!(measured.total(Method::Proven).wrong, 0);
    }
}

/// A window says the same whether it is closed alone or together with others.
#[test]
fn windows_closed_alone_and_in_runs_say_the_same() {
    let long = World { duration_ns: 40_000_000_000, traces_per_s: 20.0, ..World::default() };
    let levels = vec![Level::Responds, Level::Tags, Level::Propagates, Level::Stock];
    let mixed = World { levels, ..long.clone() };
    let step = Step { node: 3, at_ns: 6_000_000_000, by_ns: 30_000_000, is_noticed: true };
    for world in [mixed, World { step: Some(step), ..long.clone() }] {
        let mut table = Estimator::new(OffsetSettings::default());
        for trace in Run::play(&world).traces {
            observe(&mut table, &trace.spans, &order_of(&trace), u64::from);
        }
        let (first, last) = table.window_range().expect("messages");
        let mut run = Solver::new(&table);
        run.close_windows(first..=last);
        let mut alone = Solver::new(&table);
        for window in (first..=last).step_by(7) {
            let clocks = alone.clocks(window);
            assert_eq!(clocks, run.clocks(window), "{window}");
            for (a, b) in clocks.iter().flat_map(|a| clocks.iter().map(move |b| (*a, *b))) {
                assert_eq!(alone.pair_in(a, b, window), run.pair_in(a, b, window), "{a:?} {b:?}");
            }
        }
    }
}
