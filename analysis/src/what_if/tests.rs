//! Replays of programs whose duration is known, before and after a change, without any trace.

use causeway_model::trace::MergedTrace;
use causeway_testkit::notation::{EPOCH_NS, NotedSpan};
use proptest::prelude::*;

use super::*;
use crate::testing::{MS, malformed, nested, with, with_spans};

/// Rows of spans with a name.
fn named(trace: &MergedTrace<'_>, name: &str) -> Vec<Row> {
    trace.rows().filter(|row| trace.name_text(*row) == name).collect()
}

/// Milliseconds the root takes before and after a change of the spans called `call`.
fn check(text: &str, change: impl FnOnce(Vec<Row>) -> Change, expected: (i64, i64)) {
    with(text, |trace| {
        let replay = replay(trace, &[change(named(trace, "call"))]);
        assert_eq!((replay.root_before_ns / MS, replay.root_ns / MS), expected);
    });
}

fn batch(calls: Vec<Row>) -> Change {
    Change::Batch { calls, per_item_ns: 0 }
}

#[test]
fn a_hundred_orders_and_their_query() {
    // 101 calls become 2: the query for orders and one for all their customers.
    let text = "shop \"GET /orders\" server 0..1030
        shop query client 0..10 db.query.text=\"SELECT * FROM orders\"
        shop call client 15..25 x100/10 db.query.text=\"SELECT * FROM customers WHERE id = %i\"";
    check(text, batch, (1030, 40));
}

#[test]
fn fifty_calls_of_a_dashboard() {
    let text = "web \"GET /dashboard\" server 0..3000
        web call client 0..60 x50/60
         users \"GET /users/{id}\" server 10..50
          users SELECT client 20..40";
    check(text, batch, (3000, 60));
    check(text, |calls| Change::Batch { calls, per_item_ns: MS }, (3000, 109));
    check(text, |calls| Change::Parallel { calls, limit: 10 }, (3000, 300));
    check(text, |calls| Change::RoundTrip { calls, round_trip_ns: 2 * MS }, (3000, 50 * 42));
}

#[test]
fn ten_sequential_calls_of_a_page() {
    let text =
        "web page server 0..520\n web call client 10..60 x10/50\n web render internal 510..515";
    check(text, |calls| Change::Parallel { calls, limit: 10 }, (520, 70));
    check(text, |calls| Change::Parallel { calls, limit: 3 }, (520, 220));
    check(text, |calls| Change::Remove { calls }, (520, 20));
    check(text, |spans| Change::Faster { spans, percent: 50 }, (520, 270));
}

#[test]
fn what_is_not_on_the_critical_path_saves_nothing() {
    let text =
        "s root server 0..100\n s slow client 0..100\n s call client 0..40\n s call client 40..90";
    check(text, |calls| Change::Remove { calls }, (100, 100));
    check(text, |spans| Change::Faster { spans, percent: 100 }, (100, 100));
    // Once the slow one is gone, the others bound what is saved.
    with(text, |trace| {
        let slow = replay(trace, &[Change::Remove { calls: named(trace, "slow") }]);
        assert_eq!(slow.root_ns, 90 * MS);
    });
}

#[test]
fn work_between_calls_stays() {
    // 5 ms of own work between calls of 10 ms.
    let text = "s root server 0..60\n s call client 0..10 x4/15";
    check(text, batch, (60, 30));
    check(text, |calls| Change::Parallel { calls, limit: 9 }, (60, 30));
    // With one place the calls follow each other, and all of that work but the last is done meanwhile.
    check(text, |calls| Change::Parallel { calls, limit: 1 }, (60, 45));
}

#[test]
fn calls_that_nobody_waits_for_take_no_part() {
    let text = "s root server 0..50\n s call producer 0..10 x5/10\n  t receive consumer 5..900";
    check(text, batch, (50, 10));
    let text = "s root server 0..50\n s call client 10..80 x2/0";
    check(text, |calls| Change::Parallel { calls, limit: 1 }, (50, 50));
}

#[test]
fn timelines_show_where_spans_end_up() {
    let text =
        "s root server 0..40\n s call client 0..10\n  t in server 2..8\n s call client 10..30
        \n s last client 32..38";
    with(text, |trace| {
        let spans = named(trace, "call").into_iter().take(1).collect();
        let replay = replay(trace, &[Change::Faster { spans, percent: 50 }]);
        let times: Vec<_> = replay
            .start_ns
            .iter()
            .zip(&replay.end_ns)
            .map(|(start, end)| ((start - EPOCH_NS) / MS, (end - EPOCH_NS) / MS))
            .collect();
        assert_eq!(times, [(0, 35), (0, 5), (1, 4), (5, 25), (27, 33)]);
    });
}

/// A program: what a span does, whose duration is known without a trace.
#[derive(Debug, Clone)]
enum Step {
    Work(i64),
    Call(Program),
    /// Calls that start together and are all waited for.
    Together(Vec<Program>),
}

#[derive(Debug, Clone)]
struct Program {
    steps: Vec<Step>,
    is_marked: bool,
}

/// What the truth does with marked calls.
#[derive(Debug, Clone, Copy)]
enum Truth {
    Same,
    Remove,
    Halve,
}

impl Program {
    fn duration(&self, truth: Truth) -> i64 {
        let step = |step: &Step| match step {
            Step::Work(ns) => *ns,
            Step::Call(program) => program.duration(truth),
            Step::Together(calls) => calls.iter().map(|p| p.duration(truth)).max().unwrap_or(0),
        };
        match (truth, self.is_marked) {
            (Truth::Remove, true) => 0,
            (Truth::Halve, true) => self.duration(Truth::Same) / 2,
            _ => self.steps.iter().map(step).sum(),
        }
    }

    fn spans(&self, parent: u64, start: i64, spans: &mut Vec<NotedSpan>) {
        let id = spans.len() as u64 + 1;
        spans.push(NotedSpan {
            id,
            parent,
            name: if self.is_marked { "call" } else { "other" }.to_owned(),
            start_ns: start as u64,
            end_ns: (start + self.duration(Truth::Same)) as u64,
            ..NotedSpan::default()
        });
        let mut at = start;
        for step in &self.steps {
            match step {
                Step::Work(ns) => at += ns,
                Step::Call(program) => {
                    program.spans(id, at, spans);
                    at += program.duration(Truth::Same);
                }
                Step::Together(calls) => {
                    calls.iter().for_each(|program| program.spans(id, at, spans));
                    at += calls.iter().map(|p| p.duration(Truth::Same)).max().unwrap_or(0);
                }
            }
        }
    }
}

/// Programs with work before every step, so that no span is without length.
fn program() -> impl Strategy<Value = Program> {
    let work = || (1..50i64).prop_map(|ns| Step::Work(ns * 2));
    let leaf = (prop::collection::vec(work(), 1..3), any::<bool>())
        .prop_map(|(steps, is_marked)| Program { steps, is_marked });
    let tree = leaf.prop_recursive(3, 60, 5, move |inner| {
        let calls = prop::collection::vec(inner.clone(), 1..4);
        let step = prop_oneof![
            2 => work(),
            3 => inner.prop_map(Step::Call),
            1 => calls.prop_map(Step::Together),
        ];
        (1..20i64, prop::collection::vec(step, 1..6), any::<bool>()).prop_map(
            |(first, mut steps, is_marked)| {
                steps.insert(0, Step::Work(first * 2));
                Program { steps, is_marked }
            },
        )
    });
    tree.prop_map(|program| Program { is_marked: false, ..program })
}

/// A span with calls one after another, own work before each and at the end, some calls not of the group.
fn sequence() -> impl Strategy<Value = Vec<(i64, i64, bool)>> {
    prop::collection::vec((1..20i64, 1..60i64, prop::bool::weighted(0.8)), 1..20)
}

fn sequence_spans(calls: &[(i64, i64, bool)], tail: i64) -> Vec<NotedSpan> {
    let mut steps = Vec::new();
    for (gap, length, is_marked) in calls {
        steps.push(Step::Work(*gap));
        let steps_of_call = vec![Step::Work(*length)];
        steps.push(Step::Call(Program { steps: steps_of_call, is_marked: *is_marked }));
    }
    steps.push(Step::Work(tail));
    let mut spans = Vec::new();
    Program { steps, is_marked: false }.spans(0, EPOCH_NS, &mut spans);
    spans
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn without_a_change_nothing_changes(spans in prop_oneof![malformed(), nested()]) {
        with_spans(&spans, |trace| {
            let replay = replay(trace, &[]);
            for row in trace.rows() {
                assert_eq!(replay.start_ns[row.idx()], trace.start_ns(row));
                assert_eq!(replay.end_ns[row.idx()], trace.end_ns(row));
            }
            assert_eq!(replay.saving_ns(), 0);
        });
    }

    #[test]
    fn any_change_of_any_trace_has_an_answer(
        spans in prop_oneof![malformed(), nested()],
        picked in prop::collection::vec(0..40u32, 0..20),
        which in 0..5,
    ) {
        with_spans(&spans, |trace| {
            let rows: Vec<_> = picked.iter().map(|row| Row(*row)).collect();
            let change = match which {
                0 => Change::Batch { calls: rows, per_item_ns: 1 },
                1 => Change::Parallel { calls: rows, limit: 2 },
                2 => Change::Remove { calls: rows },
                3 => Change::Faster { spans: rows, percent: 30 },
                _ => Change::RoundTrip { calls: rows, round_trip_ns: 5 },
            };
            let is_gain = matches!(change, Change::Remove { .. } | Change::Faster { .. });
            let saving_ns = saving_ns(trace, std::slice::from_ref(&change));
            let replay = replay(trace, &[change]);
            assert_eq!(replay.saving_ns(), saving_ns);
            assert!(replay.start_ns.iter().zip(&replay.end_ns).all(|(start, end)| start <= end));
            assert!(!is_gain || replay.saving_ns() >= 0);
        });
    }

    #[test]
    fn predictions_for_known_programs_are_exact(program in program()) {
        let mut spans = Vec::new();
        program.spans(0, EPOCH_NS, &mut spans);
        with_spans(&spans, |trace| {
            let calls = named(trace, "call");
            let removed = replay(trace, &[Change::Remove { calls: calls.clone() }]);
            assert_eq!(removed.root_ns, program.duration(Truth::Remove));
            let halved = replay(trace, &[Change::Faster { spans: calls, percent: 50 }]);
            assert_eq!(halved.root_ns, program.duration(Truth::Halve));
            assert_eq!(halved.root_before_ns, program.duration(Truth::Same));
        });
    }

    #[test]
    fn predictions_for_batches_are_exact(calls in sequence(), tail in 0..20i64, item in 0..5i64) {
        with_spans(&sequence_spans(&calls, tail), |trace| {
            let marked = calls.iter().filter(|call| call.2).map(|call| call.1);
            let count = marked.clone().count() as i64;
            let others: i64 = calls.iter().filter(|call| !call.2).map(|call| call.1).sum();
            let own: i64 = calls.iter().map(|call| call.0).sum();
            let one = marked.max().map_or(0, |longest| longest + item * (count - 1));
            let calls = named(trace, "call");
            let replay = replay(trace, &[Change::Batch { calls, per_item_ns: item }]);
            assert_eq!(replay.root_ns, own + others + one + tail);
        });
    }

    #[test]
    fn predictions_for_calls_side_by_side_are_exact(
        calls in sequence(),
        tail in 0..20i64,
        limit in 1..6usize,
    ) {
        with_spans(&sequence_spans(&calls, tail), |trace| {
            // A caller that works, waits for a free place, calls, and joins all calls after the last.
            let last = calls.iter().rposition(|call| call.2);
            let (mut at, mut places, mut joined) = (0, vec![0; limit], 0);
            for (number, (gap, length, is_marked)) in calls.iter().enumerate() {
                at += gap;
                if !is_marked {
                    at += length;
                    continue;
                }
                let place = places.iter_mut().min().expect("at least one place");
                at = at.max(*place);
                *place = at + length;
                joined = joined.max(*place);
                if Some(number) == last {
                    at = at.max(joined);
                }
            }
            let calls = named(trace, "call");
            let replay = replay(trace, &[Change::Parallel { calls, limit }]);
            assert_eq!(replay.root_ns, at + tail);
        });
    }
}
