//! What solvers remember from one another is what they would find anew, and is found anew only where something changed.

use super::*;
use crate::offsets::ClosedWindows;

const WINDOW_NS: i64 = 250_000_000;
const CLOCKS: u64 = 6;

/// Something new of a random kind: mostly messages, now and then a round trip, a tie, or a clock that turns out finer.
fn learn(table: &mut Estimator, random: &mut Random) {
    let mut id = || random.next(CLOCKS) as u64 + 1;
    let (from, to) = (id(), id());
    let axis_ns = NOW_NS + random.next(300) * WINDOW_NS;
    match random.next(40) {
        0 => table.tie(clock(from), clock(to)),
        1 => table.add_round_trip(&RoundTrip {
            client: clock(from),
            server: clock(to),
            sent_ns: NOW_NS,
            arrived_ns: NOW_NS + random.next(900),
            answered_ns: NOW_NS + 1_000,
            returned_ns: NOW_NS + 1_000 + random.next(900),
            axis_ns,
            witness: random.next(1_000) as u64,
        }),
        2 => {
            // Until then a clock counts milliseconds, as far as anybody knows.
            let sent_ns = NOW_NS / 1_000_000 * 1_000_000;
            table.add(&Message {
                sent_ns,
                received_ns: sent_ns,
                ..message_at(axis_ns, from, to, 0)
            });
        }
        _ => table.add(&message_at(axis_ns, from, to, 800_000 - random.next(900_000))),
    }
}

#[test]
fn what_is_remembered_is_what_is_found_anew() {
    for evidence_max in [500_000, 120] {
        let settings = OffsetSettings { evidence_max, clocks_max: 5, ..OffsetSettings::default() };
        let mut table = Estimator::new(settings);
        let mut random = Random(7);
        let mut closed = ClosedWindows::default();
        for _ in 0..60 {
            for _ in 0..random.next(12) {
                learn(&mut table, &mut random);
            }
            let mut resumed = Solver::resume(&table, closed);
            let mut fresh = Solver::new(&table);
            for _ in 0..40 {
                let (a, b) = (random.next(CLOCKS) as u64 + 1, random.next(CLOCKS) as u64 + 1);
                let at = NOW_NS + (random.next(400) - 50) * WINDOW_NS;
                let ask = |solver: &mut Solver<'_>| {
                    let of_pair = (clock(a), clock(b));
                    (
                        solver.pair(of_pair.0, of_pair.1, at),
                        solver.estimate(of_pair.0, of_pair.1, at),
                    )
                };
                assert_eq!(ask(&mut resumed), ask(&mut fresh), "{a} {b} {at}");
            }
            closed = resumed.into_closed();
        }
    }
}

#[test]
fn a_window_is_closed_anew_only_if_something_near_it_changed() {
    let mut table = table(OffsetSettings::default(), &[message(1, 2, 100), message(2, 1, 100)]);
    let now = table.settings().window(NOW_NS);
    let closings = |table: &Estimator, closed: ClosedWindows| {
        let mut solver = Solver::resume(table, closed);
        solver.close_windows(now - 50..=now + 50);
        solver.pair(clock(1), clock(2), NOW_NS);
        (solver.closings(), solver.into_closed())
    };
    let (count, closed) = closings(&table, ClosedWindows::default());
    assert_eq!(count, 101);
    let (count, closed) = closings(&table, closed);
    assert_eq!(count, 0, "nothing changed");
    // Evidence bears on 40 windows to each side.
    table.add(&message_at(NOW_NS + 60 * WINDOW_NS, 1, 2, 90));
    let (count, closed) = closings(&table, closed);
    assert_eq!(count, 31, "from 20 to 50");
    table.tie(clock(1), clock(3));
    let (count, closed) = closings(&table, closed);
    assert_eq!(count, 101, "a tie bears on all");
    let (count, _) = closings(&table.clone(), closed);
    assert_eq!(count, 101, "a copy is another table");
}
