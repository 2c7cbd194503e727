//! Clocks that nobody reads: universal time, against which hosts declare their errors, and that of the collector.

use super::*;
use crate::offsets::{Refused, State, observe_arrivals};
use crate::order::{Order, OrderSettings, Span};

const MS: u64 = 1_000_000;

/// The interval of one clock against another, now.
fn interval(table: &Estimator, from: ClockId, to: ClockId) -> (Option<i64>, Option<i64>, State) {
    let pair = Solver::new(table).pair(from, to, NOW_NS);
    (pair.lo_ns, pair.hi_ns, pair.state)
}

/// A table of clocks that declare errors.
fn declared(messages: &[Message], errors: &[(u64, u64)]) -> Estimator {
    let mut table = table(steady(), messages);
    errors.iter().for_each(|(id, error_ns)| table.declare(clock(*id), *error_ns));
    table
}

#[test]
fn declared_errors_bound_what_messages_leave_open() {
    let one_way = [message(1, 2, 700_000)];
    let known = declared(&one_way, &[(1, 2 * MS), (2, 3 * MS)]);
    let pair = interval(&known, clock(1), clock(2));
    assert_eq!(pair, (Some(-5_000_000), Some(700_000), State::TwoSided));
    let against_utc = interval(&known, ClockId::Utc, clock(2));
    // Not 3 ms: what the first is off at most and the message say more.
    assert_eq!(against_utc, (Some(-3_000_000), Some(2_700_000), State::TwoSided));
    // The less a host promises the better it is believed, in whatever order it says so.
    let again = declared(&one_way, &[(2, MS), (1, 2 * MS), (2, 3 * MS), (2, MS)]);
    assert_eq!(interval(&again, clock(1), clock(2)), pair);
    assert_eq!(Solver::new(&known).explain(clock(2), clock(1), NOW_NS).len(), 2);
}

#[test]
fn what_a_clock_counts_in_adds_to_its_declared_error() {
    let mut table = Estimator::new(steady());
    let whole_ms = NOW_NS / 1_000_000 * 1_000_000;
    table.add(&Message { sent_ns: whole_ms, ..message(1, 2, 9_000_000) });
    table.declare(clock(1), 2 * MS);
    let against_utc = interval(&table, ClockId::Utc, clock(1));
    assert_eq!(against_utc, (Some(-3_000_000), Some(3_000_000), State::TwoSided));
}

#[test]
fn messages_that_contradict_a_declared_error_win() {
    let both_ways = [message(1, 2, 10_100_000), message(2, 1, -9_900_000)];
    let known = declared(&both_ways, &[(1, MS), (2, MS), (3, MS)]);
    let pair = interval(&known, clock(1), clock(2));
    assert_eq!(pair, (Some(9_900_000), Some(10_100_000), State::TwoSided));
    let mut solver = Solver::new(&known);
    assert_eq!(solver.steps(known.settings().window(NOW_NS)), []);
}

#[test]
fn a_contradiction_of_two_puts_nobody_else_in_doubt_who_declares() {
    let messages = [message(1, 2, -5_000_000), message(2, 1, 1_000_000), message(3, 4, 500_000)];
    let errors = [(1, 20 * MS), (2, 20 * MS), (3, MS), (4, MS)];
    let known = declared(&messages, &errors);
    assert_eq!(interval(&known, clock(1), clock(2)).2, State::Inconsistent);
    let others = interval(&known, clock(3), clock(4));
    assert_eq!(others, (Some(-2_000_000), Some(500_000), State::TwoSided));
}

#[test]
fn a_changed_declaration_counts_for_what_is_remembered() {
    let mut table = declared(&[message(1, 2, 700_000)], &[(1, 2 * MS), (2, 3 * MS)]);
    let mut solver = Solver::new(&table);
    solver.pair(clock(1), clock(2), NOW_NS);
    let closed = solver.into_closed();
    table.declare(clock(2), 8 * MS);
    let pair = Solver::resume(&table, closed).pair(clock(1), clock(2), NOW_NS);
    assert_eq!(pair.lo_ns, Some(-10_000_000));
}

#[test]
fn declarations_are_refused_that_say_nothing() {
    let mut table = Estimator::new(OffsetSettings { clocks_max: 1, ..steady() });
    table.declare(clock(1), u64::MAX);
    table.declare(ClockId::Utc, 5);
    table.declare(clock(1), 5);
    table.declare(clock(2), 5);
    let refused = Refused { implausible: 1, ..Refused::default() };
    assert_eq!((table.refused(), table.clocks().count()), (refused, 1));
}

#[test]
fn a_span_that_arrived_before_it_ended_shows_a_clock_ahead() {
    let span = |id: u64, end_ns: i64, received_at_ns: i64| Span {
        wall: Some(ClockId::Instance(id)),
        instance: Some(id),
        start_ns: end_ns,
        end_ns,
        received_at_ns: Some(received_at_ns),
        ..Span::default()
    };
    // One minute ahead, received a second later; and one that may be right.
    let spans = [span(7, NOW_NS, NOW_NS - 59_000_000_000), span(8, NOW_NS, NOW_NS + 1_000_000_000)];
    let order = Order::build(&spans, &[], &OrderSettings::default()).expect("few spans");
    let mut table = Estimator::new(steady());
    observe_arrivals(&mut table, &spans, &order, u64::from);
    let of = |id| interval(&table, ClockId::Collector, ClockId::Instance(id));
    assert_eq!(of(7), (Some(59_000_000_000), None, State::OneSided));
    assert_eq!(of(8), (Some(-1_000_000_000), None, State::OneSided));
    let between = interval(&table, ClockId::Instance(7), ClockId::Instance(8));
    assert_eq!(between, (None, None, State::None));
    // A guess keeps to the bound, and takes a clock for right that may be.
    let mut solver = Solver::new(&table);
    let mut guess = |id| solver.estimate(ClockId::Collector, ClockId::Instance(id), NOW_NS);
    assert_eq!(guess(7).map(|guess| guess.offset_ns), Some(59_000_000_000));
    assert_eq!(guess(8).map(|guess| guess.offset_ns), Some(0));
    // All hear from it, none is told against it unless asked to.
    assert_eq!(table.busiest(i64::MIN..=i64::MAX), None);
}
