//! The table does not depend on the order of messages, has its limits, and answers as slower ways do.

use super::*;
use crate::offsets::history::{Entry, History};
use crate::offsets::{Forgotten, Least, Refused, State};

fn messages(seed: u64, count: usize) -> Vec<Message> {
    let mut random = Random(seed);
    let mut one = || {
        let (from, to) = (random.next(6) as u64 + 1, random.next(6) as u64 + 1);
        let axis_ns = NOW_NS + random.next(20_000) * 1_000_000;
        Message {
            witness: random.next(1_000) as u64,
            ..message_at(axis_ns, from, to, random.next(900_000))
        }
    };
    (0..count).map(|_| one()).collect()
}

fn sorted_rows(table: &Estimator) -> Vec<crate::offsets::PairRow> {
    let mut rows: Vec<_> = table.rows().collect();
    rows.sort_by_key(|row| (row.window, row.from, row.to));
    rows
}

#[test]
fn messages_in_any_order_make_one_table_also_when_windows_have_to_go() {
    for evidence_max in [500_000, 200, 7] {
        let settings = OffsetSettings { evidence_max, ..OffsetSettings::default() };
        let mut given = messages(3, 900);
        let forward = table(settings, &given);
        given.reverse();
        let backward = table(settings, &given);
        given.sort_by_key(|m| (m.witness, m.axis_ns));
        let shuffled = table(settings, &given);
        assert_eq!(sorted_rows(&forward), sorted_rows(&backward));
        assert_eq!(sorted_rows(&forward), sorted_rows(&shuffled));
        assert!(sorted_rows(&forward).len() <= evidence_max);
    }
}

#[test]
fn rows_that_were_written_down_make_the_table_again() {
    let given = messages(5, 400);
    let (left, right) = given.split_at(150);
    let whole = table(OffsetSettings::default(), &given);
    let mut merged = Estimator::new(OffsetSettings::default());
    for part in [table(OffsetSettings::default(), right), table(OffsetSettings::default(), left)] {
        part.rows().for_each(|row| merged.merge_row(&row));
        part.clocks().for_each(|row| merged.merge_clock(row));
    }
    assert_eq!(sorted_rows(&whole), sorted_rows(&merged));
    assert_eq!(whole.clock(clock(3)), merged.clock(clock(3)));
}

#[test]
fn samples_of_round_trips_do_not_depend_on_order_and_give_the_median() {
    let trip = |witness: u64, offset_ns: i64| RoundTrip {
        client: clock(2),
        server: clock(1),
        sent_ns: NOW_NS,
        arrived_ns: NOW_NS + 100 + offset_ns,
        answered_ns: NOW_NS + 200 + offset_ns,
        returned_ns: NOW_NS + 300,
        axis_ns: NOW_NS,
        witness,
    };
    let filled = |witnesses: &mut dyn Iterator<Item = u64>| {
        let mut table = table(steady(), &[message(2, 1, 1_000), message(1, 2, 1_000)]);
        witnesses.for_each(|w| table.add_round_trip(&trip(w, if w == 4 { 900 } else { w as i64 })));
        table
    };
    assert_eq!(sorted_rows(&filled(&mut (0..50))), sorted_rows(&filled(&mut (0..50).rev())));
    // A single slow one does not move the median.
    let point = Solver::new(&filled(&mut (0..5))).pair(clock(2), clock(1), NOW_NS).point_ns;
    assert_eq!(point, Some(2));
}

#[test]
fn limits_refuse_and_count() {
    let settings = OffsetSettings { clocks_max: 2, evidence_max: 1, ..steady() };
    let later = NOW_NS + 1_000_000_000;
    let mut table = Estimator::new(settings);
    table.add(&message(1, 2, 4));
    table.add(&message_at(later, 1, 2, 5));
    table.add(&message_at(later, 1, 2, settings.offset_ns_max + 1));
    table.add(&message(1, 2, 3));
    let refused = Refused { implausible: 1, too_old: 1, ..Refused::default() };
    assert_eq!((table.refused(), table.rows().count()), (refused, 1));
    assert_eq!(table.forgotten(), Forgotten { clocks: 0, evidence: 1 });
    let mut alone = Estimator::new(OffsetSettings { clocks_max: 1, ..steady() });
    alone.add(&message(1, 2, 4));
    let refused = Refused { too_many_clocks: 1, ..Refused::default() };
    assert_eq!((alone.refused(), alone.rows().count()), (refused, 0));
}

#[test]
fn clocks_without_evidence_make_room() {
    let settings = OffsetSettings { clocks_max: 3, evidence_max: 2, ..steady() };
    let mut table = Estimator::new(settings);
    for (window, clock) in (2..40u64).enumerate() {
        table.add(&message_at(NOW_NS + window as i64 * 1_000_000_000, 1, clock, 77));
    }
    assert_eq!(table.rows().last().map(|row| (row.from, row.to)), Some((clock(1), clock(39))));
    assert!(table.clocks().count() <= 3);
    assert_eq!(table.refused(), Refused::default());
}

#[test]
fn the_queue_ages_as_looking_at_every_window_does() {
    let mut random = Random(11);
    for _ in 0..200 {
        let mut windows: Vec<i64> = (0..30).map(|_| random.next(120)).collect();
        windows.sort_unstable();
        windows.dedup();
        let mut entry = |window| Entry {
            window,
            least: Least { bound_ns: random.next(5_000), witness: random.next(9) as u64 },
            messages: 1,
        };
        let entries: Vec<Entry> = windows.into_iter().map(&mut entry).collect();
        let history = History { reach: 12, drift_ns: 100, ..History::default() };
        let run = history.run(&entries, -15..=140);
        for (window, aged) in (-15..=140).zip(run) {
            assert_eq!(aged, history.at(&entries, window, &history.windows_for(window)));
        }
    }
}

#[test]
fn distances_are_those_of_floyd_and_warshall() {
    const CLOCKS: usize = 7;
    let mut feasible = 0;
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut floyd = [[None::<i64>; CLOCKS]; CLOCKS];
        let mut given = Vec::new();
        for _ in 0..(4 + seed % 14) {
            let (from, to) = (random.next(7) as usize, random.next(7) as usize);
            let bound_ns = random.next(1_000) - 350;
            if from != to {
                given.push(message(from as u64 + 1, to as u64 + 1, bound_ns));
                let known = floyd[from][to].unwrap_or(i64::MAX);
                floyd[from][to] = Some(known.min(bound_ns));
            }
        }
        (0..CLOCKS).for_each(|own| floyd[own][own] = Some(0));
        for (via, from, to) in triples(CLOCKS) {
            if let Some((a, b)) = floyd[from][via].zip(floyd[via][to]) {
                floyd[from][to] = Some(floyd[from][to].map_or(a + b, |known| known.min(a + b)));
            }
        }
        let is_feasible = (0..CLOCKS).all(|own| floyd[own][own] == Some(0));
        feasible += usize::from(is_feasible);
        let table = table(steady(), &given);
        let mut solver = Solver::new(&table);
        for (_, from, to) in triples(CLOCKS).filter(|(via, ..)| *via == 0) {
            let pair = solver.pair(clock(from as u64 + 1), clock(to as u64 + 1), NOW_NS);
            if is_feasible {
                assert_eq!(pair.hi_ns, floyd[from][to], "seed {seed}: {from} {to}");
                assert_eq!(pair.lo_ns, floyd[to][from].map(|ns| -ns), "seed {seed}: {from} {to}");
            }
        }
        let is_void = |pair: (usize, usize)| {
            let (a, b) = (clock(pair.0 as u64 + 1), clock(pair.1 as u64 + 1));
            solver.pair(a, b, NOW_NS).state == State::Inconsistent
        };
        let mut pairs = (0..CLOCKS).flat_map(|a| (0..a).map(move |b| (a, b)));
        assert_eq!(pairs.any(is_void), !is_feasible, "seed {seed}");
    }
    assert!((50..250).contains(&feasible), "{feasible} of 300 cases are feasible");
}

fn triples(below: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..below).flat_map(move |a| (0..below).flat_map(move |b| (0..below).map(move |c| (a, b, c))))
}

#[test]
fn what_is_remembered_is_bounded_and_answers_stay_the_same() {
    let given: Vec<Message> = (0..300u64)
        .flat_map(|nth| [(nth, nth + 1), (nth + 1, nth)])
        .map(|(from, to)| message(from + 1, to + 1, 500))
        .collect();
    let table = table(steady(), &given);
    let mut solver = Solver::new(&table);
    let ends = |solver: &mut Solver<'_>| solver.pair(clock(1), clock(301), NOW_NS);
    let first = ends(&mut solver);
    let window = table.settings().window(NOW_NS);
    // Each row of distances takes 301 entries, so these questions run past the limit several times.
    for (window, id) in (window - 40..=window + 40).flat_map(|w| (2..301).map(move |id| (w, id))) {
        solver.pair_in(clock(id), clock(301), window);
        assert!(solver.held() <= 2_000_000 + 10_000);
    }
    assert_eq!(ends(&mut solver), first);
    assert_eq!(first.hi_ns, Some(150_000));
}
