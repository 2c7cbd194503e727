//! Paths of small traces, and what holds for those of any trace.

use causeway_model::trace::{MergedTrace, Row, SpanTimes};
use causeway_testkit::notation::{EPOCH_NS, NotedSpan};
use proptest::prelude::*;

use super::*;
use crate::testing::{MS, malformed, nested, with, with_spans};
use crate::waiting::{Certainty, is_awaited};

/// Segments as `name start..end`, in milliseconds.
fn shown(trace: &MergedTrace<'_>, path: &CriticalPath) -> Vec<String> {
    let one = |segment: &Segment| {
        let ms = |ns: i64| (ns - EPOCH_NS) / MS;
        let name = trace.name_text(segment.row);
        format!("{name} {}..{}", ms(segment.start_ns), ms(segment.end_ns))
    };
    path.segments.iter().map(one).collect()
}

fn check(text: &str, expected: &[&str]) {
    with(text, |trace| {
        let path = CriticalPath::of(trace);
        assert_invariants(trace, &path);
        assert_eq!(shown(trace, &path), expected);
    });
}

fn assert_invariants(trace: &MergedTrace<'_>, path: &CriticalPath) {
    let root = trace.root();
    let (mut at, end) = root.map_or((0, 0), |root| (trace.start_ns(root), trace.end_ns(root)));
    let duration = end - at;
    for segment in &path.segments {
        assert_eq!(segment.start_ns, at, "segments follow each other without a gap");
        assert!(segment.end_ns > segment.start_ns);
        at = segment.end_ns;
    }
    assert_eq!(path.duration_ns(), duration);
    assert_eq!(path.by_row_ns(trace).iter().sum::<i64>(), duration);
}

#[test]
fn gaps_belong_to_the_parent() {
    let text = "s a - 0..100\n s b - 10..40\n s c - 50..90\n  s d - 60..70";
    check(
        text,
        &["a 0..10", "b 10..40", "a 40..50", "c 50..60", "d 60..70", "c 70..90", "a 90..100"],
    );
}

#[test]
fn only_the_child_that_ended_last_delays() {
    check(
        "s a - 0..100\n s b - 10..60\n s c - 20..80\n s d - 0..20",
        &["d 0..20", "c 20..80", "a 80..100"],
    );
}

#[test]
fn of_equal_ends_the_first_to_start_is_chosen() {
    check("s a - 0..20\n s b - 12..18\n s c - 5..18", &["a 0..5", "c 5..18", "a 18..20"]);
}

#[test]
fn back_to_back_children_follow_each_other() {
    check(
        "s a - 0..30\n s b - 0..10\n s e - 10..10\n s c - 10..20\n s d - 20..30",
        &["b 0..10", "c 10..20", "d 20..30"],
    );
}

#[test]
fn what_nobody_waits_for_is_not_on_the_path() {
    let text = "s a - 0..30\n s late - 10..31\n s send producer 5..25\n  t receive consumer 6..24";
    check(text, &["a 0..5", "send 5..25", "a 25..30"]);
}

#[test]
fn children_are_clamped_to_what_is_left_of_their_parents() {
    check("s a - 10..30\n s b - 5..20\n  s c - 6..12", &["c 10..12", "b 12..20", "a 20..30"]);
}

#[test]
fn traces_without_a_root_start_at_their_earliest_span() {
    check("s a - 10..30 ^77\ns b - 20..40 ^77", &["a 10..30"]);
    check("", &[]);
    check("s a - 5..5", &[]);
}

/// The path with certainties, in a trace whose clocks are known within `half_width_ns`.
fn certainties(text: &str, half_width_ns: Option<i64>) -> Vec<(String, Certainty)> {
    let spans = causeway_testkit::notation::parse(text).expect("notation");
    let mut found = Vec::new();
    crate::testing::with_owned(&spans, |trace| {
        let times: Vec<_> = trace
            .rows()
            .map(|row| SpanTimes {
                start_ns: trace.start_ns(row),
                end_ns: trace.end_ns(row),
                half_width_ns,
            })
            .collect();
        let trace = trace.aligned(&times);
        let path = CriticalPath::of(&trace);
        assert_invariants(&trace, &path);
        let certain = path.segments.iter().map(|segment| segment.certainty);
        found = shown(&trace, &path).into_iter().zip(certain).collect();
    });
    found
}

#[test]
fn an_overlap_below_the_blur_is_none_and_is_marked() {
    use Certainty::{Bounded, Guessed, Measured};
    let text = "a root - 0..100\n b x - 10..52\n c y - 50..90";
    let path = |width| certainties(text, width);
    let told = |list: &[(&str, Certainty)]| -> Vec<_> {
        list.iter().map(|(text, certainty)| ((*text).to_owned(), *certainty)).collect()
    };
    // Known to 500 us each, the overlap of 2 ms is real: x ended after y began and did not delay it.
    let expected = [("root 0..50", Bounded), ("y 50..90", Bounded), ("root 90..100", Bounded)];
    assert_eq!(path(Some(MS / 2)), told(&expected));
    // Known to 1 ms each, it may be none.
    let expected = [
        ("root 0..10", Guessed),
        ("x 10..50", Guessed),
        ("y 50..90", Bounded),
        ("root 90..100", Bounded),
    ];
    assert_eq!(path(Some(MS)), told(&expected));
    // Of one clock everything is measured; of clocks nothing is known of, guessed.
    let one = certainties("a root - 0..100\n a x - 10..40", None);
    assert!(one.iter().all(|(_, certainty)| *certainty == Measured));
    let unknown = certainties("a root - 0..100\n b x - 10..40", None);
    assert!(unknown.iter().all(|(_, certainty)| *certainty == Guessed));
}

#[test]
fn depth_and_width_are_no_problem() {
    let span = |id: u64, parent: u64, start: u64, end: u64| NotedSpan {
        id,
        parent,
        start_ns: EPOCH_NS as u64 + start,
        end_ns: EPOCH_NS as u64 + end,
        ..NotedSpan::default()
    };
    let deep: Vec<_> = (1..=10_000).map(|id| span(id, id - 1, id, 30_000 - id)).collect();
    with_spans(&deep, |trace| {
        let path = CriticalPath::of(trace);
        assert_invariants(trace, &path);
        assert_eq!(path.segments.len(), 19_999);
    });
    let children = (2..=100_001).map(|id| span(id, 1, id * 10, id * 10 + 5));
    let wide: Vec<_> = std::iter::once(span(1, 0, 0, 2_000_000)).chain(children).collect();
    with_spans(&wide, |trace| {
        let path = CriticalPath::of(trace);
        assert_invariants(trace, &path);
        assert_eq!(path.segments.len(), 200_001);
    });
}

/// The path as the text above says it, told recursively and slowly.
fn oracle(trace: &MergedTrace<'_>, row: Row, from: i64, to: i64, out: &mut Vec<(Row, i64, i64)>) {
    let mut at = to;
    let mut left: Vec<Row> = trace.children(row).filter(|c| is_awaited(trace, *c)).collect();
    let mut is_first = true;
    loop {
        let ended = |child: &Row| is_first || trace.end_ns(*child) <= at;
        let owns = |child: &Row| trace.start_ns(*child).max(from) < trace.end_ns(*child).min(at);
        let candidates = left.iter().copied().filter(|child| ended(child) && owns(child));
        let last = candidates.max_by_key(|child| {
            (trace.end_ns(*child), std::cmp::Reverse((trace.start_ns(*child), *child)))
        });
        let Some(child) = last else { break };
        left.retain(|other| *other != child);
        let (start, end) = (trace.start_ns(child).max(from), trace.end_ns(child).min(at));
        if end < at {
            out.push((row, end, at));
        }
        oracle(trace, child, start, end, out);
        (at, is_first) = (start, false);
    }
    if from < at {
        out.push((row, from, at));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn segments_add_up_whatever_the_trace(spans in prop_oneof![malformed(), nested()]) {
        with_spans(&spans, |trace| {
            assert_invariants(trace, &CriticalPath::of(trace));
            let own = crate::self_time::self_times(trace);
            for row in trace.rows() {
                let own = own.get(row.idx()).copied().unwrap_or(-1);
                assert!((0..=trace.duration_ns(row)).contains(&own));
            }
        });
    }

    #[test]
    fn the_path_is_what_the_definition_says(spans in prop_oneof![malformed(), nested()]) {
        with_spans(&spans, |trace| {
            let path = CriticalPath::of(trace);
            let found: Vec<_> =
                path.segments.iter().map(|s| (s.row, s.start_ns, s.end_ns)).collect();
            let mut expected = Vec::new();
            if let Some(root) = trace.root() {
                oracle(trace, root, trace.start_ns(root), trace.end_ns(root), &mut expected);
            }
            expected.reverse();
            assert_eq!(found, expected);
        });
    }
}
