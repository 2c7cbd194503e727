//! Shapes of traces: whatever a sender does, there is a forest with every span in it.

use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch};
use arrow::buffer::NullBuffer;
use causeway_testkit::notation::{self, EPOCH_NS, NotedSpan};
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::batch::{AttributeColumns, AttributeUse, seal};
use crate::columns::name;
use crate::{SpanRows, otlp};

const MS: i64 = 1_000_000;

/// One batch for each group of spans.
fn with_batches(groups: &[&[NotedSpan]], check: impl FnOnce(&MergedTrace<'_>)) {
    let batches: Vec<_> = groups
        .iter()
        .map(|spans| {
            let request = notation::request(spans).encode_to_vec();
            let (columns, refusals) = otlp::decode(&request, EPOCH_NS).expect("protobuf");
            assert_eq!(refusals.total(), 0, "{}", refusals.message());
            let mut counted = AttributeUse::default();
            counted.add(&columns);
            let chosen = counted.choose(&AttributeColumns::default(), &Default::default());
            seal(&[Arc::new(columns)], &chosen).expect("sealed")
        })
        .collect();
    let rows: Vec<_> = batches.iter().map(|b| SpanRows::new(b).expect("schema")).collect();
    let trace = MergedTrace::of(&rows).expect("small");
    assert_invariants(&trace);
    check(&trace);
}

fn with(text: &str, check: impl FnOnce(&MergedTrace<'_>)) {
    with_batches(&[&notation::parse(text).expect("notation")], check);
}

/// What holds for every trace.
fn assert_invariants(trace: &MergedTrace<'_>) {
    let mut seen = 0;
    for top in trace.tops() {
        assert_eq!(top.0, seen, "subtrees of tops stand one after another");
        seen += trace.subtree_len(top);
    }
    assert_eq!(seen as usize, trace.len());
    for row in trace.rows() {
        let parent = trace.parent(row);
        assert!(parent.is_none_or(|parent| parent < row), "parents come first");
        let depth = parent.map_or(0, |parent| trace.depth(parent) + 1);
        assert_eq!(trace.depth(row), depth);
        let below: u32 = trace.children(row).map(|child| trace.subtree_len(child)).sum();
        assert_eq!(trace.subtree_len(row), below + 1);
        assert!(trace.children(row).all(|child| trace.parent(child) == Some(row)));
        let starts: Vec<_> = trace.children(row).map(|child| trace.start_ns(child)).collect();
        assert!(starts.is_sorted_by_key(|start| if *start == 0 { i64::MAX } else { *start }));
        assert!(trace.end_ns(row) >= trace.start_ns(row) && trace.start_ns(row) >= 0);
    }
}

/// Ids with their depth.
fn drawn(trace: &MergedTrace<'_>) -> Vec<(u64, u32)> {
    trace.rows().map(|row| (trace.span_id(row), trace.depth(row))).collect()
}

fn row_of(trace: &MergedTrace<'_>, id: u64) -> Row {
    trace.find(id).next().expect("a span with the id")
}

#[test]
fn children_stand_under_their_parent_by_start() {
    with(
        "s c - 30..35 #3 ^1\ns d - 21..24 #4 ^2\ns a - 10..60 #1 ^0\ns b - 20..29 #2 ^1",
        |trace| {
            assert_eq!(drawn(trace), [(1, 0), (2, 1), (4, 2), (3, 1)]);
            assert!(trace.completeness().is_complete());
            assert_eq!(trace.root(), Some(Row(0)));
            assert_eq!(trace.envelope_ns(), Some((EPOCH_NS + 10 * MS, EPOCH_NS + 60 * MS)));
            assert_eq!(trace.next_sibling(Row(1)), Some(Row(3)));
            assert_eq!(trace.next_sibling(Row(3)), None);
            assert_eq!(trace.ancestors(Row(2)).collect::<Vec<_>>(), [Row(1), Row(0)]);
        },
    );
}

#[test]
fn orphans_hang_under_a_placeholder_for_each_missing_parent() {
    with("s a - 10..60 #1\ns b - 20..25 #2 ^9\ns c - 30..37 #3 ^9", |trace| {
        assert_eq!(drawn(trace), [(1, 0), (9, 0), (2, 1), (3, 1)]);
        let placeholder = row_of(trace, 9);
        assert_eq!(trace.flags(placeholder), Flags::PLACEHOLDER);
        assert_eq!(trace.start_ns(placeholder), EPOCH_NS + 20 * MS);
        assert_eq!(trace.duration_ns(placeholder), 17 * MS);
        assert_eq!((trace.service_text(placeholder), trace.name_text(placeholder)), ("", ""));
        assert!(trace.flags(row_of(trace, 2)).contains(Flags::ORPHAN));
        assert_eq!(trace.attribute(placeholder, "x"), None);
        assert_eq!(trace.events(placeholder).len(), 0);
        assert_eq!((trace.completeness().missing_parents, trace.completeness().roots), (1, 1));
    });
}

#[test]
fn without_a_root_the_earliest_span_stands_for_it() {
    with("s b - 20..25 #2 ^9\ns c - 10..37 #3 ^8", |trace| {
        assert_eq!(trace.root().map(|row| trace.span_id(row)), Some(3));
        assert_eq!(trace.completeness().roots, 0);
    });
    with("s a - 20..25 #1\ns b - 10..37 #2\ns c - 1..2 #3 ^9", |trace| {
        assert_eq!(trace.root().map(|row| trace.span_id(row)), Some(2));
        assert_eq!(trace.completeness().roots, 2);
    });
}

#[test]
fn cycles_are_cut_at_the_earliest_start() {
    let text = "s a - 30..35 #1 ^3\ns b - 20..25 #2 ^1\ns c - 10..15 #3 ^2\ns d - 40..41 #4 ^1
        s e - 50..51 #5 ^5";
    with(text, |trace| {
        assert_eq!(drawn(trace), [(3, 0), (1, 1), (2, 2), (4, 2), (5, 0)]);
        assert_eq!(trace.flags(row_of(trace, 3)), Flags::CYCLE);
        assert_eq!(trace.flags(row_of(trace, 5)), Flags::CYCLE);
        assert_eq!(trace.flags(row_of(trace, 2)), Flags::STARTS_BEFORE_PARENT);
        assert_eq!((trace.completeness().cycles, trace.completeness().roots), (2, 0));
    });
}

#[test]
fn the_two_halves_of_a_shared_id_are_told_apart() {
    let text = "a root - 10..60 #1
        b call server 25..35 #2 ^1
        a call client 20..40 #2 ^1
        b in_server - 26..28 #3 ^2
        c other - 27..29 #4 ^2
        a in_client - 21..22 #5 ^2";
    with(text, |trace| {
        assert_eq!(drawn(trace), [(1, 0), (2, 1), (5, 2), (2, 2), (3, 3), (4, 3)]);
        assert_eq!(trace.kind(Row(1)), Kind::Client);
        assert_eq!(trace.flags(Row(3)), Flags::SHARED_ID);
        assert_eq!(trace.completeness().duplicate_ids, 0);
        assert_eq!(trace.find(2).count(), 2);
    });
    with("a call client 20..40 #2 ^0\nb call server 25..35 #2 ^2", |trace| {
        assert_eq!(drawn(trace), [(2, 0), (2, 1)]);
        assert_eq!(trace.completeness().cycles, 0);
    });
}

#[test]
fn other_spans_with_one_id_are_all_kept_and_copies_are_not() {
    let text = "s a - 10..15 #1\ns b - 11..16 #1\ns c - 12..13 #2 ^1";
    let spans = notation::parse(text).expect("notation");
    with_batches(&[&spans, &spans, &spans[1..2]], |trace| {
        assert_eq!(drawn(trace), [(1, 0), (2, 1), (1, 0)]);
        assert_eq!(trace.flags(Row(0)), Flags::DUPLICATE_ID);
        assert_eq!(trace.flags(Row(2)), Flags::DUPLICATE_ID);
        let Completeness { duplicate_ids, copies, roots, .. } = *trace.completeness();
        assert_eq!((duplicate_ids, copies, roots), (1, 4, 2));
    });
}

#[test]
fn strange_times_are_marked_and_placed() {
    let text = "s a - 10..15 #1\ns b - 5..6 #2 ^1\ns c - 20..17 #3 ^1\ns d - ?..? #4 ^1
        s e - ?..? #5 ^4\ns f - 12..? #6 ^1\ns g - ?..?";
    with(text, |trace| {
        let flags = |id| trace.flags(row_of(trace, id));
        assert_eq!(flags(2), Flags::STARTS_BEFORE_PARENT);
        assert_eq!(flags(3), Flags::ENDS_BEFORE_START);
        assert_eq!([flags(4), flags(5), flags(6)], [Flags::NO_TIME; 3]);
        let (untimed, half) = (row_of(trace, 5), row_of(trace, 6));
        assert_eq!((trace.start_ns(untimed), trace.duration_ns(untimed)), (EPOCH_NS + 10 * MS, 0));
        assert_eq!((trace.start_ns(half), trace.duration_ns(half)), (EPOCH_NS + 12 * MS, 0));
        assert_eq!(trace.raw_duration_ns(row_of(trace, 3)), -3 * MS);
        let Completeness { unusable_times, ends_before_start, .. } = *trace.completeness();
        assert_eq!((unusable_times, ends_before_start), (4, 1));
    });
}

#[test]
fn attributes_events_and_links_are_read_where_they_lie() {
    let text = r#"a/2 x client 0..9 #1 k=1 t="1" k=2 !e@3 ->2 ->3
        b y - 1..2 #2 ^1 k=text
        c z - 3..4 #3 ^1"#;
    with(text, |trace| {
        let text = |row, key| trace.attribute(row, key).map(|value| value.text().into_owned());
        assert_eq!(text(Row(0), "k").as_deref(), Some("1"));
        assert_eq!(text(Row(0), "t").as_deref(), Some("\"1\""));
        assert_eq!(text(Row(1), "k").as_deref(), Some("text"));
        assert_eq!(text(Row(2), "k"), None);
        assert_eq!(trace.attributes(Row(0)).expect("a span").count(), 3);
        assert_eq!(trace.resource_attribute(Row(0), "service.instance.id"), Some("\"2\""));
        assert_eq!(trace.resource_attribute(Row(1), "service.instance.id"), None);
        let event = trace.events(Row(0)).next().expect("an event");
        assert_eq!((event.name, event.time_unix_nano), ("e", EPOCH_NS + 3 * MS));
        assert_eq!(trace.links(Row(0)).map(|link| link.span_id).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(trace.trace_id().map(|id| id.0), Some(notation::TRACE_ID));
        assert_ne!(trace.clock(Row(0)), trace.clock(Row(1)));
    });
}

#[test]
fn aligned_times_move_spans_and_keep_raw_ones() {
    let text =
        "a root - 0..100 #1\nb late - 10..20 #2 ^1\nc early - 5..8 #3 ^1\nd lost - 1..2 #4 ^9";
    let batch = notation::parse(text).expect("notation");
    let request = notation::request(&batch).encode_to_vec();
    let (columns, _) = otlp::decode(&request, EPOCH_NS).expect("protobuf");
    let batch = seal(&[Arc::new(columns)], &AttributeColumns::default()).expect("sealed");
    let rows = [SpanRows::new(&batch).expect("schema")];
    let trace = MergedTrace::of(&rows).expect("small");
    let times: Vec<_> = trace
        .rows()
        .map(|row| {
            let shift = if trace.service_text(row) == "c" { 50 * MS } else { 0 };
            let start_ns = trace.start_ns(row) + shift;
            SpanTimes { start_ns, end_ns: trace.end_ns(row) + shift, half_width_ns: Some(7) }
        })
        .collect();
    let trace = trace.aligned(&times);
    assert_invariants(&trace);
    assert_eq!(drawn(&trace), [(1, 0), (2, 1), (3, 1), (9, 0), (4, 1)]);
    let early = row_of(&trace, 3);
    assert_eq!(trace.start_ns(early) - trace.raw_start_ns(early), 50 * MS);
    assert_eq!((trace.half_width_ns(early), trace.duration_ns(early)), (Some(7), 3 * MS));
}

#[test]
fn what_lies_in_the_place_of_a_null_status_is_not_read() {
    let request = notation::request(&notation::parse("a x - 1..2").expect("notation"));
    let (columns, _) = otlp::decode(&request.encode_to_vec(), EPOCH_NS).expect("protobuf");
    let batch = seal(&[Arc::new(columns)], &AttributeColumns::default()).expect("sealed");
    let at = batch.schema().index_of(name::STATUS_CODE).expect("a column");
    let mut arrays = batch.columns().to_vec();
    arrays[at] = Arc::new(Int32Array::new(vec![2].into(), Some(NullBuffer::new_null(1))));
    let batch = RecordBatch::try_new(batch.schema(), arrays).expect("of the schema");
    let rows = [SpanRows::new(&batch).expect("schema")];
    let trace = MergedTrace::of(&rows).expect("small");
    assert_eq!(trace.status(Row(0)), Status::Unset);
}

#[test]
fn nothing_gives_no_rows() {
    with_batches(&[], |trace| {
        assert!(trace.is_empty());
        assert_eq!((trace.root(), trace.envelope_ns(), trace.tops().count()), (None, None, 0));
        assert_eq!(trace.completeness(), &Completeness::default());
    });
}

fn plain(id: u64, parent: u64, start: i64) -> NotedSpan {
    let start_ns = (EPOCH_NS + start) as u64;
    NotedSpan { id, parent, start_ns, end_ns: start_ns + 10, ..NotedSpan::default() }
}

#[test]
fn deep_and_wide_traces_are_no_problem() {
    let deep: Vec<_> = (1..=20_000).rev().map(|id| plain(id, id - 1, id as i64)).collect();
    with_batches(&[&deep], |trace| assert_eq!(trace.depth(Row(19_999)), 19_999));
    let wide: Vec<_> = (1..=20_001).map(|id| plain(id, u64::from(id > 1), 0)).collect();
    with_batches(&[&wide], |trace| assert_eq!(trace.subtree_len(Row(0)), 20_001));
    let own: Vec<_> = (0..20_000).map(|at| plain(7, 7, at)).collect();
    with_batches(&[&own], |trace| {
        assert_eq!((trace.len(), trace.completeness().duplicate_ids), (20_000, 1));
    });
}

fn any_span() -> impl Strategy<Value = NotedSpan> {
    let time = prop_oneof![8 => 0..20u64, 1 => Just(u64::MAX)];
    let kind = prop::sample::select(vec!["-", "client", "server", "producer", "consumer"]);
    (1..12u64, 0..14u64, (time, 0..20u64), kind, 0..3).prop_map(|(id, parent, time, kind, of)| {
        let line = format!("s{of} n {kind} ?..?");
        let mut span = notation::parse(&line).expect("notation").remove(0);
        (span.id, span.parent) = (id, parent);
        (span.start_ns, span.end_ns) = (time.0.saturating_mul(1_000), time.1 * 1_000);
        span
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Scenario: spans with ids, parents, times and kinds at random, in any order and split in any way.
    /// Guarantee: the forest keeps every distinct span, keeps its invariants, and is the same.
    #[test]
    fn order_of_arrival_changes_nothing(
        spans in prop::collection::vec(any_span(), 0..40),
        cut in 0..40usize,
        seed in any::<u64>(),
    ) {
        let shown = |trace: &MergedTrace<'_>| -> Vec<_> {
            trace
                .rows()
                .map(|row| {
                    let texts = (trace.service_text(row).to_owned(), trace.kind(row));
                    let times = (trace.start_ns(row), trace.end_ns(row));
                    (trace.span_id(row), trace.parent(row), trace.flags(row), texts, times)
                })
                .collect()
        };
        let (mut once, mut again) = (Vec::new(), Vec::new());
        with_batches(&[&spans], |trace| once = shown(trace));
        let mut shuffled = spans.clone();
        shuffled.sort_by_key(|span| span.id.wrapping_mul(seed | 1) ^ span.start_ns);
        let (first, rest) = shuffled.split_at(cut.min(spans.len()));
        with_batches(&[first, rest, first], |trace| again = shown(trace));
        prop_assert_eq!(&once, &again);
        let distinct: std::collections::HashSet<_> =
            spans.iter().map(|span| format!("{span:?}")).collect();
        let kept = once.iter().filter(|row| !row.2.contains(Flags::PLACEHOLDER)).count();
        prop_assert_eq!(kept, distinct.len());
    }
}
