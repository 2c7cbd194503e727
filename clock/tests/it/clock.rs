//! What a clock promises, whatever the wall clock does and however many threads share it.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use causeway_clock::{
    Cause, Clock, ClockCounts, ClockSettings, NewNode, NodeId, Reading, ReceiveError, Stamp,
};
use proptest::prelude::*;

const START_NS: i64 = 1_780_000_000_000_000_001;
const MS: i64 = 1_000_000;

/// Clocks that stand where a test puts them.
#[derive(Debug, Default)]
struct Hands {
    wall_ns: AtomicI64,
    monotonic_ns: AtomicI64,
}

impl Hands {
    fn pass(&self, ns: i64) {
        self.monotonic_ns.fetch_add(ns, Ordering::SeqCst);
        self.wall_ns.fetch_add(ns, Ordering::SeqCst);
    }

    fn set(&self, by_ns: i64) {
        self.wall_ns.fetch_add(by_ns, Ordering::SeqCst);
    }
}

/// Node ids 1, 2, 3.
fn numbered() -> Arc<dyn Fn() -> NodeId + Send + Sync> {
    let drawn = AtomicU64::new(1);
    Arc::new(move || id(drawn.fetch_add(1, Ordering::SeqCst)))
}

fn id(number: u64) -> NodeId {
    NodeId(NonZeroU64::MIN.saturating_add(number - 1))
}

fn settings() -> (Arc<Hands>, ClockSettings) {
    let hands = Arc::new(Hands::default());
    hands.wall_ns.store(START_NS, Ordering::SeqCst);
    let read = Arc::clone(&hands);
    let readings = Arc::new(move || Reading {
        wall_ns: read.wall_ns.load(Ordering::SeqCst),
        monotonic_ns: read.monotonic_ns.load(Ordering::SeqCst),
    });
    (hands, ClockSettings { readings, node_ids: numbered(), ..ClockSettings::default() })
}

fn clock() -> (Arc<Hands>, Clock) {
    let (hands, settings) = settings();
    (hands, Clock::new(settings))
}

fn stamp(node: u64, hlc: i64, lead: i64) -> Stamp {
    Stamp { node: id(node), hlc, lead }
}

fn foreign(hlc: i64) -> Stamp {
    stamp(99, hlc, 0)
}

#[test]
fn a_step_changes_the_identity_and_keeps_the_value() {
    let (hands, clock) = clock();
    assert_eq!(clock.tick(), stamp(1, START_NS, 0));
    hands.pass(MS);
    hands.set(-300 * MS);
    assert_eq!(clock.tick(), stamp(2, START_NS + 1, 299 * MS + 1));
    hands.set(600 * MS);
    assert_eq!(clock.tick(), stamp(3, START_NS + 301 * MS, 0));
    assert_eq!(clock.counts(), ClockCounts { steps: 2, ..ClockCounts::default() });
}

#[test]
fn a_far_step_back_starts_from_the_wall_clock() {
    let (hands, clock) = clock();
    clock.tick();
    hands.set(-1000 * MS);
    let at_limit = clock.tick();
    assert_eq!(at_limit, stamp(2, START_NS - 1000 * MS, 0), "one more than the lead allows");
    assert_eq!(clock.counts(), ClockCounts { steps: 1, resets: 1, ..ClockCounts::default() });
}

#[test]
fn a_lead_of_twice_the_offset_is_kept_and_one_more_is_not() {
    // Scenario: an accepted stamp, then a wall clock that is slewed back without a step.
    // Guarantee: the value is given up only when no accepted stamp explains its lead any more.
    let (hands, settings) = settings();
    let reading = |wall_ns: i64| {
        hands.wall_ns.store(wall_ns, Ordering::SeqCst);
        hands.monotonic_ns.store(wall_ns, Ordering::SeqCst);
    };
    reading(START_NS);
    let clock = Clock::new(settings);
    assert_eq!(clock.observe(foreign(START_NS + 500 * MS)), Ok(()));
    reading(START_NS - 500 * MS + 1);
    assert_eq!(clock.tick(), stamp(1, START_NS + 500 * MS + 1, 1000 * MS));
    reading(START_NS - 500 * MS + 2);
    assert_eq!(clock.tick(), stamp(1, START_NS + 500 * MS + 2, 1000 * MS));
    assert_eq!(clock.tick(), stamp(2, START_NS - 500 * MS + 2, 0));
    assert_eq!(clock.counts(), ClockCounts { resets: 1, ..ClockCounts::default() });
}

#[test]
fn one_odd_reading_is_no_step() {
    // Scenario: a thread is interrupted between reading the wall clock and the monotonic one.
    // Guarantee: the second reading is used, and the identity stays.
    let (_, settings) = settings();
    let reads = AtomicU64::new(0);
    let readings = Arc::new(move || {
        let read = reads.fetch_add(1, Ordering::SeqCst);
        let interrupted_ns = if read == 2 { 40 * MS } else { 0 };
        Reading { wall_ns: START_NS, monotonic_ns: interrupted_ns }
    });
    let clock = Clock::new(ClockSettings { readings, ..settings });
    assert_eq!(clock.tick(), stamp(1, START_NS, 0));
    assert_eq!(clock.tick(), stamp(1, START_NS + 1, 1));
    assert_eq!(clock.counts(), ClockCounts::default());
}

#[test]
fn a_forked_child_goes_on_under_its_own_id() {
    let (_, clock) = clock();
    clock.tick();
    clock.after_fork();
    assert_eq!(clock.node(), id(2));
    assert_eq!(clock.tick(), stamp(2, START_NS + 1, 1));
    assert_eq!(clock.counts(), ClockCounts { forks: 1, ..ClockCounts::default() });
}

#[test]
fn every_change_of_identity_is_told() {
    let (hands, settings) = settings();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let on_new_node = Arc::new(move |new: NewNode| tell.lock().expect("no panic").push(new));
    let clock = Clock::new(ClockSettings { on_new_node: Some(on_new_node), ..settings });
    hands.set(MS);
    clock.tick();
    clock.after_fork();
    let change =
        |previous, cause| NewNode { node: id(previous + 1), previous: id(previous), cause };
    assert_eq!(*told.lock().expect("no panic"), [change(1, Cause::Step), change(2, Cause::Fork)]);
}

/// What makes a clock take its second identity.
type Change = fn(&Clock, &Hands);

fn step(clock: &Clock, hands: &Hands) {
    hands.set(-100 * MS);
    clock.tick();
}

fn fork(clock: &Clock, _: &Hands) {
    clock.after_fork();
}

/// Runs `meanwhile` while the first node is replaced: after its end, before there is another.
/// Gives the clock, how often a change was told, and what `meanwhile` gave.
fn during<T: Send + 'static>(
    change: Change,
    meanwhile: impl Fn(&Clock, &Hands) -> T + Send + Sync + 'static,
) -> (Arc<Clock>, usize, T) {
    let (hands, settings) = settings();
    let (clock, made) = (Arc::new(OnceLock::<Arc<Clock>>::new()), Arc::new(Mutex::new(None)));
    let (told, ids) = (Arc::new(AtomicUsize::new(0)), numbered());
    let (seen, result, at) = (Arc::clone(&clock), Arc::clone(&made), Arc::clone(&hands));
    let node_ids = Arc::new(move || {
        let drawn = ids();
        if let (Some(clock), true) = (seen.get(), drawn == id(2)) {
            let made = meanwhile(clock, &at);
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        }
        drawn
    });
    let tell = Arc::clone(&told);
    let on_new_node = Arc::new(move |_| {
        tell.fetch_add(1, Ordering::SeqCst);
    });
    let settings = ClockSettings { node_ids, on_new_node: Some(on_new_node), ..settings };
    let clock = Arc::clone(clock.get_or_init(|| Arc::new(Clock::new(settings))));
    hands.pass(MS);
    clock.tick();
    change(&clock, &hands);
    let Some(made) = made.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        panic!("the change drew no second id");
    };
    (clock, told.load(Ordering::SeqCst), made)
}

#[test]
fn a_stamp_merged_during_a_replacement_is_not_lost() {
    for change in [step as Change, fork] {
        let (clock, told, received) = during(change, |clock, hands| {
            let received = foreign(hands.wall_ns.load(Ordering::SeqCst) + 500 * MS);
            assert_eq!(clock.observe(received), Ok(()));
            received
        });
        assert!(clock.tick().hlc > received.hlc);
        assert_eq!((told, clock.counts().steps + clock.counts().forks), (1, 1), "told once");
    }
}

#[test]
fn ticks_during_a_replacement_are_below_those_after_it() {
    for change in [step as Change, fork] {
        let (clock, told, ticks) = during(change, |clock, _| [(); 5].map(|()| clock.tick()));
        let after = clock.tick();
        assert!(ticks.iter().all(|tick| tick.hlc < after.hlc), "{ticks:?} {after:?}");
        assert!(ticks.iter().all(|tick| tick.node == after.node), "{ticks:?} {after:?}");
        assert_eq!((told, clock.counts().steps + clock.counts().forks), (1, 1), "told once");
    }
}

#[test]
fn a_tick_that_was_slow_does_not_go_back_behind_a_step() {
    // Scenario: a thread reads the clocks, then waits while the wall clock is set and others tick.
    // Guarantee: its old reading is not taken for one of the new node.
    let (hands, settings) = settings();
    let clock = Arc::new(OnceLock::<Arc<Clock>>::new());
    let (seen, slow, at) = (Arc::clone(&clock), AtomicUsize::new(0), Arc::clone(&hands));
    let read = Arc::clone(&settings.readings);
    let readings = Arc::new(move || {
        let reading = read();
        if let Some(clock) = seen.get()
            && slow.fetch_add(1, Ordering::SeqCst) == 0
        {
            at.set(-100 * MS);
            clock.tick();
        }
        reading
    });
    let made = Clock::new(ClockSettings { readings, ..settings });
    let clock = clock.get_or_init(|| Arc::new(made));
    let tick = clock.tick();
    assert_eq!(tick.node, id(2));
    assert_eq!(tick.wall(), hands.wall_ns.load(Ordering::SeqCst));
}

#[test]
fn what_is_received_is_counted() {
    let (_, clock) = clock();
    assert_eq!(
        clock.receive("1:0000000000000063:18b3d491b43203e8"),
        Ok(foreign(1_780_000_000_000_001_000))
    );
    for malformed in ["", "2:0000000000000063:18b3d491b43203e8", "1:63:18b3d491b43203e8"] {
        assert!(matches!(clock.receive(malformed), Err(ReceiveError::Malformed(_))));
    }
    let year = foreign(START_NS + 365 * 86_400_000 * MS);
    let refused = clock.receive(&format!("1:{year}"));
    let Err(ReceiveError::TooFarAhead(refused)) = refused else {
        panic!("accepted a stamp one year ahead: {refused:?}");
    };
    assert_eq!(refused.stamp, year);
    assert_eq!(refused.ahead_ns, 365 * 86_400_000 * MS);
    assert_eq!(clock.tick().hlc, START_NS + 1000);
    assert_eq!(clock.counts(), ClockCounts { rejected: 1, malformed: 3, ..ClockCounts::default() });
}

#[test]
fn absurd_clocks_and_settings_do_no_harm() {
    for (wall_ns, max_offset) in [
        (i64::MIN, Duration::ZERO),
        (0, Duration::ZERO),
        (i64::MAX, Duration::MAX),
        (i64::MIN, Duration::MAX),
    ] {
        let readings = Arc::new(move || Reading { wall_ns, monotonic_ns: wall_ns });
        let clock = Clock::new(ClockSettings { readings, max_offset, ..ClockSettings::default() });
        for hlc in [i64::MIN, -1, 0, 1, i64::MAX] {
            let _ = clock.observe(foreign(hlc));
        }
        let (first, second) = (clock.tick(), clock.tick());
        assert!(first.hlc >= 1 && first.lead <= first.hlc, "{first:?}");
        assert!(second > first || second.node != first.node, "{first:?} {second:?}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Tick,
    Observe { ahead_ns: i64 },
    Pass { ns: i64 },
    Set { by_ns: i64 },
    Fork,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => Just(Action::Tick),
        4 => (-600 * MS..600 * MS).prop_map(|ahead_ns| Action::Observe { ahead_ns }),
        4 => (0..20 * MS).prop_map(|ns| Action::Pass { ns }),
        1 => (-400 * MS..400 * MS).prop_map(|by_ns| Action::Set { by_ns }),
        1 => (-3000 * MS..3000 * MS).prop_map(|by_ns| Action::Set { by_ns }),
        1 => Just(Action::Fork),
    ]
}

proptest! {
    #[test]
    fn every_tick_is_greater_unless_the_clock_was_reset(
        actions in proptest::collection::vec(action(), 1..60)
    ) {
        let (hands, clock) = clock();
        let (mut highest, mut resets) = (0, 0);
        let mut wall_of_node = HashMap::new();
        for action in actions {
            let wall_ns = hands.wall_ns.load(Ordering::SeqCst);
            match action {
                Action::Pass { ns } => hands.pass(ns),
                Action::Set { by_ns } => hands.set(by_ns),
                Action::Fork => clock.after_fork(),
                Action::Observe { ahead_ns } => {
                    let accepted = clock.observe(foreign(wall_ns + ahead_ns)).is_ok();
                    prop_assert_eq!(accepted, ahead_ns <= 500 * MS);
                    if clock.counts().resets > resets {
                        (highest, resets) = (0, clock.counts().resets);
                    }
                    if accepted {
                        highest = highest.max(wall_ns + ahead_ns);
                    }
                }
                Action::Tick => {
                    let tick = clock.tick();
                    if clock.counts().resets > resets {
                        (highest, resets) = (0, clock.counts().resets);
                    }
                    prop_assert!(tick.hlc > highest, "{tick:?} is not above {highest}");
                    prop_assert_eq!(tick.wall(), wall_ns);
                    prop_assert!((0..=1000 * MS).contains(&tick.lead));
                    highest = tick.hlc;
                    // Under one id wall and monotonic clock never come apart.
                    let difference = wall_ns - hands.monotonic_ns.load(Ordering::SeqCst);
                    let first = *wall_of_node.entry(tick.node).or_insert(difference);
                    prop_assert!(first.abs_diff(difference) <= 5_000_000, "{tick:?}");
                }
            }
        }
    }
}

/// A tick, and when it began and ended by a counter that all threads share.
#[derive(Debug)]
struct Timed {
    began: u64,
    ended: u64,
    stamp: Stamp,
}

/// Threads tick and observe while another one sets the wall clock.
fn race(sets_ns: &[i64], observes_ns: &[i64]) -> Result<(Clock, Vec<Timed>), TestCaseError> {
    const THREADS: usize = 4;
    const TICKS: usize = 500;
    let (hands, clock) = clock();
    let (moment, start) = (AtomicU64::new(0), Barrier::new(THREADS + 1));
    let work = || {
        let mut ticks = Vec::new();
        start.wait();
        for round in 0..TICKS {
            hands.pass(1000);
            let observe_ns = observes_ns[round % observes_ns.len()];
            let received = foreign(hands.wall_ns.load(Ordering::SeqCst) + observe_ns);
            let (node, resets) = (clock.node(), clock.counts().resets);
            let accepted = clock.observe(received).is_ok();
            let began = moment.fetch_add(1, Ordering::SeqCst);
            let stamp = clock.tick();
            let ended = moment.fetch_add(1, Ordering::SeqCst);
            let is_reset = node != stamp.node && clock.counts().resets > resets;
            assert!(!accepted || is_reset || stamp.hlc > received.hlc, "{stamp:?} {received:?}");
            ticks.push(Timed { began, ended, stamp });
        }
        ticks
    };
    let ticks = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        start.wait();
        for by_ns in sets_ns {
            hands.set(*by_ns);
            thread::yield_now();
        }
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect::<Result<Vec<_>, _>>()
    });
    let ticks = ticks.map_err(|_| TestCaseError::fail("a tick was not above what was accepted"))?;
    Ok((clock, ticks.into_iter().flatten().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ticks_of_a_node_follow_each_other_in_time(
        sets_ns in proptest::collection::vec(-1500 * MS..1500 * MS, 0..40),
        observes_ns in proptest::collection::vec(-600 * MS..600 * MS, 1..10),
    ) {
        let (_, ticks) = race(&sets_ns, &observes_ns)?;
        let mut by_node: HashMap<NodeId, Vec<&Timed>> = HashMap::new();
        for tick in &ticks {
            by_node.entry(tick.stamp.node).or_default().push(tick);
        }
        for mut ticks in by_node.into_values() {
            ticks.sort_by_key(|tick| tick.stamp.hlc);
            let mut latest_began = 0;
            for (earlier, later) in ticks.iter().zip(ticks.iter().skip(1)) {
                prop_assert!(earlier.stamp.hlc < later.stamp.hlc, "{earlier:?} {later:?}");
                latest_began = latest_began.max(earlier.began);
                prop_assert!(later.ended > latest_began, "{later:?} ended before {latest_began}");
            }
        }
    }

    #[test]
    fn steps_that_need_no_reset_keep_the_order_of_all_ticks(
        sets_ns in proptest::collection::vec(0..2000 * MS, 0..40),
    ) {
        let (clock, mut ticks) = race(&sets_ns, &[-1, 400 * MS])?;
        prop_assert_eq!(clock.counts().resets, 0);
        ticks.sort_by_key(|tick| tick.stamp.hlc);
        let mut latest_began = 0;
        for (earlier, later) in ticks.iter().zip(ticks.iter().skip(1)) {
            prop_assert!(earlier.stamp.hlc < later.stamp.hlc, "{earlier:?} {later:?}");
            latest_began = latest_began.max(earlier.began);
            prop_assert!(later.ended > latest_began, "{later:?} ended before {latest_began}");
        }
    }
}
