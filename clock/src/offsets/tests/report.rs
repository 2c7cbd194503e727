//! Reports of clocks over many windows, and what callers are told of a table without copies of it.

use std::ops::RangeInclusive;

use super::*;
use crate::offsets::report::report_within;
use crate::offsets::{ClockReport, Exchange, report};

const WINDOW_NS: i64 = 250_000_000;

/// Two clocks that talk in each of some windows, the first of which is `NOW_NS`.
fn talk(windows: i64) -> Estimator {
    let messages = (0..windows).flat_map(|nth| {
        let at_ns = NOW_NS + nth * WINDOW_NS;
        [(1, 2), (2, 1)].map(|(from, to)| message_at(at_ns, from, to, 300_000))
    });
    table(OffsetSettings::default(), &messages.collect::<Vec<_>>())
}

fn starts(report: &ClockReport) -> Vec<i64> {
    report.windows.iter().map(|window| window.start_ns / WINDOW_NS).collect()
}

#[test]
fn a_report_of_too_many_offsets_tells_the_last_windows() {
    let table = talk(300);
    let (first, last) = table.window_range().expect("evidence");
    assert_eq!(last - first, 299);
    let all = report(&mut Solver::new(&table), clock(1), first..=last);
    assert_eq!(starts(&all[1]), (first..=last).collect::<Vec<_>>());
    for (offsets_max, kept) in [(600, 300), (599, 299), (21, 10), (20, 10), (2, 1)] {
        let mut solver = Solver::new(&table);
        let short = report_within(offsets_max, &mut solver, clock(1), first..=last);
        let same = report(&mut Solver::new(&table), clock(1), last + 1 - kept..=last);
        assert_eq!(short, same, "{offsets_max} offsets");
        assert_eq!(starts(&short[1]), (last + 1 - kept..=last).collect::<Vec<_>>());
        let held: usize = short.iter().map(|report| report.windows.len()).sum();
        assert!(held <= offsets_max, "{held} of {offsets_max}");
        // Nor are more windows closed than one run beyond those that are told.
        assert!(solver.closings() as i64 <= kept + 64, "{} closed", solver.closings());
    }
    assert_eq!(report_within(1, &mut Solver::new(&table), clock(1), first..=last), Vec::new());
}

#[test]
fn windows_that_nothing_is_known_of_count_as_remembered() {
    let table = talk(1);
    let mut solver = Solver::new(&table);
    solver.close_windows(0..=999);
    assert!(solver.held() >= 1_000, "{}", solver.held());
}

#[test]
fn exchanges_are_the_rows_of_the_windows_asked_for() {
    let mut table = talk(4);
    let later = NOW_NS + 3 * WINDOW_NS;
    (0..5).for_each(|_| table.add(&message_at(later, 3, 2, 800_000)));
    let trip = RoundTrip {
        client: clock(4),
        server: clock(5),
        sent_ns: NOW_NS,
        arrived_ns: NOW_NS + 100,
        answered_ns: NOW_NS + 200,
        returned_ns: NOW_NS + 300,
        axis_ns: later,
        witness: 9,
    };
    table.add_round_trip(&trip);
    let first = table.settings().window(NOW_NS);
    let exchanges = |windows| {
        let mut found: Vec<_> = table.exchanges(windows).collect();
        found.sort_unstable_by_key(|found| (found.window, found.from, found.to));
        found
    };
    let of = |from, to, messages| {
        let (from, to) = (clock(from), clock(to));
        Exchange { from, to, window: first + 3, messages }
    };
    let last = [of(1, 2, 1), of(2, 1, 1), of(3, 2, 5), of(4, 5, 0), of(5, 4, 0)];
    assert_eq!(exchanges(first + 3..=first + 9), last);
    let all = exchanges(i64::MIN..=i64::MAX);
    assert_eq!(all.len(), table.rows().count());
    assert!(all.windows(2).all(|two| two[0].window <= two[1].window));
    assert_eq!(exchanges(RangeInclusive::new(5, 4)), []);
}

#[test]
fn the_busiest_clock_is_that_of_most_messages_that_are_kept() {
    let all = i64::MIN..=i64::MAX;
    assert_eq!(Estimator::new(steady()).busiest(all.clone()), None);
    let settings = OffsetSettings { evidence_max: 2, ..steady() };
    let mut table = table(settings, &[message(1, 2, 10), message(1, 2, 20), message(2, 3, 30)]);
    assert_eq!(table.busiest(all.clone()), Some(clock(2)));
    // Once the window goes in which it was heard of, it is no reference for what is kept.
    let later = NOW_NS + WINDOW_NS;
    [(4, 5), (6, 4)].iter().for_each(|(a, b)| table.add(&message_at(later, *a, *b, 10)));
    assert_eq!(table.busiest(all), Some(clock(4)));
}

#[test]
fn the_busiest_clock_of_a_time_does_not_depend_on_what_others_do_at_another() {
    let then = (0..5).map(|_| message(1, 2, 10));
    let mut table = table(steady(), &then.collect::<Vec<_>>());
    let (first, _) = table.window_range().expect("messages");
    [(4, 5), (6, 4)]
        .iter()
        .for_each(|(a, b)| table.add(&message_at(NOW_NS + WINDOW_NS, *a, *b, 10)));
    assert_eq!(table.busiest(i64::MIN..=i64::MAX), Some(clock(2)));
    assert_eq!(table.busiest(first + 1..=i64::MAX), Some(clock(4)));
}
