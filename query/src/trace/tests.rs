//! Shapes of traces: whatever a sender does, there are rows.

use super::merge::{MergedTrace, Span};
use super::tree::{
    CYCLE, DUPLICATE_ID, ENDS_BEFORE_START, NO_TIME, PLACEHOLDER, STARTS_BEFORE_PARENT,
};
use super::{Completeness, Rows, build};

fn span(span_id: u64, parent_span_id: u64, start: i64, duration_ns: i64) -> Span {
    Span {
        span_id,
        parent_span_id,
        start_time_unix_nano: start,
        duration_ns,
        service: 0,
        name: 0,
        kind: 1,
        status: 0,
        events: 0,
        links: 0,
    }
}

fn tree(spans: Vec<Span>) -> (Rows, Completeness) {
    let (rows, completeness) = build(&MergedTrace { spans, texts: vec!["x".to_owned()] });
    // Invariants of every answer.
    for (row, parent) in rows.parent.iter().enumerate() {
        assert!(*parent < row as i64, "parents come first");
        let end = row + rows.subtree[row] as usize;
        assert!(end <= rows.parent.len());
        assert!(rows.depth[row + 1..end].iter().all(|depth| *depth > rows.depth[row]));
    }
    (rows, completeness)
}

#[test]
fn children_stand_under_their_parent_by_start() {
    let (rows, completeness) =
        tree(vec![span(3, 1, 30, 5), span(4, 2, 21, 3), span(1, 0, 10, 50), span(2, 1, 20, 9)]);
    assert_eq!(rows.span_id, [1, 2, 4, 3]);
    assert_eq!(rows.parent, [-1, 0, 1, 0]);
    assert_eq!(rows.depth, [0, 1, 2, 1]);
    assert_eq!(rows.subtree, [4, 2, 1, 1]);
    assert_eq!(rows.start_ns, [0, 10, 11, 20]);
    assert_eq!((rows.start_unix_nano, rows.envelope_ns, rows.root_row), (10, 50, 0));
    assert_eq!(completeness, Completeness { roots: 1, ..Completeness::default() });
}

#[test]
fn orphans_hang_under_a_placeholder_for_each_missing_parent() {
    let (rows, completeness) = tree(vec![span(1, 0, 10, 50), span(2, 9, 20, 5), span(3, 9, 30, 7)]);
    assert_eq!(rows.span_id, [1, 9, 2, 3]);
    assert_eq!(rows.parent, [-1, -1, 1, 1]);
    assert_eq!(rows.flags, [0, PLACEHOLDER, 0, 0]);
    assert_eq!((rows.start_ns[1], rows.duration_ns[1]), (10, 17));
    assert_eq!((completeness.missing_parents, completeness.roots), (1, 1));
}

#[test]
fn cycles_are_cut_at_the_earliest_start() {
    let (rows, completeness) = tree(vec![
        span(1, 3, 30, 5),
        span(2, 1, 20, 5),
        span(3, 2, 10, 5),
        span(4, 1, 40, 1),
        span(5, 5, 50, 1),
    ]);
    assert_eq!(rows.span_id, [3, 1, 2, 4, 5]);
    assert_eq!(rows.parent, [-1, 0, 1, 1, -1]);
    assert_eq!(rows.flags[0] & CYCLE, CYCLE);
    assert_eq!(rows.flags[4] & CYCLE, CYCLE);
    assert_eq!(rows.flags[2], STARTS_BEFORE_PARENT * u8::from(20 < 30));
    assert_eq!((completeness.cycles, completeness.roots), (2, 0));
    assert!(!rows.has_root);
}

#[test]
fn the_two_halves_of_a_shared_id_are_told_apart() {
    let client = Span { kind: 3, service: 0, ..span(2, 1, 20, 20) };
    let server = Span { kind: 2, service: 1, ..span(2, 1, 25, 10) };
    let in_server = Span { service: 1, ..span(3, 2, 26, 2) };
    let other = Span { service: 7, ..span(4, 2, 27, 2) };
    let (rows, completeness) = tree(vec![server, in_server, span(1, 0, 10, 50), other, client]);
    assert_eq!(rows.span_id, [1, 2, 2, 3, 4]);
    assert_eq!(rows.kind, [1, 3, 2, 1, 1]);
    assert_eq!(rows.parent, [-1, 0, 1, 2, 2]);
    assert_eq!(completeness.duplicate_ids, 0);
}

#[test]
fn a_server_half_that_names_itself_as_parent_hangs_under_its_client() {
    let client = Span { kind: 3, ..span(2, 0, 20, 20) };
    let server = Span { kind: 2, ..span(2, 2, 25, 10) };
    let (rows, completeness) = tree(vec![server, client]);
    assert_eq!((rows.kind, rows.parent), (vec![3, 2], vec![-1, 0]));
    assert_eq!(completeness.cycles, 0);
}

#[test]
fn other_spans_with_one_id_are_all_shown_and_marked() {
    let (rows, completeness) = tree(vec![span(1, 0, 10, 5), span(1, 0, 11, 5), span(2, 1, 12, 1)]);
    assert_eq!(rows.span_id, [1, 2, 1]);
    assert_eq!(rows.flags, [DUPLICATE_ID, 0, DUPLICATE_ID]);
    assert_eq!((completeness.duplicate_ids, completeness.roots), (1, 2));
}

#[test]
fn strange_times_are_marked_and_kept() {
    let (rows, completeness) = tree(vec![
        span(1, 0, 10, 5),
        span(2, 1, 5, 1),
        span(3, 1, 20, -3),
        span(4, 1, 0, 0),
        span(5, 4, -7, 3),
    ]);
    let flags_of = |id: u64| rows.flags[rows.span_id.iter().position(|x| *x == id).unwrap_or(0)];
    assert_eq!(flags_of(2), STARTS_BEFORE_PARENT);
    assert_eq!(flags_of(3), ENDS_BEFORE_START);
    assert_eq!((flags_of(4), flags_of(5)), (NO_TIME, NO_TIME));
    assert_eq!(completeness.unusable_times, 2);
    assert_eq!(rows.start_unix_nano, 5);
    assert!(rows.start_ns.iter().all(|start| *start >= 0));
}

#[test]
fn deep_and_wide_traces_are_no_problem() {
    let deep = (1..=100_000).map(|id| span(id, id - 1, 1_000 + id as i64, 10)).rev().collect();
    let (rows, _) = tree_unchecked(deep);
    assert_eq!(rows.depth.last(), Some(&99_999));
    assert_eq!(rows.subtree[0], 100_000);
    let wide = (1..=100_001).map(|id| span(id, u64::from(id > 1), 1_000, 10)).collect();
    let (rows, _) = tree_unchecked(wide);
    assert_eq!((rows.subtree[0], rows.subtree[1]), (100_001, 1));
    let lost = (0..100_000).map(|_| span(7, 7, 1_000, 10)).collect();
    let (rows, completeness) = tree_unchecked(lost);
    assert_eq!((rows.parent.len(), completeness.duplicate_ids), (100_000, 1));
}

/// Without the quadratic check of the invariants.
fn tree_unchecked(spans: Vec<Span>) -> (Rows, Completeness) {
    build(&MergedTrace { spans, texts: vec!["x".to_owned()] })
}

#[test]
fn nothing_gives_no_rows() {
    let (rows, completeness) = tree(Vec::new());
    assert!(rows.span_id.is_empty());
    assert_eq!(completeness, Completeness::default());
}
